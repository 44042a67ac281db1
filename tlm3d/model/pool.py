"""Plain processors that share one queue: what is most urgent runs, one stage at a time on each.

One processor by itself is a pool of one (partitioned scheduling). Where a stage may run on several, they share a queue
(global scheduling): the most urgent stages run, a processor that is free takes the next one, and a stage that was
preempted may go on on another.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Sequence
from functools import partial

from tlm3d.blocks.processor import Processor
from tlm3d.model.context import Busy, Context
from tlm3d.model.gate import Gate, States, powers_of
from tlm3d.model.job import ItemRun, Job, Urgency
from tlm3d.model.locks import Locks
from tlm3d.model.op import Op, latest
from tlm3d.model.work import Item
from tlm3d.policies import Policy
from tlm3d.record.recording import Component, Segment, Span, StateInterval
from tlm3d.spec.binding import BlockName
from tlm3d.tlm.alarm import Alarm
from tlm3d.tlm.timing import NEVER, NORMAL, PICK
from tlm3d.units import PS_PER_S, book_aj, ceil_div, spent_aj

_new = tuple.__new__  # of named tuples, at a third of the cost
_FIRST_PRUNING = 64  # stints of a processor

_Stint = tuple[int, int, Job]  # [start, end) that a processor worked for a job


class _Execution:
    """A stage in the pool, waiting or running."""

    switch_ps = 0  # of switching back in, still to be paid
    parts: tuple[Segment, ...] = ()  # of its chain, up to ``since_ps``
    last: _Lane | None = None  # where it has run
    parked_on: tuple[str, str] | None = None  # the resource it waits for, and the job that holds it

    def __init__(self, run: ItemRun, since_ps: int) -> None:
        self.run, self.job = run, run.job
        self.ready_ps = self.since_ps = since_ps
        self.work_ps = self.left_ps = 0  # on ``last``
        self.lanes: Sequence[_Lane] = ()


_Entry = tuple[Urgency, Urgency, int, _Execution]  # the first three tell all apart


class _Lane:
    """One processor."""

    def __init__(self, pool: Pool, context: Context, name: BlockName, spec: Processor) -> None:
        self.name, self.spec = name, spec
        self.path = ".".join(name)
        self.component = Component(*name)
        self.running: _Execution | None = None
        self.resumed_ps = 0
        self.ends_ps = NEVER
        self.border_ps = -1  # of the tile after which there will be a decision
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
    """The engine of processors ``lanes``; ``finished(run, op)`` is called when a stage is done."""

    def __init__(
        self,
        context: Context,
        specs: dict[BlockName, Processor],
        policy: Policy,
        quantum_ps: int,
        locks: Locks,
        finished: Callable[[ItemRun, Op], None],
    ) -> None:
        self._context, self._policy, self._finished, self._locks = context, policy, finished, locks
        self._env, self._recording = context.env, context.recording
        self._lanes = [_Lane(self, context, name, spec) for name, spec in sorted(specs.items())]
        self._in_tiles = any(lane.spec.preemption == "tile" for lane in self._lanes)
        self._any_gated = any(lane.gated for lane in self._lanes)
        self._options: dict[Item, Sequence[_Lane]] = {}
        self._alike = True  # every stage so far may run on every processor
        self._ready: list[_Entry] = []
        self._parked: dict[ItemRun, _Execution] = {}  # those that wait for a resource
        self._picking = False
        self._pick_alarm = Alarm(context.env, self._pick)
        self._moves, self._quantum_ps, self._decided_ps = policy.MOVES, quantum_ps, -1
        self._reviewing = False
        self._review_alarm = Alarm(context.env, self._review)
        self._prune_at = _FIRST_PRUNING
        self._queued_ps = 0  # computing time of what waits or runs

    # ------------------------------------------------------------ what waits

    def enqueue(self, run: ItemRun) -> None:
        """``run`` may execute from now on."""
        run.queued = True
        job, item = run.job, run.item
        own = run.ready_op if job.input_op is None else latest(run.ready_op, job.input_op)
        execution = _Execution(run, job.release_ps if own is None else own.end_ps)
        lanes = self._options.get(item) if run.block is item.only else None
        if lanes is None:
            lanes = self._lanes_for(run)
        execution.lanes = lanes
        execution.work_ps = execution.left_ps = work_ps = item.plain[lanes[0].name].compute_ps
        self._queued_ps += work_ps
        insort(self._ready, (job.urgency, job.base, item.position, execution))
        if not self._picking:
            self._request_pick(0)
        if self._any_gated and len(lanes) == 1:
            lanes[0].gate.engage(int(self._env.now))

    def _lanes_for(self, run: ItemRun) -> Sequence[_Lane]:
        """The processors that ``run`` may have; where it was placed on one, that one."""
        item = run.item
        options = item.options if run.block is None else (run.block,)
        lanes = [lane for lane in self._lanes if lane.name in options]
        if run.block is item.only:
            self._options[item] = lanes
        self._alike = self._alike and len(lanes) == len(self._lanes)
        return lanes

    def _request_pick(self, delay_ps: int) -> None:
        self._picking = True
        self._env.schedule(self._pick_alarm, PICK, delay_ps)

    def reorder(self, job: Job) -> None:
        """The urgency of ``job`` has changed."""
        entries = [entry for entry in self._ready if entry[3].job is job]
        for entry in entries:
            self._ready.remove(entry)
            insort(self._ready, (job.urgency, *entry[1:]))
        if self._ready and not self._picking:
            self._request_pick(0)

    def unpark(self, run: ItemRun) -> None:
        """``run`` need not wait for its resource any more."""
        execution = self._parked.pop(run)
        self._book_parked(execution, int(self._env.now))
        job = run.job
        insort(self._ready, (job.urgency, job.base, run.item.position, execution))
        if not self._picking:
            self._request_pick(0)

    def rebook(self, run: ItemRun) -> None:
        """``run`` waits for its resource behind another job from now on."""
        execution = self._parked[run]
        self._book_parked(execution, int(self._env.now))
        execution.parked_on = self._locks.waited_for(run)

    def _book_parked(self, execution: _Execution, now_ps: int) -> None:
        assert execution.parked_on is not None
        resource, holder = execution.parked_on
        self._part(execution, "resource", now_ps, resource, holder)
        execution.parked_on = None

    def withdraw(self, run: ItemRun) -> None:
        """``run``'s job was aborted: it stops at once."""
        now_ps = int(self._env.now)
        for lane in self._lanes:
            execution = lane.running
            if execution is not None and execution.run is run:
                self._suspend(lane, execution, now_ps)
                self._leave(execution)
                if self._ready and not self._picking:
                    self._request_pick(0)
        for entry in [entry for entry in self._ready if entry[3].run is run]:
            self._ready.remove(entry)
            self._wait_until(entry[3], now_ps)
            self._leave(entry[3])
        parked = self._parked.pop(run, None)
        if parked is not None:
            self._book_parked(parked, now_ps)
            self._leave(parked)
        self._release_idle(now_ps)

    def _leave(self, execution: _Execution) -> None:
        """It will not go on: what has been is the end of its job's chain."""
        self._queued_ps -= execution.work_ps
        op = self._op(execution)
        execution.job.last_op = latest(execution.job.last_op, op)

    def _op(self, execution: _Execution) -> Op:
        """All that ``execution`` has done and waited for, from when it was ready."""
        run, job = execution.run, execution.job
        before = run.ready_op if job.input_op is None else latest(run.ready_op, job.input_op)
        where = execution.last or execution.lanes[0]
        op = Op("compute", where.path, execution.ready_ps, execution.since_ps, before)
        op.parts = execution.parts
        return op

    def inputs_complete(self, run: ItemRun) -> None:
        """Stages wait for the whole stage before: nothing is held."""

    def holder(self, run: ItemRun) -> tuple[str, str, str]:
        """What ``run`` waits for when it waits here: (bucket, where, holder)."""
        now_ps = int(self._env.now)
        parked = self._parked.get(run)
        if parked is not None and parked.parked_on is not None:
            resource, holder = parked.parked_on
            return ("resource", resource, holder)
        lane = next(lane for lane in self._lanes if lane.name in run.item.options)
        if lane.gate.delay_ps(now_ps):
            return ("wake-up", lane.path, "-")
        other = lane.running.job if lane.running is not None else lane.stints[-1][2] if lane.stints else None
        return _held_by(run.job, other, lane.path)

    def delay_ps(self, now_ps: int) -> int:
        """How long until the first of the processors is awake, if work were posted now."""
        return min(lane.gate.delay_ps(now_ps) for lane in self._lanes)

    @property
    def queued_ps(self) -> int:
        """Computing time of what waits or runs, shared by the processors."""
        return ceil_div(self._queued_ps, len(self._lanes))

    # ------------------------------------------------------------ who runs

    def _pick(self) -> None:
        """Let the most urgent stages run: on a processor that is free, or that of the least urgent one."""
        self._picking = False
        now_ps = self._env.now
        ready = self._ready
        if self._moves:
            self._rekey(int(now_ps))
        waking = 0
        place = 0
        while place < len(ready):
            execution = ready[place][3]
            lane = self._free(execution, now_ps) or self._victim(execution, ready[place][0], now_ps)
            if lane is None:
                waking = self._wake(execution, waking, now_ps)
                if self._alike and waking < 0:
                    break
                place += 1
                continue
            run = execution.run
            if run.item.holds and not self._locks.take(run, self):
                del ready[place]
                self._park(execution, lane, now_ps)
                place = 0  # whom it waits for may be more urgent now
                continue
            victim = lane.running
            if victim is not None:
                self._suspend(lane, victim, now_ps)
                victim.switch_ps = lane.spec.context_switch_ps
            del ready[place]
            if victim is not None:
                job = victim.job
                insort(ready, (job.urgency, job.base, victim.run.item.position, victim))
            self._resume(lane, execution, now_ps)
        if not ready:
            for lane in self._lanes:
                if lane.stints:
                    lane.stints.clear()
            if self._any_gated:
                self._release_idle(int(now_ps))
        elif len(self._lanes[0].stints) > self._prune_at:
            self._prune()
        if self._moves and ready:
            self._review_later(int(now_ps))

    def _free(self, execution: _Execution, now_ps: float) -> _Lane | None:
        """A processor for ``execution`` that is awake and has nothing to do: where it ran last, else the first."""
        last = execution.last
        if last is not None and last.running is None and not (last.gated and last.gate.delay_ps(int(now_ps))):
            return last
        for lane in execution.lanes:
            if lane.running is None and not (lane.gated and lane.gate.delay_ps(int(now_ps))):
                return lane
        return None

    def _victim(self, execution: _Execution, urgency: Urgency, now_ps: float) -> _Lane | None:
        """The processor of the least urgent stage that ``execution`` may preempt now; of one job, the last of them."""
        if self._in_tiles:
            return self._victim_at_border(execution, int(now_ps))
        chosen = None
        least, position = urgency, -1
        for lane in execution.lanes:
            running = lane.running
            if running is None or lane.spec.preemption != "full" or running.job.urgency < least:
                continue
            if running.job.urgency > least or (chosen is not None and running.run.item.position > position):
                chosen, least, position = lane, running.job.urgency, running.run.item.position
        return chosen

    def _victim_at_border(self, execution: _Execution, now_ps: int) -> _Lane | None:
        """The same where some may be preempted only where whole tiles are done.

        Only who is not among the most urgent, as many as there are processors, gives way: who is waits for nobody
        less urgent to come to the end of a tile. If none of them is there yet, there will be a decision when one is.
        """
        lanes = execution.lanes
        # Of the stages of one job those that run go before those that wait.
        order: list[tuple[Urgency, Urgency, bool, int, _Lane | None]] = [
            (*self._rank(running), lane) for lane in lanes if (running := lane.running) is not None
        ]
        order += [
            (*entry[:2], True, entry[2], None) for entry in self._ready if not set(lanes).isdisjoint(entry[3].lanes)
        ]
        order.sort(key=lambda one: one[:4])
        giving = [
            (lane, self._border_ps(lane, lane.running, now_ps))
            for *_, lane in order[len(lanes) :]
            if lane is not None and lane.running is not None and lane.spec.preemption != "none"
        ]
        at_border = [lane for lane, border_ps in giving if border_ps == now_ps]
        if at_border:
            return at_border[-1]
        for lane, border_ps in giving:
            if border_ps < lane.ends_ps and border_ps != lane.border_ps:
                lane.border_ps = border_ps
                self._env.schedule(self._pick_alarm, PICK, border_ps - now_ps)
        return None

    @staticmethod
    def _rank(running: _Execution) -> tuple[Urgency, Urgency, bool, int]:
        return running.job.urgency, running.job.base, False, running.run.item.position

    @staticmethod
    def _border_ps(lane: _Lane, running: _Execution, now_ps: int) -> int:
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

    def _wake(self, execution: _Execution, waking: int, now_ps: float) -> int:
        """Have a processor woken for ``execution`` unless one is being woken for it; -1 where none can be."""
        asleep = [lane for lane in execution.lanes if lane.gated and lane.running is None]
        if len(asleep) <= waking or not asleep:
            return -1
        lane = sorted(asleep, key=lambda lane: not lane.gate.engaged)[waking]
        lane.gate.engage(int(now_ps))
        self._env.schedule(self._pick_alarm, PICK, lane.gate.delay_ps(int(now_ps)))
        return waking + 1

    def _rekey(self, now_ps: int) -> None:
        """Ask the policy again how urgent everything is now."""
        jobs = {entry[3].job for entry in self._ready}
        jobs |= {lane.running.job for lane in self._lanes if lane.running is not None}
        for engine in self._locks.engines:
            engine.note_left(now_ps)  # other stages of a job may run elsewhere
        policy = self._policy

        def ask(job: Job) -> None:
            job.base = job.urgency = (policy.key_at(job, now_ps), job.task, job.index)

        self._locks.rekey(jobs, ask)
        self._ready[:] = sorted((entry[3].job.urgency, entry[3].job.base, *entry[2:]) for entry in self._ready)

    def note_left(self, now_ps: int) -> None:
        """Tell what runs here how much of it is left."""
        for lane in self._lanes:
            if lane.running is not None:
                lane.running.run.left_ps = self._left_ps(lane, lane.running, now_ps)

    @staticmethod
    def _left_ps(lane: _Lane, running: _Execution, now_ps: int) -> int:
        return running.left_ps - max(0, now_ps - lane.resumed_ps - running.switch_ps)

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
        elif not self._picking:
            self._request_pick(0)

    def _park(self, execution: _Execution, lane: _Lane, now_ps: float) -> None:
        """It waits for a resource, not for a processor."""
        self._wait_on(execution, lane, int(now_ps))
        run = execution.run
        execution.parked_on = self._locks.waited_for(run)
        self._parked[run] = execution

    # ------------------------------------------------------------ running

    def _resume(self, lane: _Lane, execution: _Execution, now_ps: float) -> None:
        job = execution.job
        if job.start_ps < 0:
            job.start_ps = int(now_ps)
        if execution.since_ps < now_ps:
            self._wait_on(execution, lane, int(now_ps))
        if execution.last is not lane:
            self._move_to(execution, lane)
        lane.running = execution
        lane.resumed_ps = int(now_ps)
        wait_ps = execution.switch_ps + execution.left_ps
        ends_ps = lane.ends_ps = lane.resumed_ps + wait_ps
        if lane.has_states:
            lane.gate.engage(lane.resumed_ps)
            lane.busy.add(lane.resumed_ps, ends_ps)
        if ends_ps < lane.due_ps:
            lane.due_ps = ends_ps
            self._env.schedule(lane.alarm, NORMAL, wait_ps)

    @staticmethod
    def _move_to(execution: _Execution, lane: _Lane) -> None:
        """What is left of the work is that of another processor."""
        run = execution.run
        run.block = lane.name
        work_ps = run.item.plain[lane.name].compute_ps
        if work_ps != execution.work_ps:
            execution.left_ps = ceil_div(execution.left_ps * work_ps, execution.work_ps)
            execution.work_ps = work_ps
        execution.last = lane

    def _suspend(self, lane: _Lane, execution: _Execution, now_ps: float) -> None:
        """``lane`` stops: book what has run since it was resumed, first switching in, then work."""
        now_ps = int(now_ps)
        start_ps = since_ps = lane.resumed_ps
        if execution.switch_ps:
            switch_ps = min(execution.switch_ps, now_ps - start_ps)
            if switch_ps:
                self._span(execution, lane, "overhead", start_ps, start_ps + switch_ps, _switch_aj(lane, switch_ps))
                self._part(execution, "overhead", start_ps + switch_ps, lane.path, "-")
            execution.switch_ps -= switch_ps
            start_ps += switch_ps
        worked_ps = now_ps - start_ps
        if worked_ps:
            total_aj = execution.run.item.plain[lane.name].energy_aj
            left_ps, work_ps = execution.left_ps, execution.work_ps
            energy_aj = 0
            if total_aj:
                done_ps = work_ps - left_ps
                before_aj = spent_aj(total_aj, 0, work_ps, done_ps)
                energy_aj = spent_aj(total_aj, 0, work_ps, done_ps + worked_ps) - before_aj
            self._span(execution, lane, "compute", start_ps, now_ps, energy_aj)
            execution.parts = (*execution.parts, _new(Segment, ("compute", start_ps, now_ps, lane.path, "-")))
            execution.since_ps = now_ps
            execution.run.left_ps = execution.left_ps = left_ps - worked_ps
        if lane.has_states:
            intervals = lane.busy.intervals
            intervals[-1] = (intervals[-1][0], now_ps)
        if self._ready:
            lane.stints.append((since_ps, now_ps, execution.job))
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
        execution = lane.running
        assert execution is not None
        self._suspend(lane, execution, now_ps)
        self._queued_ps -= execution.work_ps
        run = execution.run
        op = self._op(execution)
        job = run.job
        job.last_op = op if job.last_op is None else latest(job.last_op, op)
        run.done, run.finished_tiles, run.next_tile = op, 1, 1
        self._finished(run, op)
        if self._ready:
            if not self._picking:
                self._request_pick(0)
        elif lane.gated:
            self._release_idle(now_ps)

    def _release_idle(self, now_ps: int) -> None:
        """Processors without work may be gated after a while."""
        for lane in self._lanes:
            if lane.gated and lane.running is None and lane.gate.engaged and not self._waits_for(lane):
                lane.gate.release(now_ps)

    def _waits_for(self, lane: _Lane) -> bool:
        return any(lane in entry[3].lanes for entry in self._ready)

    def _span(self, execution: _Execution, lane: _Lane, what: str, start_ps: int, end_ps: int, energy_aj: int) -> None:
        job = execution.job
        name = execution.run.item.name
        self._recording.spans.append(
            _new(Span, (lane.component, what, job.task, job.index, name, 0, start_ps, end_ps, energy_aj))
        )

    # ------------------------------------------------------------ who waited for whom

    @staticmethod
    def _part(execution: _Execution, bucket: str, until_ps: int, where: str, holder: str) -> None:
        """The chain of ``execution`` goes on with ``bucket`` up to ``until_ps``."""
        since_ps = execution.since_ps
        if until_ps > since_ps:
            execution.parts = (*execution.parts, _new(Segment, (bucket, since_ps, until_ps, where, holder)))
            execution.since_ps = until_ps

    def _wait_on(self, execution: _Execution, lane: _Lane, now_ps: int) -> None:
        """``execution`` has waited for ``lane`` up to now: who had it, piece by piece."""
        since_ps = execution.since_ps
        if since_ps == now_ps:
            return
        found: list[_Stint] = []
        for stint in reversed(lane.stints):
            if stint[1] <= since_ps:
                break
            found.append(stint)
        running = lane.running
        job = execution.job
        for start_ps, end_ps, other in reversed(found):
            if start_ps > execution.since_ps:
                self._idle(execution, lane, start_ps)
            self._part(execution, *_held(job, other, end_ps, lane.path))
        if running is not None and execution.since_ps < now_ps:
            if lane.resumed_ps > execution.since_ps:
                self._idle(execution, lane, lane.resumed_ps)
            self._part(execution, *_held(job, running.job, now_ps, lane.path))
        if execution.since_ps < now_ps:
            self._idle(execution, lane, now_ps)

    def _idle(self, execution: _Execution, lane: _Lane, until_ps: int) -> None:
        """Nobody had ``lane`` up to ``until_ps``: it woke up, or the instant had not come."""
        since_ps, path = execution.since_ps, lane.path
        for segment in lane.gate.waits(
            since_ps, until_ps, lambda start, end: (Segment("overhead", start, end, path, "-"),)
        ):
            self._part(execution, segment.bucket, segment.end_ps, segment.where, segment.holder)

    def _wait_until(self, execution: _Execution, now_ps: int) -> None:
        """A stage that has not got a processor has waited up to now."""
        self._wait_on(execution, execution.last or execution.lanes[0], now_ps)

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
        horizon_ps = self._context.recording.horizon_ps
        for *_, execution in self._ready:
            self._wait_until(execution, horizon_ps)
            self._leave(execution)
        for execution in self._parked.values():
            self._book_parked(execution, horizon_ps)
            self._leave(execution)
        for lane in self._lanes:
            if lane.running is not None:
                execution = lane.running
                self._suspend(lane, execution, horizon_ps)
                self._leave(execution)
            if lane.has_states:
                lane.states.close(lane.busy.intervals, lane.gate.gated())


def _held(job: Job, other: Job, until_ps: int, path: str) -> tuple[str, int, str, str]:
    """(bucket, until, where, holder) of ``job``'s wait while a processor works for ``other``."""
    bucket, where, holder = _held_by(job, other, path)
    return bucket, until_ps, where, holder


def _held_by(job: Job, other: Job | None, path: str) -> tuple[str, str, str]:
    if other is None or other is job:
        return ("overhead", path, "-")
    return ("preempt" if other.base < job.base else "np-block", path, other.label)


def _switch_aj(lane: _Lane, switch_ps: int) -> int:
    clock_hz = lane.spec.clock_hz
    return book_aj(switch_ps * clock_hz / PS_PER_S * lane.spec.energy.aj_per_cycle) if clock_hz else 0
