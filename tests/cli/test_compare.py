"""`tlm3d compare`: exit codes, options, what it writes where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rich.cells import cell_len

if TYPE_CHECKING:
    from cli.conftest import Command

GOOD, WORKLOAD = "good/platform.yaml", "good/workload.yaml"


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """The good platform under another name, its TSVs a tenth as fast."""
    text = Path(GOOD).read_text(encoding="utf-8")
    text = text.replace("name: small-stack", "name: slow-stack")
    file = tmp_path / "slow.yaml"
    file.write_text(text.replace("rate: 100 Mbit/s, energy", "rate: 10 Mbit/s, energy"), encoding="utf-8")
    return file


def compared(tlm3d: Command, *arguments: object) -> Any:
    return json.loads(tlm3d("compare", *arguments, "--json", "-").stdout)


def test_help_shows_examples_one_a_line(tlm3d: Command) -> None:
    result = tlm3d("compare", "--help")
    assert result.exit_code == 0
    _, _, examples = result.stdout.partition("Examples:\n")
    assert all(line.startswith("    tlm3d compare ") for line in examples.splitlines())
    assert "PLATFORM PLATFORM... WORKLOAD" in result.stdout


def test_every_number_is_that_of_run(tlm3d: Command, other: Path) -> None:
    settings = (
        "--set",
        "workload.tasks.control.deadline=9 us",
        "--horizon",
        "50 ms",
        "--policy",
        "fifo",
        "--seed",
        "3",
    )
    columns = compared(tlm3d, GOOD, other, WORKLOAD, *settings)["platforms"]
    for file, column in zip((GOOD, other), columns, strict=True):
        alone = json.loads(tlm3d("run", file, WORKLOAD, *settings, "--json", "-").stdout)
        for key in ("platform", "workload", "policy", "seed", "horizon_ps", "verdict", "reasons"):
            assert column[key] == alone[key]
        for name, task in alone["tasks"].items():
            response = task["response_ps"]
            assert column["tasks"][name] == {
                **{key: task[key] for key in ("deadline_ps", "judged", "missed", "finished")},
                "worst_response_ps": response["max"],
                "worst_is_bound": response["max_is_bound"],
            }
        for limit, own in zip(alone["power"]["limits"], column["limits"], strict=True):
            assert own == {key: limit[key] for key in ("definition", "at", "limit_nw", "worst_nw", "met")}
        assert column["average_nw"] == alone["power"]["average_nw"]
        assert column["total_aj"] == alone["energy"]["total_aj"] == sum(column["energy_aj"].values())
        for key in ("core_fj_per_op", "effective_fj_per_op"):
            assert column[key] == alone["efficiency"][key]
        own_uj = {name: one["uj_per_inference"] for name, one in column["inferences"].items()}
        assert own_uj == alone["efficiency"]["uj_per_inference"]
    assert columns[0]["tasks"] != columns[1]["tasks"]


def test_a_platform_held_against_itself_is_equal_in_everything(tlm3d: Command) -> None:
    document = compared(tlm3d, GOOD, GOOD, WORKLOAD)
    one, same = document["platforms"]
    assert one == same
    (changed,) = document["changes"]
    assert not any(changed[key] for key in changed if key not in ("from", "to"))
    report = tlm3d("compare", GOOD, GOOD, WORKLOAD).stdout
    assert report.endswith("\n nothing, beyond the names and the files\n")
    assert "×" not in report.partition("Deadlines")[2]


def test_what_differs_is_named_by_its_path(tlm3d: Command, other: Path) -> None:
    (changed,) = compared(tlm3d, GOOD, other, WORKLOAD)["changes"]
    assert changed["values"] == [{"path": "links.tsv.rate", "from": "100 Mbit/s", "to": "10 Mbit/s"}]
    lines = [line.split() for line in tlm3d("compare", GOOD, other, WORKLOAD).stdout.splitlines()]
    assert lines[-1] == ["links.tsv.rate", "100", "Mbit/s", "10", "Mbit/s", "×0.10"]


def test_the_exit_code_is_0_when_all_ran_whatever_the_verdicts(tlm3d: Command, other: Path) -> None:
    result = tlm3d("compare", GOOD, other, WORKLOAD, "--set", "limits.0.limit=1 uW")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("COMPARE: 2 platforms: 2 MISSED\n")


def test_a_platform_that_cannot_run_the_workload_is_a_column_with_its_error_and_exits_with_2(tlm3d: Command) -> None:
    bad = "bad/platform_exposure_longer_than_frame.yaml"
    result = tlm3d("compare", GOOD, bad, WORKLOAD)
    assert (result.exit_code, result.stderr) == (2, "")
    assert result.stdout.startswith("COMPARE: 2 platforms: 1 MET, 1 in error\n")
    assert "ERROR pixel.camera: exposure of 20.0 ms is longer than the frame period of 10.0 ms" in result.stdout
    fine, broken = compared(tlm3d, GOOD, bad, WORKLOAD)["platforms"]
    assert fine["verdict"] == "met"
    assert set(broken) == {"file", "platform", "error"}


def test_json_in_a_file_is_the_same_beside_the_report(tlm3d: Command, other: Path, tmp_path: Path) -> None:
    file = tmp_path / "compare.json"
    result = tlm3d("compare", GOOD, other, WORKLOAD, "--json", file)
    assert result.stdout.startswith("COMPARE: ")
    assert json.loads(file.read_text(encoding="utf-8")) == compared(tlm3d, GOOD, other, WORKLOAD)


@pytest.mark.parametrize(("columns", "at_most"), [("80", 80), ("120", 100), (None, 100)])
@pytest.mark.parametrize("others", [1, 2, 5])
def test_no_line_is_longer_than_the_terminal(
    tlm3d: Command, monkeypatch: pytest.MonkeyPatch, other: Path, columns: str | None, at_most: int, others: int
) -> None:
    if columns:
        monkeypatch.setenv("COLUMNS", columns)
    files = [other.with_name(f"{i}.yaml") for i in range(others)]
    for i, file in enumerate(files):
        file.write_text(other.read_text(encoding="utf-8").replace("slow-stack", f"slow-{i}"), encoding="utf-8")
    lines = tlm3d("compare", GOOD, *files, WORKLOAD).stdout.splitlines()
    assert max(map(cell_len, lines)) <= at_most
