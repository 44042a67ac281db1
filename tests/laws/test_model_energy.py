"""Energy of real runs: accounts, total and trace are one number, wherever the window is cut."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, assume, given, settings
from reference.default_pair import default_system
from reference.random_systems import systems
from reference.systems import Case

from tlm3d.analysis.energy import accounts, booked_aj
from tlm3d.analysis.judge import judge
from tlm3d.analysis.power import trace
from tlm3d.errors import ElaborationError
from tlm3d.record.recording import JobEnd, Recording

_RELAXED = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def _check_sums(recording: Recording) -> int:
    total_aj = sum(account.energy_aj for account in accounts(booked_aj(recording)))
    power = trace(recording)
    assert total_aj == sum(power.energy_aj)
    assert (power.start_ps[0], power.end_ps[-1]) == (0, recording.horizon_ps)
    assert power.start_ps[1:] == power.end_ps[:-1]
    assert all(energy_aj >= 0 for energy_aj in power.energy_aj)
    return total_aj


@pytest.mark.parametrize("horizon_ps", [123_456_789, 50 * 10**9, 99_999_999_999, 10**12])
def test_accounts_and_trace_of_the_default_pair_sum_to_the_total(horizon_ps: int) -> None:
    result = judge(default_system(horizon_ps=horizon_ps).run())
    assert _check_sums(result.recording) == result.total_aj


@pytest.mark.parametrize("policy", ["edf", "fixed-priority"])
def test_they_do_so_when_work_is_cut_off_by_the_horizon_everywhere(policy: str) -> None:
    slow = {"links.tsv.rate": "0.2 Mbit/s", "dies.logic.blocks.cluster.clock": "5 MHz"}
    recording = default_system(policy, 100_000_000_001, slow).run()
    assert any(span.end_ps > recording.horizon_ps for span in recording.spans)
    _check_sums(recording)


@_RELAXED
@given(systems())
def test_accounts_and_trace_sum_to_the_total_and_a_block_computes_one_tile_at_a_time(case: Case) -> None:
    try:
        recording = case.run()
    except ElaborationError:
        assume(False)
    _check_sums(recording)
    check_one_at_a_time(recording)


def check_one_at_a_time(recording: Recording) -> None:
    """Neither computations of a block nor readouts of a sensor overlap."""
    ends_ps: dict[tuple[str, str, str, str], int] = {}
    for span in sorted(recording.spans, key=lambda span: (span.start_ps, span.end_ps)):
        work = "compute" if span.what == "overhead" else span.what
        if work in ("compute", "load", "store", "sensing"):
            mode = span.layer if span.component.name == "ear" else "-"  # whose modes are read side by side
            key = (*span.component, work, mode)
            assert span.start_ps >= ends_ps.get(key, 0), span
            ends_ps[key] = span.end_ps


@_RELAXED
@given(systems())
def test_a_longer_window_changes_no_job_that_had_ended(case: Case) -> None:
    short_ps = 31_415_927
    try:
        longer = case.run()
        shorter = Case(case.platform, case.workload, case.networks, case.policy, short_ps, case.seed).run()
    except ElaborationError:
        assume(False)
    ended = [job for job in shorter.jobs if job.status != "unfinished"]
    assert sorted(ended) == sorted(job for job in longer.jobs if _is_over(job, short_ps))


def _is_over(job: JobEnd, by_ps: int) -> bool:
    if job.status == "unfinished" or job.release_ps >= by_ps:
        return False
    return not job.segments or job.segments[-1].end_ps <= by_ps


def test_a_leak_of_150_mw_over_1000_s_is_150_j_to_the_attojoule_and_costs_no_time() -> None:
    core = {"kind": "processor", "clock": "1 MHz", "leakage": "150 mW", "energy": {"cycle": "7 pJ/cycle"}}
    platform = {"name": "leaky", "dies": {"d": {"tier": 0, "blocks": {"core": core}}}}
    tasks = {"beat": {"stages": [{"cycles": 1001, "on": "core"}], "period": "100 s", "deadline": "1 s"}}
    case = Case(platform, {"name": "sparse", "tasks": tasks}, horizon_ps=1000 * 10**12)
    began = time.process_time()
    result = case.judge()
    assert time.process_time() - began < 1
    assert _check_sums(result.recording) == result.total_aj == 150 * 10**18 + 10 * 1001 * 7 * 10**6
    assert {(a.what, a.task): a.energy_aj for a in result.accounts} == {
        ("leakage", "-"): 150 * 10**18,
        ("compute", "beat"): 10 * 1001 * 7 * 10**6,
    }
