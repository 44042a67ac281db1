"""Arguments and options that several commands have, and what they are checked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tlm3d.cli import completion

if TYPE_CHECKING:
    from tlm3d.spec.plan import Plan

PlatformFile = Annotated[
    str, typer.Argument(help="Platform file (YAML).", show_default=False, autocompletion=completion.yaml_files)
]
WorkloadFile = Annotated[
    str, typer.Argument(help="Workload file (YAML).", show_default=False, autocompletion=completion.yaml_files)
]
PolicyName = Annotated[
    str | None,
    typer.Option(help="Scheduling policy, such as edf. Default: the workload's.", autocompletion=completion.policies),
]
Place = Annotated[
    str | None,
    typer.Option(
        metavar="PLANNER",
        help="Plan before the run which block runs what, such as heft. Default: the policy chooses in the run.",
        autocompletion=completion.planners,
    ),
]
PlanFile = Annotated[
    str | None,
    typer.Option(
        "--plan",
        metavar="FILE",
        help="Every stage and layer runs where this plan (YAML, of tlm3d plan) says.",
        autocompletion=completion.yaml_files,
    ),
]
Horizon = Annotated[str | None, typer.Option(help='Time to simulate, such as "1 s". Default: the workload\'s.')]
Seed = Annotated[int, typer.Option(min=0, help="Seed of every random draw: release jitter, bit errors.")]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="PATH=VALUE",
        help="Change a value: a path in the platform, or workload.<path>. May be repeated.",
    ),
]
Corner = Annotated[
    str,
    typer.Option(
        metavar="low|typical|high",
        help="Which value to take of those given as {low: V, typical: V, high: V}.",
        autocompletion=completion.corners,
    ),
]
JsonFile = Annotated[
    str | None,
    typer.Option("--json", metavar="FILE|-", help="Write JSON; - is standard output, without the report."),
]


Window = Annotated[
    str | None,
    typer.Option(metavar="FROM..TO", help='Export only this part of the run, such as "900 ms..1 s".'),
]


def check_policy(policy: str | None) -> None:
    """Raise SpecError unless ``policy`` is one (or not given)."""
    from tlm3d.errors import PluginError, Problem, SpecError
    from tlm3d.plugins import load_kind

    if policy is None:
        return
    try:
        load_kind("policies", policy)
    except PluginError as error:
        raise SpecError([Problem("--policy", 0, 0, "", str(error))]) from None


def check_place(place: str | None) -> None:
    """Raise SpecError unless ``place`` is a planner (or not given)."""
    from tlm3d.errors import PluginError, Problem, SpecError
    from tlm3d.plugins import load_kind

    if place is None:
        return
    try:
        load_kind("plans", place)
    except PluginError as error:
        raise SpecError([Problem("--place", 0, 0, "", str(error))]) from None


def plan_file(plan: str | None, place: str | None) -> Plan | None:
    """The plan in the file ``plan``; None where none is named. Raises SpecError, also beside a ``place``."""
    from tlm3d.errors import Problem, SpecError
    from tlm3d.spec.plan import load_plan

    if plan is None:
        return None
    if place is not None:
        raise SpecError([Problem("--plan", 0, 0, "", "names a plan, --place makes one: give one of the two")])
    return load_plan(plan)


def horizon_ps(horizon: str | None) -> int | None:
    """The horizon in ps, None where none is given. Raises SpecError."""
    from tlm3d.errors import Problem, SpecError
    from tlm3d.units import TIME, QuantityError, duration_ps, parse_quantity

    if horizon is None:
        return None
    try:
        found_ps = duration_ps(parse_quantity(horizon, TIME))
        if found_ps < 1:
            raise QuantityError(f"expected a time of more than zero such as '1 s', got '{horizon}'")
    except QuantityError as error:
        raise SpecError([Problem("--horizon", 0, 0, "", str(error))]) from None
    return found_ps


def chosen_corners(corner: str, all_of_them: bool) -> tuple[str, ...]:
    """``corner`` alone, or all three where ``--corners`` asks for them. Raises SpecError."""
    from tlm3d.errors import Problem, SpecError
    from tlm3d.spec.corners import CORNERS, TYPICAL, check_corner

    check_corner(corner)
    if not all_of_them:
        return (corner,)
    if corner != TYPICAL:
        message = f"runs all three corners, --corner {corner} picks one: give one of the two"
        raise SpecError([Problem("--corners", 0, 0, "", message)])
    return CORNERS


def facts_recorded(window: str | None, is_exported: bool, run_ps: int | None = None) -> str:
    """What simulate() is to record for a ``window`` of a run that is exported, or not.

    Raises SpecError for a window that is none, exports nothing, or reaches beyond a run of ``run_ps``.
    """
    from tlm3d.errors import Problem, SpecError
    from tlm3d.record.kept import parse_window
    from tlm3d.units import QuantityError

    if window is None:
        return "full" if is_exported else "totals"
    try:
        kept = parse_window(window)
        if run_ps is not None:
            kept.check_inside(run_ps)
        if not is_exported:
            files = "add --export DIR, --vcd FILE or --trace FILE"
            raise QuantityError(f"only files of facts have a window: {files}; the report is on the whole run")
    except QuantityError as error:
        raise SpecError([Problem("--window", 0, 0, "", str(error))]) from None
    return window
