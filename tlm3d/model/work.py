"""What a task's jobs do, resolved before the run: items, tiles, transfers, times and energies as integers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, zip_longest
from typing import NamedTuple

from tlm3d.blocks import ComputeSpec, ProgrammableSpec
from tlm3d.blocks.processor import Processor
from tlm3d.cnn.layers import INPUT, Layer
from tlm3d.cnn.tiling import Tile, TileError
from tlm3d.errors import ElaborationError
from tlm3d.model.residency import Residency
from tlm3d.model.topology import Route, Topology
from tlm3d.spec.binding import BlockName, TaskBinding
from tlm3d.spec.platform import PlatformSpec
from tlm3d.spec.stages import NETWORK, Precedence, StageSpec
from tlm3d.spec.workload import Task
from tlm3d.tlm.passage import Passage
from tlm3d.units import PS_PER_S, book_aj, ceil_div, cycles_ps


class Load(NamedTuple):
    """Bytes to bring in over a route; weights may come before the layer's inputs exist."""

    route: Route
    bytes: int
    is_input: bool


class Piece(NamedTuple):
    """The weights of tiles that follow one another, fetched together into the memory that weights pass through.

    ``number`` counts a layer's pieces; ``room``: bytes for all pieces that lie there at once while the layer runs. A
    layer without weights has one of no bytes, which is never fetched.
    """

    number: int
    route: Route
    bytes: int
    room: int
    last_tile: int


class TileWork(NamedTuple):
    """One tile on one block: what it loads, how long it computes, what it stores.

    ``piece``: of the staged weights, the one that its own are part of.
    """

    loads: tuple[Load, ...]
    compute_ps: int
    energy_aj: int
    macs: int
    store: tuple[Route, int] | None
    piece: Piece | None = None

    @property
    def loads_weights(self) -> bool:
        """Whether it begins by loading weights."""
        return bool(self.loads) and not self.loads[0].is_input


@dataclass(slots=True, eq=False)
class Item:
    """A stage or a layer: ``reads`` and ``readers`` are positions of other items, ``options`` where it may run.

    ``least_ps``: computing time at its quickest option; ``path_ps``: of the longest way from here to the job's end.
    """

    position: int
    name: str
    reads: tuple[int, ...]
    options: tuple[BlockName, ...]
    stage: StageSpec | None = None
    layer: Layer | None = None
    layer_reads: tuple[int | None, ...] = ()  # by tensor read: the item that made it, None for the task's input
    readers: tuple[int, ...] = ()
    holds: tuple[str, ...] = ()  # resources that it has while it runs
    pooled: bool = False  # it is a stage and its options are processors, which share a queue where there are several
    frees: tuple[str, ...] = ()  # of those it holds, what no item after it holds on to
    only: BlockName | None = None  # its block, where it has one option
    n_reads: int = 0
    plain: dict[BlockName, TileWork] = field(default_factory=dict)  # a stage, by block
    least_ps: int = 0
    path_ps: int = 0

    def __post_init__(self) -> None:
        self.only = self.options[0] if len(self.options) == 1 else None
        self.n_reads = len(self.reads)


