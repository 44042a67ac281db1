"""Which dies a transfer passes: the only way where there is one, else the fastest."""

from __future__ import annotations

import random

import networkx as nx
import pytest
from reference.systems import Tree, as_text

from tlm3d.errors import ElaborationError
from tlm3d.model.topology import Topology
from tlm3d.spec.platform import platform_of
from tlm3d.spec.source import Source


def topology(dies: int, links: dict[str, Tree]) -> Topology:
    memory = {"kind": "memory", "capacity": "1 KiB", "rate": "1 Gbit/s"}
    stack = {f"d{i}": {"tier": i, "blocks": {"m": memory, "x": dict(ARRAY)}} for i in range(dies)}
    return Topology(platform_of(Source("p", as_text({"name": "p", "dies": stack, "links": links}))))


ARRAY: Tree = {"kind": "cnn-accelerator", "array": [1, 1], "clock": "1 GHz", "local": "1 KiB", "home": "m"}


def serial(a: int, b: int, rate: str = "1 Gbit/s", one_way: bool = False) -> Tree:
    ends = {"from": f"d{a}", "to": f"d{b}"} if one_way else {"between": [f"d{a}", f"d{b}"]}
    return {"kind": "d2d-serial", "rate": rate, **ends}


def way(found: Topology, source: int, target: int) -> list[str]:
    return [channel.name for channel in found.read_route((f"d{source}", "m"), (f"d{target}", "x")).channels[1:]]


def test_in_a_tower_there_is_one_way() -> None:
    tower = topology(4, {f"l{i}": serial(i, i + 1) for i in range(3)})
    assert way(tower, 3, 0) == ["l2:d3>d2", "l1:d2>d1", "l0:d1>d0"]


def test_of_two_links_between_the_same_dies_the_faster_is_taken_then_the_first_by_name() -> None:
    links = {"slow": serial(0, 1), "fast": serial(0, 1, "2 Gbit/s"), "also": serial(0, 1, "2 Gbit/s")}
    assert way(topology(2, links), 0, 1) == ["also:d0>d1"]


def test_round_a_circle_the_faster_way_is_taken() -> None:
    links = {"a": serial(0, 1), "b": serial(1, 2), "direct": serial(0, 2, "0.4 Gbit/s")}
    assert way(topology(3, links), 0, 2) == ["a:d0>d1", "b:d1>d2"]
    assert way(topology(3, {**links, "direct": serial(0, 2, "0.6 Gbit/s")}), 0, 2) == ["direct:d0>d2"]


def test_a_one_way_link_leads_one_way() -> None:
    one_way = topology(2, {"l": serial(0, 1, one_way=True)})
    assert way(one_way, 0, 1) == ["l:d0>d1"]
    with pytest.raises(ElaborationError, match="no route from die d1 to die d0"):
        way(one_way, 1, 0)


@pytest.mark.parametrize("seed", range(60))
def test_any_links_lead_as_a_shortest_path_does(seed: int) -> None:
    rng = random.Random(seed)
    dies = rng.randint(2, 6)
    pairs = [rng.sample(range(dies), 2) for _ in range(rng.randint(1, 8))]
    links = {f"l{i}": serial(a, b, f"{rng.randint(1, 9)} Gbit/s", rng.random() < 0.3) for i, (a, b) in enumerate(pairs)}
    found = topology(dies, links)
    graph = nx.DiGraph()
    graph.add_nodes_from(range(dies))
    times_ps = {}
    for i, (a, b) in enumerate(pairs):
        for x, y in ((a, b), (b, a)):
            channel = found.channels.get(f"l{i}:d{x}>d{y}")
            if channel is not None:
                times_ps[channel.name] = ps = channel.burst_ps(channel.burst_bytes) + channel.latency_ps
                graph.add_edge(x, y, ps=min(ps, graph.get_edge_data(x, y, {"ps": ps})["ps"]))
    for source in range(dies):
        for target in range(dies):
            if source == target:
                continue
            if nx.has_path(graph, source, target):
                shortest_ps = nx.shortest_path_length(graph, source, target, weight="ps")
                assert sum(times_ps[name] for name in way(found, source, target)) == shortest_ps
            else:
                with pytest.raises(ElaborationError, match="no route"):
                    way(found, source, target)
