"""The values of a swept parameter."""

from __future__ import annotations

import pytest

from tlm3d.errors import SpecError
from tlm3d.sweeps.axis import Axis, magnitude, parse_axis, points


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("links.tsv.rate=1..100 Mbit/s:log:3", ("1 Mbit/s", "10 Mbit/s", "100 Mbit/s")),
        ("links.tsv.rate=1..2 Mbit/s:lin:5", ("1 Mbit/s", "1.25 Mbit/s", "1.5 Mbit/s", "1.75 Mbit/s", "2 Mbit/s")),
        ("a.b=4..64:log:5", ("4", "8", "16", "32", "64")),
        ("a.b=1..10:lin:7", ("1", "2", "4", "6", "7", "8", "10")),  # whole ends give whole values
        ("a.b=1..4:lin:6", ("1", "1.6", "2.2", "2.8", "3.4", "4")),  # unless two of them would coincide
        ("a.b=1 ms..2 ms:lin:3", ("1 ms", "1.5 ms", "2 ms")),
        ("a.b=1e-14..3e-14 J/bit:lin:3", ("1e-14 J/bit", "2e-14 J/bit", "3e-14 J/bit")),
        ("a.b=0.0000000000015 J..1 J:lin:2", ("1.5e-12 J", "1 J")),
        ("a.b=1.23456789012345..2 ms:lin:2", ("1.23456789012345 ms", "2 ms")),
        ("a.b=1e3..3e3 Hz:lin:3", ("1000 Hz", "2000 Hz", "3000 Hz")),
        ("a.b=0..1 ms:lin:3", ("0 ms", "0.5 ms", "1 ms")),
        (
            "a.b=100..100.1 Mbit/s:lin:6",
            ("100 Mbit/s", "100.02 Mbit/s", "100.04 Mbit/s", "100.06 Mbit/s", "100.08 Mbit/s", "100.1 Mbit/s"),
        ),
        ("a.b=100.04..100.06 Mbit/s:lin:3", ("100.04 Mbit/s", "100.05 Mbit/s", "100.06 Mbit/s")),
        ("a.b=1000..1003 Hz:lin:3", ("1000 Hz", "1001.5 Hz", "1003 Hz")),
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
    ("low", "high"),
    [("1", "100"), ("100", "100.000001"), ("3", "2.999"), ("1e-60", "1e60"), ("7", "7.1e0"), ("1", "2")],
)
@pytest.mark.parametrize("spacing", ["lin", "log"])
def test_the_points_of_a_range_keep_its_ends_and_are_all_there_in_order(low: str, high: str, spacing: str) -> None:
    sizes = [magnitude(value) for value in parse_axis(f"a.b={low}..{high} s:{spacing}:1000").values]
    bounds = [magnitude(f"{end} s") for end in (low, high)]
    numbers = [size for size in sizes if size is not None]
    assert [numbers[0], numbers[-1]] == bounds
    assert len(set(numbers)) == 1000
    assert numbers == sorted(numbers, reverse=numbers[0] > numbers[-1])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a.b", "expected PATH=VALUES"),
        ("a.b=", "expected PATH=VALUES"),
        ("a.b=1,,2", "an empty value in the list"),
        ("a.b=1..x Mbit/s", "expected a range such as"),
        ("a.b=1..2 ms:cubic:3", "expected the spacing lin or log, got 'cubic'"),
        ("a.b=1..2 ms:lin:0", "expected a whole number of points from 1 to 10000, got '0'"),
        ("a.b=1..2 ms:lin:-3", "expected a whole number of points from 1 to 10000, got '-3'"),
        ("a.b=1..2 ms:lin:1e9", "expected a whole number of points from 1 to 10000, got '1e9'"),
        ("a.b=1 ms..2 s:lin:3", "expected one unit after both ends or the same at each"),
        ("a.b=1 ms..2:lin:3", "expected one unit after both ends or the same at each"),
        ("a.b=5..5 ms:lin:3", "are the same: its 3 points would coincide"),
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
