"""Blame of jobs worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.analysis.made import job, piece

from tlm3d.analysis.blame import BUCKETS, blame, contenders, tightest, worst
from tlm3d.errors import SimulationError
from tlm3d.record.recording import JobEnd, Segment

H = 100
CHAIN = [piece("sensing", 10, 25), piece("link-queue", 25, 28), piece("compute", 28, 40), piece("sensing", 40, 41)]


def test_buckets_sum_to_the_response_in_the_stated_order() -> None:
    shown = blame(job(10, 50, 41, segments=CHAIN), H)
    assert (shown.response_ps, shown.slack_ps) == (31, 9)
    assert list(shown.buckets.items()) == [("sensing", 16), ("compute", 12), ("link-queue", 3)]
    assert [bucket for bucket in BUCKETS if bucket in shown.buckets] == list(shown.buckets)


def test_blame_of_a_running_job_is_cut_at_the_horizon() -> None:
    shown = blame(job(80, 90, 130, segments=[piece("np-block", 80, 95), piece("compute", 95, 130)]), H)
    assert (shown.response_ps, shown.slack_ps) == (20, -10)
    assert shown.buckets == {"compute": 5, "np-block": 15}


def test_a_dropped_job_is_blamed_up_to_where_it_ended() -> None:
    shown = blame(job(10, 50, status="dropped", segments=[piece("input-late", 10, 22)]), H)
    assert (shown.response_ps, shown.slack_ps) == (12, -50)


@pytest.mark.parametrize(
    "segments",
    [
        [piece("compute", 10, 40)],  # ends before the finish
        [piece("compute", 10, 42)],  # ends after it
        [piece("compute", 11, 41)],  # starts after the release
        [piece("compute", 10, 20), piece("compute", 21, 41)],  # a gap
        [piece("compute", 10, 20), piece("compute", 19, 41)],  # an overlap
        [piece("compute", 10, 50), piece("compute", 50, 41)],  # runs backwards
        [piece("coffee", 10, 41)],  # no such bucket
        [],
    ],
)
def test_segments_that_do_not_partition_the_response_are_a_bug(segments: list[Segment]) -> None:
    with pytest.raises(SimulationError):
        blame(job(10, 50, 41, segments=segments), H)


def test_the_worst_job_is_the_latest_not_the_longest() -> None:
    long, late = job(0, 50, 60), job(70, 75, 90, index=1)
    shown = worst([long, late], H)
    assert shown is not None
    assert (shown.job, shown.slack_ps) == (late, -15)


def test_equally_late_jobs_are_told_apart_by_name_then_index() -> None:
    jobs = [job(0, 10, 15, task="wake"), job(30, 40, 45, index=1), job(60, 70, 75, index=2)]
    shown = worst(jobs, H)
    assert shown is not None
    assert (shown.job.task, shown.job.index) == ("classify", 1)


def test_an_unfinished_job_is_late_by_the_rest_of_the_window() -> None:
    waiting = job(0, 50, status="unfinished", index=1, segments=[piece("preempt", 0, 100)])
    shown = worst([job(0, 10, 40), waiting], H)
    assert shown is not None
    assert shown.job is waiting


def test_a_dropped_job_is_shown_only_when_no_late_job_ran() -> None:
    dropped = [job(20, 30, status="dropped", index=2), job(10, 20, status="input-lost", index=1)]
    late = job(50, 60, 61, index=5)
    alone, beside = worst(dropped, H), worst([*dropped, late], H)
    assert alone is not None
    assert beside is not None
    assert (alone.job.index, beside.job.index) == (1, 5)


def test_nothing_is_worst_when_every_judged_deadline_was_kept() -> None:
    assert worst([job(0, 10, 10), job(95, 110, status="dropped", index=1)], H) is None


def test_the_tightest_jobs_are_one_a_task_tightest_first() -> None:
    of_task = {
        "attitude": [job(0, 10, 5, task="attitude"), job(10, 20, 15, task="attitude", index=1)],
        "classify": [job(0, 30, 20), job(30, 60, 58, index=1), job(90, 120, 120, index=2)],
        "wake": [job(0, 10, status="dropped", task="wake")],
    }
    assert [(t.job.task, t.job.index, t.slack_ps) for t in tightest(of_task, H)] == [
        ("classify", 1, 2),
        ("attitude", 0, 5),
    ]


_STATUSES = st.sampled_from(["finished", "dropped", "aborted", "input-lost", "unfinished"])


@given(
    st.lists(st.tuples(_STATUSES, st.integers(0, 60), st.integers(1, 30), st.integers(1, 30)), max_size=8), st.data()
)
def test_jobs_shown_are_the_same_when_only_contenders_are_kept_on_the_way(
    told: list[tuple[str, int, int, int]], data: st.DataObject
) -> None:
    jobs = []
    for index, (status, release_ps, within_ps, response_ps) in enumerate(told):
        segments = [piece("preempt", release_ps, H)] if status == "unfinished" else None
        finish_ps = release_ps + response_ps if status == "finished" else -1
        jobs.append(job(release_ps, release_ps + within_ps, finish_ps, status, index=index, segments=segments))
    kept: list[JobEnd] = []
    for one in data.draw(st.permutations(jobs)):
        kept = contenders([*kept, one], H)
    assert len(kept) <= 3
    assert worst(kept, H) == worst(jobs, H)
    assert tightest({"classify": kept}, H) == tightest({"classify": jobs}, H)
