"""Tests that say yes or no: processor demand for EDF, utilisation bounds for rate-monotonic priorities.

Demand: all deadlines are kept if no interval asks for more work, released and due in it, than it is long (Baruah,
Rosier & Howell, Real-Time Systems 2, 1990). QPA looks at few intervals, from long to short (Zhang & Burns, IEEE
Trans. Computers 58, 2009). A piece with a later deadline, begun before the interval, adds to it (Jeffay, Stanat &
Martel, RTSS 1991; for limited preemption Baruah, ECRTS 2005).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import prod
from typing import NamedTuple

from tlm3d.bounds.busy import Steps, busy_ps, cycle_ps, longest_piece_ps
from tlm3d.bounds.claim import Claim, NoBound, beyond_one


class Demand(NamedTuple):
    """Whether all deadlines are kept; if not, the length of an interval that asks for too much: None, the long run."""

    kept: bool
    at_ps: int | None = None

    def __bool__(self) -> bool:
        return self.kept


def demand_test(claims: Sequence[Claim]) -> Demand | NoBound:
    """Whether EDF keeps the deadlines, nominal arrival + key, of all claims.

    Exact where nothing has pieces, or jobs are never interrupted and never late; else a no may be too strict.
    Of claim j an interval of length t asks for most_j(t − key_j + 1 + late_j) jobs.
    """
    claims = [claim for claim in claims if claim.work_ps]
    share = beyond_one(claims)
    if share is not None and share > 1:
        return Demand(False)
    if not claims:
        return Demand(True)
    steps = Steps()
    held = max(claim.blocked_ps for claim in claims) + longest_piece_ps(claims)
    until = busy_ps(held, claims, share == 1, steps)
    if until is None:
        cycle = cycle_ps(claims) if share == 1 and steps.left >= 0 else None
        if cycle is None:
            return steps.out()
        until = cycle + max(claim.key_ps for claim in claims) + 1  # from the last key on demand repeats
    changes = sorted(claim.key_ps - 1 for claim in claims if claim.piece_ps > 1)  # from there on its piece cannot block
    first = min(claim.key_ps - claim.late_ps for claim in claims)
    at = _due_before(claims, until, first)
    while at >= first:
        if not steps.take():
            return steps.out()
        asked = _asked_ps(claims, at)
        if asked > at:
            return Demand(False, _due_before(claims, at + 1, first))
        # Shorter intervals ask for no more, so that all are kept that are longer than what is asked here, but more
        # pieces can block the shorter ones.
        at, longest = asked if asked < at else _due_before(claims, at, first), at
        if place := bisect_right(changes, longest):
            at = max(at, changes[place - 1] - 1)
    return Demand(True)


def _asked_ps(claims: Iterable[Claim], length_ps: int) -> int:
    """What an interval asks for: all that is due in it, a piece of what is due later, and what else may be held up."""
    asked = piece = blocked = 0
    for claim in claims:
        window = length_ps - claim.key_ps + 1 + claim.late_ps
        if window > 0:
            asked += claim.arrival.most(window) * claim.work_ps
            blocked = max(blocked, claim.blocked_ps)
        if claim.key_ps - 1 > length_ps:
            piece = max(piece, claim.piece_ps - 1)
    return asked + piece + blocked


def _due_before(claims: Iterable[Claim], length_ps: int, first_ps: int) -> int:
    """The longest interval shorter than ``length_ps`` that ends with a deadline; less than ``first_ps``: none does."""
    longest = first_ps - 1
    for claim in claims:
        due = claim.key_ps - claim.late_ps  # of the first job
        if (jobs := claim.arrival.most(length_ps - due)) > 0:
            longest = max(longest, due + claim.arrival.least_span_ps(jobs - 1))
    return longest


def liu_layland_bound(tasks: int) -> float:
    """n·(2^(1/n) − 1), which falls to ln 2: rate-monotonic priorities keep any n tasks that ask for no more.

    Of tasks that are preempted at once, come periodically and are due a period later (Liu & Layland, J. ACM 20, 1973).
    """
    return float(tasks * (2 ** (1 / tasks) - 1))


def within_liu_layland(shares: Sequence[Fraction]) -> bool:
    """Whether the utilisations of tasks add up to no more than Liu & Layland's bound; exact: (1 + U/n)^n ≤ 2."""
    return not shares or (1 + sum(shares, Fraction(0)) / len(shares)) ** len(shares) <= 2


def within_hyperbolic(shares: Sequence[Fraction]) -> bool:
    """Whether Π(Uᵢ + 1) ≤ 2, which suffices for the same tasks (Bini & Buttazzo, IEEE Trans. Computers 52, 2003)."""
    return prod((1 + share for share in shares), start=Fraction(1)) <= 2
