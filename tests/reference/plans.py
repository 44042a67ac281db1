"""All schedules of a small graph, by trying every choice of blocks and every order: knows nothing of the planners.

Every schedule in which nothing could come sooner without another order on some block or link comes out where its nodes
and moves are put in the order of their starts, each after all that is on its block or links already; and one of those
is the shortest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from hypothesis import strategies as st

from tlm3d.plans.graph import Graph, Move


@dataclass(frozen=True)
class Activity:
    """A node, or a leg of a move."""

    holds: tuple[str, ...]
    ps: int
    after: tuple[int, ...]  # which of the activities
    ready_ps: int = 0


def assignments(graph: Graph) -> Iterator[dict[str, str]]:
    """Every choice of blocks."""
    options = [[block for block in graph.blocks if (node, block) in graph.time_ps] for node in graph.nodes]
    for blocks in product(*options):
        yield dict(zip(graph.nodes, blocks, strict=True))


def energy_aj(graph: Graph, places: dict[str, str]) -> int:
    """What these blocks spend."""
    spent = sum(graph.energy_aj.get(item, 0) for item in places.items())
    pairs = ((moves, places[a], places[b]) for (a, b), moves in graph.edges.items())
    return spent + sum(move.aj for moves, x, y in pairs for move in moves.get((x, y), ()))


def activities(graph: Graph, places: dict[str, str]) -> list[Activity]:
    """All that is to be done; nodes come first, in the graph's order."""
    index = {node: i for i, node in enumerate(graph.nodes)}
    legs: list[Activity] = []
    after: dict[str, list[int]] = {node: [] for node in graph.nodes}
    for (a, b), pairs in graph.edges.items():
        last = index[a]
        for move in pairs.get((places[a], places[b]), ()):
            legs.append(Activity(tuple(f"link {link}" for link in move.links), move.ps, (last,)))
            last = len(graph.nodes) + len(legs) - 1
        after[b].append(last)
    nodes = [
        Activity((f"block {places[n]}",), graph.time_ps[n, places[n]], tuple(after[n]), graph.ready_ps.get(n, 0))
        for n in graph.nodes
    ]
    return nodes + legs


def shortest_ps(todo: Sequence[Activity], best_ps: int) -> int:
    """The least makespan of these, or ``best_ps`` where that is no more."""

    def search(ends: dict[int, int], free: dict[str, int], best_ps: int) -> int:
        if len(ends) == len(todo):
            return min(best_ps, max(ends.values()))
        for i, one in enumerate(todo):
            if i in ends or any(before not in ends for before in one.after):
                continue
            start_ps = max([one.ready_ps, *(ends[j] for j in one.after), *(free.get(name, 0) for name in one.holds)])
            end_ps = start_ps + one.ps
            if end_ps < best_ps:
                best_ps = search({**ends, i: end_ps}, {**free, **dict.fromkeys(one.holds, end_ps)}, best_ps)
        return best_ps

    return search({}, {}, best_ps)


def least_makespan_ps(graph: Graph) -> int:
    """Of all schedules."""
    best_ps = 10**9
    for places in assignments(graph):
        best_ps = shortest_ps(activities(graph, places), best_ps)
    return best_ps


def least_energy(graph: Graph, deadline_ps: int) -> tuple[int, int] | None:
    """(energy, makespan) of the cheapest schedule within the deadline, then the shortest; None where there is none."""
    best: tuple[int, int] | None = None
    for places in assignments(graph):
        spent = energy_aj(graph, places)
        if best is None or spent <= best[0]:
            took = shortest_ps(activities(graph, places), deadline_ps + 1)
            if took <= deadline_ps and (best is None or (spent, took) < best):
                best = spent, took
    return best


def _moves() -> st.SearchStrategy[tuple[Move, ...]]:
    links = st.lists(st.sampled_from(("l", "m")), max_size=2, unique=True).map(tuple)
    return st.lists(st.builds(Move, links, st.integers(0, 9), st.integers(0, 5)), max_size=2).map(tuple)


@st.composite
def graphs(draw: st.DrawFn, most_nodes: int = 5, most_edges: int = 5) -> Graph:
    """Small graphs of every kind: nodes of no time, blocks that cannot run a node, moves of several legs and links."""
    nodes = tuple("abcdefghijkl"[: draw(st.integers(1, most_nodes))])
    blocks = tuple("xyz"[: draw(st.integers(1, 3))])
    pairs = [(a, b) for i, a in enumerate(nodes) for b in nodes[i + 1 :]]
    wanted = draw(st.lists(st.sampled_from(pairs), max_size=most_edges, unique=True)) if pairs else []
    options = {n: draw(st.lists(st.sampled_from(blocks), min_size=1, unique=True)) for n in nodes}
    keys = [(node, block) for node in nodes for block in options[node]]
    edges = {
        (a, b): {(x, y): draw(_moves()) for x in options[a] for y in options[b] if x != y or draw(st.booleans())}
        for a, b in wanted
    }
    return Graph(
        nodes,
        blocks,
        {key: draw(st.integers(0, 7)) for key in keys},
        {key: draw(st.integers(0, 9)) for key in keys},
        edges,
        {node: draw(st.integers(0, 6)) for node in nodes if draw(st.integers(0, 4)) == 0},
    )
