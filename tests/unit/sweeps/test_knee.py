"""The knee: the least value from which all larger tried ones are MET."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from tlm3d.analysis.sweep import Row, crossings, knees, spreads


def rows(*verdicts: str, other: str = "x") -> list[Row]:
    return [Row((str(i), other), verdict=verdict) for i, verdict in enumerate(verdicts)]


def magnitudes(n: int) -> list[Fraction | None]:
    return [Fraction(i) for i in range(n)]


def test_the_knee_is_the_first_of_the_met_run_at_the_top() -> None:
    assert knees(rows("missed", "met", "missed", "met", "met"), magnitudes(5)) == [3]


def test_no_knee_where_the_largest_value_is_not_met() -> None:
    assert knees(rows("met", "met", "missed"), magnitudes(3)) == []
    assert knees(rows("met", "unjudged"), magnitudes(2)) == []


def test_no_knee_where_everything_is_met() -> None:
    assert knees(rows("met", "met"), magnitudes(2)) == []


def test_values_are_ordered_by_size_not_by_position() -> None:
    assert knees(rows("met", "missed", "met"), [Fraction(9), Fraction(1), Fraction(5)]) == [2]


def test_each_combination_of_the_other_values_has_its_own_knee() -> None:
    both = rows("missed", "met", other="x") + rows("met", "met", other="y") + rows("missed", "met", other="z")
    assert knees(both, magnitudes(2) * 3) == [1, 5]


def test_an_error_is_not_met() -> None:
    failed = [*rows("missed", "met"), Row(("2", "x"), error="no route")]
    assert knees(failed, magnitudes(3)) == []


def test_each_corner_has_its_own_knee() -> None:
    low, high = rows("missed", "met", "met"), rows("missed", "missed", "met")
    both = [
        replace(row, corner=corner)
        for pair in zip(low, high, strict=True)
        for row, corner in zip(pair, ("low", "high"), strict=True)
    ]
    assert knees(both, [magnitude for magnitude in magnitudes(3) for _ in range(2)]) == [2, 5]


def test_the_spread_of_a_point_leaves_out_corners_in_error_and_is_of_several_corners() -> None:
    low = Row(("1",), corner="low", worst_response_ps=5, worst_task="t", average_nw=2.0, total_aj=7)
    high = Row(("1",), corner="high", error="no route")
    (spread,) = spreads([low, high])
    assert (spread.values, spread.worst_response_ps, spread.total_aj) == (("1",), {"low": 5}, {"low": 7})
    assert spreads([low]) == []


def why(found: list[Row], sizes: list[Fraction | None], **options: bool) -> list[str]:
    return [one.why_none for one in crossings(found, sizes, **options)]


def test_where_there_is_no_knee_it_says_which_way_of_having_none_it_is() -> None:
    assert why(rows("met", "met"), magnitudes(2)) == ["all tried values are MET"]
    assert why(rows("met", "missed"), magnitudes(2)) == ["the largest tried value, 1, is not MET"]
    assert why(rows("met", "missed"), [Fraction(9), Fraction(1)]) == [""]
    assert why([Row(("0", "x"), error="no route"), Row(("1", "x"), error="no route")], magnitudes(2)) == ["nothing ran"]
    texts = rows("met", "missed", other="x") + rows("met", "missed", other="y")
    assert why(texts, [None] * 4) == ["the values are texts, which have no order"]
    assert why(rows("met", "met"), [None] * 2) == ["all tried values are MET"]
    both = rows("met", "met", other="x") + rows("met", "missed", other="y") + rows("missed", "met", other="z")
    assert why(both, magnitudes(2) * 3) == ["all tried values are MET", "the largest tried value, 1, is not MET", ""]


def test_paired_values_are_one_list_with_one_knee() -> None:
    pairs = [
        Row((str(i), str(8 * i)), verdict=verdict)
        for i, verdict in enumerate(("missed", "met", "missed", "met", "met"))
    ]
    assert knees(pairs, magnitudes(5), paired=True) == [3]
    assert knees(pairs, magnitudes(5)) == []  # crossed, each would be alone with its other value
    low = [replace(row, corner="low") for row in pairs[:2]]
    assert knees([*pairs, *low], [*magnitudes(5), *magnitudes(2)], paired=True) == [3, 6]


def test_paired_values_may_be_ordered_by_another_than_the_first() -> None:
    pairs = [Row(("edf", "3"), verdict="met"), Row(("fifo", "2"), verdict="met"), Row(("edf", "1"), verdict="missed")]
    (one,) = crossings(pairs, [Fraction(3), Fraction(2), Fraction(1)], by=1, paired=True)
    assert (one.by, one.knee) == (1, 1)


def test_a_value_that_is_met_once_and_missed_once_is_no_knee() -> None:
    for verdicts in (("met", "missed", "met"), ("missed", "met", "met")):
        assert knees(rows(*verdicts), [Fraction(1), Fraction(1), Fraction(2)], paired=True) == [2]
