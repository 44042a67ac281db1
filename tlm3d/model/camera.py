"""A sensor at work: frames on its clock, rows through a FIFO onto their way to memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from typing import NamedTuple

from tlm3d.blocks import Row, SensorSpec
from tlm3d.errors import ElaborationError
from tlm3d.model.activations.chance import Chance
from tlm3d.model.context import Busy, Context, Owner
from tlm3d.model.gate import Interval, States, book_wake_up, powers_of
from tlm3d.model.op import Op, latest
from tlm3d.model.topology import Route
from tlm3d.record.recording import Component, Segment, Span, StateInterval
from tlm3d.spec.binding import BlockName
from tlm3d.tlm.alarm import Alarm
from tlm3d.tlm.timing import NEVER, NORMAL
from tlm3d.tlm.transfer import Transfer
from tlm3d.units import release_ps, show_ps


def check_frame_time(path: str, spec: SensorSpec, modes: Collection[str]) -> None:
    """Raise ElaborationError unless all ``modes``, read on one tick, and what comes before fit the frame period."""
    period_ps = release_ps(1, spec.frame_rate_hz)
    for what, time_ps in spec.frame_times_ps(modes).items():
        if time_ps > period_ps:
            times = f"{what} of {show_ps(time_ps)} is longer than the frame period of {show_ps(period_ps)}"
            raise ElaborationError(f"{path}: {times}")


class Subscription(NamedTuple):
    """A task that takes every ``every``-th frame of ``mode`` with an event that it waits for (``event``, by frame).

    ``released(frame)`` is called at the start of readout.
    """

    task: str
    mode: str
    every: int
    event: Chance
    released: Callable[[Frame], None]

    def takes(self, number: int) -> bool:
        """Whether it takes frame ``number`` of the frame clock."""
        return number % self.every == 0 and self.event.comes(number)


class Frame:
    """One frame of one mode on its way into memory."""

    __slots__ = (
        "conversion",
        "index",
        "landed",
        "lost",
        "number",
        "on_end",
        "rows_left",
        "task",
        "tick_ps",
    )

    def __init__(self, number: int, tick_ps: int, rows: int, task: str, index: int) -> None:
        self.number, self.tick_ps, self.rows_left = number, tick_ps, rows
        self.task, self.index = task, index  # the job it is booked to; "-" when several share it
        self.landed: Op | None = None  # the operation that brought its last row
        self.lost = False
        self.on_end: list[Callable[[Frame], None]] = []

    def end(self) -> None:
        """Tell those who wait that the frame has landed or is lost."""
        for call in self.on_end:
            call(self)
        self.on_end = []


class _Sent(NamedTuple):
    """The row sent last."""

    frame: Frame
    owner: Owner


class _DueRow(NamedTuple):
    """A row whose conversion ends at ``converted_ps``."""

    converted_ps: int
    frame: Frame
    row: Row
    converted: Op


class _QueuedRow(NamedTuple):
    frame: Frame
    bytes: int
    converted: Op


class Camera:
    """One sensor. A frame needed in several modes is read once a mode on one tick, in name order or side by side."""

    def __init__(
        self,
        context: Context,
        name: BlockName,
        spec: SensorSpec,
        route: Route,
        subscriptions: list[Subscription],
        decide_in: Callable[[int], None],
    ) -> None:
        self._context, self._spec, self._route = context, spec, route
        self._decide_in = decide_in  # have take_rows called after so many ps
        self._path = ".".join(name)
        self._component = Component(*name)
        self._subscriptions = sorted(subscriptions, key=lambda s: s.task)
        self._rows = {s.mode: spec.emits(s.mode) for s in self._subscriptions}
        self._taken = dict.fromkeys((s.task for s in self._subscriptions), 0)  # frames so far, by task
        self._fifo: deque[_QueuedRow] = deque()
        self._fifo_bytes = 0
        self._number = 0
        self._next_ps = 0
        self._due: deque[_DueRow] = deque()  # by end of conversion
        self._tick_alarm = Alarm(context.env, self._tick)
        self._bucket, self._channel = context.transfer_bucket(route)
        self.busy = Busy()
        self._sleeps_from_ps = 0  # where it is gated, before the first of ``busy``; it sleeps from the start
        self._woken_ps = -1  # the last wake-up recorded
        self._states = States(context.recording, self._component, powers_of(spec))

    def start(self) -> None:
        """Schedule the first frame that is read out; readout of frame 0 starts at 0."""
        if self._subscriptions:
            self._await_frame(0)

    def _tick(self) -> None:
        now_ps = self._context.now_ps
        offset_ps = busy_ps = 0
        due: list[_DueRow] = []
        for mode in sorted(self._rows):
            takers = [s for s in self._subscriptions if s.mode == mode and s.takes(self._number)]
            if takers:
                rows = self._read_out(takers, mode, now_ps, offset_ps)
                busy_ps = max(busy_ps, rows[-1].converted_ps - now_ps)
                offset_ps = 0 if self._spec.MODES_AT_ONCE else busy_ps
                due += rows
        due.sort(key=lambda row: row.converted_ps)  # in order already unless modes are read side by side
        if not self._due:
            self._decide_in(due[0].converted_ps - now_ps)
        self._due.extend(due)
        self.busy.add(max(0, now_ps - self._spec.lead_ps), now_ps + busy_ps)
        self._await_frame(self._number + self._stride(self._number))

    def _await_frame(self, number: int) -> None:
        """Schedule the first frame from ``number`` on that anybody takes; what nobody takes is not exposed either."""
        horizon_ps, rate_hz = self._context.recording.horizon_ps, self._spec.frame_rate_hz
        start_ps = release_ps(number, rate_hz)
        while start_ps - self._spec.lead_ps < horizon_ps and not any(s.takes(number) for s in self._subscriptions):
            number += self._stride(number)
            start_ps = release_ps(number, rate_hz)
        self._number, self._next_ps = number, start_ps
        if start_ps < horizon_ps:
            self._context.env.schedule(self._tick_alarm, NORMAL, start_ps - self._context.now_ps)

    def _stride(self, number: int) -> int:
        """From frame ``number``, how many to the next one that anybody may take."""
        return min(s.every - number % s.every for s in self._subscriptions)

    def _read_out(self, takers: list[Subscription], mode: str, now_ps: int, offset_ps: int) -> list[_DueRow]:
        rows = self._rows[mode]
        single = takers[0] if len(takers) == 1 else None
        task, index = (single.task, self._taken[single.task]) if single else ("-", -1)
        frame = Frame(self._number, now_ps, len(rows), task, index)
        start_ps = now_ps + offset_ps
        analog_aj = sum(row.analog_aj for row in rows)
        spent = [
            ("sensing", sum(row.sensing_aj for row in rows)),
            ("conversion", sum(row.conversion_aj for row in rows)),
            *([("analog", analog_aj)] if analog_aj else []),
        ]
        for what, energy_aj in spent:
            span = (self._component, what, task, index, mode, -1, start_ps, start_ps + rows[-1].end_ps, energy_aj)
            self._context.recording.spans.append(Span(*span))
        due = []
        for row in rows:
            converted_ps = start_ps + row.end_ps
            due.append(_DueRow(converted_ps, frame, row, Op("sensing", self._path, now_ps, converted_ps)))
        for taker in takers:
            self._taken[taker.task] += 1
            taker.released(frame)
        return due

    def take_rows(self) -> None:
        """Rows whose conversion has ended go into the FIFO, where those that arrive now have made room."""
        now_ps = self._context.now_ps
        taken = False
        while self._due and self._due[0].converted_ps <= now_ps:
            due = self._due.popleft()
            self._take_row(due.frame, due.row, due.converted)
            taken = True
        if taken and self._due:
            self._decide_in(self._due[0].converted_ps - now_ps)

    def _take_row(self, frame: Frame, row: Row, op: Op) -> None:
        if frame.lost:
            return
        if (self._fifo_bytes + row.bytes) * 8 > self._spec.fifo_bits:
            frame.lost = True
            frame.end()
            return
        self._fifo_bytes += row.bytes
        self._fifo.append(_QueuedRow(frame, row.bytes, op))
        if len(self._fifo) == 1:
            self._send(None)

    def _send(self, previous: _Sent | None) -> None:
        row = self._fifo[0]
        frame, context = row.frame, self._context
        now_ps = context.now_ps
        op = Op(self._bucket, self._channel, now_ps, now_ps, row.converted)
        if previous is not None and previous.frame is frame:
            op.before = latest(row.converted, previous.owner.op)
        elif previous is not None:
            op.waits = self._waited(row, previous)
        label = f"{frame.task}#{frame.index}" if frame.task != "-" else self._path
        owner = Owner(frame.task, frame.index, label, self._route, op)

        def arrived(transfer: Transfer) -> None:
            op.end_ps = context.now_ps
            context.split_transfer(transfer, op)
            context.book_transfer(transfer, owner)
            self._fifo.popleft()
            self._fifo_bytes -= row.bytes
            frame.rows_left -= 1
            if self._fifo:
                self._send(_Sent(frame, owner))
            if not frame.rows_left:
                frame.landed = op
                frame.end()

        context.fabric.post(self._path, self._route.channels, row.bytes, arrived, 0, owner)

    def _waited(self, row: _QueuedRow, previous: _Sent) -> tuple[Segment, ...]:
        """What ``row`` waited for, being the first of its frame behind a row of another one."""
        ready_ps, now_ps = row.converted.end_ps, self._context.now_ps
        wait = ("link-queue", ready_ps, now_ps, self._channel, previous.owner.label)
        return (Segment(*wait),) if ready_ps < now_ps else ()

    def settle(self, until_ps: int) -> list[StateInterval]:
        """Record the states that have ended before ``until_ps``; those that go on there."""
        busy = self._known_busy()
        going_on = self._states.settle(busy, self._sleeps(busy), until_ps)
        spec = self._spec.states.gated
        while len(self.busy.intervals) > 1 and self.busy.intervals[0][1] < until_ps:
            _, end_ps = self.busy.intervals.pop(0)
            self._sleeps_from_ps = end_ps + (spec.after_ps if spec else 0)
        return going_on

    def close(self) -> None:
        """At the horizon: the states of the block over the window."""
        busy = self._known_busy()
        self._states.close(busy, self._sleeps(busy))

    def _known_busy(self) -> list[Interval]:
        """Exposures and readouts up to the next one, perhaps beyond the window, whose exposure may lie inside it."""
        known = Busy(self.busy.intervals)
        if self._subscriptions:
            known.add(self._next_ps - self._spec.lead_ps, self._next_ps)
        return known.intervals

    def _sleeps(self, busy: list[Interval]) -> list[Interval]:
        """When it is gated, given when it is ``busy``; wake-ups that are new are recorded."""
        spec = self._spec.states.gated
        if spec is None:
            return []
        gated = []
        since_ps = self._sleeps_from_ps
        for start_ps, end_ps in busy:
            woken_ps = start_ps - spec.wake_time_ps  # its clock tells when it is needed
            if woken_ps > since_ps:
                gated.append((since_ps, woken_ps))
                if woken_ps > self._woken_ps:
                    self._woken_ps = woken_ps
                    book_wake_up(self._context.recording, self._component, spec, woken_ps)
            since_ps = end_ps + spec.after_ps
        return [*gated, (since_ps, NEVER)]
