"""How far a computing time or a rate may go before a bound is lost: the search, and what it found.

Values are tried to three significant digits, by bisection. Bounds need not be monotone in what is changed (a tile that
takes longer may cut less well into what it holds up), so an edge is one of possibly several: the value told was itself
tried and keeps, its neighbour was tried and does not; those in between were not all tried.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

LIMIT = 1000  # how many times larger or smaller than now is tried
_STEPS = 900  # values of three significant digits in a decade

Keeps = Callable[[Fraction], bool]


@dataclass(frozen=True, slots=True)
class Edge:
    """``value`` keeps; ``beyond`` is the next one tried, which does not: None where the limit of the search keeps."""

    value: Fraction
    beyond: Fraction | None = None


@dataclass(frozen=True, slots=True)
class TimeMargin:
    """How many times longer a task may compute on a block, all else as it is, with every bound kept.

    ``edge`` is of that factor: None where none that was tried will do. ``time_ps``: what a job computes there now, at
    most. ``first``: whose bound is lost beyond.
    """

    task: str
    block: str
    time_ps: int
    edge: Edge | None
    first: tuple[str, ...] = ()

    @property
    def most_ps(self) -> int | None:
        """The largest computing time of one job there, rounded down to a ps."""
        return None if self.edge is None else int(self.time_ps * self.edge.value)


@dataclass(frozen=True, slots=True)
class RateMargin:
    """The least rate of a link, bit/s (of a lane, where it has lanes), all else as it is, with every bound kept."""

    link: str
    rate_bps: Fraction  # now
    each_lane: bool
    edge: Edge | None
    first: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """The margins of all computing times and rates, one changed at a time."""

    times: tuple[TimeMargin, ...]
    rates: tuple[RateMargin, ...]


def largest(keeps: Keeps, now: Fraction) -> Edge | None:
    """The largest value found that keeps, from ``now`` up to LIMIT times as much.

    Where ``now`` itself does not keep: from ``now`` down to a LIMIT-th. None where that does not keep either.
    """
    return _edge(keeps, now, now * LIMIT, now / LIMIT)


def least(keeps: Keeps, now: Fraction) -> Edge | None:
    """The smallest value found that keeps, from ``now`` down to a LIMIT-th; else from ``now`` up, as ``largest``."""
    return _edge(keeps, now, now / LIMIT, now * LIMIT)


def _edge(keeps: Keeps, now: Fraction, harder: Fraction, easier: Fraction) -> Edge | None:
    """Bisect between ``now`` and the end that it is on the other side of; ``now`` need not have three digits."""
    rising = harder > now
    first, last = _floor(easier), _floor(harder)
    if keeps(now):
        if keeps(_value(last)):
            return Edge(_value(last))
        kept, lost, edge = _floor(now) if rising else _ceiling(now), last, Edge(now, _value(last))
    elif keeps(_value(first)):
        kept, lost, edge = first, _ceiling(now) if rising else _floor(now), Edge(_value(first), now)
    else:
        return None
    while abs(lost - kept) > 1:
        middle = (kept + lost) // 2
        value = _value(middle)
        if keeps(value):
            kept, edge = middle, Edge(value, edge.beyond)
        else:
            lost, edge = middle, Edge(edge.value, value)
    return edge


def _value(place: int) -> Fraction:
    """The ``place``-th number of three significant digits; that of place 0 is 1."""
    decade, step = divmod(place, _STEPS)
    return (100 + step) * Fraction(10) ** (decade - 2)


def _floor(number: Fraction) -> int:
    """The place of the largest number of three significant digits that is not above ``number``, which is above 0."""
    decade = len(str(number.numerator)) - len(str(number.denominator))
    if number < Fraction(10) ** decade:
        decade -= 1
    return decade * _STEPS + int(number / Fraction(10) ** (decade - 2)) - 100


def _ceiling(number: Fraction) -> int:
    place = _floor(number)
    return place if _value(place) == number else place + 1
