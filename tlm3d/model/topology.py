"""Channels of a platform and the routes over them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from tlm3d.blocks import ComputeSpec
from tlm3d.blocks.memory import Memory
from tlm3d.errors import ElaborationError
from tlm3d.links import ChannelSpec, LinkSpec
from tlm3d.record.recording import ChannelInfo, Component
from tlm3d.spec.binding import BlockName
from tlm3d.spec.platform import PlatformSpec
from tlm3d.tlm.channel import Channel, Sleep
from tlm3d.tlm.faults import Faults
from tlm3d.units import ceil_div

_LEAST_RIGHT = 0.01  # of the bursts of a link; with fewer, every transfer is sent a hundred times over


class Route(NamedTuple):
    """Channels in order, and what a bit and a burst cost on each: aJ a bit as (numerator, denominator), aJ a burst."""

    channels: tuple[Channel, ...]
    prices: tuple[tuple[int, int, int], ...]

    def leg_aj(self, hop: int, bits: int, bursts: int) -> int:
        """Energy of ``bits`` in ``bursts`` on hop ``hop``, to the nearest attojoule."""
        numerator, denominator, aj_per_burst = self.prices[hop]
        return (2 * bits * numerator + denominator) // (2 * denominator) + bursts * aj_per_burst


class _Hop(NamedTuple):
    channel: Channel
    aj_per_bit: Fraction
    aj_per_burst: int = 0


class Topology:
    """Every channel by name, and the route between any two blocks.

    Names: ``tsv:logic>npu`` a link's direction, ``logic.bus`` a die's bus, ``logic.l2`` a memory's port,
    ``logic.cluster.in`` and ``.out`` a block's DMA.
    """

    def __init__(self, platform: PlatformSpec, seed: int = 0) -> None:
        self._platform, self._seed = platform, seed
        self.channels: dict[str, Channel] = {}
        self.infos: dict[str, ChannelInfo] = {}
        self.warnings: dict[str, str] = {}  # by channel
        self._hops: dict[str, _Hop] = {}
        self._die_paths: dict[tuple[str, str], tuple[str, ...]] = {}
        for die, spec in platform.dies.items():
            if spec.bus is not None:
                self._add(f"{die}.bus", spec.bus, spec.bus.wire_aj_per_bit, Component(die, "bus"), "bus", "link")
            for name, block in spec.blocks.items():
                path = f"{die}.{name}"
                if isinstance(block, Memory):
                    self._add(path, block, Fraction(0), Component(die, name), "memory", "memory")
                elif isinstance(block, ComputeSpec) and block.dma is not None:
                    for way in ("in", "out"):
                        self._add(f"{path}.{way}", block.dma, block.dma.aj_per_bit, Component(die, name), "dma", "dma")
        for name, link in platform.links.items():
            for a, b in link.directions:
                self._add(f"{name}:{a}>{b}", link, link.wire_aj_per_bit, Component(a, name), "link", "link")
        self.channels = dict(sorted(self.channels.items()))
        self.infos = dict(sorted(self.infos.items()))

    def _add(
        self, name: str, spec: ChannelSpec, aj_per_bit: Fraction, component: Component, role: str, account: str
    ) -> None:
        gated = spec.gating
        channel = Channel(
            name, spec.total_bps, spec.wire_lanes, max(1, spec.burst_bits // 8), spec.overhead_bits, spec.latency_ps,
            spec.buffer_bursts, spec.arbiter, spec.burst_entry_ps, spec.payload_flit_bits,
            Sleep(gated.after_ps, gated.wake_time_ps) if gated else None, self._faults(name, spec),
        )  # fmt: skip
        self.channels[name] = channel
        self.infos[name] = ChannelInfo(component, role, account, float(spec.total_bps))
        self._hops[name] = _Hop(channel, aj_per_bit, spec.aj_per_burst if isinstance(spec, LinkSpec) else 0)
        found = []
        if isinstance(spec, LinkSpec) and spec.failed_lanes:
            left = f"{spec.working_lanes} of {spec.lanes} lanes carry"
            found.append(f"{spec.failed_lanes} lanes have failed, {spec.spare_lanes} spares: {left}")
        if not channel.covers_round_trip:
            burst_ps = channel.burst_ps(channel.burst_bytes)
            need = ceil_div(burst_ps + 2 * spec.latency_ps, burst_ps)
            found.append(f"a buffer of {spec.buffer_bursts} bursts does not cover the round trip, {need} would")
        if found:
            self.warnings[name] = f"{name}: {'; '.join(found)}"

    def _faults(self, name: str, spec: ChannelSpec) -> Faults | None:
        """Raises ElaborationError where hardly a burst would ever arrive right."""
        stated = spec.faults if isinstance(spec, LinkSpec) else None
        if stated is None:
            return None
        faults = Faults(name, stated.bit_error_rate, stated.turnaround_ps, self._seed)
        bits = max(1, spec.burst_bits // 8) * 8 + spec.overhead_bits
        right = float(1 - faults.wrong(bits))
        if right < _LEAST_RIGHT:
            what = f"of its bursts of {bits} bit only a share of {right:.2g} arrives right"
            raise ElaborationError(f"{name}: {what}, less than {_LEAST_RIGHT}: bit_error_rate is too high")
        return faults

    def read_route(self, memory: BlockName, reader: BlockName) -> Route:
        """From ``memory`` into ``reader``'s local memory. Raises ElaborationError when no links lead there."""
        spec = self._memory(memory)
        first = _Hop(self.channels[".".join(memory)], spec.read_aj_per_bit)
        return _route([first, *self._between(memory, reader), *self._dma(reader, "in")])

    def write_route(self, writer: BlockName, memory: BlockName) -> Route:
        """From ``writer``'s local memory into ``memory``. Raises ElaborationError when no links lead there."""
        spec = self._memory(memory)
        last = _Hop(self.channels[".".join(memory)], spec.write_aj_per_bit)
        return _route([*self._dma(writer, "out"), *self._between(writer, memory), last])

    def memory_route(self, source: BlockName, target: BlockName) -> Route:
        """From one memory into another. Raises ElaborationError when no links lead there."""
        read, write = self._memory(source).read_aj_per_bit, self._memory(target).write_aj_per_bit
        first, last = self.channels[".".join(source)], self.channels[".".join(target)]
        return _route([_Hop(first, read), *self._between(source, target), _Hop(last, write)])

    def named_route(self, names: Sequence[str]) -> Route:
        """Over the channels of these names, in this order, whatever they join.

        A memory's port costs its energy of reading where it is first, of writing anywhere else. Raises KeyError.
        """
        return _route([self._hop(name, reads=i == 0) for i, name in enumerate(names)])

    def _hop(self, name: str, reads: bool) -> _Hop:
        info = self.infos[name]
        if info.role != "memory":
            return self._hops[name]
        memory = self._memory((info.component.die, info.component.name))
        return _Hop(self.channels[name], memory.read_aj_per_bit if reads else memory.write_aj_per_bit)

    def _memory(self, name: BlockName) -> Memory:
        spec = self._platform.dies[name[0]].blocks[name[1]]
        assert isinstance(spec, Memory)  # the schema has checked every reference to a memory
        return spec

    def _dma(self, block: BlockName, way: str) -> list[_Hop]:
        name = f"{'.'.join(block)}.{way}"
        return [self._hops[name]] if name in self._hops else []

    def _between(self, source: BlockName, target: BlockName) -> list[_Hop]:
        """Buses and links from one block to another; every die passed through that has a bus is crossed on it."""
        hops = []
        for name in self._die_path(source[0], target[0]):
            hops.append(self._hops[name])
        return hops

    def _die_path(self, source: str, target: str) -> tuple[str, ...]:
        key = (source, target)
        if key not in self._die_paths:
            self._die_paths[key] = self._find_path(source, target)
        return self._die_paths[key]

    def _bus(self, die: str) -> tuple[str, ...]:
        return (f"{die}.bus",) if self._platform.dies[die].bus is not None else ()

    def _find_path(self, source: str, target: str) -> tuple[str, ...]:
        """Fewest picoseconds for one burst; ties by names."""
        if source == target:
            return self._bus(source)
        links: dict[tuple[str, str], tuple[int, str]] = {}  # by dies: the fastest link there, and its time
        for name, link in self._platform.links.items():
            for a, b in link.directions:
                channel = f"{name}:{a}>{b}"
                ps = self._name_ps(channel) + sum(map(self._name_ps, self._bus(b)))
                links[a, b] = min(links.get((a, b), (ps, channel)), (ps, channel))
        paths = []
        for dies in _die_paths(links, source, target):
            names = list(self._bus(dies[0]))
            for a, b in pairwise(dies):
                names += [links[a, b][1], *self._bus(b)]
            paths.append(tuple(names))
        if not paths:
            linked = ", ".join(self._platform.links) or "none"
            raise ElaborationError(f"no route from die {source} to die {target} (links: {linked})")
        return min(paths)

    def _name_ps(self, name: str) -> int:
        channel = self.channels[name]
        return channel.burst_ps(channel.burst_bytes) + channel.latency_ps

    def payload_route(self, channels: tuple[Channel, ...], writes: bool) -> Route:
        """Over these very channels; the port of a memory costs its energy of writing or of reading."""
        return _route([self._hop(channel.name, reads=not writes) for channel in channels])


