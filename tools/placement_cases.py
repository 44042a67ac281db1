"""Random graphs to place: layered ones as in the literature, and networks on a stack of dies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

from tlm3d.plans.graph import Edge, Graph, Move, Moves

US = 10**6  # ps
NJ = 10**9  # aJ


def layered(seed: int, nodes: int = 12, blocks: int = 3) -> Graph:
    """As Topcuoglu, Hariri & Wu 2002, section 5.1: layers of random width, times within a factor, ratios of moving.

    Every two blocks have a link of their own, one way each; on average moving takes half, once or twice as long as a
    node. Every node but those of the first layer needs one to three of the layers before.
    """
    random = Random(f"layered {seed}")
    names = [f"n{i}" for i in range(nodes)]
    on = [f"b{i}" for i in range(blocks)]
    depth, left = list[list[str]](), list(names)
    while left:
        width = min(len(left), random.randint(1, blocks + 1))
        depth.append(left[:width])
        left = left[width:]
    mean_us = {name: random.uniform(20, 180) for name in names}
    time_ps = {(n, b): int(mean_us[n] * random.uniform(0.5, 1.5) * US) for n in names for b in on}
    energy_aj = {key: int(ps / US * random.uniform(0.2, 2) * NJ) for key, ps in time_ps.items()}
    ratio = random.choice((0.5, 1, 2))
    edges: dict[Edge, dict[tuple[str, str], Moves]] = {}
    for i, layer in enumerate(depth[1:], 1):
        earlier = [name for one in depth[: i - 1] for name in one]
        for b in layer:
            before = depth[i - 1] + random.sample(earlier, min(1, i - 1))
            for a in random.sample(before, min(len(before), random.randint(1, 3))):
                ps = int(random.uniform(0, 2) * ratio * 100 * US)
                aj = int(ps / US * 0.2 * NJ)
                edges[a, b] = {(x, y): (Move((f"{x}>{y}",), ps, aj),) for x in on for y in on if x != y}
    return Graph(tuple(names), tuple(on), time_ps, energy_aj, edges)


def network(seed: int, layers: int = 12, blocks: int = 3, branches: bool = True) -> Graph:
    """A network like a CNN: its layers in a chain, some of them in two or three branches that join again.

    The blocks are a fast one, a frugal one and a general one that runs everything, each on a die of its own; the dies
    are stacked, so that from the first to the last two links are passed one after the other, each up and down.
    """
    random = Random(f"network {seed} {branches}")
    names = [f"l{i}" for i in range(layers)]
    on = [f"b{i}" for i in range(blocks)]
    speed = {b: random.uniform(0.6, 1.6) for b in on}  # time, energy: of one unit of work
    price = {b: random.uniform(0.2, 1) / speed[b] for b in on}
    time_ps, energy_aj = dict[tuple[str, str], int](), dict[tuple[str, str], int]()
    for name in names:
        work_us = random.lognormvariate(4.5, 0.7)
        for i, block in enumerate(on):
            if i and random.random() < 0.15:
                continue  # it has no such layer
            fits = random.uniform(0.7, 1.6)  # how well the layer's shape fills its array
            time_ps[name, block] = int(work_us * speed[block] * fits * US)
            energy_aj[name, block] = int(work_us * price[block] * fits * NJ)
    ways = {(x, y): passed(i, j) for i, x in enumerate(on) for j, y in enumerate(on) if i != j}
    edges: dict[Edge, dict[tuple[str, str], Moves]] = {}
    for a, b in wired(random, names, branches):
        ps = int(random.lognormvariate(3.2, 0.9) * US)
        edges[a, b] = {
            pair: tuple(Move((link,), ps, ps // US * NJ // 20) for link in way) for pair, way in ways.items()
        }
    return Graph(tuple(names), tuple(on), time_ps, energy_aj, edges)


def on_one_bus(graph: Graph) -> Graph:
    """The same, with all that moves on one link."""
    edges = {
        edge: {pair: tuple(Move(("bus",), m.ps, m.aj) for m in moves) for pair, moves in pairs.items()}
        for edge, pairs in graph.edges.items()
    }
    return replace(graph, edges=edges)


def passed(i: int, j: int) -> list[str]:
    """The links from the i-th die to the j-th."""
    step = 1 if j > i else -1
    return [f"{k}>{k + step}" for k in range(i, j, step)]


def wired(random: Random, names: list[str], branches: bool) -> list[Edge]:
    """A chain in which now and then two or three layers are side by side, between the one before and the one after."""
    edges, ends, i = list[Edge](), [names[0]], 1
    while i < len(names):
        width = random.choice((1, 2, 3)) if branches and len(ends) == 1 else 1
        side = names[i : i + width]
        edges += [(a, b) for a in ends for b in side]
        ends, i = side, i + len(side)
    return edges


FAMILIES: dict[str, Callable[[int], Graph]] = {
    "layered, 12 nodes, 3 blocks": layered,
    "the same on one bus": lambda seed: on_one_bus(layered(seed)),
    "layered, 20 nodes, 3 blocks": lambda seed: layered(seed, 20),
    "chain, 12 layers, 3 blocks": lambda seed: network(seed, branches=False),
    "branches, 12 layers, 3 blocks": network,
    "branches, 24 layers, 3 blocks": lambda seed: network(seed, 24),
}
