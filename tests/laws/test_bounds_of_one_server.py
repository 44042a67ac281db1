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
from reference.scheduler import Pool, Stage, Task, schedule

from tlm3d.bounds import any_order, dated, fixed_order
from tlm3d.bounds.arrival import NEVER_PS, Arrival, Delayed, Periodic, Sporadic, Traced
from tlm3d.bounds.busy import Steps, busy_ps, cycle_ps
from tlm3d.bounds.claim import Claim, NoBound, utilisation
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


def at_its_densest(part: Part, until: int, key: tuple[int, int] | None, start: int = 0) -> list[tuple[int, Job]]:
    """Nominal arrivals and jobs: the first one as late as can be and ready at ``start``, the rest as early as can be.

    Nothing is ready before 0.
    """
    claim, out = part.claim, list[tuple[int, Job]]()
    while not out or out[-1][0] < until:
        nominal = start - claim.late_ps + claim.arrival.least_span_ps(len(out))
        job = Job(claim.name, max(0, nominal), key or (nominal + claim.key_ps, 0), pieces(claim.work_ps, part.tile))
        out.append((nominal, job))
    return out


def worst_of(name: str, jobs: Sequence[tuple[int, Job]]) -> int:
    """The longest finish − nominal arrival of a task."""
    done = zip(jobs, finishes([job for _, job in jobs]), strict=True)
    return max(finish - nominal for (nominal, job), finish in done if job.task == name)


def long_enough(claims: Sequence[Claim], held: int) -> int:
    """A time in which a busy period ends, or repeats itself on a full server."""
    length = busy_ps(held, claims, utilisation(claims) == 1, Steps())
    length = length if length is not None else (cycle_ps(claims) or 0) + 120
    assume(length < 1500)
    return length


def without_traces(drawn: Sequence[Part]) -> list[Part]:
    """What is densest from 0 on can really come of all but traces, which have their own times."""
    return [part for part in drawn if not isinstance(part.claim.arrival, Traced)]


@_RELAXED
@given(parts().map(without_traces), st.integers(0, 3))
def test_the_densest_jobs_after_the_longest_piece_reach_the_bound_of_levels(drawn: list[Part], which: int) -> None:
    """Tindell & Clark's critical instant, and the one of Davis et al. for what cannot be interrupted."""
    assume(drawn)
    own = drawn[which % len(drawn)]
    level = own.claim.level
    lower = [part for part in drawn if part.claim.level > level]
    before = max(lower, key=lambda part: part.claim.piece_ps, default=None)
    until = long_enough([part.claim for part in drawn if part not in lower], before.claim.piece_ps if before else 0)
    jobs = [
        job
        for part in drawn
        if part not in lower
        for job in at_its_densest(part, until, (part.claim.level if part.claim.level < level else level, part is own))
    ]
    if before:
        jobs.append((0, Job("before", -1, (level + 1, 0), pieces(before.claim.work_ps, before.tile))))
    assert worst_of(own.claim.name, jobs) == fixed_order.response_ps([part.claim for part in drawn], own.claim)


@_RELAXED
@given(parts().map(without_traces), st.integers(0, 3))
def test_the_densest_others_and_some_phase_reach_the_bound_of_dates(drawn: list[Part], which: int) -> None:
    """Spuri's worst case where all are preempted at once: the others from 0 on, its own jobs at some phase."""
    drawn = [Part(replace(part.claim, piece_ps=0, last_ps=0), 1) for part in drawn]
    assume(drawn)
    own = drawn[which % len(drawn)]
    claims = [part.claim for part in drawn]
    until = long_enough(claims, 0)
    assume(until < 200)
    others = [job for part in drawn if part is not own for job in at_its_densest(part, until, None)]
    bound = dated.response_ps(claims, own.claim)
    worst = 0
    for start in range(until + 1):
        mine = [(n, replace(job, key=(n + own.claim.key_ps, 1))) for n, job in at_its_densest(own, until, None, start)]
        worst = max(worst, worst_of(own.claim.name, others + mine))
    assert worst == bound


@st.composite
def small_sets(draw: st.DrawFn) -> list[Claim]:
    """Two or three periodic claims with relative deadlines, preempted at once or not at all."""
    out, left = [], Fraction(19, 20)
    for i in range(draw(st.integers(2, 3))):
        period = draw(st.integers(2, 8))
        if period * left < 1:
            break
        work = draw(st.integers(1, max(1, min(period - 1, int(period * left)))))
        left -= Fraction(work, period)
        piece = work if draw(st.booleans()) else 0
        due = draw(st.integers(1, 10))
        out.append(Claim(f"t{i}", work, Sporadic(period), key_ps=due, piece_ps=piece, last_ps=piece))
    return out


def worst_over_offsets(claims: Sequence[Claim], own: Claim) -> int:
    """By brute force: The longest response of a claim that loses ties, over offsets; a piece may begin first."""
    length = any_order.response_ps(claims, own)
    assert isinstance(length, int)
    worst = 0
    ranges = [range(length + 2) if claim is own else range(3) for claim in claims]
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


