"""``tlm3d show``: a platform, drawn."""

from __future__ import annotations

import typer

from tlm3d.cli.options import Corner, JsonFile, PlatformFile, Settings
from tlm3d.cli.terminal import errors, tell

NAME = "show"
SHORT = "Draw a platform: tiers, dies, blocks, links."
EXAMPLES = (
    "tlm3d show platforms/three_tier_vision.yaml",
    "tlm3d show P.yaml --set links.tsv.lanes=64",
    "tlm3d show P.yaml --json -",
)


def show(
    context: typer.Context,
    platform: PlatformFile,
    set_: Settings = None,
    corner: Corner = "typical",
    json: JsonFile = None,
) -> None:
    """Draw PLATFORM, the top tier first: blocks with their figures, links with rate (all lanes), energy and latency."""
    from tlm3d.analysis.stack import stack
    from tlm3d.reporters import stack as reporter
    from tlm3d.spec.pair import read_platform

    with errors(context):
        found = stack(read_platform(platform, set_ or [], corner))
        tell(json, lambda: reporter.dumps(found), lambda console: reporter.render(found, console))
