"""Nothing is chosen."""

from __future__ import annotations

from tlm3d.plans import Planner
from tlm3d.plans._draft import placed
from tlm3d.plans.graph import Graph
from tlm3d.plans.schedule import Schedule


class Fixed(Planner):
    """Every node on its preferred block, the first that can run it: what an author's map says, as a plan."""

    def plan(self, graph: Graph, deadline_ps: int | None = None) -> Schedule:
        return placed(graph, {node: blocks[0] for node, blocks in graph.options.items()})


KIND = Fixed
