"""Text to exact numbers, exact numbers to booked integers: every expected value is worked by hand."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlm3d import units
from tlm3d.units import QuantityError, parse_number, parse_quantity


@pytest.mark.parametrize(
    ("text", "dimension", "value"),
    [
        ("33.3 ms", units.TIME, 33_300_000_000),
        ("1 s", units.TIME, 10**12),
        ("1 h", units.TIME, 3600 * 10**12),
        ("0.5 ps", units.TIME, Fraction(1, 2)),
        ("3 µs", units.TIME, 3_000_000),  # U+00B5, micro sign
        ("3 μs", units.TIME, 3_000_000),  # U+03BC, Greek mu
        ("3 us", units.TIME, 3_000_000),
        ("0.145 aJ", units.ENERGY, Fraction(145, 1000)),
        ("1 pJ", units.ENERGY, 10**6),
        ("60 uW", units.POWER, 60_000),
        ("40 mW", units.POWER, 40_000_000),
        ("1 kB", units.DATA, 8000),
        ("1 KiB", units.DATA, 8192),
        ("1 kb", units.DATA, 1000),
        ("1 kbit", units.DATA, 1000),
        ("1 Kibit", units.DATA, 1024),
        ("1 b", units.DATA, 1),
        ("1 B", units.DATA, 8),
        ("1 byte", units.DATA, 8),
        ("2 MiB", units.DATA, 2 * 8 * 2**20),
        ("12.8 Gbit/s", units.RATE, 12_800_000_000),
        ("12.8 Gbps", units.RATE, 12_800_000_000),
        ("1 GB/s", units.RATE, 8 * 10**9),
        ("1 GiB/s", units.RATE, 8 * 2**30),
        ("30 fps", units.FREQUENCY, 30),
        ("175 MHz", units.FREQUENCY, 175_000_000),
        ("1 MHz", units.FREQUENCY, 10**6),
        ("1 mHz", units.FREQUENCY, Fraction(1, 1000)),
        ("2 MS/s", units.FREQUENCY, 2_000_000),
        ("0.05 pJ/bit", units.ENERGY_PER_BIT, 50_000),
        ("0.4 pJ/B", units.ENERGY_PER_BIT, 50_000),
        ("0.23 pJ/MAC", units.ENERGY_PER_MAC, 230_000),
        ("28.4 pJ/pixel", units.ENERGY_PER_PIXEL, 28_400_000),
        ("2.7 pJ/conversion", units.ENERGY_PER_CONVERSION, 2_700_000),
        ("25 pJ", units.ENERGY_PER_CYCLE, 25_000_000),
    ],
)
def test_a_quantity_is_read_exactly(text: str, dimension: units.Dimension, value: int | Fraction) -> None:
    assert parse_quantity(text, dimension) == value


@pytest.mark.parametrize(
    "text", ["10 ns", " 10  ns ", "10ns", "+10 ns", "1_0 ns", "1e1 ns", "1.0E+1 ns", "10. ns", ".01 us"]
)
def test_one_value_has_many_spellings(text: str) -> None:
    assert parse_quantity(text, units.TIME) == 10_000


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "ns", "10", "10 ns of joy", "12 parsecs", "10 ns,", "10 ns 5", "1e400 s", "1e1000 s", "1e-400 s",
        "nan s", ".nan s", "inf s", "-inf s", "-1 ns", "１２ ns", "٣ ns", "0x10 ns", "1,5 ns", "1__0 ns", "_1 ns",
        "1 0 ns", "1e ns", "--1 ns", "10 NS", "10 ns\0", "10 m s", "1/2 s", "1:30", "10 ns/s", "10 MHz",
        "9" * 300 + " s",
    ],
)  # fmt: skip
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(QuantityError, match=r"^expected a time such as '33\.3 ms', got|is beyond anything physical"):
        parse_quantity(text, units.TIME)


@pytest.mark.parametrize(
    ("text", "dimension", "why"),
    [
        ("10", units.TIME, "got '10' without a unit"),
        ("-1 ns", units.TIME, "got '-1 ns': must not be negative"),
        ("12 parsecs", units.TIME, "got '12 parsecs': unknown unit 'parsecs'"),
        ("60 us", units.POWER, "got '60 us': that is a time"),
        ("1 GB", units.RATE, "got '1 GB': that is an amount of data"),
        ("5 MW", units.POWER, "got '5 MW': unknown unit 'MW'; did you mean 'mW'?"),
        ("1 mhz", units.FREQUENCY, "got '1 mhz': unknown unit 'mhz'; did you mean 'MHz' or 'mHz'?"),
        ("1 KB", units.DATA, "got '1 KB': unknown unit 'KB'; did you mean 'kB' or 'kb'?"),
        ("1 \x1b[31m", units.TIME, r"got '1 \x1b[31m': unknown unit '\x1b[31m'"),
        ("1 \u202es", units.TIME, r"got '1 \u202es': unknown unit '\u202es'"),
    ],
)
def test_a_refusal_says_what_is_wrong(text: str, dimension: units.Dimension, why: str) -> None:
    with pytest.raises(QuantityError) as caught:
        parse_quantity(text, dimension)
    assert str(caught.value) == f"expected {dimension.name} such as '{dimension.example}', {why}"


def test_every_example_of_a_message_is_right() -> None:
    for dimension in units.DIMENSIONS:
        assert parse_quantity(dimension.example, dimension) > 0


@pytest.mark.parametrize(("text", "value"), [("12.8", Fraction(64, 5)), ("1e6", 10**6), ("-3", -3), ("1_000", 1000)])
def test_a_number_has_no_unit(text: str, value: int | Fraction) -> None:
    assert parse_number(text) == value


@pytest.mark.parametrize("text", ["", "12 GHz", "two", "nan", "inf", "１２", "1e400", "0x10", "1 2"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(QuantityError):
        parse_number(text)


@given(st.fractions(min_value=0, max_value=10**12, max_denominator=10**9), st.sampled_from(units.DIMENSIONS), st.data())
def test_nothing_is_lost_in_any_unit(value: Fraction, dimension: units.Dimension, data: st.DataObject) -> None:
    unit = data.draw(st.sampled_from(sorted(dimension.units)))
    text = f"{value.numerator * 10**9 // value.denominator}e-9 {unit}"
    exact = Fraction(value.numerator * 10**9 // value.denominator, 10**9)
    assert parse_quantity(text, dimension) == exact * dimension.units[unit]


@given(st.text(max_size=30), st.sampled_from(units.DIMENSIONS))
def test_any_text_is_a_quantity_or_a_quantity_error(text: str, dimension: units.Dimension) -> None:
    try:
        said = str(parse_quantity(text, dimension))
    except QuantityError as error:
        said = str(error)
    assert said.isprintable()


@pytest.mark.parametrize(
    ("bits", "lanes", "rate_bps", "time_ps"),
    [
        (64, 1, 10**9, 64_000),  # a bit a nanosecond
        (64, 64, 64 * 10**9, 1000),  # one bit a lane
        (65, 64, 64 * 10**9, 2000),  # the last bit takes all lanes for a bit time
        (1, 1, 3 * 10**9, 334),  # 333.3 ps: up
        (3, 1, 3 * 10**9, 1000),
        (0, 8, 10**9, 0),
    ],
)
def test_bits_leave_in_whole_lanes(bits: int, lanes: int, rate_bps: int, time_ps: int) -> None:
    assert units.serialise_ps(bits, lanes, Fraction(rate_bps)) == time_ps


@pytest.mark.parametrize(
    ("cycles", "clock_hz", "time_ps"),
    [(1, 10**8, 10_000), (175, 175 * 10**6, 10**6), (1, 175 * 10**6, 5715), (2, 175 * 10**6, 11_429), (0, 10**6, 0)],
)
def test_cycles_end_at_the_next_picosecond(cycles: int, clock_hz: int, time_ps: int) -> None:
    assert units.cycles_ps(cycles, Fraction(clock_hz)) == time_ps


def test_a_stated_duration_is_never_shortened() -> None:
    assert units.duration_ps(Fraction(1, 1000)) == 1
    assert units.duration_ps(Fraction(10)) == 10
    assert units.duration_ps(Fraction(21, 2)) == 11


def test_three_frames_at_30_fps_are_a_tenth_of_a_second() -> None:
    assert [units.release_ps(k, Fraction(30)) for k in range(4)] == [0, 33_333_333_333, 66_666_666_666, 10**11]


def test_30_fps_and_32_ms_meet_again_every_800_ms() -> None:
    frames = {units.release_ps(k, Fraction(30)) for k in range(25)}
    ticks = {units.release_ps(k, Fraction(1000, 32)) for k in range(26)}
    assert frames & ticks == {0, 8 * 10**11}


def test_an_offset_moves_every_release() -> None:
    assert units.release_ps(3, Fraction(30), offset_ps=7) == 10**11 + 7


@given(st.integers(0, 10**9), st.fractions(min_value=Fraction(1, 1000), max_value=10**9))
def test_releases_never_drift(index: int, rate_hz: Fraction) -> None:
    exact = index / rate_hz * 10**12
    assert 0 <= exact - units.release_ps(index, rate_hz) < 1


@pytest.mark.parametrize(
    ("exact_aj", "booked_aj"),
    [(Fraction(145, 1000), 0), (Fraction(1, 2), 1), (Fraction(3, 2), 2), (Fraction(149, 100), 1), (Fraction(7), 7)],
)
def test_an_energy_is_booked_to_the_nearest_attojoule(exact_aj: Fraction, booked_aj: int) -> None:
    assert units.book_aj(exact_aj) == booked_aj


def test_a_milliwatt_for_a_nanosecond_is_a_picojoule() -> None:
    assert units.state_energy_aj(10**6, 0, 1000) == 10**6


def test_a_day_at_150_mw_does_not_overflow() -> None:
    assert units.state_energy_aj(150 * 10**6, 0, 86_400 * 10**12) == 12_960 * 10**18


@given(st.integers(0, 10**9), st.lists(st.integers(0, 10**15), min_size=2, max_size=6))
def test_the_energy_of_a_state_does_not_depend_on_how_its_time_is_cut(power_nw: int, cuts: list[int]) -> None:
    cuts.sort()
    pieces = sum(units.state_energy_aj(power_nw, a, b) for a, b in pairwise(cuts))
    assert pieces == units.state_energy_aj(power_nw, cuts[0], cuts[-1])


def test_an_activity_has_spent_a_third_after_a_third_of_its_time() -> None:
    assert [units.spent_aj(10, 100, 103, t) for t in (99, 100, 101, 102, 103, 104)] == [0, 0, 3, 6, 10, 10]


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (units.show_ps(3_416_000_000), "3.42 ms"),
        (units.show_ps(0), "0 s"),
        (units.show_aj(1_200_000_000), "1.20 nJ"),
        (units.show_nw(3_400_000), "3.40 mW"),
    ],
)
def test_people_read_three_digits_and_a_prefix(shown: str, expected: str) -> None:
    assert shown == expected


def test_long_text_is_clipped_and_escaped_in_messages() -> None:
    assert units.clip("x" * 100, limit=10) == "'xxxxxxxxx…'"
    assert units.clip("a\x1b[31m\nb") == r"'a\x1b[31m\nb'"
