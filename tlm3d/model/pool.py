"""Plain processors that share one queue: what is most urgent runs, one stage at a time on each.

One processor by itself is a pool of one (partitioned scheduling). Where a stage may run on several, they share a queue
(global scheduling): the most urgent stages run, a processor that is free takes the next one, and a stage that was
preempted may go on on another.

This is the hot path of task sets: what is written out here instead of called is done a hundred thousand times a second.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Sequence
from functools import partial

from tlm3d.blocks.processor import Processor
from tlm3d.model.context import Busy, Context
from tlm3d.model.gate import Gate, States, powers_of
from tlm3d.model.job import ItemRun, Job, StageRun, Urgency
from tlm3d.model.locks import Locks
from tlm3d.model.op import Op, latest
from tlm3d.model.work import Item
from tlm3d.record.recording import Component, Segment, Span, StateInterval
from tlm3d.spec.binding import BlockName
from tlm3d.tlm.alarm import Alarm
from tlm3d.tlm.timing import NEVER, NORMAL, PICK
from tlm3d.units import PS_PER_S, book_aj, ceil_div, spent_aj

_new = tuple.__new__  # of named tuples, at a third of the cost
_FIRST_PRUNING = 64  # stints of a processor

_Stint = tuple[int, int, Job]  # [start, end) that a processor worked for a job
_Entry = tuple[Urgency, Urgency, int, StageRun]  # the first three tell all apart


class _Lane:
    """One processor."""

    def __init__(self, pool: Pool, context: Context, name: BlockName, spec: Processor) -> None:
        self.name, self.spec = name, spec
        self.path = ".".join(name)
        self.component = Component(*name)
        self.running: StageRun | None = None
        self.resumed_ps = 0
        self.ends_ps = NEVER
        self.due_ps = NEVER  # of the alarm that rings next
        self.stints: list[_Stint] = []  # that those who wait may have waited for
        self.busy = Busy()
        self.gate = Gate(context.recording, self.component, spec.states.gated)
        self.gated = spec.states.gated is not None
        powers = powers_of(spec)
        self.has_states = self.gated or any(powers)
        self.states = States(context.recording, self.component, powers)
        self.alarm = Alarm(context.env, partial(pool.rings, self))


class Pool:
    """The engine of the processors ``specs``; ``finished(run, op)`` is called when a stage is done."""

    def __init__(
        self,
        context: Context,
        specs: dict[BlockName, Processor],
        locks: Locks,
        quantum_ps: int,
        finished: Callable[[ItemRun, Op | None], None],
    ) -> None:
        self._context, self._finished, self._locks = context, finished, locks
        self._env, self._recording = context.env, context.recording
        self._lanes = [_Lane(self, context, name, spec) for name, spec in sorted(specs.items())]
        self._in_tiles = any(lane.spec.preemption == "tile" for lane in self._lanes)
        self._any_gated = any(lane.gated for lane in self._lanes)
        self._options: dict[Item, Sequence[_Lane]] = {}
        self._alike = True  # every stage so far may run on every processor
        self._ready: list[_Entry] = []
        self._parked: dict[ItemRun, StageRun] = {}  # those that wait for a resource
        self._picking = False
        self._pick_alarm = Alarm(context.env, self._pick)
        self._border_due_ps = NEVER  # the next end of a tile at which there is a decision
        self._border_alarm = Alarm(context.env, self._border)
        self._moves, self._quantum_ps, self._decided_ps = locks.moves, quantum_ps, -1
        self._reviewing = False
        self._review_alarm = Alarm(context.env, self._review)
        self._prune_at = _FIRST_PRUNING

    # ------------------------------------------------------------ what waits

    def enqueue(self, run: ItemRun) -> None:
        """``run`` may execute from now on."""
        assert isinstance(run, StageRun)
        run.queued = True
        job, item = run.job, run.item
        own = run.ready_op if job.input_op is None else latest(run.ready_op, job.input_op)
        run.ready_ps = run.since_ps = job.release_ps if own is None else own.end_ps
        lanes = self._options.get(item) if run.block is item.only else None
        if lanes is None:
            lanes = self._lanes_for(run)
        run.lanes = lanes
        run.work_ps = run.left_ps = item.plain[lanes[0].name].compute_ps
        insort(self._ready, (job.urgency, job.base, item.position, run))
        if not self._picking:
            self._request_pick()
        if self._any_gated and len(lanes) == 1:
            lanes[0].gate.engage(int(self._env.now))

    def _lanes_for(self, run: StageRun) -> Sequence[_Lane]:
        """The processors that ``run`` may have; where it was placed on one, that one."""
        item = run.item
        options = item.options if run.block is None else (run.block,)
        lanes = [lane for lane in self._lanes if lane.name in options]
        if run.block is item.only:
            self._options[item] = lanes
        self._alike = self._alike and len(lanes) == len(self._lanes)
        return lanes

    def _request_pick(self) -> None:
        self._picking = True
        self._env.schedule(self._pick_alarm, PICK)

    def _pick_later(self) -> None:
        if self._ready and not self._picking:
            self._request_pick()

    def reorder(self, job: Job) -> None:
        """The urgency of ``job`` has changed."""
        for entry in [entry for entry in self._ready if entry[3].job is job]:
            self._ready.remove(entry)
            insort(self._ready, (job.urgency, *entry[1:]))
        self._pick_later()

    def unpark(self, run: ItemRun) -> None:
        """``run`` may try again to take its resources."""
        stage = self._parked.pop(run)
        self._book_parked(stage, int(self._env.now))
        job = stage.job
        insort(self._ready, (job.urgency, job.base, stage.item.position, stage))
        self._pick_later()

    def rebook(self, run: ItemRun) -> None:
        """``run`` waits for its resource behind another job from now on."""
        stage = self._parked[run]
        self._book_parked(stage, int(self._env.now))
        stage.parked_on = self._locks.waited_for(run)

    def _park(self, run: StageRun, lane: _Lane, now_ps: int) -> None:
        """It waits for a resource, not for a processor."""
        self._wait_on(run, lane, now_ps)
        run.parked_on = self._locks.waited_for(run)
        self._parked[run] = run

    def _book_parked(self, run: StageRun, now_ps: int) -> None:
        assert run.parked_on is not None
        resource, holder = run.parked_on
        self._part(run, "resource", now_ps, resource, holder)
        run.parked_on = None

    def withdraw(self, run: ItemRun) -> None:
        """``run``'s job was aborted: it stops at once."""
        now_ps = int(self._env.now)
        for lane in self._lanes:
            if lane.running is run and isinstance(run, StageRun):
                self._suspend(lane, run, now_ps)
                self._leave(run)
                self._pick_later()
        for entry in [entry for entry in self._ready if entry[3] is run]:
            self._ready.remove(entry)
            self._wait_until(entry[3], now_ps)
            self._leave(entry[3])
        parked = self._parked.pop(run, None)
        if parked is not None:
            self._book_parked(parked, now_ps)
            self._leave(parked)
        self._release_idle(now_ps)

    def _leave(self, run: StageRun) -> None:
        """It will not go on: what has been is the end of its job's chain."""
        run.job.last_op = latest(run.job.last_op, self._op(run))

    @staticmethod
    def _op(run: StageRun) -> Op:
        """All that ``run`` has done and waited for, from when it was ready."""
        job = run.job
        before = run.ready_op if job.input_op is None else latest(run.ready_op, job.input_op)
        where: _Lane = run.lane or run.lanes[0]
        op = Op("compute", where.path, run.ready_ps, run.since_ps, before)
        op.parts = run.parts
        return op

    def inputs_complete(self, run: ItemRun) -> None:
        """Stages wait for the whole stage before: nothing is held."""

    def waited(self, run: ItemRun, since_ps: int, until_ps: int) -> tuple[Segment, ...]:
        """What ``run`` waited for over [since, until), should it not stand here: else its chain says so itself."""
        path = ".".join(run.item.options[0])
        return (Segment("overhead", since_ps, until_ps, path, "-"),) if since_ps < until_ps else ()

    def delay_ps(self, now_ps: int) -> int:
        """How long until the first of the processors is awake, if work were posted now."""
        return min(lane.gate.delay_ps(now_ps) for lane in self._lanes)

    def ahead_ps(self, run: ItemRun) -> int:
        """Time until what goes before ``run`` is done, shared by the processors: what is more urgent or cannot stop."""
        job, now_ps = run.job, int(self._env.now)
        own = (job.urgency, job.base, run.item.position)
        total_ps = sum(entry[3].switch_ps + entry[3].left_ps for entry in self._ready if entry[:3] < own)
        for lane in self._lanes:
            running = lane.running
            if running is not None and (lane.spec.preemption == "none" or running.job.urgency < job.urgency):
                total_ps += lane.ends_ps - now_ps
        return ceil_div(total_ps, len(self._lanes))

    # ------------------------------------------------------------ who runs

    def _pick(self) -> None:
        """Let the most urgent stages run: on a processor that is free, or that of the least urgent one."""
        self._picking = False
        self._border_due_ps = NEVER
        now_ps = int(self._env.now)
        ready = self._ready
        if self._moves:
            self._rekey(now_ps)
        waking = place = 0
        while place < len(ready):
            urgency, _, _, run = ready[place]
            lane = self._free(run, now_ps) or self._victim(run, urgency, now_ps)
            if lane is None:
                waking = self._wake(run, waking, now_ps) if self._any_gated else -1
                if self._alike and waking < 0:
                    break
                place += 1
                continue
            if run.item.holds and not self._locks.take(run, self):
                del ready[place]
                self._park(run, lane, now_ps)
                place = 0  # whom it waits for may be more urgent now
                continue
            victim = lane.running
            if victim is not None:
                self._suspend(lane, victim, now_ps)
                victim.switch_ps = lane.spec.context_switch_ps
            del ready[place]
            if victim is not None:
                job = victim.job
                insort(ready, (job.urgency, job.base, victim.item.position, victim))
            self._resume(lane, run, now_ps)
        if not ready:
            for lane in self._lanes:
                if lane.stints:
                    lane.stints.clear()
            if self._any_gated:
                self._release_idle(now_ps)
        else:
            if len(self._lanes[0].stints) > self._prune_at:
                self._prune()
            if self._moves:
                self._review_later(now_ps)

    def _free(self, run: StageRun, now_ps: int) -> _Lane | None:
        """A processor for ``run`` that is awake and has nothing to do: where it ran last, else the first."""
        last: _Lane | None = run.lane
        if last is not None and last.running is None and not (last.gated and last.gate.delay_ps(now_ps)):
            return last
        for lane in run.lanes:
            if lane.running is None and not (lane.gated and lane.gate.delay_ps(now_ps)):
                return lane  # type: ignore[no-any-return]  # a run knows nothing of lanes
        return None

    def _victim(self, run: StageRun, urgency: Urgency, now_ps: int) -> _Lane | None:
        """The processor of the least urgent stage that ``run`` may preempt now; of one job, the last of them."""
        if self._in_tiles:
            return self._victim_at_border(run, now_ps)
        chosen: _Lane | None = None
        least, position = urgency, -1
        for lane in run.lanes:
            running = lane.running
            if running is None or lane.spec.preemption != "full":
                continue
            other = running.job.urgency
            if other > least or (chosen is not None and other == least and running.item.position > position):
                chosen, least, position = lane, other, running.item.position
        return chosen

    def _victim_at_border(self, run: StageRun, now_ps: int) -> _Lane | None:
        """The same where some may be preempted only where whole tiles are done.

        Only who is less urgent and not among the most urgent, as many as there are processors, gives way: who is
        among them waits for nobody less urgent to come to the end of a tile. If none of those that give way is there
        yet, there will be a decision when one is.
        """
        lanes: Sequence[_Lane] = run.lanes
        # Of the stages of one job those that run go before those that wait.
        order: list[tuple[Urgency, Urgency, bool, int, _Lane | None]] = [
            (running.job.urgency, running.job.base, False, running.item.position, lane)
            for lane in lanes
            if (running := lane.running) is not None
        ]
        order += [
            (*entry[:2], True, entry[2], None) for entry in self._ready if not set(lanes).isdisjoint(entry[3].lanes)
        ]
        order.sort(key=lambda one: one[:4])
        own = (run.job.urgency, run.job.base, True, run.item.position)
        ahead = sum(one[:4] <= own for one in order)  # these do not give way to it
        giving = [
            (lane, self._border_ps(lane, lane.running, now_ps))
            for *_, lane in order[max(ahead, len(lanes)) :]
            if lane is not None and lane.running is not None and lane.spec.preemption != "none"
        ]
        at_border = [lane for lane, border_ps in giving if border_ps == now_ps]
        if at_border:
            return at_border[-1]
        next_ps = min((border_ps for _, border_ps in giving), default=NEVER)
        if next_ps < self._border_due_ps:
            self._border_due_ps = next_ps
            self._env.schedule(self._border_alarm, PICK, next_ps - now_ps)
        return None

    def _border(self) -> None:
        """A tile after which the last decision wanted another one has been done."""
        if self._border_due_ps == self._env.now and not self._picking:
            self._pick()

    @staticmethod
    def _border_ps(lane: _Lane, running: StageRun, now_ps: int) -> int:
        """When ``running`` may be preempted next: now, where it has done whole tiles."""
        tile_ps = lane.spec.tile_ps
        if lane.spec.preemption == "full" or tile_ps is None:
            return now_ps
        began_ps = lane.resumed_ps + running.switch_ps
        before_ps = running.work_ps - running.left_ps
        done_ps = before_ps + max(0, now_ps - began_ps)
        if done_ps % tile_ps == 0:
            return now_ps
        return began_ps - before_ps + (done_ps // tile_ps + 1) * tile_ps

    def _wake(self, run: StageRun, waking: int, now_ps: int) -> int:
        """Have a processor woken for ``run`` unless one is being woken for it; -1 where none can be."""
        asleep: list[_Lane] = [lane for lane in run.lanes if lane.gated and lane.running is None]
        if len(asleep) <= waking or not asleep:
            return -1
        lane = sorted(asleep, key=lambda lane: not lane.gate.engaged)[waking]
        lane.gate.engage(now_ps)
        self._env.schedule(self._pick_alarm, PICK, lane.gate.delay_ps(now_ps))
        return waking + 1

    def _rekey(self, now_ps: int) -> None:
        """Ask the policy again how urgent everything is now."""
        jobs = {entry[3].job for entry in self._ready}
        jobs |= {lane.running.job for lane in self._lanes if lane.running is not None}
        self._locks.rekey(jobs, now_ps)
        self._ready[:] = sorted((entry[3].job.urgency, entry[3].job.base, *entry[2:]) for entry in self._ready)

    def worked(self, now_ps: int) -> list[tuple[StageRun, int]]:
        """What runs, and for how long it has since that was booked."""
        return [
            (running, max(0, now_ps - lane.resumed_ps - running.switch_ps))
            for lane in self._lanes
            if (running := lane.running) is not None
        ]

    def _review_later(self, now_ps: int) -> None:
        self._decided_ps = now_ps
        if not self._reviewing:
            self._reviewing = True
            self._env.schedule(self._review_alarm, NORMAL, self._quantum_ps)

    def _review(self) -> None:
        """A quantum after the last decision, take another one if anything waits."""
        self._reviewing = False
        if not self._ready:
            return
        wait_ps = self._decided_ps + self._quantum_ps - int(self._env.now)
        if wait_ps > 0:
            self._reviewing = True
            self._env.schedule(self._review_alarm, NORMAL, wait_ps)
        else:
            self._pick_later()

    # ------------------------------------------------------------ running

    def _resume(self, lane: _Lane, run: StageRun, now_ps: int) -> None:
        job = run.job
        if job.start_ps < 0:
            job.start_ps = now_ps
        if run.since_ps < now_ps:
            self._wait_on(run, lane, now_ps)
        if run.lane is not lane:
            self._move_to(run, lane)
        self._go_on(lane, run, now_ps)

    @staticmethod
    def _move_to(run: StageRun, lane: _Lane) -> None:
        """What is left of the work is that of another processor."""
        run.block = lane.name
        work_ps = run.item.plain[lane.name].compute_ps
        if work_ps != run.work_ps:
            run.left_ps = ceil_div(run.left_ps * work_ps, run.work_ps)
            run.work_ps = work_ps
        run.lane = lane

    def _go_on(self, lane: _Lane, run: StageRun, now_ps: int) -> None:
        lane.running = run
        lane.resumed_ps = now_ps
        wait_ps = run.switch_ps + run.left_ps
        ends_ps = lane.ends_ps = now_ps + wait_ps
        if lane.has_states:
            lane.gate.engage(now_ps)
            lane.busy.add(now_ps, ends_ps)
        if ends_ps < lane.due_ps:
            lane.due_ps = ends_ps
            self._env.schedule(lane.alarm, NORMAL, wait_ps)

    def _suspend(self, lane: _Lane, run: StageRun, now_ps: int) -> None:
        """``lane`` stops: book what has run since it was resumed, first switching in, then work."""
        start_ps = since_ps = lane.resumed_ps
        if run.switch_ps:
            switch_ps = min(run.switch_ps, now_ps - start_ps)
            if switch_ps:
                self._span(run, lane, "overhead", start_ps, start_ps + switch_ps, _switch_aj(lane, switch_ps))
                self._part(run, "overhead", start_ps + switch_ps, lane.path, "-")
            run.switch_ps -= switch_ps
            start_ps += switch_ps
        worked_ps = now_ps - start_ps
        if worked_ps:
            total_aj, left_ps = run.item.plain[lane.name].energy_aj, run.left_ps
            energy_aj = 0
            if total_aj:
                work_ps = run.work_ps
                done_ps = work_ps - left_ps
                before_aj = spent_aj(total_aj, 0, work_ps, done_ps)
                energy_aj = spent_aj(total_aj, 0, work_ps, done_ps + worked_ps) - before_aj
            self._span(run, lane, "compute", start_ps, now_ps, energy_aj)
            run.parts = (*run.parts, _new(Segment, ("compute", start_ps, now_ps, lane.path, "-")))
            run.since_ps = now_ps
            run.left_ps = left_ps - worked_ps
        if lane.has_states:
            intervals = lane.busy.intervals
            intervals[-1] = (intervals[-1][0], now_ps)
        if self._ready:
            lane.stints.append((since_ps, now_ps, run.job))
        lane.running = None
        lane.ends_ps = NEVER

    def rings(self, lane: _Lane) -> None:
        """The stage on ``lane`` ends now, or later if it is another one than when the alarm was set."""
        now_ps = int(self._env.now)
        ends_ps = lane.ends_ps
        if ends_ps != now_ps:
            if now_ps >= lane.due_ps:
                lane.due_ps = ends_ps
                if ends_ps != NEVER:
                    self._env.schedule(lane.alarm, NORMAL, ends_ps - now_ps)
            return
        lane.due_ps = NEVER
        run = lane.running
        assert run is not None
        self._suspend(lane, run, now_ps)
        job = run.job
        op = None
        if job.remaining == 1 and job.last_op is None and job.input_op is None:
            job.whole = run.parts  # nobody will ask for an operation
        else:
            op = self._op(run)
            job.last_op = latest(job.last_op, op)
            run.done, run.finished_tiles, run.next_tile = op, 1, 1
        self._finished(run, op)
        if self._ready:
            if not self._picking:
                self._request_pick()
        elif lane.gated:
            self._release_idle(now_ps)

    def _release_idle(self, now_ps: int) -> None:
        """Processors without work may be gated after a while."""
        for lane in self._lanes:
            if lane.gated and lane.running is None and lane.gate.engaged and not self._waits_for(lane):
                lane.gate.release(now_ps)

    def _waits_for(self, lane: _Lane) -> bool:
        return any(lane in entry[3].lanes for entry in self._ready)

    def _span(self, run: StageRun, lane: _Lane, what: str, start_ps: int, end_ps: int, energy_aj: int) -> None:
        job = run.job
        fact = (lane.component, what, job.task, job.index, run.item.name, 0, start_ps, end_ps, energy_aj)
        self._recording.spans.append(_new(Span, fact))

    # ------------------------------------------------------------ who waited for whom

    @staticmethod
    def _part(run: StageRun, bucket: str, until_ps: int, where: str, holder: str) -> None:
        """The chain of ``run`` goes on with ``bucket`` up to ``until_ps``."""
        since_ps = run.since_ps
        if until_ps > since_ps:
            run.parts = (*run.parts, _new(Segment, (bucket, since_ps, until_ps, where, holder)))
            run.since_ps = until_ps

    def _wait_on(self, run: StageRun, lane: _Lane, now_ps: int) -> None:
        """``run`` has waited for ``lane`` up to now: who had it, piece by piece."""
        since_ps = run.since_ps
        found: list[_Stint] = []
        for stint in reversed(lane.stints):
            if stint[1] <= since_ps:
                break
            found.append(stint)
        if lane.running is not None:
            found.insert(0, (lane.resumed_ps, now_ps, lane.running.job))
        job, path = run.job, lane.path
        for start_ps, end_ps, other in reversed(found):
            if start_ps > run.since_ps:
                self._idle(run, lane, start_ps)
            bucket, where, holder = _held_by(job, other, path)
            self._part(run, bucket, end_ps, where, holder)
        if run.since_ps < now_ps:
            self._idle(run, lane, now_ps)

    def _idle(self, run: StageRun, lane: _Lane, until_ps: int) -> None:
        """Nobody had ``lane`` up to ``until_ps``: it woke up, or the instant had not come."""
        path = lane.path

        def nobody(start_ps: int, end_ps: int) -> tuple[Segment, ...]:
            return (Segment("overhead", start_ps, end_ps, path, "-"),)

        for segment in lane.gate.waits(run.since_ps, until_ps, nobody):
            self._part(run, segment.bucket, segment.end_ps, segment.where, segment.holder)

    def _wait_until(self, run: StageRun, now_ps: int) -> None:
        """A stage that has not got a processor has waited up to now."""
        self._wait_on(run, run.lane or run.lanes[0], now_ps)

    def _prune(self) -> None:
        """Let go of what was over before anything that waits was ready."""
        since_ps = min(entry[3].since_ps for entry in self._ready)
        for lane in self._lanes:
            lane.stints = [stint for stint in lane.stints if stint[1] > since_ps]
        self._prune_at = max(_FIRST_PRUNING, 2 * max(len(lane.stints) for lane in self._lanes))

    # ------------------------------------------------------------ states and the end

    @property
    def settled_ps(self) -> int:
        """What is booked later starts there or later: the stage that runs is booked when it stops."""
        return min((lane.resumed_ps for lane in self._lanes if lane.running is not None), default=NEVER)

    def settle(self, until_ps: int) -> list[StateInterval]:
        """Record the states that have ended before ``until_ps``; those that go on there."""
        going_on: list[StateInterval] = []
        for lane in self._lanes:
            if lane.has_states:
                going_on += lane.states.settle(lane.busy.intervals, lane.gate.gated(), until_ps)
                lane.busy.forget(until_ps)
                lane.gate.forget(until_ps)
        return going_on

    def close(self) -> None:
        """At the horizon: book what is still running or waiting, and the states over the window."""
        horizon_ps = self._recording.horizon_ps
        for *_, run in self._ready:
            self._wait_until(run, horizon_ps)
            self._leave(run)
        for run in self._parked.values():
            self._book_parked(run, horizon_ps)
            self._leave(run)
        for lane in self._lanes:
            running = lane.running
            if running is not None:
                self._suspend(lane, running, horizon_ps)
                self._leave(running)
            if lane.has_states:
                lane.states.close(lane.busy.intervals, lane.gate.gated())


def _held_by(job: Job, other: Job | None, path: str) -> tuple[str, str, str]:
    """(bucket, where, holder) of ``job``'s wait while the processor at ``path`` works for ``other``."""
    if other is None:
        return ("overhead", path, "-")
    if other is job:  # another branch of its own
        return ("compute", path, "-")
    return ("preempt" if other.base < job.base else "np-block", path, other.label)


def _switch_aj(lane: _Lane, switch_ps: int) -> int:
    clock_hz = lane.spec.clock_hz
    return book_aj(switch_ps * clock_hz / PS_PER_S * lane.spec.energy.aj_per_cycle) if clock_hz else 0
