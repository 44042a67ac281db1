"""What steps take at worst by themselves: transfers held up by whoever shares their channels, tile by tile."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from heapq import nlargest
from itertools import chain

from tlm3d.bounds.channels import Channels, Held, Move
from tlm3d.bounds.claim import NoBound
from tlm3d.bounds.demand import Demand, Load, Part, Server, Step, TaskDemand, Tile, Traffic

_COMMITTED, _STORED = 2, 3  # tiles of a block that may be under way at once


class Works:
    """The steps of ``demand``; what its transfers take is worked out once each.

    What rivals add is counted burst by burst: what they may do at worst before each burst of a transfer. Or,
    ``by_rate``, what the initiators of other servers and sensors move in the meantime (``goes_first``). Both are
    bounds.
    """

    def __init__(self, demand: Demand, by_rate: bool = False) -> None:
        self._demand, self._by_rate = demand, by_rate
        self._channels = Channels(demand.rivals, demand.wires)
        self._held: dict[tuple[object, ...], Held | NoBound] = {}
        self._others: dict[str, frozenset[str]] = {}
        self._users: dict[str, dict[str, list[Step]]] = {}  # by server and task
        for task in demand.tasks.values():
            for step in task.steps:
                self._users.setdefault(step.server, {}).setdefault(task.name, []).append(step)
        self._first: dict[str, tuple[Traffic, ...]] = {}

    def held(self, move: Move) -> Held | NoBound:
        """What rivals add to a transfer."""
        key = (move.initiator, move.priority, move.crossings)
        if key not in self._held:
            self._held[key] = self._channels.held_up(move, self._left_out(move) if self._by_rate else ())
        return self._held[key]

    def _left_out(self, move: Move) -> frozenset[str]:
        """The initiators that are not of the server of ``move``."""
        own = move.initiator.rpartition(".")[0]
        if own not in self._others:
            rivals = {other.initiator for moves in self._demand.rivals.values() for other in moves}
            self._others[own] = frozenset(name for name in rivals if not _is_of(own, name))
        return self._others[own]

    def step(self, task: TaskDemand, number: int) -> StepWork:
        """What step ``number`` of ``task`` takes."""
        step = task.steps[number]
        server, users = self._demand.servers[step.server], self._users[step.server]
        shared = sum(map(len, users.values())) > 1
        return StepWork(self, step, server, shared, task.aborts)

    def only_any_order(self, server: str) -> bool:
        """Whether plain stages may take the unit of a block from tiles at once: who waits for whom is not told apart.

        A less urgent stage may suspend a tile that a more urgent layer waits for.
        """
        if self._demand.servers[server].preemption != "full":
            return False
        steps = [step for of_task in self._users[server].values() for step in of_task]
        return any(part.is_stage for step in steps for part in step.parts)

    def goes_first(self, server: str) -> tuple[Traffic, ...]:
        """The traffic that transfers of a block may have to let go first, as far as it is not in what they take."""
        if server not in self._first:
            self._first[server] = tuple(self._find_first(server))
        return self._first[server]

    def _find_first(self, server: str) -> Iterable[Traffic]:
        limits: dict[str, tuple[int, int]] = {}  # by wire: the least urgent mover, and turns that equals have again
        for steps in self._users[server].values():
            for move in {move for step in steps for move in step.moves()}:
                held = self.held(move)
                if isinstance(held, NoBound):
                    continue
                for wire in held.by_rate:
                    priority, again_ps = limits.get(wire, (0, 0))
                    limits[wire] = max(priority, move.priority), max(again_ps, held.again_ps.get(wire, 0))
        for wire, (priority, turns_ps) in sorted(limits.items()):
            by_number = self._demand.wires[wire].arbiter == "priority"
            for one in self._demand.traffic.get(wire, ()):
                is_smaller = by_number and one.priority < priority
                if is_smaller or (self._by_rate and not _is_of(server, one.initiator)):
                    again_ps = turns_ps if is_smaller else 0
                    yield replace(one, ps=one.ps + one.bursts * again_ps)


def in_the_way_ps(less: Sequence[StepWork], preemption: str) -> int:
    """How long tiles that are under way when something more urgent is ready may hold it up on a block.

    Two are committed and not computed at most, three computed and not stored (two wait for the port when the unit
    begins the next one). Each tile is there once, but for those of jobs that were aborted. Without preemption it is a
    whole item, as well.
    """
    every = [one for one in less for _ in range(_STORED if one.aborts else 1)]
    tiles_ps = nlargest(_COMMITTED, (ps for one in every for ps in one.tiles_ps))
    stores_ps = nlargest(_STORED, (ps for one in every for ps in one.stores_ps))
    ps = sum(tiles_ps) + sum(stores_ps) + max((one.ahead_ps for one in less), default=0)
    return ps + (max((one.item_ps for one in less), default=0) if preemption == "none" else 0)


def _is_of(server: str, initiator: str) -> bool:
    """Whether it is one of the ports of a block."""
    return initiator.rpartition(".")[0] == server


class StepWork:
    """One step. ``shared``: others use its server, too; ``aborts``: tiles of jobs that are over may be under way."""

    def __init__(self, works: Works, step: Step, server: Server, shared: bool, aborts: bool) -> None:
        self._works, self._step, self._server, self._shared = works, step, server, shared
        self.aborts = aborts
        self.processors = server.processors
        self.gaps = len(step.parts)
        self.least_ps = step.compute_ps
        self._is_chain = step.is_chain

    @cached_property
    def serial_ps(self) -> int | NoBound:
        """All that it does, one thing after another."""
        if self._server.processors:
            return self.least_ps
        total_ps = 0
        for part in self._step.parts:
            took_ps = self._part_ps(part)
            if isinstance(took_ps, NoBound):
                return took_ps
            total_ps += took_ps
        return total_ps

    @cached_property
    def endless(self) -> NoBound | None:
        """Of its transfers one of which it is not known what it takes at most, more urgent traffic aside."""
        every = map(self._works.held, dict.fromkeys(self._step.moves()))
        return next((held for held in every if isinstance(held, NoBound)), None)

    @property
    def entry_ps(self) -> int:
        """What its getting a processor may cost whom it is taken from."""
        if self._server.preemption == "none":
            return 0
        outside = sum(part.comes_in for part in self._step.parts)
        return self._server.switch_ps * (outside + 2 * len(self._step.holds))

    @property
    def piece_ps(self) -> int:
        """Its longest piece on a processor that is not interrupted."""
        server = self._server
        if not server.processors or server.piece_ps == 0:
            return 0
        longest_ps = max(part.tiles[0].compute_ps for part in self._step.parts)
        return longest_ps if server.piece_ps is None else min(server.piece_ps, longest_ps) + server.switch_ps

    @property
    def last_ps(self) -> int:
        """The piece at its end that is not interrupted."""
        if not self._server.processors or self._server.piece_ps is not None or not self._is_chain:
            return 0
        return self._step.parts[-1].tiles[0].compute_ps

    @cached_property
    def tiles_ps(self) -> list[int]:
        """Its two longest tiles, each with all its transfers."""
        return nlargest(_COMMITTED, map(self._tile_ps, self._tiles()))

    @cached_property
    def stores_ps(self) -> list[int]:
        """Its three longest stores."""
        stores = [tile.store for tile in self._tiles() if tile.store is not None]
        return nlargest(_STORED, map(self._move_ps, stores))

    @cached_property
    def item_ps(self) -> int:
        """Its longest item."""
        return max(_number(self._part_ps(part)) for part in self._step.parts)

    def _tiles(self) -> Iterable[Tile]:
        return (tile for part in self._step.parts for tile in chain(part.tiles, *part.otherwise))

    @cached_property
    def ahead_ps(self) -> int:
        """The longest fetch of its weights into a stage."""
        return max((self._move_ps(part.ahead) for part in self._step.parts if part.ahead is not None), default=0)

    def _part_ps(self, part: Part) -> int | NoBound:
        if part.ahead is not None and (self._shared or self.aborts):
            whose = "several runs of layers" if self._shared else "jobs that may be aborted"
            return NoBound(f"{self._server.name} stages weights for {whose}")
        if self.endless is not None:
            return self.endless
        ahead_ps = self._move_ps(part.ahead) if part.ahead is not None else 0
        return max(sum(self._tile_ps(tile) + ahead_ps for tile in tiles) for tiles in (part.tiles, *part.otherwise))

    def _tile_ps(self, tile: Tile) -> int:
        """One tile, one thing after the other."""
        store_ps = self._move_ps(tile.store) if tile.store is not None else 0
        switch_ps = 2 * self._server.switch_ps if self._shared else 0
        return sum(self._move_ps(load.move) for load in self._loads(tile)) + tile.compute_ps + switch_ps + store_ps

    def _loads(self, tile: Tile) -> tuple[Load, ...]:
        return tile.loads if self._shared or not self._is_chain else tile.least_loads

    def _move_ps(self, move: Move) -> int:
        held = self._works.held(move)
        return move.alone_ps + (0 if isinstance(held, NoBound) else held.ps)

    @cached_property
    def line_ps(self) -> int | None:
        """The same by the recurrence of the block, where nobody else uses it and the order of its tiles is given.

        The recurrence only takes maxima and sums: what is held up a little more ends no sooner. Weights that could be
        fetched before the layer's inputs are there are taken to wait for them like all else: that is no sooner either.
        """
        if self._shared or not self._is_chain or self.aborts or isinstance(self.serial_ps, NoBound):
            return None
        if self._server.processors or any(part.ahead is not None or part.otherwise for part in self._step.parts):
            return None
        single = self._server.buffers == 1
        load_ps = ready_ps = 0
        computed_ps, stored_ps = [0, 0], [0, 0]
        for part in self._step.parts:
            load_ps = max(load_ps, ready_ps)
            for tile in part.tiles:
                load_ps = max(load_ps, computed_ps[1 if single else 0], stored_ps[1] if single else 0)
                load_ps += sum(self._move_ps(load.move) for load in tile.least_loads)
                end_ps = max(load_ps, computed_ps[1], stored_ps[0]) + tile.compute_ps
                computed_ps = [computed_ps[1], end_ps]
                if tile.store is not None:
                    end_ps = max(end_ps, stored_ps[1]) + self._move_ps(tile.store)
                stored_ps = [stored_ps[1], end_ps]
            ready_ps = max(stored_ps[1], computed_ps[1])
        return ready_ps


def _number(ps: int | NoBound) -> int:
    return 0 if isinstance(ps, NoBound) else ps
