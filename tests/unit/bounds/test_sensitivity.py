"""The search for the last value that keeps a bound: what it tells was tried, and so was its neighbour."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlm3d.bounds.sensitivity import LIMIT, Edge, TimeMargin, largest, least

ABOVE_ZERO = st.fractions(min_value=Fraction(1, 10**6), max_value=10**12)


@pytest.mark.parametrize(
    ("most", "value", "beyond"),
    [("1.2345", "1.23", "1.24"), ("99.96", "99.9", "100"), ("0.41", "0.41", "0.411"), ("1", "1", "1.01")],
)
def test_the_largest_factor_has_three_digits_and_its_neighbour_does_not_keep(
    most: str, value: str, beyond: str
) -> None:
    assert largest(lambda x: x <= Fraction(most), Fraction(1)) == Edge(Fraction(value), Fraction(beyond))


@pytest.mark.parametrize(
    ("enough", "value", "beyond"),
    [("12345", "12400", "12300"), ("1000000", "1000000", "999000"), ("2345678", "2350000", "2340000")],
)
def test_the_least_rate_is_rounded_up(enough: str, value: str, beyond: str) -> None:
    assert least(lambda x: x >= Fraction(enough), Fraction(10**6)) == Edge(Fraction(value), Fraction(beyond))


def test_what_keeps_at_the_limit_of_the_search_has_no_neighbour() -> None:
    assert largest(lambda x: True, Fraction(3)) == Edge(Fraction(3 * LIMIT), None)
    assert least(lambda x: True, Fraction(3)) == Edge(Fraction(3, LIMIT), None)


def test_where_nothing_will_do_there_is_no_edge() -> None:
    assert largest(lambda x: False, Fraction(1)) is None
    assert least(lambda x: False, Fraction(1)) is None


@given(now=ABOVE_ZERO, edge=ABOVE_ZERO, rising=st.booleans())
def test_a_monotone_edge_is_found_within_one_in_a_hundred(now: Fraction, edge: Fraction, rising: bool) -> None:
    def keeps(value: Fraction) -> bool:
        return value <= edge if rising else value >= edge

    found = (largest if rising else least)(keeps, now)
    easiest, hardest = (now / LIMIT, now * LIMIT) if rising else (now * LIMIT, now / LIMIT)
    if found is None:
        assert not keeps(easiest * Fraction(*((99, 100) if rising else (101, 100))))
        return
    assert keeps(found.value)
    if found.beyond is None:
        assert abs(found.value - hardest) <= hardest / 100
        return
    assert not keeps(found.beyond)
    inner, outer = sorted((found.value, found.beyond))
    assert inner < outer <= inner * Fraction(101, 100)


@given(now=ABOVE_ZERO, rising=st.booleans(), odds=st.randoms(use_true_random=False))
def test_whatever_keeps_the_value_told_was_tried(now: Fraction, rising: bool, odds: object) -> None:
    tried: dict[Fraction, bool] = {}

    def keeps(value: Fraction) -> bool:
        assert value not in tried  # an analysis is not run twice for nothing
        tried[value] = odds.random() < 0.5  # type: ignore[attr-defined]
        return tried[value]

    found = (largest if rising else least)(keeps, now)
    if found is not None:
        assert tried[found.value]
        assert found.beyond is None or not tried[found.beyond]
    assert len(tried) <= 15


def test_the_largest_time_of_a_job_is_rounded_down() -> None:
    assert TimeMargin("look", "npu.array", 7, Edge(Fraction(3, 2))).most_ps == 10
    assert TimeMargin("look", "npu.array", 7, None).most_ps is None
