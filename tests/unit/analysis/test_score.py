"""Scores by hand: the values of XRBench's own code, and Eyerman and Eeckhout's metrics of two networks."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from unit.analysis.made import job, recording, span

from tlm3d.analysis.judge import judge
from tlm3d.analysis.result import Result
from tlm3d.analysis.score import Score, energy_score, fairness, real_time_score, score

MS, MJ = 10**9, 10**15
SHARED = Path(__file__).parents[4] / "shared/data/realtime/17_xrbench_score.yaml"
# XRBench/XRBench-MLSys2023, HET_scoring-module.hpp, k = 15 and Enmax = 1500: by delay in ms and energy in mJ.
REAL_TIME = {"0": 0.5, "-0.1": 0.817574, "+0.1": 0.182426, "-0.5": 0.999447}
ENERGY = {"300": 0.8, "1500": 0.0}


@pytest.mark.parametrize(("delay_ms", "expected"), REAL_TIME.items())
def test_the_real_time_score_is_that_of_xrbench(delay_ms: str, expected: float) -> None:
    assert real_time_score(round(float(delay_ms) * MS)) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("mj", "expected"), ENERGY.items())
def test_the_energy_score_is_that_of_xrbench(mj: str, expected: float) -> None:
    assert energy_score(float(mj)) == pytest.approx(expected)


def test_the_values_of_the_data_file_come_out() -> None:
    if not SHARED.exists():
        pytest.skip("the data file is not here")
    expected = yaml.safe_load(SHARED.read_text())["expected"]
    for name, value in expected["rt_score"].items():
        late_ms = float(name.removeprefix("delay_"))
        assert real_time_score(round(late_ms * MS)) == pytest.approx(value, abs=1e-6)
    for name, value in expected["en_score"].items():
        assert energy_score(float(name.removeprefix("E_"))) == pytest.approx(value)


@given(st.integers(-(10**15), 10**15), st.integers(0, 10**15))
def test_a_later_frame_never_scores_more_and_any_lateness_has_a_score(late_ps: int, more_ps: int) -> None:
    assert 0.0 <= real_time_score(late_ps + more_ps) <= real_time_score(late_ps) <= 1.0
    assert real_time_score(late_ps) + real_time_score(-late_ps) == pytest.approx(1.0)


@given(st.floats(0, 1e9), st.floats(0, 1e9))
def test_more_energy_never_scores_more(mj: float, more: float) -> None:
    assert 0.0 <= energy_score(mj + more) <= energy_score(mj) <= 1.0


def _run(energy_mj: int, **responses_ms: list[float | None]) -> Result:
    """Tasks with jobs of 100 ms that responded so; None: dropped. classify spends ``energy_mj``."""
    jobs = []
    for task, times in responses_ms.items():
        for index, time in enumerate(times):
            release = 100 * MS * index
            finish = -1 if time is None else release + round(time * MS)
            status = "dropped" if time is None else "finished"
            jobs.append(job(release, release + 100 * MS, finish, status, task, index))
    spans = [span(0, MS, energy_mj * MJ)] if energy_mj else []
    return judge(recording(1000 * MS, jobs=jobs, spans=spans, tasks=list(responses_ms)))


def test_a_dropped_frame_scores_nothing_and_lowers_the_quality() -> None:
    # Two frames at their deadline (0.5), one 0.1 ms early, one dropped; 900 mJ over 3 inferences are 300 each (0.8).
    run = _run(900, classify=[100, 100, 99.9, None])
    (model,) = score(run, {"classify": run}).models
    early = 1 / (1 + math.exp(-1.5))
    assert (model.frames, model.completed, model.quality) == (4, 3, 0.75)
    assert model.real_time == pytest.approx((1 + early) / 3)
    assert model.energy == pytest.approx(0.8)
    assert model.score == pytest.approx(0.75 * 0.8 * (1 + early) / 4)


def test_a_late_frame_was_completed() -> None:
    run = _run(0, classify=[100.1])
    (model,) = score(run, {"classify": run}).models
    assert model.quality == 1.0
    assert model.score == pytest.approx(0.182426, abs=1e-6)


def test_the_overall_score_is_the_mean_over_the_models_of_a_hundred() -> None:
    run = _run(0, classify=[100], wake=[None])
    found = score(run, {"classify": run, "wake": run})
    assert found.overall == pytest.approx(100 * (0.5 + 0) / 2)
    assert (found.real_time, found.quality) == (0.25, 0.5)


def _shared(together: Result) -> Score:
    return score(together, {"classify": _run(0, classify=[10]), "wake": _run(0, wake=[10])})


def test_turnaround_throughput_and_fairness_of_two_networks() -> None:
    found = _shared(_run(0, classify=[15, 25], wake=[40]))  # 20 and 40 ms where 10 are enough alone
    assert [model.normalised for model in found.models] == [2.0, 4.0]
    assert (found.antt, found.stp, found.fairness) == (3.0, 0.75, 0.5)


def test_networks_that_do_not_meet_are_as_fast_as_alone() -> None:
    found = _shared(_run(0, classify=[10], wake=[10]))
    assert (found.antt, found.stp, found.fairness) == (1.0, 2.0, 1.0)


def test_a_network_of_which_nothing_ran_has_no_turnaround_time() -> None:
    found = _shared(_run(0, classify=[20], wake=[None]))
    assert (found.antt, found.stp, found.fairness) == (None, None, None)
    assert found.models[1].mj_per_inference is None


@given(st.lists(st.floats(0.5, 100), min_size=1, max_size=6), st.floats(0.1, 10))
def test_fairness_is_one_when_all_are_slowed_alike_and_does_not_see_a_common_factor(
    slowed: list[float], factor: float
) -> None:
    assert fairness([slowed[0]] * len(slowed)) == 1.0
    assert fairness([one * factor for one in slowed]) == pytest.approx(fairness(slowed))
    assert 0.0 < fairness(slowed) <= 1.0
