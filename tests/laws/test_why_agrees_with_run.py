"""What `why` says of a job is what `run` says of it, with the same options; and its story is the response."""

from __future__ import annotations

from pathlib import Path

import pytest

from tlm3d import simulate, why
from tlm3d.analysis.blame import blame
from tlm3d.analysis.why import Outcome, Why, outcome_of
from tlm3d.spec.pair import read_pair

ROOT = Path(__file__).parents[2]
VISION = (str(ROOT / "platforms/three_tier_vision.yaml"), str(ROOT / "workloads/always_on_vision.yaml"))
DRONE = (VISION[0], str(ROOT / "workloads/nano_drone.yaml"))
CASES = [
    (VISION, ("links.tsv.rate=1 Mbit/s",), "classify#0"),
    (VISION, ("workload.tasks.attitude.deadline=200 us",), None),
    (DRONE, ("dies.npu.blocks.array.states={idle: 40 uW, gated: {after: 1 ms, wake_time: 2 ms}}",), "dronet#0"),
]


@pytest.fixture(scope="module", params=CASES, ids=["slow link", "short deadline", "gated"])
def told(request: pytest.FixtureRequest) -> tuple[tuple[str, str], tuple[str, ...], Why]:
    files, settings, job = request.param
    return files, settings, why(*read_pair(*files, settings), job=job, horizon="250 ms", jobs=1)


def test_the_story_sums_to_the_response(told: tuple[tuple[str, str], tuple[str, ...], Why]) -> None:
    _, _, found = told
    assert sum(beat.time_ps for beat in found.beats) == found.blame.response_ps
    assert 1 < len(found.beats) <= 10


def test_every_rerun_is_what_run_finds(told: tuple[tuple[str, str], tuple[str, ...], Why]) -> None:
    files, settings, found = told
    checked = 0
    for rerun in found.reruns:
        change = rerun.change
        if change.removed or change.without:
            assert not change.options
            continue
        assert rerun.error == ""
        described = read_pair(*files, (*settings, *change.settings))
        horizon_ps = 2 * max(found.blame.job.deadline_ps, found.blame.response_ps + found.blame.job.release_ps)
        horizon_ps -= found.blame.job.release_ps
        result = simulate(*described, policy=change.policy, horizon=horizon_ps)
        job = next(
            job
            for job in result.recording.jobs
            if (job.task, job.index) == (found.blame.job.task, found.blame.job.index)
        )
        assert rerun.outcome == outcome_of(job, horizon_ps)
        assert rerun.outcome == Outcome(rerun.outcome.status, job.release_ps, *_times(job, horizon_ps))
        checked += 1
    assert checked >= 4  # the other policies at least


def _times(job: object, horizon_ps: int) -> tuple[int, int]:
    blamed = blame(job, horizon_ps)  # type: ignore[arg-type]
    return blamed.response_ps, blamed.slack_ps


def test_always_on_takes_the_wake_up_away_and_nothing_else() -> None:
    files, settings, job = CASES[2]
    found = why(*read_pair(*files, settings), job=job, horizon="250 ms", jobs=1)
    (on,) = [rerun for rerun in found.reruns if rerun.change.removed]
    assert on.change.removed == ("dies.npu.blocks.array.states.gated",)
    plain = simulate(*read_pair(*files), horizon="120 ms")
    (same,) = [job for job in plain.recording.jobs if (job.task, job.index) == ("dronet", 0)]
    assert on.outcome == outcome_of(same, 120 * 10**9)
