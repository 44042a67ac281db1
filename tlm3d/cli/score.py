"""``tlm3d score``: how well the networks of a workload run together on a platform, in the scores of XRBench."""

from __future__ import annotations

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
from tlm3d.cli.terminal import errors, progress_bar, tell, terminated

NAME = "score"
SHORT = "Score how the networks of a workload share a chip."
EXAMPLES = (
    "tlm3d score platforms/three_tier_vision.yaml workloads/always_on_vision.yaml",
    'tlm3d score P.yaml W.yaml --set links.tsv.rate="5 Mbit/s" --json -',
)


def score(
    context: typer.Context,
    platform: PlatformFile,
    workload: WorkloadFile,
    policy: PolicyName = None,
    horizon: Horizon = None,
    seed: Seed = 0,
    set_: Settings = None,
    corner: Corner = "typical",
    json: JsonFile = None,
) -> None:
    """Run WORKLOAD on PLATFORM, and each of its networks alone there; score them as XRBench does.

    Also how much sharing the chip slows them down: normalised turnaround times, their mean (ANTT), system throughput
    (STP) and fairness. Exit code: 0 all ran, whatever the scores; 2 wrong input.
    """
    from tlm3d.reporters import score as reporter
    from tlm3d.simulation import score as scored
    from tlm3d.spec.pair import read_pair

    with errors(context):
        options = (lambda: check_policy(policy), lambda: horizon_ps(horizon))
        described = read_pair(platform, workload, set_ or [], options, corner)
        with terminated(), progress_bar("scoring", keeps=False) as progress:
            found = scored(*described, policy=policy, horizon=horizon_ps(horizon), seed=seed, progress=progress)
        tell(json, lambda: reporter.dumps(found), lambda console: reporter.render(found, console))
