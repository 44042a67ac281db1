"""The worst power of a run: over any window of a given length, and of any instant.

A screen of fixed-point straight lines finds where the worst can be; only what the screen leaves in doubt is
computed exactly. Between breakpoints power is constant, so the energy of a window [t, t + W] as a function of t has
its maxima where t or t + W is a breakpoint (but for the floors, less than 1 aJ for each activity), and the peak is the
power of one interval between breakpoints.

A run is judged in one stretch or in several, with the same result: a window belongs to the stretch that it ends in, an
interval to the one it starts in, and where a stretch is cut is no breakpoint.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from math import inf
from operator import attrgetter, sub
from typing import NamedTuple

from tlm3d.analysis.activities import Activity, energy_by_aj
from tlm3d.units import ceil_div

_BITS = 80  # of the fixed point after the attojoule
ONE = 1 << _BITS  # an attojoule, or an attojoule a picosecond, of a Screen


class Stretch(NamedTuple):
    """A part of the run that is judged at once: windows that end, and intervals that start, in [since_ps, last_ps].

    ``spending`` is all that overlaps [from_ps, until_ps], cut to it, where from_ps lies before every window that ends
    here. ``points_ps`` are the two and all starts and ends between, ascending; those from ``first`` up to ``end`` are
    breakpoints of the run.
    """

    spending: Sequence[Activity]
    points_ps: list[int]
    first: int
    end: int
    since_ps: int
    last_ps: int


class Screen(NamedTuple):
    """Straight lines between ``points_ps``, in aJ·2^-80: the energy by each point and the slope from there.

    An activity strays from its line by less than 2 aJ while it runs (its floor, and what its slope was cut by, even
    over a day) and by nothing once it has ended; at most ``most_active`` run at once.
    """

    points_ps: list[int]
    energy: list[int]
    slope: list[int]
    most_active: int


def screen(stretch: Stretch) -> Screen:
    """The lines of what a stretch spends, in one sweep over starts and ends."""
    spending, points_ps = stretch.spending, stretch.points_ps
    starting = sorted(spending, key=attrgetter("start_ps"), reverse=True)
    ending = sorted(spending, key=attrgetter("end_ps"), reverse=True)
    energies: list[int] = []
    slopes: list[int] = []
    energy = slope = before_ps = most_active = 0
    for point_ps in points_ps:
        energy += slope * (point_ps - before_ps)
        while ending and ending[-1].end_ps == point_ps:
            amount_aj, per_ps, origin_ps, start_ps, _ = ending.pop()
            ended = (amount_aj << _BITS) // per_ps
            slope -= ended
            exact_aj = amount_aj * (point_ps - origin_ps) // per_ps - amount_aj * (start_ps - origin_ps) // per_ps
            energy += (exact_aj << _BITS) - ended * (point_ps - start_ps)
        while starting and starting[-1].start_ps == point_ps:
            activity = starting.pop()
            slope += (activity.amount_aj << _BITS) // activity.per_ps
        most_active = max(most_active, len(ending) - len(starting))
        energies.append(energy)
        slopes.append(slope)
        before_ps = point_ps
    return Screen(points_ps, energies, slopes, most_active)


class Worst(NamedTuple):
    """The worst power, rounded up to a nW, and the start of the first interval or window that comes to it."""

    power_nw: int
    at_ps: int


Exact = Callable[[list[int]], Sequence[int | Fraction]]  # starts, ascending -> energies or powers in aJ, aJ/ps


def _worst(
    starts: Sequence[int], estimates: Sequence[int], error: int, unit_ps: int, exact: Exact, before: Worst | None
) -> Worst | None:
    """The worst of the candidates at ``starts`` (ps) by ``estimates`` (·2^80, each within ``error``) and of ``before``,
    which all start after.

    1000·estimate/unit_ps is the power in nW. ``exact`` is asked for those only that the estimates leave in doubt.
    """

    def above(bound: int) -> dict[int, int]:
        return {start: estimate for start, estimate in zip(starts, estimates, strict=True) if estimate >= bound}

    def nw(estimate: int) -> int:
        return ceil_div(1000 * estimate, unit_ps << _BITS)

    if not estimates:
        return before
    top = max(estimates)
    power_nw = nw(top + error)
    if before is not None and power_nw <= before.power_nw:
        return before
    if power_nw != nw(top - error):
        best = Fraction(1000 * max(exact(sorted(above(top - 2 * error)))), unit_ps)
        power_nw = ceil_div(best.numerator, best.denominator)
        if before is not None and power_nw <= before.power_nw:
            return before
    # What exceeds ``power_nw - 1`` comes to ``power_nw``; the estimate says which candidates surely do, or may.
    bar = ceil_div((power_nw - 1) * unit_ps << _BITS, 1000)
    may = above(bar - error)
    sure = min((start for start, estimate in may.items() if estimate - error > bar), default=None)
    doubtful = sorted(start for start in may if sure is None or start < sure)
    proven = (s for s, value in zip(doubtful, exact(doubtful), strict=True) if 1000 * value > (power_nw - 1) * unit_ps)
    at_ps = next(proven, sure)
    assert at_ps is not None, "the best candidate is sure or proven"
    return Worst(power_nw, at_ps)


def worst_window(stretch: Stretch, lines: Screen, window_ps: int, before: Worst | None = None) -> Worst | None:
    """The largest average over any window of ``window_ps`` inside [0, H] that ends in the stretch, or ``before`` it.

    None where there is no such window yet.
    """

    def exact(starts_ps: list[int]) -> list[int]:
        if not starts_ps:
            return []
        points_ps = sorted({*starts_ps, *(start_ps + window_ps for start_ps in starts_ps)})
        first_ps, last_ps = points_ps[0], points_ps[-1]
        here = [one for one in stretch.spending if one.end_ps > first_ps and one.start_ps < last_ps]
        by_aj = dict(zip(points_ps, energy_by_aj(here, points_ps), strict=True))
        return [by_aj[start_ps + window_ps] - by_aj[start_ps] for start_ps in starts_ps]

    # Both ends of a window stray by less than 2 aJ for each running activity.
    error = 4 * lines.most_active << _BITS
    starts_ps, estimates = _windows(stretch, lines, window_ps)
    return _worst(starts_ps, estimates, error, window_ps, exact, before)


def _windows(stretch: Stretch, lines: Screen, window_ps: int) -> tuple[list[int], list[int]]:
    """Start and estimated energy of every window that ends in the stretch and has an end on a breakpoint."""
    points_ps, energy = lines.points_ps, lines.energy
    first, end = stretch.first, stretch.end
    low = bisect_left(points_ps, stretch.since_ps - window_ps, first, end)  # windows start on these breakpoints
    high = bisect_right(points_ps, stretch.last_ps - window_ps, low, end)
    to_point = bisect_left(points_ps, max(stretch.since_ps, window_ps), first, end)  # and end on those from here on
    ends_ps = [point_ps + window_ps for point_ps in points_ps[low:high]]
    starts_ps = [point_ps - window_ps for point_ps in points_ps[to_point:end]]
    estimates = list(map(sub, _on_lines(lines, ends_ps), energy[low:high]))
    estimates += map(sub, energy[to_point:end], _on_lines(lines, starts_ps))
    return points_ps[low:high] + starts_ps, estimates


def _on_lines(lines: Screen, instants_ps: Sequence[int]) -> list[int]:
    """The energy that the lines come to by each of ``instants_ps`` (ascending, within [0, H])."""
    energies: list[int] = []
    found = zip(lines.points_ps, [*lines.points_ps[1:], inf], lines.energy, lines.slope, strict=True)
    point_ps, next_ps, energy, slope = next(found)
    for instant_ps in instants_ps:
        while instant_ps >= next_ps:
            point_ps, next_ps, energy, slope = next(found)
        energies.append(energy + slope * (instant_ps - point_ps))
    return energies


def worst_peak(stretch: Stretch, lines: Screen, before: Worst | None, error: int, exact: Exact) -> Worst | None:
    """The largest power of any interval that starts in the stretch, or ``before`` it: the exact rational sum of what is
    active. None where no interval has started yet.

    The slopes of ``lines`` are within ``error`` of what ``exact`` says.
    """
    first = bisect_left(lines.points_ps, stretch.since_ps, stretch.first, stretch.end)
    end = min(stretch.end, len(lines.points_ps) - 1)  # at the end of the run no interval starts
    return _worst(lines.points_ps[first:end], lines.slope[first:end], error, 1, exact, before)


def peaks(stretch: Stretch, lines: Screen) -> tuple[int, Exact]:
    """How far the slopes are from the exact power, each activity's cut by less than one unit; and that power."""
    return lines.most_active, partial(powers_at, stretch.spending)


def powers_at(spending: Sequence[Activity], instants_ps: Sequence[int]) -> list[Fraction]:
    """The exact power in aJ/ps from each of ``instants_ps`` (ascending) on."""
    active: list[list[tuple[int, int]]] = [[] for _ in instants_ps]
    for amount_aj, per_ps, _, start_ps, end_ps in spending:
        first = bisect_left(instants_ps, start_ps)
        for i in range(first, bisect_left(instants_ps, end_ps, first)):
            active[i].append((amount_aj, per_ps))
    # Periodic work comes to the same sum again and again.
    sums: dict[tuple[tuple[int, int], ...], Fraction] = {}
    keys = [tuple(sorted(rates)) for rates in active]
    for key in keys:
        if key not in sums:
            sums[key] = sum((Fraction(*rate) for rate in key), Fraction(0))
    return [sums[key] for key in keys]
