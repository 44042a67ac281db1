"""A plain processor: one stage at a time, preempted at once by a more urgent job where its kind allows."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable

from tlm3d.blocks.processor import Processor
from tlm3d.model.context import Busy, Context
from tlm3d.model.gate import Gate, States, powers_of
from tlm3d.model.job import ItemRun
from tlm3d.model.op import Op, latest
from tlm3d.record.recording import Component, Segment, Span, StateInterval
from tlm3d.spec.binding import BlockName
from tlm3d.tlm.alarm import Alarm
from tlm3d.tlm.timing import NEVER, NORMAL, PICK
from tlm3d.units import PS_PER_S, book_aj, spent_aj


class _Execution:
    """A stage on the processor, running or preempted."""

    __slots__ = ("done_ps", "op", "resumed_ps", "run", "switch_ps", "work_ps")

    def __init__(self, run: ItemRun) -> None:
        self.run = run
        self.work_ps = run.tiles[0].compute_ps
        self.done_ps = 0  # of the work
        self.switch_ps = 0  # of switching back in, still to be paid
        self.op: Op | None = None
        self.resumed_ps = 0


class Lane:
    """The engine of one processor."""

    def __init__(
        self, context: Context, name: BlockName, spec: Processor, finished: Callable[[ItemRun, Op], None]
    ) -> None:
        self._context, self._spec, self._finished = context, spec, finished
        self._path = ".".join(name)
        self._component = Component(*name)
        self._waiting: list[_Execution] = []
        self._running: _Execution | None = None
        self._last: _Execution | None = None  # the one that ran before
        self._ends_ps = -1
        self._picking = False
        self._pick_alarm = Alarm(context.env, self._pick)
        self._end_alarm = Alarm(context.env, self._end_due)
        self.busy = Busy()
        self.gate = Gate(context.recording, self._component, spec.states.gated)
        self._states = States(context.recording, self._component, powers_of(spec))
        self.queued_ps = 0

    def enqueue(self, run: ItemRun) -> None:
        """``run`` may execute from now on."""
        run.queued = True
        self.queued_ps += run.tiles[0].compute_ps
        self.gate.engage(self._context.now_ps)
        self._wait(_Execution(run))
        self._request_pick()

    def withdraw(self, run: ItemRun) -> None:
        """``run``'s job was aborted: it stops at once."""
        running, now_ps = self._running, self._context.now_ps
        if running is not None and running.run is run:
            self._suspend(running, now_ps)
            self._running = None
            self._request_pick()
        for execution in [e for e in self._waiting if e.run is run]:
            self._wait_until(execution, now_ps)
            self._waiting.remove(execution)
        self.queued_ps -= run.tiles[0].compute_ps
        self._release_if_idle()

    def _release_if_idle(self) -> None:
        if self._running is None and not self._waiting:
            self.gate.release(self._context.now_ps)

    def inputs_complete(self, run: ItemRun) -> None:
        """Stages wait for the whole stage before: nothing is held."""

    def holder(self, run: ItemRun) -> tuple[str, str, str]:
        """What ``run`` waits for when it waits for this processor: (bucket, where, holder)."""
        if self.gate.delay_ps(self._context.now_ps):
            return ("wake-up", self._path, "-")
        return self._wait_for(run, self._running or self._last)

    def _wait_for(self, run: ItemRun, other: _Execution | None) -> tuple[str, str, str]:
        if other is None or other.run.job is run.job:
            return ("overhead", self._path, "-")
        job = other.run.job
        return ("preempt" if job.urgency < run.job.urgency else "np-block", self._path, job.label)

    def _wait_until(self, execution: _Execution, now_ps: int) -> None:
        """A preempted stage has waited up to now."""
        if execution.op is not None:
            bucket, _, holder = self.holder(execution.run)
            self._part(execution, bucket, now_ps, holder)

    def _wait(self, execution: _Execution) -> None:
        insort(self._waiting, execution, key=lambda e: (e.run.job.urgency, e.run.item.position))

    def _request_pick(self) -> None:
        if not self._picking:
            self._picking = True
            self._context.env.schedule(self._pick_alarm, PICK, self.gate.delay_ps(self._context.now_ps))

    def _pick(self) -> None:
        self._picking = False
        if not self._waiting:
            return
        now_ps = self._context.now_ps
        running, best = self._running, self._waiting[0]
        if running is not None:
            if self._spec.preemption == "none" or best.run.job.urgency >= running.run.job.urgency:
                return
            self._suspend(running, now_ps)
            running.switch_ps = self._spec.context_switch_ps
            self._wait(running)
        self._resume(self._waiting.pop(0), now_ps)

    def _resume(self, execution: _Execution, now_ps: int) -> None:
        run = execution.run
        job = run.job
        if job.start_ps < 0:
            job.start_ps = now_ps
        held = self._wait_for(run, self._last)
        if execution.op is None:
            own = latest(run.ready_op, job.input_op)
            ready_ps = own.end_ps if own is not None else job.release_ps
            waits = self.gate.waits(ready_ps, now_ps, lambda start, end: (Segment(held[0], start, end, *held[1:]),))
            execution.op = job.begin_op(Op("compute", self._path, now_ps, now_ps, own, waits))
        else:
            self._part(execution, held[0], now_ps, held[2])
        execution.resumed_ps = now_ps
        self._running = execution
        self._ends_ps = now_ps + execution.switch_ps + execution.work_ps - execution.done_ps
        self.busy.add(now_ps, self._ends_ps)
        self._context.env.schedule(self._end_alarm, NORMAL, self._ends_ps - now_ps)

    def _suspend(self, execution: _Execution, now_ps: int) -> None:
        """Book what has run since it was resumed: first switching in, then work."""
        start_ps = execution.resumed_ps
        switch_ps = min(execution.switch_ps, now_ps - start_ps)
        if switch_ps:
            self._span(execution, "overhead", start_ps, start_ps + switch_ps, self._switch_aj(switch_ps))
            self._part(execution, "overhead", start_ps + switch_ps, "-")
        execution.switch_ps -= switch_ps
        worked_ps = now_ps - start_ps - switch_ps
        if worked_ps:
            total_aj, work_ps, done_ps = execution.run.tiles[0].energy_aj, execution.work_ps, execution.done_ps
            energy_aj = spent_aj(total_aj, 0, work_ps, done_ps + worked_ps) - spent_aj(total_aj, 0, work_ps, done_ps)
            self._span(execution, "compute", start_ps + switch_ps, now_ps, energy_aj)
            self._part(execution, "compute", now_ps, "-")
            execution.done_ps += worked_ps
        self.busy.intervals[-1] = (self.busy.intervals[-1][0], now_ps)
        self._last = execution

    def _part(self, execution: _Execution, bucket: str, until_ps: int, holder: str) -> None:
        """The stage's chain goes on with ``bucket`` up to ``until_ps``."""
        op = execution.op
        assert op is not None
        since_ps = op.parts[-1].end_ps if op.parts else op.start_ps
        if until_ps > since_ps:
            op.parts = (*op.parts, Segment(bucket, since_ps, until_ps, self._path, holder))

    def _switch_aj(self, switch_ps: int) -> int:
        clock_hz = self._spec.clock_hz
        return book_aj(switch_ps * clock_hz / PS_PER_S * self._spec.energy.aj_per_cycle) if clock_hz else 0

    def _span(self, execution: _Execution, what: str, start_ps: int, end_ps: int, energy_aj: int) -> None:
        job = execution.run.job
        name = execution.run.item.name
        self._context.recording.spans.append(
            Span(self._component, what, job.task, job.index, name, 0, start_ps, end_ps, energy_aj)
        )

    def _end_due(self) -> None:
        now_ps = self._context.now_ps
        execution = self._running
        if execution is None or self._ends_ps != now_ps:
            return  # it was preempted meanwhile
        self._suspend(execution, now_ps)
        self._running = None
        op = execution.op
        assert op is not None
        run = execution.run
        run.job.end_op(op, now_ps)
        run.done, run.finished_tiles, run.next_tile = op, 1, 1
        self.queued_ps -= execution.work_ps
        self._finished(run, op)
        self._release_if_idle()
        self._request_pick()

    @property
    def settled_ps(self) -> int:
        """What is booked later starts there or later: the stage that runs is booked when it stops."""
        return NEVER if self._running is None else self._running.resumed_ps

    def settle(self, until_ps: int) -> list[StateInterval]:
        """Record the states that have ended before ``until_ps``; those that go on there."""
        going_on = self._states.settle(self.busy.intervals, self.gate.gated(), until_ps)
        self.busy.forget(until_ps)
        self.gate.forget(until_ps)
        return going_on

    def close(self) -> None:
        """At the horizon: book what is still running or preempted, and the states over the window."""
        horizon_ps = self._context.recording.horizon_ps
        for execution in self._waiting:
            self._wait_until(execution, horizon_ps)
        if self._running is not None:
            self._suspend(self._running, horizon_ps)
        self._states.close(self.busy.intervals, self.gate.gated())
