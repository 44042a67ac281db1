"""Small systems as trees of text, ready to run: what a YAML file would hold, without the file."""

from __future__ import annotations

import json
import random
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from systems.pair import as_text
from tlm3d.analysis.judge import judge
from tlm3d.analysis.result import Result
from tlm3d.model.system import System
from tlm3d.record.recording import Recording, Span
from tlm3d.spec.platform import platform_of
from tlm3d.spec.source import Source
from tlm3d.spec.workload import workload_of

Tree = dict[str, Any]
_UNORDERED = {"limits"}  # lists whose order means nothing


@dataclass(frozen=True)
class Case:
    """A platform, a workload and its networks by name; numbers may be plain integers."""

    platform: Tree
    workload: Tree
    networks: dict[str, Tree] = field(default_factory=dict)
    policy: str = "edf"
    horizon_ps: int = 10**12
    seed: int = 0

    def system(self) -> System:
        with TemporaryDirectory() as folder:
            (Path(folder) / "networks").mkdir()
            for name, tree in self.networks.items():
                (Path(folder) / "networks" / f"{name}.yaml").write_text(json.dumps(tree))
            workload = workload_of(Source("workload", as_text(self.workload)), Path(folder))
        platform = platform_of(Source("platform", as_text(self.platform)))
        return System(platform, workload, self.policy, self.horizon_ps, self.seed)

    def run(self) -> Recording:
        return self.system().run()

    def judge(self) -> Result:
        return judge(self.run())

    def shuffled(self, seed: int) -> Case:
        """The same system with the lines of both files in another order."""
        platform, workload = shuffled_tree(self.platform, seed), shuffled_tree(self.workload, seed)
        return Case(platform, workload, self.networks, self.policy, self.horizon_ps, self.seed)


def shuffled_tree(tree: Tree, seed: int) -> Any:
    """``tree`` with the entries of every mapping, and of every list whose order means nothing, in another order."""
    return _shuffled(tree, random.Random(seed))


def _shuffled(tree: Any, order: random.Random) -> Any:
    if not isinstance(tree, dict):
        return deepcopy(tree)
    items = [(key, _shuffled(value, order)) for key, value in tree.items()]
    order.shuffle(items)
    shuffled = dict(items)
    for key in _UNORDERED & shuffled.keys():
        order.shuffle(shuffled[key])
    return shuffled


@dataclass
class TileTimes:
    """What one tile did on its block: its loads in order, its computation, its store."""

    key: tuple[str, int, str, int]  # task, index, layer, tile
    loads: list[tuple[int, int]] = field(default_factory=list)
    compute: tuple[int, int] = (-1, -1)
    store: tuple[int, int] | None = None

    @property
    def begin_ps(self) -> int:
        """When it was committed: its first load starts (its computation where it loads nothing)."""
        return self.loads[0][0] if self.loads else self.compute[0]

    @property
    def loaded_ps(self) -> int:
        return self.loads[-1][1] if self.loads else self.compute[0]

    @property
    def done_ps(self) -> int:
        return self.store[1] if self.store else self.compute[1]


def tiles_of(spans: list[Span], block: str) -> list[TileTimes]:
    """The tiles that computed on ``block``, in order of their computation, which is that of their commitment."""
    tiles: dict[tuple[str, int, str, int], TileTimes] = {}
    for span in spans:
        if span.component.name != block or span.what not in ("load", "compute", "store"):
            continue
        key = (span.task, span.index, span.layer, span.tile)
        tile = tiles.setdefault(key, TileTimes(key))
        times_ps = (span.start_ps, span.end_ps)
        if span.what == "load":
            tile.loads.append(times_ps)
        elif span.what == "compute":
            tile.compute = times_ps
        else:
            tile.store = times_ps
    return sorted((t for t in tiles.values() if t.compute[0] >= 0), key=lambda t: t.compute)
