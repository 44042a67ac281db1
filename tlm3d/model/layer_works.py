"""The work of a network's layers as the run will do it: tiles, bytes and cycles on the block each layer goes to."""

from __future__ import annotations

from fractions import Fraction

from tlm3d.blocks import ComputeSpec
from tlm3d.model.residency import Residency
from tlm3d.model.topology import Topology
from tlm3d.model.work import TileWork, task_work
from tlm3d.record.layer_work import LayerWork
from tlm3d.spec.binding import bind
from tlm3d.spec.platform import PlatformSpec
from tlm3d.spec.workload import WorkloadSpec
from tlm3d.units import PS_PER_S


def layer_works(platform: PlatformSpec, workload: WorkloadSpec, task: str) -> tuple[LayerWork, ...]:
    """The layers of ``task``, each on its first option. Raises SpecError, ElaborationError."""
    bindings = bind(platform, workload)
    residency = Residency(platform, workload, bindings)
    work = task_work(workload.tasks[task], bindings[task], platform, Topology(platform), residency)
    found = []
    for item in work.items:
        if item.layer is None:
            continue
        block = item.options[0]
        spec = platform.dies[block[0]].blocks[block[1]]
        assert isinstance(spec, ComputeSpec)
        tiles = work.tiles(item, block, work.default_sources(item, block))
        loads = [load for tile in tiles for load in tile.loads]
        pieces = {tile.piece for tile in tiles if tile.piece is not None}
        found.append(
            LayerWork(
                name=item.name,
                op=item.layer.kind,
                block=".".join(block),
                macs=sum(tile.macs for tile in tiles),
                input_bytes=sum(load.bytes for load in loads if load.is_input),
                weight_bytes=sum(load.bytes for load in loads if not load.is_input),
                staged_bytes=sum(piece.bytes for piece in pieces),
                output_bytes=sum(tile.store[1] for tile in tiles if tile.store),
                tiles=len(tiles),
                cycles=sum(_cycles(tile, spec.clock_hz) for tile in tiles),
                facts=spec.layer_facts(item.layer),
            )
        )
    return tuple(found)


def _cycles(tile: TileWork, clock_hz: Fraction) -> int:
    """The whole cycles in a tile's time, which was rounded up to a ps: the rest is less than a cycle."""
    return int(tile.compute_ps * clock_hz // PS_PER_S)
