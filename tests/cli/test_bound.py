"""`tlm3d bound`: exit codes, the report and the JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from rich.cells import cell_len

from tlm3d import __version__ as tlm3d_version
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


def advice(report: str) -> list[str]:
    """The first word of each line of advice; folded lines made one."""
    _, _, told = " ".join(report.split()).partition(" What to do - ")
    return [line.split()[0] for line in told.split(" - ")] if told else []


def test_where_not_all_is_guaranteed_the_report_says_what_to_do(
    tlm3d: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    processors = Path(__file__).parents[2] / "platforms" / "textbook" / "processors.yaml"
    textbook = processors.parents[2] / "workloads" / "textbook"
    beyond = ("bound", processors, textbook / "davis_can.yaml")  # C, by 1.75 ms
    assert advice(tlm3d(*beyond).stdout) == ["shorten", "--sensitivity", "tlm3d"]
    assert advice(tlm3d(*beyond, "--sensitivity").stdout) == ["shorten", "tlm3d"]
    full = tlm3d("bound", processors, textbook / "buttazzo_overload.yaml").stdout  # 5/4 of p0
    assert advice(full) == ["give", "docs/bounds.md", "--sensitivity", "tlm3d"]
    assert "give rack.p0 less to do" in " ".join(full.split())
    assert advice(tlm3d(*BOUND).stdout) == []
    bounded(monkeypatch, None)
    assert advice(tlm3d(*BOUND).stdout) == ["docs/bounds.md", "--sensitivity", "tlm3d"]


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


# ------------------------------------------------------------ with the analysis itself


def test_no_response_of_a_run_is_longer_than_its_bound_or_shorter_than_the_least(tlm3d: Command) -> None:
    ran = json.loads(tlm3d("run", *BOUND[1:], "--bounds", "--json", "-").stdout)
    assert ran["bounds"]["verdict"] == "guaranteed"
    assert ran["tasks"].keys() == ran["bounds"]["tasks"].keys()
    for name, bounded_task in ran["bounds"]["tasks"].items():
        response = ran["tasks"][name]["response_ps"]
        assert bounded_task["best_ps"] <= response["min"] <= response["max"] <= bounded_task["bound_ps"]
        assert sum(part["time_ps"] for part in bounded_task["parts"]) == bounded_task["bound_ps"]


def test_a_bound_of_a_run_is_that_of_the_command(tlm3d: Command) -> None:
    alone = json.loads(tlm3d(*BOUND, "--json", "-").stdout)
    assert (alone.pop("version"), alone.pop("sensitivity")) == (tlm3d_version, None)
    assert json.loads(tlm3d("run", *BOUND[1:], "--bounds", "--json", "-").stdout)["bounds"] == alone


def test_a_deadline_below_the_bound_is_not_guaranteed_and_exits_with_1(tlm3d: Command) -> None:
    bound_ps = json.loads(tlm3d(*BOUND, "--json", "-").stdout)["tasks"]["control"]["bound_ps"]
    for deadline_ps, exit_code in ((bound_ps, 0), (bound_ps - 1, 1)):
        assert tlm3d(*BOUND, "--set", f"workload.tasks.control.deadline={deadline_ps} ps").exit_code == exit_code


def test_the_utilisation_of_processors_that_share_a_queue_is_their_mean(tlm3d: Command) -> None:
    # 2 ms of 10 twice and 10 ms of 11, on two processors.
    textbook = Path(__file__).parents[2] / "workloads" / "textbook" / "dhall.yaml"
    platform = textbook.parents[2] / "platforms" / "textbook" / "processors.yaml"
    servers = json.loads(tlm3d("bound", platform, textbook, "--json", "-").stdout)["servers"]
    (told,) = servers.values()
    assert list(servers) == ["rack.p0+rack.p1"]
    assert told["utilisation"] == pytest.approx((0.2 + 0.2 + 10 / 11) / 2)
    assert told["demand_kept"] is None


@pytest.mark.parametrize(
    ("deadline", "kept", "at_ps", "told"),
    [
        ("4 ms", True, None, "kept"),  # 2 ms and 2 ms
        ("3 ms", False, 3 * 10**9, "too much due within 3.00 ms"),
    ],
)
def test_under_edf_the_demand_of_deadlines_is_told_by_processor(
    tlm3d: Command, tmp_path: Path, deadline: str, kept: bool, at_ps: int | None, told: str
) -> None:
    platform, workload = tmp_path / "one.yaml", tmp_path / "two.yaml"
    platform.write_text("name: one\ndies: {d: {tier: 0, blocks: {p: {kind: processor}}}}\n")
    task = f"{{period: 10 ms, deadline: {deadline}, stages: [{{time: 2 ms, on: p}}]}}"
    workload.write_text(f"name: two\ntasks:\n  a: {task}\n  b: {task}\n")
    shown = tlm3d("bound", platform, workload, "--json", tmp_path / "out.json")
    assert told in shown.stdout
    server = json.loads((tmp_path / "out.json").read_text())["servers"]["d.p"]
    assert server == {"utilisation": pytest.approx(0.4), "demand_kept": kept, "demand_at_ps": at_ps}
    fixed = tlm3d("bound", platform, workload, "--policy", "deadline-monotonic", "--json", "-").stdout
    assert json.loads(fixed)["servers"]["d.p"]["demand_kept"] is None


def test_a_graph_that_has_its_processors_for_itself_takes_no_longer_than_all_of_its_work(
    tlm3d: Command, tmp_path: Path
) -> None:
    # Three ways of 2 + 3 ms that cross on two processors: stage by stage each may wait for all others of its processor.
    ways = {"a": "p0", "b": "p1", "c": "p0", "d": "p1", "e": "p1", "f": "p0"}
    after = {"b": ["a"], "d": ["c"], "f": ["e"]}
    stages = [
        {"name": name, "time": f"{3 if name in after else 2} ms", "on": on, "after": after.get(name, [])}
        for name, on in ways.items()
    ]
    tasks: dict[str, Any] = {"graph": {"stages": stages, "period": "20 ms", "deadline": "15 ms", "priority": 2}}
    platform = Path(__file__).parents[2] / "platforms" / "textbook" / "processors.yaml"
    file = tmp_path / "workload.yaml"

    def graph(*settings: str) -> Any:
        workload = {"name": "w", "policy": "fixed-priority", "horizon": "100 ms", "tasks": tasks}
        file.write_text(yaml.safe_dump(workload), encoding="utf-8")
        return json.loads(tlm3d("bound", platform, file, "--json", "-", *settings).stdout)["tasks"]["graph"]

    alone = graph()
    assert (alone["bound_ps"], alone["met"]) == (15_000 * US, True)
    assert sum(part["time_ps"] for part in alone["parts"]) == 15_000 * US
    slow = [f"--set=dies.rack.blocks.p{i}.context_switch=1 us" for i in range(2)]  # paid twice a stage at most
    assert graph(*slow)["bound_ps"] == (15_000 + 6 * 2) * US
    tasks["other"] = {"stages": [{"time": "1 ms", "on": "p1"}], "period": "20 ms", "priority": 1}
    assert (graph()["bound_ps"] or 10**12) > 15_000 * US


def test_a_faulty_link_has_no_bound_and_says_so(tlm3d: Command) -> None:
    result = tlm3d(*BOUND, "--set", "links.tsv.faults={bit_error_rate: 1e-9, turnaround: 1 ns}")
    assert (result.exit_code, result.stderr) == (1, "")
    assert result.stdout.startswith("BOUND: NO BOUND of ")
    assert "bits of tsv" in result.stdout


def test_a_chain_is_bounded_where_its_tasks_are_and_says_why_where_not(tlm3d: Command, tmp_path: Path) -> None:
    # sense takes 1 ms, act 2 ms of its period of 10; what comes just too late waits 10 ms for it.
    act = {"stages": [{"time": "2 ms", "on": "p0"}], "period": "10 ms", "priority": 1}
    sense = {"stages": [{"time": "1 ms", "on": "p1"}], "priority": 2, "deadline": "10 ms"}
    platform = Path(__file__).parents[2] / "platforms" / "textbook" / "processors.yaml"
    file = tmp_path / "workload.yaml"
    for activation, age_ms in (
        ({"period": "20 ms"}, 33),
        ({"sporadic": {"min_distance": "5 ms", "mean_distance": "20 ms"}}, None),
    ):
        text = {
            "name": "w",
            "policy": "fixed-priority",
            "horizon": "100 ms",
            "tasks": {"sense": sense | activation, "act": act},
        }
        text["chains"] = {"steer": {"tasks": ["sense", "act"], "deadline": "13 ms"}}
        file.write_text(yaml.safe_dump(text))
        result = tlm3d("bound", platform, file)
        steer = json.loads(tlm3d("bound", platform, file, "--json", "-").stdout)["chains"]["steer"]
        assert (result.exit_code, steer["reaction_ps"], steer["met"]) == (0, 13_000 * US, True)
        assert steer["age_ps"] == (None if age_ms is None else age_ms * 1000 * US)
        why = " no bound of steer data age: nothing bounds how far apart the jobs of sense are released"
        assert (why in " ".join(result.stdout.split())) or age_ms is not None
    assert tlm3d("bound", platform, file, "--set", "workload.chains.steer.deadline=12.99 ms").exit_code == 1


@pytest.mark.parametrize("width", [80, 120])
def test_the_margins_of_times_and_rates_fit_the_terminal(
    tlm3d: Command, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    result = tlm3d(*BOUND, "--sensitivity")
    assert (result.exit_code, result.stderr) == (0, "")
    assert max(map(cell_len, result.stdout.splitlines())) <= width
    times, rates = result.stdout.split("\nHow much longer may it compute")[1].split("\nHow much slower may a link be")
    assert re.search(r"\n control +logic\.cluster +10\.0 us +\S+ us +x\S+ +\S+", times)
    assert re.search(r"\n tsv +100 Mbit/s +≤?\S+ \Sbit/s +≤?x0\.\S+", rates)
