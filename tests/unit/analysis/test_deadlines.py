"""Deadlines judged on jobs worked out by hand; the window is [0, 100] ps unless a test says otherwise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.analysis.made import job, recording

from tlm3d.analysis.deadlines import Tally, jobs_by_task
from tlm3d.analysis.result import ResponseStats, Tardiness, TaskResult
from tlm3d.errors import SimulationError
from tlm3d.record.recording import JobEnd

H = 100


def result_of(*jobs: JobEnd) -> TaskResult:
    tally = Tally("classify", 10)
    tally.add(jobs, H)
    return tally.result()


def test_a_finish_exactly_at_the_deadline_is_on_time() -> None:
    assert result_of(job(0, 10, 10)).missed == 0


def test_a_finish_one_picosecond_after_the_deadline_is_late() -> None:
    assert result_of(job(0, 10, 11)).missed == 1


def test_a_deadline_at_the_horizon_is_judged_and_one_after_it_is_open() -> None:
    result = result_of(job(90, 100, 100), job(91, 101, 101, index=1))
    assert (result.jobs, result.judged, result.open) == (2, 1, 1)


def test_a_finish_at_the_horizon_is_inside_the_window_and_one_after_it_is_not() -> None:
    assert result_of(job(90, 100, 100), job(91, 101, 101, index=1)).finished == 1


def test_a_job_that_would_finish_after_the_horizon_counts_as_unfinished_there() -> None:
    result = result_of(job(40, 60, 130))
    assert (result.missed, result.finished) == (1, 0)
    assert result.response == ResponseStats(60, 60, 60, 60, 60, 60, max_is_bound=True)


@pytest.mark.parametrize("status", ["dropped", "aborted", "input-lost"])
def test_a_job_without_a_result_is_missed_once_its_deadline_is_judged_and_open_before(status: str) -> None:
    result = result_of(job(0, 10, status=status), job(95, 105, status=status, index=1))
    assert (result.judged, result.missed, result.open) == (1, 1, 1)
    assert result.response is None


def test_an_unfinished_job_is_missed_with_a_deadline_at_the_horizon() -> None:
    assert result_of(job(90, 100, status="unfinished")).missed == 1


def test_a_finished_response_as_long_as_an_unfinished_one_is_still_only_a_bound() -> None:
    response = result_of(job(0, 60, 50), job(50, 90, status="unfinished", index=1)).response
    assert response is not None
    assert (response.max_ps, response.max_is_bound) == (50, True)


def test_p99_is_the_nearest_rank() -> None:
    # Of 100 responses 1 … 100 the 99th is p99; of 101 the ⌈99.99⌉ = 100th.
    for count, p99_ps in ((100, 99), (101, 100), (1, 1)):
        tally = Tally("classify", 200)
        tally.add([job(0, 200, k + 1, index=k) for k in range(count)], 200)
        response = tally.result().response
        assert response is not None
        assert response.p99_ps == p99_ps


def test_jobs_counted_one_by_one_come_to_the_same_as_all_at_once() -> None:
    jobs = [job(0, 10, 3 + k % 5, index=k) for k in range(7)] + [job(0, 60, status="unfinished", index=7)]
    tally = Tally("classify", 10)
    for one in jobs:
        tally.add([one], H)
    assert tally.result() == result_of(*jobs)


def test_the_mean_response_is_rounded_down() -> None:
    response = result_of(job(0, 10, 3), job(10, 20, 14, index=1)).response
    assert response == ResponseStats(min_ps=3, mean_ps=3, p50_ps=3, p95_ps=4, p99_ps=4, max_ps=4, max_is_bound=False)


def test_jobs_released_at_or_after_the_horizon_do_not_exist() -> None:
    made = recording(H, jobs=[job(99, 110), job(100, 110, index=1)])
    assert [found.index for found in jobs_by_task(made)["classify"]] == [0]


def test_a_task_without_jobs_is_listed_all_the_same() -> None:
    assert jobs_by_task(recording(H, tasks=["wake"])) == {"wake": []}


@pytest.mark.parametrize("stray", [job(0, 10, 5, task="nobody"), job(0, 10, 5, status="lost-in-space")])
def test_a_job_of_unknown_task_or_status_breaks_an_invariant(stray: JobEnd) -> None:
    with pytest.raises(SimulationError):
        jobs_by_task(recording(H, jobs=[stray]))


def test_percentiles_are_those_of_the_nearest_rank() -> None:
    tally = Tally("classify", 200)
    tally.add([job(0, 200, k + 1, index=k) for k in range(21)], 200)  # ⌈10.5⌉ = 11th, ⌈19.95⌉ = 20th, ⌈20.79⌉ = 21st
    response = tally.result().response
    assert response is not None
    assert (response.p50_ps, response.p95_ps, response.p99_ps) == (11, 20, 21)


def test_response_jitter_is_the_largest_response_less_the_smallest() -> None:
    response = result_of(job(0, 10, 3), job(10, 20, 19, index=1)).response
    assert response is not None
    assert response.jitter_ps == 6


def test_tardiness_is_the_time_beyond_the_deadline_and_nothing_for_a_job_in_time() -> None:
    result = result_of(
        job(0, 10, 4), job(10, 20, 25, index=1), job(30, 40, 42, index=2), job(50, 60, status="dropped", index=3)
    )
    assert result.tardiness == Tardiness(mean_ps=2, max_ps=5, least_slack_ps=-5, is_bound=False)  # (0 + 5 + 2) / 3
    assert (result.missed, result.miss_ratio) == (3, 0.75)


def test_an_unfinished_job_is_tardy_by_at_least_the_rest_of_the_window() -> None:
    result = result_of(job(0, 10, 4), job(20, 60, status="unfinished", index=1))
    assert result.tardiness == Tardiness(mean_ps=20, max_ps=40, least_slack_ps=-40, is_bound=True)


def test_slack_is_what_is_left_to_the_deadline() -> None:
    result = result_of(job(0, 10, 4), job(10, 20, 19, index=1))
    assert result.tardiness == Tardiness(mean_ps=0, max_ps=0, least_slack_ps=1, is_bound=False)
    assert result_of(job(0, 10, status="aborted")).tardiness is None


_TOLD = st.tuples(
    st.sampled_from(["finished", "unfinished", "dropped", "aborted", "input-lost"]),
    st.integers(0, 99),
    st.integers(1, 30),
    st.integers(0, 40),
)


@given(st.lists(_TOLD, max_size=12), st.data())
def test_the_counts_are_those_of_the_definitions_however_the_jobs_come(
    told: list[tuple[str, int, int, int]], data: st.DataObject
) -> None:
    jobs = [
        job(release, release + within, release + took if status == "finished" else -1, status, index=i)
        for i, (status, release, within, took) in enumerate(told)
    ]
    tally = Tally("classify", 10)
    for one in data.draw(st.permutations(jobs)):
        tally.add([one], H)
    judged = [one for one in jobs if one.deadline_ps <= H]
    ran = [one for one in judged if one.status in ("finished", "unfinished")]
    ends = [one.finish_ps if 0 <= one.finish_ps <= H else H for one in ran]
    late = [max(0, end - one.deadline_ps) for one, end in zip(ran, ends, strict=True)]
    result = tally.result()
    assert (result.jobs, result.judged) == (len(jobs), len(judged))
    assert result.missed == sum(not (0 <= one.finish_ps <= min(one.deadline_ps, H)) for one in judged)
    assert result.finished == sum(0 <= one.finish_ps <= H for one in jobs)
    assert (result.response is None) == (result.tardiness is None) == (not ran)
    if result.response and result.tardiness:
        times = sorted(end - one.release_ps for one, end in zip(ran, ends, strict=True))
        assert (result.response.min_ps, result.response.max_ps) == (times[0], times[-1])
        assert result.response.p50_ps == times[(len(times) + 1) // 2 - 1]
        assert (result.tardiness.mean_ps, result.tardiness.max_ps) == (sum(late) // len(late), max(late))
        assert result.tardiness.least_slack_ps == min(one.deadline_ps - end for one, end in zip(ran, ends, strict=True))
