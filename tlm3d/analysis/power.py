"""Power over time: the exact trace between breakpoints, and the averages of equal slices."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from operator import add

from tlm3d.analysis.activities import activities, breakpoints_ps, energy_by_aj
from tlm3d.analysis.result import PowerTrace
from tlm3d.analysis.supply import losses
from tlm3d.record.recording import Recording

SLICES = 80  # the width of the bar of characters
_STEPS = 16 * SLICES  # of the grid in a run, at least, where there are as many picoseconds


def trace(recording: Recording) -> PowerTrace:
    """Energy per interval between breakpoints, at the rail and at the battery; sums to the totals, integer for integer.

    Of a run that kept a window only, over that window. Raises RecordError where the run kept totals only.
    """
    from_ps, until_ps = recording.window_ps
    spending = activities(recording, from_ps, until_ps)
    points_ps = breakpoints_ps(spending, until_ps, from_ps)
    energy_aj = energy_by_aj(spending, points_ps)
    battery_aj = None
    if recording.supply is not None:
        lost_aj = energy_by_aj(losses(recording.supply, spending, points_ps), points_ps)
        battery_aj = tuple(b - a for a, b in pairwise(map(add, energy_aj, lost_aj)))
    return PowerTrace(
        start_ps=tuple(points_ps[:-1]),
        end_ps=tuple(points_ps[1:]),
        energy_aj=tuple(later - sooner for sooner, later in pairwise(energy_aj)),
        battery_aj=battery_aj,
    )


class Grid:
    """The energy spent by every multiple of a step, which is a power of two of picoseconds and grows with the run.

    So the borders of slices are known while the end of the run is not: they are rounded down to the step, which is at
    most a 16th of a slice.
    """

    def __init__(self) -> None:
        self._step_ps = 1
        self._energy_aj = [0]  # by k·step

    def missing_ps(self, until_ps: int) -> list[int]:
        """The multiples of the step up to ``until_ps`` whose energy is not known, for a run that gets so far."""
        step_ps = 1 << max(0, (until_ps // _STEPS).bit_length() - 1)
        self._energy_aj = self._energy_aj[:: step_ps // self._step_ps]
        self._step_ps = step_ps
        return list(range(len(self._energy_aj) * step_ps, until_ps + 1, step_ps))

    def add(self, points_ps: Sequence[int], energy_aj: Sequence[int]) -> None:
        """The energy spent by each of those that were missing; what is on no multiple of the step is left out."""
        step_ps = self._step_ps
        self._energy_aj += [aj for at_ps, aj in zip(points_ps, energy_aj, strict=True) if at_ps % step_ps == 0]

    def bins_nw(self, horizon_ps: int, total_aj: int, slices: int = SLICES) -> tuple[float, ...]:
        """Average power in ``slices`` parts of [0, H], equal but for the step (0 where that leaves no time)."""
        steps = [i * horizon_ps // slices // self._step_ps for i in range(slices)]
        borders_ps = [*(step * self._step_ps for step in steps), horizon_ps]
        energy_aj = [*(self._energy_aj[step] for step in steps), total_aj]
        return tuple(
            average_nw(energy_aj[i + 1] - energy_aj[i], borders_ps[i + 1] - borders_ps[i]) for i in range(slices)
        )


def average_nw(energy_aj: int, time_ps: int) -> float:
    """Energy over time as power: 1 aJ/ps is 1000 nW."""
    return energy_aj * 1000 / time_ps if time_ps else 0.0
