"""Steps over time, by hand: counts, labels, states and power inside a window of 100 ps."""

from __future__ import annotations

import pytest
from unit.analysis.made import ARRAY, TSV, job, leg, recording, span, state

from tlm3d.analysis.timeline import carrying, count, die_power, jobs_active, labels, over_ps, queue, states
from tlm3d.record.recording import Recording

H = 100


def test_a_count_goes_up_at_a_start_and_down_at_an_end() -> None:
    assert count([(10, 40), (20, 30), (40, 50)], H) == [(0, 0), (10, 1), (20, 2), (30, 1), (50, 0)]


def test_what_is_outside_the_window_is_not_seen() -> None:
    assert count([(-20, 5), (-9, -3), (90, 200), (100, 120), (300, 400)], H) == [(0, 1), (5, 0), (90, 1)]


def test_what_would_change_at_the_horizon_itself_is_left_out() -> None:
    assert count([(0, 100)], H) == [(0, 1)]
    assert labels([(60, 100, "active")], "idle", H) == [(0, "idle"), (60, "active")]


def test_the_later_of_two_labels_shows_and_the_earlier_one_comes_back() -> None:
    assert labels([(10, 60, "a"), (20, 30, "b")], "-", H) == [(0, "-"), (10, "a"), (20, "b"), (30, "a"), (60, "-")]


def test_labels_that_touch_leave_no_gap() -> None:
    assert labels([(0, 10, "a"), (10, 20, "a"), (20, 30, "b")], "-", H) == [(0, "a"), (20, "b"), (30, "-")]


def test_a_channel_is_busy_once_while_two_transfers_take_turns() -> None:
    legs = [leg(10, 50, 0), leg(20, 60, 0, posted_ps=12), leg(80, 90, 0, posted_ps=55)]
    assert carrying(legs, H) == [(0, 0), (10, 1), (60, 0), (80, 1), (90, 0)]
    assert queue(legs, H) == [(0, 0), (12, 1), (20, 0), (55, 1), (80, 0)]


@pytest.mark.parametrize(
    ("status", "finish_ps", "until_ps"),
    [("finished", 60, 60), ("finished", 130, H), ("unfinished", -1, H), ("aborted", -1, 70), ("input-lost", -1, 70)],
)
def test_a_job_is_active_until_it_is_over(status: str, finish_ps: int, until_ps: int) -> None:
    made = job(20, 90, finish_ps, status, segments=job(20, 90, 70).segments)
    assert over_ps(made, H) == until_ps
    assert jobs_active([made], H) == [(0, 0), (20, 1), *([(until_ps, 0)] if until_ps < H else [])]


def test_a_job_dropped_at_its_release_is_never_active() -> None:
    assert jobs_active([job(20, 90, status="dropped")], H) == [(0, 0)]


def state_of(made: Recording) -> list[tuple[int, str]]:
    return states(made)[ARRAY]


def test_leakage_is_no_state() -> None:
    assert state_of(recording(H, states=[state(0, H, 5)])) == [(0, "idle")]


def test_a_block_that_draws_power_when_idle_is_active_the_rest_of_the_time() -> None:
    idle = [state(0, 30, 5, "idle"), state(50, H, 5, "idle")]
    assert state_of(recording(H, states=idle)) == [(0, "idle"), (30, "active"), (50, "idle")]


def test_a_block_that_draws_power_only_when_active_is_idle_the_rest_of_the_time() -> None:
    assert state_of(recording(H, states=[state(30, 50, 5, "active")])) == [(0, "idle"), (30, "active"), (50, "idle")]


def test_a_block_whose_states_cost_nothing_is_active_while_it_computes_but_not_while_it_loads() -> None:
    spans = [span(0, 30, 0, what="load"), span(30, 50, 7)]
    assert state_of(recording(H, spans=spans)) == [(0, "idle"), (30, "active"), (50, "idle")]


def test_a_link_without_power_states_is_active_while_it_carries() -> None:
    assert states(recording(H, legs=[leg(10, 20, 3)]))[TSV] == [(0, "idle"), (10, "active"), (20, "idle")]


def test_any_state_that_the_record_names_is_shown() -> None:
    known = [state(0, 30, 1, "gated"), state(30, 40, 9, "wake-up")]
    spans = [span(20, 60, 7)]
    assert state_of(recording(H, spans=spans, states=known)) == [
        (0, "gated"), (30, "wake-up"), (40, "active"), (60, "idle"),
    ]  # fmt: skip


def test_the_power_of_a_die_is_the_sum_of_what_it_spends_to_the_nearest_nanowatt() -> None:
    # 100 aJ over 60 ps are 1666.67 nW; 7 aJ over 20 ps are 350 nW; the leakage of 5 nW is there all the time.
    made = recording(H, spans=[span(10, 70, 100)], legs=[leg(60, 80, 7)], states=[state(0, H, 5)])
    assert die_power(made) == {
        "logic": [(0, 5), (10, 1672), (60, 2022), (70, 355), (80, 5)],
        "npu": [(0, 0)],
    }


def test_power_comes_back_to_exactly_what_it_was() -> None:
    thirds = [span(10 * i, 10 * i + 3, 1) for i in range(9)]
    power = die_power(recording(H, spans=thirds, states=[state(0, H, 5)]))["logic"]
    assert [value for _, value in power] == [338, 5] * 9
