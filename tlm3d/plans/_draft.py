"""A schedule while it is made: a node or a move goes into the first gap that is long enough.

Insertion on blocks is that of HEFT (Topcuoglu, Hariri & Wu 2002), on links that of Sinnen & Sousa (2005, "Communication
contention in task scheduling", IEEE TPDS 16(6)): moves are scheduled on links as nodes are on blocks.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Mapping, Sequence

from tlm3d.plans.graph import Edge, Graph
from tlm3d.plans.schedule import Haul, Schedule, Slot, of_times

Busy = list[tuple[int, int]]  # (start, finish) in ps, in order, none over another


def first_gap(busy: Busy, ready_ps: int, length_ps: int) -> int:
    """The first instant, not before ``ready_ps``, from when ``length_ps`` are free."""
    at_ps = ready_ps
    i = max(bisect_right(busy, (ready_ps,)) - 1, 0)  # all that is before this one has ended
    for start_ps, finish_ps in busy[i:]:
        if at_ps + length_ps <= start_ps:
            break
        at_ps = max(at_ps, finish_ps)
    return at_ps


class Draft:
    """Nodes that have been placed so far. Without ``contention`` moves do not meet on links."""

    def __init__(self, graph: Graph, contention: bool = True) -> None:
        self._graph, self._contention = graph, contention
        self._blocks: dict[str, Busy] = {block: [] for block in graph.blocks}
        self._links: dict[str, Busy] = {}
        self.slots: dict[str, Slot] = {}
        self._hauls: list[Haul] = []

    def trial(self, node: str, block: str) -> Slot:
        """Where ``node`` would be on ``block``. All that it needs has been placed."""
        slot, hauls = self._fit(node, block)
        self._take_back(hauls)
        return slot

    def put(self, node: str, block: str) -> Slot:
        """Place it there, as soon as it can be."""
        slot, hauls = self._fit(node, block)
        self._hauls += hauls
        self.slots[node] = slot
        insort(self._blocks[block], (slot.start_ps, slot.finish_ps))
        return slot

    def put_soonest(self, node: str, blocks: Iterable[str]) -> Slot:
        """Place it on the block where it finishes soonest; on the first such."""
        best = min((self.trial(node, block) for block in blocks), key=lambda slot: slot.finish_ps)
        return self.put(node, best.block)

    def schedule(self) -> Schedule:
        """All of it."""
        return of_times(self._graph, list(self.slots.values()), self._hauls)

    def _fit(self, node: str, block: str) -> tuple[Slot, list[Haul]]:
        """Its slot, and the moves to it: they are on the links already."""
        ready_ps, hauls = self._graph.ready_ps.get(node, 0), list[Haul]()
        needed = [self.slots[a] for a in self._graph.needs[node]]
        for slot in sorted(needed, key=lambda slot: slot.finish_ps):  # links carry first what is there first
            ready_ps = max(ready_ps, self._bring((slot.node, node), slot, block, hauls))
        length_ps = self._graph.time_ps[node, block]
        start_ps = first_gap(self._blocks[block], ready_ps, length_ps)
        return Slot(node, block, start_ps, start_ps + length_ps), hauls

    def _bring(self, edge: Edge, source: Slot, block: str, hauls: list[Haul]) -> int:
        """When the output of ``source`` is at ``block``; what brings it is put on its links and into ``hauls``."""
        at_ps = source.finish_ps
        for leg, move in enumerate(self._graph.move(*edge, source.block, block)):
            if self._contention:
                at_ps = self._all_free(move.links, at_ps, move.ps)
                for link in move.links:
                    insort(self._links[link], (at_ps, at_ps + move.ps))
            hauls += [Haul(edge, link, at_ps, at_ps + move.ps, leg) for link in move.links or ("",)]
            at_ps += move.ps
        return at_ps

    def _all_free(self, links: Sequence[str], ready_ps: int, length_ps: int) -> int:
        """The first instant from when all of these links are free for so long."""
        busy = [self._links.setdefault(link, []) for link in links]
        while True:
            at_ps = ready_ps
            for one in busy:
                at_ps = first_gap(one, at_ps, length_ps)
            if at_ps == ready_ps:
                return at_ps
            ready_ps = at_ps

    def _take_back(self, hauls: Sequence[Haul]) -> None:
        for haul in hauls if self._contention else ():
            if haul.link:
                self._links[haul.link].remove((haul.start_ps, haul.finish_ps))


def placed(graph: Graph, places: Mapping[str, str]) -> Schedule:
    """Every node on its block of ``places``; those with the longest way to the end first, or as in the graph."""
    way_ps: dict[str, int] = {}
    for node in reversed(graph.order):
        onward = (graph.move_ps(node, b, places[node], places[b]) + way_ps[b] for b in graph.feeds[node])
        way_ps[node] = graph.time_ps[node, places[node]] + max(onward, default=0)
    orders = (sorted(graph.order, key=lambda node: -way_ps[node]), graph.order)
    return min((_listed(graph, order, places) for order in orders), key=lambda one: one.makespan_ps)


def _listed(graph: Graph, order: Iterable[str], places: Mapping[str, str]) -> Schedule:
    """Put in this order, each as soon as it can be."""
    draft = Draft(graph)
    for node in order:
        draft.put(node, places[node])
    return draft.schedule()


Begun = Mapping[str, tuple[int, int]]  # (start, finish) by node
BegunLegs = Mapping[tuple[Edge, int], tuple[int, int]]  # the same by edge and leg


def retimed(graph: Graph, places: Mapping[str, str], nodes: Begun, legs: BegunLegs) -> Schedule:
    """All on its block or links in the order of these times, whatever their unit, each as soon as it can be.

    Where these times are those of a schedule whose durations are no shorter, nothing comes later than in it.
    """
    order: list[tuple[tuple[int, int], tuple[int, int, int], Edge | str]] = []
    order += [(times, (graph.place[node], 1, 0), node) for node, times in nodes.items()]
    order += [(times, (graph.place[edge[1]], 0, leg), edge) for (edge, leg), times in legs.items()]
    free: dict[tuple[str, str], int] = {}  # when a block or link is free again
    there: dict[Edge, int] = {}  # when what an edge moves has come so far
    slots: dict[str, Slot] = {}
    hauls: list[Haul] = []
    for _, (_, _, leg), what in sorted(order, key=lambda one: one[:2]):
        if isinstance(what, str):
            at_ps = max(graph.ready_ps.get(what, 0), free.get(("block", places[what]), 0))
            for a in graph.needs[what]:
                at_ps = max(at_ps, there.get((a, what), slots[a].finish_ps))
            slots[what] = Slot(what, places[what], at_ps, at_ps + graph.time_ps[what, places[what]])
            free["block", places[what]] = slots[what].finish_ps
        else:
            move = graph.move(*what, places[what[0]], places[what[1]])[leg]
            at_ps = max(
                there.get(what, slots[what[0]].finish_ps), *(free.get(("link", link), 0) for link in move.links), 0
            )
            hauls += [Haul(what, link, at_ps, at_ps + move.ps, leg) for link in move.links or ("",)]
            free |= {("link", link): at_ps + move.ps for link in move.links}
            there[what] = at_ps + move.ps
    return of_times(graph, list(slots.values()), hauls)
