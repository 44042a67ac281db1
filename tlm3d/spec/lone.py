"""The workload of one network alone on a platform: one inference on one block where that can be, or its task's jobs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from tlm3d.blocks import ComputeSpec
from tlm3d.cnn.layers import Layer, shape_of
from tlm3d.cnn.network import Network
from tlm3d.errors import Problem, SpecError, did_you_mean, one_of
from tlm3d.spec.corners import TYPICAL
from tlm3d.spec.platform import PlatformSpec, block_names, find_block
from tlm3d.spec.source import Source, Tree
from tlm3d.spec.workload import Task, TaskSpec, WorkloadSpec
from tlm3d.units import ceil_div, clip

TASK = "inference"  # the one task; not the network's name, which may be any text
# One inference and the next one never: 10^24 ps are 32 000 years.
LONG_PS = 10**24


class Placement(NamedTuple):
    """Where each layer of a network runs: on ``block`` (``die.block``), or elsewhere: it cannot, or was not to."""

    block: str
    by_layer: dict[str, str]

    @property
    def elsewhere(self) -> dict[str, str]:
        """The layers that do not run on ``block``, and where they go."""
        return {layer: block for layer, block in self.by_layer.items() if block != self.block}


def placements(
    platform: PlatformSpec, network: Network, on: str | None = None, mapped: Mapping[str, str] | None = None
) -> tuple[Placement, ...]:
    """What may run ``network``: all of it on block ``on``, or on each block that runs at least half of its layers.

    Where no block does, on those that run most. Layers that a block does not run go to the block that runs most of
    those; ties by name. Those of ``mapped`` (layer → block) run there in any case. Raises SpecError when ``on`` or a
    block of ``mapped`` is no compute block or does not run that layer, or a layer runs nowhere.
    """
    blocks = dict(_compute_blocks(platform))
    nowhere = [one for one in network.layers if not any(block.runs(one) for block in blocks.values())]
    if nowhere:
        message = f"no block of this platform runs {_what(nowhere, blocks)} of {network.name}"
        raise SpecError([Problem(platform.source.file, 0, 0, "", message)])
    chosen = [_named(platform, on, blocks, "--on")] if on is not None else list(blocks)
    fixed = _fixed(platform, network, mapped or {}, blocks)
    runs = {name: sum(block.runs(layer) for layer in network.layers) for name, block in blocks.items()}
    enough = min(ceil_div(len(network.layers), 2), max(runs[name] for name in chosen))
    return tuple(_placement(blocks, network, name, fixed) for name in chosen if runs[name] >= enough)


def _fixed(
    platform: PlatformSpec, network: Network, mapped: Mapping[str, str], blocks: Mapping[str, ComputeSpec]
) -> dict[str, str]:
    """``mapped``, checked, with its blocks as ``die.block``."""
    layers = {layer.name: layer for layer in network.layers}
    fixed: dict[str, str] = {}
    for name, reference in mapped.items():
        if name not in layers:
            hint = did_you_mean(name, layers) or one_of(layers)
            message = f"no layer {clip(name)} in network {network.name}{hint}"
            raise SpecError([Problem("--map", 0, 0, "", message)])
        fixed[name] = _named(platform, reference, blocks, "--map")
        if not blocks[fixed[name]].runs(layers[name]):
            runs = one_of(block for block, spec in blocks.items() if spec.runs(layers[name]))
            message = f"{fixed[name]} does not run {name}, a {shape_of(layers[name])}{runs}"
            raise SpecError([Problem("--map", 0, 0, "", message)])
    return fixed


def _what(nowhere: Sequence[Layer], blocks: Mapping[str, ComputeSpec]) -> str:
    """The kinds of layer that run nowhere; where blocks run all of those kinds, what else the first layer is."""
    unknown = [layer for layer in nowhere if not any(block.supports(layer.kind) for block in blocks.values())]
    first = (unknown or nowhere)[0]
    what = f"{', '.join(sorted({one.kind for one in unknown}))} layers" if unknown else f"a {shape_of(first)}"
    return f"{what}, such as {first.name}"


def _compute_blocks(platform: PlatformSpec) -> Iterator[tuple[str, ComputeSpec]]:
    for die, spec in platform.dies.items():
        for name, block in spec.blocks.items():
            if isinstance(block, ComputeSpec):
                yield f"{die}.{name}", block


def _named(platform: PlatformSpec, reference: str, blocks: Mapping[str, ComputeSpec], option: str) -> str:
    """The compute block that ``option`` names, as ``die.block``."""
    found = find_block(platform.dies, reference, None)
    if found is not None and ".".join(found) in blocks:
        return ".".join(found)
    usable = block_names(platform.dies, "compute")
    several = [name for name in blocks if name.endswith(f".{reference}")]
    if len(several) > 1:
        message = f"{clip(reference)} is on several dies: say {' or '.join(several)}"
    elif found is not None:
        kind = platform.dies[found[0]].blocks[found[1]].kind
        message = f"{clip(reference)} is a {kind} and runs no layers{one_of(usable)}"
    else:
        hint = did_you_mean(reference, usable) or one_of(usable)
        message = f"no block {clip(reference)} that runs layers in platform {platform.name}{hint}"
    raise SpecError([Problem(option, 0, 0, "", message)])


def _placement(blocks: dict[str, ComputeSpec], network: Network, on: str, fixed: Mapping[str, str]) -> Placement:
    left = [layer for layer in network.layers if not blocks[on].runs(layer)]
    takes = Counter({name: sum(block.runs(layer) for layer in left) for name, block in blocks.items()})
    order = [on, *sorted(blocks, key=lambda name: (-takes[name], name))]
    return Placement(
        on,
        {layer.name: next(b for b in order if blocks[b].runs(layer)) for layer in network.layers} | dict(fixed),
    )


def lone_workload(network: Network, placement: Placement, corner: str = TYPICAL) -> WorkloadSpec:
    """One task that runs ``network``, read at ``corner``, once, its layers placed by ``placement``."""
    spec = TaskSpec.model_validate(
        {
            "network": network.name,
            "period": f"{LONG_PS} ps",
            "map": {"default": placement.block, **placement.elsewhere},
        }
    )
    task = Task(TASK, spec, network, {layer: (block,) for layer, block in placement.by_layer.items()})
    tree: Tree = {"tasks": {TASK: {}}}
    return WorkloadSpec(network.name, "edf", LONG_PS, {TASK: task}, Source(network.name, tree), corner=corner)


def lone_tasks(workload: WorkloadSpec) -> dict[str, WorkloadSpec]:
    """By network task, the workload without the other tasks, but for those whose jobs release its own.

    Raises SpecError where no task runs a network.
    """
    networks = [name for name, task in workload.tasks.items() if task.network is not None]
    if not networks:
        message = "no task of this workload runs a network: there is nothing to score"
        raise SpecError([Problem(workload.source.file, 0, 0, "", message)])
    return {name: replace(workload, tasks=_with_parents(workload, name), chains={}) for name in networks}


def _with_parents(workload: WorkloadSpec, name: str) -> dict[str, Task]:
    """The task ``name``, the one it comes after, and so on, in the workload's order."""
    needed = {name}
    while (after := workload.tasks[name].spec.after) is not None:
        name = after.task
        needed.add(name)
    return {task: spec for task, spec in workload.tasks.items() if task in needed}
