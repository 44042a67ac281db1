"""What is to be placed: nodes, the blocks that can run them, and what moves between.

All times are integer picoseconds, all energies integer attojoules. A graph says nothing of a platform or a network: a
node may be a layer, a stage or anything else that one block runs from its start to its finish.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from tlm3d.errors import ElaborationError
from tlm3d.units import ceil_div


class Move(NamedTuple):
    """One leg of a transfer: it holds all of ``links`` for ``ps``. Without links it meets nobody."""

    links: tuple[str, ...]
    ps: int
    aj: int = 0


Moves = tuple[Move, ...]  # one after the other
Edge = tuple[str, str]  # from the node that makes it to the node that needs it


@dataclass(frozen=True)
class Graph:
    """What is to be placed; the order of the nodes breaks ties. Raises ElaborationError where it is impossible."""

    nodes: tuple[str, ...]
    blocks: tuple[str, ...]
    time_ps: Mapping[tuple[str, str], int]  # (node, block), a node's in order of preference; absent: cannot run there
    energy_aj: Mapping[tuple[str, str], int] = field(default_factory=dict)  # absent: nothing
    edges: Mapping[Edge, Mapping[tuple[str, str], Moves]] = field(default_factory=dict)  # by the blocks of both
    ready_ps: Mapping[str, int] = field(default_factory=dict)  # a node begins no sooner; absent: 0

    def __post_init__(self) -> None:
        problems = list(self._problems())
        if not problems and len(self.order) < len(self.nodes):
            problems = [f"nodes wait for each other: {', '.join(n for n in self.nodes if n not in self.order)}"]
        if problems:
            raise ElaborationError(problems)

    def _problems(self) -> Iterator[str]:
        nodes, blocks = set(self.nodes), set(self.blocks)
        if not nodes:
            yield "nothing to place: no node"
        for what, names in (("node", self.nodes), ("block", self.blocks)):
            yield from (f"{what} {name} is there twice" for name in sorted(set(names)) if names.count(name) > 1)
        for (node, block), ps in self.time_ps.items():
            if node not in nodes or block not in blocks or ps < 0:
                yield f"time {ps} ps of node {node} on block {block}: expected known names, 0 ps or more"
        able = {node for node, _ in self.time_ps}
        yield from (f"no block can run {node}" for node in self.nodes if node not in able)
        for (a, b), pairs in self.edges.items():
            if a not in nodes or b not in nodes:
                yield f"edge {a} → {b}: expected known nodes"
            if any(m.ps < 0 or len(set(m.links)) < len(m.links) for moves in pairs.values() for m in moves):
                yield f"edge {a} → {b}: expected moves of no less than 0 ps, each link once"

    # ------------------------------------------------------------ who, where

    @cached_property
    def order(self) -> tuple[str, ...]:
        """The nodes, none before one that it needs; else as in ``nodes``."""
        waits = {node: len(self.needs[node]) for node in self.nodes}
        found: list[str] = []
        while free := next((node for node in self.nodes if waits.get(node) == 0), None):
            found.append(free)
            del waits[free]
            for later in self.feeds[free]:
                waits[later] -= 1
        return tuple(found)

    @cached_property
    def place(self) -> Mapping[str, int]:
        """Where a node is in ``order``."""
        return {node: i for i, node in enumerate(self.order)}

    @cached_property
    def needs(self) -> Mapping[str, tuple[str, ...]]:
        """By node, those whose output it needs."""
        return {node: tuple(a for a, b in self.edges if b == node) for node in self.nodes}

    @cached_property
    def feeds(self) -> Mapping[str, tuple[str, ...]]:
        """By node, those that need its output."""
        return {node: tuple(b for a, b in self.edges if a == node) for node in self.nodes}

    @cached_property
    def options(self) -> Mapping[str, tuple[str, ...]]:
        """By node, the blocks that can run it, the preferred one first."""
        found: dict[str, list[str]] = {node: [] for node in self.nodes}
        for node, block in self.time_ps:
            found[node].append(block)
        return {node: tuple(blocks) for node, blocks in found.items()}

    # ------------------------------------------------------------ what it costs

    def move(self, a: str, b: str, block_a: str, block_b: str) -> Moves:
        """What brings the output of ``a`` on ``block_a`` to ``b`` on ``block_b``."""
        return self.edges[a, b].get((block_a, block_b), ())

    def move_ps(self, a: str, b: str, block_a: str, block_b: str) -> int:
        """How long that takes where nobody is met."""
        return sum(move.ps for move in self.move(a, b, block_a, block_b))

    def spent_aj(self, places: Mapping[str, str]) -> int:
        """The energy of every node on its block of ``places`` and of all that moves; it does not depend on when."""
        run_aj = sum(self.energy_aj.get((node, places[node]), 0) for node in self.nodes)
        return run_aj + sum(move.aj for a, b in self.edges for move in self.move(a, b, places[a], places[b]))

    def without_contention(self) -> Graph:
        """The same where links carry any number of moves at once, as in the classic model."""
        edges = {
            edge: {pair: tuple(Move((), m.ps, m.aj) for m in moves) for pair, moves in pairs.items()}
            for edge, pairs in self.edges.items()
        }
        return Graph(self.nodes, self.blocks, self.time_ps, self.energy_aj, edges, self.ready_ps)

    # ------------------------------------------------------------ ranks and bounds

    def mean_ps(self, node: str) -> Fraction:
        """Its time, averaged over the blocks that can run it."""
        times = [self.time_ps[node, block] for block in self.options[node]]
        return Fraction(sum(times), len(times))

    def mean_move_ps(self, a: str, b: str) -> Fraction:
        """The time of an edge, averaged over the pairs of two blocks; of one block where there is no such pair."""
        pairs = [(x, y) for x in self.options[a] for y in self.options[b]]
        pairs = [(x, y) for x, y in pairs if x != y] or pairs
        return Fraction(sum(self.move_ps(a, b, x, y) for x, y in pairs), len(pairs))

    @cached_property
    def upward(self) -> Mapping[str, Fraction]:
        """rank_u: the longest way from a node's start to the end, in means (Topcuoglu et al. 2002, eq. 8)."""
        rank: dict[str, Fraction] = {}
        for node in reversed(self.order):
            onward = [self.mean_move_ps(node, later) + rank[later] for later in self.feeds[node]]
            rank[node] = self.mean_ps(node) + max(onward, default=Fraction(0))
        return rank

    @cached_property
    def downward(self) -> Mapping[str, Fraction]:
        """rank_d: the longest way from the begin to a node's start, in means (Topcuoglu et al. 2002, eq. 10)."""
        rank: dict[str, Fraction] = {}
        for node in self.order:
            ways = [rank[a] + self.mean_ps(a) + self.mean_move_ps(a, node) for a in self.needs[node]]
            rank[node] = max(ways, default=Fraction(0))
        return rank

    @cached_property
    def heads_ps(self) -> Mapping[tuple[str, str], int]:
        """By (node, block): no schedule starts it there sooner."""
        heads: dict[tuple[str, str], int] = {}
        for node in self.order:
            for block in self.options[node]:
                head_ps = self.ready_ps.get(node, 0)
                for a in self.needs[node]:
                    ways = (heads[a, x] + self.time_ps[a, x] + self.move_ps(a, node, x, block) for x in self.options[a])
                    head_ps = max(head_ps, min(ways))
                heads[node, block] = head_ps
        return heads

    @cached_property
    def tails_ps(self) -> Mapping[tuple[str, str], int]:
        """By (node, block): no schedule ends sooner after the node's finish there."""
        tails: dict[tuple[str, str], int] = {}
        for node in reversed(self.order):
            for block in self.options[node]:
                tail_ps = 0
                for b in self.feeds[node]:
                    options = self.options[b]
                    ways = (self.move_ps(node, b, block, y) + self.time_ps[b, y] + tails[b, y] for y in options)
                    tail_ps = max(tail_ps, min(ways))
                tails[node, block] = tail_ps
        return tails

    @cached_property
    def least_makespan_ps(self) -> int:
        """No schedule is shorter: the critical path; the work over the blocks (Graham 1969); a block's own work."""
        through = {key: head_ps + self.time_ps[key] + self.tails_ps[key] for key, head_ps in self.heads_ps.items()}
        path_ps = max(min(through[node, block] for block in self.options[node]) for node in self.nodes)
        least = {node: min(self.time_ps[node, block] for block in self.options[node]) for node in self.nodes}
        able = {block for _, block in self.time_ps}
        own = {block: sum(least[n] for n in self.nodes if self.options[n] == (block,)) for block in able}
        return max(path_ps, ceil_div(sum(least.values()), len(able)), *own.values())
