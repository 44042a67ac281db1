"""Where the time of a job went: its response split by cause, and the jobs worth showing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tlm3d.analysis.deadlines import RAN, end_ps, is_finished, is_judged, is_missed
from tlm3d.analysis.result import JobBlame
from tlm3d.errors import SimulationError
from tlm3d.record.recording import JobEnd

BUCKETS = (
    "sensing", "compute", "throttle", "np-block", "preempt", "resource", "link-queue", "link-transfer", "memory",
    "wake-up", "input-late", "self-predecessor", "overhead",
)  # fmt: skip


def blame(job: JobEnd, horizon_ps: int) -> JobBlame:
    """The response of ``job`` by bucket, cut at the horizon.

    A dropped or aborted job is blamed up to where its segments end. Raises SimulationError unless the segments
    partition [release, end) into known buckets.
    """
    component = f"{job.task}#{job.index}"
    spent_ps = dict.fromkeys(BUCKETS, 0)
    reached_ps = job.release_ps
    for segment in job.segments:
        if segment.start_ps != reached_ps or segment.end_ps < segment.start_ps:
            what = f"blame goes on at {segment.start_ps} ps to {segment.end_ps} ps"
            raise SimulationError(reached_ps, component, what)
        if segment.bucket not in spent_ps:
            raise SimulationError(reached_ps, component, f"'{segment.bucket}' is no bucket of blame")
        reached_ps = segment.end_ps
        spent_ps[segment.bucket] += max(0, min(segment.end_ps, horizon_ps) - segment.start_ps)
    reached_ps = min(reached_ps, horizon_ps)
    if job.status in RAN and reached_ps != end_ps(job, horizon_ps):
        what = f"blame ends here, the job at {end_ps(job, horizon_ps)} ps"
        raise SimulationError(reached_ps, component, what)
    return JobBlame(
        job=job,
        response_ps=reached_ps - job.release_ps,
        slack_ps=job.deadline_ps - end_ps(job, horizon_ps),
        buckets={bucket: time_ps for bucket, time_ps in spent_ps.items() if time_ps},
    )


def worst(jobs: Iterable[JobEnd], horizon_ps: int) -> JobBlame | None:
    """The latest of the late jobs that ran, ties by task name, then index; None when nothing was missed.

    When every missed job was dropped, aborted or lost its input, the first of them by release.
    """
    missed = [job for job in jobs if is_missed(job, horizon_ps)]
    chosen = _latest(missed, horizon_ps) or _first_without_result(missed)
    return blame(chosen, horizon_ps) if chosen else None


def tightest(jobs: Mapping[str, Iterable[JobEnd]], horizon_ps: int) -> tuple[JobBlame, ...]:
    """By task, the judged and finished job with the least slack (the first of equals); the tightest task first."""
    chosen = [_tightest_of(of_task, horizon_ps) for of_task in jobs.values()]
    found = [blame(job, horizon_ps) for job in chosen if job]
    return tuple(sorted(found, key=lambda shown: (shown.slack_ps, shown.job.task)))


def contenders(jobs: Iterable[JobEnd], horizon_ps: int) -> list[JobEnd]:
    """Those of one task's ``jobs`` that can still be worst or tightest, whatever other jobs there are."""
    # One pass over plain integers: this is done for every job of a run. The keys are those of the functions below.
    latest = first = least = None
    latest_ps = first_ps = least_ps = 0  # slack, release, slack
    for job in jobs:
        _, index, release_ps, deadline_ps, _, finish_ps, status, _, _ = job
        if deadline_ps > horizon_ps:
            continue
        if status == "finished" and finish_ps <= horizon_ps:
            slack_ps = deadline_ps - finish_ps
            if least is None or slack_ps < least_ps or (slack_ps == least_ps and index < least.index):
                least, least_ps = job, slack_ps
            if slack_ps >= 0:
                continue
        elif status in RAN:
            slack_ps = deadline_ps - horizon_ps
        else:
            if first is None or release_ps < first_ps or (release_ps == first_ps and index < first.index):
                first, first_ps = job, release_ps
            continue
        if latest is None or slack_ps < latest_ps or (slack_ps == latest_ps and index < latest.index):
            latest, latest_ps = job, slack_ps
    return list(dict.fromkeys(job for job in (latest, first, least) if job))


def _latest(missed: Iterable[JobEnd], horizon_ps: int) -> JobEnd | None:
    late = (job for job in missed if job.status in RAN)
    return min(late, key=lambda job: (job.deadline_ps - end_ps(job, horizon_ps), job.task, job.index), default=None)


def _first_without_result(missed: Iterable[JobEnd]) -> JobEnd | None:
    ended = (job for job in missed if job.status not in RAN)
    return min(ended, key=lambda job: (job.release_ps, job.task, job.index), default=None)


def _tightest_of(jobs: Iterable[JobEnd], horizon_ps: int) -> JobEnd | None:
    finished = (job for job in jobs if is_judged(job, horizon_ps) and is_finished(job, horizon_ps))
    return min(finished, key=lambda job: (job.deadline_ps - job.finish_ps, job.index), default=None)
