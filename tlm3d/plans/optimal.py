"""The best there is, and the proof: OR-Tools' CP-SAT, an extra."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from tlm3d.errors import PluginError
from tlm3d.plans import Planner
from tlm3d.plans.cpop import Cpop
from tlm3d.plans.fixed import Fixed
from tlm3d.plans.graph import Graph
from tlm3d.plans.heft import Heft
from tlm3d.plans.min_energy import MinEnergy
from tlm3d.plans.schedule import Schedule

if TYPE_CHECKING:
    from tlm3d.plans._sat import Solver


class Optimal(Planner):
    """Least makespan; or with ``aim="energy"`` least energy within the deadline, then least makespan.

    Intervals on blocks and links that are there where the blocks chosen need them, none over another (``_sat.py``).
    ``limit_s`` of searching at most; then it is the best found, ``bound_ps`` is what has been proved, and
    ``optimal`` is false. With one worker the same graph gives the same schedule every time, unless the time is up.
    Where no schedule meets the deadline, it is the shortest one.
    """

    def __init__(
        self, aim: Literal["makespan", "energy"] = "makespan", limit_s: float = 60, workers: int = 1, seed: int = 1
    ) -> None:
        self._aim, self._limit_s, self._workers, self._seed = aim, limit_s, workers, seed

    def plan(self, graph: Graph, deadline_ps: int | None = None) -> Schedule:
        try:
            from tlm3d.plans._sat import Solver
        except ImportError as error:
            wanted = "the planner 'optimal' needs OR-Tools, which is not installed: pip install 'tlm3d[plan]'"
            raise PluginError(f"{wanted} ({error})") from error
        solver = Solver(graph, self._limit_s, self._workers, self._seed)
        shortest = min((one().plan(graph) for one in (Heft, Cpop, Fixed)), key=lambda one: one.makespan_ps)
        if self._aim == "energy":
            known = MinEnergy().plan(graph, deadline_ps)
            frugal = self._frugal(solver, known, deadline_ps)
            if frugal is not None:
                return frugal
            shortest = min(shortest, known, key=lambda one: one.makespan_ps)
        return solver.shortest(shortest)

    def _frugal(self, solver: Solver, known: Schedule, deadline_ps: int | None) -> Schedule | None:
        """Of least energy; None where no schedule is known that meets the deadline."""
        best = known if deadline_ps is None or known.makespan_ps <= deadline_ps else None
        if best is None or not best.optimal:
            best = solver.cheapest(best, deadline_ps)
        if best is None:
            return None
        proved = replace(solver.shortest(best, best.energy_aj), bound_ps=best.bound_ps)
        return replace(proved, optimal=proved.optimal and best.optimal, bound_aj=best.bound_aj)


KIND = Optimal
