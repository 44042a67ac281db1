"""The compute unit of a block: one tile at a time, its time and energy, and getting back to what was interrupted."""

from __future__ import annotations

from collections.abc import Callable

from tlm3d.blocks import ComputeSpec
from tlm3d.model.context import Busy, Context
from tlm3d.model.job import ItemRun, Job
from tlm3d.model.op import Op
from tlm3d.model.waits import Waits
from tlm3d.model.work import TileWork
from tlm3d.record.recording import Component, Segment, Span
from tlm3d.tlm.alarm import Alarm
from tlm3d.tlm.timing import NEVER, NORMAL
from tlm3d.units import PS_PER_S, book_aj, spent_aj


class TileRun:
    """A committed tile on its way through the block."""

    __slots__ = (
        "at_once", "compute_op", "done_ps", "load_op", "next_load", "resumed_ps", "run", "store_op", "switch_ps",
        "tile", "work",
    )  # fmt: skip

    def __init__(self, run: ItemRun, tile: int, work: TileWork, at_once: bool = False) -> None:
        self.run, self.tile, self.work = run, tile, work
        self.at_once = at_once  # a stage that needs no port and no buffer
        self.next_load = 0
        self.load_op: Op | None = None
        self.compute_op: Op | None = None
        self.store_op: Op | None = None
        self.done_ps = 0  # of computing
        self.switch_ps = 0  # of getting its state back, still to be paid before it computes
        self.resumed_ps = 0  # what it did before is booked


