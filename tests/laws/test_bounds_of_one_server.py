"""No job of one server takes longer than its bound, whatever comes when; and theory's worst cases reach the bound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from random import Random

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from reference.one_server import Job, finishes, pieces

from tlm3d.bounds import any_order, dated, fixed_order
from tlm3d.bounds.arrival import Arrival, Delayed, Periodic, Sporadic, Traced
from tlm3d.bounds.claim import ALWAYS, Claim, NoBound, utilisation
from tlm3d.bounds.demand_test import demand_test

_RELAXED = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
HORIZON = 150


def releases(arrival: Arrival, random: Random, until: int, dense: bool) -> list[int]:
    """Times in order that an arrival allows: as dense as it can from some time on, or anyhow."""
    origin = 0 if dense else random.randrange(20)
    match arrival:
        case Periodic(period, jitter):
            late = [(jitter if not k else 0) if dense else random.choice((0, jitter, random.randint(0, jitter)))
                    for k in range(int(until / period) + 1)]  # fmt: skip
            return sorted(origin + int(k * period) + u for k, u in enumerate(late))
        case Sporadic(distance):
            times = [origin]
            while times[-1] < until:
                times.append(times[-1] + distance + (0 if dense else random.choice((0, 0, 1, random.randrange(9)))))
            return times
        case Traced(times):
            return [time + origin for time in sorted(times)]
        case Delayed(of, late):
            early = releases(of, random, until, dense)
            return sorted(at + ((late if not k else 0) if dense else random.randint(0, late))
                          for k, at in enumerate(early))  # fmt: skip
    raise AssertionError(arrival)


@dataclass(frozen=True)
class Part:
    """A claim and how its jobs are cut: tiles, 0 for not at all."""

    claim: Claim
    tile: int


@st.composite
def arrivals(draw: st.DrawFn) -> Arrival:
    kind = draw(st.sampled_from(["periodic", "periodic", "periodic", "sporadic", "traced", "delayed"]))
    period = Fraction(draw(st.integers(8, 120)), draw(st.sampled_from([1, 1, 1, 2, 3, 7])))
    assume(period >= 3)
    if kind == "periodic":
        return Periodic(period, draw(st.sampled_from([0, 0, 1, 3, 7, 30])))
    if kind == "sporadic":
        return Sporadic(max(3, int(period)))
    if kind == "traced":
        return Traced(draw(st.lists(st.integers(0, HORIZON), max_size=12)))
    return Delayed(Periodic(period, draw(st.integers(0, 4))), draw(st.integers(0, 20)))


@st.composite
def parts(draw: st.DrawFn, most: int = 4) -> list[Part]:
    """Claims on one server, their utilisation at most 1."""
    out = []
    for i in range(draw(st.integers(1, most))):
        work, tile = draw(st.integers(1, 9)), draw(st.sampled_from([0, 1, 1, 1, 2, 3, 4]))
        cut = pieces(work, tile)
        out.append(Part(Claim(
            f"t{i}", work, draw(arrivals()), draw(st.sampled_from([0, 0, 0, 1, 5, 25])), draw(st.integers(0, 3)),
            draw(st.sampled_from([0, 0, 3, 5, 8, 13, 20, 40, 90])), 0 if tile == 1 else max(cut), cut[-1],
        ), tile))  # fmt: skip
    assume(utilisation(part.claim for part in out) <= 1)
    return out


@dataclass
class Seen:
    """Of a claim in one run: its longest finish − nominal arrival, and whether no two of its jobs met."""

    worst: int = 0
    alone: bool = True


def observed(parts_: Sequence[Part], order: str, seed: int, *, dense: bool = False) -> dict[str, Seen]:
    """One random system that does what the claims say at most."""
    random = Random(seed)
    nominals, jobs = [], []
    favourite = random.choice(parts_).claim.name
    offsets = {part.claim.name: random.randrange(12) for part in parts_}
    shy = random.random() < 0.5  # all as soon and as long as can be, but for the offsets
    for part in parts_:
        claim = part.claim
        times = releases(claim.arrival, random, HORIZON, dense or shy)
        for k, nominal in enumerate(at + (offsets[claim.name] if shy and not dense else 0) for at in times):
            early = claim.late_ps if not k else 0
            ready = nominal + (early if dense or shy else random.choice((0, claim.late_ps)))
            tie = random.randrange(3) if claim.name != favourite else 9
            key = {
                "fixed": (claim.level, tie), "dated": (nominal + claim.key_ps, tie), "fifo": (nominal, tie),
                "any": (random.randrange(4), tie) if random.random() < 0.5 else (claim.name == favourite, -nominal),
            }[order]  # fmt: skip
            work = claim.work_ps if dense or shy else random.randint(max(1, claim.work_ps - 2), claim.work_ps)
            nominals.append(nominal)
            jobs.append(Job(claim.name, ready, tuple(map(int, key)), pieces(work, part.tile)))
    seen, before = {part.claim.name: Seen() for part in parts_}, dict[str, int]()
    for job, nominal, finish in zip(jobs, nominals, finishes(jobs), strict=True):
        one = seen[job.task]
        one.worst = max(one.worst, finish - nominal)
        one.alone = one.alone and job.ready >= before.get(job.task, 0)
        before[job.task] = finish
    return seen


ANALYSES = {
    "fixed": fixed_order.response_ps, "dated": dated.response_ps, "fifo": dated.response_ps,
    "any": any_order.response_ps,
}  # fmt: skip


@_RELAXED
@given(parts(), st.sampled_from(sorted(ANALYSES)), st.integers(0, 2**32))
def test_no_job_takes_longer_than_its_bound(drawn: list[Part], order: str, seed: int) -> None:
    if order == "fifo":
        drawn = [replace(part, claim=replace(part.claim, key_ps=0)) for part in drawn]
    claims = [part.claim for part in drawn]
    bounds = {claim.name: ANALYSES[order](claims, claim) for claim in claims}
    lone = {}
    for claim in claims:
        alone = replace(claim, alone=True)
        lone[claim.name] = ANALYSES[order]([alone if c is claim else c for c in claims], alone)
    for run in range(12):
        for name, seen in observed(drawn, order, seed + run, dense=not run).items():
            bound, other = bounds[name], lone[name]
            assert isinstance(bound, NoBound) or seen.worst <= bound, (name, seen, bound, run)
            assert isinstance(other, NoBound) or not seen.alone or seen.worst <= other, (name, seen, other, run)
