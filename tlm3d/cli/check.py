"""``tlm3d check``: read files and elaborate pairs without running them."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from tlm3d.cli import completion
from tlm3d.cli.options import Corner
from tlm3d.cli.terminal import complain, errors, harmless, output

NAME = "check"
SHORT = "Check files without running them."
EXAMPLES = (
    "tlm3d check platforms/*.yaml workloads/*.yaml workloads/networks/*.yaml",
    "tlm3d check P.yaml W.yaml --corner high",
)


def check(
    context: typer.Context,
    files: Annotated[
        list[str],
        typer.Argument(
            help="Platform, workload, network and plan files.", show_default=False, autocompletion=completion.yaml_files
        ),
    ],
    corner: Corner = "typical",
) -> None:
    """Check files at every corner; a platform given with workloads is also checked to be able to run each of them, at
    CORNER, and by every plan given for the two.
    """
    from tlm3d.errors import ElaborationError, SpecError
    from tlm3d.spec.any_file import describe, read_any
    from tlm3d.spec.corners import TYPICAL, check_corner
    from tlm3d.spec.plan import Plan, planned
    from tlm3d.spec.platform import PlatformSpec
    from tlm3d.spec.workload import WorkloadSpec

    with errors(context):
        check_corner(corner)
        at = "" if corner == TYPICAL else f" at the {corner} corner"
        failed = False
        with output():
            platforms: list[tuple[str, PlatformSpec]] = []
            workloads: list[tuple[str, WorkloadSpec]] = []
            plans: list[tuple[str, Plan]] = []
            for file in files:
                try:
                    spec = read_any(file, corner)
                except SpecError as error:
                    failed = True
                    complain(error)
                    continue
                print(f"{harmless(file)}: {harmless(describe(spec))}")
                if isinstance(spec, PlatformSpec):
                    platforms.append((file, spec))
                elif isinstance(spec, WorkloadSpec):
                    workloads.append((file, spec))
                elif isinstance(spec, Plan):
                    plans.append((file, spec))
            for platform_file, platform in platforms:
                for workload_file, workload in workloads:
                    from tlm3d.model.system import System

                    pair = f"{harmless(platform_file)} with {harmless(workload_file)}"
                    try:
                        system = System(platform, workload, workload.policy, workload.horizon_ps, 0)
                    except (SpecError, ElaborationError) as error:
                        failed = True
                        print(f"{pair}:", file=sys.stderr)
                        complain(error)
                        continue
                    for note in system.recording.notes:
                        print(f"{pair}: note: {harmless(note)}")
                    print(f"{pair}: can run{at}")
                    for plan_file, plan in plans:
                        if (plan.platform, plan.workload) != (platform.name, workload.name):
                            continue
                        try:
                            by_plan = planned(platform, workload, plan)
                            System(platform, by_plan, workload.policy, workload.horizon_ps, 0)
                        except (SpecError, ElaborationError) as error:
                            failed = True
                            complain(error)
                            continue
                        print(f"{pair}: can run by {harmless(plan_file)}{at}")
        raise typer.Exit(2 if failed else 0)
