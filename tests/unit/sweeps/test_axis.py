"""The values of a swept parameter."""

from __future__ import annotations

import pytest

from tlm3d.errors import SpecError
from tlm3d.sweeps.axis import Axis, parse_axis, points


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("links.tsv.rate=1..100 Mbit/s:log:3", ("1 Mbit/s", "10 Mbit/s", "100 Mbit/s")),
        ("links.tsv.rate=1..2 Mbit/s:lin:5", ("1 Mbit/s", "1.25 Mbit/s", "1.5 Mbit/s", "1.75 Mbit/s", "2 Mbit/s")),
        ("a.b=4..64:log:5", ("4", "8", "16", "32", "64")),
        ("a.b=1..3:lin:5", ("1", "2", "3")),  # whole ends give whole values, each once
        ("a.b=0.5..1.5:lin:3", ("0.5", "1", "1.5")),
        ("a.b=100..1 ms:log:3", ("100 ms", "10 ms", "1 ms")),
        ("a.b=7..9 ms:lin:1", ("7 ms",)),
        ("a.b=edf, fifo", ("edf", "fifo")),
    ],
)
def test_values_are_what_a_user_would_write(text: str, values: tuple[str, ...]) -> None:
    assert parse_axis(text).values == values


def test_a_range_without_a_spacing_is_linear_in_ten_points() -> None:
    values = parse_axis("a.b=1..10 ms").values
    assert values == tuple(f"{n} ms" for n in range(1, 11))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a.b", "expected PATH=VALUES"),
        ("a.b=", "expected PATH=VALUES"),
        ("a.b=1,,2", "an empty value in the list"),
        ("a.b=1..x Mbit/s", "expected a range such as"),
        ("a.b=1..2 ms:cubic:3", "expected the spacing lin or log, got 'cubic'"),
        ("a.b=1..2 ms:lin:0", "the range has no points"),
        ("a.b=1..2 ms:lin:-3", "the range has no points"),
        ("a.b=0..2 ms:log:3", "a logarithmic range needs ends above zero"),
        ("a.b=1..2 ms:lin:1000000000", "a range of 1000000000 points is more than the 10000"),
        ("a.b=1..2 ms:lin:3:4", "expected a range such as"),
    ],
)
def test_a_bad_axis_says_what_was_expected(text: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_axis(text)
    assert message in str(caught.value)


def test_axes_cross_with_the_last_one_fastest() -> None:
    axes = [Axis("a", ("1", "2")), Axis("b", ("x", "y"))]
    assert points(axes) == [("1", "x"), ("1", "y"), ("2", "x"), ("2", "y")]


def test_paired_axes_go_together_and_must_be_equally_long() -> None:
    assert points([Axis("a", ("1", "2")), Axis("b", ("x", "y"))], paired=True) == [("1", "x"), ("2", "y")]
    with pytest.raises(SpecError, match="a has 1, b has 2"):
        points([Axis("a", ("1",)), Axis("b", ("x", "y"))], paired=True)


def test_a_grid_beyond_reason_is_refused_with_its_size() -> None:
    axes = [Axis(name, tuple(map(str, range(1000)))) for name in "abc"]
    with pytest.raises(SpecError, match="1000 x 1000 x 1000 = 1000000000 points"):
        points(axes)


def test_corners_count_as_points_of_the_grid_and_need_no_axis() -> None:
    assert points([], corners=3) == [()]
    assert points([], paired=True, corners=3) == [()]
    with pytest.raises(SpecError, match="give at least one --param, or --corners"):
        points([])
    values = tuple(map(str, range(4000)))
    for paired in (False, True):
        with pytest.raises(SpecError, match="4000 x 3 = 12000 points"):
            points([Axis("a", values)], paired, corners=3)
