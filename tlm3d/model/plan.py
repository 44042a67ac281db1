"""The residency as it is told: what lies where, and what an inference moves."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from tlm3d.blocks import ComputeSpec
from tlm3d.blocks.memory import Memory
from tlm3d.model.residency import Residency
from tlm3d.model.work import Piece, TaskWork, TileWork
from tlm3d.record.residency import Content, MemoryUse, Moved, ResidencyPlan, WeightsPlace
from tlm3d.spec.binding import BlockName
from tlm3d.spec.platform import PlatformSpec

WEIGHTS, MAPS = "weights", "feature maps"


def residency_plan(platform: PlatformSpec, residency: Residency, works: Iterable[TaskWork]) -> ResidencyPlan:
    """Of the tasks in ``works``, each layer on its first option."""
    moved: Counter[tuple[str, str, str, str]] = Counter()
    pieces: dict[str, dict[str, int]] = defaultdict(dict)  # stage → network → largest piece
    for work in works:
        for block, tile, opened in _tiles(work):
            network = work.task.network
            if opened is not None and network is not None:
                store, stage = opened.route.channels[0].name, opened.route.channels[-1].name
                pieces[stage][network.name] = max(pieces[stage].get(network.name, 0), opened.bytes)
                moved[work.task.name, WEIGHTS, store, stage] += opened.bytes
            for load in tile.loads:
                what = MAPS if load.is_input else WEIGHTS
                moved[work.task.name, what, load.route.channels[0].name, block] += load.bytes
            if tile.store is not None:
                route, n_bytes = tile.store
                moved[work.task.name, MAPS, block, route.channels[-1].name] += n_bytes
    weights = []
    for (network_name, place), n_bytes in residency.weights.items():
        is_resident = residency.is_resident(network_name, place)
        stage_of = None if is_resident else residency.weight_stage(place)
        store_of = None if is_resident else residency.weight_store(place)
        places = (".".join(found) if found else None for found in (store_of, stage_of))
        weights.append(WeightsPlace(network_name, ".".join(place), n_bytes, *places))
    return ResidencyPlan(
        tuple(sorted(_memories(platform, residency, pieces))),
        tuple(sorted(weights, key=lambda one: one[:2])),
        tuple(sorted(Moved(*key, n_bytes) for key, n_bytes in moved.items())),
    )


def _tiles(work: TaskWork) -> Iterator[tuple[str, TileWork, Piece | None]]:
    """(block, tile, the piece of staged weights that it brings in, if any) of every tile of an inference."""
    for item in work.items:
        if item.layer is None:
            continue
        block = item.options[0]
        number = -1
        for tile in work.tiles(item, block, work.default_sources(item, block)):
            opened = tile.piece if tile.loads_weights else None
            if opened is not None and opened.number <= number:
                opened = None
            if opened is not None:
                number = opened.number
            yield ".".join(block), tile, opened


def _memories(platform: PlatformSpec, residency: Residency, pieces: dict[str, dict[str, int]]) -> Iterator[MemoryUse]:
    beside: dict[BlockName, list[Content]] = defaultdict(list)
    for (network, block), n_bytes in residency.weights.items():
        if residency.is_resident(network, block):
            beside[block].append(Content(f"weights of {network}", n_bytes))
    for die, spec in platform.dies.items():
        for name, block_spec in spec.blocks.items():
            path = f"{die}.{name}"
            if isinstance(block_spec, Memory):
                contents = [Content(what, n_bytes) for what, n_bytes in residency.contents.get((die, name), ())]
                passing = [
                    Content(f"weights of {network}", n_bytes) for network, n_bytes in pieces.get(path, {}).items()
                ]
                yield MemoryUse(path, block_spec.capacity_bytes, tuple(sorted(contents)), tuple(sorted(passing)))
            elif isinstance(block_spec, ComputeSpec) and block_spec.weight_memory_bits >= 8:
                yield MemoryUse(path, block_spec.weight_memory_bits // 8, tuple(sorted(beside[die, name])))
