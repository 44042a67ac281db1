"""A platform as a drawing needs it: dies from the top down, their blocks, and the links between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tlm3d.blocks import BlockSpec
from tlm3d.links import LinkSpec
from tlm3d.spec.platform import PlatformSpec

AJ_PER_PJ = 10**6


@dataclass(frozen=True, slots=True)
class BlockFacts:
    """One block; None or empty for what its kind does not have."""

    name: str
    kind: str
    cores: int | None
    array: tuple[int, ...]  # MAC units
    clock_hz: float | None
    local_bytes: int | None
    capacity_bytes: int | None
    rate_bps: float | None  # of a memory's port, all lanes
    pixels: tuple[int, ...]
    frame_rate_hz: float | None
    bits: int | None
    modes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LinkFacts:
    """A link or a bus. ``ends`` are dies: both ways, or from the first to the second; none for a bus."""

    name: str
    kind: str
    ends: tuple[str, ...]
    both_ways: bool
    rate_bps: float  # all lanes, each way
    pj_per_bit: float
    latency_ps: int


@dataclass(frozen=True, slots=True)
class DieFacts:
    """One die with its blocks in name order."""

    name: str
    tier: int
    bus: LinkFacts | None
    blocks: tuple[BlockFacts, ...]


@dataclass(frozen=True, slots=True)
class LimitFacts:
    """A power limit; ``window_ps`` is None for one on every instant."""

    limit_nw: int
    window_ps: int | None


@dataclass(frozen=True, slots=True)
class Stack:
    """A platform: dies by tier, top first, then by name; links by name."""

    name: str
    dies: tuple[DieFacts, ...]
    links: tuple[LinkFacts, ...]
    limits: tuple[LimitFacts, ...]


def stack(platform: PlatformSpec) -> Stack:
    """The facts of ``platform`` that a drawing shows."""
    dies = [
        DieFacts(
            name,
            die.tier,
            None if die.bus is None else _link("bus", die.bus),
            tuple(_block(block, spec) for block, spec in die.blocks.items()),
        )
        for name, die in platform.dies.items()
    ]
    limits = tuple(LimitFacts(limit.limit_nw, limit.window_ps) for limit in platform.limits)
    links = tuple(_link(name, link) for name, link in platform.links.items())
    return Stack(platform.name, tuple(sorted(dies, key=lambda die: (-die.tier, die.name))), links, limits)


def _link(name: str, spec: LinkSpec) -> LinkFacts:
    directions = () if spec.WITHIN_DIE else spec.directions
    return LinkFacts(
        name,
        spec.kind,
        directions[0] if directions else (),
        len(directions) > 1,
        float(spec.total_bps),
        float(spec.aj_per_bit / AJ_PER_PJ),
        spec.latency_ps,
    )


def _block(name: str, spec: BlockSpec) -> BlockFacts:
    """By attribute, so that a kind of another distribution is drawn with what it has in common with ours."""

    def number(attribute: str) -> float | None:
        value: Any = getattr(spec, attribute, None)
        return None if value is None else float(value)

    def whole(attribute: str) -> int | None:
        value: Any = getattr(spec, attribute, None)
        return None if value is None else int(value)

    def sides(attribute: str) -> tuple[int, ...]:
        value: Any = getattr(spec, attribute, ())
        return tuple(map(int, value)) if isinstance(value, tuple) else ()

    return BlockFacts(
        name,
        spec.kind,
        cores=whole("cores"),
        array=sides("array"),
        clock_hz=number("clock_hz"),
        local_bytes=whole("local_bytes"),
        capacity_bytes=whole("capacity_bytes"),
        rate_bps=number("total_bps"),
        pixels=sides("pixels"),
        frame_rate_hz=number("frame_rate_hz"),
        bits=whole("bits"),
        modes=tuple(getattr(spec, "modes", ())),
    )
