"""The one word a run comes to, and the reasons for it."""

from __future__ import annotations

from collections.abc import Iterable

from tlm3d.analysis import limits
from tlm3d.analysis.result import LimitResult, TaskResult, Verdict


def verdict(tasks: Iterable[TaskResult], held: Iterable[LimitResult]) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict and a clause for everything that decided it, misses before what could not be judged."""
    tasks, held = tuple(tasks), tuple(held)
    missed = [_clause(task) for task in tasks if not task.is_kept]
    missed += [limits.clause(limit) for limit in held if limit.met is False]
    unjudged = [f"{task.name}: no deadline inside the horizon" for task in tasks if not task.judged]
    unjudged += [limits.clause(limit) for limit in held if limit.met is None]
    if missed:
        return Verdict.MISSED, (*missed, *unjudged)
    if unjudged:
        return Verdict.UNJUDGED, tuple(unjudged)
    judged = sum(task.judged for task in tasks)
    tolerated = [f"{_clause(task)}, which is tolerated" for task in tasks if task.missed]
    every = "every other deadline" if tolerated else "every deadline"
    kept = [*tolerated, f"{every} kept ({judged} job{'' if judged == 1 else 's'} judged)"]
    return Verdict.MET, (*kept, "every power limit kept") if held else tuple(kept)


def _clause(task: TaskResult) -> str:
    missed = f"{task.name} missed {task.missed} of {task.judged} ({100 * task.missed / task.judged:.1f} %)"
    firm = task.firm
    if firm is None:
        return missed
    return f"{missed}, in time {firm.fewest} of the worst {firm.window} in a row where {firm.needed} are needed"
