"""Where the time of a run goes. Prints CPU seconds, never wall time: ``python tools/bench.py [--quick]``.

Needs tlm3d installed with bytecode (pip does that); the default pair is read from the repository.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import resource
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLATFORM = str(ROOT / "platforms" / "three_tier_vision.yaml")
WORKLOAD = str(ROOT / "workloads" / "always_on_vision.yaml")

MEMORY = """
import resource, sys
from tlm3d import load_platform, load_workload, simulate
result = simulate(load_platform(sys.argv[1]), load_workload(sys.argv[2]), horizon=sys.argv[3], record=sys.argv[4])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def command_cpu(arguments: list[str], runs: int) -> list[float]:
    """User and system CPU seconds of a whole process, after one warm-up run."""
    times = []
    for _ in range(runs + 1):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(arguments, stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return times[1:]


def simulate_cpu(seconds: int, record: str = "full") -> tuple[float, int, int]:
    """CPU seconds of simulating and judging the default pair; jobs and tiles in it, as far as they are recorded."""
    from tlm3d import load_platform, load_workload, simulate

    platform, workload = load_platform(PLATFORM), load_workload(WORKLOAD)
    began = time.process_time()
    result = simulate(platform, workload, horizon=f"{seconds} s", record=record)
    used = time.process_time() - began
    tiles = sum(span.what == "compute" for span in result.recording.spans)
    return used, len(result.recording.jobs), tiles


def profile(seconds: int) -> dict[str, float]:
    """Self-time by package of one simulation, as shares."""
    from tlm3d import load_platform, load_workload, simulate

    platform, workload = load_platform(PLATFORM), load_workload(WORKLOAD)
    profiler = cProfile.Profile()
    profiler.runcall(simulate, platform, workload, horizon=f"{seconds} s")
    shares: dict[str, float] = defaultdict(float)
    for (file, _, _), (_, _, self_time, _, _) in pstats.Stats(profiler).stats.items():  # type: ignore[attr-defined]
        shares[_package(file)] += self_time
    total = sum(shares.values())
    return {name: t / total for name, t in sorted(shares.items(), key=lambda item: -item[1])}


def _package(file: str) -> str:
    parts = Path(file).parts
    if "tlm3d" in parts:
        inner = parts[len(parts) - 1 - parts[::-1].index("tlm3d") :]
        return ".".join(inner[:2]).removesuffix(".py")
    for name in ("simpy", "numpy", "networkx", "pydantic", "yaml"):
        if name in parts:
            return name
    return "built in" if file == "~" else "other"


def totals_ratio(seconds: int, runs: int) -> float:
    """CPU time with totals only over that with all facts recorded, median of pairs run one after the other."""
    pairs = [(simulate_cpu(seconds, "totals")[0], simulate_cpu(seconds)[0]) for _ in range(runs)]
    return statistics.median(totals / full for totals, full in pairs)


def peak_kib(horizon: str, record: str) -> int:
    """Peak resident memory of one simulation in its own process, KiB."""
    command = [sys.executable, "-c", MEMORY, PLATFORM, WORKLOAD, horizon, record]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short run of everything, to see that it works")
    quick = parser.parse_args().quick
    runs = 1 if quick else 7
    tlm3d = str(Path(sys.executable).parent / "tlm3d")

    print("whole process, CPU s, median (min .. max)")
    for name, arguments in (("tlm3d --help", ["--help"]), ("tlm3d run, 1 s simulated", ["run", PLATFORM, WORKLOAD])):
        times = command_cpu([tlm3d, *arguments], runs)
        print(f"  {name:28} {statistics.median(times):.3f} ({min(times):.3f} .. {max(times):.3f})")

    horizons = first, middle, last = (1, 2, 3) if quick else (1, 5, 20)
    # Now, while this process is small: a child's peak starts with its parent's.
    for record, begin in (("full", first), ("totals", middle)):  # totals: once its buffers have filled
        low, high = peak_kib(f"{begin} s", record), peak_kib(f"{last} s", record)
        print(
            f"peak memory, {record}: {low / 1024:.1f} MiB for {begin} s, {high / 1024:.1f} MiB for {last} s simulated"
        )
        print(f"  growth {(high - low) / 1024 / (last - begin):.2f} MiB a simulated second")

    simulate_cpu(1)  # imports, caches
    medians = {}
    for seconds in horizons:
        samples = [simulate_cpu(seconds) for _ in range(1 if quick else 5)]
        medians[seconds] = statistics.median(sample[0] for sample in samples)
        _, jobs, tiles = samples[0]
        used = medians[seconds]
        rates = f"{jobs / used:,.0f} jobs and {tiles / used:,.0f} tiles a CPU-second"
        print(f"{seconds:3} s simulated: {used:.3f} CPU s, {rates}")
    long = (medians[last] - medians[first]) / (last - first)
    short = (medians[middle] - medians[first]) / (middle - first)
    print(f"CPU s a simulated second: {long:.4f} over {first}-{last} s, {short:.4f} over {first}-{middle} s")
    print(f"  linearity {long / short:.3f}")
    print(f"totals against full, {middle} s simulated: {totals_ratio(middle, 1 if quick else 5):.3f} of the CPU time")

    print(f"self-time by package, profile of {middle} s simulated")
    for name, share in profile(middle).items():
        if share >= 0.005:
            print(f"  {name:20} {100 * share:5.1f} %")


if __name__ == "__main__":
    main()
