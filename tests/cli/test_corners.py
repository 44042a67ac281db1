"""`--corner` and `tlm3d sweep --corners`."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rich.cells import cell_len

if TYPE_CHECKING:
    from cli.conftest import Command

PAIR = ("good/platform.yaml", "good/workload.yaml")
CORNERS = ("low", "typical", "high")
# 1000 cycles take 20, 10 and 5 us.
CLOCK = ("--set", "dies.logic.blocks.cluster.clock={low: 50 MHz, typical: 100 MHz, high: 200 MHz}")
ENERGY = ("--set", "links.tsv.energy={low: 0.01 pJ/bit, typical: 0.05 pJ/bit, high: 0.2 pJ/bit}")


def ran(tlm3d: Command, *options: str) -> Any:
    return json.loads(tlm3d("run", *PAIR, *options, "--json", "-").stdout)


@pytest.mark.parametrize(("corner", "response_us"), [("low", 20), ("typical", 10), ("high", 5)])
def test_a_run_has_the_values_of_its_corner_and_says_so(tlm3d: Command, corner: str, response_us: int) -> None:
    document = ran(tlm3d, *CLOCK, "--corner", corner)
    assert document["corner"] == corner
    assert document["tasks"]["control"]["response_ps"]["min"] == response_us * 10**6
    second = tlm3d("run", *PAIR, *CLOCK, "--corner", corner).stdout.splitlines()[1]
    assert second == f"small-stack · small-work · edf · 100 ms · seed 0 · {corner} corner"


def test_a_run_without_a_corner_is_typical(tlm3d: Command) -> None:
    assert ran(tlm3d, *CLOCK) == ran(tlm3d, *CLOCK, "--corner", "typical") == ran(tlm3d)


def test_a_deadline_may_be_kept_at_one_corner_and_missed_at_another(tlm3d: Command) -> None:
    tight = ("run", *PAIR, *CLOCK, "--set", "workload.tasks.control.deadline=10 us", "--corner")
    assert [tlm3d(*tight, corner).exit_code for corner in CORNERS] == [1, 0, 0]


def test_every_row_of_a_sweep_is_the_run_of_its_point_and_corner(tlm3d: Command) -> None:
    sweep = tlm3d(
        "sweep", *PAIR, *CLOCK, *ENERGY, "--corners", "--param", "links.tsv.rate=50, 100 Mbit/s", "--json", "-"
    )
    assert sweep.exit_code == 0
    bad, good = json.loads(sweep.stdout)["rows"][:3], json.loads(sweep.stdout)["rows"][3:]
    assert all("without a unit" in row["error"] for row in bad)
    assert [row["corner"] for row in bad] == [row["corner"] for row in good] == list(CORNERS)
    for row in good:
        run = ran(tlm3d, *CLOCK, *ENERGY, "--corner", row["corner"], "--set", "links.tsv.rate=100 Mbit/s")
        worst = max(run["tasks"].values(), key=lambda task: task["response_ps"]["max"] / task["deadline_ps"])
        assert row["total_aj"] == run["energy"]["total_aj"]
        assert row["average_nw"] == run["power"]["average_nw"]
        assert row["worst_response_ps"] == worst["response_ps"]["max"]
        assert row["uj_per_inference"] == run["efficiency"]["uj_per_inference"]
        assert row["missed"] == sum(task["missed"] for task in run["tasks"].values())


def test_corners_without_a_parameter_are_three_runs_with_their_spread(tlm3d: Command, tmp_path: Path) -> None:
    file = tmp_path / "sweep.csv"
    sweep = ("sweep", *PAIR, *CLOCK, *ENERGY, "--corners")
    rows = json.loads(tlm3d(*sweep, "--json", "-").stdout)
    by_corner = {row["corner"]: row for row in rows["rows"]}
    assert list(by_corner) == list(CORNERS)
    (spread,) = rows["spreads"]
    for name in ("worst_response_ps", "average_nw", "total_aj"):
        assert spread[name] == {corner: row[name] for corner, row in by_corner.items()}
    assert rows["knees"] == []
    text = tlm3d(*sweep, "--csv", file).stdout
    assert text.startswith("SWEEP: 3 of 3 points, 3 MET\n")
    assert "Spread over the corners" in text
    assert "knee" not in text
    assert [row["corner"] for row in csv.DictReader(io.StringIO(file.read_text()))] == list(CORNERS)


def test_each_corner_has_its_own_knee(tlm3d: Command) -> None:
    # The job takes 20, 10 and 5 us at the corners: kept from 20 us up at the low one, from 10 us at the typical one.
    deadlines = "workload.tasks.control.deadline=9 us, 11 us, 21 us"
    sweep = ("sweep", *PAIR, *CLOCK, "--corners", "--param", deadlines)
    assert json.loads(tlm3d(*sweep, "--json", "-").stdout)["knees"] == [
        {"workload.tasks.control.deadline": "11 us", "corner": "typical"},
        {"workload.tasks.control.deadline": "21 us", "corner": "low"},
    ]


@pytest.mark.parametrize("options", [(), ("--param", "workload.tasks.control.deadline=9 us, 11 us, 21 us")])
def test_a_sweep_of_corners_is_no_wider_than_the_terminal(
    tlm3d: Command, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    shown = tlm3d("sweep", *PAIR, *CLOCK, *ENERGY, "--corners", *options).stdout
    assert max(map(cell_len, shown.splitlines())) <= 80


def test_a_pair_is_checked_at_the_corner_picked(tlm3d: Command, tmp_path: Path) -> None:
    tight = tmp_path / "platform.yaml"
    text = Path("good/platform.yaml").read_text()
    tight.write_text(text.replace("local: 8 KiB", "local: {low: 16 B, typical: 8 KiB, high: 8 KiB}"))
    assert tlm3d("check", tight, "good/workload.yaml").exit_code == 0
    at_high = tlm3d("check", tight, "good/workload.yaml", "--corner", "high")
    assert at_high.stdout.splitlines()[-1].endswith("can run at the high corner")
    assert tlm3d("check", tight, "good/workload.yaml", "--corner", "low").exit_code == 2


@pytest.mark.parametrize("command", ["run", "check", "sweep"])
def test_the_help_of_a_command_tells_of_corners(tlm3d: Command, command: str) -> None:
    assert "--corner low|typical|high" in tlm3d(command, "--help").stdout
