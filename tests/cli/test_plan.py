"""`tlm3d plan`, and runs by a plan."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from cli.conftest import Command

PAIR = ("good/platform.yaml", "good/workload.yaml", "--set", "workload.tasks.look.map.default=[array, cluster]")


def result(tlm3d: Command, *options: object) -> dict[str, Any]:
    found = tlm3d("run", *PAIR, "--json", "-", *options)
    assert found.stderr == ""
    document: dict[str, Any] = json.loads(found.stdout)
    return document


def test_a_plan_that_is_written_runs_like_the_one_that_is_made_on_the_way(tlm3d: Command, tmp_path: Path) -> None:
    file = tmp_path / "plan.yaml"
    shown = tlm3d("plan", *PAIR, "--place", "min-energy", "-o", file)
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert shown.stdout.startswith(
        "PLAN: min-energy foresees every task in time\nsmall-stack · small-work · edf · typical"
    )
    checked = tlm3d("check", "good/platform.yaml", "good/workload.yaml", file)
    assert f"{file}: plan min-energy for small-work on small-stack: 2 tasks, 4 stages and layers\n" in checked.stdout
    by_file, on_the_way = result(tlm3d, "--plan", file), result(tlm3d, "--place", "min-energy")
    assert by_file == on_the_way
    assert by_file["plan"]["method"] == "min-energy"


def test_the_document_of_a_plan_has_every_stage_and_layer_with_its_block(tlm3d: Command) -> None:
    document = json.loads(tlm3d("plan", *PAIR, "--json", "-").stdout)
    control, look = document["tasks"]
    assert [(step["name"], step["block"], step["options"]) for step in control["steps"]] == [
        ("stage0", "logic.cluster", 1)
    ]
    assert [(step["name"], step["options"]) for step in look["steps"]] == [("conv0", 2), ("fc1", 2), ("softmax2", 1)]
    assert look["response_ps"] == max(step["finish_ps"] for step in look["steps"])
    # The two wait for nothing: 1000 cycles of 100 MHz.
    assert control["response_ps"] == 10**7


def test_a_run_says_how_its_plan_held(tlm3d: Command) -> None:
    document = result(tlm3d, "--place", "heft")
    held = document["plan"]["tasks"]["control"]
    assert held["response_ps"] == document["tasks"]["control"]["response_ps"]["min"] == 10**7
    assert held["mean_ps"] == document["tasks"]["control"]["response_ps"]["mean"]
    assert held["energy_aj"] == held["spent_aj"] == 1000 * 10 * 10**6
    report = tlm3d("run", *PAIR, "--place", "heft").stdout
    section, *_ = report.partition("\nPlan ")[2].split("\n\n")
    (line,) = [line for line in section.splitlines() if line.startswith(" control")]
    assert line.split()[1:5] == ["10.0", "us", "10.0", "us"]
    assert result(tlm3d)["plan"] is None
    assert "\nPlan" not in tlm3d("run", *PAIR).stdout


def test_a_plan_by_hand_compares_only_what_it_says(tlm3d: Command) -> None:
    found = tlm3d("run", "good/platform.yaml", "good/workload.yaml", "--plan", "good/plan.yaml", "--json", "-")
    plan = json.loads(found.stdout)["plan"]
    assert (plan["method"], plan["policy"]) == ("by hand", None)
    assert plan["tasks"]["control"]["response_ps"] is None
    assert (plan["tasks"]["look"]["response_ps"], plan["tasks"]["look"]["energy_aj"]) == (4 * 10**9, None)


def test_bounds_are_those_of_the_plan(tlm3d: Command, tmp_path: Path) -> None:
    file = tmp_path / "plan.yaml"
    tlm3d("plan", *PAIR, "--place", "fixed", "-o", file)
    of_plan = json.loads(tlm3d("bound", *PAIR, "--plan", file, "--json", "-").stdout)
    # Fixed takes what stands first, and the workload without a choice has nothing else.
    assert of_plan == json.loads(tlm3d("bound", *PAIR[:2], "--json", "-").stdout)
    assert of_plan == json.loads(tlm3d("bound", *PAIR, "--place", "fixed", "--json", "-").stdout)
    beside = result(tlm3d, "--plan", file, "--bounds")
    assert beside["bounds"]["tasks"] == of_plan["tasks"]
    for name, task in beside["tasks"].items():
        assert task["response_ps"]["max"] <= of_plan["tasks"][name]["bound_ps"]


@pytest.mark.parametrize("command", ["sweep", "compare"])
def test_sweeps_and_comparisons_plan_every_point_anew(tlm3d: Command, command: str) -> None:
    if command == "sweep":
        files: tuple[str, ...] = (*PAIR, "--param", "links.tsv.rate=1 Mbit/s, 100 Mbit/s", "--jobs", "1")
    else:
        files = ("good/platform.yaml", *PAIR, "--jobs", "1")
    chosen, fixed = (json.loads(tlm3d(command, *files, "--place", p, "--json", "-").stdout) for p in ("heft", "fixed"))
    key = "rows" if command == "sweep" else "platforms"
    assert chosen[key] != fixed[key]


@pytest.mark.parametrize("columns", ["80", "120"])
def test_a_plan_fits_the_terminal(tlm3d: Command, monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    lines = tlm3d("plan", *PAIR).stdout.splitlines()
    assert max(map(len, lines)) <= int(columns)
    assert any("logic.cluster" in line for line in lines)
