"""Planned placement: which block runs what, decided before the run. One planner a file, with its class as ``KIND``.

Contract of the slot. ``plan(graph, deadline_ps)`` is pure and deterministic, and gives a schedule that
``Schedule.problems`` finds nothing wrong with. A planner that aims at a deadline and cannot meet it gives the shortest
schedule that it knows; whether it meets the deadline is for the caller to see. ``graph.py`` says what is placed,
``schedule.py`` what comes out; these two and modules with a leading underscore are no planners.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from tlm3d.plans.graph import Graph
from tlm3d.plans.schedule import Schedule


class Planner(ABC):
    """Places the nodes of a graph."""

    @abstractmethod
    def plan(self, graph: Graph, deadline_ps: int | None = None) -> Schedule:
        """A schedule of all nodes. Raises Tlm3dError where it cannot plan at all."""
