"""Points in parallel processes."""

from __future__ import annotations

from pathlib import Path

from tlm3d.analysis.sweep import row_of
from tlm3d.simulation import simulate
from tlm3d.spec.platform import platform_of
from tlm3d.spec.settings import apply_settings
from tlm3d.spec.source import read_source
from tlm3d.spec.workload import load_workload
from tlm3d.sweeps.axis import Axis
from tlm3d.sweeps.point import Study
from tlm3d.sweeps.processes import sweep

ROOT = Path(__file__).resolve().parents[3]
PLATFORM = str(ROOT / "platforms" / "three_tier_vision.yaml")
WORKLOAD = str(ROOT / "workloads" / "always_on_vision.yaml")
STUDY = Study(PLATFORM, WORKLOAD, horizon_ps=120 * 10**9)
RATE = Axis("links.tsv.rate", ("0.5 Mbit/s", "2 Mbit/s", "10 Mbit/s"))


def test_rows_come_in_the_order_of_the_points_whatever_the_number_of_processes() -> None:
    alone = sweep(STUDY, [RATE], jobs=1)
    assert sweep(STUDY, [RATE], jobs=2) == alone
    assert [row.values for row in alone] == [("0.5 Mbit/s",), ("2 Mbit/s",), ("10 Mbit/s",)]


def test_a_row_is_that_of_a_single_run_integer_for_integer() -> None:
    platform, workload = read_source(PLATFORM), read_source(WORKLOAD)
    apply_settings(platform, workload, ["links.tsv.rate=2 Mbit/s"])
    result = simulate(platform_of(platform), load_workload(WORKLOAD), horizon=STUDY.horizon_ps)
    assert sweep(STUDY, [RATE], jobs=1)[1] == row_of(("2 Mbit/s",), result)


def test_a_bad_point_is_a_row_with_its_error_and_the_others_run() -> None:
    axis = Axis("dies.logic.blocks.l2.capacity", ("1 KiB", "2 MiB"))
    bad, good = sweep(STUDY, [axis], jobs=2)
    assert "logic.l2 holds 1024 B" in bad.error
    assert good.verdict == "met"


def test_the_default_pair_crosses_from_missed_to_met() -> None:
    verdicts = [row.verdict for row in sweep(STUDY, [RATE], jobs=2)]
    assert verdicts == ["missed", "met", "met"]


def test_an_interrupt_keeps_what_is_done() -> None:
    seen = []

    def interrupt(done: int, total: int) -> None:
        seen.append((done, total))
        if done == 2:
            raise KeyboardInterrupt

    rows = sweep(STUDY, [RATE], jobs=1, done=interrupt)
    assert len(rows) == 2
    assert seen == [(1, 3), (2, 3)]
