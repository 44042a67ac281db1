"""A system as trees of text, what YAML files would hold, read without the files."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from tlm3d.spec.platform import PlatformSpec, platform_of
from tlm3d.spec.source import Source
from tlm3d.spec.workload import WorkloadSpec, workload_of

Tree = dict[str, Any]

NS, US, MS = 10**3, 10**6, 10**9  # ps
MANY = 10_000  # waiting jobs, as good as any number


@dataclass(frozen=True)
class Pair:
    """A platform and a workload, whose policy and horizon stand in it; numbers may be plain integers."""

    platform: Tree
    workload: Tree
    networks: dict[str, Tree] = field(default_factory=dict)
    traces: dict[str, str] = field(default_factory=dict)  # file → its text
    seed: int = 0  # of the draws of a run

    def read(self) -> tuple[PlatformSpec, WorkloadSpec]:
        """Raises SpecError."""
        platform = platform_of(Source("platform.yaml", as_text(self.platform)))
        if not self.networks and not self.traces:
            return platform, workload_of(Source("workload.yaml", as_text(self.workload)), Path())
        with TemporaryDirectory() as folder:
            self._write_beside(Path(folder), json.dumps)
            return platform, workload_of(Source("workload.yaml", as_text(self.workload)), Path(folder))

    def write(self, folder: Path) -> None:
        """As files that ``tlm3d run folder/platform.yaml folder/workload.yaml --seed …`` takes."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, tree in (("platform", self.platform), ("workload", self.workload)):
            (folder / f"{name}.yaml").write_text(as_yaml(tree), encoding="utf-8")
        self._write_beside(folder, as_yaml)

    def text(self) -> str:
        """All files one below the other."""
        parts = [f"# run with --seed {self.seed}"]
        trees = {"platform": self.platform, "workload": self.workload}
        trees |= {f"networks/{name}": tree for name, tree in self.networks.items()}
        parts += [f"# {name}.yaml\n{as_yaml(tree)}" for name, tree in trees.items()]
        parts += [f"# {name}\n{text}" for name, text in self.traces.items()]
        return "\n".join(parts)

    def with_workload(self, **keys: Any) -> Pair:
        """The same with other keys at the top of the workload."""
        return replace(self, workload={**self.workload, **keys})

    def _write_beside(self, folder: Path, written: Any) -> None:
        if self.networks:
            (folder / "networks").mkdir(exist_ok=True)
        for name, tree in self.networks.items():
            (folder / "networks" / f"{name}.yaml").write_text(written(as_text(tree)), encoding="utf-8")
        for name, text in self.traces.items():
            (folder / name).write_text(text, encoding="utf-8")


def as_text(tree: Any) -> Any:
    """Every scalar as the text a YAML file would have."""
    if isinstance(tree, dict):
        return {key: as_text(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [as_text(value) for value in tree]
    return str(tree).lower() if isinstance(tree, bool) else str(tree)


def as_yaml(tree: Any) -> str:
    """``tree`` as a YAML file."""

    def plain(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: plain(value) for key, value in node.items()}
        return [plain(value) for value in node] if isinstance(node, list | tuple) else node

    return str(yaml.safe_dump(plain(tree), default_flow_style=None, sort_keys=False, width=160))


def ps(time_ps: float) -> str:
    return f"{max(0, int(time_ps))} ps"


def chance(r: Random, share: float) -> bool:
    return r.random() < share


def uunifast(r: Random, n: int, total: float) -> list[float]:
    """n utilisations that add up to ``total``, uniform over all that do (Bini & Buttazzo 2005)."""
    shares, rest = [], total
    for i in range(1, n):
        left = rest * r.random() ** (1 / (n - i))
        shares.append(rest - left)
        rest = left
    return [*shares, rest]
