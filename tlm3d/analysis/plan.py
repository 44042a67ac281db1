"""A plan as it is shown: tasks against their deadlines, and which block runs what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tlm3d.plans.schedule import Schedule
    from tlm3d.spec.plan import Plan


@dataclass(frozen=True, slots=True)
class PlanStep:
    """A stage or layer on its block; times count from the release of the job."""

    name: str
    block: str
    options: int  # blocks it might run on
    start_ps: int
    finish_ps: int
    energy_aj: int


@dataclass(frozen=True, slots=True)
class PlanSheetTask:
    """One job of a task as planned.

    ``makespan_ps`` is what the planner saw, ``least_ps`` what no schedule of the same graph goes below. ``is_optimal``:
    it has proved that nothing is better in what it aims at.
    """

    name: str
    deadline_ps: int
    response_ps: int
    energy_aj: int
    makespan_ps: int
    least_ps: int
    is_optimal: bool
    steps: tuple[PlanStep, ...]

    @property
    def is_in_time(self) -> bool:
        """Whether it is foreseen to finish by its deadline."""
        return self.response_ps <= self.deadline_ps


@dataclass(frozen=True, slots=True)
class PlanSheet:
    """A whole plan."""

    method: str
    platform: str
    workload: str
    policy: str
    corner: str
    tasks: tuple[PlanSheetTask, ...]


def sheet(
    plan: Plan,
    schedules: Mapping[str, Schedule],
    deadlines_ps: Mapping[str, int],
    options: Mapping[str, Mapping[str, int]],
) -> PlanSheet:
    """``plan``, whose every figure is known, beside what its planner found and was given, by task."""
    tasks = []
    for name, task in plan.tasks.items():
        found = schedules[name]
        steps = tuple(
            PlanStep(item, step.on, options[name][item], step.start_ps or 0, step.finish_ps or 0, step.energy_aj or 0)
            for item, step in task.items.items()
        )
        figures = (task.response_ps or 0, task.energy_aj or 0, found.makespan_ps, found.bound_ps, found.optimal)
        tasks.append(PlanSheetTask(name, deadlines_ps[name], *figures, steps))
    return PlanSheet(plan.method, plan.platform, plan.workload, plan.policy or "-", plan.corner, tuple(tasks))
