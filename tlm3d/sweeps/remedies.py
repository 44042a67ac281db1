"""What could be made different about the causes of a job's response, and a platform and workload with it."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from tlm3d.analysis.why import Change, Part
from tlm3d.blocks import BlockSpec, ComputeSpec, ProgrammableSpec
from tlm3d.plugins import kinds
from tlm3d.spec.platform import PlatformSpec, platform_of
from tlm3d.spec.source import Source, Tree, override
from tlm3d.spec.workload import WorkloadSpec
from tlm3d.units import scaled_text

_RIVALRY = ("np-block", "preempt", "resource", "link-queue")
_TRAFFIC = ("link-queue", "link-transfer", "memory")
_LOCAL = ("l1", "local")  # keys of the memory that tiles are cut to


def remedies(
    platform: PlatformSpec, workload: WorkloadSpec, policy: str, task: str, parts: Sequence[Part]
) -> tuple[Change, ...]:
    """Every single change that takes away something of ``parts``, each once, and every other policy.

    ``task`` is the one whose job it is: that one is never left out.
    """
    found: list[Change] = []
    for part in parts:
        cause = f"{part.bucket} at {part.where}"
        found += [replace(change, cause=cause) for change in _of_part(platform, workload, task, part)]
    found += [Change(f"policy {name}", policy=name) for name in kinds("policies") if name != policy]
    return tuple(dict.fromkeys(found))


def _of_part(platform: PlatformSpec, workload: WorkloadSpec, task: str, part: Part) -> Iterator[Change]:
    rival = part.holder.rpartition("#")[0]
    if part.bucket in _RIVALRY and rival in workload.tasks and rival != task:
        yield _without(workload, rival)
    if part.bucket in _TRAFFIC:
        yield from _faster(platform, part.where)
    block = _block(platform, part.where)
    if part.bucket == "np-block" and block is not None:
        yield from _smaller_tiles(platform, part.where, block)
        yield from _preemptible(platform, part.where, block)
    if part.bucket == "wake-up":
        yield from _always_on(platform, part.where)
    if part.bucket == "overhead" and block is not None and getattr(block, "context_switch_ps", None):
        setting = f"{_path(part.where)}.context_switch=0 s"
        yield Change(f"{part.where} switching between jobs at no cost", (setting,))


def fixed(parts: Sequence[Part], changes: Sequence[Change]) -> tuple[str, ...]:
    """What of ``parts`` no change takes away, a sentence a cause."""
    told = []
    for bucket, words in _FIXED.items():
        time_ps = sum(part.time_ps for part in parts if part.bucket == bucket)
        places = dict.fromkeys(part.where for part in parts if part.bucket == bucket)
        if time_ps and not (bucket == "overhead" and any("context_switch" in "".join(c.settings) for c in changes)):
            told.append(f"{bucket} at {', '.join(places)}: {words}")
    return tuple(told)


_FIXED = {
    "sensing": "nothing to take away, the input takes its time to arrive",
    "compute": "the work itself, nothing to take away",
    "throttle": "nothing to take away",
    "input-late": "nothing to take away",
    "overhead": "nothing to take away",
}


def _without(workload: WorkloadSpec, rival: str) -> Change:
    """``rival`` left out, with all that it releases; what chains miss then is said."""
    gone = [rival]
    for name in gone:  # grows while it is walked
        gone += [child for child, parent in _parents(workload).items() if parent == name and child not in gone]
    words = f"without {rival}"
    if gone[1:]:
        words += f" and {', '.join(gone[1:])}, which it releases"
    chains: dict[str, Any] = getattr(workload, "chains", {})
    cut = [name for name, chain in chains.items() if not set(gone).isdisjoint(chain.tasks)]
    if cut:
        words += f", nor the chain{'s' if cut[1:] else ''} {', '.join(cut)}"
    return Change(words, without=tuple(gone))


def _parents(workload: WorkloadSpec) -> dict[str, str]:
    """By task that a finished job of another one releases, that other one."""
    afters = {name: getattr(task.spec, "after", None) for name, task in workload.tasks.items()}
    return {name: after.task for name, after in afters.items() if after is not None}


def _faster(platform: PlatformSpec, channel: str) -> Iterator[Change]:
    """The link, bus, port or DMA behind ``channel`` at twice its rate."""
    where = _channel_path(channel)
    rate = _text(platform.source, f"{where}.rate")
    if rate is None:
        return
    twice = scaled_text(rate, Fraction(2))
    each = " a lane" if _text(platform.source, f"{where}.lanes") is not None else ""
    yield Change(f"{_part_name(where)} at twice the rate, {twice}{each}", (f"{where}.rate={twice}",))


def _smaller_tiles(platform: PlatformSpec, where: str, block: BlockSpec) -> Iterator[Change]:
    if not isinstance(block, ComputeSpec):
        return
    for key in _LOCAL:
        size = _text(platform.source, f"{_path(where)}.{key}")
        if size is not None:
            half = scaled_text(size, Fraction(1, 2))
            yield Change(f"smaller tiles on {where}: {key} halved to {half}", (f"{_path(where)}.{key}={half}",))


def _preemptible(platform: PlatformSpec, where: str, block: BlockSpec) -> Iterator[Change]:
    """``where`` preempted at once, or at the borders of tiles where its kind can do no better."""
    now = getattr(block, "preemption", None)
    better = "full" if isinstance(block, ProgrammableSpec) else "tile"
    if now in (None, "full", better):
        return
    path = _path(where)
    unused = (f"{path}.tile",) if _text(platform.source, f"{path}.tile") is not None else ()
    yield Change(f"{where} with preemption: {better}, not {now}", (f"{path}.preemption={better}",), unused)


def _always_on(platform: PlatformSpec, where: str) -> Iterator[Change]:
    """The gated part at ``where``; where that is another part of the same route, each gated link and memory."""
    own = _block_or_channel(where)
    paths = [path for path in own if _gating(platform, path)] or _gated_channels(platform)
    for path in paths:
        yield Change(f"{_part_name(path)} always on, never gated", removed=(_gating(platform, path),))


def _gating(platform: PlatformSpec, path: str) -> str:
    """The path of what gates the part at ``path``; empty where nothing does."""
    keys = (f"{path}.states.gated", f"{path}.gated")
    return next((key for key in keys if _at(platform.source.tree, key) is not None), "")


def _gated_channels(platform: PlatformSpec) -> list[str]:
    paths = [f"links.{name}" for name in platform.links]
    for die, spec in platform.dies.items():
        paths += [f"dies.{die}.bus"] if spec.bus is not None else []
        paths += [f"dies.{die}.blocks.{name}" for name, block in spec.blocks.items() if block.ROLE == "memory"]
    return [path for path in paths if _gating(platform, path)]


# ------------------------------------------------------------ paths


def _path(block: str) -> str:
    """The path of ``die.block``."""
    die, _, name = block.partition(".")
    return f"dies.{die}.blocks.{name}"


def _channel_path(channel: str) -> str:
    """The path of what the channel is one of: ``tsv:logic>npu``, ``logic.bus``, ``logic.l2``, ``logic.cluster.in``."""
    link, colon, _ = channel.partition(":")
    if colon:
        return f"links.{link}"
    die, _, rest = channel.partition(".")
    if rest == "bus":
        return f"dies.{die}.bus"
    block, dot, _ = rest.partition(".")
    return f"dies.{die}.blocks.{block}" + (".dma" if dot else "")


def _block_or_channel(where: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((_path(where), _channel_path(where)) if ":" not in where else (_channel_path(where),)))


def _part_name(path: str) -> str:
    """What the part at ``path`` is called: ``link tsv``, ``logic.bus``, ``logic.l2``, ``DMA of logic.cluster``."""
    kind, *names = path.split(".")
    if kind == "links":
        return f"link {names[0]}"
    named = ".".join(name for i, name in enumerate(names) if i != 1 or name != "blocks")
    return f"DMA of {named.removesuffix('.dma')}" if named.endswith(".dma") else named


def _block(platform: PlatformSpec, where: str) -> BlockSpec | None:
    die, _, name = where.partition(".")
    return platform.dies[die].blocks.get(name) if die in platform.dies else None


def _at(tree: Tree, path: str) -> Tree:
    """What stands at ``path``, None where nothing does."""
    for step in path.split("."):
        if not isinstance(tree, dict) or step not in tree:
            return None
        tree = tree[step]
    return tree


def _text(source: Source, path: str) -> str | None:
    found = _at(source.tree, path)
    return found if isinstance(found, str) else None


# ------------------------------------------------------------ making a change


def compatible(a: Change, b: Change) -> bool:
    """Whether two changes can be made together: they touch different things."""
    paths = [{path.partition("=")[0] for path in (*one.settings, *one.removed)} for one in (a, b)]
    policies = a.policy is not None and b.policy is not None
    return not policies and paths[0].isdisjoint(paths[1]) and set(a.without).isdisjoint(b.without)


def together(a: Change, b: Change) -> Change:
    """Both changes."""
    return Change(
        f"{a.words}; and {b.words}",
        (*a.settings, *b.settings),
        (*a.removed, *b.removed),
        (*a.without, *b.without),
        a.policy or b.policy,
    )


def changed(platform: PlatformSpec, workload: WorkloadSpec, change: Change) -> tuple[PlatformSpec, WorkloadSpec]:
    """The pair with ``change`` made, validated as a file would be. Raises SpecError, PluginError."""
    if change.settings or change.removed:
        platform = platform_of(_edited(platform.source, change.settings, change.removed), platform.corner)
    if change.without:
        workload = without_tasks(workload, change.without)
    return platform, workload


def _edited(source: Source, settings: Iterable[str], removed: Iterable[str]) -> Source:
    edited = replace(source, tree=copy.deepcopy(source.tree), values=dict(source.values), keys=dict(source.keys))
    for setting in settings:
        path, _, text = setting.partition("=")
        override(edited, path, text, f"--set {path}")
    for path in removed:
        parent, _, key = path.rpartition(".")
        del _at(edited.tree, parent)[key]
    return edited


def without_tasks(workload: WorkloadSpec, gone: Sequence[str]) -> WorkloadSpec:
    """``workload`` without some of its tasks, and without the chains through them."""
    tasks = {name: task for name, task in workload.tasks.items() if name not in gone}
    kept: dict[str, Any] = {"tasks": tasks}
    chains: dict[str, Any] | None = getattr(workload, "chains", None)
    if chains:
        kept["chains"] = {name: chain for name, chain in chains.items() if set(gone).isdisjoint(chain.tasks)}
    return replace(workload, **kept)
