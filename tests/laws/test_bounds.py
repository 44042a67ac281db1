"""No simulation contradicts a bound: no response, reaction or age is longer, no response shorter than the best."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from reference.random_systems import crowded, systems
from reference.systems import Case

from systems import KINDS, draw
from systems.measure import measure
from systems.pair import Pair

SEEDS = 30  # of each kind; tools/bound_tightness.py draws thousands

_RELAXED = settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])


def contradictions(pair: Pair, spoil: float = 1) -> list[str]:
    return [text for row in measure(pair).rows for text in row.violations(spoil)]


@pytest.mark.parametrize("kind", KINDS)
def test_bounds_hold_in_systems_of_every_kind(kind: str) -> None:
    for seed in range(SEEDS):
        assert contradictions(draw(kind, seed)) == [], f"{kind}:{seed}"


def as_pair(case: Case) -> Pair:
    workload = {**case.workload, "policy": case.policy, "horizon": f"{case.horizon_ps} ps"}
    return Pair(case.platform, workload, case.networks, seed=case.seed)


@_RELAXED
@given(systems())
def test_bounds_hold_in_systems_of_blocks_sensors_and_troubles(case: Case) -> None:
    assert contradictions(as_pair(case)) == []


@_RELAXED
@given(systems(fixed=True))
def test_bounds_hold_in_systems_where_nothing_ends_early(case: Case) -> None:
    assert contradictions(as_pair(case)) == []


@_RELAXED
@given(crowded())
def test_bounds_hold_where_networks_meet_on_the_array(case: Case) -> None:
    assert contradictions(as_pair(case)) == []


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