@st.composite
def full_servers(draw: st.DrawFn) -> list[Part]:
    """Claims that ask for all of a server."""
    period, times = draw(st.integers(2, 8)), draw(st.integers(1, 3))
    work = draw(st.integers(1, period - 1))
    rows = [(work, period), ((period - work) * times, period * times)]
    out = []
    for i, (work, period) in enumerate(rows):
        arrival = Periodic(Fraction(period), draw(st.sampled_from([0, 0, 1, 9])))
        piece = draw(st.sampled_from([0, work]))
        late, level, key = (draw(st.integers(0, most)) for most in (6, 1, 20))
        out.append(Part(Claim(f"t{i}", work, arrival, late, level, key, piece, piece), 0 if piece else 1))
    return out


@_RELAXED
@given(full_servers(), st.sampled_from(["fixed", "dated"]), st.integers(0, 2**32))
def test_a_full_server_has_bounds_that_hold_for_ever(drawn: list[Part], order: str, seed: int) -> None:
    claims = [part.claim for part in drawn]
    bounds = {claim.name: ANALYSES[order](claims, claim) for claim in claims}
    for run in range(4):
        for name, seen in observed(drawn, order, seed + run, dense=not run).items():
            bound = bounds[name]
            assert isinstance(bound, int)
            assert seen.worst <= bound


@_RELAXED
@given(parts())
def test_edf_keeps_all_deadlines_if_no_interval_asks_for_too_much(drawn: list[Part]) -> None:
    """Processor demand and responses agree, preempted at once and not at all; in pieces the demand is stricter.

    So it is where a claim may be late: its jobs may then hold up their own predecessors, which they do not.
    """
    for cut in ("at once", "never", "in pieces"):
        claims = [part.claim for part in drawn if part.claim.arrival.most(1)]
        if cut != "in pieces":
            size = [claim.work_ps if cut == "never" else 0 for claim in claims]
            claims = [replace(c, piece_ps=piece, last_ps=piece) for c, piece in zip(claims, size, strict=True)]
        demand = demand_test(claims)
        worst = [(dated.response_ps(claims, claim), claim.key_ps) for claim in claims]
        if isinstance(demand, NoBound):
            continue
        kept = all(isinstance(response, int) and response <= due for response, due in worst)
        exact = cut == "at once" or (cut == "never" and not any(claim.late_ps for claim in claims))
        assert demand.kept == kept if exact else kept or not demand.kept
        if not demand.kept and demand.at_ps is not None:
            at = demand.at_ps
            asked = sum(c.work_ps * jobs_due(c, at) for c in claims)
            asked += max([c.piece_ps - 1 for c in claims if c.key_ps - 1 > at and c.piece_ps], default=0)
            assert asked > at


def jobs_due(claim: Claim, at: int) -> int:
    """Jobs ready from 0 on and due by ``at``, counted one by one."""
    jobs = 0
    while claim.arrival.least_span_ps(jobs) - claim.late_ps + claim.key_ps <= at:
        jobs += 1
    return jobs


@_RELAXED
@given(arrivals(), st.integers(0, 2**32))
def test_no_window_holds_more_than_the_most_and_both_functions_say_the_same(arrival: Arrival, seed: int) -> None:
    for n in range(1, 12):
        span = arrival.least_span_ps(n)
        assert span >= arrival.least_span_ps(n - 1)
        assert span == 0 or arrival.most(span) <= n
        assert arrival.most(span + 1) >= n + 1 or span >= NEVER_PS
    assert arrival.most(0) == arrival.least_span_ps(0) == 0
    for run in range(6):
        times = releases(arrival, Random(seed + run), HORIZON, dense=not run)
        for window in (1, 2, 5, 13, 40):
            most = max((sum(start <= time < start + window for time in times) for start in times), default=0)
            assert most <= arrival.most(window)
            if isinstance(arrival, Traced):
                assert most == arrival.most(window)
        for n in (1, 2, 4):
            spans = [late - early for early, late in zip(times, times[n:], strict=False)]
            assert min(spans, default=NEVER_PS) >= arrival.least_span_ps(n)


@_RELAXED
@given(parts(), st.integers(0, 2**32), st.sampled_from([("full", 1), ("none", 0), ("tile", 2), ("tile", 3)]))
def test_both_schedulers_agree(drawn: list[Part], seed: int, way: tuple[str, int]) -> None:
    """The one here, which has latenesses and ties of any kind, and the one that agrees with the model."""
    random, jobs, tasks, (preemption, tile) = Random(seed), [], [], way
    for part in drawn:
        claim = part.claim
        times = releases(claim.arrival, random, HORIZON, dense=False)
        tasks.append(Task(claim.name, [Stage(claim.work_ps)], times, claim.key_ps))
        cut, name = pieces(claim.work_ps, tile), int(claim.name[1:])
        jobs += [Job(claim.name, n, (n + claim.key_ps, name), cut) for n in times]
    other = schedule(tasks, {"cpu": Pool(1, preemption, max(1, tile))}, "edf", 10**6).finish
    names = [(task.name, k) for task in tasks for k in range(len(task.releases))]
    assert dict(zip(names, finishes(jobs), strict=True)) == other
