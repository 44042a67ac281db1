"""A smaller system that still shows what a larger one showed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any

from systems.pair import Pair

_NEEDED = {"name", "kind", "dies", "tier", "blocks", "tasks", "horizon"}  # without them nothing can be read, or is done


def shrunk(pair: Pair, shows: Callable[[Pair], bool], seconds: float = 30) -> Pair:
    """``pair`` without all that can go, one thing after the other, as long as ``shows`` says yes.

    ``shows`` may raise, which is a no: not all that is left can be read.
    """
    until_s = time.monotonic() + seconds

    def still(smaller: Pair) -> bool:
        try:
            return shows(smaller)
        except Exception:
            return False

    horizon_ps = int(pair.workload["horizon"].split()[0])
    while still(shorter := pair.with_workload(horizon=f"{(horizon_ps := horizon_ps // 2)} ps")):
        pair = shorter
    went = True
    while went and time.monotonic() < until_s:
        went = False
        for path in _places(pair):
            if time.monotonic() > until_s:
                break
            smaller = _without(pair, path)
            if smaller is not None and still(smaller):
                pair, went = smaller, True
    return pair


def _places(pair: Pair) -> list[tuple[Any, ...]]:
    """Of all that may go: tasks first, then by depth."""
    trees = {"workload": pair.workload, "platform": pair.platform, "networks": pair.networks}
    return sorted((place for name, tree in trees.items() for place in _paths(tree, (name,))), key=len)


def _paths(tree: Any, above: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """Of all that may go, the outermost first; of a list the last first, so that the places of others stay."""
    keys = list(tree) if isinstance(tree, dict) else list(reversed(range(len(tree)))) if isinstance(tree, list) else []
    for key in keys:
        if key not in _NEEDED:
            yield (*above, key)
    for key in keys:
        yield from _paths(tree[key], (*above, key))


def _without(pair: Pair, path: tuple[Any, ...]) -> Pair | None:
    """``pair`` without what stands at ``path``; None where it has gone with something else."""
    tree = deepcopy(getattr(pair, path[0]))
    node = tree
    try:
        for key in path[1:-1]:
            node = node[key]
        del node[path[-1]]
    except (KeyError, IndexError, TypeError):
        return None
    smaller = replace(pair, **{path[0]: tree})
    used = {task.get("network") for task in smaller.workload.get("tasks", {}).values()}
    return replace(smaller, networks={name: net for name, net in smaller.networks.items() if name in used})
