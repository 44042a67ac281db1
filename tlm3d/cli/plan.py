"""``tlm3d plan``: where stages and layers are to run, decided before the run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tlm3d.cli import completion
from tlm3d.cli.options import (
    Corner,
    JsonFile,
    PlatformFile,
    PolicyName,
    Settings,
    WorkloadFile,
    check_place,
    check_policy,
)
from tlm3d.cli.terminal import errors, tell, writing

NAME = "plan"
SHORT = "Decide before the run which block runs what."
EXAMPLES = (
    "tlm3d plan P.yaml W.yaml --place heft -o plan.yaml",
    "tlm3d run P.yaml W.yaml --plan plan.yaml",
    'tlm3d plan P.yaml W.yaml --place min-energy --set workload.tasks.see.deadline="5 ms"',
)


def plan(
    context: typer.Context,
    platform: PlatformFile,
    workload: WorkloadFile,
    place: Annotated[
        str, typer.Option(metavar="PLANNER", help="How to plan.", autocompletion=completion.planners)
    ] = "heft",
    policy: PolicyName = None,
    set_: Settings = None,
    corner: Corner = "typical",
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write the plan (YAML).")] = None,
    json: JsonFile = None,
) -> None:
    """Choose for every stage and layer of WORKLOAD one of the blocks where it may run; show what is foreseen.

    Tasks are planned one by one, the most urgent under the policy first, each against its deadline, beside what the
    tasks before it take of the blocks. tlm3d run --plan runs the file that -o writes.
    """
    from tlm3d.reporters import plan as reporter
    from tlm3d.simulation import plan_sheet
    from tlm3d.spec.pair import read_pair
    from tlm3d.spec.plan import plan_text

    with errors(context):
        checks = (lambda: check_place(place), lambda: check_policy(policy))
        described = read_pair(platform, workload, set_ or [], checks, corner)
        made, sheet = plan_sheet(*described, place=place, policy=policy)
        tell(json, lambda: reporter.dumps(sheet), lambda console: reporter.render(sheet, console))
        if out is not None:
            with writing(out):
                out.write_text(plan_text(made, "made by tlm3d plan; times from the release of a job"), encoding="utf-8")
