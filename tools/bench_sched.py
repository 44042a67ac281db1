"""How fast task sets run: ``python tools/bench_sched.py [--quick] [--seconds 100] [--runs 5]``; exits 1 below a target.

Ten tasks with implicit deadlines on four plain processors that share a queue, global EDF, full preemption. CPU time of
``simulate``, everything included, medians; bytes by tracemalloc. Targets are those of the machine the project is built
on; ``--quick`` asks for a third of them, because machines that test are slower and busy.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

from tlm3d import Result, load_platform, load_workload, simulate
from tlm3d.analysis.blame import blame

PERIODS_MS = (11, 13, 17, 19, 23, 29, 37, 43, 59, 73)
SHARES = (45, 15, 30, 20, 40, 25, 35, 20, 30, 20)  # of the utilisation
LENGTH_S = 100  # of the longer run whose memory is compared: shorter ones are not cut into slices of full length
TOTALS, FULL, BYTES, OVERLOAD = 80_000, 50_000, 150, 2.0


def files(folder: Path, utilisation: float) -> tuple[str, str]:
    """Platform and workload; computing times are whole tenths of a millisecond."""
    platform, workload = folder / "four.yaml", folder / f"ten_{utilisation}.yaml"
    blocks = "".join(f"      p{i}: {{kind: processor}}\n" for i in range(4))
    platform.write_text(f"name: four\ndies:\n  logic:\n    tier: 0\n    blocks:\n{blocks}", encoding="utf-8")
    lines = ["name: ten", "policy: edf", "tasks:"]
    for i, (period_ms, share) in enumerate(zip(PERIODS_MS, SHARES, strict=True)):
        work = round(10 * period_ms * utilisation * share / sum(SHARES))
        stage = f"{{time: {work * 100} us, on: any}}"
        lines.append(f"  t{i}: {{period: {period_ms} ms, backlog: 1000, stages: [{stage}]}}")
    workload.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(platform), str(workload)


def run(pair: tuple[str, str], seconds: float, record: str) -> tuple[float, Result]:
    """Jobs a CPU-second, and the result."""
    platform, workload = load_platform(pair[0]), load_workload(pair[1])
    began = time.process_time()
    result = simulate(platform, workload, horizon=round(seconds * 10**12), record=record)
    used = time.process_time() - began
    return sum(task.jobs for task in result.tasks.values()) / used, result


def rate(pair: tuple[str, str], seconds: float, record: str, runs: int) -> float:
    """The median of several."""
    return statistics.median(run(pair, seconds, record)[0] for _ in range(runs))


def peak_bytes(pair: tuple[str, str], seconds: float) -> int:
    """The most that a run without facts holds at once."""
    tracemalloc.start()
    run(pair, seconds, "totals")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def bytes_a_job(pair: tuple[str, str], seconds: float) -> float:
    """What the record of a run holds, by job: between a run and one of twice its length."""
    held = []
    for length in (seconds, 2 * seconds):
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        _, result = run(pair, length, "full")
        held.append((tracemalloc.get_traced_memory()[0] - before, len(result.recording.jobs)))
        del result
        tracemalloc.stop()
    return (held[1][0] - held[0][0]) / (held[1][1] - held[0][1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="shorter, and a third of the targets")
    parser.add_argument("--seconds", type=float, default=100, help="simulated")
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    seconds, runs, part = (20.0, 3, 3) if arguments.quick else (arguments.seconds, arguments.runs, 1)
    failed = []

    def tell(what: str, value: str, target: str, met: bool) -> None:
        print(f"{what:<58} {value:>12}  {target:<14} {'ok' if met else 'MISSED'}")
        if not met:
            failed.append(what)

    with tempfile.TemporaryDirectory() as folder:
        light, heavy = files(Path(folder), 2.8), files(Path(folder), 4.5)
        run(light, 1, "totals")  # imports
        totals, full = rate(light, seconds, "totals", runs), rate(light, seconds, "full", runs)
        tell("totals only, jobs a CPU-second", f"{totals:,.0f}", f">= {TOTALS // part:,}", totals >= TOTALS / part)
        tell(
            "full record with blame and holders, jobs a CPU-second",
            f"{full:,.0f}",
            f">= {FULL // part:,}",
            full >= FULL / part,
        )
        overload = rate(light, seconds, "totals", runs) / rate(heavy, seconds, "totals", runs)
        tell(
            "U = 2.8 over U = 4.5, a thousand jobs waiting by task",
            f"{overload:.2f}",
            f"<= {OVERLOAD}",
            overload <= OVERLOAD,
        )
        size = bytes_a_job(light, seconds / 2)
        tell("bytes of a job in a full record", f"{size:.0f}", f"<= {BYTES}", size <= BYTES)
        short, long = peak_bytes(light, LENGTH_S / 4), peak_bytes(light, LENGTH_S)
        growth = long / short
        most = 1.5 if arguments.quick else 1.2  # slices are cut by the clock: a busy machine makes them differ
        tell(f"peak of totals: {LENGTH_S} s over {LENGTH_S / 4:g} s", f"{growth:.2f}", f"<= {most}", growth <= most)
        for pair in (light, heavy):
            _, result = run(pair, seconds / 10, "full")
            for job in result.recording.jobs:
                told = blame(job, result.horizon_ps)
                if sum(told.buckets.values()) != told.response_ps:
                    failed.append(f"blame of {job.task}#{job.index}")
        print(f"blame sums to the response for every job: {'no' if any('blame' in f for f in failed) else 'yes'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
