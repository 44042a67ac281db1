"""Stages on compute blocks hold resources, too, and a policy whose order moves decides there."""

from __future__ import annotations

from typing import Any

import pytest
from reference.systems import Case

from tlm3d.record.recording import Recording

US = 10**6


def machine(preemption: str) -> dict[str, Any]:
    core = {
        "kind": "riscv-cluster", "cores": 1, "clock": "1 MHz", "l1": "1 KiB", "mac_per_cycle": {"conv": 1}, "home": "m",
        "preemption": preemption,
    }  # fmt: skip
    memory = {"kind": "memory", "capacity": "1 KiB", "rate": "1 Gbit/s"}
    return {
        "name": "two", "dies": {"d": {"tier": 0, "blocks": {"core": core, "cpu": {"kind": "processor"}, "m": memory}}},
    }  # fmt: skip


def run(tasks: dict[str, Any], preemption: str, policy: str = "fixed-priority", **more: Any) -> Recording:
    return Case(machine(preemption), {"name": "w", "tasks": tasks, **more}, policy=policy, horizon_ps=100 * US).run()


def task(on: str, us: int, priority: int, offset_us: int = 0, **stage: Any) -> dict[str, Any]:
    return {
        "stages": [{"time": f"{us} us", "on": on, **stage}], "priority": priority, "period": "100 us",
        "offset": f"{offset_us} us",
    }  # fmt: skip


def told(recording: Recording, name: str) -> list[tuple[str, int, int, str, str]]:
    (job,) = (job for job in recording.jobs if job.task == name)
    return [(s.bucket, s.start_ps // US, s.end_ps // US, s.where, s.holder) for s in job.segments]


@pytest.mark.parametrize("preemption", ["tile", "none", "full"])
def test_a_stage_on_a_compute_block_waits_for_what_another_block_holds_and_lets_others_run(preemption: str) -> None:
    tasks = {
        "a": task("cpu", 10, 3, holds=["bus"]),
        "b": task("core", 2, 1, offset_us=1, holds=["bus"]),
        "c": task("core", 3, 2, offset_us=2),
    }
    recording = run(tasks, preemption, resources={"bus": {}})
    assert told(recording, "b") == [("resource", 1, 10, "bus", "a#0"), ("compute", 10, 12, "d.core", "-")]
    assert told(recording, "c") == [("compute", 2, 5, "d.core", "-")]


@pytest.mark.parametrize("preemption", ["tile", "full"])
def test_what_waits_for_the_holder_of_a_resource_makes_it_more_urgent_on_a_block(preemption: str) -> None:
    # low holds the bus and waits for the core behind mid and more; high waits for the bus, so low goes first.
    tasks = {
        "first": task("core", 6, 1),
        "high": task("cpu", 1, 1, offset_us=2, holds=["bus"]),
        "mid": task("core", 20, 2, offset_us=3),
        "low": {
            "stages": [
                {"time": "1 us", "on": "cpu", "holds": ["bus"]}, {"time": "4 us", "on": "core", "holds": ["bus"]},
            ],
            "priority": 3, "period": "100 us",
        },
    }  # fmt: skip
    for protocol in ("inheritance", "none"):
        recording = run(tasks, preemption, resources={"bus": {"protocol": protocol}})
        (job,) = (job for job in recording.jobs if job.task == "high")
        # At tiles low's stage is committed behind first before mid comes, whatever its urgency.
        assert job.finish_ps == (31 if (preemption, protocol) == ("full", "none") else 11) * US


def test_a_job_that_ends_early_waits_for_nothing_any_more() -> None:
    tasks = {
        "a": task("cpu", 10, 3, holds=["bus"]),
        "b": {**task("core", 2, 1, offset_us=1, holds=["bus"]), "deadline": "4 us", "on_miss": "abort"},
        "c": task("core", 3, 2, offset_us=20, holds=["bus"]),
    }
    recording = run(tasks, "tile", resources={"bus": {}})
    assert told(recording, "b") == [("resource", 1, 5, "bus", "a#0")]
    assert told(recording, "c") == [("compute", 20, 23, "d.core", "-")]


def test_least_laxity_decides_among_tiles_with_what_is_left_now() -> None:
    # At 6 us x has 50 - 6 - 20 = 24 us to spare, y 40 - 6 - 4 = 30: x goes first though y is due first.
    tasks = {
        "first": {**task("core", 6, 1), "deadline": "6 us"},
        "x": {**task("core", 20, 1), "deadline": "50 us"},
        "y": {**task("core", 4, 1), "deadline": "40 us"},
        "z": {**task("core", 1, 1), "deadline": "99 us"},
    }
    recording = run(tasks, "tile", policy="least-laxity")
    order = [span.task for span in sorted(recording.spans, key=lambda s: s.start_ps) if span.what == "compute"]
    assert order.index("x") < order.index("y") < order.index("z")
    assert [span.task for span in sorted(run(tasks, "tile", policy="edf").spans, key=lambda s: s.start_ps)][:3] == [
        "first", "y", "x",
    ]  # fmt: skip