@dataclass(slots=True)
class TaskWork:
    """All items of a task in order, and the tiles of each on each block, worked out once when first needed."""

    task: Task
    items: tuple[Item, ...]
    input_memory: BlockName | None
    _platform: PlatformSpec
    _topology: Topology
    _residency: Residency
    all_pooled: bool = False  # it has nothing but stages on processors
    _cache: dict[tuple[int, BlockName, tuple[BlockName, ...]], tuple[TileWork, ...]] = field(default_factory=dict)
    _left: dict[int, tuple[int, ...]] = field(default_factory=dict)
    _staged: dict[tuple[int, BlockName], tuple[Piece, ...]] = field(default_factory=dict)

    @property
    def least_ps(self) -> int:
        """The least computing time of a job: of its longest way through items, each at its quickest option."""
        return max(item.path_ps for item in self.items)

    def tiles(self, item: Item, block: BlockName, sources: tuple[BlockName, ...]) -> tuple[TileWork, ...]:
        """Tiles of ``item`` on ``block``, reading its tensors from the memories ``sources``.

        Raises ElaborationError when the smallest tile does not fit the block's local memory, or there is no route.
        """
        key = (item.position, block, sources)
        if key not in self._cache:
            self._cache[key] = self._stage(item, block) if item.stage else self._tiles(item, block, sources)
        return self._cache[key]

    def left_ps(self, item: Item, from_tile: int) -> int:
        """The least time that ``item`` computes from tile ``from_tile`` on, on any of its options."""
        if item.position not in self._left:
            works = [self.tiles(item, block, self.default_sources(item, block)) for block in item.options]
            sums = [[*accumulate((tile.compute_ps for tile in reversed(tiles)), initial=0)][::-1] for tiles in works]
            self._left[item.position] = tuple(min(column) for column in zip_longest(*sums, fillvalue=0))
        return self._left[item.position][from_tile]

    def demand_ps(self) -> tuple[tuple[str, int], ...]:
        """What one job needs at least, in name order: computing time of blocks, wire time of channels.

        An item that may run on several blocks counts for all of them together (``a+b``), with the least of its times,
        and its transfers for none.
        """
        demand_ps: Counter[str] = Counter()
        for item in self.items:
            by_block = [self.tiles(item, block, self.default_sources(item, block)) for block in item.options]
            blocks = "+".join(sorted(".".join(block) for block in item.options))
            demand_ps[blocks] += min(sum(tile.compute_ps for tile in tiles) for tiles in by_block)
            if len(by_block) == 1 and all(r is None or len(self.items[r].options) == 1 for r in item.layer_reads):
                for route, n_bytes in moves(by_block[0]):
                    passage = Passage(route.channels, n_bytes)
                    for channel, busy_ps in zip(route.channels, passage.all_busy_ps, strict=True):
                        demand_ps[channel.name] += busy_ps
        return tuple(sorted(demand_ps.items()))

    def home(self, block: BlockName) -> BlockName:
        """The memory that keeps the feature maps made on ``block``."""
        return self._residency.home(block)

    def default_sources(self, item: Item, block: BlockName) -> tuple[BlockName, ...]:
        """Where the tensors of ``item`` lie when every item runs at its first option."""
        made = (None if read is None else self.items[read] for read in item.layer_reads)
        return tuple(self.source(maker.options[0] if maker else None, block) for maker in made)

    def source(self, maker: BlockName | None, reader: BlockName) -> BlockName:
        """The memory of a tensor made on ``maker`` (None: the task's input), for ``reader``."""
        if maker is not None:
            return self.home(maker)
        return self.input_memory or self.home(reader)

    def _stage(self, item: Item, block: BlockName) -> tuple[TileWork, ...]:
        spec = self._platform.dies[block[0]].blocks[block[1]]
        stage = item.stage
        assert stage is not None
        assert isinstance(spec, ComputeSpec | Processor)
        clock_hz = spec.clock_hz
        cycles = stage.cycles
        if stage.instructions is not None:
            assert isinstance(spec, ProgrammableSpec)  # checked where names are bound, and so is the clock
            exact_cycles = stage.instructions * spec.cpi
            cycles = ceil_div(exact_cycles.numerator, exact_cycles.denominator)
        if cycles is not None:
            assert clock_hz is not None
            return (TileWork((), cycles_ps(cycles, clock_hz), spec.energy.book(cycles, 0), 0, None),)
        assert stage.time_ps is not None
        exact = stage.time_ps * clock_hz / PS_PER_S * spec.energy.aj_per_cycle if clock_hz else None
        return (TileWork((), stage.time_ps, book_aj(exact) if exact else 0, 0, None),)

    def _tiles(self, item: Item, block: BlockName, sources: tuple[BlockName, ...]) -> tuple[TileWork, ...]:
        spec = self._platform.dies[block[0]].blocks[block[1]]
        layer, network = item.layer, self.task.network
        assert layer is not None
        assert network is not None
        assert isinstance(spec, ComputeSpec)
        resident = self._residency.is_resident(network.name, block)
        try:
            tiles = spec.tiles(layer, resident)
        except TileError as error:
            raise ElaborationError(f"task {self.task.name} on {'.'.join(block)}: {error}") from None
        stage = self._residency.weight_stage(block) if not resident else None
        try:
            store_of_weights = self._residency.weight_store(block)
            weights = self._topology.read_route(stage or store_of_weights, block) if not resident else None
            fetch = self._topology.memory_route(store_of_weights, stage) if stage is not None else None
            inputs = [self._topology.read_route(source, block) for source in sources]
            store = self._topology.write_route(block, self.home(block))
        except ElaborationError as error:
            raise ElaborationError(f"task {self.task.name}, layer {layer.name} on {'.'.join(block)}: {error}") from None
        pieces: Sequence[Piece | None] = self._pieces(item, block, fetch) if fetch is not None else [None] * len(tiles)
        work = []
        setup = spec.layer_setup
        for tile, piece in zip(tiles, pieces, strict=True):
            loads = [Load(weights, tile.weight_bytes, False)] if weights and tile.weight_bytes else []
            loads += [Load(route, n, True) for route, n in zip(inputs, tile.input_bytes, strict=True) if n]
            cost = spec.cost(layer, tile)
            out = (store, tile.output_bytes) if tile.output_bytes else None
            compute_ps = cycles_ps(setup + cost.cycles, spec.clock_hz)
            work.append(TileWork(tuple(loads), compute_ps, cost.energy_aj, tile.macs, out, piece))
            setup = 0
        return tuple(work)

    def _pieces(self, item: Item, block: BlockName, fetch: Route) -> tuple[Piece, ...]:
        """By tile of ``item`` on ``block``, the piece of staged weights that its own are part of."""
        key = (item.position, block)
        if key not in self._staged:
            spec, stage, layer = _spec(self._platform, block), self._residency.weight_stage(block), item.layer
            assert isinstance(spec, ComputeSpec)
            assert stage is not None
            assert layer is not None
            tiles = spec.tiles(layer, False)
            room = self._residency.stage_bytes(self.task.name, layer.name, stage)
            pieces: list[Piece] = []
            for number, (count, n_bytes) in enumerate(staged_pieces(tiles, layer.weight_bytes, room)):
                pieces += [Piece(number, fetch, n_bytes, room, len(pieces) + count - 1)] * count
            self._staged[key] = tuple(pieces)
        return self._staged[key]


