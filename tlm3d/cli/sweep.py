"""``tlm3d sweep``: one run a combination of values, and the knee between missed and met."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tlm3d.cli.options import (
    Corner,
    Horizon,
    JsonFile,
    Place,
    PlatformFile,
    PolicyName,
    Seed,
    Settings,
    WorkloadFile,
    check_place,
    check_policy,
    chosen_corners,
    horizon_ps,
)
from tlm3d.cli.terminal import INTERRUPTED, errors, progress_bar, tell, terminated, writing

NAME = "sweep"
SHORT = "Run many points and find the knee."
EXAMPLES = (
    'tlm3d sweep P.yaml W.yaml --param links.tsv.rate="0.5..10 Mbit/s:log:8"',
    'tlm3d sweep P.yaml W.yaml --param links.tsv.lanes="8, 16, 32" --param workload.policy="edf, fifo"',
    'tlm3d sweep P.yaml W.yaml --param links.tsv.rate="1..9 Mbit/s:lin:5" --jobs 2 --csv sweep.csv',
    "tlm3d sweep P.yaml W.yaml --corners",
)


def sweep(
    context: typer.Context,
    platform: PlatformFile,
    workload: WorkloadFile,
    param: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH=VALUES",
            help="What to vary: a list, or LOW..HIGH UNIT:lin|log:COUNT, by default lin and 10 points. "
            "May be repeated: every combination is run.",
        ),
    ] = None,
    zip_: Annotated[bool, typer.Option("--zip", help="Pair the values of several --param one by one.")] = False,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes. Default: one a processor.")] = None,
    policy: PolicyName = None,
    horizon: Horizon = None,
    seed: Seed = 0,
    set_: Settings = None,
    corner: Corner = "typical",
    place: Place = None,
    corners: Annotated[bool, typer.Option("--corners", help="Run every point at all three corners.")] = False,
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Write one line a point.")] = None,
    json: JsonFile = None,
) -> None:
    """Run WORKLOAD on PLATFORM at every combination of values: table, knee and plot.

    The knee is the least value from which all larger tried ones are MET. A point in error is a row; an interrupt shows
    and writes what is done. With --corners also the spread of response, power and energy over low, typical and high.

    Exit code: 0 a point ran, whatever the verdicts; 2 wrong input, or every point is in error; 130 interrupted.
    """
    from tlm3d.analysis.sweep import crossings
    from tlm3d.errors import Problem, SpecError
    from tlm3d.reporters import sweep as reporter
    from tlm3d.sweeps.axis import magnitude, parse_axis, points
    from tlm3d.sweeps.point import Study, check_paths
    from tlm3d.sweeps.processes import sweep as run_points

    with errors(context):
        check_policy(policy)
        check_place(place)
        axes = [parse_axis(text) for text in param or ()]
        paths = [axis.path for axis in axes]
        at = chosen_corners(corner, corners)
        expected = len(points(axes, zip_, len(at))) * len(at)
        study = Study(platform, workload, tuple(set_ or ()), policy, horizon_ps(horizon), seed, corner, place)
        check_paths(study, axes)
        with terminated(), progress_bar("sweeping") as progress:
            rows = run_points(study, axes, paired=zip_, corners=at, jobs=jobs, done=progress)
        # Paired values are one list of points, which the first parameter that is a number puts in order.
        numeric = [i for i, axis in enumerate(axes) if zip_ and all(magnitude(v) is not None for v in axis.values)]
        by = numeric[0] if numeric else 0
        sizes = [magnitude(row.values[by]) if row.values else None for row in rows]
        found = crossings(rows, sizes, by=by, paired=zip_)
        tell(
            json,
            lambda: reporter.dumps(paths, rows, found, expected),
            lambda console: reporter.render(paths, rows, found, expected, console),
        )
        if csv is not None:
            with writing(csv):
                csv.write_text(reporter.csv_text(paths, rows), encoding="utf-8")
        if len(rows) == expected and all(row.error for row in rows):
            raise SpecError([Problem("sweep", 0, 0, "", f"every point is in error, the first for: {rows[0].error}")])
        raise typer.Exit(INTERRUPTED if len(rows) < expected else 0)
