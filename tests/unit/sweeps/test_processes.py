"""Points in parallel processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tlm3d.analysis.sweep import Row, row_of, spreads
from tlm3d.errors import SpecError
from tlm3d.simulation import simulate
from tlm3d.spec.corners import CORNERS
from tlm3d.spec.pair import read_pair
from tlm3d.spec.platform import platform_of
from tlm3d.spec.settings import apply_settings
from tlm3d.spec.source import read_source
from tlm3d.spec.workload import load_workload
from tlm3d.sweeps import point as points
from tlm3d.sweeps import processes, workers
from tlm3d.sweeps.axis import Axis
from tlm3d.sweeps.point import Point, Study
from tlm3d.sweeps.processes import run_all, sweep
from tlm3d.sweeps.workers import Share

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

    def interrupt(done: float, total: int) -> None:
        if done.is_integer():  # not a share of a point, on a machine that takes long for one
            seen.append((done, total))
        if done == 2:
            raise KeyboardInterrupt

    rows = sweep(STUDY, [RATE], jobs=1, done=interrupt)
    assert len(rows) == 2
    assert seen == [(1, 3), (2, 3)]


def test_a_row_at_a_corner_is_that_of_a_run_at_that_corner_integer_for_integer() -> None:
    rows = sweep(STUDY, [RATE], corners=CORNERS, jobs=2)
    assert [(row.values[0], row.corner) for row in rows] == [(rate, c) for rate in RATE.values for c in CORNERS]
    for row in rows:
        setting = [f"links.tsv.rate={row.values[0]}"]
        pair = read_pair(PLATFORM, WORKLOAD, setting, corner=row.corner)
        assert row == row_of(row.values, simulate(*pair, horizon=STUDY.horizon_ps))
    assert len({row.total_aj for row in rows}) == 9


def test_corners_alone_are_three_runs_and_their_spread() -> None:
    rows = sweep(STUDY, [], corners=CORNERS, jobs=2)
    low, typical, high = rows
    assert low.total_aj < typical.total_aj < high.total_aj
    (spread,) = spreads(rows)
    assert spread.values == ()
    assert spread.total_aj == {"low": low.total_aj, "typical": typical.total_aj, "high": high.total_aj}
    assert list(spread.worst_response_ps.values()) == [row.worst_response_ps for row in rows]


def test_a_study_at_a_corner_runs_all_its_points_there() -> None:
    (alone,) = sweep(replace(STUDY, corner="high"), [Axis("links.tsv.lanes", ("32",))], jobs=1)
    assert alone.corner == "high"
    assert alone.total_aj == sweep(STUDY, [], corners=CORNERS, jobs=1)[2].total_aj


def test_an_unknown_corner_is_refused_before_anything_runs() -> None:
    with pytest.raises(SpecError, match="did you mean 'high'"):
        sweep(STUDY, [RATE], corners=["hihg"])


def test_an_interrupt_ends_every_process_at_once_and_keeps_what_is_done() -> None:
    def interrupt(done: float, total: int) -> None:
        if done >= 1:
            raise KeyboardInterrupt

    slow = replace(STUDY, horizon_ps=10**15)  # the second point would take minutes
    axis = Axis("workload.tasks.wake.deadline", ("soon", "100 ms", "90 ms"))  # the first has its error at once
    before = set(multiprocessing.active_children())
    began = time.monotonic()
    (row,) = sweep(slow, [axis], jobs=2, done=interrupt)
    assert time.monotonic() - began < workers._PATIENCE_S
    assert row.values == ("soon",)
    assert set(multiprocessing.active_children()) == before


def test_a_process_that_dies_costs_its_point_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def die_at_the_second(study: Study, point: Point, told: Share) -> Row:
        if point.values == RATE.values[1:2]:
            os.kill(os.getpid(), signal.SIGKILL)
        return point.row

    monkeypatch.setattr(processes, "run_point", die_at_the_second)
    rows = sweep(STUDY, [RATE], jobs=2)
    assert [row.error for row in rows] == ["", "its process ended unexpectedly (SIGKILL)", ""]


def test_a_bug_found_in_a_process_is_raised_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(study: Study, point: Point, told: Share) -> Row:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(processes, "run_point", fail)
    with pytest.raises(RuntimeError, match="ZeroDivisionError: oops"):
        sweep(STUDY, [RATE], jobs=2)
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("jobs", [1, 2])
def test_shares_of_points_under_way_rise_to_the_number_of_points_and_change_no_row(
    jobs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    unwatched = sweep(STUDY, [RATE], jobs=jobs)
    monkeypatch.setattr(points, "_TOLD_EVERY_S", 0.0)  # every slice that is simulated
    told: list[float] = []

    def done(so_far: float, total: int) -> None:
        assert total == 3
        told.append(so_far)

    assert sweep(STUDY, [RATE], jobs=jobs, done=done) == unwatched
    assert told == sorted(told)
    assert told[-1] == 3
    assert any(0 < so_far < 1 for so_far in told)


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_is_done_is_the_finished_runs_and_the_shares_of_those_under_way(jobs: int) -> None:
    def run(share: Share) -> str:
        share(0.25)
        share(0.75)
        return "an answer"

    told: list[float] = []
    answers = run_all([run, run], lambda index, error: error, jobs=jobs, done=lambda done, total: told.append(done))
    assert answers == {0: "an answer", 1: "an answer"}
    assert told == sorted(told)
    assert len(told) == 6
    assert told[-1] == 2
    if jobs == 1:
        assert told == [0.25, 0.75, 1, 1.25, 1.75, 2]


def test_a_process_that_dies_half_way_leaves_no_share_behind() -> None:
    def die(share: Share) -> str:
        share(0.5)
        os.kill(os.getpid(), signal.SIGKILL)
        return ""

    told: list[float] = []
    answers = run_all([die, die, die], lambda index, error: error, jobs=2, done=lambda done, total: told.append(done))
    assert set(answers.values()) == {"its process ended unexpectedly (SIGKILL)"}
    assert told == sorted(told)
    assert told[-1] == 3


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interrupt_inside_a_long_point_ends_it_at_once(jobs: int) -> None:
    def interrupt(done: float, total: int) -> None:
        raise KeyboardInterrupt

    before = set(multiprocessing.active_children())
    began = time.monotonic()
    assert sweep(replace(STUDY, horizon_ps=10**16), [RATE], jobs=jobs, done=interrupt) == []
    assert time.monotonic() - began < workers._PATIENCE_S
    assert set(multiprocessing.active_children()) == before


def test_a_point_tells_its_share_about_twice_a_second() -> None:
    told: list[float] = []

    def stop_at_the_third(share: float) -> None:
        told.append(share)
        if len(told) == 3:
            raise KeyboardInterrupt

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        points.run_result(replace(STUDY, horizon_ps=10**16), Point((), (), "typical"), stop_at_the_third)
    assert time.monotonic() - began >= 3 * points._TOLD_EVERY_S
    assert told == sorted(set(told))
    assert 0 < told[0] < told[2] < 1
