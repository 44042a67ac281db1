"""Plans against pencil and paper, and against the run that executes them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tlm3d import bound, load_platform, load_workload, plan, simulate
from tlm3d.model.plan_graph import JobGraph
from tlm3d.model.planning import make_plan
from tlm3d.model.residency import Residency
from tlm3d.model.topology import Topology
from tlm3d.model.work import task_work
from tlm3d.plans.graph import Graph, Move
from tlm3d.spec.binding import bind
from tlm3d.spec.lone import lone_tasks
from tlm3d.spec.pair import read_pair
from tlm3d.spec.plan import Plan, plan_of, plan_text
from tlm3d.spec.platform import PlatformSpec
from tlm3d.spec.source import parse
from tlm3d.spec.workload import WorkloadSpec

ROOT = Path(__file__).parents[3]
NS = 1000
US = 10**6

# docs/example.md, and beside its array a slower one on the die of the memory, with a memory of its own.
TWO = """\
name: two
dies:
  logic:
    tier: 1
    blocks:
      l2: {kind: memory, capacity: 2 KiB, rate: 6.4 Gbit/s, latency: 10 ns, burst: 64 B, read: 0.25 pJ/bit, write: 0.35 pJ/bit}
      l3: {kind: memory, capacity: 2 KiB, rate: 3.2 Gbit/s, latency: 10 ns, burst: 64 B, read: 0.5 pJ/bit, write: 0.5 pJ/bit}
      near: {kind: cnn-accelerator, array: [4, 4], clock: 50 MHz, local: 1152 B, tile_setup: 32, energy: {mac: 0.1 pJ/MAC}, home: l3}
  npu:
    tier: 0
    blocks:
      far: {kind: cnn-accelerator, array: [4, 4], clock: 100 MHz, local: 1152 B, tile_setup: 32, energy: {mac: 0.5 pJ/MAC}, home: l2}
links:
  tsv: {kind: tsv, between: [logic, npu], lanes: 32, rate: 100 Mbit/s, latency: 2 ns, burst: 64 B, energy: 0.05 pJ/bit}
"""  # noqa: E501
NET = """\
name: net
input: [4, 8, 8]
layers:
  - {name: one, op: conv, channels: 8, kernel: [1, 1], bias: false}
  - {name: two, op: conv, channels: 8, kernel: [1, 1], bias: false}
