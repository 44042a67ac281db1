"""Energy accounts worked out by hand, and its cut at the window."""

from __future__ import annotations

import pytest
from unit.analysis.made import ARRAY, TSV, leg, recording, span, state

from tlm3d.analysis.activities import activities, energy_by_aj
from tlm3d.analysis.energy import accounts, booked_aj
from tlm3d.analysis.judge import judge
from tlm3d.analysis.power import Grid, trace
from tlm3d.analysis.result import Account
from tlm3d.errors import SimulationError
from tlm3d.record.recording import Recording


def test_every_joule_has_its_account() -> None:
    made = recording(
        10_000,
        spans=[span(0, 10, 100), span(10, 20, 11), span(20, 30, 7, what="conversion"), span(30, 31, 5, task="-")],
        legs=[leg(5, 9, 13)],
        states=[state(0, 10_000, 3)],  # 3 nW over 10 000 ps: 30 aJ
    )
    assert accounts(booked_aj(made)) == (
        Account(*ARRAY, "compute", "-", 5),
        Account(*ARRAY, "compute", "classify", 111),
        Account(*ARRAY, "conversion", "classify", 7),
        Account(*ARRAY, "leakage", "-", 30),
        Account(*TSV, "link", "classify", 13),
    )


@pytest.mark.parametrize(
    ("start_ps", "end_ps", "inside_aj"),
    [
        (90, 110, 50),  # ⌊101·10/20⌋
        (-5, 5, 51),  # 101 − ⌊101·5/10⌋
        (-10, 110, 84),  # ⌊101·110/120⌋ − ⌊101·10/120⌋ = 92 − 8
        (100, 110, 0),
        (-10, 0, 0),
    ],
)
def test_only_what_is_spent_inside_the_window_counts(start_ps: int, end_ps: int, inside_aj: int) -> None:
    made = recording(100, spans=[span(start_ps, end_ps, 101)])
    assert sum(account.energy_aj for account in accounts(booked_aj(made))) == inside_aj
    assert sum(trace(made).energy_aj) == inside_aj


def test_a_state_that_reaches_over_both_ends_of_the_window_is_cut_there() -> None:
    (account,) = accounts(booked_aj(recording(1500, states=[state(-700, 5000, 1)])))
    assert account.energy_aj == 1


def test_an_account_that_spent_nothing_is_left_out() -> None:
    assert accounts(booked_aj(recording(100, spans=[span(0, 10, 0)], states=[state(0, 100, 0)]))) == ()


@pytest.mark.parametrize(
    "made",
    [
        recording(100, spans=[span(10, 10, 5)]),
        recording(100, legs=[leg(10, 5, 5)]),
        recording(100, spans=[span(10, 20, -1)]),
        recording(100, states=[state(0, 100, -1)]),
    ],
)
def test_negative_energy_and_energy_in_no_time_are_bugs(made: Recording) -> None:
    with pytest.raises(SimulationError):
        activities(made)


def test_the_trace_breaks_at_every_start_and_end_inside_the_window() -> None:
    made = recording(100, spans=[span(10, 40, 30)], legs=[leg(30, 120, 90)], states=[state(-5, 70, 1000)])
    shown = trace(made)
    assert shown.start_ps == (0, 10, 30, 40, 70)
    assert shown.end_ps == (10, 30, 40, 70, 100)
    assert shown.energy_aj == (10, 20 + 20, 10 + 10 + 10, 30 + 30, 30)


def bins_nw(made: Recording, slices: int) -> tuple[float, ...]:
    grid = Grid()
    points_ps = grid.missing_ps(made.horizon_ps)
    *spent_aj, total_aj = energy_by_aj(activities(made), [*points_ps, made.horizon_ps])
    grid.add(points_ps, spent_aj)
    return grid.bins_nw(made.horizon_ps, total_aj, slices)


def test_a_bin_of_constant_power_shows_that_power() -> None:
    made = recording(1_024_000, states=[state(0, 512_000, 2000)])
    assert bins_nw(made, 4) == (2000.0, 2000.0, 0.0, 0.0)


def test_bins_are_equal_but_for_a_sixteenth_of_one_and_lose_no_energy() -> None:
    # 1 000 000 ps at 2 uW up to the middle: a step of 512 ps, borders at 249 856, 499 712 and 749 568 ps.
    made = recording(1_000_000, states=[state(0, 500_000, 2000)])
    shown = bins_nw(made, 4)
    assert shown == (2000.0, 2000.0, 576 * 1000 / 249_856, 0.0)
    assert judge(made).power_bins_nw[:40] == (2000.0,) * 40


def test_a_window_shorter_than_its_bins_has_bins_of_no_time() -> None:
    assert bins_nw(recording(2, states=[state(0, 2, 5000)]), 4) == (0.0, 5000.0, 0.0, 5000.0)


def test_a_grid_that_has_grown_knows_what_one_made_for_the_whole_run_knows() -> None:
    made = recording(1_000_000, spans=[span(3, 999_999, 10**6 + 1)], states=[state(0, 333_333, 7)])
    grown = Grid()
    for until_ps in (1, 900, 50_000, 50_001, 777_777, 1_000_000):
        points_ps = grown.missing_ps(until_ps)
        grown.add(points_ps, energy_by_aj(activities(made), points_ps))
    total_aj = sum(account.energy_aj for account in accounts(booked_aj(made)))
    assert grown.bins_nw(1_000_000, total_aj) == judge(made).power_bins_nw
