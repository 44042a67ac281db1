"""Which facts of a run are kept: all of them, those of a window of time, or none where totals are enough."""

from __future__ import annotations

from typing import NamedTuple

from tlm3d.errors import did_you_mean
from tlm3d.units import TIME, QuantityError, duration_ps, parse_quantity, show_ps


class Kept(NamedTuple):
    """The facts that overlap [start_ps, end_ps) are kept; without ``end_ps`` all are."""

    text: str
    start_ps: int
    end_ps: int | None

    @property
    def everything(self) -> bool:
        """Whether no fact is dropped."""
        return self.end_ps is None

    def overlaps(self, start_ps: int, end_ps: int) -> bool:
        """Whether a fact over [start, end) is kept."""
        return self.end_ps is None or (start_ps < self.end_ps and end_ps > self.start_ps)

    def check_inside(self, horizon_ps: int) -> None:
        """Raise QuantityError for a window that goes on beyond the run."""
        if self.end_ps is not None and self.end_ps > horizon_ps:
            raise QuantityError(f"expected a window inside the run of {show_ps(horizon_ps)}, got '{self}'")

    def __str__(self) -> str:
        return self.text


FULL = Kept("full", 0, None)
TOTALS = Kept("totals", 0, 0)


def parse_kept(text: str) -> Kept:
    """``full``, ``totals`` or a window such as ``900 ms..1 s``. Raises QuantityError."""
    named = {FULL.text: FULL, TOTALS.text: TOTALS}
    if text in named:
        return named[text]
    if ".." not in text:
        expected = "expected 'full', 'totals' or a window such as '900 ms..1 s'"
        raise QuantityError(f"{expected}, got '{text}'{did_you_mean(text, named)}")
    return parse_window(text)


def parse_window(text: str) -> Kept:
    """A window such as ``900 ms..1 s``. Raises QuantityError."""
    start, dots, end = text.partition("..")
    if not dots:
        raise QuantityError(f"expected two times such as '900 ms..1 s', got '{text}'")
    start_ps, end_ps = (duration_ps(parse_quantity(time.strip(), TIME)) for time in (start, end))
    if start_ps >= end_ps:
        raise QuantityError(f"expected the earlier time first, got '{text}'")
    return Kept(text, start_ps, end_ps)
