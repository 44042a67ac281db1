"""A plan held against what its run came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tlm3d.analysis.result import Account, Foreseen, PlanResult, TaskResult
from tlm3d.record.recording import PlanInfo


def plan_result(
    plan: PlanInfo | None, tasks: Mapping[str, TaskResult], accounts: Sequence[Account]
) -> PlanResult | None:
    """How ``plan`` held, by task; ``accounts`` are those at the rail. None without a plan."""
    if plan is None:
        return None
    found = {}
    for name, task in tasks.items():
        own_aj = sum(account.energy_aj for account in accounts if account.task == name)
        response_ps, energy_aj = plan.tasks.get(name, (None, None))
        mean_ps = task.response.mean_ps if task.response is not None else None
        found[name] = Foreseen(response_ps, energy_aj, mean_ps, own_aj // task.finished if task.finished else None)
    return PlanResult(plan.method, plan.policy, plan.corner, found)
