"""The verdict and its reasons."""

from __future__ import annotations

import subprocess
import sys

import pytest
from unit.analysis.made import job, recording, span, state

from tlm3d.analysis.judge import judge
from tlm3d.analysis.result import Verdict
from tlm3d.errors import SimulationError
from tlm3d.record.recording import LimitInfo

MS = 10**9
ON_TIME = job(0, 10 * MS, 5 * MS)


def test_a_run_that_keeps_everything_is_met() -> None:
    limits = [LimitInfo("peak", 10_000_000, 0)]
    result = judge(recording(20 * MS, jobs=[ON_TIME], limits=limits, states=[state(0, 20 * MS, 10_000_000)]))
    assert (result.verdict, result.reasons) == (
        Verdict.MET,
        ("every deadline kept (1 job judged)", "every power limit kept"),
    )
    assert (result.total_aj, result.average_nw) == (2 * 10**14, 1e7)


def test_a_run_without_limits_claims_nothing_about_power() -> None:
    jobs = [ON_TIME, job(10 * MS, 20 * MS, 12 * MS, index=1)]
    assert judge(recording(20 * MS, jobs=jobs)).reasons == ("every deadline kept (2 jobs judged)",)


def test_one_late_job_in_three_is_missed() -> None:
    jobs = [ON_TIME, job(10 * MS, 12 * MS, 13 * MS, index=1), job(15 * MS, 20 * MS, 18 * MS, index=2)]
    result = judge(recording(20 * MS, jobs=jobs))
    assert (result.verdict, result.reasons) == (Verdict.MISSED, ("classify missed 1 of 3 (33.3 %)",))
    assert result.worst is not None
    assert result.worst.job.index == 1


def test_a_task_without_a_judged_job_leaves_the_run_unjudged() -> None:
    result = judge(recording(20 * MS, jobs=[ON_TIME], tasks=["classify", "wake"]))
    assert (result.verdict, result.reasons) == (Verdict.UNJUDGED, ("wake: no deadline inside the horizon",))


def test_a_window_longer_than_the_run_is_not_judged() -> None:
    result = judge(recording(20 * MS, jobs=[ON_TIME], limits=[LimitInfo("window", 1, 100 * MS)]))
    assert (result.limits[0].met, result.limits[0].worst_nw, result.limits[0].at_ps) == (None, None, None)
    assert (result.verdict, result.reasons) == (
        Verdict.UNJUDGED,
        ("average over any 100 ms window at the rail: longer than the run",),
    )


def test_a_window_as_long_as_the_run_is_judged() -> None:
    made = recording(20 * MS, jobs=[ON_TIME], limits=[LimitInfo("window", 10, 20 * MS)], states=[state(0, 20 * MS, 9)])
    (limit,) = judge(made).limits
    assert (limit.worst_nw, limit.at_ps, limit.met) == (9, 0, True)


@pytest.mark.parametrize(
    ("power_nw", "limit", "reason"),
    [
        (12_100_000, LimitInfo("window", 10_000_000, MS), "12.1 mW > 10 mW over any 1 ms window at the rail"),
        (
            12_149_999,
            LimitInfo("window", 10_000_000, 3 * MS // 2),
            "12.1 mW > 10 mW over any 1.5 ms window at the rail",
        ),
        (
            12_150_000,
            LimitInfo("window", 10_000_000, 33_300_000),
            "12.2 mW > 10 mW over any 33.3 us window at the rail",
        ),
        (10_000_001, LimitInfo("window", 10_000_000, MS), "10.000001 mW > 10 mW over any 1 ms window at the rail"),
        (80_000_000, LimitInfo("peak", 62_500_000, 0), "80 mW > 62.5 mW at the peak, at the rail"),
        (999, LimitInfo("peak", 0, 0), "999 nW > 0 nW at the peak, at the rail"),
        (
            20 * 10**6,
            LimitInfo("ewma", 10**7, 0, tau_ps=MS // 1000),
            "20 mW > 10 mW in the exponential average of 1 us at the rail",
        ),
        (
            5_000_000,
            LimitInfo("ewma", 10**7, 0, tau_ps=MS, from_nw=10_200_000),
            "10.2 mW > 10 mW in the exponential average of 1 ms from 10.2 mW at the rail",
        ),
    ],
)
def test_an_exceeded_limit_says_by_how_much_in_readable_units(power_nw: int, limit: LimitInfo, reason: str) -> None:
    result = judge(recording(20 * MS, jobs=[ON_TIME], limits=[limit], states=[state(0, 20 * MS, power_nw)]))
    assert (result.verdict, result.reasons) == (Verdict.MISSED, (reason,))


def test_what_was_missed_is_said_before_what_was_not_judged() -> None:
    late = job(0, 2 * MS, 3 * MS)
    result = judge(recording(20 * MS, jobs=[late], tasks=["attitude", "classify"]))
    assert result.verdict is Verdict.MISSED
    assert result.reasons == ("classify missed 1 of 1 (100.0 %)", "attitude: no deadline inside the horizon")


def test_a_limit_of_unknown_kind_is_a_bug() -> None:
    with pytest.raises(SimulationError, match="bucket"):
        judge(recording(20 * MS, limits=[LimitInfo("bucket", 1, 1)], spans=[span(0, 10, 5)]))


def test_judging_does_not_pay_for_importing_numpy() -> None:
    code = "import sys, tlm3d.analysis.judge, tlm3d.analysis.power; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
