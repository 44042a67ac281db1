"""Overload, starvation and deadlock by hand, each at the picosecond where it begins."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

import pytest
from reference.placement_cases import random_case
from reference.systems import Case, Tree
from reference.tiny_chip import NS, lone_job, platform
from rich.console import Console

from tlm3d.analysis.judge import judge
from tlm3d.analysis.result import Result, TaskResult, Trouble, Verdict
from tlm3d.analysis.troubles import Service, clause, overloads
from tlm3d.record.recording import Deadlock, JobEnd, LockWait, Recording, Segment, TaskInfo
from tlm3d.reporters.json import document
from tlm3d.reporters.terminal import render

MS = 10**9


def _on_cores(tasks: dict[str, Tree], horizon_ps: int, policy: str = "fixed-priority", cores: int = 1) -> Case:
    core = {"kind": "processor", "clock": "1 MHz", "energy": {"cycle": "1 pJ/cycle"}}
    blocks = {f"core{i}" if cores > 1 else "core": core for i in range(cores)}
    stack = {"name": "cores", "dies": {"d": {"tier": 0, "blocks": blocks}}}
    return Case(stack, {"name": "set", "tasks": tasks}, policy=policy, horizon_ps=horizon_ps)


def _task(time: str, period: str, priority: int = 1, **keys: object) -> Tree:
    return {"stages": [{"time": time, "on": "core"}], "period": period, "priority": priority, **keys}


def _of_kind(result: Result, kind: str) -> list[Trouble]:
    return [trouble for trouble in result.troubles if trouble.kind == kind]


# ------------------------------------------------------------ overload


def test_a_block_is_overloaded_by_the_jobs_due_in_the_window_begun_or_not() -> None:
    """In 12 ms six jobs of 1 ms and four of 2 ms are due: 14 ms."""
    case = _on_cores({"a": _task("1 ms", "2 ms"), "b": _task("2 ms", "3 ms", 2)}, 12 * MS)
    (trouble,) = _of_kind(case.judge(), "overload")
    assert (trouble.where, trouble.who, trouble.asked_ps, trouble.capacity_ps) == ("d.core", "b", 14 * MS, 12 * MS)
    assert trouble.shares == (("b", 8 * MS), ("a", 6 * MS))
    assert clause(trouble) == "d.core overloaded: 117 % of its time is asked for, by b (57 %), a (43 %)"


@pytest.mark.parametrize(("time", "overloads"), [("1 ms", 0), ("1000000001 ps", 1)])
def test_all_of_the_time_is_no_overload_and_a_picosecond_more_is(time: str, overloads: int) -> None:
    case = _on_cores({"a": _task("1 ms", "2 ms"), "b": _task(time, "2 ms", 2)}, 10 * MS)
    assert len(_of_kind(case.judge(), "overload")) == overloads


def test_jobs_that_are_due_after_the_window_do_not_count() -> None:
    """Jobs at 0, 10 and 20 of 25 ms: two are due, 20 ms."""
    assert not _on_cores({"a": _task("10 ms", "10 ms")}, 25 * MS).judge().troubles


def test_a_channel_is_overloaded_by_the_wire_time_of_its_transfers() -> None:
    """Each job moves bytes for longer than its period over the vias down, at a nanosecond a byte."""
    case = lone_job(platform("100 MHz", 4096, None), [1, 1, 1000], [1], 100 * NS * 1000)
    task = case.workload["tasks"]["job"]
    periodic = {**task, "period": "1 us", "deadline": "1 us"}
    crowded = replace(case, workload={**case.workload, "tasks": {"job": periodic}}, horizon_ps=100_000 * NS)
    found = {trouble.where: trouble for trouble in _of_kind(crowded.judge(), "overload")}
    vias = found["vias:top>bottom"]
    legs = [leg for leg in case.run().legs if leg.channel == "vias:top>bottom"]
    assert vias.asked_ps == 100 * sum(leg.busy_ps for leg in legs) > 100_000 * NS


def _overloads(demand: dict[str, tuple[tuple[str, int], ...]], jobs: int) -> list[tuple[str, int, int]]:
    """Of tasks with ``jobs`` judged jobs each in a window of 100 ps: place, asked, capacity."""
    recording = Recording("p", "w", "edf", 0, 100)
    recording.tasks = {name: TaskInfo(10, 1, 0, "-", 10, demand_ps=parts) for name, parts in demand.items()}
    tasks = {name: TaskResult(name, 10, jobs, jobs, 0, 0, jobs, None) for name in demand}
    return [(trouble.where, trouble.asked_ps, trouble.capacity_ps) for trouble in overloads(recording, tasks)]


def test_work_for_any_of_several_blocks_counts_against_all_of_them_with_what_only_they_can_do() -> None:
    either = {"t": (("d.x+d.y", 15),)}
    assert _overloads(either, 10) == []
    assert _overloads({**either, "u": (("d.x", 5),)}, 10) == []  # 150 + 50 of 200
    assert _overloads({**either, "u": (("d.x", 6),)}, 10) == [("d.x+d.y", 210, 200)]
    assert _overloads({**either, "u": (("d.z", 6),)}, 10) == []


def test_what_a_job_needs_is_the_least_of_what_its_layers_need_wherever_they_may_run() -> None:
    """A layer with a choice counts once for both blocks; one without brings its transfers along."""
    case = random_case(0)
    name = next(iter(case.networks))
    task = {**case.workload["tasks"][name], "map": {"default": ["x", "y"]}}

    def demand(where: list[str]) -> dict[str, int]:
        workload = {"name": "w", "tasks": {name: {**task, "map": {"default": where}}}}
        return dict(replace(case, workload=workload).system().recording.tasks[name].demand_ps)

    free, on_x, on_y = demand(["x", "y"]), demand(["x"]), demand(["y"])
    assert free.keys() == {"lower.y+upper.x"}
    assert 0 < free["lower.y+upper.x"] <= min(on_x["upper.x"], on_y["lower.y"])
    only = replace(case, workload={"name": "w", "tasks": {name: {**task, "map": {"default": ["y"]}}}}, horizon_ps=10**9)
    recording = only.run()
    jobs = len([job for job in recording.jobs if job.status == "finished"])
    moved: dict[str, int] = {}
    for leg in recording.legs:
        moved[leg.channel] = moved.get(leg.channel, 0) + leg.busy_ps
    computed = sum(span.end_ps - span.start_ps for span in recording.spans if span.what == "compute")
    assert jobs > 0
    assert {place: jobs * ps for place, ps in on_y.items()} == {**moved, "lower.y": computed}


# ------------------------------------------------------------ starvation


def test_a_task_that_never_gets_the_block_is_starved_by_the_one_that_has_it() -> None:
    case = _on_cores({"high": _task("2 ms", "2 ms"), "low": _task("1 ms", "10 ms", 2)}, 20 * MS)
    (trouble,) = _of_kind(case.judge(), "starvation")
    assert (trouble.who, trouble.where, trouble.at_ps, trouble.capacity_ps) == ("low", "d.core", 0, 20 * MS)
    assert trouble.shares == (("high", 20 * MS),)
    assert clause(trouble) == "low starved: not served since 0 s, while d.core worked for others, most for high (100 %)"


def test_a_task_that_is_slowed_down_is_not_starved() -> None:
    """low gets 1 ms of every 3 and needs 5 of every 10: it misses, and is served all the same."""
    case = _on_cores({"high": _task("2 ms", "3 ms"), "low": _task("5 ms", "10 ms", 2)}, 60 * MS)
    result = case.judge()
    assert result.tasks["low"].missed
    assert not _of_kind(result, "starvation")


def _job(index: int, release: int, computes_until: int, end: int, holder: str = "high#0") -> JobEnd:
    segments = (
        Segment("compute", release, computes_until, "core", "-"),
        Segment("preempt", computes_until, end, "core", holder),
    )
    return JobEnd("low", index, release, end, release, -1, "unfinished", segments)


def test_service_is_computing_and_all_that_was_held_before_is_forgotten() -> None:
    service = Service("low")
    service.add([_job(0, 0, 10, 50), _job(1, 50, 60, 100, "other#7")], 100)
    assert (service.since_ps, dict(service.held_ps)) == (60, {("core", "other"): 40})


def test_it_is_the_same_in_one_piece_and_job_by_job() -> None:
    jobs = [_job(0, 0, 10, 50), _job(1, 50, 50, 100), _job(2, 100, 100, 150, "other#1")]
    whole, pieces = Service("low"), Service("low")
    whole.add(jobs, 150)
    for job in jobs:
        pieces.add([job], 150)
    assert (whole.since_ps, whole.held_ps) == (pieces.since_ps, pieces.held_ps)


@pytest.mark.parametrize(("runs_ms", "starved"), [(10, True), (11, False)])
def test_starvation_begins_at_half_of_the_window(runs_ms: int, starved: bool) -> None:
    """low has the core until high comes, and keeps it for good; the window is 20 ms."""
    high = _task("2 ms", "2 ms", offset=f"{runs_ms} ms")
    case = _on_cores({"high": high, "low": _task("15 ms", "18 ms", 2)}, 20 * MS)
    assert bool(_of_kind(case.judge(), "starvation")) == starved


def test_a_task_that_waits_for_nobody_is_late_and_not_starved() -> None:
    case = _on_cores({"long": _task("1 s", "10 ms")}, 20 * MS)
    result = case.judge()
    assert result.verdict is Verdict.MISSED
    assert not _of_kind(result, "starvation")


# ------------------------------------------------------------ deadlock


def test_a_deadlock_is_the_first_reason_and_says_who_waits_for_whom() -> None:
    recording = _on_cores({"a": _task("1 ms", "5 ms"), "b": _task("1 ms", "5 ms", 2)}, 20 * MS).run()
    waits = (LockWait("a#0", "r2", "b#0"), LockWait("b#0", "r1", "a#0"))
    recording.deadlocks.append(Deadlock(12_300_000_000, waits))
    result = judge(recording)
    line = "deadlock at 12.3 ms: a#0 waits for r2 held by b#0, b#0 waits for r1 held by a#0"
    assert (result.verdict, result.reasons) == (Verdict.MISSED, (line,))
    assert document(result)["troubles"][0]["waits"][1] == {"job": "b#0", "resource": "r1", "holder": "a#0"}
    console = Console(file=StringIO(), width=120, color_system=None)
    render(result, console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert text.index("Troubles") < text.index(line, text.index("Troubles")) < text.index("Tasks")


def test_without_troubles_there_is_no_section() -> None:
    console = Console(file=StringIO(), width=120, color_system=None)
    render(_on_cores({"a": _task("1 ms", "5 ms")}, 20 * MS).judge(), console)
    assert "Troubles" not in console.file.getvalue()  # type: ignore[attr-defined]


# ------------------------------------------------------------ never a hang


def test_a_run_in_which_nothing_ever_ends_comes_to_its_horizon() -> None:
    """The core never lets go of the first job: all others wait, their tasks' too, and all are told of."""
    case = _on_cores({"a": _task("1 h", "1 ms"), "b": _task("1 ms", "1 ms", 2, backlog=3)}, 10 * MS)
    recording = case.run()
    assert {job.status for job in recording.jobs} <= {"unfinished", "dropped"}
    assert sum(job.status == "unfinished" for job in recording.jobs) == 2 + 1 + 3
    result = judge(recording)
    assert {trouble.kind for trouble in result.troubles} == {"overload", "starvation"}
    assert next(trouble.who for trouble in _of_kind(result, "starvation")) == "b"
