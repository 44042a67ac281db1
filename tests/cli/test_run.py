"""`tlm3d run`: exit codes, options, what it writes where."""

from __future__ import annotations

import csv
import json
import re
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from reference.trace_reader import read_trace
from reference.vcd_reader import read_vcd

from tlm3d.simulation import simulate

if TYPE_CHECKING:
    from cli.conftest import Command

ROOT = Path(__file__).parents[2]
GOOD = ("run", "good/platform.yaml", "good/workload.yaml")
INSPECTING = ("show", "explain", "list", "schema")
EXPORTED = {"jobs.csv", "spans.csv", "transfers.csv", "power.csv"}


def test_the_version_is_that_of_the_distribution(tlm3d: Command) -> None:
    result = tlm3d("--version")
    assert (result.exit_code, result.stdout) == (0, f"tlm3d {version('tlm3d')}\n")


def test_a_run_takes_the_dataflow_that_is_set(tlm3d: Command) -> None:
    path = "dies.npu.blocks.array.dataflow"
    default = tlm3d(*GOOD, "--json", "-").stdout
    assert tlm3d(*GOOD, "--json", "-", "--set", f"{path}=channel-parallel").stdout == default
    held = ("--set", f"{path}={{kind: systolic, stationary: input}}")
    assert (
        tlm3d(*GOOD, "--json", "-", *held).stdout
        != tlm3d(*GOOD, "--json", "-", *held, "--set", f"{path}.stationary=weight").stdout
    )
    refused = tlm3d(*GOOD, "--set", f"{path}={{kind: sliding-window, kernel: 3}}")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "npu.array (cnn-accelerator) does not run linear layers: map fc1 elsewhere" in refused.stderr


@pytest.mark.parametrize("command", [(), *((name,) for name in ("run", "check", "sweep", *INSPECTING))])
def test_help_shows_examples_one_a_line(tlm3d: Command, command: tuple[str, ...]) -> None:
    result = tlm3d(*command, "--help")
    assert result.exit_code == 0
    _, _, examples = result.stdout.partition("Examples:\n")
    assert examples
    assert all(line.startswith(f"    tlm3d {' '.join(command)}") for line in examples.splitlines())


@pytest.mark.parametrize(
    "command",
    [("rnu",), ("run",), ("run", "good/platform.yaml"), ("run", "--nonsense"), ("check",)]
    + [(name,) for name in INSPECTING],
)
def test_a_wrong_command_line_exits_with_2(tlm3d: Command, command: tuple[str, ...]) -> None:
    assert tlm3d(*command).exit_code == 2


@pytest.mark.parametrize(
    ("settings", "exit_code", "first"),
    [
        ((), 0, "RESULT: MET every deadline kept (110 jobs judged); every power limit kept"),
        (
            ("--set", "workload.tasks.control.deadline=9.999 us"),
            1,
            "RESULT: MISSED control missed 100 of 100 (100.0 %)",
        ),
        (("--set", "workload.tasks.control.deadline=10 us"), 0, "RESULT: MET "),
        (("--set", "limits.0.limit=1 uW"), 1, "RESULT: MISSED "),
        (("--horizon", "1 us"), 1, "RESULT: UNJUDGED "),
    ],
)
def test_the_exit_code_is_the_verdict(tlm3d: Command, settings: tuple[str, ...], exit_code: int, first: str) -> None:
    result = tlm3d(*GOOD, *settings)
    line = result.stdout.splitlines()[0]
    assert line.startswith(first)
    assert re.match(r"^RESULT: (MET|MISSED|UNJUDGED)\b", line)
    assert (result.exit_code, result.stderr) == (exit_code, "")


def test_a_horizon_too_short_to_judge_says_what_it_could_not_judge(tlm3d: Command) -> None:
    line = tlm3d(*GOOD, "--horizon", "1 us").stdout.splitlines()[0]
    assert "control: no deadline inside the horizon" in line
    assert "look: no deadline inside the horizon" in line
    assert "average over any 10 ms window at the rail: longer than the run" in line


