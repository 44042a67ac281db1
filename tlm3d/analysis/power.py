"""Power over time: the exact trace between breakpoints, and the averages of equal slices."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from tlm3d.analysis.activities import Activity, activities, breakpoints_ps, energy_by_aj
from tlm3d.analysis.result import PowerTrace
from tlm3d.record.recording import Recording

SLICES = 80  # the width of the bar of characters


def trace(recording: Recording) -> PowerTrace:
    """Energy per interval between breakpoints; sums to the total of the accounts, integer for integer."""
    spending = activities(recording)
    points_ps = breakpoints_ps(spending, recording.horizon_ps)
    energy_aj = energy_by_aj(spending, points_ps)
    return PowerTrace(
        start_ps=tuple(points_ps[:-1]),
        end_ps=tuple(points_ps[1:]),
        energy_aj=tuple(later - sooner for sooner, later in pairwise(energy_aj)),
    )


def bins_nw(spending: Sequence[Activity], horizon_ps: int, slices: int = SLICES) -> tuple[float, ...]:
    """Average power in ``slices`` equal parts of [0, H] (borders rounded down to a ps; 0 where that leaves no time)."""
    borders_ps = [i * horizon_ps // slices for i in range(slices + 1)]
    energy_aj = energy_by_aj(spending, borders_ps)
    return tuple(average_nw(energy_aj[i + 1] - energy_aj[i], borders_ps[i + 1] - borders_ps[i]) for i in range(slices))


def average_nw(energy_aj: int, time_ps: int) -> float:
    """Energy over time as power: 1 aJ/ps is 1000 nW."""
    return energy_aj * 1000 / time_ps if time_ps else 0.0
