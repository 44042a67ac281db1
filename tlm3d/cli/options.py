"""Arguments and options that several commands have, and what they are checked for."""

from __future__ import annotations

from typing import Annotated

import typer

from tlm3d.cli import completion

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
Horizon = Annotated[str | None, typer.Option(help='Time to simulate, such as "1 s". Default: the workload\'s.')]
Seed = Annotated[int, typer.Option(help="Seed of every random draw (release jitter).")]
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
        metavar="low|typical|high", help="Which value to take of those given as {low: V, typical: V, high: V}."
    ),
]
JsonFile = Annotated[
    str | None,
    typer.Option("--json", metavar="FILE|-", help="Write JSON; - is standard output, without the report."),
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
