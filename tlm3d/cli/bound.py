"""``tlm3d bound``: the largest responses that there can be, held against the deadlines."""

from __future__ import annotations

from typing import Annotated

import typer

from tlm3d.cli.options import (
    Corner,
    JsonFile,
    Place,
    PlanFile,
    PlatformFile,
    PolicyName,
    Settings,
    WorkloadFile,
    check_place,
    check_policy,
    plan_file,
)
from tlm3d.cli.terminal import errors, progress_bar, tell, terminated

NAME = "bound"
SHORT = "Guarantee deadlines without simulating."
EXAMPLES = (
    "tlm3d bound platforms/three_tier_vision.yaml workloads/always_on_vision.yaml",
    "tlm3d bound P.yaml W.yaml --policy fixed-priority --corner high",
    'tlm3d bound P.yaml W.yaml --set links.tsv.rate="1 Mbit/s" --sensitivity',
    "tlm3d bound P.yaml W.yaml --json - | jq .tasks",
)


def bound(
    context: typer.Context,
    platform: PlatformFile,
    workload: WorkloadFile,
    policy: PolicyName = None,
    set_: Settings = None,
    corner: Corner = "typical",
    place: Place = None,
    plan: PlanFile = None,
    sensitivity: Annotated[
        bool,
        typer.Option(
            "--sensitivity", help="Also how much longer each task may compute, and how much slower each link may be."
        ),
    ] = False,
    json: JsonFile = None,
) -> None:
    """Bound the response of every task of WORKLOAD on PLATFORM: whatever happens, none is longer.

    Nothing is simulated: every release, every order and every collision that there can be is covered. Where no bound is
    known it says none, and why.

    Exit code: 0 every deadline is guaranteed, 1 one is not, or has no bound, 2 wrong input.
    """
    from tlm3d.bounds.verdict import Verdict, verdict
    from tlm3d.reporters import bounds as reporter
    from tlm3d.simulation import bound as bounded
    from tlm3d.simulation import plan as planned_by
    from tlm3d.spec.pair import Attempts, read_pair
    from tlm3d.spec.plan import planned

    with errors(context):
        attempt = Attempts()
        chosen = attempt(lambda: plan_file(plan, place))
        checks = (lambda: check_policy(policy), lambda: check_place(place))
        described = attempt(lambda: read_pair(platform, workload, set_ or [], checks, corner))
        attempt.raise_any()
        assert described is not None  # else a problem was raised
        if place is not None:
            chosen = planned_by(*described, place=place, policy=policy)
        if chosen is not None:
            described = described[0], planned(*described, chosen)
        found = bounded(*described, policy)
        margins = None
        if sensitivity:
            from tlm3d.sweeps.sensitivity import sensitivity as how_far

            with terminated(), progress_bar("looking how far", keeps=False) as told:
                margins = how_far(*described, policy, found, told)
        tell(json, lambda: reporter.dumps(found, margins), lambda console: reporter.render(found, margins, console))
        raise typer.Exit(0 if verdict(found) is Verdict.GUARANTEED else 1)
