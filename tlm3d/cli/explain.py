"""``tlm3d explain``: one inference of one network, layer by layer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tlm3d.cli import completion
from tlm3d.cli.options import Corner, JsonFile, PlatformFile, Settings
from tlm3d.cli.terminal import errors, tell

NAME = "explain"
SHORT = "One network, layer by layer."
EXAMPLES = (
    "tlm3d explain platforms/three_tier_vision.yaml resnet8",
    "tlm3d explain P.yaml workloads/networks/resnet8.yaml --on cluster",
    "tlm3d explain P.yaml resnet8 --on array --map fc14=cluster",
    "tlm3d explain P.yaml resnet8 --on array --set links.tsv.lanes=64 --json -",
)


def explain(
    context: typer.Context,
    platform: PlatformFile,
    network: Annotated[
        str,
        typer.Argument(
            help="Network file (YAML), or a name: NAME.yaml in workloads/networks, networks, or networks beside it.",
            show_default=False,
            autocompletion=completion.networks,
        ),
    ],
    on: Annotated[
        str | None,
        typer.Option(
            metavar="BLOCK",
            help="Where to run it. Default: the fastest block that runs at least half of its layers.",
            autocompletion=completion.compute_blocks,
        ),
    ] = None,
    map_: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="LAYER=BLOCK",
            help="Run this layer on another block. May be repeated.",
        ),
    ] = None,
    set_: Settings = None,
    corner: Corner = "typical",
    json: JsonFile = None,
) -> None:
    """Run NETWORK once, alone, on one block of PLATFORM: work, bytes, time, energy and bottleneck of every layer.

    Layers that the block does not run go to another one, and so do those of --map. The numbers are those of
    `tlm3d run` for this one task.
    """
    from tlm3d.reporters import explain as reporter
    from tlm3d.simulation import explain as explained
    from tlm3d.spec.network import find_network, load_network
    from tlm3d.spec.pair import read_platform

    with errors(context):
        described = read_platform(platform, set_ or [], corner)
        file = find_network(network, completion.network_folders(Path(platform)))
        found = explained(described, load_network(file, corner), on, _mapped(map_ or []))
        tell(json, lambda: reporter.dumps(found), lambda console: reporter.render(found, console))


def _mapped(words: list[str]) -> dict[str, str]:
    """``LAYER=BLOCK`` as a mapping. Raises SpecError."""
    from tlm3d.errors import Problem, SpecError
    from tlm3d.units import clip

    mapped: dict[str, str] = {}
    for word in words:
        layer, equals, block = word.partition("=")
        if not (layer and equals and block):
            raise SpecError([Problem("--map", 0, 0, "", f"expected LAYER=BLOCK, got {clip(word)}")])
        if layer in mapped:
            raise SpecError([Problem("--map", 0, 0, "", f"layer {clip(layer)} is mapped twice")])
        mapped[layer] = block
    return mapped
