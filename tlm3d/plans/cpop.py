"""Critical path on a processor."""

from __future__ import annotations

from fractions import Fraction

from tlm3d.plans import Planner
from tlm3d.plans._draft import Draft
from tlm3d.plans.graph import Graph
from tlm3d.plans.schedule import Schedule


class Cpop(Planner):
    """The critical path on the block where it computes for the shortest time (Topcuoglu, Hariri & Wu 2002).

    Of the nodes whose needs are placed, the one on the longest way through the graph goes first. Nodes of the critical
    path that its block cannot run, and all others, go where they finish soonest. Links and the deadline are as in HEFT.
    """

    def __init__(self, contention: bool = True) -> None:
        self._contention = contention

    def plan(self, graph: Graph, deadline_ps: int | None = None) -> Schedule:
        through = {node: graph.upward[node] + graph.downward[node] for node in graph.nodes}
        path = critical_path(graph, through)
        block = _block_of(graph, path)
        draft = Draft(graph, self._contention)
        free = [node for node in graph.order if not graph.needs[node]]
        while free:
            node = max(free, key=lambda node: (through[node], -graph.place[node]))
            free.remove(node)
            options = graph.options[node]
            draft.put_soonest(node, (block,) if node in path and block in options else options)
            later = dict.fromkeys(graph.feeds[node])
            free += [one for one in later if all(needed in draft.slots for needed in graph.needs[one])]
        return draft.schedule()


def critical_path(graph: Graph, through: dict[str, Fraction]) -> list[str]:
    """The longest way through the graph in means; of equal ones the first."""
    path = [max((n for n in graph.order if not graph.needs[n]), key=lambda n: (through[n], -graph.place[n]))]
    while later := graph.feeds[path[-1]]:
        path.append(
            max(later, key=lambda n: (graph.mean_move_ps(path[-1], n) + graph.upward[n], -graph.place[n])),
        )
    return path


def _block_of(graph: Graph, path: list[str]) -> str:
    """The block that runs most of the path, in the shortest time."""

    def unfit(block: str) -> tuple[int, int]:
        able = [node for node in path if block in graph.options[node]]
        return -len(able), sum(graph.time_ps[node, block] for node in able)

    return min(graph.blocks, key=unfit)


KIND = Cpop
