"""Power over a run that is read stretch by stretch: its worst under every limit, and its course.

However the run is cut into stretches, every integer is the same: energy between two instants is that of what overlaps
them, and the worst of all stretches is the worst of the run (see worst_power).
"""

from __future__ import annotations

from collections.abc import Sequence

from tlm3d.analysis.activities import Activity, breakpoints_ps, energy_by_aj
from tlm3d.analysis.limits import held
from tlm3d.analysis.power import Grid
from tlm3d.analysis.result import LimitResult
from tlm3d.analysis.worst_power import Stretch, Worst, screen, worst_peak, worst_window
from tlm3d.errors import SimulationError
from tlm3d.record.recording import LimitInfo

_BATCH = 8192  # activities that are worth a stretch


class Meter:
    """Reads activities in any order, as long as all that start before an instant are there when it is read up to it."""

    def __init__(self, limits: Sequence[LimitInfo]) -> None:
        for limit in limits:
            if limit.kind not in ("peak", "window"):
                raise SimulationError(0, "limits", f"no rule for a limit of kind '{limit.kind}'")
        self._limits = limits
        self._worst: list[Worst | None] = [None] * len(limits)
        self._longest_ps = max((limit.window_ps for limit in limits), default=0)
        self._grid = Grid()
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
            self._running = frozenset(activity._replace(end_ps=0) for activity in running)

    def close(self, rest: Sequence[Activity], horizon_ps: int) -> None:
        """Read what else there was, cut to [0, H], up to the end."""
        self._ended += rest
        self._read((), horizon_ps, is_last=True)

    def limits(self) -> tuple[LimitResult, ...]:
        """Every limit against the worst power."""
        return tuple(held(limit, worst) for limit, worst in zip(self._limits, self._worst, strict=True))

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
        if self._limits:
            self._judge(_stretch(everything, max(0, since_ps - self._longest_ps), since_ps, until_ps, is_last))
        points_ps = sorted({since_ps, *self._grid.missing_ps(until_ps), until_ps})
        by_aj = energy_by_aj([activity for activity in everything if activity.end_ps > since_ps], points_ps)
        spent_aj = [self._energy_aj + energy_aj - by_aj[0] for energy_aj in by_aj]
        self._grid.add(points_ps[1:], spent_aj[1:])
        self._read_ps, self._energy_aj = until_ps, spent_aj[-1]

    def _judge(self, stretch: Stretch) -> None:
        lines = screen(stretch)
        for i, (limit, before) in enumerate(zip(self._limits, self._worst, strict=True)):
            if limit.kind == "peak":
                self._worst[i] = worst_peak(stretch, lines, before)
            else:
                self._worst[i] = worst_window(stretch, lines, limit.window_ps, before)


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
