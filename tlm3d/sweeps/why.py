"""Why a job was late: its story, and exact re-runs with one cause taken away at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from tlm3d.analysis.blame import blame
from tlm3d.analysis.result import JobBlame
from tlm3d.analysis.why import Change, Outcome, Part, Rerun, Why, outcome_of, ranked, story
from tlm3d.errors import Problem, SpecError, Tlm3dError, did_you_mean, one_of
from tlm3d.model.system import Progress, System
from tlm3d.record.recording import JobEnd, StateInterval
from tlm3d.simulation import simulate
from tlm3d.spec.platform import PlatformSpec
from tlm3d.spec.workload import WorkloadSpec
from tlm3d.sweeps.processes import Told, run_all
from tlm3d.sweeps.remedies import changed, compatible, fixed, remedies, together
from tlm3d.sweeps.workers import Share
from tlm3d.units import TIME, clip, duration_ps, parse_quantity, show_ps

_REMEMBERED = 64  # jobs of a task before the one asked about: how far back a queue of them is followed


def why(
    platform: PlatformSpec,
    workload: WorkloadSpec,
    *,
    job: str | None = None,
    policy: str | None = None,
    horizon: str | int | None = None,
    seed: int = 0,
    jobs: int | None = None,
    progress: Progress | None = None,
    done: Told | None = None,
) -> Why:
    """The story of ``job`` (``"task#n"``; default the worst late one, else the tightest), and what would have helped.

    The re-runs change one thing each, among the causes of the story and the policies, and simulate the same seed up to
    where the job is decided; ``jobs`` processes (default: one a processor; 1 runs here) do them. ``progress`` is told
    of the first run as by simulate(), ``done(runs, total)`` of the re-runs. A KeyboardInterrupt ends the re-runs: those
    done are the answer. Changes are made to the text the platform was read from. Raises what simulate() raises, and
    SpecError for a job that is none.
    """
    policy = policy or workload.policy
    horizon_ps = duration_ps(parse_quantity(horizon, TIME)) if isinstance(horizon, str) else horizon
    horizon_ps = horizon_ps or workload.horizon_ps
    run = _Run(policy, seed, horizon_ps)
    if job is not None:
        task, index = parse_job(job, workload)
        before = run.jobs_of(platform, workload, task, index, progress)
        blamed = blame(_the_one(before, task, index, horizon_ps), horizon_ps)
    else:
        blamed = _worst(platform, workload, run, progress)
        task, index = blamed.job.task, blamed.job.index
        queued = any(segment.bucket == "self-predecessor" for segment in blamed.job.segments)
        before = run.jobs_of(platform, workload, task, index) if queued else []
    parts = _parts(blamed, before, horizon_ps)
    changes = remedies(platform, workload, policy, task, parts)
    again = _Run(policy, seed, _decided_ps(blamed, horizon_ps))
    reruns = _all(again, platform, workload, task, index, changes, jobs, done)
    outcome = outcome_of(blamed.job, horizon_ps)
    interrupted = len(reruns) < len(changes)
    tried: tuple[Rerun, ...] = ()
    if not (interrupted or outcome.met or any(map(_meets, reruns))):
        pairs = _pairs(reruns, outcome)
        tried = _all(again, platform, workload, task, index, pairs, jobs, None)
        interrupted = len(tried) < len(pairs)
    return Why(
        platform=platform.name,
        workload=workload.name,
        policy=policy,
        seed=seed,
        corner=platform.corner,
        horizon_ps=horizon_ps,
        named=job is not None,
        blame=blamed,
        outcome=outcome,
        beats=story(blamed),
        reruns=reruns,
        both=next(iter(tried), None),
        fixed=fixed(parts, changes),
        asked=len(changes),
        interrupted=interrupted,
    )


def parse_job(text: str, workload: WorkloadSpec) -> tuple[str, int]:
    """Task and index of ``task#n``. Raises SpecError."""
    task, mark, number = text.rpartition("#")
    if not mark or not task or not (number.isascii() and number.isdigit()) or len(number) > 18:
        known = next(iter(workload.tasks))
        near = did_you_mean(task or text, workload.tasks).replace("'?", "#0'?")
        raise _wrong(f"expected TASK#NUMBER such as '{known}#0', got {clip(text)}{near}")
    if task not in workload.tasks:
        hint = did_you_mean(task, workload.tasks) or one_of(workload.tasks)
        raise _wrong(f"no task {clip(task)} in workload {workload.name}{hint}")
    return task, int(number)


def _wrong(message: str) -> SpecError:
    return SpecError([Problem("--job", 0, 0, "", message)])


def _the_one(jobs: Sequence[JobEnd], task: str, index: int, horizon_ps: int) -> JobEnd:
    """The job of ``index``, the last of those found. Raises SpecError where there is none."""
    if jobs and jobs[-1].index == index:
        return jobs[-1]
    last = f"the last one is {task}#{jobs[-1].index}" if jobs else "none is"
    raise _wrong(f"no job {task}#{index} is released within {show_ps(horizon_ps)}; {last}")


def _worst(platform: PlatformSpec, workload: WorkloadSpec, run: _Run, progress: Progress | None) -> JobBlame:
    """The worst missed job, else the tightest. Raises SpecError where no job was judged."""
    result = simulate(
        platform,
        workload,
        policy=run.policy,
        horizon=run.horizon_ps,
        seed=run.seed,
        progress=progress,
        record="totals",
    )
    blamed = result.worst or next(iter(result.tightest), None)
    if blamed is None:
        message = f"no job has its deadline within {show_ps(run.horizon_ps)}: nothing to tell"
        raise SpecError([Problem("--horizon", 0, 0, "", message)])
    return blamed


