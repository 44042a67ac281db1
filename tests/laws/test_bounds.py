"""No simulation contradicts a bound: no response, reaction or age is longer, no response shorter than the best."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from random import Random

import pytest
from hypothesis import HealthCheck, assume, given, settings
from reference.random_systems import crowded, systems
from reference.systems import Case

from systems import KINDS, draw
from systems.measure import measure
from systems.pair import MANY, Pair
from tlm3d import bound, simulate
from tlm3d.errors import ElaborationError

SEEDS = 20  # of each kind; tools/bound_tightness.py draws thousands

_RELAXED = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def contradictions(pair: Pair, spoil: float = 1, phases: int = 1) -> list[str]:
    """Also bounds whose parts do not add up."""
    rows = measure(pair, phases=phases).rows
    return [text for row in rows for text in [*row.violations(spoil), row.untidy] if text]


@pytest.mark.parametrize("kind", KINDS)
def test_bounds_hold_in_systems_of_every_kind(kind: str) -> None:
    for seed in range(SEEDS):
        assert contradictions(draw(kind, seed), phases=2) == [], f"{kind}:{seed}"


def as_pair(case: Case) -> Pair:
    workload = {**case.workload, "policy": case.policy, "horizon": f"{case.horizon_ps} ps"}
    return Pair(case.platform, workload, case.networks, seed=case.seed)


def contradictions_of(case: Case) -> list[str]:
    """A network that its memories have no room for is no case."""
    try:
        return contradictions(as_pair(case))
    except ElaborationError:
        assume(False)
        raise


@_RELAXED
@given(systems())
def test_bounds_hold_in_systems_of_blocks_sensors_and_troubles(case: Case) -> None:
    assert contradictions_of(case) == []


@_RELAXED
@given(systems(fixed=True))
def test_bounds_hold_in_systems_where_nothing_ends_early(case: Case) -> None:
    assert contradictions_of(case) == []


@_RELAXED
@given(crowded())
def test_bounds_hold_where_networks_meet_on_the_array(case: Case) -> None:
    assert contradictions_of(case) == []


def test_a_demand_that_is_kept_is_a_deadline_that_is_never_missed() -> None:
    told = set()
    for kind, seed in product(("edf", "overload"), range(2 * SEEDS)):
        pair = draw(kind, seed)
        platform, workload = pair.read()
        bounds = bound(platform, workload)
        told |= {demand.kept for demand in bounds.demands.values()}
        if bounds.demands and all(demand.kept for demand in bounds.demands.values()):
            tasks = simulate(platform, workload, record="totals").tasks
            assert not [name for name, task in tasks.items() if task.missed and not bounds.tasks[name].drops], (
                f"{kind}:{seed}"
            )
    assert told == {True, False}


@pytest.mark.parametrize("kind", ["fixed", "edf", "fifo"])
def test_bounds_that_are_a_little_too_small_are_contradicted(kind: str) -> None:
    assert any(contradictions(draw(kind, seed), spoil=0.95) for seed in range(SEEDS))


def test_every_kind_has_bounds() -> None:
    # A bound of nothing is never contradicted.
    without = {
        kind for kind in KINDS
        if all(row.bound_ps is None for seed in range(SEEDS) for row in measure(draw(kind, seed)).rows)
    }  # fmt: skip
    assert without == set()


# ------------------------------------------------------------ where theory says that bounds are reached

UNIT = 1000  # ps
LENGTH = 120 * UNIT  # every period below divides it


def on_one_processor(
    works: Sequence[int], periods: Sequence[int], deadlines: Sequence[int], policy: str, way: str = "full",
    offsets_ps: Sequence[int] = (),
) -> Pair:  # fmt: skip
    """In units; smaller numbers are more urgent."""
    tasks = {
        f"t{i}": {
            "stages": [{"time": f"{works[i] * UNIT} ps", "on": "p"}],
            "period": f"{periods[i] * UNIT} ps", "offset": f"{offsets_ps[i] if offsets_ps else 0} ps",
            "deadline": f"{deadlines[i] * UNIT} ps", "priority": i, "backlog": MANY,
        } for i in range(len(works))
    }  # fmt: skip
    blocks = {"p": {"kind": "processor", "preemption": way}}
    platform = {"name": "one", "dies": {"die": {"tier": 0, "blocks": blocks}}}
    return Pair(platform, {"name": "set", "policy": policy, "horizon": f"{3 * LENGTH} ps", "tasks": tasks})


def drawn_set(r: Random, most: int = 5) -> tuple[list[int], list[int]]:
    """Work and periods, in use for no more than all of the time."""
    while True:
        periods = [r.choice([4, 5, 6, 8, 10, 12, 15, 20, 24, 30]) for _ in range(r.randint(1, most))]
        works = [r.randint(1, period) for period in periods]
        if sum(work * 120 // period for work, period in zip(works, periods, strict=True)) <= 120:
            return works, periods


@pytest.mark.parametrize("seed", range(60))
def test_fixed_priorities_reach_every_bound_when_released_together(seed: int) -> None:
    # The critical instant (Liu & Layland 1973), and beyond periods the busy period that begins there (Lehoczky 1990).
    works, periods = drawn_set(Random(seed))
    for row in measure(on_one_processor(works, periods, periods, "fixed-priority")).rows:
        assert row.longest_ps == row.bound_ps


@pytest.mark.parametrize("seed", range(60))
def test_what_cannot_be_preempted_reaches_its_bound_behind_longest_less_urgent_work(seed: int) -> None:
    # All less urgent work is there a picosecond before the rest (Davis et al. 2007).
    r = Random(seed)
    works, periods = drawn_set(r)
    which = r.randrange(len(works))
    less_urgent = range(which + 1, len(works))
    longest = max(less_urgent, key=lambda i: works[i], default=None)
    offsets = [0 if i == longest else 1 for i in range(len(works))]
    pair = on_one_processor(works, periods, periods, "fixed-priority", "none", offsets)
    row = next(row for row in measure(pair).rows if row.name == f"t{which}")
    assert row.longest_ps == row.bound_ps


@pytest.mark.parametrize("policy", ["edf", "fifo"])
@pytest.mark.parametrize("seed", range(6))
def test_dated_orders_reach_the_bound_in_one_of_all_phases(policy: str, seed: int) -> None:
    # All else is released together, at some time before the job whose turn it is (Spuri 1996). Ties may go either way
    # in the bound; here they go to the smaller name, so that only the last task is sure to reach it.
    r = Random(f"{policy} {seed}")
    works, periods = drawn_set(r, 2)
    deadlines = [r.randint(work, 2 * period) for work, period in zip(works, periods, strict=True)]
    longest: dict[str, int] = {}
    for offsets in product(*([unit * UNIT for unit in range(period)] for period in periods)):
        rows = measure(on_one_processor(works, periods, deadlines, policy, offsets_ps=offsets)).rows
        for row in rows:
            longest[row.name] = max(longest.get(row.name, 0), row.longest_ps)
    assert rows[-1].bound_ps == longest[rows[-1].name]
