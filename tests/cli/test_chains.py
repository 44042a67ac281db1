"""Chains and firm tasks of a workload file, from its keys to the verdict, by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from cli.conftest import Command

MS = 10**9
PLATFORM = {"name": "one-core", "dies": {"logic": {"tier": 0, "blocks": {"core": {"kind": "processor"}}}}}


def _stage(time: str, **keys: Any) -> dict[str, Any]:
    return {"stages": [{"time": time, "on": "core"}], **keys}


def _run(tlm3d: Command, folder: Path, horizon: str = "100 ms", **workload: Any) -> Any:
    (folder / "p.yaml").write_text(yaml.safe_dump(PLATFORM))
    text = {"name": "w", "policy": "fixed-priority", "horizon": horizon, **workload}
    (folder / "w.yaml").write_text(yaml.safe_dump(text))
    result = tlm3d("run", folder / "p.yaml", folder / "w.yaml", "--json", "-")
    assert result.stderr == ""
    return json.loads(result.stdout)


def test_a_chain_samples_at_its_own_pace(tlm3d: Command, tmp_path: Path) -> None:
    # sense finishes at 0 + 1, 10 + 1, …; act begins at 5, 25, … and finishes 2 ms later: it carries 0, 20, 40, ….
    # A release at 20k is answered at 20k + 7; one at 20k − 10 at 20k + 7 too, but the last one, at 90, by nothing.
    tasks = {
        "sense": _stage("1 ms", period="10 ms", priority=1),
        "act": _stage("2 ms", period="20 ms", offset="5 ms", priority=2),
    }
    chains = {"steer": {"tasks": ["sense", "act"], "deadline": "17 ms", "max_age": "27 ms"}}
    found = _run(tlm3d, tmp_path, tasks=tasks, chains=chains)["chains"]["steer"]
    # Answered: 0 after 7, and of 10 … 80 every other after 17 or 7: five times 7, four times 17.
    mean_ps = (5 * 7 + 4 * 17) * MS // 9
    assert found["reaction_ps"] == {
        "worst": 17 * MS, "mean": mean_ps, "judged": 9, "lost": 0, "worst_is_bound": False,
    }  # fmt: skip
    # An output at 20k + 7 carries 20k until 20k + 27; the last one, at 87, carries 80 until 100.
    assert found["age_ps"]["worst"] == 27 * MS
    assert found["age_ps"]["judged"] == 5
    assert found["age_ps"]["lost"] == 0


@pytest.mark.parametrize(
    ("bound", "reason"),
    [
        ({"deadline": "16.999 ms"}, "chain steer reacted too late to 4 of 9 jobs of sense (17.0 ms > 17.0 ms)"),
        ({"max_age": "26 ms"}, "chain steer let data of 4 of 5 outputs of act grow too old (27.0 ms > 26.0 ms)"),
    ],
)
def test_a_chain_that_is_too_slow_misses(tlm3d: Command, tmp_path: Path, bound: dict[str, str], reason: str) -> None:
    tasks = {
        "sense": _stage("1 ms", period="10 ms", priority=1),
        "act": _stage("2 ms", period="20 ms", offset="5 ms", priority=2),
    }
    (tmp_path / "p.yaml").write_text(yaml.safe_dump(PLATFORM))
    chains = {"steer": {"tasks": ["sense", "act"], **bound}}
    text = {"name": "w", "policy": "fixed-priority", "horizon": "100 ms", "tasks": tasks, "chains": chains}
    (tmp_path / "w.yaml").write_text(yaml.safe_dump(text))
    result = tlm3d("run", tmp_path / "p.yaml", tmp_path / "w.yaml")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[0] == f"RESULT: MISSED {reason}"


def test_a_cascade_carries_what_released_it(tlm3d: Command, tmp_path: Path) -> None:
    # act is released by sense's finish at 1, waits behind hog until 9, and finishes at 11: still of the release at 0.
    tasks = {
        "sense": _stage("1 ms", period="4 ms", priority=1, deadline="4 ms"),
        "hog": _stage("6 ms", period="100 ms", priority=2),
        "act": _stage("1 ms", after={"task": "sense", "probability": 1}, priority=3, backlog=9),
    }
    chains = {"steer": {"tasks": ["sense", "act"], "max_age": "1 s"}}
    found = _run(tlm3d, tmp_path, horizon="11 ms", tasks=tasks, chains=chains)["chains"]["steer"]
    # sense: 0–1, 4–5, 8–9; hog has 1–4, 5–8; act of 0 runs 9–10, act of 4 10–11.
    assert found["reaction_ps"]["judged"] == 2
    assert found["reaction_ps"]["mean"] == (10 + 7) * MS // 2
    assert found["age_ps"]["worst"] == 11 * MS


def test_a_firm_task_is_met_with_misses(tlm3d: Command, tmp_path: Path) -> None:
    # Every third job of late begins behind hog and takes until 6 ms, past its deadline of 5 ms.
    tasks = {
        "late": _stage("3 ms", period="10 ms", deadline="5 ms", priority=2),
        "hog": _stage("3 ms", period="30 ms", priority=1),
    }
    for firm, verdict in (([2, 3], "met"), ([3, 3], "missed"), (None, "missed")):
        tasks["late"] |= {"firm": firm} if firm else {}
        if not firm:
            del tasks["late"]["firm"]
        found = _run(tlm3d, tmp_path, tasks=tasks)
        assert found["verdict"] == verdict
        assert found["tasks"]["late"]["missed"] == 4
        if firm:
            assert found["tasks"]["late"]["firm"] == {
                "needed": firm[0], "window": 3, "fewest": 2, "met": verdict == "met",
            }  # fmt: skip


def test_the_chains_of_a_run_are_the_same_whatever_it_keeps(tmp_path: Path) -> None:
    from tlm3d import load_platform, load_workload, simulate

    (tmp_path / "p.yaml").write_text(yaml.safe_dump(PLATFORM))
    tasks = {
        "sense": _stage("1 ms", period="7 ms", jitter="3 ms", priority=3, deadline="40 ms"),
        "filter": _stage("2 ms", period="11 ms", priority=1),
        "act": _stage("3 ms", period="13 ms", priority=2, on_miss="drop"),
    }
    chains = {"steer": {"tasks": ["sense", "filter", "act"], "deadline": "40 ms", "max_age": "60 ms"}}
    text = {"name": "w", "policy": "fixed-priority", "horizon": "20 s", "tasks": tasks, "chains": chains}
    (tmp_path / "w.yaml").write_text(yaml.safe_dump(text))
    both = load_platform(tmp_path / "p.yaml"), load_workload(tmp_path / "w.yaml")
    results = [simulate(*both, record=record) for record in ("full", "totals")]
    assert results[0].chains == results[1].chains
    assert results[0].chains["steer"].reaction is not None
