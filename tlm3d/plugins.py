"""One file adds a kind: slot + name → class.

A slot is a package folder (``blocks``, ``dataflows``, ``kernels``, ``links``, ``plans``, ``policies``, ``supplies``);
the kind ``riscv-cluster`` is the module ``riscv_cluster`` in it, whose ``KIND`` is the class. Other distributions add
kinds through entry-point groups ``tlm3d.blocks`` and so on. The built-in kinds use the same door.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.resources import files
from typing import Any

from tlm3d.errors import PluginError, did_you_mean, one_of
from tlm3d.units import clip

_NOUNS = {
    "blocks": "block kind",
    "dataflows": "dataflow",
    "kernels": "kernel library",
    "links": "link kind",
    "plans": "planner",
    "policies": "policy",
    "supplies": "supply kind",
}
_SHARED = {"plans": {"graph", "schedule"}}  # modules of a slot that define what its kinds take and give, and no kind


@cache
def kinds(slot: str) -> dict[str, EntryPoint]:
    """All kinds of a slot, by name, and how to load each. Raises PluginError when one name has two definitions."""
    group = f"tlm3d.{slot}"
    folder = files("tlm3d") / slot
    stems = sorted(entry.name.removesuffix(".py") for entry in folder.iterdir() if entry.name.endswith(".py"))
    stems = [stem for stem in stems if not stem.startswith("_") and stem not in _SHARED.get(slot, ())]
    names = {stem.replace("_", "-"): f"{group}.{stem}:KIND" for stem in stems}
    found = {name: EntryPoint(name, value, group) for name, value in names.items()}
    for entry in entry_points(group=group):
        if entry.name in found:
            owners = f"{distribution(found[entry.name])} and by {distribution(entry)}"
            raise PluginError(f"{noun(slot)} {clip(entry.name)} is defined twice: by {owners}")
        found[entry.name] = entry
    return dict(sorted(found.items()))


@cache
def load_kind(slot: str, name: str) -> Any:
    """The class of kind ``name`` in ``slot``. Raises PluginError (unknown, defined twice, or fails to import)."""
    known = kinds(slot)
    if name not in known:
        raise PluginError(f"unknown {noun(slot)} {clip(name)}{did_you_mean(name, known) or one_of(known)}")
    entry = known[name]
    what = f"{noun(slot)} {clip(name)} of {distribution(entry)}"
    try:
        loaded = entry.load()
    except Exception as error:
        message = f"{what} cannot be loaded from {entry.value}: {type(error).__name__}: {error}"
        raise PluginError(message) from error
    if not isinstance(loaded, type):
        raise PluginError(f"{what} is no class: {entry.value}")
    return loaded


def noun(slot: str) -> str:
    """What a kind of ``slot`` is called in a message."""
    return _NOUNS.get(slot, slot)


def distribution(entry: EntryPoint) -> str:
    """The distribution that defines a kind."""
    if entry.dist is not None:
        return entry.dist.name
    return "tlm3d" if entry.value.startswith("tlm3d.") else "an unknown distribution"
