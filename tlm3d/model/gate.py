"""The power gate of a block, and the power of whatever has states."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from heapq import merge
from typing import NamedTuple

from tlm3d.blocks import BlockSpec
from tlm3d.record.recording import Component, Recording, Segment, Span, StateInterval
from tlm3d.spec.states import GatedSpec
from tlm3d.tlm.timing import NEVER

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
    return Powers(block.active_nw, states.idle_nw, block.leakage_nw, gated_nw)


class Gate:
    """Cuts a block off once it has had nothing to do for a while; work that is posted then wakes it."""

    def __init__(self, recording: Recording, component: Component, spec: GatedSpec | None) -> None:
        self._recording, self._component, self._spec = recording, component, spec
        self._path = ".".join(component)
        self.engaged = False
        self._idle_since_ps = -spec.after_ps - 1 if spec else 0
        self._woken_ps = self._awake_ps = 0  # the last wake-up lasted over [woken, awake)
        self._gated: list[Interval] = []

    def engage(self, now_ps: int) -> None:
        """There is work from now on; the block is ready for it ``delay_ps`` later."""
        if self.engaged:
            return
        self.engaged = True
        spec = self._spec
        if spec is not None and self._is_gated(now_ps):
            self._gated.append((max(0, self._idle_since_ps + spec.after_ps), now_ps))
            self._woken_ps, self._awake_ps = now_ps, now_ps + spec.wake_time_ps
            book_wake_up(self._recording, self._component, spec, now_ps)

    def release(self, now_ps: int) -> None:
        """Nothing is left to do."""
        self.engaged = False
        self._idle_since_ps = now_ps

    def delay_ps(self, now_ps: int) -> int:
        """How long work that is posted now waits until the block is awake."""
        if self._spec is not None and not self.engaged and self._is_gated(now_ps):
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

    def gated(self) -> list[Interval]:
        """When the block was gated, and will be if nothing is posted any more."""
        if self._spec is None or self.engaged:
            return self._gated
        return [*self._gated, (max(0, self._idle_since_ps + self._spec.after_ps), NEVER)]

    def forget(self, until_ps: int) -> None:
        """Let go of what has ended before ``until_ps``."""
        self._gated = [interval for interval in self._gated if interval[1] >= until_ps]

    def _is_gated(self, now_ps: int) -> bool:
        return self._spec is not None and now_ps > self._idle_since_ps + self._spec.after_ps


def book_wake_up(recording: Recording, component: Component, spec: GatedSpec, woken_ps: int) -> None:
    """Record that ``component`` woke up from ``woken_ps`` on."""
    end_ps = woken_ps + spec.wake_time_ps
    recording.spans.append(Span(component, "wake-up", "-", -1, "-", -1, woken_ps, end_ps, spec.wake_energy_aj))


class States:
    """The states of a component over the run, each recorded once it has ended."""

    def __init__(self, recording: Recording, component: Component, powers: Powers) -> None:
        self._recording, self._component, self._powers = recording, component, powers
        self._since_ps = 0  # since when it is what it is: active, idle or gated
        self._awake_since_ps = 0  # since when it was not gated, or when that ended

    def settle(self, active: Iterable[Interval], gated: Iterable[Interval], until_ps: int) -> list[StateInterval]:
        """Record the states that end before ``until_ps``; returns those that go on there, cut there.

        Both lists are disjoint, in order, and apart. They hold all that starts before ``until_ps`` and may repeat what
        was recorded; of an interval that reaches to ``until_ps`` the end may still change.
        """
        powers, record = self._powers, self._recording.states.append
        going_on, going_on_nw = "idle", powers.idle_nw
        runs = ((*interval, "active", powers.active_nw) for interval in active)
        sleeps = ((*interval, "gated", powers.gated_nw) for interval in gated)
        for start_ps, end_ps, what, power_nw in merge(runs, sleeps):
            if start_ps >= until_ps:
                break
            if end_ps <= self._since_ps:
                continue
            begin_ps = max(start_ps, self._since_ps)
            for state in self._states(begin_ps, "idle", powers.idle_nw):
                record(state)
            self._since_ps = begin_ps
            if what == "gated":
                for state in self._awake(begin_ps):
                    record(state)
                self._awake_since_ps = begin_ps
            if end_ps >= until_ps:
                going_on, going_on_nw = what, power_nw
                break
            for state in self._states(end_ps, what, power_nw):
                record(state)
            self._since_ps = end_ps
            if what == "gated":
                self._awake_since_ps = end_ps
        awake = self._awake(until_ps) if going_on != "gated" else []
        return [*self._states(until_ps, going_on, going_on_nw), *awake]

    def close(self, active: Iterable[Interval], gated: Iterable[Interval]) -> None:
        """Record what is left of the window."""
        self._recording.states += self.settle(active, gated, self._recording.horizon_ps)

    def _states(self, end_ps: int, what: str, power_nw: int) -> list[StateInterval]:
        # A part that draws nothing is still known to be gated.
        if (not power_nw and what != "gated") or end_ps <= self._since_ps:
            return []
        return [StateInterval(self._component, what, power_nw, self._since_ps, end_ps)]

    def _awake(self, end_ps: int) -> list[StateInterval]:
        since_ps, powers = self._awake_since_ps, self._powers
        drawn = (("pll", powers.awake_nw), ("leakage", powers.leakage_nw))
        return [
            StateInterval(self._component, what, power_nw, since_ps, end_ps)
            for what, power_nw in drawn
            if power_nw and since_ps < end_ps
        ]


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
