"""One file adds a kind: slot + name → class.

A slot is a package folder (``blocks``, ``links``, ``policies``); the kind ``riscv-cluster`` is the module
``riscv_cluster`` in it, whose ``KIND`` is the class. Other distributions add kinds through entry-point groups
``tlm3d.blocks`` and so on. The built-in kinds use the same door.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module, metadata
from importlib.resources import files
from typing import Any

from tlm3d.errors import PluginError, did_you_mean
from tlm3d.units import clip


@cache
def kinds(slot: str) -> dict[str, str]:
    """All kinds of a slot, by name: where each comes from. Raises PluginError when one name has two definitions."""
    folder = files("tlm3d") / slot
    stems = sorted(entry.name.removesuffix(".py") for entry in folder.iterdir() if entry.name.endswith(".py"))
    found = {stem.replace("_", "-"): f"tlm3d.{slot}.{stem}:KIND" for stem in stems if not stem.startswith("_")}
    origin = dict.fromkeys(found, "tlm3d")
    for entry in metadata.entry_points(group=f"tlm3d.{slot}"):
        owner = entry.dist.name if entry.dist else "an unknown distribution"
        if entry.name in found:
            raise PluginError(f"{slot}: kind {clip(entry.name)} is defined by {origin[entry.name]} and by {owner}")
        found[entry.name], origin[entry.name] = entry.value, owner
    return dict(sorted(found.items()))


@cache
def load_kind(slot: str, name: str) -> Any:
    """The class of kind ``name`` in ``slot``. Raises PluginError (unknown, or fails to import)."""
    known = kinds(slot)
    if name not in known:
        what = {"blocks": "block kind", "links": "link kind", "policies": "policy"}.get(slot, slot)
        hint = did_you_mean(name, known) or f"; expected one of: {', '.join(known)}"
        raise PluginError(f"unknown {what} {clip(name)}{hint}")
    module, _, attribute = known[name].partition(":")
    try:
        return getattr(import_module(module), attribute)
    except Exception as error:
        raise PluginError(f"{slot}: kind {clip(name)} ({known[name]}) cannot be loaded: {error}") from error
