"""Which jobs kept their deadline, by task.

Jobs are those released in [0, H). A job is judged if its deadline lies at or before H, else it is open. A finish
exactly at the deadline is on time; a finish beyond H is not known at H, so such a job counts as unfinished.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate

from tlm3d.analysis.result import ResponseStats, TaskResult
from tlm3d.errors import SimulationError
from tlm3d.record.recording import JobEnd, Recording
from tlm3d.units import ceil_div

RAN = ("finished", "unfinished")
ENDED_WITHOUT_RESULT = ("dropped", "aborted", "input-lost")


def jobs_by_task(recording: Recording) -> dict[str, list[JobEnd]]:
    """The jobs released in [0, H) of every task, tasks in the recording's order, jobs by index.

    Raises SimulationError for a job of an unknown task or status.
    """
    jobs: dict[str, list[JobEnd]] = {task: [] for task in recording.tasks}
    for job in recording.jobs:
        if job.task not in jobs:
            raise SimulationError(job.release_ps, f"{job.task}#{job.index}", "the job belongs to no task")
        if job.status not in RAN and job.status not in ENDED_WITHOUT_RESULT:
            raise SimulationError(job.release_ps, f"{job.task}#{job.index}", f"the job ended '{job.status}'")
        if 0 <= job.release_ps < recording.horizon_ps:
            jobs[job.task].append(job)
    for of_task in jobs.values():
        of_task.sort(key=lambda job: job.index)
    return jobs


def is_judged(job: JobEnd, horizon_ps: int) -> bool:
    """Whether the deadline lies inside the window, H included."""
    return job.deadline_ps <= horizon_ps


def is_finished(job: JobEnd, horizon_ps: int) -> bool:
    """Whether the job completed inside the window, H included."""
    return job.status == "finished" and job.finish_ps <= horizon_ps


def is_missed(job: JobEnd, horizon_ps: int) -> bool:
    """Whether a judged job was late, unfinished at H, dropped, aborted or lost its input."""
    on_time = is_finished(job, horizon_ps) and job.finish_ps <= job.deadline_ps
    return is_judged(job, horizon_ps) and not on_time


def end_ps(job: JobEnd, horizon_ps: int) -> int:
    """The finish of a job that finished inside the window, else H."""
    return job.finish_ps if is_finished(job, horizon_ps) else horizon_ps


class Tally:
    """The jobs of one task, counted as they come; ``add`` is for jobs released inside the window."""

    def __init__(self, name: str, deadline_ps: int) -> None:
        self._name, self._deadline_ps = name, deadline_ps
        self._jobs = self._judged = self._missed = self._finished = 0
        # How many judged jobs took so long. Of two equal times the bound is the larger truth, so it sorts last.
        self._times: Counter[tuple[int, bool]] = Counter()

    def add(self, jobs: Sequence[JobEnd], horizon_ps: int) -> None:
        """Count ``jobs``; those unfinished at H have run for H − release so far."""
        judged = [job for job in jobs if is_judged(job, horizon_ps)]
        self._jobs += len(jobs)
        self._judged += len(judged)
        self._missed += sum(is_missed(job, horizon_ps) for job in judged)
        self._finished += sum(is_finished(job, horizon_ps) for job in jobs)
        ran = (job for job in judged if job.status in RAN)
        self._times.update((end_ps(job, horizon_ps) - job.release_ps, not is_finished(job, horizon_ps)) for job in ran)

    def result(self) -> TaskResult:
        """The counts and response times so far."""
        counts = (self._jobs, self._judged, self._missed, self._jobs - self._judged, self._finished)
        return TaskResult(self._name, self._deadline_ps, *counts, self._response())

    def _response(self) -> ResponseStats | None:
        if not self._times:
            return None
        known = sorted(self._times)
        ranks = list(accumulate(self._times[time] for time in known))
        return ResponseStats(
            min_ps=known[0][0],
            mean_ps=sum(time_ps * count for (time_ps, _), count in self._times.items()) // ranks[-1],
            p99_ps=known[bisect_left(ranks, ceil_div(99 * ranks[-1], 100))][0],
            max_ps=known[-1][0],
            max_is_bound=known[-1][1],
        )
