"""`tlm3d sweep`: what its exit code and its knee tell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from cli.conftest import Command

PAIR = ("good/platform.yaml", "good/workload.yaml")
DEADLINE = "workload.tasks.control.deadline"


def test_a_sweep_of_which_no_point_runs_is_wrong_input_and_still_writes_its_rows(
    tlm3d: Command, tmp_path: Path
) -> None:
    file = tmp_path / "sweep.csv"
    done = tlm3d("sweep", *PAIR, "--param", f"{DEADLINE}=1 Mbit/s, 2 Mbit/s", "--csv", file)
    assert done.exit_code == 2
    assert "SWEEP: 2 of 2 points, 0 MET, 2 in error" in done.stdout
    assert " no knee: nothing ran" in done.stdout
    assert done.stderr.startswith("error: sweep: every point is in error, the first for: ")
    assert len(file.read_text().splitlines()) == 3


def test_one_point_that_runs_is_enough_whatever_its_verdict(tlm3d: Command) -> None:
    done = tlm3d("sweep", *PAIR, "--param", f"{DEADLINE}=1 us, 2 Mbit/s")
    assert done.exit_code == 0
    assert "1 in error" in done.stdout


@pytest.mark.parametrize(
    "first", ["dies.logic.blocks.cluster.clock=50 MHz, 100 MHz, 200 MHz", "workload.policy=edf, edf, fifo"]
)
def test_paired_parameters_have_a_knee_by_the_first_that_is_a_number(tlm3d: Command, first: str) -> None:
    # 1000 cycles take 20, 10 and 5 us, at 100 MHz 10 us.
    done = tlm3d("sweep", *PAIR, "--zip", "--param", first, "--param", f"{DEADLINE}=9 us, 11 us, 21 us", "--json", "-")
    (knee,) = json.loads(done.stdout)["knees"]
    assert knee[DEADLINE] == "11 us"