"""


def pair(folder: Path, platform: str, tasks: str, network: str = NET) -> tuple[PlatformSpec, WorkloadSpec]:
    texts = {"p.yaml": platform, "w.yaml": f"name: work\nhorizon: 100 ms\ntasks:\n{tasks}", "net.yaml": network}
    for name, text in texts.items():
        (folder / name).write_text(text)
    return read_pair(str(folder / "p.yaml"), str(folder / "w.yaml"))


def job_graph(platform: PlatformSpec, workload: WorkloadSpec, task: str) -> Graph:
    bindings = bind(platform, workload)
    topology = Topology(platform)
    work = task_work(workload.tasks[task], bindings[task], platform, topology, Residency(platform, workload, bindings))
    return JobGraph(platform, topology, work, 0, {}).graph()


def blocks(planned: Plan, task: str) -> dict[str, str]:
    return {name: item.on for name, item in planned.tasks[task].items.items()}


# A tile of 32 pixels, 8 inputs, 8 outputs: 32 + 32 · 2 · 2 = 160 cycles on 4 × 4. 1 burst of weights, 4 in, 4 out.
FAR = (80 + 10 + 160 + 2) + (80 + 10 + 4 * 160 + 2) + 1600 + (4 * 160 + 2 + 80 + 10)
NEAR = (160 + 10) + (4 * 160 + 10) + 3200 + (4 * 160 + 10)
FROM_L3 = (160 + 10 + 4 * 160 + 2) - (80 + 10 + 4 * 160 + 2)  # to the far array, compared with l2


def test_heft_takes_the_farther_array_by_what_its_transfers_cost(tmp_path: Path) -> None:
    system = pair(tmp_path, TWO, "  see: {network: net.yaml, period: 20 us, map: {default: near, two: [near, far]}}\n")
    made = make_plan(*system, "edf", "heft")
    (_, two) = made.schedules["see"].slots
    assert (two.block, two.start_ps, two.finish_ps) == (
        "npu.far",
        (NEAR + FROM_L3) * NS,
        (NEAR + FROM_L3 + FAR) * NS,
    )
    task = made.plan.tasks["see"]
    assert blocks(made.plan, "see") == {"one": "logic.near", "two": "npu.far"}
    assert task.response_ps == (NEAR + FROM_L3 + FAR) * NS
    macs, burst = 32 * 64, 512  # bits
    one_pj = macs * 0.1 + burst * 5 * 0.5 + burst * 4 * 0.5
    two_pj = macs * 0.5 + burst * 0.25 + burst * 4 * 0.5 + burst * 9 * 0.05 + burst * 4 * 0.35
    assert task.energy_aj == pytest.approx((one_pj + two_pj) * 10**6, abs=1)


def test_an_edge_costs_what_reading_from_the_other_memory_costs_more(tmp_path: Path) -> None:
    system = pair(tmp_path, TWO, "  see: {network: net.yaml, period: 20 us, map: {default: [near, far]}}\n")
    graph = job_graph(*system, "see")
    assert graph.time_ps == {
        (layer, block): time * NS
        for layer in ("one", "two")
        for block, time in (("logic.near", NEAR), ("npu.far", FAR))
    }
    # l3 in the place of l2 for 4 bursts to the far array; the other way round l2 is quicker and costs less.
    assert graph.edges == {
        ("one", "two"): {
            ("logic.near", "npu.far"): (Move(("logic.l3",), FROM_L3 * NS, 4 * 512 * 250_000),),
            ("npu.far", "logic.near"): (Move(("logic.l2",), 0, 0),),
        }
    }


def test_least_energy_stays_near_where_the_deadline_allows_it(tmp_path: Path) -> None:
    tasks = "  see: {{network: net.yaml, period: 20 us, deadline: {} ns, map: {{default: near, two: [far, near]}}}}\n"
    in_time = plan(*pair(tmp_path, TWO, tasks.format(2 * NEAR)), place="min-energy")
    assert blocks(in_time, "see")["two"] == "logic.near"
    too_late = plan(*pair(tmp_path, TWO, tasks.format(2 * NEAR - 1)), place="min-energy")
    assert blocks(too_late, "see")["two"] == "npu.far"


def test_the_first_option_is_what_fixed_plans(tmp_path: Path) -> None:
    tasks = "  see: {network: net.yaml, period: 20 us, map: {default: [near, far], two: [far, near]}}\n"
    assert blocks(plan(*pair(tmp_path, TWO, tasks), place="fixed"), "see") == {"one": "logic.near", "two": "npu.far"}


PROCESSORS = """\
name: two
dies:
  top: {tier: 0, blocks: {fast: {kind: processor, clock: 20 MHz}, slow: {kind: processor, clock: 10 MHz}}}
