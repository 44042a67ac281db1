"""From the facts of a run to its whole answer."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from tlm3d.analysis import blame, limits
from tlm3d.analysis.activities import activities
from tlm3d.analysis.channels import channel_results
from tlm3d.analysis.deadlines import jobs_by_task, task_result
from tlm3d.analysis.efficiency import efficiency
from tlm3d.analysis.energy import accounts
from tlm3d.analysis.power import average_nw, bins_nw
from tlm3d.analysis.result import LimitResult, Result, TaskResult, Verdict
from tlm3d.record.recording import Recording


def judge(recording: Recording) -> Result:
    """Judge the deadlines and limits of a run, add up its energy. Raises SimulationError for facts that contradict."""
    horizon_ps = recording.horizon_ps
    jobs = jobs_by_task(recording)
    tasks = {
        name: task_result(name, task.deadline_ps, jobs[name], horizon_ps) for name, task in recording.tasks.items()
    }
    booked = accounts(recording)
    total_aj = sum(account.energy_aj for account in booked)
    spending = activities(recording)
    held = limits.judge_limits(recording.limits, spending, horizon_ps)
    verdict, reasons = _verdict(tasks.values(), held)
    return Result(
        verdict=verdict,
        reasons=reasons,
        platform=recording.platform,
        workload=recording.workload,
        policy=recording.policy,
        seed=recording.seed,
        horizon_ps=horizon_ps,
        corner=recording.corner,
        tasks=tasks,
        worst=blame.worst(chain.from_iterable(jobs.values()), horizon_ps),
        tightest=blame.tightest(jobs, horizon_ps),
        limits=held,
        total_aj=total_aj,
        average_nw=average_nw(total_aj, horizon_ps),
        accounts=booked,
        channels=channel_results(recording),
        efficiency=efficiency(recording, booked, tasks),
        power_bins_nw=bins_nw(spending, horizon_ps),
        boot_bytes=recording.boot_bytes,
        notes=recording.notes,
        recording=recording,
    )


def _verdict(tasks: Iterable[TaskResult], held: Iterable[LimitResult]) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict and a clause for everything that decided it, misses before what could not be judged."""
    tasks, held = tuple(tasks), tuple(held)
    missed = [
        f"{task.name} missed {task.missed} of {task.judged} ({100 * task.missed / task.judged:.1f} %)"
        for task in tasks
        if task.missed
    ]
    missed += [limits.clause(limit) for limit in held if limit.met is False]
    unjudged = [f"{task.name}: no deadline inside the horizon" for task in tasks if not task.judged]
    unjudged += [limits.clause(limit) for limit in held if limit.met is None]
    if missed:
        return Verdict.MISSED, (*missed, *unjudged)
    if unjudged:
        return Verdict.UNJUDGED, tuple(unjudged)
    judged = sum(task.judged for task in tasks)
    kept = [f"every deadline kept ({judged} job{'' if judged == 1 else 's'} judged)"]
    return Verdict.MET, (*kept, "every power limit kept") if held else tuple(kept)