class Unit:
    """Computes one tile at a time; ``ended(tile)`` is called when it is done.

    ``context_switch`` passes before a tile that was suspended goes on, and before a tile of a layer when another job
    has computed since the tile of the layer before it.
    """

    def __init__(
        self, context: Context, component: Component, spec: ComputeSpec, waits: Waits, ended: Callable[[TileRun], None]
    ) -> None:
        self._context, self._component, self._spec = context, component, spec
        self._path = ".".join(component)
        self._waits, self._ended = waits, ended
        self._suspends = spec.preemption == "full"
        self._ends_ps = -1
        self._end_alarm = Alarm(context.env, self._end_due)
        self._last_job: Job | None = None
        self._begun: dict[ItemRun, bool] = {}  # layers: whether another job has computed since their last tile
        self.computing: TileRun | None = None
        self.suspended: list[TileRun] = []  # the one to go on first at the end
        self.busy = Busy()

    def start(self, tile: TileRun, before: Op | None, waits: tuple[Segment, ...]) -> None:
        """``tile`` computes from now on."""
        run, now_ps = tile.run, self._context.now_ps
        if self._begun.get(run):
            tile.switch_ps = self._spec.context_switch_ps
        op = Op("compute", self._path, now_ps, now_ps + tile.switch_ps + tile.work.compute_ps, before, waits)
        tile.compute_op = run.job.begin_op(op)
        self._go_on(tile)

    def suspend(self) -> None:
        """What computes stops, to go on later."""
        tile, now_ps = self.computing, self._context.now_ps
        assert tile is not None
        is_new = tile.resumed_ps == now_ps
        self._book(tile, now_ps)
        if not is_new:
            tile.switch_ps = self._spec.context_switch_ps
        self.busy.intervals[-1] = (self.busy.intervals[-1][0], now_ps)
        self._waits.unit.free(now_ps)
        self.computing = None
        self.suspended.append(tile)

    def resume(self) -> None:
        """What was suspended last goes on."""
        tile = self.suspended.pop()
        self._has_waited(tile, self._context.now_ps)
        self._go_on(tile)

    def withdraw(self, run: ItemRun, is_under_way: bool) -> None:
        """The job of ``run`` was aborted: all that it did and waited for up to now is booked; it goes on."""
        now_ps = self._context.now_ps
        self._book_up_to(now_ps, run)
        if not is_under_way:
            self._begun.pop(run, None)

    def close(self) -> None:
        """At the horizon: book what goes on or is suspended."""
        self._book_up_to(self._context.recording.horizon_ps, None)

    @property
    def settled_ps(self) -> int:
        """What is booked later starts there or later."""
        return self.computing.resumed_ps if self._suspends and self.computing is not None else NEVER

    def _book_up_to(self, now_ps: int, run: ItemRun | None) -> None:
        if not self._suspends:
            return  # all was booked when it started
        if self.computing is not None and run in (None, self.computing.run):
            self._book(self.computing, now_ps)
        for tile in self.suspended:
            if run in (None, tile.run):
                self._has_waited(tile, now_ps)

    def _go_on(self, tile: TileRun) -> None:
        now_ps, run = self._context.now_ps, tile.run
        self._ends_ps = now_ps + tile.switch_ps + tile.work.compute_ps - tile.done_ps
        self.computing = tile
        tile.resumed_ps = now_ps
        if self._spec.context_switch_ps:
            self._interrupt(run)
        self._waits.unit.take(now_ps, run.job, "compute", self._path)
        self.busy.add(now_ps, self._ends_ps)
        self._context.env.schedule(self._end_alarm, NORMAL, self._ends_ps - now_ps)
        if not self._suspends:
            self._book(tile, self._ends_ps)

    def _interrupt(self, run: ItemRun) -> None:
        """A tile of ``run`` computes now: layers of other jobs that are under way have been interrupted."""
        if run.job is not self._last_job:
            self._last_job = run.job
            self._begun = {other: gone or other.job is not run.job for other, gone in self._begun.items()}
        if run.item.layer is not None:
            self._begun[run] = False

    def _end_due(self) -> None:
        now_ps, tile = self._context.now_ps, self.computing
        if tile is None or self._ends_ps != now_ps:
            return  # it was suspended meanwhile
        if self._suspends:
            self._book(tile, now_ps)
        op, run = tile.compute_op, tile.run
        assert op is not None
        run.job.end_op(op, now_ps)
        self._context.recording.macs_executed += tile.work.macs
        self.computing = None
        self._waits.unit.free(now_ps)
        if tile.tile + 1 == run.next_tile and (run.committed or run.job.ended):
            self._begun.pop(run, None)
        self._ended(tile)

    # ------------------------------------------------------------ what is booked

    def _book(self, tile: TileRun, until_ps: int) -> None:
        """Book what ``tile`` does from where it was resumed up to ``until_ps``: switching first, then work."""
        start_ps, work = tile.resumed_ps, tile.work
        switch_ps = min(tile.switch_ps, until_ps - start_ps)
        worked_ps = until_ps - start_ps - switch_ps
        if switch_ps:
            self._span(tile, "overhead", start_ps, start_ps + switch_ps, self._switch_aj(switch_ps))
            self._part(tile, "overhead", start_ps, start_ps + switch_ps)
        if worked_ps or not work.compute_ps:
            spent_before_aj = spent_aj(work.energy_aj, 0, work.compute_ps, tile.done_ps)
            tile.done_ps += worked_ps
            energy_aj = spent_aj(work.energy_aj, 0, work.compute_ps, tile.done_ps) - spent_before_aj
            self._span(tile, "compute", start_ps + switch_ps, until_ps, energy_aj)
            self._part(tile, "compute", start_ps + switch_ps, until_ps)
        tile.switch_ps -= switch_ps
        tile.resumed_ps = until_ps

    def _has_waited(self, tile: TileRun, now_ps: int) -> None:
        """``tile``, which is suspended, has waited up to now for whoever computed."""
        op = tile.compute_op
        assert op is not None
        since_ps = op.parts[-1].end_ps if op.parts else op.start_ps
        op.parts += self._waits.to_compute(tile.run.job, since_ps, now_ps)

    def _part(self, tile: TileRun, bucket: str, start_ps: int, end_ps: int) -> None:
        op = tile.compute_op
        assert op is not None
        op.parts = (*op.parts, Segment(bucket, start_ps, end_ps, self._path, "-"))

    def _switch_aj(self, switch_ps: int) -> int:
        return book_aj(switch_ps * self._spec.clock_hz / PS_PER_S * self._spec.energy.aj_per_cycle)

    def _span(self, tile: TileRun, what: str, start_ps: int, end_ps: int, energy_aj: int) -> None:
        run, job = tile.run, tile.run.job
        self._context.recording.spans.append(
            Span(self._component, what, job.task, job.index, run.item.name, tile.tile, start_ps, end_ps, energy_aj)
        )
