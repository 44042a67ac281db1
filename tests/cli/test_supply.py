"""A platform with a supply: every report tells the rail from the battery, and all of them agree."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from cli.conftest import Command

POINTS = "[{load: 100 uW, efficiency: 60 %}, {load: 1 W, efficiency: 0.9}]"
SUPPLY = f"supply: {{kind: switching, quiescent: 0.5 uW, points: {POINTS}}}\n"


@pytest.fixture
def fed(tmp_path: Path) -> Path:
    """The good platform with a supply and a second limit, at the battery."""
    good = Path("good/platform.yaml").read_text(encoding="utf-8")
    file = tmp_path / "fed.yaml"
    limits = "limits:\n  - {limit: 7 mW, window: 10 ms, at: battery}\n"
    file.write_text(SUPPLY + good.replace("limits:\n", limits), encoding="utf-8")
    return file


def test_every_report_of_a_platform_with_a_supply_agrees_on_both_energies(
    tlm3d: Command, fed: Path, tmp_path: Path
) -> None:
    pair = (fed, "good/workload.yaml")
    files = [tmp_path / name for name in ("run.json", "sweep.json", "sweep.csv", "compare.json")]
    shown = tlm3d("run", *pair, "--json", files[0], "--export", tmp_path / "facts")
    assert shown.exit_code in (0, 1)
    run = json.loads(files[0].read_text())
    rail_aj, battery = run["energy"]["total_aj"], run["battery"]
    assert rail_aj + battery["loss_aj"] == battery["total_aj"]
    assert sum(account["energy_aj"] for account in run["energy"]["accounts"]) == battery["total_aj"]
    assert {limit["at"] for limit in run["power"]["limits"]} == {"rail", "battery"}
    assert re.search(r"average [\d.]+ .W at the rail, [\d.]+ .W at the battery, over the run", shown.stdout)
    assert re.search(r"Energy  [\d.]+ .J at the rail, [\d.]+ .J at the battery, in", shown.stdout)
    assert "with share, at the battery" in shown.stdout
    with (tmp_path / "facts" / "power.csv").open() as file:
        power = list(csv.DictReader(file))
    assert sum(int(row["energy_aj"]) for row in power) == rail_aj
    assert sum(int(row["battery_aj"]) for row in power) == battery["total_aj"]

    swept = tlm3d("sweep", *pair, "--param", "supply.quiescent=0.5 uW, 50 uW", "--json", files[1], "--csv", files[2])
    assert "battery" in swept.stdout
    first, second = json.loads(files[1].read_text())["rows"]
    assert (first["total_aj"], first["battery_aj"]) == (rail_aj, battery["total_aj"])
    assert first["battery_average_nw"] == battery["average_nw"]
    assert second["total_aj"] == rail_aj
    assert second["battery_aj"] > battery["total_aj"]
    with files[2].open() as file:
        assert [int(row["battery_aj"]) for row in csv.DictReader(file)] == [first["battery_aj"], second["battery_aj"]]

    compared = tlm3d("compare", "good/platform.yaml", *pair, "--json", files[3])
    bare, with_supply = json.loads(files[3].read_text())["platforms"]
    assert (bare["total_aj"], bare["battery_aj"]) == (rail_aj, None)
    assert (with_supply["total_aj"], with_supply["battery_aj"]) == (rail_aj, battery["total_aj"])
    assert sum(with_supply["energy_aj"].values()) == battery["total_aj"]
    for row in ("average at the rail", "average at the battery", "total at the battery", "any 10 ms window at the"):
        assert row in compared.stdout


def test_an_inference_alone_has_its_loss_beside_it(tlm3d: Command, fed: Path, tmp_path: Path) -> None:
    file = tmp_path / "explain.json"
    shown = tlm3d("explain", fed, "good/networks/tiny.yaml", "--json", file)
    told = json.loads(file.read_text())
    assert told["regulator_aj"] > 0
    assert "at the rail" in shown.stdout
    assert "at the battery" in shown.stdout
    tlm3d("explain", "good/platform.yaml", "good/networks/tiny.yaml", "--json", file)
    assert json.loads(file.read_text()) == {**told, "regulator_aj": None}


def test_a_drawing_names_the_supply_and_where_limits_hold(tlm3d: Command, fed: Path) -> None:
    shown = tlm3d("show", fed).stdout
    assert "switching, between the battery and the rail" in shown
    assert "7.00 mW averaged over any 10.0 ms, at the battery" in shown
