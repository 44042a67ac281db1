"""What a plan says: which block runs a node and when, and when a link carries what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from tlm3d.plans.graph import Edge, Graph


class Slot(NamedTuple):
    """A node on a block."""

    node: str
    block: str
    start_ps: int
    finish_ps: int


class Haul(NamedTuple):
    """A leg of an edge's transfer on one of its links; ``link`` is "" where it holds none."""

    edge: Edge
    link: str
    start_ps: int
    finish_ps: int
    leg: int = 0  # which of the edge's moves


@dataclass(frozen=True)
class Schedule:
    """A plan. ``slots`` and ``hauls`` are in order of their starts."""

    slots: tuple[Slot, ...]
    hauls: tuple[Haul, ...]
    makespan_ps: int  # when all is done, counted from 0
    energy_aj: int  # of what is run and moved
    optimal: bool = False  # proved: nothing is better in what the plan aims at
    bound_ps: int = 0  # no schedule (of those allowed) is shorter
    bound_aj: int = 0  # where it aims at energy: none spends less

    @property
    def places(self) -> dict[str, str]:
        """The block of every node."""
        return {slot.node: slot.block for slot in self.slots}

    def problems(self, graph: Graph, contention: bool = True) -> list[str]:
        """Why it is no schedule of ``graph``, one sentence each; none where it is one."""
        if sorted(slot.node for slot in self.slots) != sorted(graph.nodes):
            return ["not every node is there once"]
        unable = [f"{node} cannot run on {block}" for node, block, *_ in self.slots if block not in graph.options[node]]
        if unable:
            return unable
        return [*self._wrong_times(graph), *self._wrong_moves(graph), *self._overlaps(contention), *self._sums(graph)]

    def _wrong_times(self, graph: Graph) -> Iterator[str]:
        for node, block, start_ps, finish_ps in self.slots:
            if finish_ps - start_ps != graph.time_ps[node, block]:
                needed = graph.time_ps[node, block]
                yield f"{node} takes {finish_ps - start_ps} ps on {block}, where it needs {needed}"
            if start_ps < graph.ready_ps.get(node, 0):
                yield f"{node} starts at {start_ps} ps, before it is ready"

    def _wrong_moves(self, graph: Graph) -> Iterator[str]:
        slots = {slot.node: slot for slot in self.slots}
        legs: dict[tuple[Edge, int], list[Haul]] = {}
        for haul in self.hauls:
            legs.setdefault((haul.edge, haul.leg), []).append(haul)
        for a, b in graph.edges:
            at_ps = slots[a].finish_ps
            for leg, move in enumerate(graph.move(a, b, slots[a].block, slots[b].block)):
                hauls = legs.pop(((a, b), leg), [])
                if sorted(haul.link for haul in hauls) != sorted(move.links or ("",)):
                    yield f"move {leg} of {a} → {b} is not on its links"
                    at_ps += move.ps
                    continue
                start_ps = hauls[0].start_ps
                if any((haul.start_ps, haul.finish_ps) != (start_ps, start_ps + move.ps) for haul in hauls):
                    yield f"move {leg} of {a} → {b} does not take {move.ps} ps on all of its links at once"
                if start_ps < at_ps:
                    yield f"move {leg} of {a} → {b} starts at {start_ps} ps, its data is there at {at_ps}"
                at_ps = start_ps + move.ps
            if slots[b].start_ps < at_ps:
                yield f"{b} starts at {slots[b].start_ps} ps, what it needs of {a} is there at {at_ps}"
        yield from (f"move {leg} of {a} → {b} is not needed" for (a, b), leg in legs)

    def _overlaps(self, contention: bool) -> Iterator[str]:
        used: dict[str, list[tuple[int, int]]] = {}
        for slot in self.slots:
            used.setdefault(f"block {slot.block}", []).append((slot.start_ps, slot.finish_ps))
        for haul in self.hauls if contention else ():
            if haul.link:
                used.setdefault(f"link {haul.link}", []).append((haul.start_ps, haul.finish_ps))
        for name, times in used.items():
            times.sort()
            for (_, end_ps), (start_ps, _) in pairwise(times):
                if start_ps < end_ps:
                    yield f"{name} is used twice at {start_ps} ps"

    def _sums(self, graph: Graph) -> Iterator[str]:
        if self.makespan_ps != max(slot.finish_ps for slot in self.slots):
            yield f"makespan {self.makespan_ps} ps is not the last finish"
        if self.energy_aj != graph.spent_aj(self.places):
            yield f"energy {self.energy_aj} aJ is not the sum of what is run and moved"


def of_times(graph: Graph, slots: list[Slot], hauls: list[Haul]) -> Schedule:
    """The schedule of these, with what it takes and spends, and the bound that every schedule has."""
    places: Mapping[str, str] = {slot.node: slot.block for slot in slots}
    return Schedule(
        tuple(sorted(slots, key=lambda slot: (slot.start_ps, slot.finish_ps, graph.place[slot.node]))),
        tuple(sorted(hauls, key=lambda haul: (haul.start_ps, haul.finish_ps, haul.edge, haul.leg, haul.link))),
        max(slot.finish_ps for slot in slots),
        graph.spent_aj(places),
        bound_ps=graph.least_makespan_ps,
    )
