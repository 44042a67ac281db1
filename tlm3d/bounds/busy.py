"""Least fixed points: how long a server can be busy, and when a job starts. Whole picoseconds, a cap on the steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import lcm

from tlm3d.bounds.claim import Claim, NoBound

MOST_STEPS = 100_000

Rival = tuple[Callable[[int], int], int, int]  # most jobs in a window, how late they may be, work of one


class Steps:
    """How many steps of fixed points an analysis may still take; ``out`` once it has taken them all."""

    def __init__(self, most: int = MOST_STEPS) -> None:
        self.left = most

    def take(self) -> bool:
        """Whether another step may be taken."""
        self.left -= 1
        return self.left >= 0

    @staticmethod
    def out() -> NoBound:
        return NoBound(f"no end of the busy period in {MOST_STEPS} steps")


def rivals(claims: Iterable[Claim]) -> list[Rival]:
    """What a loop needs of claims; those that do no work are left out."""
    return [(claim.arrival.most, claim.late_ps, claim.work_ps) for claim in claims if claim.work_ps]


def longest_piece_ps(claims: Iterable[Claim]) -> int:
    """How long claims may block what goes before them: their longest piece, begun at least 1 ps earlier."""
    return max(0, max((claim.piece_ps for claim in claims), default=0) - 1)


def last_ps(claim: Claim) -> int:
    """Its last piece: where it may be interrupted at any time that is its last ps."""
    return min(claim.work_ps, max(1, claim.last_ps))


def cycle_ps(claims: Iterable[Claim]) -> int | None:
    """A time after which all the claims' releases repeat; None where one never does."""
    whole = 1
    for claim in claims:
        if (cycle := claim.arrival.cycle_ps) is None:
            return None
        whole = lcm(whole, cycle)
    return whole


def start_ps(own_ps: int, others: Sequence[Rival], steps: Steps, from_ps: int = 0) -> int | None:
    """When work begins that ``own_ps`` and all that others have by then go before: the least s ≥ ``from_ps`` of

    s = own + Σ most(s + 1 + late) · work, as what is ready at s still goes first. None: too many steps.
    """
    start = max(own_ps, from_ps)
    while steps.take():
        until = start + 1
        after = own_ps
        for most, late, work in others:
            after += most(until + late) * work
        if after <= start:
            return start
        start = after
    return None


def busy_ps(held_ps: int, all_of_it: Sequence[Claim], full: bool, steps: Steps) -> int | None:
    """The longest time without an idle instant, begun with ``held_ps`` of other work; None where it may never end.

    The least L > 0 of L = held + Σ most(L + late) · work. ``full`` tells that their utilisation is 1:
    then the least L is at most their common cycle, if there is any.
    """
    others = rivals(all_of_it)
    limit = cycle_ps(all_of_it) if full else None
    length = max(1, held_ps)
    while steps.take():
        after = held_ps
        for most, late, work in others:
            after += most(length + late) * work
        if after <= length:
            return max(1, after)
        length = after
        if limit is not None and length > limit:
            return None
    return None
