"""The worst power of a run: over any window of a given length, and of any instant.

A screen of fixed-point straight lines finds where the worst can be; only what the screen leaves in doubt is
computed exactly. Between breakpoints power is constant, so the energy of a window [t, t + W] as a function of t has
its maxima where t or t + W is a breakpoint (but for the floors, less than 1 aJ for each activity), and the peak is the
power of one interval between breakpoints.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from math import inf
from operator import attrgetter, sub
from typing import NamedTuple

from tlm3d.analysis.activities import Activity, breakpoints_ps, energy_by_aj
from tlm3d.units import ceil_div

_BITS = 80  # of the fixed point after the attojoule


class Screen(NamedTuple):
    """Straight lines between ``points_ps``, in aJ·2^-80: the energy by each point and the slope from there.

    An activity strays from its line by less than 2 aJ while it runs (its floor, and what its slope was cut by, even
    over a day) and by nothing once it has ended; at most ``most_active`` run at once.
    """

    points_ps: list[int]
    energy: list[int]
    slope: list[int]
    most_active: int


def screen(spending: Sequence[Activity], horizon_ps: int) -> Screen:
    """The lines of ``spending`` over [0, H], in one sweep over starts and ends."""
    points_ps = breakpoints_ps(spending, horizon_ps)
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


def _worst(starts: Sequence[int], estimates: Sequence[int], error: int, unit_ps: int, exact: Exact) -> Worst:
    """The worst of the candidates at ``starts`` (ps) by ``estimates`` (·2^80, each within ``error``).

    1000·estimate/unit_ps is the power in nW. ``exact`` is asked for those only that the estimates leave in doubt.
    """

    def above(bound: int) -> dict[int, int]:
        return {start: estimate for start, estimate in zip(starts, estimates, strict=True) if estimate >= bound}

    def nw(estimate: int) -> int:
        return ceil_div(1000 * estimate, unit_ps << _BITS)

    top = max(estimates)
    power_nw = nw(top + error)
    if power_nw != nw(top - error):
        best = Fraction(1000 * max(exact(sorted(above(top - 2 * error)))), unit_ps)
        power_nw = ceil_div(best.numerator, best.denominator)
    # What exceeds ``power_nw - 1`` comes to ``power_nw``; the estimate says which candidates surely do, or may.
    bar = ceil_div((power_nw - 1) * unit_ps << _BITS, 1000)
    may = above(bar - error)
    sure = min((start for start, estimate in may.items() if estimate - error > bar), default=None)
    doubtful = sorted(start for start in may if sure is None or start < sure)
    proven = (s for s, value in zip(doubtful, exact(doubtful), strict=True) if 1000 * value > (power_nw - 1) * unit_ps)
    at_ps = next(proven, sure)
    assert at_ps is not None, "the best candidate is sure or proven"
    return Worst(power_nw, at_ps)


def worst_window(spending: Sequence[Activity], lines: Screen, window_ps: int) -> Worst:
    """The largest average over any window of ``window_ps`` inside [0, H]. Needs window_ps <= H."""

    def exact(starts_ps: list[int]) -> list[int]:
        points_ps = sorted({*starts_ps, *(start_ps + window_ps for start_ps in starts_ps)})
        by_aj = dict(zip(points_ps, energy_by_aj(spending, points_ps), strict=True))
        return [by_aj[start_ps + window_ps] - by_aj[start_ps] for start_ps in starts_ps]

    # Both ends of a window stray by less than 2 aJ for each running activity.
    error = 4 * lines.most_active << _BITS
    starts_ps, estimates = _windows(lines, window_ps)
    return _worst(starts_ps, estimates, error, window_ps, exact)


def _windows(lines: Screen, window_ps: int) -> tuple[list[int], list[int]]:
    """Start and estimated energy of every window with an end on a breakpoint."""
    points_ps, energy = lines.points_ps, lines.energy
    from_point = bisect_right(points_ps, points_ps[-1] - window_ps)  # so many windows start on a breakpoint
    to_point = bisect_left(points_ps, window_ps)  # the first breakpoint a window ends on
    ends_ps = [point_ps + window_ps for point_ps in points_ps[:from_point]]
    starts_ps = [point_ps - window_ps for point_ps in points_ps[to_point:]]
    estimates = list(map(sub, _on_lines(lines, ends_ps), energy))
    estimates += map(sub, energy[to_point:], _on_lines(lines, starts_ps))
    return points_ps[:from_point] + starts_ps, estimates


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


def worst_peak(spending: Sequence[Activity], lines: Screen) -> Worst:
    """The largest power of any interval between breakpoints: the exact rational sum of what is active."""
    error = lines.most_active  # each slope was cut by less than one unit of the fixed point
    exact = partial(powers_at, spending)
    return _worst(lines.points_ps[:-1], lines.slope[:-1], error, 1, exact)


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
