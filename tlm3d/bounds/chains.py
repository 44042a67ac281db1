"""Bounds on the reaction and the data age of chains of tasks.

A task reads what is newest when a job begins, so that data wait for the next release of each task at most, which may
be its first: the bound of Davare et al. (DAC 2007), Σ (period + response), less the first period, as a reaction counts
from a release. The age
of an output is largest just before the next one replaces it, a period of the first task later at most.
"""

from __future__ import annotations

from collections.abc import Mapping

from tlm3d.bounds.demand import ChainDemand, Demand
from tlm3d.bounds.result import ChainBound, TaskBound


def chain_bounds(demand: Demand, tasks: Mapping[str, TaskBound]) -> dict[str, ChainBound]:
    """The bounds of all chains of ``demand``, given those of its tasks."""
    return {name: _bound(demand, name, chain, tasks) for name, chain in demand.chains.items()}


def _bound(demand: Demand, name: str, chain: ChainDemand, tasks: Mapping[str, TaskBound]) -> ChainBound:
    def none(reason: str) -> ChainBound:
        return ChainBound(name, None, None, reason, chain.deadline_ps, chain.max_age_ps)

    reaction_ps = 0
    for place, member in enumerate(chain.tasks):
        bound, task = tasks[member], demand.tasks[member]
        if bound.bound_ps is None:
            return none(f"{member} has no bound")
        if bound.drops or (task.gives_up and bound.bound_ps > task.deadline_ps):
            return none(f"jobs of {member} may be dropped")
        reaction_ps += bound.bound_ps
        if place and member not in chain.cascades:
            if task.most_apart_ps is None:
                return none(f"nothing bounds how far apart the jobs of {member} are released")
            reaction_ps += max(task.most_apart_ps, task.first_ps)
        elif place and task.may_not_come:
            return none(f"{member} is not released by every job before it")
    apart_ps = demand.tasks[chain.tasks[0]].most_apart_ps
    if apart_ps is None:
        reason = f"nothing bounds how far apart the jobs of {chain.tasks[0]} are released"
        return ChainBound(name, reaction_ps, None, reason, chain.deadline_ps, chain.max_age_ps)
    return ChainBound(name, reaction_ps, reaction_ps + apart_ps, "", chain.deadline_ps, chain.max_age_ps)
