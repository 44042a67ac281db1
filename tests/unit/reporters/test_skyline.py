"""Power over time in characters: the mean is kept, the largest column is full."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlm3d.reporters.skyline import axis, skyline, slices

POWERS = st.lists(st.floats(0, 1e9), min_size=1, max_size=90)


def test_slices_cut_in_two_count_by_their_part() -> None:
    # Three slices as two: the middle one goes half to each, (6 + 3/2·...) by hand: (6 + 0.5·3)/1.5 and (0.5·3 + 0)/1.5.
    assert slices((6.0, 3.0, 0.0), 2) == (5.0, 1.0)


@given(POWERS, st.integers(1, 100))
def test_fitting_to_the_page_keeps_the_average(powers: list[float], width: int) -> None:
    fitted = slices(powers, width)
    assert len(fitted) <= width
    assert sum(fitted) / len(fitted) == pytest.approx(sum(powers) / len(powers), rel=1e-9, abs=1e-6)


def test_heights_are_in_eighths_of_four_rows() -> None:
    # 32 steps for the largest; 17 is two rows and an eighth; a trace of power shows; none does not.
    assert skyline((32.0, 17.0, 0.001, 0.0)) == ["█   ", "█▁  ", "██  ", "██▁ "]
    assert skyline((12.0, 7.0), ascii_only=True) == ["# ", "#.", "##", "##"]


def test_no_power_at_all_is_an_empty_sky() -> None:
    assert skyline((0.0, 0.0)) == ["  "] * 4


def test_the_axis_ends_at_the_horizon() -> None:
    assert axis(31, 10**11) == "0 s         50.0 ms      100 ms"
    assert axis(12, 10**11) == "0 s   100 ms"
