"""A file of any kind: what it describes is told by its keys."""

from __future__ import annotations

from pathlib import Path

from tlm3d.cnn.network import Network
from tlm3d.errors import Problem, SpecError
from tlm3d.spec.corners import CORNERS, TYPICAL, check_corner
from tlm3d.spec.network import network_of
from tlm3d.spec.plan import Plan, plan_of
from tlm3d.spec.platform import PlatformSpec, platform_of
from tlm3d.spec.source import Source, read_source
from tlm3d.spec.validate import file_kind
from tlm3d.spec.workload import WorkloadSpec, workload_of

Description = PlatformSpec | WorkloadSpec | Network | Plan


def read_any(path: str | Path, corner: str = TYPICAL) -> Description:
    """The description in ``path`` at ``corner``; ``dies``, ``tasks``, ``layers``, ``planned`` tell what it is.

    Raises SpecError with the problems of every corner, each once.
    """
    check_corner(corner)
    source = read_source(path)
    found: list[Problem] = []
    described: dict[str, Description] = {}
    for one in CORNERS:
        try:
            described[one] = _describe(source, Path(path).parent, one)
        except SpecError as error:
            found += error.problems
    if found:
        raise SpecError(sorted(set(found)))
    return described[corner]


def _describe(source: Source, folder: Path, corner: str) -> Description:
    match file_kind(source.tree):
        case "platform":
            return platform_of(source, corner)
        case "workload":
            return workload_of(source, folder, corner)
        case "network":
            return network_of(source, corner)
        case "plan":
            return plan_of(source)
    kinds = "a platform (key 'dies'), a workload (key 'tasks'), a network (key 'layers') or a plan (key 'planned')"
    message = f"expected {kinds}"
    raise SpecError([Problem(source.file, 1, 1, "", message)])


def describe(spec: Description) -> str:
    """One line on what the file holds."""
    if isinstance(spec, PlatformSpec):
        blocks = sum(len(die.blocks) for die in spec.dies.values())
        parts = (_count(len(spec.dies), "die"), _count(blocks, "block"), _count(len(spec.links), "link"))
        return f"platform {spec.name}: {', '.join(parts)}"
    if isinstance(spec, WorkloadSpec):
        return f"workload {spec.name}: {_count(len(spec.tasks), 'task')}, policy {spec.policy}"
    if isinstance(spec, Plan):
        items = sum(len(task.items) for task in spec.tasks.values())
        what = f"{_count(len(spec.tasks), 'task')}, {items} stages and layers"
        return f"plan {spec.method} for {spec.workload} on {spec.platform}: {what}"
    layers = _count(len(spec.layers), "layer")
    return f"network {spec.name}: {layers}, {spec.macs} MAC, {spec.weight_bytes} B of weights"


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"
