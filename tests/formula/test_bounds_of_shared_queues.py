"""Worst responses on processors that share a queue: by hand, and the least window against trying all of them."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import pytest

from tlm3d.bounds import shared_queue
from tlm3d.bounds.arrival import Periodic
from tlm3d.bounds.claim import Claim

MS = 10**9


def claim(work_ps: int, period_ps: int, late_ps: int = 0) -> Claim:
    return Claim("t", work_ps, Periodic(Fraction(period_ps)), late_ps)


def test_two_others_on_two_processors_put_a_job_off_by_the_shorter_of_them() -> None:
    # Both processors work for others for 3 ms at most: then the other of 3 ms has no more, while that of 5 ms goes on.
    others = [(claim(3 * MS, 100 * MS), 0), (claim(5 * MS, 100 * MS), 0)]
    assert shared_queue.response_ps(others, claim(2 * MS, 100 * MS), 2, False) == 5 * MS
    # On three processors one is always left.
    assert shared_queue.response_ps(others, claim(2 * MS, 100 * MS), 3, False) == 2 * MS
    # On one it is all of them.
    assert shared_queue.response_ps(others, claim(2 * MS, 100 * MS), 1, False) == 10 * MS


def least_window_ps(others: list[tuple[Claim, int]], of: Claim, processors: int, most_ps: int) -> int | None:
    """The least w ≥ C with C + switches + ⌊Σ min(work, w − C + 1) / m⌋ ≤ w, one after the other."""
    for window in range(of.work_ps, most_ps):
        jobs = [other.arrival.most(window + other.late_ps) for other, _ in others]
        works = [n * (other.work_ps + entry) for n, (other, entry) in zip(jobs, others, strict=True)]
        switches = sum(n * entry for n, (_, entry) in zip(jobs, others, strict=True))
        took = sum(min(work, window - of.work_ps + 1) for work in works)
        if of.work_ps + switches + took // processors <= window:
            return window
    return None


@pytest.mark.parametrize("processors", [1, 2, 3, 4])
def test_the_window_is_the_least_of_all(processors: int) -> None:
    found = 0
    for seed in range(60):
        r = Random(seed)
        of = claim(r.randint(1, 30), 1000)
        others = [
            (claim(r.randint(1, 40), r.randint(60, 300), r.randint(0, 20)), r.choice([0, 0, r.randint(1, 3)]))
            for _ in range(r.randint(0, 6))
        ]
        least = least_window_ps(others, of, processors, 3000)
        if least is not None:
            assert shared_queue.response_ps(others, of, processors, False) == least, seed
            found += 1
    assert found > 30


def test_as_many_others_as_processors_are_not_followed_step_by_step() -> None:
    # Step by step the wait would grow by a picosecond until one of the others has no more: 7 billion steps.
    others = [(claim(7 * MS, 1000 * MS), 0)] * 4
    found = shared_queue.response_ps(others, claim(MS, 1000 * MS), 4, False)
    assert found == 8 * MS
