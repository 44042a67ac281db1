"""Task sets that lie beside the repository, where they do: what is marked there as known by simulation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from reference.systems import Case, Tree

from tlm3d.analysis.result import Result

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "realtime"
POLICIES = {"RM": "rate-monotonic", "DM": "deadline-monotonic", "EDF": "edf"}
UNITS = {"ms": 10**9, "0.01 ms": 10**7}  # ps

Written = dict[str, Any]


def found(name: str) -> Written:
    file = FOLDER / f"{name}.yaml"
    if not file.is_file():
        pytest.skip("the task sets are not here")
    tree: Written = yaml.safe_load(file.read_text(encoding="utf-8"))
    return tree


def run(tasks: Tree, policy: str, horizon_ps: int, protocol: str = "", **way: str) -> Result:
    """On one processor."""
    platform = {"name": "one", "dies": {"die": {"tier": 0, "blocks": {"p": {"kind": "processor", **way}}}}}
    workload: Tree = {"name": "set", "tasks": tasks}
    if protocol:
        workload["resources"] = {"R": {"protocol": protocol}}
    return Case(platform, workload, policy=policy, horizon_ps=horizon_ps).judge()


def periodic(written: Written, unit: int) -> Tree:
    return {
        one["name"]: {
            "stages": [{"time": f"{one['wcet'] * unit} ps", "on": "p"}],
            **{key: f"{one[key] * unit} ps" for key in ("period", "deadline", "offset")},
            "priority": one.get("prio", 1),
            "backlog": 1000,
        }
        for one in written["tasks"]
    }


def once(stages: list[Tree], release_ps: int, deadline_ps: int, priority: int) -> Tree:
    times = {"offset": release_ps, "deadline": deadline_ps, "period": 10**13}
    return {"stages": stages, "priority": priority} | {key: f"{value} ps" for key, value in times.items()}


def finishes(result: Result, task: str) -> list[int]:
    jobs = sorted((job for job in result.recording.jobs if job.task == task), key=lambda job: job.index)
    return [job.finish_ps for job in jobs]


@pytest.mark.parametrize("name", ["02_rm_miss_edf_ok", "03a_joseph_pandya_bw_B", "03b_bw_fail", "04_dm_rta_buttazzo"])
def test_periodic_sets_on_one_processor(name: str) -> None:
    written = found(name)
    unit = UNITS[written.get("unit", "ms")]
    checked = 0
    for short, expected in written["expected"].items():
        if short not in POLICIES:
            continue
        result = run(periodic(written, unit), POLICIES[short], written["horizon"] * unit)
        for task, response in expected.get("response", {}).items():
            first = next(job for job in result.recording.jobs if (job.task, job.index) == (task, 0))
            assert first.finish_ps - first.release_ps == response * unit
            checked += 1
        if "misses" in expected:
            assert sum(task.missed for task in result.tasks.values()) == expected["misses"]
            checked += 1
        if "miss_task" in expected:
            assert {task for task, stats in result.tasks.items() if stats.missed} == {expected["miss_task"]}
            checked += 1
        if "first_miss" in expected:
            late = [job for job in result.recording.jobs if job.finish_ps > job.deadline_ps or job.finish_ps < 0]
            first = min((job for job in late if job.deadline_ps <= result.recording.horizon_ps), key=lambda j: j[3])
            assert (first.task, first.deadline_ps, first.finish_ps) == (
                expected["first_miss"]["task"], expected["first_miss"]["deadline"] * unit,
                expected["first_miss"]["finish"] * unit,
            )  # fmt: skip
            checked += 1
    assert checked


def test_messages_on_a_bus_that_does_not_preempt() -> None:
    written = found("06_can_nonpreemptive_fp")
    unit = UNITS[written["unit"]]
    result = run(periodic(written, unit), "fixed-priority", written["horizon"] * unit, preemption="none")
    expected = written["expected"]["simulation_from_synchronous_release"]
    worst = {task: stats.response.max_ps // unit for task, stats in result.tasks.items() if stats.response}
    assert worst == expected
    assert {task for task, stats in result.tasks.items() if stats.missed} == {written["expected"]["miss_task"]}


@pytest.mark.parametrize(("short", "protocol"), [("none", "none"), ("PIP", "inheritance")])
def test_a_job_that_waits_for_what_another_holds(short: str, protocol: str) -> None:
    written = found("08_priority_inversion")
    unit = UNITS["ms"]
    tasks = {}
    for job in written["jobs"]:
        stages = [
            {"time": f"{time * unit} ps", "on": "p", **({"holds": [what]} if what != "n" else {})}
            for what, time in job["segments"]
        ]
        tasks[job["name"]] = once(stages, job["release"] * unit, 10**12, job["prio"])
    result = run(tasks, "fixed-priority", 10**12, protocol)
    assert {task: finishes(result, task) for task in tasks} == {
        task: [finish * unit] for task, finish in written["expected"][short]["finish"].items()
    }


@pytest.mark.parametrize("way", ["layer", "tile_200", "tile_150", "tile_100", "tile_50", "fully_preemptive"])
def test_a_layer_that_lets_nobody_in(way: str) -> None:
    written = found("15_layer_nonpreemptive")
    unit, high = UNITS[written["unit"]], written["high"]
    stages = [{"time": f"{time * unit} ps", "on": "p"} for time in written["cnn_layers"]]
    work = [{"time": f"{high['wcet'] * unit} ps", "on": "p"}]
    tasks = {
        "cnn": once(stages, 0, 10**12, 2),
        high["name"]: once(work, high["release"] * unit, high["deadline"] * unit, 1),
    }
    options = {"layer": {"preemption": "none"}, "fully_preemptive": {"preemption": "full"}}
    tile = {"preemption": "tile", "tile": f"{int(way.rpartition('_')[2]) * unit} ps"} if "tile" in way else {}
    result = run(tasks, "fixed-priority", 10**12, **options.get(way, tile))
    response = finishes(result, high["name"])[0] - high["release"] * unit
    assert response == written["expected"]["ctrl_response"][way] * unit
    if way in written["expected"]["miss"]:
        assert bool(result.tasks[high["name"]].missed) == written["expected"]["miss"][way]
