"""What an item takes and spends on a block that has nothing else to do, on channels that nobody else uses.

The recurrence of the block (see pipeline.py) from time 0 on. A gate that has to open first is not part of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from tlm3d.model.topology import Route
from tlm3d.model.work import Piece, TileWork, moves
from tlm3d.tlm.channel import Channel
from tlm3d.tlm.passage import Passage


def alone_ps(tiles: Sequence[TileWork], buffers: int) -> int:
    """From the first load of ``tiles``, over that many buffers (one or two), until the last tile is stored."""
    load_ps = 0  # the load port is free
    computed_ps = stored_ps = (0, 0)  # of the last two tiles
    piece: Piece | None = None
    for tile in tiles:
        at_ps = max(load_ps, computed_ps[0]) if buffers > 1 else max(load_ps, computed_ps[1], stored_ps[1])
        if tile.piece is not None and tile.loads_weights and tile.piece is not piece:
            piece = tile.piece
            at_ps += moved_ps(piece.route, piece.bytes)
        load_ps = at_ps + sum(moved_ps(load.route, load.bytes) for load in tile.loads)
        computed_ps = computed_ps[1], max(load_ps, computed_ps[1], stored_ps[0]) + tile.compute_ps
        if tile.store is not None:
            stored_ps = stored_ps[1], max(computed_ps[1], stored_ps[1]) + moved_ps(*tile.store)
    return max(computed_ps[1], stored_ps[1])


def spent_aj(tiles: Sequence[TileWork]) -> int:
    """What computing ``tiles`` and all that they move spends, in blocks, memories and links."""
    return sum(tile.energy_aj for tile in tiles) + sum(moved_aj(route, n_bytes) for route, n_bytes in moves(tiles))


def moved_aj(route: Route, n_bytes: int) -> int:
    """What ``n_bytes`` over ``route`` spend."""
    sent = _passage(route.channels, n_bytes).sent
    return sum(route.leg_aj(hop, bits, bursts) for hop, (bits, bursts) in enumerate(sent))


def moved_ps(route: Route, n_bytes: int) -> int:
    """How long ``n_bytes`` take over ``route`` from posting until all has arrived."""
    return _passage(route.channels, n_bytes).duration_ps


@lru_cache(maxsize=4096)
def _passage(route: tuple[Channel, ...], n_bytes: int) -> Passage:
    return Passage(route, n_bytes)
