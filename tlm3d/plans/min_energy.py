"""Least energy within the deadline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from tlm3d.plans import Planner
from tlm3d.plans._draft import placed
from tlm3d.plans.cpop import Cpop
from tlm3d.plans.graph import Graph
from tlm3d.plans.heft import Heft
from tlm3d.plans.schedule import Schedule


class MinEnergy(Planner):
    """Blocks by energy, as long as the deadline is met: two ways down, then branch and bound over the blocks.

    Energy depends on the blocks alone, not on when. First, from the schedules of HEFT and CPOP, nodes go one by one to
    where they save most, as long as the deadline is met; and from the cheapest blocks, nodes go one by one to where a
    picosecond less costs least, until it is. Then all choices of blocks that could spend less are gone through, node by
    node, without those that a bound refutes: critical path, or the work of a block, link or all blocks, longer than the
    deadline. A choice that no bound refutes and whose list schedule is late leaves a gap: ``optimal`` is only said
    where there is none of less energy. ``steps`` choices of a block are made at most, and ``tries`` schedules.
    """

    def __init__(self, steps: int = 50_000, tries: int = 1000) -> None:
        self._steps, self._tries = steps, tries

    def plan(self, graph: Graph, deadline_ps: int | None = None) -> Schedule:
        search = _Search(graph, deadline_ps, self._steps, self._tries)
        for start in (Heft().plan(graph), Cpop().plan(graph)):
            search.offer(start)
            search.descend(start)
        search.repair()
        search.branch()
        return search.answer()


class _Search:
    """The best schedule so far, and how little energy could still be enough."""

    def __init__(self, graph: Graph, deadline_ps: int | None, steps: int, tries: int) -> None:
        self._graph, self._deadline_ps, self._steps, self._tries = graph, deadline_ps, steps, tries
        self._best: Schedule | None = None  # of those that meet the deadline
        self._shortest: Schedule | None = None
        self._gap_aj: int | None = None  # the least energy that is neither refuted nor scheduled

    def answer(self) -> Schedule:
        """The best one; where none meets the deadline, the shortest."""
        if self._best is None:
            assert self._shortest is not None
            return self._shortest
        spent_aj = self._best.energy_aj
        bound_aj = spent_aj if self._gap_aj is None else min(spent_aj, self._gap_aj)
        return replace(self._best, optimal=bound_aj == spent_aj, bound_aj=bound_aj)

    def offer(self, one: Schedule) -> bool:
        """Keep it where it is better; whether it meets the deadline."""
        if self._shortest is None or one.makespan_ps < self._shortest.makespan_ps:
            self._shortest = one
        if self._deadline_ps is not None and one.makespan_ps > self._deadline_ps:
            return False
        if self._best is None or (one.energy_aj, one.makespan_ps) < (self._best.energy_aj, self._best.makespan_ps):
            self._best = one
        return True

    # ------------------------------------------------------------ two ways down

    def _changed(self, places: Mapping[str, str]) -> Iterable[dict[str, str]]:
        """The same with one node on another block."""
        for node in self._graph.order:
            for block in self._graph.options[node]:
                if block != places[node]:
                    yield {**places, node: block}

    def _try(self, places: Mapping[str, str]) -> Schedule | None:
        if self._tries <= 0:
            return None
        self._tries -= 1
        return placed(self._graph, places)

    def descend(self, start: Schedule) -> None:
        """One node at a time to where it saves most of what can be saved in time."""
        if not self.offer(start):
            return
        places, spent_aj = start.places, start.energy_aj
        while True:
            cheaper = [(self._graph.spent_aj(other), i, other) for i, other in enumerate(self._changed(places))]
            for other_aj, _, other in sorted(one for one in cheaper if one[0] < spent_aj):
                schedule = self._try(other)
                if schedule is not None and self.offer(schedule):
                    places, spent_aj = other, other_aj
                    break
            else:
                return

    def repair(self) -> None:
        """From the cheapest blocks, one node at a time to where a picosecond less costs least, until it is in time."""
        cheapest = {
            n: min(bs, key=lambda b: self._graph.energy_aj.get((n, b), 0)) for n, bs in self._graph.options.items()
        }
        now = self._try(cheapest)
        while now is not None and not self.offer(now):
            found: tuple[float, Schedule] | None = None
            for other in self._changed(now.places):
                schedule = self._try(other)
                if schedule is not None and (saved_ps := now.makespan_ps - schedule.makespan_ps) > 0:
                    price = (schedule.energy_aj - now.energy_aj) / saved_ps
                    if found is None or price < found[0]:
                        found = price, schedule
            now = found[1] if found else None

    # ------------------------------------------------------------ branch and bound

    def branch(self) -> None:
        """Go through the choices of blocks that could spend less than the best."""
        _Branches(self, self._graph, self._deadline_ps, self._steps).visit(0, 0)

    def could_be_better(self, bound_aj: int) -> bool:
        return self._best is None or bound_aj < self._best.energy_aj

    def leave(self, bound_aj: int) -> None:
        """So little may be enough, or not."""
        self._gap_aj = bound_aj if self._gap_aj is None else min(self._gap_aj, bound_aj)


class _Branches:
    """Blocks of nodes in the graph's order, chosen so far, and the bounds of what follows."""

    def __init__(self, search: _Search, graph: Graph, deadline_ps: int | None, steps: int) -> None:
        self._search, self._graph, self._deadline_ps, self._steps = search, graph, deadline_ps, steps
        self._places: dict[str, str] = {}
        self._done_ps: dict[str, int] = {}  # no schedule with these blocks finishes the node sooner
        self._used_ps: dict[str, int] = {}  # of blocks and links, the link's name with "link " before it
        self._rest_aj, self._rest_ps = [0], [0]  # of the last nodes: the least that they spend, the least work
        for node in reversed(graph.order):
            self._rest_aj.append(self._rest_aj[-1] + min(self._least_aj(node, b) for b in graph.options[node]))
            self._rest_ps.append(self._rest_ps[-1] + min(graph.time_ps[node, b] for b in graph.options[node]))
        self._rest_aj.reverse()
        self._rest_ps.reverse()
        self._able = {block for _, block in graph.time_ps}

    def visit(self, i: int, spent_aj: int) -> None:
        """All choices for the nodes from the i-th on; the ones before spend ``spent_aj``."""
        if not self._search.could_be_better(spent_aj + self._rest_aj[i]):
            return
        if i == len(self._graph.order):
            if not self._search.offer(placed(self._graph, self._places)):
                self._search.leave(spent_aj)
            return
        node = self._graph.order[i]
        for choice_aj, block in sorted((self._adds_aj(node, block), block) for block in self._graph.options[node]):
            if self._steps <= 0:
                self._search.leave(spent_aj + self._rest_aj[i])
                return
            self._steps -= 1
            took = self._take(node, block)
            if not self._refuted(i, node, block):
                self.visit(i + 1, spent_aj + choice_aj)
            self._give_back(node, took)

    def _least_aj(self, node: str, block: str) -> int:
        """What a node on this block spends, and what brings it what it needs, from the best blocks."""
        brought_aj = (
            min(sum(move.aj for move in self._graph.move(a, node, x, block)) for x in self._graph.options[a])
            for a in self._graph.needs[node]
        )
        return self._graph.energy_aj.get((node, block), 0) + sum(brought_aj)

    def _adds_aj(self, node: str, block: str) -> int:
        moves = (m for a in self._graph.needs[node] for m in self._graph.move(a, node, self._places[a], block))
        return self._graph.energy_aj.get((node, block), 0) + sum(move.aj for move in moves)

    def _take(self, node: str, block: str) -> list[tuple[str, int]]:
        """Note the node's block; how long each block and link is used for it."""
        graph, places = self._graph, self._places
        places[node] = block
        took = [(block, graph.time_ps[node, block])]
        begin_ps = graph.ready_ps.get(node, 0)
        for a in graph.needs[node]:
            moves = graph.move(a, node, places[a], block)
            begin_ps = max(begin_ps, self._done_ps[a] + sum(move.ps for move in moves))
            took += [(f"link {link}", move.ps) for move in moves for link in move.links]
        self._done_ps[node] = begin_ps + graph.time_ps[node, block]
        for name, ps in took:
            self._used_ps[name] = self._used_ps.get(name, 0) + ps
        return took

    def _give_back(self, node: str, took: list[tuple[str, int]]) -> None:
        del self._places[node], self._done_ps[node]
        for name, ps in took:
            self._used_ps[name] -= ps

    def _refuted(self, i: int, node: str, block: str) -> bool:
        """No schedule with the blocks chosen so far meets the deadline."""
        if self._deadline_ps is None:
            return False
        worked_ps = sum(self._used_ps.get(one, 0) for one in self._able) + self._rest_ps[i + 1]
        return (
            self._done_ps[node] + self._graph.tails_ps[node, block] > self._deadline_ps
            or max(self._used_ps.values()) > self._deadline_ps
            or worked_ps > self._deadline_ps * len(self._able)
        )


KIND = MinEnergy
