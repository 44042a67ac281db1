"""The power gate of a block, and the power of whatever has states."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from heapq import merge
from typing import NamedTuple

from tlm3d.blocks import BlockSpec
from tlm3d.record.recording import Component, Recording, Segment, Span, StateInterval
from tlm3d.spec.states import GatedSpec

Interval = tuple[int, int]  # [start, end) in ps


class Powers(NamedTuple):
    """What a component draws in each of its states, nW. Active or idle, and awake and leakage on top; or gated."""

    active_nw: int = 0
    idle_nw: int = 0
    leakage_nw: int = 0
    gated_nw: int = 0
    awake_nw: int = 0


def powers_of(block: BlockSpec) -> Powers:
    """The powers of a block."""
    states = block.states
    gated_nw = states.gated.power_nw if states.gated else 0
    return Powers(states.active_nw, states.idle_nw, block.leakage_nw, gated_nw)


class Gate:
    """Cuts a block off once it has had nothing to do for a while; work that is posted then wakes it."""

    def __init__(self, recording: Recording, component: Component, spec: GatedSpec | None) -> None:
        self._recording, self._component, self._spec = recording, component, spec
        self._path = ".".join(component)
        self._engaged = False
        self._idle_since_ps = -spec.after_ps - 1 if spec else 0
        self._woken_ps = self._awake_ps = 0  # the last wake-up lasted over [woken, awake)
        self._gated: list[Interval] = []

    def engage(self, now_ps: int) -> None:
        """There is work from now on; the block is ready for it ``delay_ps`` later."""
        if self._engaged:
            return
        self._engaged = True
        spec = self._spec
        if spec is not None and self._is_gated(now_ps):
            self._gated.append((max(0, self._idle_since_ps + spec.after_ps), now_ps))
            self._woken_ps, self._awake_ps = now_ps, now_ps + spec.wake_time_ps
            book_wake_up(self._recording, self._component, self._path, spec, now_ps)

    def release(self, now_ps: int) -> None:
        """Nothing is left to do."""
        self._engaged = False
        self._idle_since_ps = now_ps

    def delay_ps(self, now_ps: int) -> int:
        """How long work that is posted now waits until the block is awake."""
        if self._spec is not None and not self._engaged and self._is_gated(now_ps):
            return self._spec.wake_time_ps
        return max(0, self._awake_ps - now_ps)

    def waits(
        self, since_ps: int, now_ps: int, others: Callable[[int, int], tuple[Segment, ...]]
    ) -> tuple[Segment, ...]:
        """What a job waited for over [since, now): the wake-up where there was one, else what ``others`` says."""
        start_ps, end_ps = max(since_ps, self._woken_ps), min(now_ps, self._awake_ps)
        if start_ps >= end_ps:
            return others(since_ps, now_ps) if since_ps < now_ps else ()
        before = others(since_ps, start_ps) if since_ps < start_ps else ()
        after = others(end_ps, now_ps) if end_ps < now_ps else ()
        return (*before, Segment("wake-up", start_ps, end_ps, self._path, "-"), *after)

    def gated(self, horizon_ps: int) -> list[Interval]:
        """When the block was gated, up to the horizon."""
        if self._spec is None or self._engaged:
            return self._gated
        return [*self._gated, (max(0, self._idle_since_ps + self._spec.after_ps), horizon_ps)]

    def _is_gated(self, now_ps: int) -> bool:
        return self._spec is not None and now_ps > self._idle_since_ps + self._spec.after_ps


def book_wake_up(recording: Recording, component: Component, where: str, spec: GatedSpec, woken_ps: int) -> None:
    """Record that ``where`` woke up from ``woken_ps`` on."""
    end_ps = woken_ps + spec.wake_time_ps
    recording.spans.append(Span(component, "wake-up", "-", -1, where, -1, woken_ps, end_ps, spec.wake_energy_aj))


def book_states(
    recording: Recording,
    component: Component,
    powers: Powers,
    active: Iterable[Interval],
    gated: Iterable[Interval] = (),
) -> None:
    """Record the states of ``component`` over the window; both lists are disjoint, in order, and apart."""
    horizon_ps = recording.horizon_ps
    active = _clipped(active, horizon_ps)
    gated = _clipped(gated, horizon_ps)
    awake = _gaps(gated, horizon_ps)
    idle = _gaps(merge(active, gated), horizon_ps)
    states = [
        StateInterval(component, what, power_nw, *interval)
        for what, power_nw, intervals in (
            ("active", powers.active_nw, active),
            ("idle", powers.idle_nw, idle),
            ("gated", powers.gated_nw, gated),
            ("pll", powers.awake_nw, awake),
            ("leakage", powers.leakage_nw, awake),
        )
        if power_nw or what == "gated"  # a part that draws nothing is still known to be gated
        for interval in intervals
    ]
    recording.states += sorted(states, key=lambda state: state.start_ps)


def joined(intervals: Iterable[Interval]) -> list[Interval]:
    """``intervals`` in any order as disjoint ones in order; those that touch or overlap become one."""
    found: list[Interval] = []
    for start_ps, end_ps in sorted(intervals):
        if found and start_ps <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end_ps))
        else:
            found.append((start_ps, end_ps))
    return found


def without(intervals: Iterable[Interval], holes: Iterable[Interval]) -> list[Interval]:
    """What of ``intervals`` lies in none of ``holes``; all disjoint and in order."""
    found: list[Interval] = []
    left = deque(holes)
    for start_ps, end_ps in intervals:
        at_ps = start_ps
        while left and left[0][1] <= at_ps:
            left.popleft()
        for hole_start_ps, hole_end_ps in left:
            if hole_start_ps >= end_ps:
                break
            if at_ps < hole_start_ps:
                found.append((at_ps, hole_start_ps))
            at_ps = max(at_ps, hole_end_ps)
        if at_ps < end_ps:
            found.append((at_ps, end_ps))
    return found


def _clipped(intervals: Iterable[Interval], horizon_ps: int) -> list[Interval]:
    cut = [(max(0, start_ps), min(end_ps, horizon_ps)) for start_ps, end_ps in intervals]
    return [(start_ps, end_ps) for start_ps, end_ps in cut if start_ps < end_ps]


def _gaps(intervals: Iterable[Interval], horizon_ps: int) -> list[Interval]:
    """What of [0, H) ``intervals`` leave over."""
    found: list[Interval] = []
    at_ps = 0
    for start_ps, end_ps in intervals:
        if at_ps < start_ps:
            found.append((at_ps, start_ps))
        at_ps = end_ps
    if at_ps < horizon_ps:
        found.append((at_ps, horizon_ps))
    return found
