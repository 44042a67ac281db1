"""``tlm3d traffic``: the report, the JSON, the times, and what an interrupt leaves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rich.cells import cell_len

from tlm3d.tlm.fabric import Fabric

if TYPE_CHECKING:
    from cli.conftest import Command

GOOD = ("traffic", "good/platform.yaml", "good/traffic.csv")


@pytest.mark.parametrize("columns", [60, 80, 100])
def test_no_line_is_longer_than_the_terminal(tlm3d: Command, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = tlm3d(*GOOD).stdout.splitlines()
    assert lines[0].startswith("TRAFFIC: 3 of 3 transfers in ")
    assert max(map(cell_len, lines)) <= columns


def test_channels_come_busiest_first_and_those_without_traffic_are_named(tlm3d: Command) -> None:
    lines = tlm3d(*GOOD).stdout.splitlines()
    heading = next(i for i, line in enumerate(lines) if line.startswith("Channels"))
    names = [line.split()[0] for line in lines[heading + 2 :]]
    assert names == ["bond:pixel>logic", "tsv:logic>npu", "logic.l2", "npu.l2", "unused:"]
    assert lines[-1] == " unused: bond:logic>pixel, tsv:npu>logic"


def test_json_and_times_say_the_same_to_the_picosecond(tlm3d: Command, tmp_path: Path) -> None:
    result = tlm3d(*GOOD, "--json", "-", "--out", tmp_path / "times.csv")
    study = json.loads(result.stdout)
    header, *rows = (tmp_path / "times.csv").read_text(encoding="utf-8").splitlines()
    assert header == "row,start_ps,finish_ps"
    assert [row.split(",")[0] for row in rows] == ["0", "1", "2"]  # of the file, its header not counted
    assert study["last_ps"] == max(int(row.split(",")[2]) for row in rows)
    assert rows[2].split(",")[1] == rows[0].split(",")[2]  # the camera's second: 0 ps after its first
    assert (study["rows"], study["transfers"]) == (3, 3)
    assert study["total_aj"] == sum(channel["energy_aj"] for channel in study["channels"].values())


def test_json_goes_to_a_file_beside_the_report(tlm3d: Command, tmp_path: Path) -> None:
    report = tlm3d(*GOOD, "--json", tmp_path / "study.json").stdout
    assert report.startswith("TRAFFIC:")
    assert json.loads((tmp_path / "study.json").read_text(encoding="utf-8"))["platform"] == "small-stack"


def test_a_buffer_that_slows_a_channel_in_use_is_noted(tlm3d: Command, tmp_path: Path) -> None:
    platform = Path("good/platform.yaml").read_text(encoding="utf-8")
    slow = platform.replace("rate: 100 Mbit/s, energy", "rate: 100 Mbit/s, latency: 100 us, buffer: 1, energy")
    assert slow != platform
    (tmp_path / "slow.yaml").write_text(slow, encoding="utf-8")
    lines = tlm3d("traffic", tmp_path / "slow.yaml", "good/traffic.csv").stdout.splitlines()
    notes = [line for line in lines if "note:" in line]
    assert [line.split()[:2] for line in notes] == [
        ["note:", "tsv:logic>npu:"]
    ]  # not of tsv:npu>logic, which is unused


def test_an_interrupt_shows_and_writes_what_is_done(
    tlm3d: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    post, posted = Fabric.post, []

    def interrupted_at_the_third(*args: Any) -> Any:
        posted.append(args)
        if len(posted) == 3:
            raise KeyboardInterrupt
        return post(*args)

    monkeypatch.setattr(Fabric, "post", interrupted_at_the_third)
    result = tlm3d(*GOOD, "--out", tmp_path / "times.csv", "--json", tmp_path / "study.json")
    assert result.exit_code == 130
    study = json.loads((tmp_path / "study.json").read_text(encoding="utf-8"))
    rows = (tmp_path / "times.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert 1 <= len(rows) == study["transfers"] < study["rows"] == 3
    first, second, *_ = result.stdout.splitlines()
    assert first.startswith(f"TRAFFIC: {len(rows)} of 3 transfers")
    assert second.startswith("interrupted")


def test_traffic_beyond_the_clock_is_an_error_not_a_wrong_time(tlm3d: Command, tmp_path: Path) -> None:
    platform = Path("good/platform.yaml").read_text(encoding="utf-8")
    never = platform.replace("rate: 100 Mbit/s, energy", "rate: 1e-30 bit/s, energy")
    (tmp_path / "never.yaml").write_text(never, encoding="utf-8")
    route = "tsv:logic>npu"
    rows = f"initiator,after_ps,bytes,route\na,0,100,{route}\nb,0,100,{route}\n"
    (tmp_path / "traffic.csv").write_text(rows, encoding="utf-8")
    result = tlm3d("traffic", tmp_path / "never.yaml", tmp_path / "traffic.csv")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "error: the traffic takes longer than 2^100 ps, which is beyond the clock\n"
