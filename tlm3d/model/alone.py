"""What items take and spend on blocks that have nothing else to do, on channels that nobody else uses.

The recurrence of the block (see pipeline.py). No part of it: channels that are gated, weights that are fetched into a
stage ahead of their layer, and loads and stores of the block itself that meet on one channel.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

from tlm3d.model.topology import Route
from tlm3d.model.work import TileWork, moves
from tlm3d.spec.states import GatedSpec
from tlm3d.tlm.channel import Channel
from tlm3d.tlm.passage import Passage
from tlm3d.units import ceil_div


class Line:
    """A block of one or two ``buffers`` that runs the items of one job, in the order of the calls.

    ``slowdown``: by how much everything there takes longer than alone, 1 or more. ``gate``: it is gated when the job
    comes, and again after idling; None: never.
    """

    def __init__(self, buffers: int, slowdown: Fraction = Fraction(1), gate: GatedSpec | None = None) -> None:
        self._buffers, self._slowdown, self._gate = buffers, slowdown, gate
        self._awake_until_ps = -1  # if nothing comes by then
        self.load_ps = 0  # the load port is free
        self._computed_ps = self._stored_ps = (0, 0)  # of the last two tiles

    def begins_ps(self, weights_ps: int) -> int:
        """When the next tile begins to load, which may from ``weights_ps`` on."""
        if self._buffers == 1:
            return max(self.load_ps, self._computed_ps[1], self._stored_ps[1], weights_ps)
        return max(self.load_ps, self._computed_ps[0], weights_ps)

    def run(self, tiles: Sequence[TileWork], ready_ps: int, weights_ps: int) -> tuple[int, int]:
        """When an item begins to load and when it is done, whose inputs are there at ``ready_ps``.

        ``weights_ps``: from when its first weights may come, where it begins with weights; else ``ready_ps``.
        """
        begin_ps, piece = -1, None
        awake_ps = weights_ps
        if self._gate is not None and weights_ps > self._awake_until_ps:
            awake_ps += self._gate.wake_time_ps
        for tile in tiles:
            computed_ps, stored_ps = self._computed_ps, self._stored_ps
            at_ps = self.begins_ps(awake_ps)
            begin_ps = at_ps if begin_ps < 0 else begin_ps
            if tile.piece is not None and tile.loads_weights and tile.piece is not piece:
                piece = tile.piece
                at_ps += self._moved_ps(piece.route, piece.bytes)
            for load in tile.loads:
                at_ps = (max(at_ps, ready_ps) if load.is_input else at_ps) + self._moved_ps(load.route, load.bytes)
            self.load_ps = at_ps
            end_ps = max(at_ps, ready_ps, computed_ps[1], stored_ps[0]) + self._slowed(tile.compute_ps)
            self._computed_ps = computed_ps[1], end_ps
            if tile.store is not None:
                end_ps = max(end_ps, stored_ps[1]) + self._moved_ps(*tile.store)
                self._stored_ps = stored_ps[1], end_ps
        if self._gate is not None:
            self._awake_until_ps = end_ps + self._gate.after_ps
        return begin_ps, end_ps

    def _moved_ps(self, route: Route, n_bytes: int) -> int:
        return self._slowed(moved_ps(route, n_bytes))

    def _slowed(self, time_ps: int) -> int:
        return ceil_div(time_ps * self._slowdown.numerator, self._slowdown.denominator)


def alone_ps(tiles: Sequence[TileWork], buffers: int) -> int:
    """From the first load of ``tiles``, over that many buffers (one or two), until the last tile is stored."""
    _, end_ps = Line(buffers).run(tiles, 0, 0)
    return end_ps


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
