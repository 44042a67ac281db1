"""How far times and rates may go, worked by hand, and told values tried again."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
import yaml

from tlm3d.bounds.sensitivity import Edge
from tlm3d.bounds.verdict import Verdict, verdict
from tlm3d.simulation import bound
from tlm3d.spec.pair import read_pair
from tlm3d.spec.platform import PlatformSpec
from tlm3d.spec.workload import WorkloadSpec
from tlm3d.sweeps.sensitivity import sensitivity
from tlm3d.units import scaled_text

ROOT = Path(__file__).parents[2]
PROCESSORS = ROOT / "platforms" / "textbook" / "processors.yaml"


def two_tasks(folder: Path, short_ms: int, policy: str) -> tuple[PlatformSpec, WorkloadSpec]:
    """``short`` every 10 ms and ``long``, 3 ms every 20 ms, on one processor that is preempted at once."""
    tasks = {
        "short": {"period": "10 ms", "stages": [{"time": f"{short_ms} ms", "on": "p0"}]},
        "long": {"period": "20 ms", "stages": [{"time": "3 ms", "on": "p0"}]},
    }
    file = folder / "workload.yaml"
    file.write_text(yaml.safe_dump({"name": "two", "policy": policy, "horizon": "100 ms", "tasks": tasks}))
    return read_pair(str(PROCESSORS), str(file))


@pytest.mark.parametrize("policy", ["rate-monotonic", "edf"])
def test_two_tasks_may_grow_until_the_processor_is_full_to_the_deadline(tmp_path: Path, policy: str) -> None:
    # Harmonic: long ends by 20 ms while 3 y + 2 · 2 x ≤ 20 (and 2 x ≤ 10): x = 4.25; y = 16 / 3.
    found = sensitivity(*two_tasks(tmp_path, 2, policy))
    margins = {margin.task: margin for margin in found.times}
    assert margins["short"].edge == Edge(Fraction("4.25"), Fraction("4.26"))
    assert margins["long"].edge == Edge(Fraction("5.33"), Fraction("5.34"))
    assert margins["long"].most_ps == 15_990_000_000
    assert "long" in margins["short"].first
    assert found.rates == ()


def test_a_processor_that_is_too_full_says_by_how_much(tmp_path: Path) -> None:
    # 9 ms of 10 and 3 ms of 20 are 105 %: 3 y ≤ 20 − 18 gives y = 0.666, 2 · 9 x ≤ 17 gives x = 0.944.
    margins = {margin.task: margin for margin in sensitivity(*two_tasks(tmp_path, 9, "rate-monotonic")).times}
    assert margins["short"].edge == Edge(Fraction("0.944"), Fraction("0.945"))
    assert margins["long"].edge == Edge(Fraction("0.666"), Fraction("0.667"))


def test_the_least_rate_guarantees_every_deadline_and_the_one_below_does_not() -> None:
    pair = (ROOT / "platforms" / "three_tier_vision.yaml", ROOT / "workloads" / "always_on_vision.yaml")
    found = sensitivity(*read_pair(*map(str, pair)))
    assert [margin.link for margin in found.rates] == ["bond", "tsv"]
    for margin in found.rates:
        assert margin.edge is not None
        assert margin.edge.beyond is not None
        assert margin.edge.beyond < margin.edge.value < margin.rate_bps
        for rate_bps, is_kept in ((margin.edge.value, True), (margin.edge.beyond, False)):
            setting = f"links.{margin.link}.rate={scaled_text('1 bit/s', rate_bps)}"
            bounds = bound(*read_pair(*map(str, pair), [setting]))
            assert (verdict(bounds) is Verdict.GUARANTEED) == is_kept
