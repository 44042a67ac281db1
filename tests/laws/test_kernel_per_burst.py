"""Coalescing is an optimisation, never an approximation: every integer as if every burst were an event."""

from __future__ import annotations

import os
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference.per_burst import Row, simulate
from reference.traffic_cases import Case, disagreements, expected, long_case, produced, random_case

from tlm3d.tlm.hop import Hop

CASES = int(os.environ.get("TLM3D_KERNEL_CASES", "1500"))
LONG_CASES = int(os.environ.get("TLM3D_KERNEL_LONG_CASES", "120"))

seeds = st.integers(0, 2**32)


def test_every_start_and_finish_is_that_of_the_per_burst_model() -> None:
    assert disagreements(first_seed=1, cases=CASES) == []


def test_so_it_is_where_most_bursts_are_never_visited() -> None:
    assert disagreements(first_seed=1, cases=LONG_CASES, make=long_case) == []


def test_of_long_transfers_over_several_hops_most_bursts_are_never_visited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps the law above honest: rounds are in fact skipped in a good share of its cases."""
    visits = 0
    start_burst = Hop.start_burst

    def counting(hop: Hop, now_ps: int) -> int:
        nonlocal visits
        visits += 1
        return start_burst(hop, now_ps)

    monkeypatch.setattr(Hop, "start_burst", counting)
    mostly_skipped = cases = 0
    for seed in range(1, LONG_CASES + 1):
        case, visits = long_case(seed), 0
        bursts = sum(hop.bursts for _, _, _, hops in produced(case, seed) for hop in hops)
        if visits and any(len(row.route) > 1 for rows in case.traffic.values() for row in rows):
            cases += 1
            mostly_skipped += 2 * visits < bursts
    assert cases > LONG_CASES / 3
    assert mostly_skipped > cases / 2


@given(seeds)
@settings(max_examples=60, deadline=None)
def test_neither_the_order_of_posting_nor_unrelated_events_matter(seed: int) -> None:
    case = random_case(seed)
    assert produced(case, seed + 1) == produced(case, seed + 2) == produced(case)


@given(seeds, st.integers(1, 400), st.integers(1, 4))
@settings(max_examples=150, deadline=None)
def test_a_lone_transfer_keeps_the_timetable_of_its_route(seed: int, n_bytes: int, hops: int) -> None:
    wires = random_case(seed).wires[:hops]
    case = Case(wires, {"dma": [Row(0, n_bytes, tuple(wire.name for wire in wires))]}, None, 1)
    assert produced(case) == expected(case)


@given(seeds)
@settings(max_examples=60, deadline=None)
def test_a_channel_carries_one_burst_at_a_time_and_every_byte_once(seed: int) -> None:
    """Keeps the reference itself honest."""
    case = random_case(seed)
    model = simulate(case.wires, case.traffic)
    busy: dict[str, list[tuple[int, int]]] = {wire.name: [] for wire in case.wires}
    wires = {wire.name: wire for wire in case.wires}
    for run in (run for runs in model.runs.values() for run in runs):
        assert sum(run.sizes) == run.row.n_bytes
        for name, starts_ps in zip(run.row.route, run.starts_ps, strict=True):
            pairs = zip(starts_ps, run.sizes, strict=True)
            busy[name] += [(start_ps, start_ps + wires[name].occupied_ps(size)) for start_ps, size in pairs]
    for name, intervals in busy.items():
        intervals.sort()
        assert all(end <= start for (_, end), (start, _) in pairwise(intervals)), name
