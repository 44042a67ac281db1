"""Which jobs kept their deadline, by task.

Jobs are those released in [0, H). A job is judged if its deadline lies at or before H, else it is open. A finish
exactly at the deadline is on time; a finish beyond H is not known at H, so such a job counts as unfinished.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from operator import itemgetter

from tlm3d.analysis.firm import Rows
from tlm3d.analysis.result import FirmResult, ResponseStats, Tardiness, TaskResult
from tlm3d.errors import SimulationError
from tlm3d.record.recording import JobEnd, Recording
from tlm3d.units import ceil_div

RAN = ("finished", "unfinished")
ENDED_WITHOUT_RESULT = ("dropped", "aborted", "input-lost")
_STATUSES = frozenset((*RAN, *ENDED_WITHOUT_RESULT))
_BY_INDEX = itemgetter(1)


def jobs_by_task(recording: Recording) -> dict[str, list[JobEnd]]:
    """The jobs released in [0, H) of every task, tasks in the recording's order, jobs by index.

    Raises SimulationError for a job of an unknown task or status.
    """
    jobs: dict[str, list[JobEnd]] = {task: [] for task in recording.tasks}
    horizon_ps = recording.horizon_ps
    for job in recording.jobs:
        task, index, release_ps, _, _, _, status, _, _ = job
        if task not in jobs:
            raise SimulationError(release_ps, f"{task}#{index}", "the job belongs to no task")
        if status not in _STATUSES:
            raise SimulationError(release_ps, f"{task}#{index}", f"the job ended '{status}'")
        if 0 <= release_ps < horizon_ps:
            jobs[task].append(job)
    for of_task in jobs.values():
        of_task.sort(key=_BY_INDEX)
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
    """The jobs of one task, counted as they come; ``add`` is for jobs released inside the window.

    Slices may bring jobs out of order. What is held grows by response times that have not been seen before, only.
    """

    def __init__(self, name: str, deadline_ps: int, firm: tuple[int, int] | None = None) -> None:
        self._name, self._deadline_ps = name, deadline_ps
        self._jobs = self._judged = self._missed = self._finished = 0
        self._times: dict[int, int] = {}  # how many judged jobs took so long
        self._bounds: dict[int, int] = {}  # and how many had run for so long without an end
        self._late_ps = 0
        self._slack_ps: int | None = None  # the least
        self._needed, window = firm or (0, 0)
        self._rows = Rows(window) if firm else None

    def add(self, jobs: Sequence[JobEnd], horizon_ps: int) -> None:
        """Count ``jobs``; those unfinished at H have run for H − release so far."""
        # One pass over plain integers: this is done for every job of a run.
        times, slack_least_ps = self._times, self._slack_ps
        judged = missed = finished = late_ps = 0
        for _, _, release_ps, deadline_ps, _, finish_ps, status, _, _ in jobs:
            has_finished = status == "finished" and finish_ps <= horizon_ps
            if has_finished:
                finished += 1
            if deadline_ps > horizon_ps:
                continue
            judged += 1
            if has_finished:
                time_ps, slack_ps = finish_ps - release_ps, deadline_ps - finish_ps
                times[time_ps] = times.get(time_ps, 0) + 1
            elif status in RAN:
                time_ps, slack_ps = horizon_ps - release_ps, deadline_ps - horizon_ps
                self._bounds[time_ps] = self._bounds.get(time_ps, 0) + 1
                missed += slack_ps == 0  # else counted below
            else:
                missed += 1
                continue
            if slack_ps < 0:
                missed += 1
                late_ps -= slack_ps
            if slack_least_ps is None or slack_ps < slack_least_ps:
                slack_least_ps = slack_ps
        self._jobs += len(jobs)
        self._judged += judged
        self._missed += missed
        self._finished += finished
        self._late_ps += late_ps
        self._slack_ps = slack_least_ps
        if self._rows is not None:
            for job in jobs:
                in_time = not is_missed(job, horizon_ps) if is_judged(job, horizon_ps) else None
                self._rows.add(job.index, in_time)

    def result(self) -> TaskResult:
        """The counts and response times so far."""
        counts = (self._jobs, self._judged, self._missed, self._jobs - self._judged, self._finished)
        firm = None
        if self._rows is not None:
            firm = FirmResult(self._needed, self._rows.window, self._rows.fewest())
        return TaskResult(self._name, self._deadline_ps, *counts, self._response(), self._tardiness(), firm)

    def _response(self) -> ResponseStats | None:
        if self._slack_ps is None:
            return None
        counts = dict(self._times)
        for time_ps, count in self._bounds.items():
            counts[time_ps] = counts.get(time_ps, 0) + count
        known = sorted(counts)
        ranks = list(accumulate(counts[time_ps] for time_ps in known))
        p50_ps, p95_ps, p99_ps = (known[bisect_left(ranks, ceil_div(p * ranks[-1], 100))] for p in (50, 95, 99))
        return ResponseStats(
            min_ps=known[0],
            mean_ps=sum(time_ps * count for time_ps, count in counts.items()) // ranks[-1],
            p50_ps=p50_ps,
            p95_ps=p95_ps,
            p99_ps=p99_ps,
            max_ps=known[-1],
            max_is_bound=known[-1] in self._bounds,  # of two equal times the bound is the larger truth
        )

    def _tardiness(self) -> Tardiness | None:
        if self._slack_ps is None:
            return None
        ran = sum(self._times.values()) + sum(self._bounds.values())
        return Tardiness(
            mean_ps=self._late_ps // ran,
            max_ps=max(0, -self._slack_ps),
            least_slack_ps=self._slack_ps,
            is_bound=bool(self._bounds),
        )
