"""Heterogeneous earliest finish time."""

from __future__ import annotations

from tlm3d.plans import Planner
from tlm3d.plans._draft import Draft
from tlm3d.plans.graph import Graph
from tlm3d.plans.schedule import Schedule


class Heft(Planner):
    """Nodes by falling upward rank, each into the gap where it finishes soonest (Topcuoglu, Hariri & Wu 2002).

    In the paper transfers do not meet; here they do on links (``contention``), each move in the first gap of its links,
    as in Sinnen & Sousa 2005. The deadline changes nothing.
    """

    def __init__(self, contention: bool = True) -> None:
        self._contention = contention

    def plan(self, graph: Graph, deadline_ps: int | None = None) -> Schedule:
        draft = Draft(graph, self._contention)
        for node in by_upward_rank(graph):
            draft.put_soonest(node, graph.options[node])
        return draft.schedule()


def by_upward_rank(graph: Graph) -> list[str]:
    """The nodes, those with the longest way to the end first; a node never before one that it needs."""
    return sorted(graph.order, key=lambda node: -graph.upward[node])


KIND = Heft
