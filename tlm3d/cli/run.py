"""``tlm3d run``: simulate, judge and report."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from tlm3d.cli.options import (
    Corner,
    Horizon,
    PlatformFile,
    PolicyName,
    Seed,
    Settings,
    WorkloadFile,
    check_policy,
    horizon_ps,
)
from tlm3d.cli.terminal import INTERRUPTED, console, errors, output, progress_bar, stoppable, writing

NAME = "run"
SHORT = "Simulate, judge and report."
EXAMPLES = (
    "tlm3d run platforms/three_tier_vision.yaml workloads/always_on_vision.yaml",
    'tlm3d run P.yaml W.yaml --set links.tsv.rate="1 Mbit/s"',
    'tlm3d run P.yaml W.yaml --set workload.tasks.wake.deadline="50 ms"',
    'tlm3d run P.yaml W.yaml --policy fixed-priority --horizon "10 s"',
    "tlm3d run P.yaml W.yaml --corner high",
    "tlm3d run P.yaml W.yaml --json - | jq .verdict",
    "tlm3d run P.yaml W.yaml --vcd run.vcd --trace run.json",
)
EXIT = {"met": 0, "missed": 1, "unjudged": 1}


def run(
    context: typer.Context,
    platform: PlatformFile,
    workload: WorkloadFile,
    policy: PolicyName = None,
    horizon: Horizon = None,
    seed: Seed = 0,
    set_: Settings = None,
    corner: Corner = "typical",
    json: Annotated[
        str | None,
        typer.Option(metavar="FILE|-", help="Write the result as JSON; - is standard output, without the report."),
    ] = None,
    export: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write jobs.csv, spans.csv, transfers.csv, power.csv there.")
    ] = None,
    vcd: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write waveforms for GTKWave or Surfer: gtkwave FILE.")
    ] = None,
    trace: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a timeline for ui.perfetto.dev or chrome://tracing: Open trace file."),
    ] = None,
) -> None:
    """Simulate WORKLOAD on PLATFORM and report deadlines, power and energy.

    An interrupt (Ctrl-C) ends the run there and reports on what was simulated; a second one stops at once.
    """
    from tlm3d.simulation import simulate
    from tlm3d.spec.pair import read_pair

    with errors(context):
        options = (lambda: check_policy(policy), lambda: horizon_ps(horizon))
        described = read_pair(platform, workload, set_ or [], options, corner)
        with stoppable() as stop, progress_bar("simulating") as told:

            def progress(done_ps: int, whole_ps: int) -> bool:
                told(done_ps, whole_ps)
                return stop()

            result = simulate(*described, policy=policy, horizon=horizon_ps(horizon), seed=seed, progress=progress)
            interrupted = stop()
        # The report first: a file that cannot be written must not cost a long run its result.
        with output():
            if json == "-":
                from tlm3d.reporters.json import dumps

                sys.stdout.write(dumps(result))
            else:
                from tlm3d.reporters.terminal import render

                render(result, console())
        if export is not None:
            from tlm3d.reporters import csv

            with writing(export):
                csv.export(result, export)
        if json not in (None, "-"):
            from tlm3d.reporters.json import dumps

            with writing(json):
                Path(json).write_text(dumps(result), encoding="utf-8")
        if vcd is not None:
            from tlm3d.reporters import vcd as waveforms

            with writing(vcd):
                waveforms.write(result, vcd)
        if trace is not None:
            from tlm3d.reporters import trace as timeline

            with writing(trace):
                timeline.write(result, trace)
        if interrupted:
            print("interrupted", file=sys.stderr)
        raise typer.Exit(INTERRUPTED if interrupted else EXIT[result.verdict.value])
