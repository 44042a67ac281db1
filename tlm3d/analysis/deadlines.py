"""Which jobs kept their deadline, by task.

Jobs are those released in [0, H). A job is judged if its deadline lies at or before H, else it is open. A finish
exactly at the deadline is on time; a finish beyond H is not known at H, so such a job counts as unfinished.
"""

from __future__ import annotations

from collections.abc import Iterable

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


def task_result(name: str, deadline_ps: int, jobs: Iterable[JobEnd], horizon_ps: int) -> TaskResult:
    """The counts and response times of one task's ``jobs`` (all released inside the window)."""
    jobs = list(jobs)
    judged = [job for job in jobs if is_judged(job, horizon_ps)]
    return TaskResult(
        name=name,
        deadline_ps=deadline_ps,
        jobs=len(jobs),
        judged=len(judged),
        missed=sum(is_missed(job, horizon_ps) for job in judged),
        open=len(jobs) - len(judged),
        finished=sum(is_finished(job, horizon_ps) for job in jobs),
        response=_response([job for job in judged if job.status in RAN], horizon_ps),
    )


def _response(jobs: list[JobEnd], horizon_ps: int) -> ResponseStats | None:
    """Response times of jobs that ran; those unfinished at H have run for H − release so far."""
    if not jobs:
        return None
    # Of two equal responses the bound is the larger truth, so it sorts last.
    known = sorted((end_ps(job, horizon_ps) - job.release_ps, not is_finished(job, horizon_ps)) for job in jobs)
    times_ps = [time_ps for time_ps, _ in known]
    return ResponseStats(
        min_ps=times_ps[0],
        mean_ps=sum(times_ps) // len(times_ps),
        p99_ps=times_ps[ceil_div(99 * len(times_ps), 100) - 1],
        max_ps=times_ps[-1],
        max_is_bound=known[-1][1],
    )
