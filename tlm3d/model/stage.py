"""What lies in the memory that a block's weights pass through: pieces of layers, in use or fetched ahead."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from tlm3d.model.job import ItemRun
from tlm3d.model.work import Piece, TileWork

if TYPE_CHECKING:
    from tlm3d.model.unit import TileRun


class Held:
    """A piece of the weights of ``run`` that has its room: on its way there, or landed."""

    __slots__ = ("landed", "piece", "run", "waiting")

    def __init__(self, run: ItemRun, piece: Piece) -> None:
        self.run, self.piece = run, piece
        self.landed = False
        self.waiting: TileRun | None = None  # the tile that goes on loading once it has landed


class Stage:
    """The pieces of one block. A piece is kept until its last tile has computed, or room for another lacks.

    Each layer knows the room there is while it runs; where pieces of two layers lie side by side the lesser holds.
    """

    def __init__(self) -> None:
        self._held: dict[tuple[ItemRun, int], Held] = {}  # in the order in which they came

    def find(self, run: ItemRun, piece: Piece) -> Held | None:
        """``piece``, where it is held."""
        return self._held.get((run, piece.number))

    def put(self, run: ItemRun, piece: Piece) -> Held:
        """``piece`` is on its way from now on."""
        held = self._held[run, piece.number] = Held(run, piece)
        return held

    def admits(self, run: ItemRun, work: TileWork, under_way: Collection[TileRun]) -> bool:
        """Whether ``work``, the next tile of ``run``, may begin: its piece is held, or there is room for it.

        It waits for pieces of the tiles under way, and for those on their way here. Beyond these it waits for nothing:
        what lies there for later is given up, what came first goes first.
        """
        piece = work.piece
        if piece is None or not work.loads_weights or self.find(run, piece) is not None:
            return True
        self._sweep(under_way)
        if self._fits(piece.bytes, piece.room):
            return True
        if any(not held.landed or _uses(under_way, held) for held in self._held.values()):
            return False
        while self._held and not self._fits(piece.bytes, piece.room):
            del self._held[next(iter(self._held))]
        return True

    def has_room_ahead(self, run: ItemRun, ahead: Piece, under_way: Collection[TileRun]) -> bool:
        """Whether ``ahead``, of a later layer, fits beside all that is held and each piece that ``run`` will bring."""
        self._sweep(under_way)
        room = min(piece.room for piece in (run.tiles[0].piece, ahead) if piece is not None)
        to_come = max((piece.bytes for piece in _to_come(run)), default=0)
        own = sum(held.piece.bytes for held in self._held.values() if held.run is run)
        return self._fits(ahead.bytes + max(0, to_come - own), room)

    def _fits(self, n_bytes: int, room: int) -> bool:
        held = [one.piece for one in self._held.values()]
        return sum(piece.bytes for piece in held) + n_bytes <= min([room, *(piece.room for piece in held)])

    def _sweep(self, under_way: Collection[TileRun]) -> None:
        """Let go of pieces whose last tile has computed, and of those of jobs that have ended."""
        self._held = {
            key: held
            for key, held in self._held.items()
            if not held.landed
            or _uses(under_way, held)
            or (not held.run.job.ended and held.run.next_tile <= held.piece.last_tile)
        }


def _to_come(run: ItemRun) -> Iterator[Piece]:
    """The pieces of the tiles of ``run`` that are not committed; by piece, as it is asked at the end of every tile."""
    at = run.next_tile
    while at < len(run.tiles) and (piece := run.tiles[at].piece) is not None:
        yield piece
        at = piece.last_tile + 1


def _uses(under_way: Collection[TileRun], held: Held) -> bool:
    return any(tile.run is held.run and tile.work.piece is held.piece for tile in under_way)
