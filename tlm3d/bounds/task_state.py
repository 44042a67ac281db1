"""What is known of a task while bounds are sought: when its steps are ready and done, at the soonest and the latest."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from tlm3d.bounds.arrival import Arrival
from tlm3d.bounds.claim import NoBound
from tlm3d.bounds.demand import Part, TaskDemand
from tlm3d.bounds.work import StepWork


class TaskState:
    """What is known of a task so far; times count from the release. ``late_ps``, ``done_ps`` by step."""

    def __init__(self, task: TaskDemand, works: Sequence[StepWork], by_rate: Sequence[StepWork]) -> None:
        self.task, self.works, self._by_rate = task, works, by_rate
        self.arrival: Arrival = task.arrival
        input_ps = task.landing.best_ps if task.landing is not None else 0
        soonest = _Soonest(task, input_ps)
        self.early_ps = soonest.early_ps
        self.best_ps = soonest.last_ps()
        self.start_ps = input_ps  # when it can begin at the latest
        self.late_ps = list(self.early_ps)
        self.takes_ps = [work.least_ps for work in works]  # from when a step is ready
        self.done_ps = list(soonest.done_ps)
        self.bound_ps = self.best_ps
        self.none: NoBound | None = None
        self.held: list[tuple[int, int]] = [(0, 0)] * len(works)  # by step: own work, blocking
        self.lone_ps: int | None = None  # what a job takes at most from its start, where it meets no other task
        self.lone: set[int] = set()  # steps of which only that is known, or which cannot be later

    def work(self, number: int, by_rate: bool) -> StepWork:
        """A step, its rivals on channels counted burst by burst or by their rate."""
        return self._by_rate[number] if by_rate else self.works[number]

    def alone_ps(self) -> int:
        """What a job takes at most from its start."""
        done_ps: list[int] = []
        for step, takes_ps in zip(self.task.steps, self.takes_ps, strict=True):
            done_ps.append(max((done_ps[other] for other in step.after), default=0) + takes_ps)
        return max(done_ps) if self.lone_ps is None else min(self.lone_ps, max(done_ps))

    def all_after(self, first: int, later: int) -> bool:
        """Whether every item of step ``later`` waits for every item of step ``first``, directly or not."""
        firsts = {(first, place) for place in range(len(self.task.steps[first].parts))}
        return all(firsts <= before for before in self._items_before[later])

    @cached_property
    def _items_before(self) -> list[list[set[tuple[int, int]]]]:
        """By step and item: the items that it waits for, by step and place there."""
        found: list[list[set[tuple[int, int]]]] = []
        for number, step in enumerate(self.task.steps):
            here: list[set[tuple[int, int]]] = []
            for part in step.parts:
                before = set(part.outside) | {(number, place) for place in part.before}
                inherited = [here[place] if other == number else found[other][place] for other, place in before]
                here.append(before.union(*inherited))
            found.append(here)
        return found

    @property
    def alone_on_one(self) -> bool:
        """Whether all of it is one step that is ready with the release."""
        return len(self.works) == 1 and self.task.landing is None and self.works[0].processors == 1


class _Soonest:
    """When things can happen at the soonest: every item where its job's critical path lets it, moving nothing.

    By step: ``early_ps`` when its first item may be ready, ``done_ps`` when all have finished; a server works for one
    item at a time.
    """

    def __init__(self, task: TaskDemand, input_ps: int) -> None:
        self._task = task
        self.early_ps: list[int] = []
        self.done_ps: list[int] = []
        self._items_ps: list[list[int]] = []
        for step in task.steps:
            items_ps: list[int] = []
            ready_ps: list[int] = []
            for part in step.parts:
                ready_ps.append(max([input_ps, *self._before(part), *(items_ps[place] for place in part.before)]))
                items_ps.append(ready_ps[-1] + part.compute_ps)
            early_ps = min(ready_ps)
            self.early_ps.append(early_ps)
            self.done_ps.append(max(*items_ps, early_ps + step.compute_ps))
            self._items_ps.append(items_ps)

    def _before(self, part: Part) -> list[int]:
        """When items of other steps that ``part`` waits for have finished, those of one choice as the first of them."""
        found: dict[tuple[int, int, int], int] = {}
        for step, place in part.outside:
            choice = self._task.steps[step].choice
            key = (1, step, place) if choice is None else (0, choice, 0)
            ps = self._items_ps[step][place]
            found[key] = min(found.get(key, ps), ps)
        return list(found.values())

    def last_ps(self) -> int:
        """When a job has finished, which takes one step of each choice."""
        found: dict[tuple[int, int], int] = {}
        for step, ps in zip(self._task.steps, self.done_ps, strict=True):
            key = (1, len(found)) if step.choice is None else (0, step.choice)
            found[key] = min(found.get(key, ps), ps)
        return max(found.values(), default=0)
