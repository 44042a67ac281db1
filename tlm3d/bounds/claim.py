"""What one step of a task asks of one server, at worst, and what is said where no bound is known.

A *job* is released at r. Its step is ready at its server within [n, n + late], where n = r + early is its *nominal
arrival*; all responses count from n. A decision of a server at time t sees all that is ready at or before t.
Jobs of one claim are served in the order of their releases.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from tlm3d.bounds.arrival import Arrival

ALWAYS = -(1 << 62)  # as level or key: before everything else


@dataclass(frozen=True, slots=True)
class NoBound:
    """No bound is known; why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Claim:
    """The worst that one step asks of one server. Times in ps; ``work_ps`` is all of one job, whatever it pays.

    ``arrival`` is of releases: jitter of the source is in it, and deadlines move with it.
    """

    name: str  # "task" or "task/step"
    work_ps: int
    arrival: Arrival
    late_ps: int = 0  # how much later than nominally it may be ready
    level: int = 0  # in a fixed order: smaller goes first, equal ones either way
    key_ps: int = 0  # in a dated order: nominal arrival + key, smaller goes first, equal ones either way
    piece_ps: int = 0  # its largest piece that is not interrupted; 0: interrupted at once, work_ps: never
    last_ps: int = 0  # its last piece: no more than work_ps − last_ps is done before that begins
    blocked_ps: int = 0  # what less urgent work holds up a busy period beyond one piece of the claims given
    alone: bool = False  # no job of it is ready before the one before has finished


def utilisation(claims: Iterable[Claim]) -> Fraction:
    """The share of a server that claims ask for in the long run."""
    return sum((claim.work_ps * claim.arrival.rate for claim in claims), Fraction(0))


def beyond_one(claims: Iterable[Claim]) -> Fraction | None:
    """The utilisation of claims where it is 1 or more, else None; exact, but Fractions are added up only near 1."""
    claims = list(claims)
    rates = [claim.arrival.rate for claim in claims]
    near = sum(claim.work_ps * rate.numerator / rate.denominator for claim, rate in zip(claims, rates, strict=True))
    if near < 1 - 1e-9:
        return None
    exact = utilisation(claims)
    return exact if exact >= 1 else None


def overload(share: Fraction) -> NoBound:
    """That claims ask for more than a server has."""
    text = f"{float(share):.2f}"
    return NoBound(f"utilisation {text}" if text != "1.00" else "utilisation just above 1")
