"""A system as plain data: what its tasks ask of processors, blocks and channels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import NamedTuple

from tlm3d.bounds.arrival import Arrival
from tlm3d.bounds.channels import Move, Wire


class Load(NamedTuple):
    """A transfer that a tile needs before it computes; weights may come before the layer's inputs exist."""

    move: Move
    is_input: bool


class Tile(NamedTuple):
    """One tile, or a stage, which moves nothing. ``loads``: all that it may have to load."""

    compute_ps: int
    loads: tuple[Load, ...] = ()
    store: Move | None = None
    least_loads: tuple[Load, ...] = ()  # where nobody else takes the block's buffers meanwhile


class Part(NamedTuple):
    """An item of a task, a stage or a layer. ``before``: items of the same step that it waits for, by place there.

    ``outside``: those of other steps, by step and place there.
    ``otherwise``: its tiles where what it reads was made on other blocks.
    """

    name: str
    tiles: tuple[Tile, ...]
    before: tuple[int, ...]
    outside: tuple[tuple[int, int], ...]
    is_stage: bool
    ahead: Move | None = None  # its staged weights, fetched while the layer before it runs
    otherwise: tuple[tuple[Tile, ...], ...] = ()

    @property
    def comes_in(self) -> bool:
        """Whether it waits for another step, or for nothing."""
        return bool(self.outside) or not self.before

    @property
    def compute_ps(self) -> int:
        """Computing time of all its tiles."""
        return sum(tile.compute_ps for tile in self.tiles)


class Hold(NamedTuple):
    """A resource that a step has from its item ``begins`` to its item ``ends``."""

    resource: str
    begins: int
    ends: int


@dataclass(frozen=True, slots=True)
class Step:
    """Items that follow one another on one server; ``after``: steps that must have finished, by place in the task.

    Of the steps of one ``choice`` a job takes one. ``width``: how many of a server's processors may run it.
    """

    name: str
    server: str
    parts: tuple[Part, ...]
    after: tuple[int, ...]
    holds: tuple[Hold, ...] = ()
    choice: int | None = None
    width: int = 1
    may: frozenset[str] = frozenset()

    @property
    def compute_ps(self) -> int:
        """Computing time of all its tiles: it takes no less."""
        return sum(part.compute_ps for part in self.parts)

    @property
    def is_chain(self) -> bool:
        """Whether its items follow one another, each after the one before it."""
        return all(part.before == ((at - 1,) if at else ()) for at, part in enumerate(self.parts))

    def moves(self) -> Iterator[Move]:
        """All that it may move, each as often as a job may at most; staged weights may be fetched for every tile."""
        for part in self.parts:
            if part.ahead is not None:
                yield from repeat(part.ahead, len(part.tiles))
            for tile in chain(part.tiles, *part.otherwise):
                yield from (load.move for load in tile.loads)
                if tile.store is not None:
                    yield tile.store


class Landing(NamedTuple):
    """When a task's input is there, from the release on, at best and at worst; ``reason``: why there is no worst."""

    best_ps: int
    worst_ps: int | None
    where: str
    alone_ps: int = 0  # what of the worst is sensing and moving, undisturbed
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TaskDemand:
    """A task. ``level``: its place in a fixed order; ``key_ps``: its jobs' key less their release, where dated.

    ``reason``: why nothing can be said of it; its steps then are empty.
    """

    name: str
    arrival: Arrival
    deadline_ps: int
    priority: int
    level: int
    key_ps: int
    backlog: int
    aborts: bool  # at its deadline
    gives_up: bool  # there, or before it has begun
    steps: tuple[Step, ...]
    landing: Landing | None = None
    parent: str | None = None
    may_not_come: bool = False  # not every job of its parent releases one
    most_apart_ps: int | None = None  # two releases one after the other; None: as far as it pleases
    first_ps: int = 0  # when the first is released at the latest, where two are no further apart than that
    reason: str = ""

    def steps_before(self, number: int) -> set[int]:
        """The steps that step ``number`` comes after, directly or not."""
        found: set[int] = set()
        todo = [number]
        while todo:
            new = set(self.steps[todo.pop()].after) - found
            found |= new
            todo += new
        return found


class Server(NamedTuple):
    """A processor, ``processors`` that share a queue, or a compute block (0).

    ``piece_ps``: of work after which it may be taken away (0: at once; None: when an item is done); ``reason``: why
    there is no bound for what runs there.
    """

    name: str
    processors: int
    preemption: str
    piece_ps: int | None
    switch_ps: int
    wake_ps: int
    buffers: int = 2
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ResourceDemand:
    """A resource: its protocol, and the tasks that hold it."""

    protocol: str
    tasks: frozenset[str]


@dataclass(frozen=True, slots=True)
class Traffic:
    """What a task or sensor moves for one job on a wire, in ps of the wire; ``task`` None: the frames of a sensor."""

    wire: str
    ps: int
    bursts: int
    priority: int
    initiator: str
    task: str | None
    arrival: Arrival | None = None
    late_ps: int = 0  # of a sensor's frames: how long after its tick it may still be under way
    reason: str = ""  # why that is not known


class ChainDemand(NamedTuple):
    """A chain of tasks; ``cascades``: those released by the one before them."""

    tasks: tuple[str, ...]
    cascades: frozenset[str]
    deadline_ps: int | None
    max_age_ps: int | None


@dataclass(frozen=True, slots=True)
class Demand:
    """All of a system. ``order``: ``fixed``, ``dated`` or ``any``."""

    platform: str
    workload: str
    policy: str
    corner: str
    order: str
    tasks: dict[str, TaskDemand]
    servers: dict[str, Server]
    wires: dict[str, Wire]
    rivals: dict[str, tuple[Move, ...]]  # all that ever crosses a wire
    traffic: dict[str, tuple[Traffic, ...]]  # by wire
    resources: dict[str, ResourceDemand] = field(default_factory=dict)
    chains: dict[str, ChainDemand] = field(default_factory=dict)
