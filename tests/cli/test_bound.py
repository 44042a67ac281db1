"""`tlm3d bound`: exit codes, the report and the JSON."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tlm3d.bounds.result import Bounds, TaskBound

if TYPE_CHECKING:
    from cli.conftest import Command

BOUND = ("bound", "good/platform.yaml", "good/workload.yaml")
US = 10**6


def bounded(monkeypatch: pytest.MonkeyPatch, bound_ps: int | None) -> list[tuple[str | None, Any]]:
    """Let the analysis find ``bound_ps`` for control, whose deadline is 1 ms; what it is asked."""
    asked: list[tuple[str | None, Any]] = []

    def bound(platform: Any, workload: Any, policy: str | None = None, stretch: Any = None) -> Bounds:
        asked.append((policy, platform.corner))
        reason = "" if bound_ps is not None else "utilisation 1.04 of logic.cluster"
        control = TaskBound("control", workload.tasks["control"].spec.deadline_ps, bound_ps, reason)
        return Bounds(platform.name, workload.name, policy or workload.policy, platform.corner, {"control": control})

    monkeypatch.setattr("tlm3d.simulation.bound", bound)
    return asked


@pytest.mark.parametrize(
    ("bound_ps", "exit_code", "first"),
    [
        (1000 * US, 0, "BOUND: GUARANTEED every deadline of 1 task is kept, whatever happens"),
        (1000 * US + 1, 1, "BOUND: NOT GUARANTEED control up to 1.000000001 ms > 1.000000000 ms"),
        (None, 1, "BOUND: NO BOUND of control"),
    ],
)
def test_the_exit_code_says_whether_every_deadline_is_guaranteed(
    tlm3d: Command, monkeypatch: pytest.MonkeyPatch, bound_ps: int | None, exit_code: int, first: str
) -> None:
    bounded(monkeypatch, bound_ps)
    result = tlm3d(*BOUND)
    assert (result.exit_code, result.stderr, result.stdout.splitlines()[0]) == (exit_code, "", first)
    assert ("no bound of control: utilisation 1.04 of logic.cluster" in result.stdout) == (bound_ps is None)


def test_policy_and_corner_are_those_asked_for(tlm3d: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = bounded(monkeypatch, 3 * US)
    assert tlm3d(*BOUND, "--policy", "fifo", "--corner", "high").exit_code == 0
    assert asked == [("fifo", "high")]


def test_json_in_the_place_of_the_report_or_in_a_file(
    tlm3d: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    bounded(monkeypatch, 3 * US)
    alone = json.loads(tlm3d(*BOUND, "--json", "-").stdout)
    assert (alone["verdict"], alone["tasks"]["control"]["bound_ps"]) == ("guaranteed", 3 * US)
    assert alone["sensitivity"] is None
    file = tmp_path / "bound.json"
    both = tlm3d(*BOUND, "--json", file)
    assert both.stdout.startswith("BOUND: GUARANTEED")
    assert json.loads(file.read_text(encoding="utf-8")) == alone
    assert tlm3d(*BOUND, "--json", tmp_path / "no" / "bound.json").exit_code == 2


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (("--policy", "ed"), "error: --policy: "),
        (("--corner", "hgih"), "error: --corner: "),
        (("--set", "links.tsv.rat=1 Mbit/s"), "error: --set links.tsv.rat: unknown key 'rat'; did you mean 'rate'?"),
        (("--set", "workload.tasks.control.deadline=-1 s"), "error: --set workload.tasks.control.deadline: "),
    ],
)
def test_wrong_input_is_said_and_exits_with_2(tlm3d: Command, wrong: tuple[str, ...], message: str) -> None:
    result = tlm3d(*BOUND, *wrong)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(message)


def test_a_run_shows_the_bound_beside_the_largest_response(
    tlm3d: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    asked = bounded(monkeypatch, 900 * US)
    run = ("run", *BOUND[1:], "--json", tmp_path / "run.json", "--export", tmp_path)
    assert " bound " not in tlm3d(*run).stdout
    assert (asked, json.loads((tmp_path / "run.json").read_text())["bounds"]) == ([], None)
    report = tlm3d(*run, "--bounds", "--policy", "fifo").stdout
    assert re.search(r"\n control .+ 900 us .+ ok\n", report)
    assert asked == [("fifo", "typical")]
    assert json.loads((tmp_path / "run.json").read_text())["bounds"]["tasks"]["control"]["bound_ps"] == 900 * US
    assert (tmp_path / "bounds.csv").read_text().splitlines()[1].endswith(f",{900 * US},")