def _route(hops: list[_Hop]) -> Route:
    return Route(
        tuple(hop.channel for hop in hops),
        tuple((hop.aj_per_bit.numerator, hop.aj_per_bit.denominator, hop.aj_per_burst) for hop in hops),
    )


def _die_paths(links: dict[tuple[str, str], tuple[int, str]], source: str, target: str) -> list[list[str]]:
    """The paths of fewest picoseconds from die to die; none where no links lead there."""
    if _is_forest(links):
        path = _only_path(links, source, target)
        return [path] if path else []
    import networkx as nx  # only platforms with a choice of ways pay for the import

    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from((source, target))
    graph.add_weighted_edges_from(((a, b, ps) for (a, b), (ps, _) in links.items()), weight="ps")
    try:
        return list(nx.all_shortest_paths(graph, source, target, weight="ps"))
    except nx.NetworkXNoPath:
        return []


def _is_forest(links: Iterable[tuple[str, str]]) -> bool:
    """Whether there is never a choice: the joined pairs of dies close no circle."""
    group: dict[str, set[str]] = {}  # die → all that hang together with it
    for a, b in {(min(pair), max(pair)) for pair in links}:
        one, other = group.setdefault(a, {a}), group.setdefault(b, {b})
        if one is other:
            return False
        one |= other
        group.update(dict.fromkeys(other, one))
    return True


def _only_path(links: Iterable[tuple[str, str]], source: str, target: str) -> list[str]:
    """The path from ``source`` to ``target`` in a forest; empty where there is none."""
    path, seen = [source], {source}
    while path and path[-1] != target:
        onward = next((b for a, b in links if a == path[-1] and b not in seen), None)
        if onward is None:
            path.pop()
        else:
            path.append(onward)
            seen.add(onward)
    return path
