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
    command = (compiler, "-std=c++17", "-O2", "-Wall", "-Wextra", "-Werror", SOURCE, "-lsystemc", "-o", binary)
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
    done = subprocess.run(
        command, env=environment, capture_output=True, encoding="utf-8", timeout=120, check=False
    )
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


def test_systemc_gives_the_same_picoseconds(shared_channel: Path, tmp_path: Path) -> None:
    """Each case by itself on tlm3d; all of them in one simulation on SystemC, which elaborates once a process."""
    seeds = range(1, CASES + 1)
    all_of_them = tmp_path / "together"
    all_of_them.mkdir()
    write(all_of_them, together(seeds))
    theirs = [line.split(",")[1:] for line in systemc_times(shared_channel, all_of_them).splitlines()[1:]]
    different: list[int] = []
    for seed in seeds:
        write(tmp_path, study(seed))
        ours = [line.split(",")[1:] for line in tlm3d_times(tmp_path).splitlines()[1:]]
        its_rows, theirs = theirs[: len(ours)], theirs[len(ours) :]
        if its_rows != ours:
            different.append(seed)
    assert theirs == []
    assert different == []


def test_unrelated_channels_beside_it_move_nothing(shared_channel: Path, tmp_path: Path) -> None:
    """The same cases in one run of tlm3d: what happens elsewhere cuts its look ahead short, and changes no integer."""
    write(tmp_path, together(range(1, CASES + 1)))
    assert tlm3d_times(tmp_path) == systemc_times(shared_channel, tmp_path)


def test_two_hops_by_hand(shared_channel: Path, tmp_path: Path) -> None:
    """Two competitors for a wire of 1 ps a byte with 10 ps to the next, which has 2 ps a byte and room for one burst.

    a and b alternate on the first. Burst k = 0, 1, 2, … of 4 B arrives at 4k + 14; the second wire takes 8 ps a burst,
    so it starts them at 14, 22, 30, … as far as they have come. One place each: a's second burst needs the credit of its
    first, which starts there at 14 and is back at 24; b's first starts at 22, and its credit is back at 32.
    """
    first = Wire("c0:upper>lower", Fraction(8 * 10**12), 8, 4, 0, 10, 1, "round-robin")
    second = Wire("c1:upper>lower", Fraction(4 * 10**12), 4, 4, 0, 1, 1, "round-robin")
    row = Row(0, 8, (first.name, second.name))
    write(tmp_path, ([first, second], {"a": [row], "b": [row]}))
    # a: on wire one at 0 and 24, on wire two at 14 and 38, done at 46 + 1. b: at 4 and 32, at 22 and 46, done at 54 + 1.
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
