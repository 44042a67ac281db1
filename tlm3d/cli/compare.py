"""``tlm3d compare``: one workload on several platforms, side by side, and what differs between their files."""

from __future__ import annotations

from typing import Annotated

import typer

from tlm3d.cli.options import Corner, Horizon, JsonFile, Place, PolicyName, Seed, check_place, check_policy, horizon_ps
from tlm3d.cli.terminal import INTERRUPTED, errors, progress_bar, tell, terminated

NAME = "compare"
SHORT = "Run one workload on several platforms, side by side."
EXAMPLES = (
    "tlm3d compare platforms/flat_soc.yaml platforms/three_tier_vision.yaml workloads/always_on_vision.yaml",
    'tlm3d compare A.yaml B.yaml W.yaml --set links.tsv.rate="5 Mbit/s"',
    'tlm3d compare A.yaml B.yaml C.yaml W.yaml --set workload.tasks.wake.deadline="50 ms" --json compare.json',
)
_CANNOT_RUN = 2


def compare(
    context: typer.Context,
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="PLATFORM PLATFORM... WORKLOAD",
            help="Two or more platform files; the workload file is the last.",
            show_default=False,
        ),
    ],
    policy: PolicyName = None,
    horizon: Horizon = None,
    seed: Seed = 0,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="PATH=VALUE",
            help="Change a value: a path, in every platform that has it, or workload.<path>. May be repeated.",
        ),
    ] = None,
    corner: Corner = "typical",
    place: Place = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes. Default: one a processor.")] = None,
    json: JsonFile = None,
) -> None:
    """Run WORKLOAD on every PLATFORM; show verdicts, responses, power and energy side by side, and what differs.

    Factors such as ×1.42 are against the first platform. A platform that cannot run the workload is a column with its
    error. Exit code: 0 all ran, whatever their verdicts; 2 wrong input, or a platform cannot run the workload.
    """
    from tlm3d.analysis.compare import NOT_RUN
    from tlm3d.errors import Problem, SpecError
    from tlm3d.reporters import compare as reporter
    from tlm3d.spec.corners import check_corner
    from tlm3d.sweeps.compare import changes_from_first, read_candidates
    from tlm3d.sweeps.compare import compare as run_all
    from tlm3d.sweeps.point import Study

    with errors(context):
        *platforms, workload = files
        if len(platforms) < 2:
            message = f"expected at least three files, two platforms and, last, the workload; got {len(files)}"
            raise SpecError([Problem("compare", 0, 0, "", message)])
        checks = (
            lambda: check_policy(policy),
            lambda: check_place(place),
            lambda: horizon_ps(horizon),
            lambda: check_corner(corner),
        )
        candidates = read_candidates(platforms, workload, set_ or [], checks, corner)
        run_ps = horizon_ps(horizon)
        study = Study("", workload, policy=policy, horizon_ps=run_ps, seed=seed, corner=corner, place=place)
        with terminated(), progress_bar("comparing") as progress:
            outcomes = run_all(candidates, study, jobs=jobs, done=progress)
        changed = changes_from_first(candidates, corner)
        tell(
            json,
            lambda: reporter.dumps(outcomes, changed),
            lambda console: reporter.render(outcomes, changed, console),
        )
        if any(outcome.error == NOT_RUN for outcome in outcomes):
            raise typer.Exit(INTERRUPTED)
        raise typer.Exit(_CANNOT_RUN if any(outcome.error for outcome in outcomes) else 0)
