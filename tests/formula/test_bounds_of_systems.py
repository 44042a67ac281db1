"""Bounds of whole systems, each worked out by hand or seen to be reached or kept by the simulation."""

from __future__ import annotations

from typing import Any

import pytest

from systems.measure import Row, measure
from systems.pair import Pair

FAR = 1_000_000  # ps: as good as once
FULL = {"kind": "processor", "preemption": "full"}
NONE = {"kind": "processor", "preemption": "none"}


def stage(name: str, work_ps: int, on: str, after: list[str] | None = None, holds: str = "") -> dict[str, Any]:
    told: dict[str, Any] = {"name": name, "time": f"{work_ps} ps", "on": on}
    if after is not None:
        told["after"] = after
    if holds:
        told["holds"] = list(holds)
    return told


def task(
    priority: int, *stages: dict[str, Any], period_ps: int = FAR, offset_ps: int = 0, **keys: Any
) -> dict[str, Any]:
    clock = {"period": f"{period_ps} ps", "offset": f"{offset_ps} ps"}
    return {**clock, "priority": priority, "stages": list(stages), "backlog": 100, **keys}


def rows_of(blocks: dict[str, Any], tasks: dict[str, Any], **keys: Any) -> dict[tuple[str, str], Row]:
    platform = keys.pop("platform", {"name": "one", "dies": {"die": {"tier": 0, "blocks": blocks}}})
    networks = keys.pop("networks", {})
    workload = {"name": "set", "policy": "fixed-priority", "horizon": f"{2 * FAR} ps", "tasks": tasks, **keys}
    rows = measure(Pair(platform, workload, networks)).rows
    assert [text for row in rows for text in [*row.violations(), row.untidy] if text] == []
    return {(row.what, row.name): row for row in rows}


def of(rows: dict[tuple[str, str], Row], name: str) -> tuple[int, int | None]:
    """What was simulated, and the bound."""
    row = rows["response", name]
    return row.longest_ps, row.bound_ps


def protocol(kind: str, *names: str) -> dict[str, Any]:
    return {name: {"protocol": kind} for name in names}


# ------------------------------------------------------------ resources


def test_a_ceiling_blocks_for_all_sections_that_overlap() -> None:
    # l has R over a and b, S over b and c: once j waits for it, all three pass first.
    rows = rows_of({"p": FULL}, {
        "l": task(3, stage("a", 100, "p", holds="R"), stage("b", 10, "p", holds="RS"), stage("c", 100, "p", holds="S")),
        "j": task(1, stage("j", 10, "p", holds="RS"), offset_ps=1),
    }, resources=protocol("ceiling", "R", "S"))  # fmt: skip
    assert of(rows, "j") == (10 + 210 - 1, 10 + 210)


@pytest.mark.parametrize("kind", ["inheritance", "ceiling"])
def test_a_section_that_waits_for_another_processor_has_no_bound(kind: str) -> None:
    # l keeps R from a to c, and c waits for x.
    rows = rows_of({"p": FULL, "q": FULL}, {
        "l": task(2, stage("x", 1000, "q", []), stage("a", 100, "p", [], "R"), stage("c", 10, "p", ["x", "a"], "R")),
        "j": task(1, stage("j", 10, "p", holds="R"), offset_ps=1),
    }, resources=protocol(kind, "R"))  # fmt: skip
    assert of(rows, "j") == (1000 + 10 + 10 - 1, None)
    assert rows["response", "j"].reason == "l may wait for another server while it holds resource R"


def test_what_its_holder_does_beside_goes_before_who_waits_for_a_resource() -> None:
    # l has all of the urgency of j, so that d, which comes before a in order, runs once k has let go of p.
    rows = rows_of({"p": FULL, "q": FULL}, {
        "l": task(3, stage("x", 50, "q", []), stage("d", 1000, "p", ["x"]), stage("y", 1, "q", []),
                  stage("a", 100, "p", [], "R")),
        "j": task(2, stage("j", 10, "p", holds="R"), offset_ps=1),
        "k": task(1, stage("k", 100, "p"), offset_ps=2),
    }, resources=protocol("inheritance", "R"))  # fmt: skip
    assert of(rows, "j") == (10 + 100 + 1100 - 1, 10 + 100 + 1100)


@pytest.mark.parametrize("way", ["full", "none"])
def test_who_is_hurried_for_a_resource_is_so_on_other_processors_too(way: str) -> None:
    # While l holds up j on p, its x goes before m on q.
    rows = rows_of({"p": FULL, "q": {**FULL, "preemption": way}}, {
        "l": task(3, stage("x", 1000, "q", []), stage("a", 100, "p", [], "R")),
        "m": task(2, stage("m", 10, "q"), offset_ps=2),
        "j": task(1, stage("j", 10, "p", holds="R"), offset_ps=1),
    }, resources=protocol("inheritance", "R"))  # fmt: skip
    simulated_ps, bound_ps = of(rows, "m")
    assert simulated_ps == 10 + (100 if way == "full" else 1000) - 2
    assert bound_ps == 10 + 1000


