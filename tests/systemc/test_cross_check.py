"""The same traffic on SystemC: an own TLM-2.0 model of the channel's rules gives the same picoseconds.

Needs g++ and the SystemC library (Debian: g++ and libsystemc-dev). ``TLM3D_SYSTEMC_CASES`` says how many random cases.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from reference.per_burst import Row, Wire
from reference.traffic_cases import random_case
from typer.testing import CliRunner

from tlm3d.cli import app

CASES = int(os.environ.get("TLM3D_SYSTEMC_CASES", "400"))
BATCH = 400
SOURCE = Path(__file__).parent / "shared_channel.cpp"
Study = tuple[list[Wire], dict[str, list[Row]]]  # channels; rows by initiator


@pytest.fixture(scope="module")
def shared_channel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled model."""
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("no g++ on this machine")
    look = (compiler, "-E", "-x", "c++", "-")
    if subprocess.run(look, input="#include <tlm>\n", capture_output=True, encoding="utf-8", check=False).returncode:
        pytest.skip("no SystemC headers on this machine (Debian: libsystemc-dev)")
    binary = tmp_path_factory.mktemp("systemc") / "shared_channel"
    command = (compiler, "-std=c++17", "-O2", "-Wall", "-Wextra", SOURCE, "-lsystemc", "-o", binary)
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    return binary


def study(seed: int, prefix: str = "") -> Study:
    """Random case ``seed`` with every lane at whole bits a second, as a platform file states it."""
    case = random_case(seed)

    def stated(wire: Wire) -> Wire:
        lane_bps = max(1, wire.rate_bps // wire.lanes)
        return replace(wire, name=f"{prefix}{wire.name}:upper>lower", rate_bps=Fraction(lane_bps * wire.lanes))

    def posted(row: Row) -> Row:
        return replace(row, route=tuple(f"{prefix}{name}:upper>lower" for name in row.route))

    return list(map(stated, case.wires)), {prefix + who: list(map(posted, rows)) for who, rows in case.traffic.items()}


def write(folder: Path, study: Study) -> None:
    """platform.yaml for tlm3d, channels.txt for SystemC, traffic.csv for both."""
    wires, traffic = study
    links = {
        wire.name.partition(":")[0]: {
            "kind": "tsv", "from": "upper", "to": "lower", "lanes": wire.lanes,
            "rate": f"{wire.rate_bps / wire.lanes} bit/s", "burst": f"{wire.burst_bytes} B",
            "overhead": f"{wire.overhead_bits} bit", "latency": f"{wire.latency_ps} ps", "buffer": wire.buffer_bursts,
            "arbiter": wire.arbiter,
        }
        for wire in wires
    }  # fmt: skip
    platform = {"name": "random", "dies": {"upper": {"tier": 1}, "lower": {"tier": 0}}, "links": links}
    (folder / "platform.yaml").write_text(json.dumps(platform), encoding="utf-8")
    with (folder / "channels.txt").open("w", encoding="utf-8") as file:
        for wire in wires:
            rate = (wire.rate_bps.numerator, wire.rate_bps.denominator)
            shape = (wire.lanes, wire.burst_bytes, wire.overhead_bits, wire.latency_ps, wire.buffer_bursts)
            print(wire.name, *rate, *shape, wire.arbiter, file=file)
    with (folder / "traffic.csv").open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(["initiator", "after_ps", "bytes", "route", "priority"])
        for who, rows in traffic.items():
            lines.writerows([who, row.after_ps, row.n_bytes, "|".join(row.route), row.priority] for row in rows)


def systemc_times(binary: Path, folder: Path) -> str:
    command = (binary, folder / "channels.txt", folder / "traffic.csv")
    environment = os.environ | {"SYSTEMC_DISABLE_COPYRIGHT_MESSAGE": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def tlm3d_times(folder: Path) -> str:
    files = ("platform.yaml", "traffic.csv", "times.csv")
    platform, traffic, times = (str(folder / name) for name in files)
    done = CliRunner().invoke(app, ["traffic", platform, traffic, "--out", times])
    assert (done.exit_code, done.stderr) == (0, "")
    return Path(times).read_text(encoding="utf-8")


def together(seeds: Iterable[int]) -> Study:
    """Many cases that have nothing in common, as one."""
    wires: list[Wire] = []
    traffic: dict[str, list[Row]] = {}
    for seed in seeds:
        its_wires, its_traffic = study(seed, f"case{seed}-")
        wires += its_wires
        traffic |= its_traffic
    return wires, traffic


def batches() -> list[range]:
    """Seeds of the cases that share a simulation on SystemC, which elaborates once a process."""
    return [range(first, min(first + BATCH, CASES + 1)) for first in range(1, CASES + 1, BATCH)]


@pytest.mark.parametrize("seeds", batches(), ids=str)
def test_systemc_gives_the_same_picoseconds(shared_channel: Path, tmp_path: Path, seeds: range) -> None:
    """Each case by itself on tlm3d, and all of them at once, when what happens elsewhere cuts its look ahead short."""
    batch = tmp_path / "batch"
    batch.mkdir()
    write(batch, together(seeds))
    theirs = systemc_times(shared_channel, batch)
    assert tlm3d_times(batch) == theirs
    rows = [line.split(",")[1:] for line in theirs.splitlines()[1:]]
    different: list[int] = []
    for seed in seeds:
        write(tmp_path, study(seed))
        ours = [line.split(",")[1:] for line in tlm3d_times(tmp_path).splitlines()[1:]]
        if rows[: len(ours)] != ours:
            different.append(seed)
        rows = rows[len(ours) :]
    assert rows == []
    assert different == []


def test_two_hops_by_hand(shared_channel: Path, tmp_path: Path) -> None:
    """Two competitors for a wire of 1 ps a byte, then 10 ps to one of 2 ps a byte; room for one burst each between.

    First bursts: a at 0 and b at 4 on the first wire, at 14 and, as the second wire is busy for 8 ps, at 22 on the
    second. The credits come back 10 ps after that. Second bursts: a at 24 and b at 32, there at 38 and 46. The second
    wire has a from 38 to 46, b from 46 to 54, and a picosecond later they have arrived.
    """
    first = Wire("c0:upper>lower", Fraction(8 * 10**12), 8, 4, 0, 10, 1, "round-robin")
    second = Wire("c1:upper>lower", Fraction(4 * 10**12), 4, 4, 0, 1, 1, "round-robin")
    row = Row(0, 8, (first.name, second.name))
    write(tmp_path, ([first, second], {"a": [row], "b": [row]}))
    expected = "row,start_ps,finish_ps\n0,0,47\n1,0,55\n"
    assert systemc_times(shared_channel, tmp_path) == expected
    assert tlm3d_times(tmp_path) == expected


def test_the_model_tells_its_cpu_time(shared_channel: Path, tmp_path: Path) -> None:
    write(tmp_path, study(1))
    command = (shared_channel, tmp_path / "channels.txt", tmp_path / "traffic.csv", "--time")
    environment = os.environ | {"SYSTEMC_DISABLE_COPYRIGHT_MESSAGE": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", timeout=60, check=True)
    word, seconds = done.stderr.split()
    assert word == "simulation_cpu_s"
    assert 0 <= float(seconds) < 10
    assert next(csv.reader(io.StringIO(done.stdout))) == ["row", "start_ps", "finish_ps"]
