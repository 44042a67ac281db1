"""What lies in the buffers of a block's local memory: whether what a layer keeps from tile to tile is still there."""

from __future__ import annotations

from typing import NamedTuple

from tlm3d.model.job import ItemRun
from tlm3d.model.work import Load, TileWork


class _Place(NamedTuple):
    """A buffer while one layer has it."""

    buffer: int
    since: int  # the tile, counted over all layers, with which the layer took it


class _Kept:
    """Where the weights and the inputs lie that a layer loaded last."""

    __slots__ = ("inputs", "weights")

    def __init__(self) -> None:
        self.weights: _Place | None = None
        self.inputs: _Place | None = None


class Buffers:
    """Tiles of layers take the buffers in turn, each all of one: with it goes what another layer kept there.

    Stages keep their data elsewhere.
    """

    def __init__(self, count: int) -> None:
        self._tiles = 0  # of layers, committed so far
        self._owners: list[ItemRun | None] = [None] * count
        self._since = [0] * count
        self._kept: dict[ItemRun, _Kept] = {}  # of layers that have begun and have tiles left

    def next_work(self, run: ItemRun) -> TileWork:
        """The next tile of ``run``, which loads besides what it would have kept and was overwritten."""
        work, kept = run.tiles[run.next_tile], self._kept.get(run)
        if kept is None:
            return work
        lost: list[Load] = []
        if self._is_lost(run, kept.weights) and not work.loads_weights:
            lost += _last_loads(run, False)
        own = work.loads
        if self._is_lost(run, kept.inputs) and not any(load.is_input for load in own):
            own = (*own, *_last_loads(run, True))
        return work if not lost and own is work.loads else work._replace(loads=(*lost, *own))

    def take(self, run: ItemRun, work: TileWork) -> None:
        """A tile of ``run``, its ``work`` as ``next_work`` said, is committed; ``run.next_tile`` is the one after."""
        if run.item.layer is None:
            return
        buffer = self._tiles % len(self._owners)
        if self._owners[buffer] is not run:
            self._owners[buffer], self._since[buffer] = run, self._tiles
        self._tiles += 1
        if run.committed:
            self._kept.pop(run, None)
            return
        kept = self._kept.setdefault(run, _Kept())
        place = _Place(buffer, self._since[buffer])
        if work.loads_weights:
            kept.weights = place
        if any(load.is_input for load in work.loads):
            kept.inputs = place

    def withdraw(self, run: ItemRun) -> None:
        """``run`` commits no more tiles."""
        self._kept.pop(run, None)

    def _is_lost(self, run: ItemRun, place: _Place | None) -> bool:
        if place is None:
            return False
        return self._owners[place.buffer] is not run or self._since[place.buffer] != place.since


def _last_loads(run: ItemRun, is_input: bool) -> tuple[Load, ...]:
    """The weights, or inputs, of the last tile before the next one that loaded any: what it would have kept."""
    for at in range(run.next_tile - 1, -1, -1):
        loads = tuple(load for load in run.tiles[at].loads if load.is_input is is_input)
        if loads:
            return loads
    return ()
