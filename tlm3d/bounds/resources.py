"""How long resources hold up a task on its processor: the blocking of Sha, Rajkumar & Lehoczky (1990).

With inheritance each less urgent task blocks once at most, and each resource once; with ceilings one of them does. Both
are for one processor, for jobs that do not wait for a resource while they hold another one (else there may be a
deadlock, but for ceilings), and that wait for nothing on other servers meanwhile. All of a job is as urgent as whom it
holds up: what else of it may run at the same time goes before others, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations
from typing import NamedTuple

from tlm3d.bounds.claim import NoBound
from tlm3d.bounds.demand import Demand, Hold, ResourceDemand, Step, TaskDemand


class Blocking(NamedTuple):
    """By how much at most, in ps; ``none``: why it is not known in this order (in any order nothing is blocked)."""

    ps: int
    none: NoBound | None


@dataclass
class Blockings:
    """``by_task``: by task and processor; ``unknown``: tasks for which there is no bound at all."""

    by_task: dict[tuple[str, str], Blocking] = field(default_factory=dict)
    unknown: dict[str, NoBound] = field(default_factory=dict)


def resource_blocking(demand: Demand) -> Blockings:
    """What resources do to every task of ``demand``."""
    found = Blockings()
    on: dict[str, list[str]] = {}  # the resources of each processor that are shared
    for name, resource in demand.resources.items():
        if len(resource.tasks) < 2:
            continue
        servers = {step.server for task in demand.tasks.values() for step in task.steps if _hold(step.holds, name)}
        reason = _unknown(demand, name, resource, servers)
        if reason:
            for task in demand.tasks.values():
                if task.name in resource.tasks or any(step.server in servers for step in task.steps):
                    found.unknown[task.name] = NoBound(reason)
        else:
            on.setdefault(min(servers), []).append(name)
    for server, names in on.items():
        for task in demand.tasks.values():
            if any(step.server == server for step in task.steps):
                found.by_task[task.name, server] = _blocking(demand, task, server, names)
    for server, name in _hurried(demand):
        for task in demand.tasks.values():
            if any(step.server == server for step in task.steps):
                reason = f"{name} may be hurried on {server} by who waits for it elsewhere"
                found.by_task[task.name, server] = Blocking(0, NoBound(reason))
    return found


def _hurried(demand: Demand) -> Iterator[tuple[str, str]]:
    """Servers, and tasks that may do something there while they hold a resource on another one."""
    hurry = {
        name for name, resource in demand.resources.items() if len(resource.tasks) > 1 and resource.protocol != "none"
    }
    for task in demand.tasks.values():
        for number, step in enumerate(task.steps):
            if not any(hold.resource in hurry for hold in step.holds):
                continue
            before = task.steps_before(number)
            for other, there in enumerate(task.steps):
                if there.server != step.server and other not in before:
                    yield there.server, task.name


def _unknown(demand: Demand, name: str, resource: ResourceDemand, servers: set[str]) -> str:
    """Why nothing is known where this resource is held; empty where something is."""
    if len(servers) != 1 or demand.servers[min(servers)].processors != 1:
        where = " and ".join(sorted(servers))
        return f"resource {name} is held on {where}: no bound but for one processor"
    for user in sorted(resource.tasks):
        task = demand.tasks[user]
        holding = [step for step in task.steps if step.holds]
        if sum(_hold(step.holds, name) is not None for step in holding) > 1:
            return f"{user} keeps resource {name} from one step to another"
        if any((hold := _hold(step.holds, name)) is not None and _waits_elsewhere(step, hold) for step in holding):
            return f"{user} may wait for another server while it holds resource {name}"
        if resource.protocol != "ceiling" and _may_wait_and_hold(task):
            return f"{user} may wait for a resource while it holds another: they may wait in a circle"
    return ""


def _may_wait_and_hold(task: TaskDemand) -> bool:
    for step in task.steps:
        for one, other in combinations(step.holds, 2):
            apart = one.ends < other.begins or other.ends < one.begins
            if one.begins != other.begins and not (apart and step.is_chain):
                return True
    return False


def _waits_elsewhere(step: Step, hold: Hold) -> bool:
    """Whether something between the first and the last item of ``hold`` may have to wait for another step.

    What comes before them in order has been done when the first begins, or else waits for another step.
    """
    if hold.begins == hold.ends:
        return False
    within = range(hold.begins + 1, hold.ends + 1)
    return any(step.parts[at].outside for at in (*within, *_beside(step, hold.begins)))


def _beside(step: Step, begins: int) -> list[int]:
    """The items before item ``begins`` in order that it does not come after."""
    ahead, todo = set[int](), [begins]
    while todo:
        new = set(step.parts[todo.pop()].before) - ahead
        ahead |= new
        todo += new
    return [at for at in range(begins) if at not in ahead]


def section_ps(task: TaskDemand, number: int, hold: Hold) -> int:
    """How long ``task`` has ``hold`` of its step ``number``, or one that it overlaps with, if nobody preempts it.

    With what else of it may go first there, at the same urgency.
    """
    step = task.steps[number]
    begins, ends = hold.begins, hold.ends
    while True:
        overlapping = [one for one in step.holds if one.begins <= ends and begins <= one.ends]
        first, last = min(one.begins for one in overlapping), max(one.ends for one in overlapping)
        if (first, last) == (begins, ends):
            break
        begins, ends = first, last
    before, beside = task.steps_before(number), _beside(step, begins)
    sooner = [step.parts[at] for at in beside] if any(step.parts[at].outside for at in beside) else []
    for at, other in enumerate(task.steps[:number]):
        if other.server == step.server and at not in before:
            sooner += other.parts
    return sum(part.compute_ps for part in (*step.parts[begins : ends + 1], *sooner))


def _blocking(demand: Demand, task: TaskDemand, server: str, names: list[str]) -> Blocking:
    """How long others hold up ``task`` with the resources ``names`` of its processor ``server``."""
    fixed = demand.order == "fixed"
    level = {name: other.level for name, other in demand.tasks.items()}
    relevant = [
        name for name in names if not fixed or min(level[user] for user in demand.resources[name].tasks) <= task.level
    ]
    for name in relevant:
        if demand.resources[name].protocol == "none":
            return Blocking(0, NoBound(f"nobody hurries who holds resource {name}: its protocol is none"))
    switch_ps = demand.servers[server].switch_ps  # who goes on with what it was preempted in
    sections = {
        (other.name, name): section_ps(other, number, hold) + switch_ps
        for other in demand.tasks.values()
        if other is not task and (not fixed or other.level > task.level)
        for number, step in enumerate(other.steps)
        for name in relevant
        if (hold := _hold(step.holds, name)) is not None
    }
    if not sections:
        return Blocking(0, None)
    if all(demand.resources[name].protocol == "ceiling" for name in relevant):
        return Blocking(max(sections.values()), None)
    by_task: dict[str, int] = {}
    by_name: dict[str, int] = {}
    for (other, name), ps in sections.items():
        by_task[other] = max(by_task.get(other, 0), ps)
        by_name[name] = max(by_name.get(name, 0), ps)
    return Blocking(min(sum(by_task.values()), sum(by_name.values())), None)


def _hold(holds: tuple[Hold, ...], name: str) -> Hold | None:
    return next((hold for hold in holds if hold.resource == name), None)
