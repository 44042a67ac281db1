"""From a platform to the facts that a drawing of it shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tlm3d.blocks import BlockSpec
from tlm3d.links import LinkSpec
from tlm3d.record.stack import BlockFacts, DerivedFacts, DieFacts, LimitFacts, LinkFacts, Stack
from tlm3d.spec.platform import PlatformSpec
from tlm3d.spec.source import dotted

AJ_PER_PJ = 10**6


def stack(platform: PlatformSpec) -> Stack:
    """The facts of ``platform`` that a drawing shows; dies in packages of their own come last."""
    dies = [
        DieFacts(
            name,
            die.tier,
            None if die.bus is None else _link("bus", die.bus),
            tuple(_block(block, spec) for block, spec in die.blocks.items()),
            die.package,
        )
        for name, die in platform.dies.items()
    ]
    limits = tuple(LimitFacts(limit.limit_nw, limit.window_ps, limit.at, limit.ewma_ps) for limit in platform.limits)
    links = tuple(_link(name, link) for name, link in platform.links.items())
    return Stack(
        platform.name,
        tuple(sorted(dies, key=lambda die: (die.package != "stack", die.package, -die.tier, die.name))),
        links,
        limits,
        tuple(_derived(platform)),
        None if platform.supply is None else platform.supply.kind,
    )


def _derived(platform: PlatformSpec) -> Iterator[DerivedFacts]:
    for where, one in sorted(platform.source.derived.items(), key=lambda entry: dotted(entry[0])):
        yield DerivedFacts(dotted(where), one.value, f"{one.given} at {one.at}", one.to, float(one.factor))
    for die, spec in platform.dies.items():
        for name, block in spec.blocks.items():
            for key, value, given, to in block.derived:
                yield DerivedFacts(dotted(("dies", die, "blocks", name, key)), value, given, to)


def _link(name: str, spec: LinkSpec) -> LinkFacts:
    directions = () if spec.WITHIN_DIE else spec.directions
    return LinkFacts(
        name,
        spec.kind,
        directions[0] if directions else (),
        len(directions) > 1,
        float(spec.total_bps),
        float(spec.wire_aj_per_bit / AJ_PER_PJ),
        spec.latency_ps,
        spec.gated.wake_time_ps if spec.gated else None,
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
        wake_ps=spec.states.gated.wake_time_ps if spec.states.gated else None,
        voltage_v=number("voltage_v"),
        facts=spec.facts(),
        sample_rate_hz=number("sample_rate_hz"),
    )
