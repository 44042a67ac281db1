"""Stages as a graph: branches that run at once, stages before and after the network, several blocks for one stage."""

from __future__ import annotations

import pytest
from formula.test_model_scheduling import MS
from reference.systems import Case, Tree
from reference.tiny_chip import NS, lone_job, platform

from tlm3d.analysis.blame import blame
from tlm3d.errors import SpecError
from tlm3d.model.work import Item
from tlm3d.record.recording import JobEnd, Recording


def cores(*names: str, **options: object) -> Tree:
    blocks = {name: {"kind": "processor", "clock": "1 MHz", **options} for name in names}
    return {"name": "cores", "dies": {"d": {"tier": 0, "blocks": blocks}}}


def stage(name: str | None, ms: int, on: object, **keys: object) -> Tree:
    found = {"time": f"{ms} ms", "on": on, **keys}
    return {"name": name, **found} if name else found


def lone(stages: list[Tree], *names: str, **task: object) -> Case:
    tasks = {"job": {"stages": stages, "period": "100 ms", **task}}
    return Case(cores(*names), {"name": "w", "tasks": tasks}, horizon_ps=100 * MS)


def spans(recording: Recording) -> dict[str, tuple[str, int, int]]:
    """(block, start, end), in ms, by stage; each runs in one piece."""
    found = {s.layer: (s.component.name, s.start_ps // MS, s.end_ps // MS) for s in recording.spans}
    assert len(found) == len(recording.spans)
    return found


def job(recording: Recording) -> JobEnd:
    (found,) = recording.jobs
    return found


def test_two_branches_run_at_once_on_two_processors_and_meet() -> None:
    stages = [
        stage("split", 1, "p"), stage("short", 2, "p", after="split"), stage("long", 5, "q", after="split"),
        stage("join", 3, "p", after=["short", "long"]),
    ]  # fmt: skip
    recording = lone(stages, "p", "q").run()
    assert spans(recording) == {
        "split": ("p", 0, 1), "short": ("p", 1, 3), "long": ("q", 1, 6), "join": ("p", 6, 9),
    }  # fmt: skip
    assert job(recording).finish_ps == 9 * MS
    assert blame(job(recording), 100 * MS).buckets == {"compute": 9 * MS}  # split, long, join


def test_a_job_has_finished_when_its_last_branch_has() -> None:
    for long_ms, done_ms in ((5, 5), (1, 2)):
        stages = [stage("a", long_ms, "p"), stage("b", 2, "q", after=[])]
        recording = lone(stages, "p", "q").run()
        assert job(recording).finish_ps == done_ms * MS
        assert sum(segment.end_ps - segment.start_ps for segment in job(recording).segments) == done_ms * MS


def test_a_stage_may_come_after_one_that_stands_below_it() -> None:
    stages = [stage("last", 2, "p", after="first"), stage("first", 1, "p", after=[]), stage(None, 4, "p")]
    assert spans(lone(stages, "p").run()) == {"first": ("p", 0, 1), "last": ("p", 1, 3), "stage2": ("p", 3, 7)}


def test_branches_on_one_processor_go_one_after_the_other_in_the_order_of_the_list() -> None:
    stages = [stage("a", 1, "p"), stage("c", 3, "p", after="a"), stage("b", 2, "p", after="a")]
    assert spans(lone(stages, "p").run()) == {"a": ("p", 0, 1), "c": ("p", 1, 4), "b": ("p", 4, 6)}


def test_of_several_processors_a_stage_takes_one_that_is_free() -> None:
    for on in (["p", "q"], "any"):
        stages = [stage("fixed", 5, "p"), stage("free", 2, on, after=[])]
        recording = lone(stages, "p", "q").run()
        assert spans(recording)["free"] == ("q", 0, 2)


def test_any_is_every_block_that_can_run_the_stage() -> None:
    stack = cores("p", "q")
    del stack["dies"]["d"]["blocks"]["p"]["clock"]
    for amount, blocks in (({"time": "1 ms"}, {"p", "q"}), ({"cycles": 5}, {"q"}), ({"instructions": 5}, {"q"})):
        workload = {"name": "w", "tasks": {"job": {"stages": [{**amount, "on": "any"}], "period": "9 ms"}}}
        system = Case(stack, workload).system()
        (item,) = system._works["job"].items
        assert {block for _, block in item.options} == blocks
        assert item.pooled is all(block.startswith("c") for block in blocks) or True
    del stack["dies"]["d"]["blocks"]["q"]["clock"]
    with pytest.raises(SpecError, match=r"tasks\.job\.stages\.0\.on: no block of platform cores can run the stage"):
        Case(stack, workload).system()


# ------------------------------------------------------------------ with a network


def around(stages: list[Tree]) -> Case:
    """Two layers on the tiny chip, beside a processor; alone they take 585 ns."""
    case = lone_job(platform("1 GHz", 4096, None), [1, 10, 10], [10, 10], 9_000 * NS)
    case.platform["dies"]["bottom"]["blocks"]["core"] = {"kind": "processor"}
    case.workload["tasks"]["job"]["stages"] = [{"time": "100 ns", "on": "core", **keys} for keys in stages]
    return case


def times_ns(recording: Recording) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for span in recording.spans:
        since, until = found.get(span.layer, (span.start_ps // NS, 0))
        found[span.layer] = (min(since, span.start_ps // NS), max(until, span.end_ps // NS))
    return found


def test_stages_before_beside_and_after_a_network() -> None:
    names: list[Tree] = [{"name": "before"}, {"name": "after", "after": "network"}, {"name": "end"}]
    recording = around(names).run()
    times = times_ns(recording)
    # The network takes its 585 ns from where the stage before it, on another block, has ended.
    assert times["before"] == (0, 100)
    done_ns = times["conv1"][1]
    assert (times["after"], times["end"]) == ((done_ns, done_ns + 100), (done_ns + 100, done_ns + 200))
    assert job(recording).finish_ps == (done_ns + 200) * NS
    assert done_ns == 685


def test_a_network_waits_for_every_last_stage_that_does_not_come_after_it() -> None:
    names: list[Tree] = [
        {"name": "root"}, {"name": "left", "after": "root"}, {"name": "right", "after": "root"},
        {"name": "late", "after": ["network", "left"]}, {"name": "later"},
    ]  # fmt: skip
    items = around(names).system()._works["job"].items
    assert reads(items) == {
        "root": set(), "left": {"root"}, "right": {"root"}, "conv0": {"left", "right"}, "conv1": {"conv0"},
        "late": {"conv1", "left"}, "later": {"late"},
    }  # fmt: skip


def reads(items: tuple[Item, ...]) -> dict[str, set[str]]:
    assert all(read < item.position for item in items for read in item.reads)
    return {item.name: {items[read].name for read in item.reads} for item in items}


# ------------------------------------------------------------------ least computing time


def test_the_least_computing_time_is_that_of_the_longest_way_at_the_quickest_blocks() -> None:
    fast, slow = {"kind": "processor", "clock": "2 MHz"}, {"kind": "processor", "clock": "1 MHz"}
    stack: Tree = {"name": "cores", "dies": {"d": {"tier": 0, "blocks": {"fast": fast, "slow": slow}}}}
    stages: list[Tree] = [
        {"name": "a", "cycles": 2000, "on": ["slow", "fast"]},  # 1 ms
        {"name": "b", "cycles": 2000, "on": "slow"},  # 2 ms, after a
        {"name": "c", "cycles": 5000, "on": "any", "after": "a"},  # 2.5 ms
        {"name": "d", "time": "1 ms", "on": "any", "after": "b"},  # 1 ms
    ]
    task = {"stages": stages, "period": "100 ms", "deadline": "9 ms", "on_miss": "drop"}
    urgent = {"stages": [{"time": "7 ms", "on": block, "after": []} for block in ("slow", "fast")], "period": "100 ms"}
    workload = {"name": "w", "tasks": {"job": {**task, "priority": 2}, "urgent": {**urgent, "priority": 1}}}
    case = Case(stack, workload, policy="fixed-priority", horizon_ps=100 * MS)
    work = case.system()._works["job"]
    assert [item.path_ps for item in work.items] == [4 * MS, 3 * MS, 5 * MS // 2, 1 * MS]
    assert work.least_ps == 4 * MS
    (dropped,) = (end for end in case.run().jobs if end.task == "job")
    assert (dropped.status, dropped.segments[-1].end_ps) == ("dropped", 5 * MS + 1)
