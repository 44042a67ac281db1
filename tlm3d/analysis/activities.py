"""Everything that spends energy, in one form, and the energy spent by any instant.

Spans and transfer legs spend ⌊E·(t − s)/d⌋ by t, states ⌊p·t/1000⌋: both are ⌊amount·(t − origin)/per⌋. Pure integers
of Python, because a run of a minute at 150 mW already passes what 64 bits hold.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate, chain, groupby
from typing import NamedTuple

from tlm3d.errors import SimulationError
from tlm3d.record.recording import Recording, Span

_ENERGY = Span._fields.index("energy_aj")  # looked up by name it takes twice the time


class Activity(NamedTuple):
    """Spends ``amount_aj`` every ``per_ps``, counted from ``origin_ps``, during [start_ps, end_ps) within [0, H]."""

    amount_aj: int
    per_ps: int
    origin_ps: int
    start_ps: int
    end_ps: int


def activities(recording: Recording, from_ps: int = 0, until_ps: int | None = None) -> list[Activity]:
    """All states, and the spans and legs that spend energy, cut to [from_ps, until_ps], by default to [0, H].

    Where a span or leg without energy begins or ends power does not change: it makes no breakpoint.
    Raises SimulationError for energy that is negative or spent in no time.
    """
    horizon_ps = recording.horizon_ps if until_ps is None else until_ps
    found: list[Activity] = []
    add = found.append
    of_spans = ((span.energy_aj, span.start_ps, span.end_ps) for span in recording.spans if span[_ENERGY])
    of_legs = ((leg.energy_aj, leg.start_ps, leg.end_ps) for leg in recording.legs if leg.energy_aj)
    for energy_aj, start_ps, end_ps in chain(of_spans, of_legs):
        if energy_aj < 0 or end_ps <= start_ps:
            raise SimulationError(start_ps, "energy", f"{energy_aj} aJ spent from {start_ps} ps to {end_ps} ps")
        cut_start_ps = start_ps if start_ps > from_ps else from_ps
        cut_end_ps = end_ps if end_ps < horizon_ps else horizon_ps
        if cut_start_ps < cut_end_ps:
            add(Activity(energy_aj, end_ps - start_ps, start_ps, cut_start_ps, cut_end_ps))
    for state in recording.states:
        if state.power_nw < 0:
            raise SimulationError(state.start_ps, state.component.name, f"a state of {state.power_nw} nW")
        start_ps, end_ps = max(state.start_ps, from_ps), min(state.end_ps, horizon_ps)
        if start_ps < end_ps:
            add(Activity(state.power_nw, 1000, 0, start_ps, end_ps))  # 1 nW is 1 aJ every 1000 ps
    return found


def breakpoints_ps(spending: Sequence[Activity], horizon_ps: int, from_ps: int = 0) -> list[int]:
    """``from_ps``, H and every start and end between them, ascending: power is constant from one to the next."""
    starts_ps = sorted([activity.start_ps for activity in spending])
    ends_ps = sorted([activity.end_ps for activity in spending])
    # Two sorted runs merge in no time; a set of all instants would cost several times that.
    return [instant_ps for instant_ps, _ in groupby(sorted([from_ps, *starts_ps, *ends_ps, horizon_ps]))]


def energy_by_aj(spending: Sequence[Activity], points_ps: Sequence[int]) -> list[int]:
    """The energy spent by each of ``points_ps`` (ascending), every activity by its own floor.

    What runs before the first point counts from its own start.
    """
    level_aj = [0] * (len(points_ps) + 1)  # changes, summed up below
    slope = [0] * (len(points_ps) + 1)
    running_aj = [0] * len(points_ps)
    for amount_aj, per_ps, origin_ps, start_ps, end_ps in spending:
        first = bisect_left(points_ps, start_ps)
        last = bisect_left(points_ps, end_ps, first)
        before_aj = amount_aj * (start_ps - origin_ps) // per_ps
        level_aj[last] += amount_aj * (end_ps - origin_ps) // per_ps - before_aj
        if first == last:
            continue
        whole, rest = divmod(amount_aj, per_ps)
        if rest:
            for i in range(first, last):
                running_aj[i] += amount_aj * (points_ps[i] - origin_ps) // per_ps - before_aj
        else:  # no floor to take: all such activities share one straight line
            offset_aj = whole * origin_ps + before_aj
            slope[first] += whole
            slope[last] -= whole
            level_aj[first] -= offset_aj
            level_aj[last] += offset_aj
    lines = zip(accumulate(level_aj), accumulate(slope), points_ps, running_aj, strict=False)
    return [level + aj_per_ps * point_ps + running for level, aj_per_ps, point_ps, running in lines]
