"""``tlm3d show``: a platform, drawn."""

from __future__ import annotations

from dataclasses import astuple
from typing import TYPE_CHECKING, Annotated

import typer

from tlm3d.cli.options import Corner, JsonFile, PlatformFile, Settings
from tlm3d.cli.terminal import errors, tell

if TYPE_CHECKING:
    from tlm3d.spec.platform import PlatformSpec

NAME = "show"
SHORT = "Draw a platform: tiers, dies, blocks, links."
EXAMPLES = (
    "tlm3d show platforms/three_tier_vision.yaml",
    "tlm3d show P.yaml --set links.tsv.lanes=64",
    "tlm3d show P.yaml --json -",
    "tlm3d show platforms/silicon/gap9.yaml --fitted",
)


def show(
    context: typer.Context,
    platform: PlatformFile,
    set_: Settings = None,
    corner: Corner = "typical",
    fitted: Annotated[
        bool, typer.Option("--fitted", help="Instead, the parameters that its comments call fitted, and to which rows.")
    ] = False,
    json: JsonFile = None,
) -> None:
    """Draw PLATFORM, the top tier first: blocks with their figures, links with rate (all lanes), energy and latency."""
    from tlm3d.analysis.stack import stack
    from tlm3d.reporters import stack as reporter
    from tlm3d.spec.pair import read_platform

    with errors(context):
        described = read_platform(platform, set_ or [], corner)
        if fitted:
            _show_fitted(described, json)
            return
        found = stack(described)
        tell(json, lambda: reporter.dumps(found), lambda console: reporter.render(found, console))


def _show_fitted(platform: PlatformSpec, json: str | None) -> None:
    from tlm3d.reporters import fitted as reporter
    from tlm3d.spec.fitted import fitted_parameters

    rows = [
        reporter.FittedRow(*astuple(parameter)) for parameter in fitted_parameters(platform.source, platform.corner)
    ]
    tell(json, lambda: reporter.dumps(rows), lambda console: reporter.render(platform.name, rows, console))
