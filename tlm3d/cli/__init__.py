"""The command line: the only place that prints, exits and configures logging. One command a file."""

from __future__ import annotations

import sys
from io import TextIOWrapper
from typing import Annotated

import typer

import tlm3d
from tlm3d.cli import bound, check, compare, explain, listing, plan, run, schema, score, show, sweep, traffic, why
from tlm3d.cli.terminal import examples

app = typer.Typer(
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,  # plain help: does not import rich
    pretty_exceptions_enable=False,
    help="Transaction-level model of 3D-stacked chips: are the deadlines met, inside the mW envelope, and where do "
    "the femtojoules go? Exit code: 0 all met, 1 a deadline or limit missed or not judged, 2 wrong input, 3 a bug of "
    "tlm3d, 130 interrupted.",
    epilog=examples(
        "tlm3d run platforms/three_tier_vision.yaml workloads/always_on_vision.yaml",
        "tlm3d check platforms/*.yaml workloads/*.yaml workloads/networks/*.yaml",
    ),
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"tlm3d {tlm3d.__version__}")
        raise typer.Exit


@app.callback()
def _main(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    context.obj = {"debug": debug}


for command in (run, bound, check, why, plan, sweep, compare, score, show, explain, traffic, listing, schema):
    # A name that Python has taken ends with an underscore there, not in the shell.
    app.command(command.NAME.rstrip("_"), short_help=command.SHORT, epilog=examples(*command.EXAMPLES))(
        getattr(command, command.NAME)
    )


def main() -> None:
    """Entry point of the ``tlm3d`` command."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without block characters still gets its report
    app()
