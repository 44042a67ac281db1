"""Platform files: dies, blocks, links, supply, limits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from tlm3d.blocks import BlockSpec, ComputeSpec, SensorSpec
from tlm3d.errors import PluginError, did_you_mean, one_of
from tlm3d.links import LinkSpec
from tlm3d.plugins import kinds, load_kind
from tlm3d.spec.corners import TYPICAL, at_corner
from tlm3d.spec.quantities import CountOrZero, DurationPs, Flag, Frozen, LimitNw, PowerNw, Title
from tlm3d.spec.source import Source, Where, read_source
from tlm3d.spec.validate import Problems, expect_file, shape
from tlm3d.supplies import SupplySpec
from tlm3d.units import clip


class LimitSpec(Frozen):
    """A power limit at the rail or the battery: at every instant, or on an average.

    Averaged over every ``window``, or exponentially with the time constant ``ewma``, ``from`` a power at t = 0.
    """

    limit_nw: LimitNw = Field(alias="limit")
    window_ps: DurationPs | None = Field(alias="window", default=None)
    peak: Flag = False
    ewma_ps: DurationPs | None = Field(alias="ewma", default=None)
    from_nw: PowerNw | None = Field(alias="from", default=None)
    at: Literal["rail", "battery"] = "rail"

    @property
    def kind(self) -> Literal["peak", "window", "ewma"]:
        """What is bounded: every instant, or which average."""
        return "peak" if self.peak else "ewma" if self.window_ps is None else "window"

    @model_validator(mode="after")
    def _one_definition(self) -> LimitSpec:
        if self.peak + (self.window_ps is not None) + (self.ewma_ps is not None) != 1:
            raise ValueError("expected one of 'window: <time>', 'ewma: <time>' and 'peak: true'")
        if self.from_nw is not None and self.ewma_ps is None:
            raise ValueError("'from' is what an average starts at: expected it beside 'ewma'")
        return self


@dataclass(frozen=True, slots=True)
class DieSpec:
    """One die: its tier (0 at the bottom), its blocks by name, its bus if it has one, the package it lies in."""

    tier: int
    blocks: dict[str, BlockSpec]
    bus: LinkSpec | None
    package: str = "stack"


@dataclass(frozen=True, slots=True)
class PlatformSpec:
    """A stack as written; blocks, dies and links in name order, so that the order of lines means nothing."""

    name: str
    dies: dict[str, DieSpec]
    links: dict[str, LinkSpec]
    limits: tuple[LimitSpec, ...]
    source: Source
    supply: SupplySpec | None = None  # None: the rail is all there is
    corner: str = TYPICAL  # which of its values at corners it has


_Broken = set[tuple[str, ...]]  # (die,) and (die, block) that are written but have problems of their own


class PlatformKeys(Frozen):
    """The keys of a platform file; what is in ``dies``, ``links`` and ``supply`` depends on their kinds."""

    name: Title
    limits: list[LimitSpec] = []
    supply: Any = None
    dies: dict[str, Any] = Field(min_length=1)
    links: dict[str, Any] = {}


class DieKeys(Frozen):
    """The keys of a die; what is in ``blocks`` and ``bus`` depends on their kinds."""

    tier: CountOrZero
    package: str = "stack"
    blocks: dict[str, Any] = {}
    bus: Any = None


def with_frame_rates(platform: PlatformSpec, rates_hz: dict[tuple[str, str], Fraction]) -> PlatformSpec:
    """``platform`` with the frame clocks of some of its cameras, by (die, block), set to other rates."""
    dies = dict(platform.dies)
    for (die, block), rate_hz in rates_hz.items():
        camera = dies[die].blocks[block].model_copy(update={"frame_rate_hz": rate_hz})
        dies[die] = replace(dies[die], blocks={**dies[die].blocks, block: camera})
    return replace(platform, dies=dies)


def load_platform(path: str | Path, corner: str = TYPICAL) -> PlatformSpec:
    """Read one platform file at ``corner`` (low, typical, high).

    Raises SpecError with every problem found, PluginError for a broken kind.
    """
    return platform_of(read_source(path), corner)


def platform_of(source: Source, corner: str = TYPICAL) -> PlatformSpec:
    """The platform described by ``source`` at ``corner`` (low, typical, high). Raises SpecError."""
    expect_file(source, "platform")
    source, found = at_corner(source, corner)
    problems = Problems(source, found)
    keys = problems.model(PlatformKeys, source.tree, ())
    tree = source.tree if isinstance(source.tree, dict) else {}
    dies, broken = _dies(problems, tree.get("dies"))
    links = _links(problems, tree.get("links"), dies, broken)
    supply = _kind(problems, "supplies", tree["supply"], ("supply",)) if "supply" in tree else None
    for i, limit in enumerate(keys.limits if keys and "supply" not in tree else ()):
        if limit.at == "battery":
            problems.add(("limits", i, "at"), "there is no battery: the platform has no 'supply'")
    _fill_homes(problems, dies, broken)
    _check_references(problems, dies, broken)
    problems.raise_any()
    assert keys is not None  # else raise_any has raised
    return PlatformSpec(keys.name, dies, links, tuple(sorted(keys.limits, key=_order)), source, supply, corner)


def _order(limit: LimitSpec) -> tuple[int, int, bool, int, int]:
    """Peaks, then windows, then exponential averages, the short before the long."""
    over_ps = limit.window_ps or limit.ewma_ps or 0
    kind = ("peak", "window", "ewma").index(limit.kind)
    return kind, over_ps, limit.at != "rail", limit.limit_nw, limit.from_nw or 0


def _dies(problems: Problems, tree: Any) -> tuple[dict[str, DieSpec], _Broken]:
    dies: dict[str, DieSpec] = {}
    broken: _Broken = set()
    for name, die in sorted(tree.items()) if isinstance(tree, dict) else ():
        where: Where = ("dies", name)
        problems.name(name, where)
        keys = problems.model(DieKeys, die, where)
        blocks_tree = die.get("blocks") if isinstance(die, dict) else None
        blocks: dict[str, BlockSpec] = {}
        for block, text in sorted(blocks_tree.items()) if isinstance(blocks_tree, dict) else ():
            problems.name(block, (*where, "blocks", block))
            spec = _kind(problems, "blocks", text, (*where, "blocks", block))
            if isinstance(spec, BlockSpec):
                blocks[block] = spec
            else:
                broken.add((name, block))
        bus = None
        if isinstance(die, dict) and "bus" in die:
            bus = _kind(problems, "links", die["bus"], (*where, "bus"))
            if isinstance(bus, LinkSpec):
                if not bus.WITHIN_DIE:
                    problems.add((*where, "bus", "kind"), f"a {bus.kind} joins dies; the bus of a die is on-chip")
                for key in ("between", "from", "to"):
                    if key in die["bus"]:
                        problems.add(
                            (*where, "bus", key), "a bus has no ends: it joins the blocks of its die", at_key=True
                        )
        if "bus" in blocks:
            problems.add(
                (*where, "blocks", "bus"), "'bus' names the bus of a die; the block needs another name", at_key=True
            )
        if keys is None:
            broken.add((name,))
        if keys is not None:
            problems.name(keys.package, (*where, "package"))
        place = (keys.tier, keys.package) if keys else (0, "stack")
        dies[name] = DieSpec(place[0], blocks, bus if isinstance(bus, LinkSpec) else None, place[1])
    return dies, broken


def _links(problems: Problems, tree: Any, dies: dict[str, DieSpec], broken: _Broken) -> dict[str, LinkSpec]:
    links: dict[str, LinkSpec] = {}
    for name, text in sorted(tree.items()) if isinstance(tree, dict) else ():
        where: Where = ("links", name)
        problems.name(name, where)
        spec = _kind(problems, "links", text, where)
        if not isinstance(spec, LinkSpec):
            continue
        links[name] = spec
        if spec.WITHIN_DIE:
            problems.add(
                (*where, "kind"), f"{spec.kind} is the bus of a die: write it as 'bus:' there, not under links"
            )
            continue
        one_way = spec.from_die is not None and spec.to_die is not None
        if (spec.between is not None) == one_way or (spec.from_die is None) != (spec.to_die is None):
            message = "expected the ends as 'between: [a, b]' or as 'from: a' and 'to: b'"
            problems.add(where, message, at_key=True)
            continue
        if spec.ONE_WAY and spec.between is not None:
            problems.add((*where, "between"), f"{spec.kind} is one way: expected 'from: a' and 'to: b'", at_key=True)
            continue
        ends: list[tuple[Where, str]] = []
        if spec.between is not None:
            ends = [((*where, "between", 0), spec.between[0]), ((*where, "between", 1), spec.between[1])]
        else:
            ends = [((*where, "from"), str(spec.from_die)), ((*where, "to"), str(spec.to_die))]
        for at, end in ends:
            if end not in dies:
                problems.add(at, f"no die {clip(end)}{did_you_mean(end, dies) or one_of(dies)}")
        if all(end in dies for _, end in ends):
            (_, a), (at, b) = ends
            if a == b:
                problems.add(at, f"a link joins two dies, got {clip(a)} twice")
            elif spec.ADJACENT_TIERS and not {(a,), (b,)} & broken:
                if dies[a].package != dies[b].package:
                    apart = f"{a} is in package {clip(dies[a].package)}, {b} in package {clip(dies[b].package)}"
                    problems.add(at, f"a {spec.kind} joins dies that touch; {apart}")
                elif abs(dies[a].tier - dies[b].tier) != 1:
                    tiers = f"{a} is on tier {dies[a].tier}, {b} on tier {dies[b].tier}"
                    problems.add(at, f"a {spec.kind} joins dies that touch; {tiers}")
    return links


def _kind(problems: Problems, slot: str, tree: Any, where: Where) -> Any:
    """The Spec of the kind that ``tree`` names, validated; None when it is not valid."""
    if not isinstance(tree, dict):
        problems.add(where, f"expected a mapping with the key 'kind' and the keys of that kind, got {shape(tree)}")
        return None
    name = tree.get("kind")
    if name is None:
        problems.add(where, f"missing key 'kind'{one_of(kinds(slot))}", at_key=True)
        return None
    if not isinstance(name, str):
        problems.add((*where, "kind"), f"expected the name of a kind, got {shape(name)}{one_of(kinds(slot))}")
        return None
    try:
        model = load_kind(slot, name)
    except PluginError as error:
        problems.add((*where, "kind"), str(error))
        return None
    return problems.model(model, tree, where)


def find_block(dies: dict[str, DieSpec], reference: str, here: str | None) -> tuple[str, str] | None:
    """(die, block) of ``reference``: ``die.block``, or ``block`` on die ``here``, or on the only die that has it."""
    die, dot, block = reference.rpartition(".")
    if dot:
        return (die, block) if die in dies and block in dies[die].blocks else None
    if here is not None and block in dies[here].blocks:
        return (here, block)
    found = [name for name, spec in dies.items() if block in spec.blocks]
    return (found[0], block) if len(found) == 1 else None


def block_names(dies: dict[str, DieSpec], role: str | None = None) -> list[str]:
    """The shortest reference to every block (of ``role``), for messages: ``block``, or ``die.block`` where needed."""
    pairs = [(d, b) for d, die in dies.items() for b, spec in die.blocks.items() if role in (None, spec.ROLE)]
    return sorted(b if find_block(dies, b, None) else f"{d}.{b}" for d, b in pairs)


def _fill_homes(problems: Problems, dies: dict[str, DieSpec], broken: _Broken) -> None:
    """A block that does not say its home has the only memory of its die."""
    for die_name, die in dies.items():
        memories = [name for name, block in die.blocks.items() if block.ROLE == "memory"]
        for name, block in die.blocks.items():
            if not isinstance(block, ComputeSpec | SensorSpec) or block.home is not None:
                continue
            if any(part[0] == die_name for part in broken):
                continue  # the memory may be the broken block
            if len(memories) == 1:
                die.blocks[name] = block.model_copy(update={"home": f"{die_name}.{memories[0]}"})
            else:
                count = "several memories" if memories else "no memory"
                message = f"missing key 'home': which memory it writes to (die {die_name} has {count})"
                problems.add(("dies", die_name, "blocks", name), message, at_key=True)


def _check_references(problems: Problems, dies: dict[str, DieSpec], broken: _Broken) -> None:
    memories = one_of(block_names(dies, "memory"))
    for die_name, die in dies.items():
        for block_name, block in die.blocks.items():
            where: Where = ("dies", die_name, "blocks", block_name)
            wanted: dict[str, str | None] = {}
            if isinstance(block, ComputeSpec):
                wanted = {key: getattr(block, key) for key in ("home", "weight_store", "weight_stage")}
            elif isinstance(block, SensorSpec):
                wanted = {"home": block.home}
            for key, reference in wanted.items():
                if reference is None:
                    continue
                found = find_block(dies, reference, die_name)
                if found is None:
                    if any(part[-1] == reference.rpartition(".")[2] for part in broken):
                        continue  # it is there, and has its own problem
                    problems.add((*where, key), f"no memory {clip(reference)}{memories}")
                elif (target := dies[found[0]].blocks[found[1]]).ROLE != "memory":
                    problems.add((*where, key), f"{clip(reference)} is a {target.kind}, no memory{memories}")
                elif key == "weight_stage" and found == find_block(dies, _store_of(block), die_name):
                    message = f"{clip(reference)} is where the weights come from: expected another memory, or no stage"
                    problems.add((*where, key), message)


def _store_of(block: BlockSpec) -> str:
    """The reference to the memory that weights are fetched from."""
    assert isinstance(block, ComputeSpec)
    return block.weight_store or block.home or ""
