"""No job of one server takes longer than its bound, whatever comes when; and theory's worst cases reach the bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from random import Random

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from reference.one_server import Job, finishes, pieces

from tlm3d.bounds import any_order, dated, fixed_order
from tlm3d.bounds.arrival import Arrival, Delayed, Periodic, Sporadic, Traced
from tlm3d.bounds.claim import Claim, NoBound, utilisation

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


def at_its_densest(claim: Claim, random: Random, until: int, tile: int, key: tuple[int, int] | None) -> list[Job]:
    """All jobs of a claim, the first one as late as can be and ready at 0, the rest as early as can be after it."""
    nominals = [-claim.late_ps]
    while nominals[-1] < until:
        nominals.append(claim.arrival.least_span_ps(len(nominals)) - claim.late_ps)
    return [Job(claim.name, max(0, n), key or (n + claim.key_ps, 0), pieces(claim.work_ps, tile)) for n in nominals]


def repeating(drawn: Sequence[Part]) -> bool:
    """Whether what is densest from 0 on can really come (of a trace only at its own times)."""
    return not any(isinstance(part.claim.arrival, Traced) for part in drawn)


@_RELAXED
@given(parts(), st.integers(0, 3))
def test_the_densest_jobs_after_the_longest_piece_reach_the_bound_of_levels(drawn: list[Part], which: int) -> None:
    """Tindell & Clark's critical instant, and the one of Davis et al. for what cannot be interrupted."""
    assume(repeating(drawn))
    claims = [part.claim for part in drawn]
    own = drawn[which % len(drawn)]
    bound = fixed_order.response_ps(claims, own.claim)
    assert isinstance(bound, int)
    until, jobs = 4 * HORIZON, []
    lower = [part for part in drawn if part.claim.level > own.claim.level]
    for part in drawn:
        if part not in lower:
            jobs += at_its_densest(part.claim, Random(0), until, part.tile, (part.claim.level, part is own))
    if lower:
        longest = max(lower, key=lambda part: part.claim.piece_ps)
        jobs.append(Job("before", -1, (9, 0), pieces(longest.claim.work_ps, longest.tile)))
    responses = [
        finish - nominal
        for nominal, finish in zip(
            [own.claim.arrival.least_span_ps(k) - own.claim.late_ps for k in range(len(jobs))],
            [f for job, f in zip(jobs, finishes(jobs), strict=True) if job.task == own.claim.name],
            strict=False,
        )
    ]
    assume(bound < until)
    assert max(responses) == bound


@st.composite
def small_sets(draw: st.DrawFn, whole: bool = False) -> list[Claim]:
    """Two or three periodic claims with relative deadlines, preempted at once or not at all."""
    out, left = [], Fraction(19, 20)
    for i in range(draw(st.integers(2, 3))):
        period = draw(st.integers(2, 8))
        if period * left < 1:
            break
        work = draw(st.integers(1, max(1, min(period - 1, int(period * left)))))
        left -= Fraction(work, period)
        piece = work if whole or draw(st.booleans()) else 0
        due = draw(st.integers(1, 10))
        out.append(Claim(f"t{i}", work, Sporadic(period), key_ps=due, piece_ps=piece, last_ps=piece))
    return out


def worst_over_offsets(claims: Sequence[Claim], own: Claim) -> int:
    """By brute force: the longest response of a claim that loses ties, over all offsets."""
    reach = 2 * max(claim.arrival.least_span_ps(1) for claim in claims) + 1
    length = any_order.response_ps(claims, own)
    assert isinstance(length, int)
    worst = 0
    ranges = [range(length + 2) if claim is own else range(min(reach, 3)) for claim in claims]
    for offsets in product(*ranges):
        jobs, nominals = [], []
        for claim, offset in zip(claims, offsets, strict=True):
            cut = pieces(claim.work_ps, claim.piece_ps or 1)
            for n in range(offset, length + 8, claim.arrival.least_span_ps(1)):
                nominals.append(n if claim is own else None)
                jobs.append(Job(claim.name, n, (n + claim.key_ps, claim is own), cut))
        done = zip(nominals, finishes(jobs), strict=True)
        worst = max(worst, *(finish - n for n, finish in done if n is not None))
    return worst


@settings(_RELAXED, max_examples=80)
@given(small_sets(), st.integers(0, 2))
def test_some_offsets_reach_the_bound_of_edf(claims: list[Claim], which: int) -> None:
    own = claims[which % len(claims)]
    bound = dated.response_ps(claims, own)
    assert bound == worst_over_offsets(claims, own)
