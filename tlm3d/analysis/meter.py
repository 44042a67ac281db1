"""Power over a run that is read stretch by stretch: its worst under every limit, its course, the regulator's loss.

However the run is cut into stretches, every integer is the same: energy between two instants is that of what overlaps
them, and the worst of all stretches is the worst of the run (see worst_power).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from tlm3d.analysis import supply
from tlm3d.analysis.activities import Activity, breakpoints_ps, energy_by_aj
from tlm3d.analysis.ewma import Ewma
from tlm3d.analysis.exceeded import Exceeded, instants_over, may_exceed, steps, windows_over
from tlm3d.analysis.limits import held
from tlm3d.analysis.power import Grid
from tlm3d.analysis.result import LimitResult
from tlm3d.analysis.worst_power import (
    ONE,
    Exact,
    Screen,
    Stretch,
    Worst,
    peaks,
    powers_at,
    screen,
    worst_peak,
    worst_window,
)
from tlm3d.errors import SimulationError
from tlm3d.record.recording import LimitInfo, SupplyInfo
from tlm3d.units import ceil_div

_BATCH = 8192  # activities that are worth a stretch


class Meter:
    """Reads activities in any order, as long as all that start before an instant are there when it is read up to it."""

    def __init__(self, limits: Sequence[LimitInfo], info: SupplyInfo | None = None) -> None:
        for limit in limits:
            if limit.kind not in ("peak", "window", "ewma"):
                raise SimulationError(0, "limits", f"no rule for a limit of kind '{limit.kind}'")
            if limit.at != "rail" and info is None:
                raise SimulationError(0, "limits", f"a limit at the {limit.at} of a platform without supply")
        self._limits = limits
        self._worst: list[Worst | None] = [None] * len(limits)
        self._exceeded = [Exceeded() for _ in limits]
        self._averages = {
            i: Ewma(limit.limit_nw, limit.tau_ps, limit.from_nw)
            for i, limit in enumerate(limits)
            if limit.kind == "ewma"
        }
        self._longest_ps = max((limit.window_ps for limit in limits), default=0)
        self._grid = Grid()
        self._regulator = None if info is None else supply.Regulator(info)
        self._at_battery = any(limit.at == "battery" for limit in limits)
        self._losses: list[Activity] = []  # those inside a window that is not read
        self._loss_aj = 0
        self._most_active = 0
        self._most = 0  # load, aJ/ps·2^-80
        self._energy_aj = 0  # spent by ``_read_ps``
        self._read_ps = 0
        self._ended: list[Activity] = []  # not read, or still inside a window that is not
        self._kept = 0  # of those, how many have been read
        self._running: frozenset[Activity] = frozenset()  # when read last

    def read(self, ended: Sequence[Activity], running: Sequence[Activity], settled_ps: int) -> None:
        """Take in what ``ended`` by ``settled_ps``; judge up to there when enough has come together.

        ``running`` is what else has started before ``settled_ps``, cut there.
        """
        self._ended += ended
        # At least as many new ones as are read a second time, so that a long window never costs more than twice.
        if settled_ps > self._read_ps and len(self._ended) - self._kept >= max(_BATCH, self._kept):
            self._read(running, settled_ps, is_last=False)
            reach_ps = settled_ps - self._longest_ps
            self._ended = [activity for activity in self._ended if activity.end_ps >= reach_ps]
            self._kept = len(self._ended)
            if self._losses:
                self._losses = [loss for loss in self._losses if loss.end_ps >= reach_ps]
            self._running = frozenset(activity._replace(end_ps=0) for activity in running)

    def close(self, rest: Sequence[Activity], horizon_ps: int) -> None:
        """Read what else there was, cut to [0, H], up to the end."""
        self._ended += rest
        self._read((), horizon_ps, is_last=True)

    def limits(self) -> tuple[LimitResult, ...]:
        """Every limit against the worst power."""
        found = zip(self._limits, self._worst, self._exceeded, strict=True)
        return tuple(held(limit, worst, exceeded) for limit, worst, exceeded in found)

    @property
    def loss_aj(self) -> int:
        """The energy that the regulator has lost."""
        return self._loss_aj

    def beyond_nw(self) -> tuple[float, float] | None:
        """The largest load and that up to which the supply's numbers hold, where it is beyond."""
        rated_nw = None if self._regulator is None else self._regulator.rated_nw
        most_nw = Fraction(1000 * self._most, ONE)
        return None if rated_nw is None or most_nw <= rated_nw else (float(most_nw), float(rated_nw))

    def bins_nw(self) -> tuple[float, ...]:
        """Average power in slices of the run."""
        return self._grid.bins_nw(self._read_ps, self._energy_aj)

    def _read(self, running: Sequence[Activity], until_ps: int, is_last: bool) -> None:
        since_ps = self._read_ps
        for activity in self._ended[self._kept :]:
            if activity.start_ps < since_ps and activity._replace(end_ps=0) not in self._running:
                what = f"has been read up to {since_ps} ps when told of what began at {activity.start_ps} ps"
                raise SimulationError(until_ps, "power", what)
        everything = (*self._ended, *running)
        if self._limits or self._regulator:
            stretch = _stretch(everything, max(0, since_ps - self._longest_ps), since_ps, until_ps, is_last)
            lines = screen(stretch)
            if self._regulator:
                self._lose(self._regulator, lines, since_ps, until_ps)
            self._judge(stretch, lines, until_ps)
        points_ps = sorted({since_ps, *self._grid.missing_ps(until_ps), until_ps})
        by_aj = energy_by_aj([activity for activity in everything if activity.end_ps > since_ps], points_ps)
        spent_aj = [self._energy_aj + energy_aj - by_aj[0] for energy_aj in by_aj]
        self._grid.add(points_ps[1:], spent_aj[1:])
        self._read_ps, self._energy_aj = until_ps, spent_aj[-1]

    def _lose(self, regulator: supply.Regulator, lines: Screen, since_ps: int, until_ps: int) -> None:
        losses = regulator.losses(lines, since_ps, until_ps)
        self._loss_aj += supply.spent_aj(losses)
        self._most = max(self._most, max(lines.slope))
        if self._at_battery:
            self._losses += losses

    def _judge(self, stretch: Stretch, lines: Screen, until_ps: int) -> None:
        battery, battery_lines = self._battery(stretch, lines) if self._at_battery else (stretch, lines)
        for i, (limit, before) in enumerate(zip(self._limits, self._worst, strict=True)):
            at_battery = limit.at == "battery"
            here, drawn = (battery, battery_lines) if at_battery else (stretch, lines)
            if limit.kind == "ewma":
                self._follow(i, drawn, stretch, until_ps)
            elif limit.kind == "window":
                self._worst[i] = worst_window(here, drawn, limit.window_ps, before)
                self._most_active = max(self._most_active, drawn.most_active)
                if may_exceed(limit, self._worst[i], drawn, until_ps, self._most_active):
                    pieces = windows_over(limit.limit_nw, limit.window_ps, drawn, stretch.since_ps, until_ps)
                    self._exceeded[i].add(pieces)
            else:
                regulator = self._regulator if at_battery else None
                error, exact = peaks(stretch, drawn) if regulator is None else _inputs(regulator, stretch, drawn)
                worst = self._worst[i] = worst_peak(stretch, drawn, before, error=error, exact=exact)
                if worst is not None and worst.power_nw > limit.limit_nw:
                    pieces = instants_over(limit.limit_nw, drawn, stretch.since_ps, until_ps, error, exact)
                    self._exceeded[i].add(pieces)

    def _follow(self, i: int, lines: Screen, stretch: Stretch, until_ps: int) -> None:
        average = self._averages[i]
        average.follow(steps(lines, stretch.since_ps, until_ps))
        if stretch.last_ps == until_ps:
            average.close(until_ps)
        self._worst[i] = average.worst
        self._exceeded[i] = average.exceeded

    def _battery(self, stretch: Stretch, lines: Screen) -> tuple[Stretch, Screen]:
        """What is spent at the battery: all that is spent at the rail, and the loss."""
        from_ps = stretch.points_ps[0]
        losses = [loss for loss in self._losses if loss.end_ps > from_ps]
        if losses and losses[0].start_ps < from_ps:
            losses[0] = losses[0]._replace(start_ps=from_ps)
        return stretch._replace(spending=[*stretch.spending, *losses]), supply.with_losses(lines, losses)


