"""How fast the channels are: against SystemC burst by burst, and against the plain per-burst model in Python.

``python tools/bench_kernel.py [--quick]``. Everybody plays the same traffic in the same run, in turns, and must finish
every transfer at the same picosecond. CPU seconds, never wall time: the median of each, and ratios of these medians.
SystemC is tests/systemc/shared_channel.cpp, compiled with g++ -O2; its time is that of sc_start() alone.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import simpy

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from reference.per_burst import Row, Wire, simulate  # noqa: E402

from tlm3d.model.topology import Route  # noqa: E402
from tlm3d.tlm.channel import Channel  # noqa: E402
from tlm3d.tlm.fabric import Fabric  # noqa: E402
from tlm3d.tlm.transfer import Transfer  # noqa: E402

SYSTEMC = ROOT / "tests" / "systemc" / "shared_channel.cpp"
Traffic = dict[str, list[Row]]
Times = dict[str, list[int]]  # finishes by initiator


@dataclass(frozen=True)
class Scenario:
    """Traffic, whom it is compared with, and how many times faster it shall be."""

    name: str
    wires: list[Wire]
    traffic: Traffic
    against: str  # systemc, python
    target: float

    @property
    def transfers(self) -> int:
        return sum(map(len, self.traffic.values()))


def wire(name: str, mbps: int = 640, latency_ps: int = 2000, buffer_bursts: int = 4) -> Wire:
    """64 lanes of 10 Mbit/s unless stated, bursts of 64 bytes with 32 bits of overhead."""
    return Wire(name, Fraction(mbps * 10**6), 64, 64, 32, latency_ps, buffer_bursts, "round-robin")


def saturated(initiators: int, transfers: int, bursts: int, *route: str) -> Traffic:
    """Each initiator posts its next transfer when the last one has finished."""
    return {f"dma{i}": [Row(0, 64 * bursts, route)] * transfers for i in range(initiators)}


def mixed(transfers: int) -> Traffic:
    """Four competitors whose lengths, pauses and second hops differ, so that nothing lasts."""
    routes = [("one", "two"), ("one", "three"), ("two", "one"), ("three", "two")]
    return {
        f"dma{i}": [
            Row(37_003 * (k * (i + 3) % 11) * (i + 1), 64 * (40 + (k * 53 + i * 29) % 121) - 13 * i, route)
            for k in range(transfers)
        ]
        for i, route in enumerate(routes)
    }


def scenarios(scale: int) -> list[Scenario]:
    """The rows of the table; ``scale`` is how many transfers each initiator makes in the long ones."""
    one = [wire("one")]
    first = [wire("one", 640), wire("two", 1280)]
    second = [wire("one", 1280), wire("two", 640)]
    mix = [wire("one", 640), wire("two", 897, 3111), wire("three", 411, 1703)]
    far, slow, two_hops = "two hops, 1000 bursts", "two hops, 100 bursts, four", ("one", "two")
    return [
        Scenario("one channel, 1000 bursts, alone", one, saturated(1, 2 * scale, 1000, "one"), "systemc", 12),
        Scenario("one channel, 1000 bursts, four saturated", one, saturated(4, scale, 1000, "one"), "systemc", 8),
        Scenario("one channel, 100 bursts, alone", one, saturated(1, 10 * scale, 100, "one"), "systemc", 1.5),
        Scenario("one channel, 100 bursts, four saturated", one, saturated(4, 5 * scale, 100, "one"), "systemc", 1),
        Scenario(f"{far}, alone", first, saturated(1, scale, 1000, *two_hops), "python", 300),
        Scenario(f"{slow}, first hop slow", first, saturated(4, scale, 100, *two_hops), "python", 12),
        Scenario(f"{slow}, second hop slow", second, saturated(4, scale, 100, *two_hops), "python", 4),
        Scenario(f"{slow}, aperiodic mix", mix, mixed(scale), "python", 3),
        Scenario(f"{far}, four, periodic", first, saturated(4, scale // 4, 1000, *two_hops), "python", 40),
    ]


def channel(wire: Wire) -> Channel:
    return Channel(
        wire.name, wire.rate_bps, wire.lanes, wire.burst_bytes, wire.overhead_bits, wire.latency_ps,
        wire.buffer_bursts, wire.arbiter,
    )  # fmt: skip


def play_tlm3d(scenario: Scenario) -> tuple[float, Times]:
    """On the production kernel."""
    env = simpy.Environment()
    fabric = Fabric(env)
    channels = {wire.name: channel(wire) for wire in scenario.wires}
    finishes: Times = {initiator: [] for initiator in scenario.traffic}

    def start(initiator: str, rows: list[Row]) -> None:
        steps = [(row.after_ps, tuple(channels[name] for name in row.route), row.n_bytes, row.priority) for row in rows]
        steps.reverse()
        told = finishes[initiator].append

        def post_next(_: simpy.Event) -> None:
            post(steps.pop())

        def post(step: tuple[int, tuple[Channel, ...], int, int]) -> None:
            fabric.post(initiator, step[1], step[2], done, step[3])

        def done(transfer: Transfer) -> None:
            told(transfer.finish_ps)
            if steps and steps[-1][0]:
                env.timeout(steps[-1][0]).callbacks.append(post_next)
            elif steps:
                post(steps.pop())

        env.timeout(steps[-1][0]).callbacks.append(post_next)

    for initiator, rows in scenario.traffic.items():
        start(initiator, rows)
    began = time.process_time()
    env.run()
    return time.process_time() - began, finishes


def play_python(scenario: Scenario) -> tuple[float, Times]:
    """On the plain model, an event for everything that happens to every burst."""
    began = time.process_time()
    model = simulate(scenario.wires, scenario.traffic)
    used = time.process_time() - began
    return used, {name: [run.finish_ps or -1 for run in runs] for name, runs in model.runs.items()}


class SystemC:
    """The compiled SystemC model."""

    def __init__(self, source: Path, folder: Path) -> None:
        self._folder, self._binary = folder, folder / "shared_channel"
        command = ["g++", "-std=c++17", "-O2", str(source), "-lsystemc", "-o", str(self._binary)]
        subprocess.run(command, check=True)

    def play(self, scenario: Scenario) -> tuple[float, Times]:
        channels, traffic = self._folder / "channels.txt", self._folder / "traffic.csv"
        with channels.open("w", encoding="utf-8") as file:
            for w in scenario.wires:
                rate = (w.rate_bps.numerator, w.rate_bps.denominator)
                shape = (w.lanes, w.burst_bytes, w.overhead_bits, w.latency_ps, w.buffer_bursts)
                print(w.name, *rate, *shape, w.arbiter, file=file)
        with traffic.open("w", encoding="utf-8") as file:
            print("initiator,after_ps,bytes,route,priority", file=file)
            for initiator, rows in scenario.traffic.items():
                for row in rows:
                    print(initiator, row.after_ps, row.n_bytes, "|".join(row.route), row.priority, sep=",", file=file)
        environment = os.environ | {"SYSTEMC_DISABLE_COPYRIGHT_MESSAGE": "1"}
        command = [str(self._binary), str(channels), str(traffic), "--time"]
        done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", check=True)
        finishes = iter(int(line.split(",")[2]) for line in done.stdout.splitlines()[1:])
        told = {initiator: [next(finishes) for _ in rows] for initiator, rows in scenario.traffic.items()}
        return float(done.stderr.split()[-1]), told


def systemc_or_none(source: Path, folder: Path) -> SystemC | None:
    """None, and says so, where there is no SystemC to compare with."""
    if not source.exists():
        print(f"no SystemC model at {source}")
    elif shutil.which("g++") is None or not _has_systemc():
        print("SystemC not installed")
    else:
        return SystemC(source, folder)
    return None


def _has_systemc() -> bool:
    command = ["g++", "-E", "-x", "c++", "-"]
    return not subprocess.run(command, input=b"#include <tlm>\n", capture_output=True, check=False).returncode


def compare(scenario: Scenario, other: Callable[[Scenario], tuple[float, Times]], runs: int) -> None:
    """One row of the table."""
    ours, theirs = [], []
    for _ in range(runs):
        our_s, our_times = play_tlm3d(scenario)
        their_s, their_times = other(scenario)
        assert our_times == their_times, f"{scenario.name}: not the same picoseconds"
        ours.append(our_s)
        theirs.append(their_s)
    our_s, their_s = statistics.median(ours), statistics.median(theirs)
    each_us, ratio = 1e6 * our_s / scenario.transfers, their_s / our_s
    verdict = "" if ratio >= scenario.target else "  MISSED"
    against = "SystemC" if scenario.against == "systemc" else "Python"
    print(f"{scenario.name:44}{each_us:8.1f}{against:>8}{ratio:8.1f}{scenario.target:7g}{verdict}")


def single_bursts(transfers: int, initiators: int = 4) -> float:
    """Transfers of one burst a CPU-second on a busy channel, energy booked to the owner, nothing but totals kept."""
    env = simpy.Environment()
    fabric = Fabric(env)
    bus = channel(wire("one"))
    route = Route((bus,), ((1, 20, 0),))
    channels = route.channels
    energy_aj: dict[object, int] = {f"task{i}": 0 for i in range(initiators)}
    left = transfers

    def done(transfer: Transfer) -> None:
        nonlocal left
        for hop, (bits, bursts) in enumerate(transfer.sent()):
            energy_aj[transfer.owner] += route.leg_aj(hop, bits, bursts)
        if left:
            left -= 1
            fabric.post(transfer.initiator, channels, 64, done, 0, transfer.owner)

    left -= initiators
    for i in range(initiators):
        fabric.post(f"dma{i}", channels, 64, done, 0, f"task{i}")
    began = time.process_time()
    env.run()
    used = time.process_time() - began
    assert sum(energy_aj.values()) == transfers * route.leg_aj(0, 544, 1)
    assert env.now == transfers * bus.burst_ps(64) + bus.latency_ps  # the wire was never idle
    return transfers / used


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one short run of everything, to see that it works")
    parser.add_argument("--systemc", type=Path, default=SYSTEMC, help="C++ source of the SystemC model")
    options = parser.parse_args()
    runs = 1 if options.quick else 5
    with tempfile.TemporaryDirectory() as folder:
        systemc = systemc_or_none(options.systemc, Path(folder))
        print(f"load average {os.getloadavg()[0]:.2f}")
        print(f"{'':44}{'us each':>8}{'against':>8}{'ratio':>8}{'target':>7}")
        for scenario in scenarios(8 if options.quick else 40):
            if scenario.against == "python":
                compare(scenario, play_python, runs)
            elif systemc is not None:
                compare(scenario, systemc.play, runs)
            else:
                used = statistics.median(play_tlm3d(scenario)[0] for _ in range(runs))
                print(f"{scenario.name:44}{1e6 * used / scenario.transfers:8.1f}")
    rate = statistics.median(single_bursts(2000 if options.quick else 100_000) for _ in range(runs))
    print(f"single bursts on a busy channel: {rate:,.0f} transfers a CPU-second (target 200,000)")


if __name__ == "__main__":
    main()
