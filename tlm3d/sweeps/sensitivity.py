"""How far each computing time and each link's rate may go with every bound kept, one changed at a time."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from tlm3d.analysis.why import Change
from tlm3d.bounds.result import Bounds
from tlm3d.bounds.sensitivity import Edge, Keeps, RateMargin, Sensitivity, TimeMargin, largest, least
from tlm3d.bounds.verdict import lost
from tlm3d.errors import Tlm3dError
from tlm3d.model.computing_times import computing_times
from tlm3d.simulation import bound
from tlm3d.spec.platform import PlatformSpec
from tlm3d.spec.workload import WorkloadSpec
from tlm3d.sweeps.remedies import changed
from tlm3d.units import scaled_text

Told = Callable[[int, int], object]  # how many margins of how many are found


def sensitivity(
    platform: PlatformSpec,
    workload: WorkloadSpec,
    policy: str | None = None,
    now: Bounds | None = None,
    done: Told | None = None,
) -> Sensitivity:
    """The largest computing time of each task on each block, and the least rate of each link.

    ``now``: the bounds as it is, where they are known. Of what is not guaranteed as it is, what would make it so. A
    rate that the link cannot have, or the platform not with it, does not keep. Raises what ``bound`` does.
    """
    lost_now = lost(now or bound(platform, workload, policy))
    times_ps = computing_times(platform, workload)
    total = len(times_ps) + len(platform.links)
    times: list[TimeMargin] = []
    rates: list[RateMargin] = []

    def told() -> None:
        if done:
            done(len(times) + len(rates), total)

    told()
    for (task, block), time_ps in times_ps.items():
        tried = _Tried(Fraction(1), lost_now, _stretched(platform, workload, policy, task, block))
        edge = largest(tried.keeps, Fraction(1))
        times.append(TimeMargin(task, block, time_ps, edge, tried.first(edge)))
        told()
    for name, link in platform.links.items():
        rate_bps = link.rate_bps
        tried = _Tried(rate_bps, lost_now, _with_rate(platform, workload, policy, name))
        edge = least(tried.keeps, rate_bps)
        rates.append(RateMargin(name, rate_bps, link.wire_lanes > 1, edge, tried.first(edge)))
        told()
    return Sensitivity(tuple(times), tuple(rates))


_Bounded = Callable[[Fraction], Bounds]


def _stretched(platform: PlatformSpec, workload: WorkloadSpec, policy: str | None, task: str, block: str) -> _Bounded:
    return lambda factor: bound(platform, workload, policy, stretch={(task, block): factor})


def _with_rate(platform: PlatformSpec, workload: WorkloadSpec, policy: str | None, link: str) -> _Bounded:
    def bounded(rate_bps: Fraction) -> Bounds:
        change = Change("", settings=(f"links.{link}.rate={scaled_text('1 bit/s', rate_bps)}",))
        return bound(*changed(platform, workload, change), policy)

    return bounded


class _Tried:
    """What was lost at each value that was tried; nothing is analysed twice."""

    def __init__(self, now: Fraction, lost_now: tuple[str, ...], bounded: _Bounded) -> None:
        self._lost: dict[Fraction, tuple[str, ...] | None] = {now: lost_now}
        self._bounded = bounded

    @property
    def keeps(self) -> Keeps:
        return lambda value: self._at(value) == ()

    def _at(self, value: Fraction) -> tuple[str, ...] | None:
        """The names of what is lost; None where there can be no such system."""
        if value not in self._lost:
            try:
                self._lost[value] = lost(self._bounded(value))
            except Tlm3dError:
                self._lost[value] = None
        return self._lost[value]

    def first(self, edge: Edge | None) -> tuple[str, ...]:
        """Whose bound is lost just beyond the edge."""
        return () if edge is None or edge.beyond is None else self._at(edge.beyond) or ()
