"""States recorded as they end, or all at the end: the same intervals."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from tlm3d.model.gate import Interval, Powers, States, joined, without
from tlm3d.record.recording import Component, Recording, StateInterval

POWERS = Powers(active_nw=5, idle_nw=3, leakage_nw=2, gated_nw=1, awake_nw=4)
PORT = Component("logic", "sram")
H = 100

_intervals = st.lists(st.tuples(st.integers(0, 110), st.integers(1, 40)), max_size=6).map(
    lambda found: joined((start_ps, start_ps + length_ps) for start_ps, length_ps in found)
)


def states(busy: list[Interval], gated: list[Interval], cuts_ps: Sequence[int] = ()) -> list[StateInterval]:
    """What is recorded when everything is settled at each cut, and forgotten once it is."""
    recording = Recording("p", "w", "edf", 0, H)
    written = States(recording, PORT, POWERS)
    for cut_ps in cuts_ps:
        going_on = written.settle(without(busy, gated), gated, cut_ps)
        assert all(state.start_ps < state.end_ps == cut_ps for state in going_on)
        busy = [interval for interval in busy if interval[1] >= cut_ps]
        gated = [interval for interval in gated if interval[1] >= cut_ps]
    written.close(without(busy, gated), gated)
    return sorted(recording.states)


@settings(max_examples=300)
@given(_intervals, _intervals, st.sets(st.integers(1, H), max_size=5))
def test_states_settled_on_the_way_are_those_of_the_whole_window(
    busy: list[Interval], gated: list[Interval], cuts_ps: set[int]
) -> None:
    assert states(busy, gated, sorted(cuts_ps)) == states(busy, gated)


@given(_intervals, _intervals)
def test_a_part_is_active_idle_or_gated_at_every_instant_and_leaks_when_not_gated(
    busy: list[Interval], gated: list[Interval]
) -> None:
    def inside(intervals: list[Interval], at_ps: int) -> bool:
        return any(start_ps <= at_ps < end_ps for start_ps, end_ps in intervals)

    written = states(busy, gated)
    for at_ps in range(H):
        drawn = sorted(state.what for state in written if state.start_ps <= at_ps < state.end_ps)
        if inside(gated, at_ps):
            assert drawn == ["gated"]
        else:
            assert drawn == sorted(["active" if inside(busy, at_ps) else "idle", "leakage", "pll"])
    assert all(0 <= state.start_ps < state.end_ps <= H for state in written)