def as_json(tlm3d: Command, *settings: str) -> Any:
    return json.loads(tlm3d(*GOOD, "--json", "-", *settings).stdout)


def test_json_on_standard_output_is_alone_there_and_fits_the_schema(tlm3d: Command) -> None:
    schema = json.loads((files("tlm3d") / "reporters" / "result.schema.json").read_text())
    document = as_json(tlm3d)
    jsonschema.validate(document, schema)
    assert document["verdict"] == "met"
    assert document["horizon_ps"] == 10**11


def test_json_in_a_file_is_the_same_beside_the_report(tlm3d: Command, tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    result = tlm3d(*GOOD, "--json", file)
    assert result.stdout.startswith("RESULT: MET")
    assert json.loads(file.read_text()) == as_json(tlm3d)


def test_a_file_that_cannot_be_written_does_not_cost_the_report(tlm3d: Command) -> None:
    result = tlm3d(*GOOD, "--json", "nowhere/at/all.json")
    assert result.exit_code == 2
    assert result.stdout.startswith("RESULT: MET")


def test_export_writes_the_four_tables(tlm3d: Command, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    assert tlm3d(*GOOD, "--export", folder).exit_code == 0
    assert {file.name for file in folder.iterdir()} == EXPORTED
    with (folder / "jobs.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 110
    with (folder / "power.csv").open() as file:
        exported_aj = sum(int(row["energy_aj"]) for row in csv.DictReader(file))
    assert exported_aj == as_json(tlm3d)["energy"]["total_aj"]


def test_waveforms_and_timeline_come_beside_the_report(tlm3d: Command, tmp_path: Path) -> None:
    waveforms, timeline = tmp_path / "run.vcd", tmp_path / "run.json"
    result = tlm3d(*GOOD, "--vcd", waveforms, "--trace", timeline, "--horizon", "10 ms")
    assert result.stdout.startswith("RESULT: ")
    assert (result.exit_code, result.stderr) == (0, "")
    assert read_vcd(waveforms.read_text()).end == 10**10
    assert "tsv:logic>npu" in {made.track for made in read_trace(timeline.read_text(), 10**10).slices}


@pytest.mark.parametrize("option", ["--vcd", "--trace"])
@pytest.mark.parametrize("target", ["nowhere/at/all", "."])
def test_waveforms_that_cannot_be_written_do_not_cost_the_report(tlm3d: Command, option: str, target: str) -> None:
    result = tlm3d(*GOOD, option, target)
    assert result.exit_code == 2
    assert result.stdout.startswith("RESULT: MET")
    why = "Is a directory" if target == "." else "No such file or directory"
    assert result.stderr == f"error: {target}: cannot be written: {why}\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("option", ["--vcd", "--trace"])
def test_waveforms_on_a_full_disk_are_an_error_that_names_it(tlm3d: Command, option: str) -> None:
    result = tlm3d(*GOOD, option, "/dev/full")
    assert (result.exit_code, result.stderr) == (2, "error: /dev/full: cannot be written: No space left on device\n")


def test_a_setting_acts_as_if_it_stood_in_the_file(tlm3d: Command, tmp_path: Path) -> None:
    changed = tmp_path / "platform.yaml"
    text = Path("good/platform.yaml").read_text()
    changed.write_text(text.replace("rate: 100 Mbit/s, energy: 0.05 pJ/bit", "rate: 7 Mbit/s, energy: 0.05 pJ/bit"))
    written = tlm3d("run", changed, "good/workload.yaml", "--json", "-").stdout
    assert written == tlm3d(*GOOD, "--json", "-", "--set", "links.tsv.rate=7 Mbit/s").stdout
    assert written != tlm3d(*GOOD, "--json", "-").stdout


def test_an_export_of_a_window_holds_what_overlaps_it_and_the_report_is_on_the_whole_run(
    tlm3d: Command, tmp_path: Path
) -> None:
    plain = tlm3d(*GOOD)
    result = tlm3d(*GOOD, "--export", tmp_path, "--window", "9.005 ms..20.5 ms")
    assert result.stdout == plain.stdout
    with (tmp_path / "jobs.csv").open(encoding="utf-8") as file:
        released_ps = [int(row["release_ps"]) for row in csv.DictReader(file) if row["task"] == "control"]
    with (tmp_path / "power.csv").open(encoding="utf-8") as file:
        power = list(csv.DictReader(file))
    # A job of 10 us is released every millisecond: that of 9 ms still runs when the window opens.
    assert released_ps == [k * 10**9 for k in range(9, 21)]
    assert (power[0]["start_ps"], power[-1]["end_ps"]) == ("9005000000", "20500000000")


@pytest.mark.parametrize(
    ("options", "record"),
    [((), "totals"), (("--json", "-"), "totals"), (("--export", "out"), "full")],
)
def test_facts_are_recorded_only_for_what_needs_them(
    tlm3d: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], record: str
) -> None:
    asked: list[object] = []

    def watched(*args: Any, **kwargs: Any) -> Any:
        asked.append(kwargs["record"])
        return simulate(*args, **kwargs)

    monkeypatch.setattr("tlm3d.simulation.simulate", watched)
    tlm3d(*GOOD, *(str(tmp_path / option) if option == "out" else option for option in options))
    assert asked == [record]


def test_a_setting_reaches_into_lists_and_a_later_one_wins(tlm3d: Command) -> None:
    document = as_json(
        tlm3d,
        "--set",
        "workload.tasks.control.stages.0.cycles=5",
        "--set",
        "workload.tasks.control.stages.0.cycles=200",
    )
    assert document["tasks"]["control"]["response_ps"]["min"] == 200 * 10**4  # 200 cycles of 100 MHz


def test_a_setting_may_add_a_key_or_a_whole_link(tlm3d: Command) -> None:
    link = "links.spare={kind: tsv, between: [logic, npu], rate: 1 Mbit/s}"
    document = as_json(tlm3d, "--set", link, "--set", "links.tsv.lanes=2")
    assert "spare:logic>npu" in document["channels"]
    assert (
        document["channels"]["tsv:logic>npu"]["busy_ps"] * 2 == as_json(tlm3d)["channels"]["tsv:logic>npu"]["busy_ps"]
    )


def test_policy_horizon_and_seed_go_into_the_result(tlm3d: Command) -> None:
    document = as_json(tlm3d, "--policy", "fixed-priority", "--horizon", "20 ms", "--seed", "7")
    assert (document["policy"], document["horizon_ps"], document["seed"]) == ("fixed-priority", 2 * 10**10, 7)


def test_every_file_that_is_shipped_checks(tlm3d: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    textbook = Path("workloads/textbook")  # for processors alone
    shipped = [*Path("platforms").glob("*.yaml"), *Path("workloads").rglob("*.yaml")]
    shipped = [path for path in shipped if path.parent != textbook]
    result = tlm3d("check", *sorted(shipped))
    assert (result.exit_code, result.stderr) == (0, "")
    assert len(result.stdout.splitlines()) >= len(shipped)
    silicon = sorted(Path("platforms/silicon").glob("*.yaml"))  # alone: no chip runs every workload
    result = tlm3d("check", *silicon)
    assert (result.exit_code, result.stderr) == (0, "")
    assert len(result.stdout.splitlines()) >= len(silicon) > 0
    result = tlm3d("check", *sorted([*Path("platforms/textbook").glob("*.yaml"), *textbook.glob("*.yaml")]))
    assert (result.exit_code, result.stderr) == (0, "")


@pytest.mark.parametrize(
    "command", [("run",), ("sweep", "--param", "links.tsv.lanes=1, 2"), ("compare", "good/platform.yaml")]
)
def test_a_seed_below_zero_is_refused(tlm3d: Command, command: tuple[str, ...]) -> None:
    result = tlm3d(*command, "good/platform.yaml", "good/workload.yaml", "--seed", "-1")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Invalid value for '--seed'" in result.stderr
