"""What a stage lets in, keeps and gives up, without a run."""

from __future__ import annotations

from typing import Any

from tlm3d.model.stage import Stage
from tlm3d.model.topology import Route
from tlm3d.model.work import Load, Piece, TileWork

_ROUTE = Route((), ())


class Fake:
    """Something with these attributes, and an identity."""

    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)


def layer(*sizes: int, room: int = 100) -> Any:
    """A run of a layer with a piece of each size, a tile each."""
    pieces = [Piece(i, _ROUTE, size, room, i) for i, size in enumerate(sizes)]
    tiles = tuple(TileWork((Load(_ROUTE, 1, False),), 1, 0, 0, None, piece) for piece in pieces)
    return Fake(tiles=tiles, next_tile=0, job=Fake(ended=False))


def tile(run: Any, number: int) -> Any:
    return Fake(run=run, work=run.tiles[number])


def admits(stage: Stage, run: Any, under_way: list[Any]) -> bool:
    return stage.admits(run, run.tiles[run.next_tile], under_way)


def put(stage: Stage, run: Any, number: int = 0, landed: bool = True) -> None:
    stage.put(run, run.tiles[number].piece).landed = landed


def test_a_piece_waits_for_what_is_on_its_way_even_where_no_tile_waits_for_that() -> None:
    stage, coming, other = Stage(), layer(60), layer(50)
    put(stage, coming, landed=False)
    assert not admits(stage, other, [])
    coming.job.ended = True  # it still lands there
    assert not admits(stage, other, [])
    stage.find(coming, coming.tiles[0].piece).landed = True  # type: ignore[union-attr]
    assert admits(stage, other, [])
    assert stage.find(coming, coming.tiles[0].piece) is None


def test_what_came_first_is_given_up_first_and_no_more_than_needed() -> None:
    stage, first, second, other = Stage(), layer(40), layer(40), layer(60)
    put(stage, first)
    put(stage, second)
    assert admits(stage, other, [])
    assert stage.find(first, first.tiles[0].piece) is None
    assert stage.find(second, second.tiles[0].piece) is not None


def test_a_piece_is_kept_until_its_last_tile_is_committed_and_computed() -> None:
    stage, run, after = Stage(), layer(60), layer(50)
    put(stage, run)
    run.next_tile = 1
    assert not stage.has_room_ahead(run, after.tiles[0].piece, [tile(run, 0)])
    assert stage.has_room_ahead(run, after.tiles[0].piece, [])
    assert stage.find(run, run.tiles[0].piece) is None


def test_a_piece_that_has_not_begun_is_kept_unless_its_job_has_ended() -> None:
    stage, later, run = Stage(), layer(60), layer(10)
    put(stage, later)
    run.next_tile = 1
    assert not stage.has_room_ahead(run, layer(50).tiles[0].piece, [])
    later.job.ended = True
    assert stage.has_room_ahead(run, layer(50).tiles[0].piece, [])


def test_beside_a_piece_of_less_room_the_lesser_holds() -> None:
    stage, run = Stage(), layer(40, room=50)
    put(stage, run)
    assert not admits(stage, layer(20), [tile(run, 0)])
    assert admits(stage, layer(10), [tile(run, 0)])


def test_ahead_leaves_room_for_the_largest_piece_that_the_layer_will_bring() -> None:
    stage, run, after = Stage(), layer(40, 80), layer(30)
    put(stage, run)
    run.next_tile = 1
    assert not stage.has_room_ahead(run, after.tiles[0].piece, [tile(run, 0)])
    assert stage.has_room_ahead(run, after.tiles[0].piece._replace(bytes=20), [tile(run, 0)])


def test_ahead_looks_at_every_piece_to_come_however_many_tiles_share_one() -> None:
    sizes, shared = (10, 10, 70, 10), 3  # tiles a piece
    pieces = [Piece(i, _ROUTE, size, 100, shared * (i + 1) - 1) for i, size in enumerate(sizes)]
    tiles = tuple(TileWork((Load(_ROUTE, 1, False),), 1, 0, 0, None, piece) for piece in pieces for _ in range(shared))
    after = layer(31).tiles[0].piece
    for begun in range(len(tiles) + 1):
        run = Fake(tiles=tiles, next_tile=begun, job=Fake(ended=False))
        still_to_come = max((tile.piece.bytes for tile in tiles[begun:] if tile.piece is not None), default=0)
        assert Stage().has_room_ahead(run, after, []) == (31 + still_to_come <= 100)


def test_what_is_larger_than_all_room_is_let_in_alone() -> None:
    stage, large, other = Stage(), layer(150), layer(10)
    put(stage, other)
    assert not admits(stage, large, [tile(other, 0)])
    assert admits(stage, large, [])
    assert stage.find(other, other.tiles[0].piece) is None
