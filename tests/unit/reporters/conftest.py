"""Two results worked out by hand: a vision chip that misses over a slow TSV, and the same chip on time.

Every number of the results follows from the recording: see the comments.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from tlm3d.analysis.result import (
    Account,
    BlockUse,
    ChannelResult,
    Efficiency,
    JobBlame,
    LimitResult,
    ResponseStats,
    Result,
    Tardiness,
    TaskResult,
    Verdict,
)
from tlm3d.bounds.result import Bounds, ChainBound, Part, TaskBound
from tlm3d.record.recording import (
    ChannelInfo,
    Component,
    JobEnd,
    LimitInfo,
    Recording,
    Segment,
    Span,
    StateInterval,
    TaskInfo,
    TransferLeg,
)

MS = 10**9
UJ = 10**12
CAMERA, CLUSTER = Component("pixel", "camera"), Component("logic", "cluster")
ARRAY, TSV = Component("npu", "array"), Component("logic", "tsv:logic>npu")

LATE = JobEnd(
    "classify", 1, 33 * MS, 66 * MS, 40 * MS, 74 * MS, "finished",
    (
        Segment("sensing", 33 * MS, 40 * MS, "camera", "-"),
        Segment("compute", 40 * MS, 45 * MS, "array", "-"),
        Segment("link-queue", 45 * MS, 53 * MS, "tsv:logic>npu", "wake#0"),
        Segment("link-transfer", 53 * MS, 69 * MS, "tsv:logic>npu", "-"),
        Segment("link-queue", 69 * MS, 70 * MS, "tsv:logic>npu", "control#14"),
        Segment("compute", 70 * MS, 74 * MS, "array", "-"),
    ),
)  # fmt: skip
LATE_BUCKETS = {"sensing": 7 * MS, "compute": 9 * MS, "link-queue": 9 * MS, "link-transfer": 16 * MS}
ON_TIME = JobEnd(
    "classify", 0, 0, 33 * MS, 7 * MS, 27 * MS, "finished",
    (Segment("sensing", 0, 7 * MS, "camera", "-"), Segment("compute", 7 * MS, 27 * MS, "array", "-")),
)  # fmt: skip
OPEN = JobEnd(
    "classify", 2, 90 * MS, 123 * MS, 97 * MS, 110 * MS, "finished",
    (Segment("sensing", 90 * MS, 97 * MS, "camera", "-"), Segment("compute", 97 * MS, 110 * MS, "array", "-")),
)  # fmt: skip
DROPPED = JobEnd("control", 0, 5 * MS, 10 * MS, -1, -1, "dropped", ())
UNFINISHED = JobEnd(
    "wake", 0, 20 * MS, 95 * MS, 50 * MS, -1, "unfinished",
    (Segment("np-block", 20 * MS, 50 * MS, "array", "classify#1"), Segment("compute", 50 * MS, 100 * MS, "array", "-")),
)  # fmt: skip


def recording() -> Recording:
    """100 ms. The span of 20 uJ has spent half at the horizon; the pixel die leaks 50 uW all the time: 5 uJ.

    Peak from 7 ms: 90 uJ / 20 ms + 50 uW = 4.55 mW. First 50 ms: 30 + 90 + 2.5 uJ = 2.45 mW.
    """
    return Recording(
        platform="three-tier-vision",
        workload="always-on-vision",
        policy="edf",
        seed=7,
        horizon_ps=100 * MS,
        corner="high",
        dies=("pixel", "logic", "npu"),
        tasks={
            "classify": TaskInfo(33 * MS, 3, 25_000_000, "resnet8", 33 * MS),
            "control": TaskInfo(5 * MS, 1, 0, "-", 5 * MS),
            "wake": TaskInfo(75 * MS, 2, 15_000_000, "mobilenet", 100 * MS),
        },
        channels={"tsv:logic>npu": ChannelInfo(TSV, "link", "link", 640e6)},
        components=(CAMERA, CLUSTER, ARRAY, TSV),
        limits=(
            LimitInfo("window", 10_000_000, 50 * MS),
            LimitInfo("peak", 4_549_999, 0),
            LimitInfo("window", 9_000_000, 1000 * MS),
        ),
        interrupted_of_ps=0,
        boot_bytes=123456,
        spans=[
            Span(ARRAY, "compute", "classify", 1, "conv1", 0, 80 * MS, 120 * MS, 20 * UJ),
            Span(ARRAY, "compute", "classify", 0, "conv1", 0, 7 * MS, 27 * MS, 90 * UJ),
            Span(CAMERA, "sensing", "-", -1, "", -1, 0, 7 * MS, 30 * UJ),
        ],
        legs=[
            TransferLeg("tsv:logic>npu", "array", "classify", 1, 1250, 10000, 45 * MS, 53 * MS, 69 * MS, 69 * MS + 2000,
                        16 * MS, 5 * UJ),
        ],
        states=[StateInterval(CAMERA, "leakage", 50_000, 0, 100 * MS)],
        jobs=[OPEN, UNFINISHED, LATE, ON_TIME, DROPPED],
        macs_executed=12_500_000,
    )  # fmt: skip


@pytest.fixture
def missed() -> Result:
    """One of two judged classifications late by 8 ms, control dropped, wake unfinished; 140 uJ: 1.4 mW.

    core 100 uJ / 25 Mop = 4 pJ/op; effective 140 uJ / (2 x 25 Mop) = 2.8 pJ/op; classify owns 105 uJ of two inferences.
    """
    return Result(
        verdict=Verdict.MISSED,
        reasons=(
            "classify missed 1 of 2 (50.0 %)",
            "control missed 1 of 1 (100.0 %)",
            "wake missed 1 of 1 (100.0 %)",
        ),
        platform="three-tier-vision",
        workload="always-on-vision",
        policy="edf",
        seed=7,
        horizon_ps=100 * MS,
        corner="high",
        tasks={
            "classify": TaskResult(
                "classify",
                33 * MS,
                3,
                2,
                1,
                1,
                2,
                ResponseStats(27 * MS, 34 * MS, 27 * MS, 41 * MS, 41 * MS, 41 * MS, False),
                Tardiness(4 * MS, 8 * MS, -8 * MS, False),
            ),
            "control": TaskResult("control", 5 * MS, 1, 1, 1, 0, 0, None),
            "wake": TaskResult(
                "wake",
                75 * MS,
                1,
                1,
                1,
                0,
                0,
                ResponseStats(*[80 * MS] * 6, True),
                Tardiness(5 * MS, 5 * MS, -5 * MS, True),
            ),
        },
        worst=JobBlame(LATE, 41 * MS, -8 * MS, LATE_BUCKETS),
        tightest=(JobBlame(ON_TIME, 27 * MS, 6 * MS, {"sensing": 7 * MS, "compute": 20 * MS}),),
        limits=(
            LimitResult("window", "average over any 50 ms window at the rail", 10_000_000, 2_450_000, 0, True),
            LimitResult(
                "peak", "instantaneous peak at the rail", 4_549_999, 4_550_000, 7 * MS, False, "rail", 7 * MS, 20 * MS
            ),
            LimitResult("window", "average over any 1 s window", 9_000_000, None, None, None),
        ),
        total_aj=140 * UJ,
        average_nw=1_400_000.0,
        accounts=(
            Account("logic", "tsv:logic>npu", "link", "classify", 5 * UJ),
            Account("npu", "array", "compute", "classify", 100 * UJ),
            Account("pixel", "camera", "leakage", "-", 5 * UJ),
            Account("pixel", "camera", "sensing", "-", 30 * UJ),
        ),
        channels={
            "bus": ChannelResult("bus", "bus", 0, 0, 0, 0, 0),
            "tsv:logic>npu": ChannelResult("tsv:logic>npu", "link", 1, 10000, 16 * MS, 5 * UJ, 8 * MS),
        },
        efficiency=Efficiency(4000.0, 2800.0, {"classify": 52.5}, {"classify": 70.0}, 35.0),
        power_bins_nw=tuple(100_000.0 * (i % 17) + 300_000.0 for i in range(80)),
        boot_bytes=123456,
        notes=("weights of wake do not fit beside the array and are fetched for every inference",),
        recording=recording(),
        blocks={"npu.array": BlockUse("npu", "array", {"classify": 40 * MS}, 0)},
    )


@pytest.fixture
def met(missed: Result) -> Result:
    """The same chip judged over classify alone, on time."""
    return replace(
        missed,
        verdict=Verdict.MET,
        reasons=(),
        worst=None,
        tasks={
            "classify": TaskResult(
                "classify", 33 * MS, 1, 1, 0, 0, 1, ResponseStats(*[27 * MS] * 6, False), Tardiness(0, 0, 6 * MS, False)
            )
        },
        limits=missed.limits[:1],
        notes=(),
    )


@pytest.fixture
def bounds() -> Bounds:
    """classify has 33 ms and may take 45 ms, wake 60 of 75 ms; control has no bound. The parts of classify: 45 ms."""
    classify = (
        Part("sensing", "-", 7 * MS, 7 * MS),
        Part("conv", "npu.array", 20 * MS, 12 * MS, 5 * MS, 3 * MS),
        Part("softmax", "logic.cluster", 10 * MS, 4 * MS, 0, 6 * MS),
        Part("conv", "npu.array", 8 * MS, 8 * MS),
    )
    return Bounds(
        platform="three-tier-vision",
        workload="always-on-vision",
        policy="edf",
        corner="high",
        tasks={
            "classify": TaskBound("classify", 33 * MS, 45 * MS, best_ps=20 * MS, parts=classify),
            "control": TaskBound("control", 5 * MS, None, "bits of tsv may be sent again without end", best_ps=MS),
            "wake": TaskBound(
                "wake", 75 * MS, 60 * MS, best_ps=30 * MS, parts=(Part("net", "npu.array", 60 * MS, 30 * MS, 30 * MS),)
            ),
        },
        chains={"steer": ChainBound("steer", 70 * MS, None, "control has no bound", 100 * MS, None)},
        servers={"logic.cluster": Fraction(1, 4), "npu.array": Fraction(7, 10)},
    )


@pytest.fixture
def guaranteed(bounds: Bounds) -> Bounds:
    """Of it wake alone, and its chain."""
    return replace(
        bounds, tasks={"wake": bounds.tasks["wake"]}, chains={"late": ChainBound("late", 70 * MS, 90 * MS, "", 70 * MS)}
    )
