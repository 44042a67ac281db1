"""The one word a run comes to, and the reasons for it."""

from __future__ import annotations

from collections.abc import Iterable

from tlm3d.analysis import limits
from tlm3d.analysis.result import LimitResult, TaskResult, Trouble, Verdict
from tlm3d.analysis.troubles import DEADLOCK, clause


def verdict(
    tasks: Iterable[TaskResult], held: Iterable[LimitResult], troubles: Iterable[Trouble] = ()
) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict and a clause for everything that decided it: deadlocks, misses, then what could not be judged."""
    tasks, held = tuple(tasks), tuple(held)
    missed = [clause(trouble) for trouble in troubles if trouble.kind == DEADLOCK]
    missed += [
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