"""
SELDOM = "  seldom: {period: 100 ms, stages: [{cycles: 10000, on: [fast, slow]}]}\n"
OFTEN = "  often: {period: 1 ms, stages: [{cycles: 16000, on: fast}]}\n"


def test_a_block_that_more_urgent_tasks_take_is_as_much_slower(tmp_path: Path) -> None:
    alone = plan(*pair(tmp_path, PROCESSORS, SELDOM))
    assert blocks(alone, "seldom") == {"stage0": "top.fast"}
    assert alone.tasks["seldom"].response_ps == 500 * US
    # 0.8 ms of every 1 ms leave a fifth: 2.5 ms there, 1 ms on the slow one.
    beside = plan(*pair(tmp_path, PROCESSORS, SELDOM + OFTEN))
    assert blocks(beside, "seldom") == {"stage0": "top.slow"}
    only = plan(*pair(tmp_path, PROCESSORS, SELDOM.replace("[fast, slow]", "fast") + OFTEN))
    assert only.tasks["seldom"].response_ps == 2500 * US
    # Under fixed priorities the one that comes seldom may be the more urgent.
    urgent = SELDOM.replace("100 ms", "100 ms, priority: 1")
    assert blocks(plan(*pair(tmp_path, PROCESSORS, urgent + OFTEN), policy="fixed-priority"), "seldom") == {
        "stage0": "top.fast"
    }


def test_independent_stages_overlap_on_two_processors(tmp_path: Path) -> None:
    # By ranks a, b, c: a on the fast one until 500 us, b there until 1 ms, c on the slow one from 500 us to 1 ms.
    stages = "{name: a, cycles: 10000, on: [fast, slow]}, {name: b, cycles: 10000, on: [fast, slow], after: a}"
    stages += ", {name: c, cycles: 5000, on: [fast, slow], after: a}"
    system = pair(tmp_path, PROCESSORS, f"  see: {{period: 10 ms, stages: [{stages}]}}\n")
    made = plan(*system)
    times = {name: (item.on, item.start_ps, item.finish_ps) for name, item in made.tasks["see"].items.items()}
    assert times == {
        "a": ("top.fast", 0, 500 * US),
        "b": ("top.fast", 500 * US, 1000 * US),
        "c": ("top.slow", 500 * US, 1000 * US),
    }
    response = simulate(*system, plan=made).tasks["see"].response
    assert response is not None
    assert (response.min_ps, response.max_ps) == (1000 * US, 1000 * US)


# ------------------------------------------------------------ against the run

PLATFORM = ROOT / "platforms" / "three_tier_vision.yaml"
WORKLOAD = ROOT / "workloads" / "always_on_vision.yaml"


def with_choice() -> WorkloadSpec:
    """The workload with every layer of the array on the cluster, too."""
    workload = load_workload(WORKLOAD)
    tasks = {}
    for name, task in workload.tasks.items():
        placement = {
            layer: ("array", "cluster") if found == ("array",) else found for layer, found in task.placement.items()
        }
        mapped = {**task.spec.map, "also*": ("cluster",)} if task.network is not None else task.spec.map
        tasks[name] = replace(task, spec=task.spec.model_copy(update={"map": mapped}), placement=placement)
    return replace(workload, tasks=tasks)


@pytest.mark.parametrize("task", ["classify", "listen", "wake"])
def test_a_job_that_meets_nobody_takes_and_spends_what_is_foreseen(task: str) -> None:
    platform, workload = load_platform(PLATFORM), lone_tasks(load_workload(WORKLOAD))[task]
    made = plan(platform, workload)
    result = simulate(platform, workload, plan=made, horizon="200 ms", record="totals")
    assert result.plan is not None
    found, response = result.plan.tasks[task], result.tasks[task].response
    assert response is not None
    assert (response.min_ps, response.max_ps) == (found.response_ps, found.response_ps)
    assert found.spent_aj == found.energy_aj


@pytest.mark.parametrize("place", ["cpop", "fixed", "heft", "min-energy"])
def test_every_stage_and_layer_runs_where_it_was_planned_and_nowhere_else(place: str) -> None:
    platform, workload = load_platform(PLATFORM), with_choice()
    made = plan_of(parse(plan_text(plan(platform, workload, place=place)), "again"))
    result = simulate(platform, workload, plan=made, horizon="120 ms")
    ran = {
        (span.task, span.layer, ".".join(span.component)) for span in result.recording.spans if span.what == "compute"
    }
    assert ran == {(task, name, block) for task in made.tasks for name, block in blocks(made, task).items()}


def test_a_run_by_a_plan_stays_within_the_bounds_of_the_plan() -> None:
    platform, workload = load_platform(PLATFORM), with_choice()
    made = plan(platform, workload, place="heft")
    bounds = bound(platform, workload, plan=made)
    result = simulate(platform, workload, plan=made, horizon="300 ms", record="totals")
    for name, task in result.tasks.items():
        bound_ps, foreseen_ps = bounds.tasks[name].bound_ps, made.tasks[name].response_ps
        assert task.response is not None
        assert bound_ps is not None
        assert foreseen_ps is not None
        assert task.response.max_ps <= bound_ps
        assert foreseen_ps <= bound_ps


def test_rows_that_are_read_first_go_first(tmp_path: Path) -> None:
    # Both modes of every third frame: those of `classify` are read and sent before those of `wake`.
    platform = load_platform(PLATFORM)
    workload = load_workload(WORKLOAD)
    tasks = {name: workload.tasks[name] for name in ("classify", "wake")}
    quick = {"network": None, "map": {}, "stages": workload.tasks["attitude"].spec.stages}
    tasks["classify"] = replace(
        tasks["classify"], spec=tasks["classify"].spec.model_copy(update=quick), network=None, placement={}
    )
    workload = replace(workload, tasks=tasks)
    made = plan(platform, workload)
    starts = {
        job.start_ps - job.release_ps for job in simulate(platform, workload).recording.jobs if job.task == "wake"
    }
    first = next(iter(made.tasks["wake"].items.values()))
    assert starts == {first.start_ps}