# ------------------------------------------------------------ own jobs and steps


def test_an_own_step_that_cannot_stop_holds_up_the_next_one_beside_others() -> None:
    # u comes while c runs, and again; b, which waits for neither c nor a, makes two steps of one level.
    rows = rows_of({"p": NONE, "q": FULL}, {
        "t": task(2, stage("c", 100, "p", []), stage("x", 1, "q", []), stage("a", 10, "p", ["c"]),
                  stage("y", 1, "q", []), stage("b", 1, "p", []), stage("z", 2000, "q", ["a"])),
        "u": task(1, stage("u", 30, "p"), period_ps=60, offset_ps=1),
    })  # fmt: skip
    simulated_ps, bound_ps = of(rows, "t")
    assert bound_ps is not None
    assert simulated_ps <= bound_ps  # 2230, where 2174 was once said


def test_an_own_step_that_cannot_stop_holds_up_the_next_one() -> None:
    # u has come twice when c ends, and goes on coming: a, ready at 101, begins at 220.
    rows = rows_of({"p": NONE, "q": FULL}, {
        "t": task(2, stage("c", 100, "p"), stage("x", 1, "q"), stage("a", 10, "p")),
        "u": task(1, stage("u", 30, "p"), period_ps=60, offset_ps=1),
    })  # fmt: skip
    # c waits for all of a c but 1 ps, of the job before, and four of u; a for five of u, of which any may be up to
    # 129 ps old when it is ready.
    assert of(rows, "t")[0] >= 220 + 10
    assert of(rows, "t")[1] == (99 + 4 * 30 + 100) + 1 + (5 * 30 + 10)


def test_an_own_section_holds_up_the_next_step() -> None:
    # The same where c may be preempted, but u waits for what it holds.
    rows = rows_of({"p": FULL, "q": FULL}, {
        "t": task(2, stage("c", 100, "p", holds="R"), stage("x", 1, "q"), stage("a", 10, "p")),
        "u": task(1, stage("u", 30, "p", holds="R"), period_ps=60, offset_ps=1),
    }, resources=protocol("inheritance", "R"))  # fmt: skip
    assert of(rows, "t")[0] >= 220 + 10
    # c waits for eight of u and a for five, of which any may be up to 130 ps old when they are ready.
    assert of(rows, "t")[1] == (100 + 8 * 30) + 1 + (10 + 5 * 30)


@pytest.mark.parametrize("work_ps", [1_000_000, 999_999])
def test_a_task_that_leaves_no_time_between_its_jobs_waits_for_its_jitter(work_ps: int) -> None:
    # At a rate with all but no room, one job is late by the jitter at most, and so may all after it be.
    rows = rows_of({"p": FULL, "q": FULL}, {
        "t": task(1, stage("c", 500_000, "p"), stage("x", work_ps - 500_000, "q"), jitter="1000000 ps"),
    }, horizon="30 us")  # fmt: skip
    assert rows["response", "t"].bound_ps == work_ps + 1_000_000


def test_a_step_that_comes_after_a_part_of_another_one_may_go_first() -> None:
    # y waits for b only, begins at 7 and holds up a, which is ready at 16, until 465; z comes after a.
    rows = rows_of({"p": FULL, "q": FULL}, {
        "t": task(1, stage("x", 16, "q"), stage("a", 79, "p"), stage("b", 7, "p", []), stage("z", 92, "q", ["a"]),
                  stage("y", 458, "p", ["b"])),
    })  # fmt: skip
    simulated_ps, bound_ps = of(rows, "t")
    assert simulated_ps == 7 + 458 + 79 + 92
    assert bound_ps is not None
    assert bound_ps >= simulated_ps


# ------------------------------------------------------------ several processors, chains


def test_processors_of_one_queue_that_are_not_alike_have_no_bound() -> None:
    blocks = {"p": {**FULL, "clock": "100 MHz"}, "q": {**FULL, "clock": "10 MHz"}}
    tasks = {name: {"period": "100 us", "stages": [{"name": "s", "cycles": 100, "on": ["q", "p"]}]} for name in "ab"}
    rows = rows_of(blocks, tasks, horizon="300 us")
    row = rows["response", "b"]
    assert (row.longest_ps, row.bound_ps, row.best_ps) == (10_000_000, None, 1_000_000)
    assert row.reason.endswith("takes longer on some of them than on others")


def test_a_reaction_waits_for_the_first_release_of_a_task_that_begins_late() -> None:
    rows = rows_of({"p": FULL}, {
        "a": task(1, stage("a", 10, "p"), period_ps=100),
        "b": task(2, stage("b", 10, "p"), period_ps=100, offset_ps=1000),
    }, horizon="3000 ps", chains={"c": {"tasks": ["a", "b"], "deadline": "1 us"}})  # fmt: skip
    row = rows["reaction", "c"]
    assert (row.longest_ps, row.bound_ps) == (1020, 10 + 1000 + 20)


