"""``tlm3d list``: the kinds there are, and the networks of a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tlm3d.cli import completion
from tlm3d.cli.completion import LISTS, NETWORKS
from tlm3d.cli.terminal import complain, console, errors, output

if TYPE_CHECKING:
    from tlm3d.reporters.listing import KeyRow, KindRow

NAME = "list_"
SHORT = "List blocks, links, policies, every other kind, networks."
EXAMPLES = (
    "tlm3d list blocks",
    "tlm3d list blocks riscv-cluster",
    "tlm3d list dataflows systolic",
    "tlm3d list supplies switching",
    "tlm3d list policies",
    "tlm3d list plans heft",
    "tlm3d list networks --folder workloads/networks",
    "tlm3d list networks resnet8",
)


def list_(
    context: typer.Context,
    what: Annotated[
        str,
        typer.Argument(
            metavar=f"{{{'|'.join(LISTS)}}}", help="What to list.", show_default=False, autocompletion=completion.lists
        ),
    ],
    name: Annotated[
        str | None,
        typer.Argument(help="Show this one in full.", show_default=False, autocompletion=completion.listed),
    ] = None,
    folder: Annotated[Path, typer.Option(metavar="DIR", help="Where the networks are.")] = NETWORKS,
) -> None:
    """List what may stand in files: kinds with the distribution they come from, networks with their size.

    With NAME, one kind with all its keys, or one network with all its layers.
    """
    from tlm3d.errors import Problem, SpecError, did_you_mean, one_of
    from tlm3d.units import clip

    with errors(context):
        if what not in LISTS:
            message = f"no list of {clip(what)}{did_you_mean(what, LISTS) or one_of(LISTS)}"
            raise SpecError([Problem("list", 0, 0, "", message)])
        failed = _networks(folder, name) if what == "networks" else _kinds(what, name)
        raise typer.Exit(2 if failed else 0)


def _kinds(slot: str, name: str | None) -> bool:
    """Show the kinds of ``slot``, or one of them; whether some cannot be loaded."""
    from tlm3d.errors import PluginError
    from tlm3d.plugins import kinds, load_kind
    from tlm3d.reporters import listing

    if name is not None:
        found = load_kind(slot, name)
        keys = list(_keys(slot, name)) if slot not in ("plans", "policies") else []
        with output():
            listing.render_kind(_row(slot, name, found), _paragraphs(found.__doc__ or ""), keys, console())
        return False
    rows: list[KindRow] = []
    broken: list[PluginError] = []
    for kind in kinds(slot):
        try:
            rows.append(_row(slot, kind, load_kind(slot, kind)))
        except PluginError as error:
            broken.append(error)
    with output():
        listing.render_kinds(rows, console())
    for one in broken:
        complain(one)
    return bool(broken)


def _row(slot: str, name: str, kind: Any) -> KindRow:
    import sys

    from tlm3d.plugins import distribution, kinds
    from tlm3d.reporters.listing import KindRow

    module = sys.modules[kind.__module__]
    # A file that holds one kind says what it is in its first line; else the class has to.
    text = module.__doc__ if getattr(module, "KIND", None) is kind else kind.__doc__
    first, *_ = _paragraphs(text or "") or ["-"]
    return KindRow(name, first, distribution(kinds(slot)[name]))


def _paragraphs(text: str) -> list[str]:
    """The paragraphs of a docstring, each in one line and without marks of code."""
    return [" ".join(part.split()).replace("``", "") for part in text.strip().split("\n\n") if part.strip()]


def _keys(slot: str, name: str) -> Iterator[KeyRow]:
    """The keys of a kind, nested ones after the key they stand in; what a key is at each corner is not one more."""
    from tlm3d.reporters.listing import KeyRow
    from tlm3d.spec.corners import CORNERS
    from tlm3d.spec.schema import kind_schema

    def walk(node: dict[str, Any], prefix: str) -> Iterator[KeyRow]:
        if tuple(node.get("properties", ()))[: len(CORNERS)] == CORNERS:  # perhaps with those of a scaled energy
            return
        for key, value in node.get("properties", {}).items():
            default = "required" if key in node.get("required", ()) else _written(value.get("default", "-"))
            yield KeyRow(prefix + key, default, value.get("description", ""))
            yield from walk(value, f"{prefix}{key}.")
            if isinstance(value.get("additionalProperties"), dict):
                yield from walk(value["additionalProperties"], f"{prefix}{key}.*.")

    return walk(kind_schema(slot, name), "")


def _written(value: Any) -> str:
    """A default as a file would have it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_written(inner)}" for key, inner in value.items()) + "}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _networks(folder: Path, name: str | None) -> bool:
    """Show the networks of ``folder``, or one of them; whether some have mistakes."""
    from tlm3d.errors import Problem, SpecError
    from tlm3d.reporters import listing
    from tlm3d.spec.network import find_network, load_network

    if name is not None:
        file = find_network(name, [folder])
        network = load_network(file)
        with output():
            listing.render_network(file.stem, network, console())
        return False
    if not folder.is_dir():
        raise SpecError([Problem(str(folder), 0, 0, "", "no such folder; --folder says where the networks are")])
    found = []
    wrong: list[SpecError] = []
    for file in sorted(folder.glob("*.yaml")):
        try:
            found.append((file.stem, load_network(file)))
        except SpecError as error:
            wrong.append(error)
    if not found and not wrong:
        raise SpecError([Problem(str(folder), 0, 0, "", "no network files (*.yaml) in this folder")])
    with output():
        listing.render_networks(found, console())
    for one in wrong:
        complain(one)
    return bool(wrong)
