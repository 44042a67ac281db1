"""Recordings made by hand for the tests of analysis: a two-die chip with one engine, one TSV, and facts as given."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tlm3d.analysis.activities import Activity
from tlm3d.analysis.meter import Meter
from tlm3d.analysis.result import LimitResult
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

ARRAY = Component("logic", "array")
TSV = Component("logic", "tsv:logic>npu")


def span(
    start_ps: int,
    end_ps: int,
    energy_aj: int,
    task: str = "classify",
    what: str = "compute",
    component: Component = ARRAY,
) -> Span:
    return Span(component, what, task, -1 if task == "-" else 0, "-", 0, start_ps, end_ps, energy_aj)


def state(
    start_ps: int, end_ps: int, power_nw: int, what: str = "leakage", component: Component = ARRAY
) -> StateInterval:
    return StateInterval(component, what, power_nw, start_ps, end_ps)


def leg(
    start_ps: int, end_ps: int, energy_aj: int, task: str = "classify", bits: int = 80, posted_ps: int | None = None
) -> TransferLeg:
    posted_ps = start_ps if posted_ps is None else posted_ps
    busy_ps = end_ps - start_ps
    return TransferLeg(
        TSV.name, "array.load", task, 0, bits // 8, bits, posted_ps, start_ps, end_ps, end_ps + 1, busy_ps, energy_aj
    )


def job(
    release_ps: int,
    deadline_ps: int,
    finish_ps: int = -1,
    status: str = "finished",
    task: str = "classify",
    index: int = 0,
    segments: Iterable[Segment] | None = None,
) -> JobEnd:
    """A job; without ``segments`` one that computed from its release to its finish."""
    if segments is None:
        segments = [piece("compute", release_ps, finish_ps)] if finish_ps > release_ps else []
    start_ps = release_ps if status in ("finished", "unfinished") else -1
    return JobEnd(task, index, release_ps, deadline_ps, start_ps, finish_ps, status, tuple(segments))


def piece(bucket: str, start_ps: int, end_ps: int) -> Segment:
    return Segment(bucket, start_ps, end_ps, "array", "-")


def recording(
    horizon_ps: int,
    spans: Sequence[Span] = (),
    legs: Sequence[TransferLeg] = (),
    states: Sequence[StateInterval] = (),
    jobs: Sequence[JobEnd] = (),
    limits: Sequence[LimitInfo] = (),
    tasks: Sequence[str] = ("classify",),
    macs_executed: int = 0,
) -> Recording:
    """A run over [0, horizon_ps]; every task runs a network of 500 MACs, except one named ``attitude``."""
    return Recording(
        platform="two-die",
        workload="by-hand",
        policy="edf",
        seed=0,
        horizon_ps=horizon_ps,
        dies=("logic", "npu"),
        tasks={t: TaskInfo(10, 1, *((0, "-") if t == "attitude" else (1000, "resnet8")), 10) for t in sorted(tasks)},
        channels={TSV.name: ChannelInfo(TSV, "link", "link", 1e9)},
        components=(ARRAY, TSV),
        limits=tuple(limits),
        spans=list(spans),
        legs=list(legs),
        states=list(states),
        jobs=list(jobs),
        macs_executed=macs_executed,
    )


def judge_limits(limits: Sequence[LimitInfo], spending: Sequence[Activity], horizon_ps: int) -> tuple[LimitResult, ...]:
    """``limits`` against ``spending``, read at once."""
    meter = Meter(limits)
    meter.close(spending, horizon_ps)
    return meter.limits()
