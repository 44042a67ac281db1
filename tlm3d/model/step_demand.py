"""The steps of a task as bounds see them: items by server, tile by tile, with all that they may move."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import product
from math import prod
from typing import NamedTuple

from tlm3d.bounds.channels import Move
from tlm3d.bounds.demand import Hold, Load, Part, Step, Tile
from tlm3d.model.moves import move_of
from tlm3d.model.topology import Route
from tlm3d.model.work import Item, TaskWork, TileWork
from tlm3d.spec.binding import BlockName
from tlm3d.tlm.channel import Channel
from tlm3d.units import ceil_div

MOST_WAYS = 64  # in which what a layer reads may have been made
Stretch = Mapping[tuple[str, str], Fraction]  # by task and block path: how much longer its computing takes


class Steps:
    """Items that follow one another on the same server make a step; one that is placed while it runs makes several."""

    def __init__(
        self, server_of: Mapping[BlockName, str], pools: Sequence[Collection[BlockName]], stretch: Stretch
    ) -> None:
        self._server_of, self._pools, self._stretch = server_of, pools, stretch
        self._moves: dict[tuple[str, str, tuple[Channel, ...], int], Move] = {}

    def of(self, task: str, work: TaskWork) -> tuple[Step, ...]:
        """The steps of ``task``; none where there are too many ways in which its layers may lie."""
        groups: list[_Group] = []
        for item in work.items:
            servers = {self._server_of[block] for block in item.options}
            last = groups[-1] if groups else None
            if item.only is None and not item.pooled:
                groups += [_Group([item], (block,), item.position) for block in item.options]
            elif (
                last is not None
                and last.choice is None
                and last.blocks == item.options
                and (len(self._pool_of(servers)) == 1 or item.reads == (last.items[-1].position,))
            ):
                last.items.append(item)
            else:
                groups.append(_Group([item], item.options, None))
        at: dict[int, list[tuple[int, int]]] = {}  # by position: the steps an item is in, and its place there
        for number, group in enumerate(groups):
            for place, item in enumerate(group.items):
                at.setdefault(item.position, []).append((number, place))
        steps = []
        for group in groups:
            parts = self._parts(task, work, group, at)
            if parts is None:
                return ()
            reads = {step for part in parts for step, _ in part.outside}
            names = [item.name for item in group.items]
            step = Step(
                names[0] if len(names) == 1 else f"{names[0]}..{names[-1]}", self._server_of[group.blocks[0]], parts,
                tuple(sorted(reads)), _holds(group.items), group.choice, len(group.blocks),
                frozenset(".".join(block) for block in group.blocks),
            )  # fmt: skip
            steps.append(step)
        return tuple(steps)

    def _pool_of(self, servers: set[str]) -> Collection[BlockName]:
        return next((pool for pool in self._pools if self._server_of[min(pool)] in servers), {("", ""): None})

    def _parts(
        self, task: str, work: TaskWork, group: _Group, at: Mapping[int, list[tuple[int, int]]]
    ) -> tuple[Part, ...] | None:
        """None: there are too many ways in which what it reads may have been made."""
        place = {item.position: at for at, item in enumerate(group.items)}
        parts = []
        for item in group.items:
            # On several processors that are not alike only the least time is asked for.
            block = min(group.blocks, key=lambda block: item.plain[block].compute_ps if item.pooled else 0)
            ways = self._sources(work, item, block)
            if ways is None:
                return None
            tiles, *otherwise = [self._tiles(task, work, item, block, sources) for sources in ways]
            part = Part(
                item.name,
                tiles,
                tuple(place[read] for read in item.reads if read in place),
                tuple(where for read in item.reads if read not in place for where in at[read]),
                item.stage is not None,
                self._ahead(task, work, item, block),
                tuple(otherwise),
            )
            parts.append(part)
        return tuple(parts)

    @staticmethod
    def _sources(work: TaskWork, item: Item, block: BlockName) -> list[tuple[BlockName, ...]] | None:
        """The memories that what ``item`` reads may lie in, in all combinations; None: there are too many."""
        makers = [(None,) if read is None else work.items[read].options for read in item.layer_reads]
        if prod(map(len, makers)) > MOST_WAYS:
            return None
        return list(dict.fromkeys(tuple(work.source(maker, block) for maker in way) for way in product(*makers)))

    def _tiles(
        self, task: str, work: TaskWork, item: Item, block: BlockName, sources: tuple[BlockName, ...]
    ) -> tuple[Tile, ...]:
        path, priority = ".".join(block), work.task.spec.priority
        factor = self._stretch.get((task, path))
        found, kept = [], _Kept()
        for tile in work.tiles(item, block, sources):
            least = tuple(
                Load(self._move(f"{path}.load", task, priority, load.route, load.bytes), load.is_input)
                for load in self._loads(tile)
            )
            compute_ps = tile.compute_ps
            if factor is not None:
                exact = compute_ps * factor
                compute_ps = ceil_div(exact.numerator, exact.denominator)
            store = None
            if tile.store is not None:
                store = self._move(f"{path}.store", task, priority, *tile.store)
            found.append(Tile(compute_ps, kept.all_of(least), store, least))
        return tuple(found)

    def _ahead(self, task: str, work: TaskWork, item: Item, block: BlockName) -> Move | None:
        first = work.tiles(item, block, work.default_sources(item, block))[0]
        if first.piece is None or not first.loads_weights or not first.piece.bytes:
            return None
        initiator, priority = f"{'.'.join(block)}.stage", work.task.spec.priority
        return self._move(initiator, task, priority, first.piece.route, first.piece.bytes)

    @staticmethod
    def _loads(tile: TileWork) -> Iterable[_Loading]:
        """Those of ``tile``, the fetching of its piece of staged weights first: it may have to be brought again."""
        if tile.piece is not None and tile.loads_weights and tile.piece.bytes:
            yield _Loading(tile.piece.route, tile.piece.bytes, False)
        for load in tile.loads:
            yield _Loading(load.route, load.bytes, load.is_input)

    def _move(self, initiator: str, task: str, priority: int, route: Route, n_bytes: int) -> Move:
        key = (initiator, task, route.channels, n_bytes)
        if key not in self._moves:
            self._moves[key] = move_of(initiator, task, priority, route.channels, n_bytes)
        return self._moves[key]


class _Group(NamedTuple):
    """Items of one step, the processors or the block that may run them, and the choice that they are part of."""

    items: list[Item]
    blocks: tuple[BlockName, ...]
    choice: int | None


class _Loading(NamedTuple):
    route: Route
    bytes: int
    is_input: bool


class _Kept:
    """The weights and inputs of the last tile that loaded any: the next tiles may have to load them again."""

    def __init__(self) -> None:
        self._last: dict[bool, tuple[Load, ...]] = {False: (), True: ()}

    def all_of(self, loads: tuple[Load, ...]) -> tuple[Load, ...]:
        """``loads`` and what a tile with them would have kept."""
        whole: list[Load] = []
        for is_input in (False, True):
            own = tuple(load for load in loads if load.is_input is is_input)
            if own:
                self._last[is_input] = own
            whole += own or self._last[is_input]
        return tuple(whole)


def _holds(group: list[Item]) -> tuple[Hold, ...]:
    """The resources that items of one step hold, each from its first holder to its last."""
    places = {
        resource: [at for at, item in enumerate(group) if resource in item.holds]
        for resource in sorted({name for item in group for name in item.holds})
    }
    return tuple(Hold(resource, at[0], at[-1]) for resource, at in places.items())
