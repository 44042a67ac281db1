"""One job as every report tells it: what became of it inside the window, and where its response time went."""

from __future__ import annotations

from typing import NamedTuple

from tlm3d.analysis.deadlines import ENDED_WITHOUT_RESULT, is_finished, is_judged
from tlm3d.analysis.result import JobBlame
from tlm3d.record.recording import JobEnd


def status(job: JobEnd, horizon_ps: int) -> str:
    """met, late, dropped, aborted, input-lost, open (no finish, deadline beyond the window) or unfinished."""
    if is_finished(job, horizon_ps):
        return "met" if job.finish_ps <= job.deadline_ps else "late"
    if job.status in ENDED_WITHOUT_RESULT:
        return job.status
    return "unfinished" if is_judged(job, horizon_ps) else "open"


def within(time_ps: int, horizon_ps: int) -> int | None:
    """A start or finish that happened inside the window, H included, else None."""
    return time_ps if 0 <= time_ps <= horizon_ps else None


class Cause(NamedTuple):
    """``time_ps`` of a job's response spent on ``bucket`` at ``where``, held by ``holder`` (``-``: the job itself)."""

    bucket: str
    where: str
    holder: str
    time_ps: int


def causes(blame: JobBlame) -> tuple[Cause, ...]:
    """The segments of a job, cut at the end of its response, summed by bucket, where and holder.

    In the order of the buckets, the longest first inside each; the times of a bucket sum to that bucket.
    """
    end_ps = blame.job.release_ps + blame.response_ps
    sums: dict[tuple[str, str, str], int] = {}
    for segment in blame.job.segments:
        key = (segment.bucket, segment.where, segment.holder)
        sums[key] = sums.get(key, 0) + max(0, min(segment.end_ps, end_ps) - segment.start_ps)
    rank = {bucket: place for place, bucket in enumerate(blame.buckets)}
    found = [Cause(*key, time_ps) for key, time_ps in sums.items() if time_ps]
    return tuple(sorted(found, key=lambda c: (rank[c.bucket], -c.time_ps, c.where, c.holder)))
