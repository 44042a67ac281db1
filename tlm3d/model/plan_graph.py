"""One job of a task as a graph to place: its stages and layers, what each takes and spends on a block, what moves.

A node takes what its block's recurrence takes alone. It reads the feature maps of others from its own home memory; an
edge between blocks of different homes adds what reading from the other memory takes longer and spends more. That holds
the channels which only this way uses. A job without any choice reads every tensor from where it lies, and no edge adds
anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

from tlm3d.blocks import ComputeSpec
from tlm3d.model.alone import Line, alone_ps, spent_aj
from tlm3d.model.topology import Topology
from tlm3d.model.work import Item, TaskWork, TileWork
from tlm3d.plans.graph import Graph, Move, Moves
from tlm3d.spec.binding import BlockName
from tlm3d.spec.platform import PlatformSpec
from tlm3d.units import ceil_div

_LEAST_LEFT = Fraction(1, 100)  # of a block, however much others ask for: the times stay finite


class JobGraph:
    """The graph of one job of ``work``, whose input is there ``ready_ps`` after its release.

    ``load``: the share of each block's time that more urgent tasks take. A node on such a block takes as much longer as
    that leaves less of it.
    """

    def __init__(
        self,
        platform: PlatformSpec,
        topology: Topology,
        work: TaskWork,
        ready_ps: int,
        load: Mapping[BlockName, Fraction],
    ) -> None:
        self._platform, self._topology, self._work = platform, topology, work
        self._ready_ps, self._load = ready_ps, load
        self._has_choice = any(len(item.options) > 1 for item in work.items)

    def graph(self) -> Graph:
        """Nodes and blocks by name. Raises ElaborationError where there is no route between two of them."""
        items = self._work.items
        nodes = {(item.name, ".".join(block)): (item, block) for item in items for block in item.options}
        edges = {(items[read].name, item.name): self._moves(items[read], item) for item in items for read in item.reads}
        return Graph(
            nodes=tuple(item.name for item in items),
            blocks=tuple(sorted({block for _, block in nodes})),
            time_ps={key: self._slowed_ps(block, self.alone_ps(item, block)) for key, (item, block) in nodes.items()},
            energy_aj={key: spent_aj(self._tiles(item, block)) for key, (item, block) in nodes.items()},
            edges=edges,
            ready_ps={item.name: self._ready_ps for item in items if not item.reads},
        )

    def alone_ps(self, item: Item, block: BlockName) -> int:
        """What ``item`` takes on ``block`` where nobody else is."""
        return alone_ps(self._tiles(item, block), self._buffers(block))

    def walk(self) -> dict[str, tuple[int, int]]:
        """By item, when it begins and is done where each runs on its first option.

        Unlike the nodes of the graph, layers that follow one another on a block overlap as there: the first weights of
        one come in behind the last tile of those that it reads. What waits for one block goes in the order of the job.
        """
        items = self._work.items
        lines = {block: self._line(block) for block in {item.options[0] for item in items}}
        found: dict[int, tuple[int, int]] = {}
        committed: dict[int, int] = {}  # when its last tile has loaded
        while len(found) < len(items):
            item, ready_ps, weights_ps = self._next(found, committed, lines)
            line = lines[item.options[0]]
            found[item.position] = line.run(self._tiles(item, item.options[0]), ready_ps, weights_ps)
            committed[item.position] = line.load_ps
        return {item.name: found[item.position] for item in items}

    def _next(
        self, found: Mapping[int, tuple[int, int]], committed: Mapping[int, int], lines: Mapping[BlockName, Line]
    ) -> tuple[Item, int, int]:
        """Of the items that can, the one that begins first; when its inputs are there, and its weights may come."""
        able = []
        for item in self._work.items:
            if item.position in found or not all(read in found for read in item.reads):
                continue
            block = item.options[0]
            made = [self._work.items[read] for read in item.reads]
            ready_ps = max((found[one.position][1] for one in made), default=self._ready_ps)
            weights_ps = ready_ps
            if made and self._tiles(item, block)[0].loads_weights:
                here = (one.options[0] == block for one in made)
                parts = zip(made, here, strict=True)
                weights_ps = max(committed[one.position] if near else found[one.position][1] for one, near in parts)
            able.append((lines[block].begins_ps(weights_ps), item.position, ready_ps, weights_ps))
        _, position, ready_ps, weights_ps = min(able)
        return self._work.items[position], ready_ps, weights_ps

    def _line(self, block: BlockName) -> Line:
        states = self._platform.dies[block[0]].blocks[block[1]].states
        return Line(self._buffers(block), self._slowdown(block), states.gated)

    def _slowdown(self, block: BlockName) -> Fraction:
        return 1 / max(1 - self._load.get(block, Fraction(0)), _LEAST_LEFT)

    def _slowed_ps(self, block: BlockName, time_ps: int) -> int:
        slowdown = self._slowdown(block)
        return ceil_div(time_ps * slowdown.numerator, slowdown.denominator)

    def _buffers(self, block: BlockName) -> int:
        spec = self._platform.dies[block[0]].blocks[block[1]]
        return spec.buffers if isinstance(spec, ComputeSpec) else 1

    def _tiles(self, item: Item, block: BlockName) -> tuple[TileWork, ...]:
        """Its tiles where all that others make lies at home."""
        if not self._has_choice or item.layer is None:
            return self._work.tiles(item, block, self._work.default_sources(item, block))
        return self._work.tiles(item, block, self._sources(item, block, lambda maker: block))

    def _sources(self, item: Item, block: BlockName, made_on: Callable[[int], BlockName]) -> tuple[BlockName, ...]:
        makers = (None if read is None else made_on(read) for read in item.layer_reads)
        return tuple(self._work.source(maker, block) for maker in makers)

    def _moves(self, maker: Item, reader: Item) -> dict[tuple[str, str], Moves]:
        """What brings the tensors of ``maker`` to ``reader``, by the blocks of the two."""
        if not self._has_choice or maker.position not in reader.layer_reads:
            return {}
        found = {}
        for there in maker.options:
            for here in reader.options:
                moves = self._move(maker.position, reader, there, here)
                if moves:
                    found[".".join(there), ".".join(here)] = moves
        return found

    def _move(self, maker: int, reader: Item, there: BlockName, here: BlockName) -> Moves:
        home, away = self._work.home(here), self._work.home(there)
        if home == away:
            return ()
        near = self._tiles(reader, here)
        sources = self._sources(reader, here, lambda read: there if read == maker else here)
        far = self._work.tiles(reader, here, sources)
        buffers = self._buffers(here)
        longer_ps = self._slowed_ps(here, alone_ps(far, buffers)) - self._slowed_ps(here, alone_ps(near, buffers))
        own = {channel.name for channel in self._topology.read_route(home, here).channels}
        route = self._topology.read_route(away, here)
        links = tuple(channel.name for channel in route.channels if channel.name not in own)
        return (Move(links, max(0, longer_ps), max(0, spent_aj(far) - spent_aj(near))),)
