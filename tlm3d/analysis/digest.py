"""The facts of a run, added up: at once when it is over, or bit by bit while it goes on, to the same integers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

from tlm3d.analysis import blame, supply
from tlm3d.analysis.activities import activities
from tlm3d.analysis.chains import Chains
from tlm3d.analysis.channels import added, channel_results
from tlm3d.analysis.deadlines import Tally, jobs_by_task
from tlm3d.analysis.efficiency import efficiency
from tlm3d.analysis.energy import UNOWNED, Key, accounts, booked_aj
from tlm3d.analysis.meter import Meter
from tlm3d.analysis.planned import plan_result
from tlm3d.analysis.power import average_nw
from tlm3d.analysis.result import Account, Battery, ChannelResult, Result, TaskResult
from tlm3d.analysis.troubles import Troubles
from tlm3d.analysis.utilisation import Use, blocks, by_task_ps, used_ps
from tlm3d.analysis.verdict import verdict
from tlm3d.record.packed import Names, Packed
from tlm3d.record.packed_jobs import PackedJobs
from tlm3d.record.recording import JobEnd, Recording, Span, StateInterval, TransferLeg
from tlm3d.units import show_nw


class Digest:
    """Reads the facts of ``recording``; with ``fold`` it also takes them out, but for those to be kept.

    What it holds does not grow with the run, except by response times that have not been seen before.
    """

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        names = Names()
        self._kept = replace(  # of those taken out
            recording,
            spans=Packed(Span, names),
            legs=Packed(TransferLeg, names),
            states=Packed(StateInterval, names),
            jobs=PackedJobs(names),
        )
        self._booked_aj: Counter[Key] = Counter()
        self._channels: dict[str, ChannelResult] = channel_results(self._kept)
        self._used_ps: Counter[Use] = Counter()
        self._tallies = {name: Tally(name, task.deadline_ps, task.firm) for name, task in recording.tasks.items()}
        self._contenders: dict[str, list[JobEnd]] = {name: [] for name in recording.tasks}
        self._chains = Chains(recording)
        self._troubles = Troubles(recording.tasks)
        self._meter = Meter(recording.limits, recording.supply)

    def fold(self, settled_ps: int, going_on: Sequence[StateInterval]) -> None:
        """Take in and out what is final: everything that starts before ``settled_ps`` has been recorded.

        ``going_on`` are the states that have started before and not ended. The run may end at ``settled_ps`` or later.
        """
        ended = self._recording.take(settled_ps)
        self._add(ended, settled_ps)
        self._keep(ended)
        running = replace(self._recording, states=[*self._recording.states, *going_on])
        going = activities(running, until_ps=settled_ps)
        self._meter.read(activities(ended), going, settled_ps)

    def result(self) -> Result:
        """The whole answer, once the run is over."""
        recording = self._recording
        horizon_ps = recording.horizon_ps
        self._add(recording, horizon_ps)
        self._meter.close(activities(recording), horizon_ps)
        self._keep(recording)
        kept = self._kept
        for facts in (kept.spans, kept.legs, kept.states, kept.jobs):
            if isinstance(facts, Packed):
                facts.close()
        recording.spans, recording.legs = kept.spans, kept.legs
        recording.states, recording.jobs = kept.states, kept.jobs
        tasks = {name: tally.result() for name, tally in self._tallies.items()}
        booked = accounts(self._booked_aj)
        total_aj = sum(account.energy_aj for account in booked)
        plan = plan_result(recording.plan, tasks, booked)
        at_rail = efficiency(recording, booked, tasks, by_task_ps(self._used_ps))
        battery = None
        if recording.supply is not None:
            booked, battery = self._battery(total_aj, tasks)
        held = self._meter.limits()
        chains = self._chains.results(horizon_ps)
        troubles = self._troubles.result(recording, tasks)
        word, reasons = verdict(tasks.values(), held, chains.values(), troubles)
        return Result(
            verdict=word,
            reasons=reasons,
            platform=recording.platform,
            workload=recording.workload,
            policy=recording.policy,
            seed=recording.seed,
            horizon_ps=horizon_ps,
            corner=recording.corner,
            tasks=tasks,
            worst=blame.worst(chain.from_iterable(self._contenders.values()), horizon_ps),
            tightest=blame.tightest(self._contenders, horizon_ps),
            limits=held,
            total_aj=total_aj,
            average_nw=average_nw(total_aj, horizon_ps),
            accounts=booked,
            channels=self._channels,
            efficiency=at_rail,
            power_bins_nw=self._meter.bins_nw(),
            boot_bytes=recording.boot_bytes,
            interrupted_of_ps=recording.interrupted_of_ps,
            notes=(*recording.notes, *self._beyond()),
            recording=recording,
            battery=battery,
            chains=chains,
            blocks=blocks(self._used_ps),
            troubles=troubles,
            plan=plan,
        )

    def _battery(self, rail_aj: int, tasks: dict[str, TaskResult]) -> tuple[tuple[Account, ...], Battery]:
        """All accounts, the regulator's among them, and what they come to at the battery."""
        loss_aj, horizon_ps = self._meter.loss_aj, self._recording.horizon_ps
        booked = accounts({**self._booked_aj, (UNOWNED, supply.NAME, supply.WHAT, UNOWNED): loss_aj})
        with_loss = efficiency(self._recording, booked, tasks, by_task_ps(self._used_ps))
        return booked, Battery(
            total_aj=rail_aj + loss_aj,
            average_nw=average_nw(rail_aj + loss_aj, horizon_ps),
            loss_aj=loss_aj,
            effective_fj_per_op=with_loss.effective_fj_per_op,
            uj_per_inference_with_share=with_loss.uj_per_inference_with_share,
        )

    def _beyond(self) -> tuple[str, ...]:
        """A remark on a load for which the supply has no numbers."""
        beyond_nw = self._meter.beyond_nw()
        if beyond_nw is None:
            return ()
        most, rated = map(show_nw, beyond_nw)
        return (f"supply: the load comes to {most}, beyond its last point at {rated}, whose efficiency is kept",)

    def _add(self, facts: Recording, settled_ps: int) -> None:
        horizon_ps = facts.horizon_ps
        by_task = jobs_by_task(facts)
        self._chains.add(by_task, () if facts is self._recording else self._recording.jobs, settled_ps)
        for name, jobs in by_task.items():
            self._tallies[name].add(jobs, horizon_ps)
            self._troubles.add(name, jobs, horizon_ps)
            self._contenders[name] = blame.contenders([*self._contenders[name], *jobs], horizon_ps)
        self._booked_aj.update(booked_aj(facts))
        self._channels = added(self._channels, channel_results(facts))
        self._used_ps.update(used_ps(facts.spans, horizon_ps))

    def _keep(self, facts: Recording) -> None:
        overlaps, kept = self._recording.kept.overlaps, self._kept
        if self._recording.kept.everything:
            kept.spans += facts.spans
            kept.legs += facts.legs
            kept.states += facts.states
            kept.jobs += facts.jobs
            return
        kept.spans += [span for span in facts.spans if overlaps(span.start_ps, span.end_ps)]
        kept.legs += [leg for leg in facts.legs if overlaps(leg.posted_ps, leg.finish_ps)]
        kept.states += [state for state in facts.states if overlaps(state.start_ps, state.end_ps)]
        kept.jobs += [job for job in facts.jobs if overlaps(job.release_ps, job.end_ps)]
