"""What a run is told to keep, as text."""

from __future__ import annotations

import pytest

from tlm3d.record.kept import parse_kept
from tlm3d.units import QuantityError


def test_what_is_kept_reads_as_it_was_asked_for() -> None:
    assert [str(parse_kept(text)) for text in ("full", "totals", "900 ms..1 s")] == ["full", "totals", "900 ms..1 s"]
    assert parse_kept("900 ms .. 1 s")[1:] == (9 * 10**11, 10**12)


def test_a_fact_that_ends_where_the_window_starts_or_starts_where_it_ends_is_outside() -> None:
    kept = parse_kept("10 ps..20 ps")
    assert [kept.overlaps(*fact) for fact in ((5, 10), (5, 11), (12, 13), (19, 30), (20, 30))] == [
        False, True, True, True, False,
    ]  # fmt: skip
    assert parse_kept("full").overlaps(5, 6)
    assert not parse_kept("totals").overlaps(0, 10)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("total", "expected 'full', 'totals' or a window such as '900 ms..1 s', got 'total'; did you mean 'totals'?"),
        ("", "expected 'full', 'totals' or a window such as '900 ms..1 s', got ''"),
        ("1 s..900 ms", "expected the earlier time first, got '1 s..900 ms'"),
        ("..1 s", "expected a time such as '33.3 ms', got ''"),
    ],
)
def test_what_cannot_be_kept_is_said(text: str, message: str) -> None:
    with pytest.raises(QuantityError) as raised:
        parse_kept(text)
    assert str(raised.value) == message


def test_a_window_may_end_with_the_run_and_not_after_it() -> None:
    parse_kept("1 us..2 us").check_inside(2 * 10**6)
    with pytest.raises(QuantityError, match=r"inside the run of 2\.00 us, got '1 us\.\.2\.1 us'"):
        parse_kept("1 us..2.1 us").check_inside(2 * 10**6)
