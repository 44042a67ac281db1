"""The platforms and workloads that are shipped say what their headers promise."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tlm3d import load_platform, load_workload, simulate
from tlm3d.spec.source import read_source

ROOT = Path(__file__).parents[2]
PLATFORMS = ["three_tier_vision", "two_chip_mipi", "flat_soc"]


def tree(platform: str) -> Any:
    return deepcopy(read_source(ROOT / "platforms" / f"{platform}.yaml").tree)


def test_two_chips_are_the_same_silicon_with_another_link_to_the_camera() -> None:
    stack, chips = tree("three_tier_vision"), tree("two_chip_mipi")
    assert (stack.pop("name"), chips.pop("name")) == ("three-tier-vision", "two-chip-mipi")
    assert stack["links"].pop("bond")["kind"] == "hybrid-bond"
    assert chips["links"].pop("csi")["kind"] == "mipi"
    assert (stack["dies"]["pixel"].pop("tier"), chips["dies"]["pixel"].pop("tier")) == ("2", "0")
    assert chips["dies"]["pixel"].pop("package") == "sensor"
    assert stack == chips


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_drone_steers_at_18_frames_a_second_and_keeps_its_deadlines(platform: str) -> None:
    described = load_platform(ROOT / f"platforms/{platform}.yaml"), load_workload(ROOT / "workloads/nano_drone.yaml")
    result = simulate(*described)
    jobs = [job for job in result.recording.jobs if job.task == "dronet"]
    assert [job.release_ps for job in jobs] == [k * 10**12 // 18 for k in range(18)]
    assert {name: (task.jobs, task.missed) for name, task in result.tasks.items()} == {
        "attitude": (500, 0), "dronet": (18, 0), "listen": (32, 0)
    }  # fmt: skip
    assert {span.layer for span in result.recording.spans if span.what == "sensing"} == {"dronet"}


@pytest.mark.parametrize("workload", ["always_on_vision", "nano_drone"])
@pytest.mark.parametrize("platform", PLATFORMS)
def test_no_shipped_pair_is_overloaded_or_lets_a_task_starve(platform: str, workload: str) -> None:
    described = load_platform(ROOT / f"platforms/{platform}.yaml"), load_workload(ROOT / f"workloads/{workload}.yaml")
    assert simulate(*described, horizon="300 ms", record="totals").troubles == ()