def staged_pieces(tiles: Sequence[Tile], weight_bytes: int, room: int) -> list[tuple[int, int]]:
    """The pieces that a layer's weights are fetched in, in order: (tiles, bytes).

    All of a layer is one piece where there is ``room`` for it. Else tiles that follow one another share a piece as long
    as what they load fits. A tile that alone does not fit is a piece all the same.
    """
    if weight_bytes <= room:
        return [(len(tiles), weight_bytes)]
    pieces = [(0, 0)]
    for tile in tiles:
        count, n_bytes = pieces[-1]
        if n_bytes and tile.weight_bytes and n_bytes + tile.weight_bytes > room:
            pieces.append((1, tile.weight_bytes))
        else:
            pieces[-1] = (count + 1, n_bytes + tile.weight_bytes)
    return pieces


def task_work(
    task: Task, binding: TaskBinding, platform: PlatformSpec, topology: Topology, residency: Residency
) -> TaskWork:
    """The items of ``task``: stages before the network, its layers, stages after it; each after all that it reads."""
    order = Precedence(task.spec.stages)
    items: list[Item] = []
    at: dict[int, int] = {}  # position by place in the list of stages
    last_layers: tuple[int, ...] = ()

    def add_stage(place: int) -> None:
        stage, options = task.spec.stages[place], binding.stages[place]
        after = (at[other] for other in order.before[place])
        reads = {*after, *(last_layers if NETWORK in order.after[place] else ())}
        at[place] = len(items)
        item = Item(len(items), order.names[place], tuple(sorted(reads)), options, stage=stage, holds=stage.holds)
        items.append(item)

    for place in order.early:
        add_stage(place)
    entry = tuple(at[place] for place in order.last_early)
    positions: dict[str, int] = {}
    for layer in task.network.layers if task.network else ():
        position = len(items)
        tensors = tuple(None if read == INPUT else positions[read] for read in layer.reads)
        reads = tuple(sorted({p for t in tensors for p in (entry if t is None else (t,))}))
        items.append(Item(position, layer.name, reads, binding.layers[layer.name], layer=layer, layer_reads=tensors))
        positions[layer.name] = position
    if task.network is not None:
        last_layers = tuple(positions[name] for name in positions if not task.network.readers(name))
    for place in order.late:
        add_stage(place)
    readers: list[list[int]] = [[] for _ in items]
    for item in items:
        for read in item.reads:
            readers[read].append(item.position)
    for item in items:
        item.readers = tuple(readers[item.position])
    memory = residency.home(binding.camera) if binding.camera else None
    if memory is None and binding.feeder is not None and isinstance(_spec(platform, binding.feeder), ComputeSpec):
        memory = residency.home(binding.feeder)
    work = TaskWork(task, tuple(items), memory, platform, topology, residency)
    for item in items:
        kept = {name for reader in item.readers for name in items[reader].holds}
        item.frees = tuple(name for name in item.holds if name not in kept)
        times_ps = []
        for block in item.options:  # so that what does not fit is an error before the run
            tiles = work.tiles(item, block, work.default_sources(item, block))
            times_ps.append(sum(tile.compute_ps for tile in tiles))
            if item.stage is not None:
                item.plain[block] = tiles[0]
        item.least_ps = min(times_ps)
        blocks = [_spec(platform, block) for block in item.options]
        item.pooled = item.stage is not None and all(isinstance(block, Processor) for block in blocks)
    for item in reversed(items):
        item.path_ps = item.least_ps + max((items[reader].path_ps for reader in item.readers), default=0)
    work.all_pooled = all(item.pooled for item in items)
    return work


def moves(tiles: Sequence[TileWork]) -> Iterator[tuple[Route, int]]:
    """The transfers of an item, those of its pieces of staged weights too."""
    piece: Piece | None = None
    for tile in tiles:
        if tile.piece is not None and tile.loads_weights and tile.piece is not piece:
            piece = tile.piece
            yield piece.route, piece.bytes
        for load in tile.loads:
            yield load.route, load.bytes
        if tile.store is not None:
            yield tile.store


def _spec(platform: PlatformSpec, block: BlockName) -> object:
    return platform.dies[block[0]].blocks[block[1]]
