"""``tlm3d run``: simulate, judge and report."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from tlm3d.cli.options import (
    Corner,
    Horizon,
    Place,
    PlanFile,
    PlatformFile,
    PolicyName,
    Seed,
    Settings,
    Window,
    WorkloadFile,
    check_place,
    check_policy,
    facts_recorded,
    horizon_ps,
    plan_file,
)
from tlm3d.cli.terminal import INTERRUPTED, errors, progress_bar, stoppable, tell, writing

NAME = "run"
SHORT = "Simulate, judge and report."
EXAMPLES = (
    "tlm3d run platforms/three_tier_vision.yaml workloads/always_on_vision.yaml",
    'tlm3d run P.yaml W.yaml --set links.tsv.rate="1 Mbit/s"',
    'tlm3d run P.yaml W.yaml --set workload.tasks.wake.deadline="50 ms"',
    'tlm3d run P.yaml W.yaml --policy fixed-priority --horizon "10 s"',
    "tlm3d run P.yaml W.yaml --corner high",
    "tlm3d run P.yaml W.yaml --place heft",
    "tlm3d run P.yaml W.yaml --plan plan.yaml",
    "tlm3d run P.yaml W.yaml --bounds",
    "tlm3d run P.yaml W.yaml --json - | jq .verdict",
    "tlm3d run P.yaml W.yaml --vcd run.vcd --trace run.json",
    'tlm3d run P.yaml W.yaml --export out --window "900 ms..1 s"',
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
    place: Place = None,
    plan: PlanFile = None,
    json: Annotated[
        str | None,
        typer.Option(metavar="FILE|-", help="Write the result as JSON; - is standard output, without the report."),
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write jobs.csv, spans.csv, transfers.csv, power.csv there; bounds.csv too, with --bounds.",
        ),
    ] = None,
    vcd: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write waveforms for GTKWave or Surfer: gtkwave FILE.")
    ] = None,
    trace: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a timeline for ui.perfetto.dev or chrome://tracing: Open trace file."),
    ] = None,
    window: Window = None,
    bounds: Annotated[
        bool,
        typer.Option("--bounds/--no-bounds", help="Beside every largest response the largest that there can be."),
    ] = False,
) -> None:
    """Simulate WORKLOAD on PLATFORM and report deadlines, power and energy.

    Memory does not grow with the run, except for what is exported. An interrupt (Ctrl-C) ends the run there and
    reports on what was simulated; a second one stops at once.
    """
    from tlm3d.simulation import bound, simulate
    from tlm3d.simulation import plan as planned_by
    from tlm3d.spec.pair import Attempts, read_pair
    from tlm3d.spec.plan import planned

    def document() -> str:
        from tlm3d.reporters.json import dumps

        return dumps(result)

    def report(console: Any) -> None:
        from tlm3d.reporters.terminal import render

        render(result, console)

    needs_facts = any(file is not None for file in (export, vcd, trace))
    with errors(context):
        options = (
            lambda: check_policy(policy),
            lambda: horizon_ps(horizon),
            lambda: facts_recorded(window, needs_facts),
            lambda: check_place(place),
        )
        attempt = Attempts()
        written = attempt(lambda: plan_file(plan, place))
        described = attempt(lambda: read_pair(platform, workload, set_ or [], options, corner))
        attempt.raise_any()
        assert described is not None  # else a problem was raised
        chosen = planned_by(*described, place=place, policy=policy) if place is not None else written
        run_ps = horizon_ps(horizon) or described[1].horizon_ps
        record = facts_recorded(window, needs_facts, run_ps)
        with stoppable() as stop, progress_bar("simulating") as told:

            def progress(done_ps: int, whole_ps: int) -> bool:
                told(done_ps, whole_ps)
                return stop()

            result = simulate(
                *described, policy=policy, horizon=run_ps, seed=seed, progress=progress, record=record, plan=chosen
            )
            interrupted = stop()
        if bounds and not interrupted:
            if chosen is not None:
                described = described[0], planned(*described, chosen)
            result = replace(result, bounds=bound(*described, policy))
        tell(json, document, report)
        if export is not None:
            from tlm3d.reporters import csv

            with writing(export):
                csv.export(result, export)
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
