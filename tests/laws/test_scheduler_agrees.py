"""Random task sets finish, job by job, when a scheduler written from the rules alone says they do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reference.scheduler import Pool, Schedule, Stage, Task, schedule
from reference.systems import as_text

from tlm3d import Result, load_platform, load_workload, simulate

UNIT = 250_000_000  # ps: a quarter of the default quantum
FIXED = ["rate-monotonic", "deadline-monotonic", "fixed-priority"]
STILL = ["edf", *FIXED, "fifo"]
MANY = 10_000  # waiting jobs, as good as any number

_RELAXED = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


@dataclass(frozen=True)
class Drawn:
    """A task: its stages as (units of time, pool, held resources), all else in units of time."""

    stages: tuple[tuple[int, int, tuple[str, ...]], ...]
    period: int
    deadline: int
    offset: int = 0
    jitter: int = 0
    priority: int = 1
    backlog: int = MANY
    after: tuple[tuple[int, ...], ...] | None = None  # by stage, which it follows; None: the one before in the list

    @property
    def work(self) -> int:
        return sum(time for time, *_ in self.stages)


@dataclass(frozen=True)
class Machine:
    """``pools[i]`` processors in queue i, and how a stage gives way there."""

    pools: tuple[int, ...]
    preemption: str = "full"
    tile: int = 1
    switch: int = 0

    def names(self, pool: int) -> list[str]:
        return [f"p{pool}{i}" for i in range(self.pools[pool])]


@dataclass(frozen=True)
class Set:
    """What runs where, and under which rules."""

    tasks: tuple[Drawn, ...]
    machine: Machine = Machine((1,))
    policy: str = "edf"
    protocol: str = "inheritance"
    horizon: int = 120
    quantum: int = 4  # the default

    def files(self) -> tuple[Any, Any]:
        """Platform and workload as YAML has them."""
        way = {"kind": "processor", "preemption": self.machine.preemption}
        if self.machine.switch:
            way["context_switch"] = f"{self.machine.switch * UNIT} ps"
        if self.machine.preemption == "tile":
            way["tile"] = f"{self.machine.tile * UNIT} ps"
        blocks = {name: way for pool in range(len(self.machine.pools)) for name in self.machine.names(pool)}
        workload: dict[str, Any] = {
            "name": "drawn", "horizon": f"{self.horizon * UNIT} ps", "policy": self.policy,
            "tasks": {f"t{i}": self._written(task) for i, task in enumerate(self.tasks)},
        }  # fmt: skip
        if self.quantum != 4:
            workload["quantum"] = f"{self.quantum * UNIT} ps"
        held = {resource for task in self.tasks for *_, holds in task.stages for resource in holds}
        if held:
            workload["resources"] = {resource: {"protocol": self.protocol} for resource in held}
        return {"name": "drawn", "dies": {"die": {"tier": 0, "blocks": blocks}}}, workload

    def _written(self, task: Drawn) -> dict[str, Any]:
        stages = []
        for i, (time, pool, holds) in enumerate(task.stages):
            names = self.machine.names(pool)
            stage = {"time": f"{time * UNIT} ps", "on": names[0] if len(names) == 1 else names}
            if task.after is not None:
                stage |= {"name": f"s{i}", "after": [f"s{place}" for place in task.after[i]]}
            stages.append(stage | ({"holds": list(holds)} if holds else {}))
        times = {key: getattr(task, key) for key in ("period", "deadline", "offset", "jitter")}
        written = {key: f"{value * UNIT} ps" for key, value in times.items()}
        return {"stages": stages, "priority": task.priority, "backlog": task.backlog, **written}

    def run(self, seed: int = 0) -> Result:
        with TemporaryDirectory() as folder:
            paths = []
            for name, tree in zip(("platform", "workload"), self.files(), strict=True):
                paths.append(Path(folder) / f"{name}.yaml")
                paths[-1].write_text(json.dumps(as_text(tree)))
            return simulate(load_platform(paths[0]), load_workload(paths[1]), seed=seed)

    def expected(self, result: Result) -> Schedule:
        """By the reference, of the releases that the model drew."""
        way = self.machine
        pools = {str(i): Pool(m, way.preemption, way.tile * UNIT, way.switch * UNIT) for i, m in enumerate(way.pools)}
        tasks = []
        for i, drawn in enumerate(self.tasks):
            jobs = sorted((job for job in result.recording.jobs if job.task == f"t{i}"), key=lambda job: job.index)
            after = drawn.after or [None] * len(drawn.stages)
            stages = [Stage(s[0] * UNIT, str(s[1]), s[2], a) for s, a in zip(drawn.stages, after, strict=True)]
            releases, times = [job.release_ps for job in jobs], (drawn.deadline * UNIT, drawn.period * UNIT)
            tasks.append(Task(f"t{i}", stages, releases, *times, drawn.priority, drawn.backlog))
        protocols = dict.fromkeys("RSQ", self.protocol)
        return schedule(tasks, pools, self.policy, self.horizon * UNIT, self.quantum * UNIT, protocols)


Fate = tuple[int | None, int | None, bool]


def fates(result: Result) -> dict[tuple[str, int], Fate]:
    """Of every job: start, finish, whether it was put out of the backlog."""
    return {
        (job.task, job.index): (
            None if job.start_ps < 0 else job.start_ps,
            None if job.finish_ps < 0 else job.finish_ps,
            job.status == "dropped",
        )
        for job in result.recording.jobs
    }


def agrees(chosen: Set, seed: int = 0) -> Result:
    result = chosen.run(seed)
    expected = chosen.expected(result)
    assert fates(result) == {
        name: (expected.start.get(name), finish, name in expected.dropped) for name, finish in expected.finish.items()
    }
    return result


# ------------------------------------------------------------ what is drawn


@st.composite
def drawn_tasks(draw: st.DrawFn, pools: int, most: int = 3, resources: Sequence[str] = ()) -> Drawn:
    holds = st.lists(st.sampled_from(resources), unique=True, max_size=2).map(tuple) if resources else st.just(())
    stage = st.tuples(st.integers(1, 6), st.integers(0, pools - 1), holds)
    period = draw(st.integers(4, 24))
    return Drawn(
        stages=tuple(draw(st.lists(stage, min_size=1, max_size=most))),
        period=period,
        deadline=draw(st.sampled_from([max(1, period // 2), period, 2 * period, 3 * period + 1])),
        offset=draw(st.integers(0, 9)),
        jitter=draw(st.integers(0, 3)),
        priority=draw(st.integers(0, 4)),
        backlog=draw(st.sampled_from([1, 2, MANY])),
    )


@st.composite
def graphs(draw: st.DrawFn, chosen: Set) -> Set:
    """The same tasks, the stages of each a graph."""
    tasks = [
        replace(task, after=tuple(
            tuple(draw(st.lists(st.integers(0, i - 1), unique=True, max_size=2))) if i else ()
            for i in range(len(task.stages))
        ))
        for task in chosen.tasks
    ]  # fmt: skip
    return replace(chosen, tasks=tuple(tasks))


@st.composite
def sets(
    draw: st.DrawFn, policies: Sequence[str], ways: Sequence[str], sizes: st.SearchStrategy[tuple[int, ...]],
    most: int = 3, resources: Sequence[str] = (), protocol: str = "inheritance",
) -> Set:  # fmt: skip
    pools = draw(sizes)
    machine = Machine(pools, draw(st.sampled_from(ways)), draw(st.integers(1, 3)), draw(st.integers(0, 2)))
    tasks = draw(st.lists(drawn_tasks(len(pools), most, resources), min_size=1, max_size=6))
    return Set(tuple(tasks), machine, draw(st.sampled_from(policies)), protocol)


PARTITIONED = st.integers(1, 4).map(lambda n: (1,) * n)
GLOBAL = st.sampled_from([(2,), (3,), (4,), (1, 2), (2, 2)])


# ------------------------------------------------------------ job by job


@pytest.mark.parametrize("policy", STILL)
@_RELAXED
@given(data=st.data(), seed=st.integers(0, 99))
def test_every_job_on_its_own_processor(policy: str, data: st.DataObject, seed: int) -> None:
    agrees(data.draw(sets([policy], ["full", "none"], PARTITIONED)), seed)


@pytest.mark.parametrize("policy", STILL)
@_RELAXED
@given(data=st.data(), seed=st.integers(0, 99))
def test_every_job_of_processors_that_share_a_queue(policy: str, data: st.DataObject, seed: int) -> None:
    agrees(data.draw(sets([policy], ["full", "none"], GLOBAL)), seed)


@pytest.mark.parametrize("pool", [1, 2])
@_RELAXED
@given(data=st.data(), seed=st.integers(0, 99))
def test_every_job_where_whole_tiles_are_done(pool: int, data: st.DataObject, seed: int) -> None:
    agrees(data.draw(sets(STILL, ["tile"], PARTITIONED if pool == 1 else GLOBAL)), seed)


@pytest.mark.parametrize("pool", [1, 2])
@_RELAXED
@given(data=st.data(), seed=st.integers(0, 99))
def test_every_job_of_least_laxity(pool: int, data: st.DataObject, seed: int) -> None:
    sizes = PARTITIONED if pool == 1 else GLOBAL
    chosen = data.draw(sets(["least-laxity"], ["full", "none", "tile"], sizes))
    agrees(replace(chosen, quantum=data.draw(st.sampled_from([1, 3, 4]))), seed)


@_RELAXED
@given(data=st.data(), seed=st.integers(0, 99))
def test_every_job_whose_stages_are_a_graph(data: st.DataObject, seed: int) -> None:
    policies, ways = [*STILL, "least-laxity"], ["full", "none", "tile"]
    chosen = data.draw(sets(policies, ways, st.one_of(PARTITIONED, GLOBAL), most=5))
    agrees(data.draw(graphs(chosen)), seed)


@pytest.mark.parametrize("protocol", ["none", "inheritance", "ceiling"])
@_RELAXED
@given(data=st.data(), seed=st.integers(0, 99))
def test_every_job_that_holds_resources(protocol: str, data: st.DataObject, seed: int) -> None:
    policies = FIXED if protocol == "ceiling" else STILL
    agrees(data.draw(sets(policies, ["full", "none", "tile"], st.just((1,)), 4, "RSQ", protocol)), seed)


@pytest.mark.parametrize("protocol", ["none", "inheritance"])
@_RELAXED
@given(data=st.data(), seed=st.integers(0, 99))
def test_every_job_that_holds_resources_on_several_processors(protocol: str, data: st.DataObject, seed: int) -> None:
    policies, ways = [*STILL, "least-laxity"], ["full", "none", "tile"]
    agrees(data.draw(sets(policies, ways, st.sampled_from([(2,), (3,)]), 3, "RS", protocol)), seed)


# ------------------------------------------------------------ laws


@st.composite
def plain_tasks(draw: st.DrawFn, most_use: tuple[int, int] = (1, 1)) -> tuple[Drawn, ...]:
    """Synchronous tasks with deadline = period whose utilisation is at most the fraction."""
    tasks: list[Drawn] = []
    for period in draw(st.lists(st.sampled_from([4, 5, 6, 8, 10, 12, 15, 20]), min_size=1, max_size=5)):
        # sums over 120, a multiple of every period
        spare = 120 * most_use[0] // most_use[1] - sum(task.work * 120 // task.period for task in tasks)
        if spare * period >= 120:
            work = draw(st.integers(1, min(period, spare * period // 120)))
            tasks.append(Drawn(((work, 0, ()),), period, period, priority=len(tasks)))
    return tuple(tasks)


def misses(result: Result) -> int:
    """Jobs not done in time; the window ends with a hyperperiod, when all are done."""
    return sum(not 0 <= job.finish_ps <= job.deadline_ps for job in result.recording.jobs)


@_RELAXED
@given(plain_tasks())
def test_edf_misses_nothing_up_to_full_use(tasks: tuple[Drawn, ...]) -> None:
    # Liu & Layland 1973: one processor, preemptive, deadline = period; the hyperperiod is 120
    assert misses(agrees(Set(tasks, policy="edf", horizon=240))) == 0


@_RELAXED
@given(plain_tasks())
def test_least_laxity_misses_nothing_up_to_full_use(tasks: tuple[Drawn, ...]) -> None:
    # Dertouzos & Mok 1989, one processor. A quantum of a unit, all times being whole units, is as good as none.
    stretched = tuple(
        replace(task, stages=((4 * task.work, 0, ()),), period=4 * task.period, deadline=4 * task.period)
        for task in tasks
    )
    assert misses(agrees(Set(stretched, policy="least-laxity", horizon=480))) == 0


def response_time(tasks: Sequence[Drawn], which: int) -> int | None:
    """R = C + Σ ⌈R / T_j⌉ C_j over the tasks before it (Joseph & Pandya 1986); None beyond the period."""
    own, response = tasks[which], tasks[which].work
    while response <= own.period:
        longer = own.work + sum(-(-response // task.period) * task.work for task in tasks[:which])
        if longer == response:
            return response
        response = longer
    return None


@_RELAXED
@given(plain_tasks(), st.lists(st.integers(0, 20), min_size=5, max_size=5))
def test_fixed_priorities_reach_the_bound_of_response_time_analysis(tasks: tuple[Drawn, ...], late: list[int]) -> None:
    bounds = [response_time(tasks, i) for i in range(len(tasks))]
    together = agrees(Set(tasks, policy="fixed-priority"))
    apart = agrees(Set(tuple(replace(t, offset=o) for t, o in zip(tasks, late, strict=False)), policy="fixed-priority"))
    for i, bound in enumerate(bounds):
        if bound is None:
            break  # what comes after is disturbed by a backlog, which this analysis has not
        first = next(job for job in together.recording.jobs if (job.task, job.index) == (f"t{i}", 0))
        assert first.finish_ps == bound * UNIT  # the critical instant
        for result in (together, apart):
            done = [job for job in result.recording.jobs if job.task == f"t{i}" and job.finish_ps >= 0]
            assert all(job.finish_ps - job.release_ps <= bound * UNIT for job in done)


def idle_while_ready(result: Result, processors: Sequence[str], unit: int) -> list[int]:
    """Instants at which a processor did nothing while a job that had nothing running was there; one stage a job."""
    spans = [s for s in result.recording.spans if s.what in ("compute", "overhead")]
    edges = {s.start_ps for s in spans} | {j.release_ps for j in result.recording.jobs}
    found = []
    for at in sorted(edges):
        busy = [s for s in spans if s.start_ps <= at < s.end_ps]
        at_work = {s.task for s in busy}
        there = {
            j.task for j in result.recording.jobs
            if j.release_ps <= at and (at < j.finish_ps or j.status == "unfinished")
        }  # fmt: skip
        if len({s.component.name for s in busy}) < len(processors) and there - at_work:
            found.append(at // unit)
    return found


@pytest.mark.parametrize("m", [1, 2, 3])
@_RELAXED
@given(data=st.data())
def test_no_processor_is_idle_while_a_job_waits(m: int, data: st.DataObject) -> None:
    tasks = tuple(replace(t, backlog=MANY) for t in data.draw(st.lists(drawn_tasks(1, 1), min_size=1, max_size=5)))
    policy, way = data.draw(st.sampled_from(STILL)), data.draw(st.sampled_from(["full", "none"]))
    chosen = Set(tasks, Machine((m,), way, switch=data.draw(st.integers(0, 1))), policy, horizon=60)
    result = chosen.run()
    assert idle_while_ready(result, chosen.machine.names(0), UNIT) == []