# ------------------------------------------------------------ compute blocks

MEMORY = {
    "kind": "memory", "capacity": "1 MiB", "rate": "800 Mbit/s", "latency": "1 ps", "burst": "64 B", "buffer": 4,
    "overhead": "0 bit", "arbiter": "round-robin",
}  # fmt: skip
CLUSTER = {
    "kind": "riscv-cluster", "cores": 1, "clock": "100 MHz", "l1": "4000 B", "home": "m",
    "mac_per_cycle": {"conv": 2, "depthwise": "0.7", "linear": 3}, "elements_per_cycle": {"pool": 1, "add": 2},
}  # fmt: skip


def conv(name: str, channels: int = 2) -> dict[str, Any]:
    return {"name": name, "op": "conv", "kernel": [1, 1], "channels": channels}


def test_less_urgent_tiles_get_in_between_all_items_of_a_task_on_a_block() -> None:
    # k1 computes and k2 is committed when j comes; k3 is when j's first stage computes, k4 when its second one does.
    tasks = {f"k{i}": task(2, stage("k", 50, "c"), offset_ps=0) for i in range(1, 8)}
    tasks["j"] = task(1, *(stage(f"s{i}", 10, "c") for i in range(3)), offset_ps=1)
    rows = rows_of({"m": MEMORY, "c": CLUSTER}, tasks)
    assert of(rows, "j") == (100 - 1 + 10 + 50 + 10 + 50 + 10, 3 * (2 * 50 + 10))


@pytest.mark.parametrize("number", [1, 2])
def test_more_urgent_traffic_of_another_block_goes_first_on_a_channel(number: int) -> None:
    # With the larger number j lets u's transfers go first; with u's own number each of its bursts waits for one.
    memory = {**MEMORY, "rate": "8 Mbit/s", "burst": "8 B", "arbiter": "priority"}
    networks = {
        "u": {"name": "u", "input": [8, 8, 16], "layers": [{"name": "a", "op": "pool", "kernel": [2, 2]}]},
        "j": {"name": "j", "input": [2, 2, 2], "layers": [{"name": "a", "op": "pool", "kernel": [2, 2]}]},
    }
    tasks = {
        name: {"network": name, "map": {"default": [on]}, "period": "5 ms", "priority": priority}
        for name, on, priority in (("u", "d", 1), ("j", "c", number))
    }
    rows = rows_of({"m": memory, "c": CLUSTER, "d": CLUSTER}, tasks, networks=networks, horizon="10 ms")
    longest_ps, bound_ps = of(rows, "j")
    assert bound_ps is not None
    assert longest_ps > (20 if number == 2 else 1.5) * rows["response", "j"].best_ps


def test_nobody_has_a_bound_beside_a_task_of_which_nothing_is_known() -> None:
    names = [f"c{i}" for i in range(9)]
    networks = {
        "many": {"name": "many", "input": [4, 4, 2],
                 "layers": [conv("a"), conv("b"), {"name": "s", "op": "add", "reads": ["a", "b"]}]},
        "one": {"name": "one", "input": [4, 4, 2], "layers": [conv("a")]},
    }  # fmt: skip
    tasks = {
        "k": {"network": "many", "map": {"default": names}, "period": "300 us", "priority": 1},
        "j": {"network": "one", "map": {"default": ["c0"]}, "period": "300 us", "priority": 2},
    }
    rows = rows_of({"m": MEMORY, **dict.fromkeys(names, CLUSTER)}, tasks, networks=networks, horizon="1 ms")
    assert rows["response", "k"].bound_ps is None
    assert rows["response", "j"].reason == "k: its layers may run on more than 64 combinations of blocks"


def test_a_tile_in_the_way_that_may_load_without_end_leaves_no_bound() -> None:
    upper = {"m": MEMORY, "c": {**CLUSTER, "weight_store": "low.n", "weight_memory": "0 B"}}
    link = {**MEMORY, "kind": "tsv", "between": ["up", "low"], "faults": {"bit_error_rate": "1e-3"}}
    del link["capacity"]
    platform = {
        "name": "two", "links": {"tsv": link},
        "dies": {"up": {"tier": 1, "blocks": upper}, "low": {"tier": 0, "blocks": {"n": MEMORY}}},
    }  # fmt: skip
    networks = {
        "k": {"name": "k", "input": [1, 1, 40], "layers": [{"name": "a", "op": "linear", "channels": 40}]},
        "j": {"name": "j", "input": [4, 4, 2], "layers": [{"name": "a", "op": "pool", "kernel": [2, 2]}]},
    }
    tasks = {
        name: {"network": name, "map": {"default": ["c"]}, "period": "5 ms", "priority": priority}
        for name, priority in (("j", 1), ("k", 2))
    }
    rows = rows_of({}, tasks, platform=platform, networks=networks, horizon="10 ms")
    assert "may be sent again without end" in rows["response", "j"].reason