def _inputs(regulator: supply.Regulator, stretch: Stretch, lines: Screen) -> tuple[int, Exact]:
    """How far the lines at the battery are from what the regulator takes for the exact power at the rail; and that."""

    def exact(starts_ps: list[int]) -> list[Fraction]:
        return [regulator.input_nw(1000 * load) / 1000 for load in powers_at(stretch.spending, starts_ps)]

    # Each activity's slope was cut by less than one unit, which the loss passes on by its slope; and it is rounded up.
    return lines.most_active * (1 + regulator.steepest) + ceil_div(ONE, 1000 << 40) + 1, exact


def _stretch(everything: Sequence[Activity], from_ps: int, since_ps: int, until_ps: int, is_last: bool) -> Stretch:
    """The stretch from ``since_ps`` to ``until_ps``, which belongs to it at the end of the run only."""
    spending = [
        activity if activity.start_ps >= from_ps else activity._replace(start_ps=from_ps)
        for activity in everything
        if activity.end_ps > from_ps
    ]
    points_ps = breakpoints_ps(spending, until_ps, from_ps)
    changes_there = not from_ps or any(from_ps in (activity.start_ps, activity.end_ps) for activity in everything)
    last_ps, end = (until_ps, len(points_ps)) if is_last else (until_ps - 1, len(points_ps) - 1)
    return Stretch(spending, points_ps, 0 if changes_there else 1, end, since_ps, last_ps)
