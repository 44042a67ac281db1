"""When power first exceeds a limit and for how long in all: of every instant, or on average over a window.

Power is constant between breakpoints, so that the average over the window [t − W, t] is a straight line in t between
breakpoints and breakpoints + W. Here it is the integral of the power of a Screen, without the floors of single
attojoules that booked energy has: in exact integers, so that it does not matter where a run is cut.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate, chain, groupby, pairwise
from operator import mul, sub

from tlm3d.analysis.worst_power import ONE, Exact, Screen, Worst
from tlm3d.record.recording import LimitInfo
from tlm3d.units import ceil_div

_PARTS = 20  # bits of a picosecond to which a crossing is known: what slopes were cut by does not make it late


class Exceeded:
    """The first time and the length of all times that something exceeds a limit, told from the first to the last."""

    def __init__(self) -> None:
        self.crossed_ps: int | None = None
        self.total_ps = 0

    def add(self, pieces: Iterable[tuple[int, int]]) -> None:
        """Exceeded from the one to the other, piece by piece."""
        for from_ps, to_ps in pieces:
            if self.crossed_ps is None:
                self.crossed_ps = from_ps
            self.total_ps += to_ps - from_ps


def steps(lines: Screen, since_ps: int, until_ps: int) -> list[tuple[int, int]]:
    """Since when power is what it is (aJ/ps·2^-80), during [since, until]."""
    if since_ps >= until_ps:  # the end of a run that has been read up to it
        return []
    here = slice(bisect_right(lines.points_ps, since_ps) - 1, bisect_left(lines.points_ps, until_ps))
    return list(zip([since_ps, *lines.points_ps[here][1:]], lines.slope[here], strict=True))


def instants_over(
    limit_nw: int, lines: Screen, since_ps: int, until_ps: int, error: int, exact: Exact
) -> list[tuple[int, int]]:
    """The pieces of [since, until] with a power above the limit.

    The slopes are within ``error`` of the powers; ``exact`` is asked for those only that this leaves in doubt.
    """
    powers = steps(lines, since_ps, until_ps)
    bar = limit_nw * ONE
    doubtful = [at_ps for at_ps, slope in powers if abs(1000 * slope - bar) <= 1000 * error]
    proven = {at_ps for at_ps, power in zip(doubtful, exact(doubtful), strict=True) if 1000 * power > limit_nw}
    sure = bar + 1000 * error
    return [
        (at_ps, end_ps)
        for (at_ps, slope), (end_ps, _) in pairwise([*powers, (until_ps, 0)])
        if 1000 * slope > sure or at_ps in proven
    ]


def may_exceed(limit: LimitInfo, worst: Worst | None, lines: Screen, until_ps: int, most_active: int) -> bool:
    """Whether windows that end by ``until_ps`` may be above the limit, with this ``worst`` so far.

    Averages here stray from those of ``worst`` by less than 4 aJ for each activity; ``most_active`` ran at once.
    """
    if worst is None:  # no window has ended
        return False
    from_ps = until_ps - limit.window_ps
    allowed = (limit.limit_nw * limit.window_ps // 1000 - 4 * most_active - 1) * ONE  # aJ·2^-80 in a window
    if worst.power_nw * limit.window_ps * ONE > 1000 * allowed:
        return True
    # Where a run is cut the average may be on its way to its next worst.
    i = bisect_right(lines.points_ps, from_ps) - 1
    before = lines.energy[i] + lines.slope[i] * (from_ps - lines.points_ps[i])
    return lines.energy[-1] - before > allowed


def windows_over(limit_nw: int, window_ps: int, lines: Screen, since_ps: int, until_ps: int) -> list[tuple[int, int]]:
    """The pieces of [since, until] where the average over the window that ends there is above the limit.

    ``lines`` begin a window before, or at t = 0; no window begins before that.
    """
    since_ps = max(since_ps, window_ps)
    if since_ps >= until_ps:
        return []
    points_ps = lines.points_ps
    leaving = points_ps[bisect_right(points_ps, since_ps - window_ps) : bisect_left(points_ps, until_ps - window_ps)]
    entering = points_ps[bisect_right(points_ps, since_ps) : bisect_left(points_ps, until_ps)]
    left_ps = [point_ps + window_ps for point_ps in leaving]
    # Two sorted runs merge in no time; a set of all instants would cost several times that.
    turns_ps = [turn_ps for turn_ps, _ in groupby(sorted([since_ps, *entering, *left_ps, until_ps]))]
    by_point = _by_point(lines)
    begun = _spent(lines, by_point, [t - window_ps for t in turns_ps])
    bar = limit_nw * window_ps * ONE
    above = [1000 * held - bar for held in map(sub, _spent(lines, by_point, turns_ps), begun)]
    return [
        piece
        for (from_ps, before), (to_ps, after) in pairwise(zip(turns_ps, above, strict=True))
        if (piece := _above(from_ps, to_ps, before, after))
    ]


def _above(from_ps: int, to_ps: int, before: int, after: int) -> tuple[int, int] | None:
    """Where the straight line from ``before`` to ``after`` is above 0, its crossing rounded up to a picosecond."""
    if before <= 0 and after <= 0:
        return None
    if before > 0 and after > 0:
        return from_ps, to_ps
    wait = (abs(before) * (to_ps - from_ps) << _PARTS) // abs(after - before)
    turn_ps = from_ps + ceil_div(wait, 1 << _PARTS)
    return (turn_ps, to_ps) if after > 0 else (from_ps, turn_ps)


def _by_point(lines: Screen) -> list[int]:
    """The integral of power from the first of the lines' points to each."""
    lengths_ps = map(sub, lines.points_ps[1:], lines.points_ps)
    return list(accumulate(chain([0], map(mul, lines.slope, lengths_ps))))


def _spent(lines: Screen, by_point: Sequence[int], instants_ps: Iterable[int]) -> list[int]:
    """The integral of power by each of ``instants_ps`` (ascending)."""
    points_ps, slopes = lines.points_ps, lines.slope
    found: list[int] = []
    i, last = 0, len(points_ps) - 1
    for instant_ps in instants_ps:
        while i < last and points_ps[i + 1] <= instant_ps:
            i += 1
        found.append(by_point[i] + slopes[i] * (instant_ps - points_ps[i]))
    return found
