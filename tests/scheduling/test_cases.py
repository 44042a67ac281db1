"""The task sets of the literature: what is expected of them, by a second scheduler and by the model."""

from __future__ import annotations

from copy import deepcopy
from fractions import Fraction
from typing import Any

import pytest
from reference.scheduler import Pool, Schedule, Stage, Task, periodic, schedule

from scheduling_cases import MS, NEVER, Outcome, Run, judged, ms, runs, wanted
from tlm3d.spec.settings import apply_settings
from tlm3d.spec.source import Source, read_source

RUNS = list(runs())


def name_of(run: Run) -> str:
    return f"{run.case}-{run.number}"


def in_ps(text: str) -> int:
    number, unit = text.split()
    assert unit == "ms"
    return int(Fraction(number) * MS)


def trees(run: Run) -> tuple[Any, Any]:
    """Platform and workload as text, with what the run sets."""
    platform, workload = read_source(run.platform), read_source(run.workload)
    sources = Source(platform.file, deepcopy(platform.tree)), Source(workload.file, deepcopy(workload.tree))
    apply_settings(*sources, run.settings)
    return sources[0].tree, sources[1].tree


def by_reference(run: Run) -> Outcome:
    """What the second scheduler says, of the files as text: it does not need the model to understand them."""
    platform, workload = trees(run)
    blocks = platform["dies"]["rack"]["blocks"]
    horizon = run.horizon_ps or in_ps(workload["horizon"])
    pools: dict[str, Pool] = {}
    tasks = []
    for name, task in workload["tasks"].items():
        places = {stage.get("name", str(i)): i for i, stage in enumerate(task["stages"])}
        stages = []
        for stage in task["stages"]:
            on = sorted(blocks) if stage["on"] == "any" else stage["on"]
            names = [on] if isinstance(on, str) else on
            way = blocks[names[0]]
            pools["+".join(names)] = Pool(
                len(names), way.get("preemption", "full"), in_ps(way["tile"]) if "tile" in way else 1
            )
            after = tuple(places[one] for one in stage["after"]) if "after" in stage else None
            stages.append(Stage(in_ps(stage["time"]), "+".join(names), tuple(stage.get("holds", ())), after))
        period = in_ps(task["period"])
        releases = periodic(period, horizon, in_ps(task.get("offset", "0 ms")))
        priority, backlog = int(task.get("priority", 100)), int(task.get("backlog", 1))
        tasks.append(Task(name, stages, releases, in_ps(task["deadline"]), period, priority, backlog))
    protocols = {name: one.get("protocol", "inheritance") for name, one in workload.get("resources", {}).items()}
    quantum = in_ps(workload.get("quantum", "1 ms"))
    out = schedule(tasks, pools, run.policy or workload["policy"], horizon, quantum, protocols)
    return told(tasks, out, horizon)


def told(tasks: list[Task], out: Schedule, horizon: int) -> Outcome:
    finish: dict[str, list[str]] = {}
    worst: dict[str, str] = {}
    done: dict[str, str] = {}
    missed: dict[str, str] = {}
    for task in tasks:
        jobs = [(release, out.finish[task.name, i]) for i, release in enumerate(task.releases)]
        finish[task.name] = [NEVER if end is None else ms(end) for _, end in jobs]
        worst[task.name] = ms(max((end - release for release, end in jobs if end is not None), default=-1))
        done[task.name] = str(sum(end is not None for _, end in jobs))
        due = [(end, release + task.deadline) for release, end in jobs if release + task.deadline <= horizon]
        if late := sum(end is None or end > deadline for end, deadline in due):
            missed[task.name] = str(late)
    return Outcome(finish, worst, done, missed)


@pytest.mark.parametrize("run", RUNS, ids=name_of)
def test_a_second_scheduler_says_what_is_expected(run: Run) -> None:
    expected = wanted(run)
    expected.pop("deadlocks", None)  # it has no name for one; jobs that never finish show it
    assert by_reference(run).answer(expected) == expected


@pytest.mark.parametrize("run", RUNS, ids=name_of)
def test_the_model_says_what_is_expected(run: Run) -> None:
    verdict = judged(run)
    assert not verdict.refused
    assert verdict.got == wanted(run)
