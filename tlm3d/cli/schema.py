"""``tlm3d schema``: JSON Schemas of the files, for editors."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from tlm3d.cli import completion
from tlm3d.cli.terminal import errors, output

NAME = "schema"
SHORT = "Print the JSON Schema of a file, for editors."
EXAMPLES = (
    "tlm3d schema platform > platform.schema.json",
    "tlm3d schema workload > workload.schema.json",
    "tlm3d schema network > network.schema.json",
    "tlm3d schema plan > plan.schema.json",
)


def schema(
    context: typer.Context,
    file: Annotated[
        str,
        typer.Argument(
            metavar="{platform|workload|network|plan}",
            help="The file that it describes.",
            show_default=False,
            autocompletion=completion.schemas,
        ),
    ],
) -> None:
    """Print the JSON Schema (2020-12) of a platform, workload, network or plan file, with every kind that is installed.

    For an editor that knows YAML, the first line of a file names it: # yaml-language-server: $schema=FILE
    """
    import json

    from tlm3d.errors import Problem, SpecError, did_you_mean, one_of
    from tlm3d.spec.schema import FILES
    from tlm3d.spec.schema import schema as schema_of
    from tlm3d.units import clip

    with errors(context):
        if file not in FILES:
            message = f"no schema of {clip(file)}{did_you_mean(file, FILES) or one_of(FILES)}"
            raise SpecError([Problem("schema", 0, 0, "", message)])
        with output():
            sys.stdout.write(json.dumps(schema_of(file), indent=2, ensure_ascii=False) + "\n")
