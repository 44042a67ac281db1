"""What a sweep costs beyond its simulations: ``python tools/bench_sweep.py [--quick]``.

Wall time, so that it needs two processors with nothing else to do; the load average is printed beside the figures.
Ratios are of times taken in turn in this one run.
"""

from __future__ import annotations

import argparse
import os
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tlm3d import Result, Study, parse_axis, simulate, sweep
from tlm3d.sweeps import point
from tlm3d.sweeps.axis import Axis

ROOT = Path(__file__).resolve().parent.parent
PLATFORM = str(ROOT / "platforms" / "three_tier_vision.yaml")
WORKLOAD = str(ROOT / "workloads" / "always_on_vision.yaml")


def wall_s(work: Callable[[], object]) -> float:
    """Seconds on the clock that ``work`` takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def cpu_s() -> float:
    """CPU seconds so far, of this process and of its children that have ended."""
    return sum(os.times()[:4])


def efficiency(study: Study, axis: Axis, runs: int) -> None:
    """Serial wall time over twice the wall time of two processes; CPU time beside it, which other load changes less."""
    walls: dict[int, list[float]] = {1: [], 2: []}
    cpus: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(runs):
        for jobs in (1, 2):
            before_s = cpu_s()
            walls[jobs].append(wall_s(partial(sweep, study, [axis], jobs=jobs)))
            cpus[jobs].append(cpu_s() - before_s)
    print(f"a sweep of {len(axis.values)} points by 1 and by 2 processes, median of {runs}")
    for name, seconds in (("wall", walls), ("CPU", cpus)):
        one_s, two_s = (statistics.median(seconds[jobs]) for jobs in (1, 2))
        print(f"  {name} s: {one_s:.2f} and {two_s:.2f}, ratio {one_s / two_s:.3f}")
    share = statistics.median(walls[1]) / (2 * statistics.median(walls[2]))
    print(f"  parallel efficiency {share:.3f} (target 0.85)")


def overhead(study: Study, axis: Axis, runs: int) -> None:
    """What a row takes beyond simulating and judging it: reading both files with the values set, and the row itself."""
    inside: dict[str, float] = {}
    clocks = {"wall": time.perf_counter, "CPU": time.process_time}

    def timed(*pair: Any, **options: Any) -> Result:
        began = {name: clock() for name, clock in clocks.items()}
        result = simulate(*pair, **options)
        inside.update((name, clock() - began[name]) for name, clock in clocks.items())
        return result

    point.simulate = timed
    extra: dict[str, list[float]] = {name: [] for name in clocks}
    for value in axis.values * runs:
        one = point.Point((axis.path,), (value,), study.corner)
        began = {name: clock() for name, clock in clocks.items()}
        point.run_point(study, one)
        for name, clock in clocks.items():
            extra[name].append(1000 * (clock() - began[name] - inside[name]))
    point.simulate = simulate
    print("a point beyond its simulation (target below 30 ms)")
    for name, ms in extra.items():
        print(f"  {name} ms: median {statistics.median(ms):.1f}, most {max(ms):.1f}")


def readme_command() -> list[str]:
    """The arguments of the README's sweep."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return shlex.split(next(line for line in text.splitlines() if line.startswith("tlm3d sweep") and "--param" in line))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short run of everything, to see that it works")
    quick = parser.parse_args().quick
    runs = 1 if quick else 3
    study = Study(PLATFORM, WORKLOAD, horizon_ps=5 * 10**10 if quick else None)
    axis = parse_axis(f"links.tsv.rate=0.5..10 Mbit/s:log:{4 if quick else 24}")

    load = ", ".join(f"{minutes:.2f}" for minutes in os.getloadavg())
    print(f"{os.cpu_count()} processors, load average before: {load}")
    sweep(study, [parse_axis("links.tsv.lanes=32")], jobs=1)  # caches
    efficiency(study, axis, runs)
    overhead(study, parse_axis("links.tsv.rate=2..10 Mbit/s:log:4"), runs)

    command = readme_command()
    tlm3d = [sys.executable, "-m", *command]
    seconds = wall_s(lambda: subprocess.run(tlm3d, cwd=ROOT, stdout=subprocess.DEVNULL, check=True))
    print(f"the README's sweep, whole process: {seconds:.1f} s wall (target below 30)")


if __name__ == "__main__":
    main()