class _Run:
    """How to run: policy, seed and how far."""

    def __init__(self, policy: str, seed: int, horizon_ps: int) -> None:
        self.policy, self.seed, self.horizon_ps = policy, seed, horizon_ps

    def jobs_of(
        self, platform: PlatformSpec, workload: WorkloadSpec, task: str, last: int, progress: Progress | None = None
    ) -> list[JobEnd]:
        """The jobs of ``task`` up to index ``last``, by index; only the latest of them are remembered."""
        system = System(platform, workload, self.policy, self.horizon_ps, self.seed)
        recording = system.recording
        found: deque[JobEnd] = deque(maxlen=_REMEMBERED)

        def keep(jobs: Iterable[JobEnd]) -> None:
            mine = [job for job in jobs if job.task == task and job.index <= last]
            mine += found
            found.clear()
            found.extend(sorted(mine, key=lambda job: job.index))

        def fold(settled_ps: int, going_on: list[StateInterval]) -> None:
            keep(recording.take(settled_ps).jobs)

        system.run(progress, fold)
        keep(recording.jobs)
        return [job for job in found if job.release_ps < recording.horizon_ps]

    def rerun(
        self,
        platform: PlatformSpec,
        workload: WorkloadSpec,
        task: str,
        index: int,
        change: Change,
        told: Share | None = None,
    ) -> Rerun:
        """The job with ``change`` made; a Tlm3dError is why it cannot be."""
        run = _Run(change.policy or self.policy, self.seed, self.horizon_ps)
        if task in change.without:
            return Rerun(change, None, f"{task} itself would go")
        progress: Callable[[int, int], None] | None = None
        if told is not None:
            share = told

            def progress(done_ps: int, whole_ps: int) -> None:
                share(done_ps / whole_ps)

        try:
            jobs = run.jobs_of(*changed(platform, workload, change), task, index, progress)
        except Tlm3dError as error:
            return Rerun(change, None, "; ".join(str(error).splitlines()))
        the_one = jobs[-1] if jobs and jobs[-1].index == index else None
        return Rerun(change, outcome_of(the_one, self.horizon_ps))


def _all(
    run: _Run,
    platform: PlatformSpec,
    workload: WorkloadSpec,
    task: str,
    index: int,
    changes: Sequence[Change],
    jobs: int | None,
    done: Told | None,
) -> tuple[Rerun, ...]:
    """Every change re-run, as many as an interrupt leaves."""

    def lost(which: int, error: str) -> Rerun:
        return Rerun(changes[which], None, error)

    runs = [partial(run.rerun, platform, workload, task, index, change) for change in changes]
    found = run_all(runs, lost, jobs=jobs, done=done) if runs else {}
    return ranked(found[which] for which in sorted(found))


def _decided_ps(blamed: JobBlame, horizon_ps: int) -> int:
    """How far re-runs go: to the deadline and the finish, whichever is later, and as long again after the release."""
    job = blamed.job
    decided_ps = max(job.deadline_ps, job.release_ps + blamed.response_ps)
    if job.status == "unfinished":
        decided_ps = max(decided_ps, horizon_ps)
    return 2 * decided_ps - job.release_ps


def _parts(blamed: JobBlame, before: Sequence[JobEnd], horizon_ps: int) -> tuple[Part, ...]:
    """All causes of a job, the longest first; where it waited for the task's job before, that one's causes after."""
    by_label = {f"{job.task}#{job.index}": job for job in before}
    sums: dict[tuple[str, str, str], int] = {}
    told, queue = set[str](), [blamed.job]
    for job in queue:  # grows while it is walked
        label = f"{job.task}#{job.index}"
        if label in told:
            continue
        told.add(label)
        mine: dict[tuple[str, str, str], int] = {}
        for segment in job.segments:
            time_ps = min(segment.end_ps, horizon_ps) - segment.start_ps
            if time_ps > 0:
                key = (segment.bucket, segment.where, segment.holder)
                mine[key] = mine.get(key, 0) + time_ps
                if segment.bucket == "self-predecessor" and segment.holder in by_label:
                    queue.append(by_label[segment.holder])
        for key, time_ps in sorted(mine.items(), key=lambda item: (-item[1], item[0])):
            sums[key] = sums.get(key, 0) + time_ps
    return tuple(Part(*key, time_ps) for key, time_ps in sums.items())


def _meets(rerun: Rerun) -> bool:
    return rerun.outcome is not None and rerun.outcome.met


def _pairs(reruns: Sequence[Rerun], outcome: Outcome) -> tuple[Change, ...]:
    """The two changes that won the most, if two did and can be made together; and the best two of different causes.

    Two ways to take away one cause may be no better than one of them.
    """
    won = [rerun.change for rerun in reruns if _won_ps(rerun, outcome) > 0]
    others = [other for other in won[1:] if compatible(won[0], other)]
    apart = [other for other in others if other.cause != won[0].cause]
    return tuple(dict.fromkeys(together(won[0], first[0]) for first in (others, apart) if first))


def _won_ps(rerun: Rerun, outcome: Outcome) -> int:
    """Slack that a change won; of a job that had no result at all, any result is won."""
    slack_ps = rerun.outcome.slack_ps if rerun.outcome is not None else None
    if slack_ps is None:
        return 0
    return slack_ps - outcome.slack_ps if outcome.slack_ps is not None else 1
