"""A platform as a drawing needs it: dies from the top down, their blocks, and the links between them."""

from __future__ import annotations

from dataclasses import dataclass

from tlm3d.facts import Fact


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
    wake_ps: int | None = None  # how long it takes to wake up, where it is gated
    voltage_v: float | None = None  # that it runs at, where it has operating points
    facts: tuple[Fact, ...] = ()  # what the kind says of it beside these
    sample_rate_hz: float | None = None


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
    wake_ps: int | None = None  # how long it takes to wake up, where it is gated


@dataclass(frozen=True, slots=True)
class DieFacts:
    """One die with its blocks in name order."""

    name: str
    tier: int
    bus: LinkFacts | None
    blocks: tuple[BlockFacts, ...]
    package: str = "stack"


@dataclass(frozen=True, slots=True)
class LimitFacts:
    """A power limit at the rail or battery, on every instant if ``window_ps`` and ``ewma_ps`` are None."""

    limit_nw: int
    window_ps: int | None
    at: str = "rail"
    ewma_ps: int | None = None


@dataclass(frozen=True, slots=True)
class DerivedFacts:
    """A number that no file states: ``value`` at ``to`` follows from what is ``given``, times ``factor`` if scaled."""

    path: str
    value: str
    given: str
    to: str
    factor: float | None = None


@dataclass(frozen=True, slots=True)
class Stack:
    """A platform: dies by tier, top first, then by name; links by name."""

    name: str
    dies: tuple[DieFacts, ...]
    links: tuple[LinkFacts, ...]
    limits: tuple[LimitFacts, ...]
    derived: tuple[DerivedFacts, ...] = ()
    supply: str | None = None  # its kind
