"""A graph as a constraint programme for CP-SAT; needs OR-Tools.

Every (node, block) has an optional interval, every leg of an edge one a way of moving it (pairs of blocks with the same
moves are one way), all of a block and all of a link without overlap (Baptiste, Le Pape & Nuijten, Constraint-Based
Scheduling, 2001, ch. 2). Times are in the greatest unit that divides all of them; where that still gives numbers too
large, in a coarser one, durations rounded up: what comes out is then a schedule all the same, but its bound is weaker.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from math import gcd

from ortools.sat.python import cp_model

from tlm3d.plans._draft import retimed
from tlm3d.plans.graph import Edge, Graph, Moves
from tlm3d.plans.schedule import Schedule
from tlm3d.units import ceil_div

_MOST = 2**40  # times in units, so that sums of them stay far from 2**63
_MOST_ENERGY = 2**50


class Solver:
    """Looks for better schedules of one graph than those that are known."""

    def __init__(self, graph: Graph, limit_s: float, workers: int, seed: int) -> None:
        self._graph, self._limit_s, self._workers, self._seed = graph, limit_s, workers, seed

    def shortest(self, known: Schedule, within_aj: int | None = None) -> Schedule:
        """The schedule of least makespan; ``known`` where none is shorter. With ``within_aj``, of no more energy."""
        if known.makespan_ps <= self._graph.least_makespan_ps:
            return replace(known, optimal=True, bound_ps=known.makespan_ps)
        model = _Model(self._graph, known.makespan_ps - 1, within_aj)
        model.cp.minimize(model.makespan)
        found, bound, proved = self._solved(model)
        if found is None and proved and model.exact:
            return replace(known, optimal=True, bound_ps=known.makespan_ps)
        if found is not None and within_aj is not None and found.energy_aj > within_aj:  # energies were rounded
            found = None
        best = found if found is not None and found.makespan_ps < known.makespan_ps else known
        bound_ps = min(max(self._graph.least_makespan_ps, model.bound_ps(bound)), best.makespan_ps)
        return replace(best, optimal=bound_ps == best.makespan_ps, bound_ps=bound_ps)

    def cheapest(self, known: Schedule | None, deadline_ps: int | None) -> Schedule | None:
        """The schedule of least energy within the deadline; ``known`` where none is cheaper. None: none was found."""
        model = _Model(self._graph, deadline_ps, None if known is None else known.energy_aj - 1)
        model.cp.minimize(model.energy)
        found, bound, proved = self._solved(model)
        best = min((one for one in (found, known) if one is not None), key=lambda one: one.energy_aj, default=None)
        if best is None:
            return None
        if found is None and proved and model.exact:
            return replace(best, optimal=True, bound_aj=best.energy_aj)
        bound_aj = min(bound * model.unit_aj, best.energy_aj) if model.exact else 0
        return replace(best, optimal=bound_aj == best.energy_aj, bound_aj=max(bound_aj, best.bound_aj))

    def _solved(self, model: _Model) -> tuple[Schedule | None, int, bool]:
        """The best schedule, the proved bound of the objective in its units, and whether the search came to its end."""
        solver = cp_model.CpSolver()
        solver.parameters.max_time_in_seconds = self._limit_s
        solver.parameters.num_workers = self._workers
        solver.parameters.random_seed = self._seed
        # no linear relaxation: measured up to 100 times faster on graphs of 12 nodes, and nowhere slower
        solver.parameters.linearization_level = 0
        status = _solve(solver, model.cp)
        assert status != "MODEL_INVALID", model.cp.validate()
        proved = status in ("OPTIMAL", "INFEASIBLE")
        if status == "INFEASIBLE":
            return None, 0, True
        bound = round(solver.best_objective_bound)  # an integer, and far from 2**53
        found = model.schedule(solver) if status in ("OPTIMAL", "FEASIBLE") else None
        return found, bound, proved


def _solve(solver: cp_model.CpSolver, cp: cp_model.CpModel) -> str:
    """The status; an interrupt ends the search and is raised.

    The solver's own handler would take the interrupt for itself, and leave none of Python's behind. Python's runs only
    where the main thread does not sit in the solver, so that another one does.
    """
    solver.parameters.catch_sigint_signal = False
    with ThreadPoolExecutor(1) as pool:
        search = pool.submit(solver.solve, cp)
        try:
            return str(solver.status_name(search.result()))
        except BaseException:
            while not search.done():  # what has not begun yet cannot be stopped
                solver.stop_search()
                wait([search], timeout=0.05)
            raise


class _Model:
    """The programme: schedules that end by ``horizon_ps`` (None: any) and spend ``within_aj`` at most (None: any)."""

    def __init__(self, graph: Graph, horizon_ps: int | None, within_aj: int | None) -> None:
        self._graph, self.cp = graph, cp_model.CpModel()
        self._set_units(horizon_ps)
        self._on = {key: self.cp.new_bool_var(f"{key[0]} on {key[1]}") for key in graph.time_ps}
        self._start = {node: self._instant(node) for node in graph.nodes}
        self._ways: dict[Edge, dict[Moves, cp_model.IntVar]] = {}
        self._legs: dict[tuple[Edge, Moves, int], cp_model.IntVar] = {}  # their starts
        self._of_links: dict[str, list[tuple[cp_model.IntVar, int, cp_model.IntVar]]] = {}  # start, length, present
        self.makespan = self._instant("makespan")
        for node in graph.nodes:
            self._add_node(node)
        for edge in graph.edges:
            self._add_edge(edge)
        self._add_links()
        self._add_work()
        self.energy = self._energy()
        if within_aj is not None:
            self.cp.add(self.energy <= within_aj // self.unit_aj)

    # ------------------------------------------------------------ units

    def _set_units(self, horizon_ps: int | None) -> None:
        graph = self._graph
        moves = [m for pairs in graph.edges.values() for moves in pairs.values() for m in moves]
        times_ps = [*graph.time_ps.values(), *graph.ready_ps.values(), *(move.ps for move in moves)]
        one_by_one_ps = sum(max(graph.time_ps[n, b] for b in graph.options[n]) for n in graph.nodes)
        one_by_one_ps += sum(max(map(_length_ps, pairs.values()), default=0) for pairs in graph.edges.values())
        one_by_one_ps += max(graph.ready_ps.values(), default=0)
        if horizon_ps is None or horizon_ps > one_by_one_ps:
            horizon_ps = one_by_one_ps
        common_ps = gcd(*times_ps) or 1
        self._unit_ps = max(common_ps, ceil_div(horizon_ps, _MOST))
        self._horizon = horizon_ps // self._unit_ps
        most_aj = sum(max(graph.energy_aj.get((n, b), 0) for b in graph.options[n]) for n in graph.nodes)
        most_aj += sum(max(map(_spent_aj, pairs.values()), default=0) for pairs in graph.edges.values())
        common_aj = gcd(*graph.energy_aj.values(), *(move.aj for move in moves)) or 1
        self.unit_aj = max(common_aj, ceil_div(most_aj, _MOST_ENERGY))
        self.exact = self._unit_ps == common_ps and self.unit_aj == common_aj
        legs = sum(max(map(len, pairs.values()), default=0) for pairs in graph.edges.values())
        self._activities = len(graph.nodes) + legs

    def _units(self, ps: int) -> int:
        """A duration in units, rounded up."""
        return ceil_div(ps, self._unit_ps)

    def bound_ps(self, bound: int) -> int:
        """No schedule is shorter, where none of the programme is shorter than ``bound``.

        Where durations were rounded up, a way through any schedule has at most all activities and the instant when a
        node is ready, each of them less than a unit too long.
        """
        return (bound if self.exact else max(0, bound - self._activities - 1)) * self._unit_ps

    # ------------------------------------------------------------ constraints

    def _instant(self, name: str) -> cp_model.IntVar:
        return self.cp.new_int_var(0, self._horizon, name)

    def _add_node(self, node: str) -> None:
        graph, cp = self._graph, self.cp
        cp.add_exactly_one(self._on[node, block] for block in graph.options[node])
        cp.add(self._start[node] >= self._units(graph.ready_ps.get(node, 0)))
        for block in graph.options[node]:
            on = self._on[node, block]
            head, tail = graph.heads_ps[node, block] // self._unit_ps, graph.tails_ps[node, block] // self._unit_ps
            cp.add(self._start[node] >= head).only_enforce_if(on)
            length = self._units(graph.time_ps[node, block])
            cp.add(self._start[node] + length + tail <= self.makespan).only_enforce_if(on)

    def _end(self, node: str) -> cp_model.LinearExprT:
        blocks = self._graph.options[node]
        lengths = [self._units(self._graph.time_ps[node, block]) for block in blocks]
        return self._start[node] + sum(n * self._on[node, b] for n, b in zip(lengths, blocks, strict=True))

    def _add_edge(self, edge: Edge) -> None:
        (a, b), graph, cp = edge, self._graph, self.cp
        cp.add(self._start[b] >= self._end(a))
        ways = self._ways[edge] = {}
        for x in graph.options[a]:
            for y in graph.options[b]:
                moves = graph.move(a, b, x, y)
                if moves not in ways:
                    ways[moves] = cp.new_bool_var(f"{a} to {b} in way {len(ways)}")
                    self._add_way(edge, moves, ways[moves])
                cp.add_bool_or(self._on[a, x].negated(), self._on[b, y].negated(), ways[moves])
        cp.add_exactly_one(ways.values())

    def _add_way(self, edge: Edge, moves: Moves, way: cp_model.IntVar) -> None:
        (a, b), cp = edge, self.cp
        if not any(move.links for move in moves):
            length = sum(self._units(move.ps) for move in moves)
            cp.add(self._end(a) + length <= self._start[b]).only_enforce_if(way)
        there = self._end(a)
        for leg, move in enumerate(moves):
            start = self._legs[edge, moves, leg] = self._instant(f"move {leg} of {a} to {b}")
            length = self._units(move.ps)
            cp.add(there <= start).only_enforce_if(way)
            for link in move.links:
                self._of_links.setdefault(link, []).append((start, length, way))
            there = start + length
        cp.add(there <= self._start[b]).only_enforce_if(way)

    def _add_links(self) -> None:
        for link, uses in self._of_links.items():
            self.cp.add_no_overlap(
                self.cp.new_optional_fixed_size_interval_var(start, length, way, f"on {link}")
                for start, length, way in uses
            )
            self.cp.add(sum(length * way for _, length, way in uses) <= self.makespan)

    def _add_work(self) -> None:
        """No block does two things at once; and what follows from it, which the solver would find late."""
        works = []
        for block in self._graph.blocks:
            uses = [
                (n, self._units(self._graph.time_ps[n, block])) for n in self._graph.nodes if (n, block) in self._on
            ]
            self.cp.add_no_overlap(
                self.cp.new_optional_fixed_size_interval_var(
                    self._start[n], length, self._on[n, block], f"{n} on {block}"
                )
                for n, length in uses
            )
            if uses:
                works.append(sum(length * self._on[n, block] for n, length in uses))
                self.cp.add(works[-1] <= self.makespan)
        self.cp.add(sum(works) <= len(works) * self.makespan)

    def _energy(self) -> cp_model.LinearExprT:
        """In units, rounded down."""
        run = sum(self._graph.energy_aj.get(key, 0) // self.unit_aj * on for key, on in self._on.items())
        moved = (_spent_aj(moves) // self.unit_aj * way for ways in self._ways.values() for moves, way in ways.items())
        return run + sum(moved)

    # ------------------------------------------------------------ what came out

    def schedule(self, solver: cp_model.CpSolver) -> Schedule:
        """In ps: the solver's blocks and orders, everything as soon as it can be."""
        graph = self._graph
        places = {node: block for (node, block), on in self._on.items() if solver.boolean_value(on)}
        nodes = {}
        for node, start in self._start.items():
            at = solver.value(start)
            nodes[node] = at, at + self._units(graph.time_ps[node, places[node]])
        legs = {}
        for a, b in graph.edges:
            moves = graph.move(a, b, places[a], places[b])
            for leg, move in enumerate(moves):
                at = solver.value(self._legs[(a, b), moves, leg])
                legs[(a, b), leg] = at, at + self._units(move.ps)
        return retimed(graph, places, nodes, legs)


def _length_ps(moves: Moves) -> int:
    return sum(move.ps for move in moves)


def _spent_aj(moves: Moves) -> int:
    return sum(move.aj for move in moves)
