"""Every picosecond of every job has one cause, and every wait names its holder."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, assume, given, settings
from reference.default_pair import default_system
from reference.random_systems import systems
from reference.systems import Case

from tlm3d.analysis.blame import BUCKETS
from tlm3d.errors import ElaborationError
from tlm3d.record.recording import JobEnd, Recording

_RELAXED = settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.too_slow])
_HELD = {"np-block", "preempt", "link-queue", "self-predecessor"}  # buckets that are waits for somebody


def _end_ps(job: JobEnd, horizon_ps: int) -> int:
    """Where the segments of ``job`` must end; jobs that ended early do so when their last segment ends."""
    if job.status == "finished":
        return job.finish_ps
    if job.status == "unfinished":
        return horizon_ps
    return job.segments[-1].end_ps if job.segments else job.release_ps


def check_blame(recording: Recording) -> None:
    for job in recording.jobs:
        at_ps = job.release_ps
        for segment in job.segments:
            assert segment.start_ps == at_ps, (job, segment)
            assert segment.end_ps > at_ps
            assert segment.bucket in BUCKETS
            assert segment.bucket not in _HELD or segment.holder != "-", (job, segment)
            is_own_port = segment.bucket == "link-queue"  # a job may load and store over one port
            assert is_own_port or segment.holder != f"{job.task}#{job.index}"
            at_ps = segment.end_ps
        assert at_ps == _end_ps(job, recording.horizon_ps)
        assert at_ps <= recording.horizon_ps


@_RELAXED
@given(systems())
def test_the_segments_of_every_job_partition_its_life(case: Case) -> None:
    try:
        recording = case.run()
    except ElaborationError:
        assume(False)
    check_blame(recording)
    blocks = {f"{name}.{b}": spec for name, die in case.platform["dies"].items() for b, spec in die["blocks"].items()}
    switching = {path for path, spec in blocks.items() if spec.get("context_switch", "0 ps") != "0 ps"}
    for job in recording.jobs:
        spec = case.workload["tasks"][job.task]
        if job.status == "aborted":
            assert job.segments[-1].end_ps == job.deadline_ps
            assert spec["on_miss"] == "abort"
        for segment in job.segments:  # a wait that nobody causes would be a scheduler asleep
            is_switch = segment.where in switching
            assert segment.bucket != "overhead" or is_switch, (job, segment)


@pytest.mark.parametrize("policy", ["edf", "fixed-priority"])
@pytest.mark.parametrize("link", ["tsv", "bond"])
def test_an_overloaded_link_leaves_no_picosecond_without_a_cause(policy: str, link: str) -> None:
    system = default_system(policy, 250 * 10**9, platform={f"links.{link}.rate": "0.2 Mbit/s"})
    recording = system.run()
    check_blame(recording)
    assert any(job.status != "finished" for job in recording.jobs)
    late = [s for job in recording.jobs for s in job.segments if s.bucket in ("link-transfer", "link-queue")]
    assert {s.where for s in late} >= {"tsv:logic>npu" if link == "tsv" else "bond:pixel>logic"}
