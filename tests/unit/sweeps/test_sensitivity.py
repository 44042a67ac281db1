"""How far times and rates may go: the driver, with an analysis that is worked by hand in the place of the real one."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tlm3d.bounds.result import Bounds, TaskBound
from tlm3d.bounds.sensitivity import Edge, Sensitivity
from tlm3d.model.computing_times import computing_times
from tlm3d.spec.pair import read_pair
from tlm3d.spec.platform import PlatformSpec
from tlm3d.spec.workload import WorkloadSpec
from tlm3d.sweeps import sensitivity as driver

ROOT = Path(__file__).parents[3]
PAIR = (ROOT / "platforms" / "three_tier_vision.yaml", ROOT / "workloads" / "always_on_vision.yaml")

PATHFINDER = (("platforms", "processors.yaml"), ("workloads", "pathfinder.yaml"))


def pair(*settings: str) -> tuple[PlatformSpec, WorkloadSpec]:
    return read_pair(*map(str, PAIR), settings)


class Analysis:
    """Every task may take 20 ms: ``computing`` ms times its stretch and ``bits`` over the rate of a link."""

    def __init__(self, link: str, computing: int, bits: int) -> None:
        self.link, self.computing, self.bits = link, computing, bits
        self.asked: list[tuple[str | None, dict[tuple[str, str], Fraction], Fraction]] = []

    def __call__(
        self,
        platform: PlatformSpec,
        workload: WorkloadSpec,
        policy: str | None = None,
        stretch: Mapping[tuple[str, str], Fraction] | None = None,
    ) -> Bounds:
        rate_bps = platform.links[self.link].rate_bps
        self.asked.append((policy, dict(stretch or {}), rate_bps))
        tasks = {}
        for name in workload.tasks:
            factor = next((f for (task, _), f in (stretch or {}).items() if task == name), Fraction(1))
            bound_ps = int(self.computing * 10**9 * factor + self.bits * 10**12 / rate_bps)
            tasks[name] = TaskBound(name, 20 * 10**9, bound_ps)
        return Bounds("chip", "work", policy or "edf", "typical", tasks)


def found(monkeypatch: pytest.MonkeyPatch, analysis: Analysis, **options: Any) -> Sensitivity:
    monkeypatch.setattr(driver, "bound", analysis)
    return driver.sensitivity(*pair("links.tsv.rate=10 Mbit/s"), **options)


def test_every_task_on_every_block_and_every_link_has_its_margin(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, int]] = []
    margins = found(monkeypatch, Analysis("tsv", 10, 50_000), done=lambda *done: told.append(done))
    platform, workload = pair()
    assert [(m.task, m.block) for m in margins.times] == list(computing_times(platform, workload))
    assert [m.link for m in margins.rates] == list(platform.links)
    total = len(margins.times) + len(margins.rates)
    assert told == [(i, total) for i in range(total + 1)]


def test_a_time_may_grow_up_to_the_deadline_of_its_task(monkeypatch: pytest.MonkeyPatch) -> None:
    # 10 ms x + 50 kbit / 10 Mbit/s = 20 ms at x = 1.5.
    margins = found(monkeypatch, Analysis("tsv", 10, 50_000))
    for margin in margins.times:
        assert margin.edge == Edge(Fraction("1.5"), Fraction("1.51"))
        assert margin.first == (margin.task,)
        assert margin.most_ps == margin.time_ps * 3 // 2


def test_a_rate_may_fall_as_long_as_all_deadlines_are_guaranteed(monkeypatch: pytest.MonkeyPatch) -> None:
    # 50 kbit in 10 ms: 5 Mbit/s. The other link carries nothing of it: a thousandth will do.
    margins = {margin.link: margin for margin in found(monkeypatch, Analysis("tsv", 10, 50_000)).rates}
    assert margins["tsv"].edge == Edge(Fraction(5 * 10**6), Fraction(4_990_000))
    assert set(margins["tsv"].first) == set(pair()[1].tasks)
    edge = margins["bond"].edge
    assert edge is not None
    assert edge.beyond is None
    assert edge.value == margins["bond"].rate_bps / 1000


@pytest.mark.parametrize(("lanes", "each_lane"), [(1, False), (2, True)])
def test_the_rate_of_a_link_with_several_lanes_is_of_one(
    monkeypatch: pytest.MonkeyPatch, lanes: int, each_lane: bool
) -> None:
    monkeypatch.setattr(driver, "bound", Analysis("tsv", 10, 50_000))
    margins = driver.sensitivity(*pair("links.tsv.rate=10 Mbit/s", f"links.tsv.lanes={lanes}"))
    assert {margin.link: margin.each_lane for margin in margins.rates}["tsv"] is each_lane


def test_what_is_not_guaranteed_is_told_what_would_make_it_so(monkeypatch: pytest.MonkeyPatch) -> None:
    # 10 ms + 200 kbit / 10 Mbit/s = 30 ms: 20 Mbit/s, and a single task that is quicker helps none of the others.
    margins = found(monkeypatch, Analysis("tsv", 10, 200_000))
    (tsv,) = [margin for margin in margins.rates if margin.link == "tsv"]
    assert tsv.edge == Edge(Fraction(20 * 10**6), Fraction(19_900_000))
    assert all(margin.edge is None and margin.most_ps is None for margin in margins.times)


def test_nothing_is_analysed_twice_nor_what_is_known_already(monkeypatch: pytest.MonkeyPatch) -> None:
    analysis = Analysis("tsv", 10, 50_000)
    now = analysis(*pair("links.tsv.rate=10 Mbit/s"), "fifo")
    analysis.asked.clear()
    found(monkeypatch, analysis, policy="fifo", now=now)
    stretches = [(str(stretch), rate_bps) for _, stretch, rate_bps in analysis.asked if stretch]
    assert len(stretches) == len(set(stretches))
    assert all(Fraction(1) not in stretch.values() for _, stretch, _ in analysis.asked)
    known = len(analysis.asked)
    found(monkeypatch, analysis, policy="fifo")
    assert len(analysis.asked) == 2 * known + 1  # the bounds as it is, once
    assert {policy for policy, _, _ in analysis.asked} == {"fifo"}


def test_a_rate_that_the_platform_cannot_have_does_not_keep(monkeypatch: pytest.MonkeyPatch) -> None:
    analysis = Analysis("tsv", 10, 50_000)
    changed = driver.changed

    def refuses_slow_links(platform: PlatformSpec, workload: WorkloadSpec, change: Any) -> Any:
        platform, workload = changed(platform, workload, change)
        if platform.links["tsv"].rate_bps < 8 * 10**6:
            raise driver.Tlm3dError("too slow to be a link")
        return platform, workload

    monkeypatch.setattr(driver, "changed", refuses_slow_links)
    (tsv,) = [margin for margin in found(monkeypatch, analysis).rates if margin.link == "tsv"]
    assert tsv.edge == Edge(Fraction(8 * 10**6), Fraction(7_990_000))
    assert tsv.first == ()


def test_a_job_computes_on_each_block_that_it_may_use() -> None:
    good = ROOT / "tests" / "cli" / "good"
    times_ps = computing_times(*read_pair(str(good / "platform.yaml"), str(good / "workload.yaml")))
    assert set(times_ps) == {("control", "logic.cluster"), ("look", "npu.array"), ("look", "logic.cluster")}
    assert times_ps["control", "logic.cluster"] == 10 * 10**6  # 1000 cycles at 100 MHz


def test_all_stages_of_a_task_on_a_processor_count_together() -> None:
    files = [ROOT / folder / "textbook" / name for folder, name in PATHFINDER]
    times_ps = computing_times(*read_pair(*map(str, files)))
    assert times_ps == {
        ("bus", "rack.p0"): 20 * 10**9,
        ("comm", "rack.p0"): 150 * 10**9,
        ("weather", "rack.p0"): 45 * 10**9,
    }


def test_what_may_run_on_several_blocks_counts_at_each() -> None:
    good = ROOT / "tests" / "cli" / "good"
    anywhere = "workload.tasks.control.stages.0.on=any"
    times_ps = computing_times(*read_pair(str(good / "platform.yaml"), str(good / "workload.yaml"), [anywhere]))
    assert times_ps["control", "logic.cluster"] == times_ps["control", "npu.array"] == 10 * 10**6
