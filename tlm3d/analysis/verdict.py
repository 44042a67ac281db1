"""The one word a run comes to, and the reasons for it."""

from __future__ import annotations

from collections.abc import Iterable

from tlm3d.analysis import limits
from tlm3d.analysis.result import ChainResult, LimitResult, TaskResult, Trouble, Verdict
from tlm3d.analysis.troubles import DEADLOCK, clause
from tlm3d.units import show_ps


def verdict(
    tasks: Iterable[TaskResult],
    held: Iterable[LimitResult],
    chains: Iterable[ChainResult] = (),
    troubles: Iterable[Trouble] = (),
) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict and a clause for everything that decided it: deadlocks, misses, then what could not be judged."""
    tasks, held, chains = tuple(tasks), tuple(held), tuple(chains)
    missed = [clause(trouble) for trouble in troubles if trouble.kind == DEADLOCK]
    missed += [_clause(task) for task in tasks if not task.is_kept]
    missed += [clause for chain in chains for clause in _too_slow(chain)]
    missed += [limits.clause(limit) for limit in held if limit.met is False]
    unjudged = [f"{task.name}: no deadline inside the horizon" for task in tasks if not task.judged]
    unjudged += [clause for chain in chains for clause in _untold(chain)]
    unjudged += [limits.clause(limit) for limit in held if limit.met is None]
    if missed:
        return Verdict.MISSED, (*missed, *unjudged)
    if unjudged:
        return Verdict.UNJUDGED, tuple(unjudged)
    judged = sum(task.judged for task in tasks)
    tolerated = [f"{_clause(task)}, which is tolerated" for task in tasks if task.missed]
    every = "every other deadline" if tolerated else "every deadline"
    kept = [*tolerated, f"{every} kept ({judged} job{'' if judged == 1 else 's'} judged)"]
    kept += ["every bound of the chains kept"] if chains else []
    kept += ["every power limit kept"] if held else []
    return Verdict.MET, tuple(kept)


def _clause(task: TaskResult) -> str:
    missed = f"{task.name} missed {task.missed} of {task.judged} ({100 * task.missed / task.judged:.1f} %)"
    firm = task.firm
    if firm is None:
        return missed
    return f"{missed}, in time {firm.fewest} of the worst {firm.window} in a row where {firm.needed} are needed"


def _too_slow(chain: ChainResult) -> Iterable[str]:
    reaction, age = chain.reaction, chain.age
    if chain.deadline_ps is not None and reaction is not None and reaction.lost:
        jobs = f"{reaction.lost} of {reaction.judged} jobs of {chain.tasks[0]}"
        worst = f"{'≥' if reaction.is_bound else ''}{show_ps(reaction.worst_ps)} > {show_ps(chain.deadline_ps)}"
        yield f"chain {chain.name} reacted too late to {jobs} ({worst})"
    if chain.max_age_ps is not None and age is not None and age.lost:
        outputs = f"{age.lost} of {age.judged} outputs of {chain.tasks[-1]}"
        worst = f"{show_ps(age.worst_ps)} > {show_ps(chain.max_age_ps)}"
        yield f"chain {chain.name} let data of {outputs} grow too old ({worst})"


def _untold(chain: ChainResult) -> Iterable[str]:
    if chain.deadline_ps is not None and (chain.reaction is None or not chain.reaction.judged):
        yield f"chain {chain.name}: no reaction to judge inside the horizon"
    if chain.max_age_ps is not None and chain.age is None:
        yield f"chain {chain.name}: no output inside the horizon"
