"""A plan puts every stage and layer on one of the blocks where its workload lets it run, or says why it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from tlm3d.errors import SpecError
from tlm3d.spec.pair import read_pair
from tlm3d.spec.plan import plan_of, plan_text, planned
from tlm3d.spec.platform import PlatformSpec
from tlm3d.spec.source import parse
from tlm3d.spec.workload import WorkloadSpec

PLATFORM = """\
name: two
dies:
  top: {tier: 0, blocks: {ram: {kind: memory, capacity: 1 MiB, rate: 8 Gbit/s},
    one: {kind: riscv-cluster, cores: 1, clock: 100 MHz, l1: 64 KiB},
    two: {kind: riscv-cluster, cores: 4, clock: 100 MHz, l1: 64 KiB},
    cpu: {kind: processor, clock: 10 MHz}}}
"""
WORKLOAD = """\
name: work
tasks:
  see: {period: 10 ms, network: net.yaml, map: {default: [one, two], b: two},
    stages: [{name: warp, on: [cpu, two], time: 1 ms}]}
"""
NETWORK = """\
name: net
input: [8, 8, 4]
layers:
  - {name: a, op: conv, kernel: [3, 3], channels: 8}
  - {name: b, op: conv, kernel: [3, 3], channels: 8}
"""
HEAD = "platform: two\nworkload: work\nplanned:\n"


@pytest.fixture
def pair(tmp_path: Path) -> tuple[PlatformSpec, WorkloadSpec]:
    for name, text in (("p.yaml", PLATFORM), ("w.yaml", WORKLOAD), ("net.yaml", NETWORK)):
        (tmp_path / name).write_text(text)
    return read_pair(str(tmp_path / "p.yaml"), str(tmp_path / "w.yaml"))


def problems(pair: tuple[PlatformSpec, WorkloadSpec], text: str) -> list[str]:
    with pytest.raises(SpecError) as found:
        planned(*pair, plan_of(parse(text, "p")))
    return str(found.value).splitlines()


def test_every_item_keeps_its_planned_block_alone(pair: tuple[PlatformSpec, WorkloadSpec]) -> None:
    plan = plan_of(parse(f"{HEAD}  see: {{items: {{warp: {{on: two}}, a: {{on: top.one}}, b: {{on: two}}}}}}\n", "p"))
    task = planned(*pair, plan).tasks["see"]
    assert task.placement == {"a": ("one",), "b": ("two",)}
    assert [stage.on for stage in task.spec.stages] == [("top.two",)]


def test_what_has_no_choice_need_not_be_planned(pair: tuple[PlatformSpec, WorkloadSpec]) -> None:
    plan = plan_of(parse(f"{HEAD}  see: {{items: {{warp: {{on: cpu}}, a: {{on: two}}}}}}\n", "p"))
    assert planned(*pair, plan).tasks["see"].placement == {"a": ("two",), "b": ("two",)}


def test_all_that_does_not_fit_is_told_at_once_and_where(pair: tuple[PlatformSpec, WorkloadSpec]) -> None:
    text = (
        "platform: twos\nworkload: work\nplanned:\n  sea: {}\n"
        "  see:\n    items:\n      warp: {on: cpus}\n      c: {on: two}\n      b: {on: one}\n"
    )
    assert problems(pair, text) == [
        "p:1:11: platform: the plan is one for platform 'twos', this is 'two'",
        "p:4:3: planned.sea: no task 'sea' in workload work; did you mean 'see'?",
        "p:6:5: planned.see.items: nothing is planned for a of task see; a may run on top.one or top.two",
        "p:7:18: planned.see.items.warp.on: warp may run on top.cpu or top.two, not on 'cpus'; did you mean 'cpu'?",
        "p:8:7: planned.see.items.c: no stage or layer 'c' in task see; expected one of: warp, a, b",
        "p:9:15: planned.see.items.b.on: b may run on top.two, not on 'one'",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("planned: {}\n", "p:1:1: missing key 'platform'"),
        (
            "corner: hihg\nplatform: a\nworkload: b\nplanned: {}\n",
            "p:1:9: corner: expected one of: low, typical, high; got 'hihg'; did you mean 'high'?",
        ),
        (f"{HEAD}  see: {{item: {{}}}}\n", "p:4:9: planned.see.item: unknown key 'item'; did you mean 'items'?"),
        (f"{HEAD}  see: {{items: {{a: {{}}}}}}\n", "p:4:17: planned.see.items.a: missing key 'on'"),
        (
            f"{HEAD}  see: {{items: {{a: {{on: x, start: 2 ns, finish: 1 ns}}}}}}\n",
            "p:4:17: planned.see.items.a: expected 'finish' not before 'start'",
        ),
        (
            f"{HEAD}  see: {{energy: 3}}\n",
            "p:4:17: planned.see.energy: expected an energy such as '20 pJ', got '3' without a unit",
        ),
        ("tasks: {}\n", "p:1:1: expected a plan (key 'planned'), this is a workload"),
    ],
)  # fmt: skip
def test_what_is_no_plan_says_where_and_why(text: str, problem: str) -> None:
    with pytest.raises(SpecError) as found:
        plan_of(parse(text, "p"))
    assert str(found.value).splitlines()[0] == problem


def test_a_plan_that_is_written_reads_the_same_again() -> None:
    text = (
        "# a comment\nmethod: by hand\nplatform: 'it''s'\nworkload: work\npolicy: edf\ncorner: high\nplanned:\n  see:\n"
        "    response: 12345678901234567 ps\n    energy: 5 aJ\n    items:\n"
        "      a: {on: top.one, start: 0 ps, finish: 7 ps, energy: 5 aJ}\n      'off': {on: two}\n"
    )
    assert plan_text(plan_of(parse(text, "p")), "a comment") == text.replace("by hand", "'by hand'")
