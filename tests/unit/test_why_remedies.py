"""Which changes a cause calls for, and that a change that cannot be made is told, not raised."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tlm3d import why
from tlm3d.analysis.why import Change, Part, Rerun, Why
from tlm3d.blocks.riscv_cluster import RiscvCluster
from tlm3d.spec.pair import read_pair
from tlm3d.spec.platform import PlatformSpec
from tlm3d.spec.workload import WorkloadSpec
from tlm3d.sweeps import why as asking
from tlm3d.sweeps.remedies import changed, compatible, remedies, without_tasks

ROOT = Path(__file__).parents[2]
FILES = str(ROOT / "platforms/three_tier_vision.yaml"), str(ROOT / "workloads/always_on_vision.yaml")
GATED = "{after: 1 ms, wake_time: 10 us}"


@pytest.fixture(scope="module")
def pair() -> tuple[PlatformSpec, WorkloadSpec]:
    return read_pair(*FILES, (f"links.tsv.gated={GATED}", f"dies.npu.blocks.l2.states={{gated: {GATED}}}"))


def of(pair: tuple[PlatformSpec, WorkloadSpec], bucket: str, where: str, holder: str = "-") -> list[Change]:
    """Changes for one cause of a job of classify, other policies aside."""
    found = remedies(*pair, "edf", "classify", [Part(bucket, where, holder, 1)])
    return [change for change in found if change.policy is None]


@pytest.mark.parametrize(
    ("where", "setting"),
    [
        ("tsv:logic>npu", "links.tsv.rate=20 Mbit/s"),
        ("logic.bus", "dies.logic.bus.rate=350 Mbit/s"),
        ("npu.l2", "dies.npu.blocks.l2.rate=200 Mbit/s"),
        ("npu.array.in", "dies.npu.blocks.array.dma.rate=200 Mbit/s"),
    ],
)
def test_a_channel_is_made_twice_as_fast(pair: tuple[PlatformSpec, WorkloadSpec], where: str, setting: str) -> None:
    for bucket in ("link-queue", "link-transfer", "memory"):
        (faster,) = of(pair, bucket, where)
        assert faster.settings == (setting,)
    platform, _ = changed(*pair, faster)
    before, after = pair[0], platform
    if where == "logic.bus":
        assert after.dies["logic"].bus.rate_bps == 2 * before.dies["logic"].bus.rate_bps == Fraction(350 * 10**6)  # type: ignore[union-attr]
    assert before.source.tree["links"]["tsv"]["rate"] == "10 Mbit/s"  # the pair itself is as it was


def test_who_stood_in_the_way_is_left_out_but_never_the_task_itself(pair: tuple[PlatformSpec, WorkloadSpec]) -> None:
    for bucket in ("preempt", "np-block", "resource"):
        assert [c.without for c in of(pair, bucket, "x.y", "wake#3")] == [("wake",)]
        assert of(pair, bucket, "x.y", "classify#3") == []
    platform, workload = changed(*pair, Change("", without=("wake",)))
    assert platform is pair[0]
    assert sorted(workload.tasks) == ["attitude", "classify", "listen"]


def test_what_a_task_releases_goes_with_it_and_chains_through_it_too() -> None:
    def task(after: str | None) -> Any:
        return SimpleNamespace(spec=SimpleNamespace(after=after and SimpleNamespace(task=after)))

    tasks = {"a": task(None), "b": task("a"), "c": task("b"), "mine": task(None)}
    chains = {"loop": SimpleNamespace(tasks=["a", "mine"]), "other": SimpleNamespace(tasks=["mine"])}
    workload: Any = SimpleNamespace(tasks=tasks, chains=chains)
    platform: Any = SimpleNamespace(dies={})
    found = remedies(platform, workload, "edf", "mine", [Part("preempt", "x.y", "a#0", 1)])
    assert found[0].without == ("a", "b", "c")
    assert found[0].words == "without a and b, c, which it releases, nor the chain loop"


def test_blocked_by_a_tile_means_smaller_tiles(pair: tuple[PlatformSpec, WorkloadSpec]) -> None:
    found = of(pair, "np-block", "logic.cluster", "listen#1")
    assert ("dies.logic.blocks.cluster.l1=32 KiB",) in [change.settings for change in found]
    platform, _ = changed(*pair, next(change for change in found if "l1" in str(change.settings)))
    cluster = platform.dies["logic"].blocks["cluster"]
    assert isinstance(cluster, RiscvCluster)
    assert cluster.local_bytes == 32 * 1024


def test_a_wake_up_means_always_on_where_it_is_or_each_gated_channel(pair: tuple[PlatformSpec, WorkloadSpec]) -> None:
    assert [c.removed for c in of(pair, "wake-up", "tsv:logic>npu")] == [("links.tsv.gated",)]
    assert [c.removed for c in of(pair, "wake-up", "npu.l2")] == [("dies.npu.blocks.l2.states.gated",)]
    both = [("links.tsv.gated",), ("dies.npu.blocks.l2.states.gated",)]
    assert [c.removed for c in of(pair, "wake-up", "logic.bus")] == both  # it was another part of the same route
    platform, _ = changed(*pair, of(pair, "wake-up", "tsv:logic>npu")[0])
    assert platform.links["tsv"].gated is None
    assert pair[0].links["tsv"].gated is not None


def test_switching_is_a_cause_only_where_it_costs_something(pair: tuple[PlatformSpec, WorkloadSpec]) -> None:
    assert of(pair, "overhead", "logic.cluster") == []
    assert of(pair, "sensing", "pixel.camera") == of(pair, "compute", "npu.array") == []


def test_every_other_policy_is_tried(pair: tuple[PlatformSpec, WorkloadSpec]) -> None:
    policies = {change.policy for change in remedies(*pair, "fifo", "classify", ())}
    assert {"edf", "fixed-priority", "rate-monotonic", "deadline-monotonic"} <= policies
    assert "fifo" not in policies


def test_changes_of_one_thing_do_not_go_together() -> None:
    fifo, edf = Change("", policy="fifo"), Change("", policy="edf")
    slow, fast = Change("", ("links.a.rate=1 bit/s",)), Change("", ("links.a.rate=2 bit/s",))
    assert not compatible(fifo, edf)
    assert not compatible(slow, fast)
    assert not compatible(Change("", without=("a", "b")), Change("", without=("b",)))
    assert compatible(fifo, slow)


def test_what_does_not_fit_is_told(pair: tuple[PlatformSpec, WorkloadSpec]) -> None:
    run = asking._Run("edf", 0, 10**9)
    small = run.rerun(*pair, "classify", 0, Change("", ("dies.npu.blocks.array.local=64 B",)))
    assert small.outcome is None
    assert "npu.array" in small.error
    gone = run.rerun(*pair, "classify", 0, Change("", without=("classify",)))
    assert gone == Rerun(Change("", without=("classify",)), None, "classify itself would go")


def test_without_tasks_keeps_the_rest(pair: tuple[PlatformSpec, WorkloadSpec]) -> None:
    assert without_tasks(pair[1], ("wake",)).tasks["listen"] is pair[1].tasks["listen"]


def test_an_interrupt_keeps_the_reruns_that_are_done(pair: tuple[PlatformSpec, WorkloadSpec]) -> None:
    def interrupted(runs: float, total: int) -> None:
        if runs >= 2:
            raise KeyboardInterrupt

    found: Why = why(*pair, horizon="40 ms", jobs=1, done=interrupted)
    assert 1 <= len(found.reruns) <= 2 < found.asked
    assert found.interrupted
