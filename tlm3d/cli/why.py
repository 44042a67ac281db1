"""``tlm3d why``: the story of the worst late job, and what would have met its deadline."""

from __future__ import annotations

from typing import Annotated

import typer

from tlm3d.cli.options import (
    Corner,
    Horizon,
    JsonFile,
    PlatformFile,
    PolicyName,
    Seed,
    Settings,
    WorkloadFile,
    check_policy,
    horizon_ps,
)
from tlm3d.cli.terminal import INTERRUPTED, errors, progress_bar, tell, terminated

NAME = "why"
SHORT = "Why a job was late, and what would have helped."
EXAMPLES = (
    "tlm3d why platforms/three_tier_vision.yaml workloads/nano_drone.yaml",
    'tlm3d why P.yaml W.yaml --set links.tsv.rate="0.5 Mbit/s"',
    "tlm3d why P.yaml W.yaml --job attitude#141",
    "tlm3d why P.yaml W.yaml --policy fifo --json -",
)


def why(
    context: typer.Context,
    platform: PlatformFile,
    workload: WorkloadFile,
    job: Annotated[
        str | None,
        typer.Option(metavar="TASK#N", help="Which job. Default: the worst late one, or the tightest if none was."),
    ] = None,
    policy: PolicyName = None,
    horizon: Horizon = None,
    seed: Seed = 0,
    set_: Settings = None,
    corner: Corner = "typical",
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes. Default: one a processor.")] = None,
    json: JsonFile = None,
) -> None:
    """Tell the story of one job of WORKLOAD on PLATFORM: where its response went and who held it up.

    Then run it again exactly, same job and seed, with one cause taken away at a time, and say which single change meets
    the deadline; where none does, the best two together. An interrupt ends the re-runs and shows those that are done.

    Exit code: 0 the job met its deadline, 1 it did not, 2 wrong input, 130 interrupted.
    """
    from tlm3d.reporters import why as reporter
    from tlm3d.spec.pair import read_pair
    from tlm3d.sweeps.why import why as explained

    with errors(context):
        options = (lambda: check_policy(policy), lambda: horizon_ps(horizon))
        described = read_pair(platform, workload, set_ or [], options, corner)
        run_ps = horizon_ps(horizon)
        with terminated(), progress_bar("asking why") as told:
            # The run that finds the job is the first half of the bar, all re-runs together the second.
            found = explained(
                *described,
                job=job,
                policy=policy,
                horizon=run_ps,
                seed=seed,
                jobs=jobs,
                progress=lambda done_ps, whole_ps: told(done_ps / whole_ps, 2),
                done=lambda runs, total: told(1 + runs / total, 2),
            )
        tell(json, lambda: reporter.dumps(found), lambda console: reporter.render(found, console))
        raise typer.Exit(INTERRUPTED if found.interrupted else 0 if found.outcome.met else 1)
