"""The generator of traffic: reproducible, with the mean pause that was asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tlm3d.spec.traffic import TrafficRow, read_traffic

TOOL = Path(__file__).parents[3] / "tools" / "make_traffic.py"
ROOT = TOOL.parents[1]


def made(folder: Path, *arguments: str) -> list[TrafficRow]:
    """What the tool writes, as tlm3d reads it."""
    file = folder / "made.csv"
    done = subprocess.run((sys.executable, TOOL, *arguments), capture_output=True, cwd=ROOT, timeout=60, check=True)
    file.write_bytes(done.stdout)
    return read_traffic(file, None)


def test_periodic_traffic_pauses_the_gap_after_every_finish(tmp_path: Path) -> None:
    rows = made(tmp_path, "periodic", "--route", "x|y", "--gap", "3 ns", "--rows", "4", "--bytes", "1 KiB")
    assert rows[1:] == [TrafficRow("i0", 3000, 1024, ("x", "y"), 0)] * 3
    assert rows[0].after_ps == 0


@pytest.mark.parametrize("pattern", ["poisson", "bursty"])
def test_the_mean_pause_is_the_gap(tmp_path: Path, pattern: str) -> None:
    rows = made(tmp_path, pattern, "--route", "x", "--gap", "1 us", "--rows", "40000", "--burst", "4")
    mean_ps = sum(row.after_ps for row in rows) / len(rows)
    spread_ps = 10**6 * (4 if pattern == "bursty" else 1) ** 0.5 / 200  # standard deviation of that mean
    assert abs(mean_ps - 10**6) < 5 * spread_ps


def test_a_burst_is_so_many_transfers_without_a_pause(tmp_path: Path) -> None:
    rows = made(tmp_path, "bursty", "--route", "x", "--gap", "1 us", "--rows", "30", "--burst", "5")
    assert [i for i, row in enumerate(rows) if row.after_ps] == [0, 5, 10, 15, 20, 25]


def test_the_same_seed_gives_the_same_rows_and_a_further_initiator_changes_nothing(tmp_path: Path) -> None:
    common = ("poisson", "--rows", "50", "--bytes", "1 B..4 KiB", "--route", "camera=x")
    rows = made(tmp_path, *common)
    assert made(tmp_path, *common) == rows
    assert made(tmp_path, *common, "--route", "dma=y")[:50] == rows
    assert made(tmp_path, *common, "--seed", "1") != rows
    assert len({row.n_bytes for row in rows}) > 30


def test_routes_of_one_initiator_take_turns(tmp_path: Path) -> None:
    rows = made(tmp_path, "periodic", "--rows", "4", "--route", "dma=x", "--route", "dma=y|x", "--priority", "2")
    assert [row.route for row in rows] == [("x",), ("y", "x"), ("x",), ("y", "x")]
    assert {(row.initiator, row.priority) for row in rows} == {("dma", 2)}
