"""Planned placement against schedules that are published or worked by hand."""

from __future__ import annotations

import sys
from dataclasses import replace
from fractions import Fraction

import pytest

from tlm3d.errors import ElaborationError, PluginError
from tlm3d.plans.cpop import Cpop, critical_path
from tlm3d.plans.fixed import Fixed
from tlm3d.plans.graph import Graph, Move
from tlm3d.plans.heft import Heft, by_upward_rank
from tlm3d.plans.min_energy import MinEnergy
from tlm3d.plans.optimal import Optimal
from tlm3d.plans.schedule import Schedule, Slot

# The example of Topcuoglu, Hariri & Wu, IEEE TPDS 13(3):260-274, 2002, figures 2 and 3. Its times and edges as in
# test/canonicalgraph_*.csv of github.com/mackncheesiest/heft (one stored copy has 3 for node 4 on processor 1, where
# the paper has 13); the schedule as in stg/fft.py of github.com/sina33/heft. A unit is 1 ps here.
TIMES = (
    (14, 16, 9), (13, 19, 18), (11, 13, 19), (13, 8, 17), (12, 13, 10),
    (13, 16, 9), (7, 15, 11), (5, 11, 14), (18, 12, 20), (21, 7, 16),
)  # fmt: skip
EDGES = (
    (1, 2, 18), (1, 3, 12), (1, 4, 9), (1, 5, 11), (1, 6, 14), (2, 8, 19), (2, 9, 16), (3, 7, 23),
    (4, 8, 27), (4, 9, 23), (5, 9, 13), (6, 8, 15), (7, 10, 17), (8, 10, 11), (9, 10, 13),
)  # fmt: skip
PROCESSORS = ("p1", "p2", "p3")
UPWARD = (108.0, 77.0, 80.0, 80.0, 69.0, 63.333, 42.667, 35.667, 44.333, 14.667)
HEFT_SLOTS = (  # by start
    ("1", "p3", 0, 9), ("3", "p3", 9, 28), ("4", "p2", 18, 26), ("6", "p2", 26, 42), ("2", "p1", 27, 40),
    ("5", "p3", 28, 38), ("7", "p3", 38, 49), ("9", "p2", 56, 68), ("8", "p1", 57, 62), ("10", "p2", 73, 80),
)  # fmt: skip
HEFT_ORDER = ("1", "3", "4", "2", "5", "6", "9", "7", "8", "10")


def published(link: str = "", unit_ps: int = 1) -> Graph:
    """The example; with a name, all that moves between processors goes over that one link."""
    links = (link,) if link else ()
    return Graph(
        tuple(str(i) for i in range(1, 11)),
        PROCESSORS,
        {(str(i), p): ps * unit_ps for i, row in enumerate(TIMES, 1) for p, ps in zip(PROCESSORS, row, strict=True)},
        edges={
            (str(a), str(b)): {(x, y): (Move(links, ps * unit_ps),) for x in PROCESSORS for y in PROCESSORS if x != y}
            for a, b, ps in EDGES
        },
    )


def test_upward_ranks_are_those_of_the_paper() -> None:
    assert [round(float(published().upward[str(i)]), 3) for i in range(1, 11)] == list(UPWARD)


def test_heft_makes_the_schedule_of_the_paper() -> None:
    plan = Heft().plan(published())
    assert plan.makespan_ps == 80
    assert sorted(plan.slots) == sorted(Slot(*slot) for slot in HEFT_SLOTS)
    assert plan.problems(published()) == []
    assert tuple(by_upward_rank(published())) == HEFT_ORDER


def test_cpop_has_the_makespan_of_the_paper_and_its_critical_path_on_one_processor() -> None:
    graph = published()
    through = {node: graph.upward[node] + graph.downward[node] for node in graph.nodes}
    path = critical_path(graph, through)
    assert path == ["1", "2", "9", "10"]  # section 4.2; its processor is the second: 16 + 19 + 12 + 7 = 54
    plan = Cpop().plan(graph)
    assert plan.makespan_ps == 86
    assert {plan.places[node] for node in path} == {"p2"}
    assert plan.problems(graph) == []


def test_the_least_makespan_of_the_papers_example_is_proved() -> None:
    pytest.importorskip("ortools")
    plan = Optimal().plan(published())
    assert plan.problems(published()) == []
    assert (plan.makespan_ps, plan.bound_ps, plan.optimal) == (73, 73, True)


def test_on_one_bus_the_optimum_is_shorter_than_what_heft_and_cpop_find() -> None:
    pytest.importorskip("ortools")
    graph = published("bus")
    plan = Optimal().plan(graph)
    assert plan.problems(graph) == []
    assert plan.optimal
    assert plan.makespan_ps < min(Heft().plan(graph).makespan_ps, Cpop().plan(graph).makespan_ps)


def test_heft_without_contention_is_the_classic_one_whatever_the_links() -> None:
    graph = published("bus")
    classic = Heft(contention=False).plan(graph)
    assert classic.makespan_ps == 80
    assert classic.problems(graph, contention=False) == []
    assert any("link bus is used twice" in problem for problem in classic.problems(graph))
    shared = Heft().plan(graph)
    assert shared.problems(graph) == []
    assert shared.makespan_ps > 80  # one bus cannot carry it all in that time


def test_two_moves_over_one_link_follow_each_other() -> None:
    # a is on x (5 ps), b on y (5 ps), both needed by c on z; over the link 4 ps each, so c starts at 5 + 4 + 4.
    graph = Graph(
        ("a", "b", "c"), ("x", "y", "z"), {("a", "x"): 5, ("b", "y"): 5, ("c", "z"): 1},
        edges={("a", "c"): {("x", "z"): (Move(("l",), 4),)}, ("b", "c"): {("y", "z"): (Move(("l",), 4),)}},
    )  # fmt: skip
    assert Heft().plan(graph).makespan_ps == 14
    pytest.importorskip("ortools")
    assert Optimal().plan(graph).makespan_ps == 14
    from tlm3d.plans._sat import Solver

    proved = Solver(graph, 60, 1, 1).shortest(replace(Heft().plan(graph), makespan_ps=20))
    assert (proved.makespan_ps, proved.bound_ps, proved.optimal) == (14, 14, True)
    assert Heft(contention=False).plan(graph).makespan_ps == 10


def test_a_move_holds_all_of_its_links_at_once_and_its_legs_follow_each_other() -> None:
    # a → c: 3 ps on l and m, then 2 ps on m. b → c: 4 ps on m. b is ready first, so m is busy from 1 to 5.
    graph = Graph(
        ("a", "b", "c"), ("x", "y", "z"), {("a", "x"): 2, ("b", "y"): 1, ("c", "z"): 1},
        edges={
            ("a", "c"): {("x", "z"): (Move(("l", "m"), 3), Move(("m",), 2))},
            ("b", "c"): {("y", "z"): (Move(("m",), 4),)},
        },
    )  # fmt: skip
    plan = Heft().plan(graph)
    assert [(haul.link, haul.start_ps, haul.finish_ps) for haul in plan.hauls] == [
        ("m", 1, 5), ("l", 5, 8), ("m", 5, 8), ("m", 8, 10),
    ]  # fmt: skip
    assert plan.makespan_ps == 11


def test_a_node_starts_no_sooner_than_it_is_ready() -> None:
    graph = Graph(("a", "b"), ("x",), {("a", "x"): 4, ("b", "x"): 3}, ready_ps={"a": 3})
    assert by_upward_rank(graph) == ["a", "b"]
    assert Heft().plan(graph).slots == (Slot("b", "x", 0, 3), Slot("a", "x", 3, 7))  # into the gap before a


@pytest.mark.parametrize(
    ("slots", "problem"),
    [
        ((("a", "x", 0, 2), ("b", "x", 2, 4)), "b takes 2 ps on x, where it needs 3"),
        ((("a", "x", 0, 2), ("b", "x", 1, 4)), "block x is used twice at 1 ps"),
        ((("a", "x", 0, 2), ("b", "y", 2, 5)), "b starts at 2 ps, what it needs of a is there at 3"),
        ((("a", "x", 0, 2), ("b", "z", 2, 5)), "b cannot run on z"),
        ((("a", "x", 0, 2),), "not every node is there once"),
    ],
)
def test_what_is_no_schedule_is_told(slots: tuple[tuple[str, str, int, int], ...], problem: str) -> None:
    graph = Graph(
        ("a", "b"), ("x", "y"), {("a", "x"): 2, ("b", "x"): 3, ("b", "y"): 3},
        edges={("a", "b"): {("x", "y"): (Move((), 1),)}},
    )  # fmt: skip
    made = tuple(Slot(*slot) for slot in slots)
    assert problem in Schedule(made, (), max(slot.finish_ps for slot in made), 0).problems(graph)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"edges": {("a", "b"): {}, ("b", "a"): {}}}, "nodes wait for each other: a, b"),
        ({"nodes": ("a", "b", "c")}, "no block can run c"),
        ({"nodes": ("a", "b", "b")}, "node b is there twice"),
        ({"nodes": (), "time_ps": {}}, "nothing to place: no node"),
        ({"edges": {("a", "q"): {}}}, "edge a → q: expected known nodes"),
        ({"edges": {("a", "b"): {("x", "x"): (Move(("l", "l"), 1),)}}}, "expected moves of no less than 0 ps"),
    ],
)
def test_an_impossible_graph_is_refused(change: dict[str, object], problem: str) -> None:
    good: dict[str, object] = {"nodes": ("a", "b"), "blocks": ("x",), "time_ps": {("a", "x"): 1, ("b", "x"): 1}}
    with pytest.raises(ElaborationError, match=problem):
        Graph(**(good | change))  # type: ignore[arg-type]


def test_the_bound_of_every_schedule_is_the_critical_path_or_the_work() -> None:
    chain = Graph(
        ("a", "b"), ("x", "y"), {("a", "x"): 2, ("b", "y"): 3}, edges={("a", "b"): {("x", "y"): (Move((), 4),)}}
    )
    assert chain.least_makespan_ps == 2 + 4 + 3
    heap = Graph(("a", "b", "c"), ("x", "y"), {(n, b): 3 for n in "abc" for b in "xy"})
    assert heap.least_makespan_ps == 5  # 9 ps of work on two blocks
    assert published().upward["1"] == Fraction(108)


# Three layers in a chain; the fast block takes 2 ps and 10 aJ a layer, the frugal one 5 ps and 3 aJ; a move between
# them 1 ps and 1 aJ. All frugal: 15 ps, 9 aJ. One fast at an end: 2 + 1 + 10 = 13 ps, 17 aJ; in the middle 14 ps and
# 18 aJ. Two fast at an end: 2 + 2 + 1 + 5 = 10 ps, 24 aJ. All fast: 6 ps, 30 aJ.
def chain() -> Graph:
    nodes = ("a", "b", "c")
    over = (Move(("link",), 1, 1),)
    return Graph(
        nodes, ("fast", "frugal"),
        {(node, block): ps for node in nodes for block, ps in (("fast", 2), ("frugal", 5))},
        {(node, block): aj for node in nodes for block, aj in (("fast", 10), ("frugal", 3))},
        {edge: {("fast", "frugal"): over, ("frugal", "fast"): over} for edge in (("a", "b"), ("b", "c"))},
    )  # fmt: skip


CHAIN = [(None, 9, 15), (15, 9, 15), (14, 17, 13), (13, 17, 13), (12, 24, 10), (10, 24, 10), (9, 30, 6), (6, 30, 6)]


@pytest.mark.parametrize("tries", [0, 1000])  # by branch and bound alone, and with the ways down
@pytest.mark.parametrize(("deadline_ps", "aj", "ps"), CHAIN)
def test_the_least_energy_within_a_deadline(deadline_ps: int | None, aj: int, ps: int, tries: int) -> None:
    plan = MinEnergy(tries=tries).plan(chain(), deadline_ps)
    assert (plan.energy_aj, plan.makespan_ps, plan.bound_aj, plan.optimal) == (aj, ps, aj, True)


@pytest.mark.parametrize(("deadline_ps", "aj", "ps"), CHAIN)
def test_the_solver_finds_the_same(deadline_ps: int | None, aj: int, ps: int) -> None:
    pytest.importorskip("ortools")
    plan = Optimal("energy").plan(chain(), deadline_ps)
    assert (plan.energy_aj, plan.makespan_ps, plan.bound_aj, plan.optimal) == (aj, ps, aj, True)


def test_where_no_schedule_is_in_time_it_is_the_shortest() -> None:
    plan = MinEnergy().plan(chain(), 5)
    assert (plan.makespan_ps, plan.optimal) == (6, False)


def test_without_a_choice_every_node_is_on_its_preferred_block() -> None:
    assert set(Fixed().plan(chain()).places.values()) == {"fast"}
    assert Fixed().plan(chain()).makespan_ps == 6


def test_times_too_great_for_the_solver_still_give_a_schedule_and_a_bound() -> None:
    pytest.importorskip("ortools")
    factor = 2**61 + 1  # a chain of 15 of these is more than 2**63
    graph = chain()
    great = Graph(
        graph.nodes, graph.blocks, {key: ps * factor + i for i, (key, ps) in enumerate(graph.time_ps.items())},
        graph.energy_aj, graph.edges,
    )  # fmt: skip
    plan = Optimal("energy").plan(great, 11 * factor)
    assert plan.problems(great) == []
    assert plan.energy_aj == 24
    shortest = Optimal().plan(published(unit_ps=factor))
    assert shortest.problems(published(unit_ps=factor)) == []
    assert (
        0 < shortest.bound_ps <= 73 * factor == shortest.makespan_ps
    )  # in units of 2 ** 21 or more, but the same order


def test_without_or_tools_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "tlm3d.plans._sat", raising=False)
    for name in [name for name in sys.modules if name.split(".")[0] == "ortools"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "ortools", None)
    with pytest.raises(PluginError, match=r"^the planner 'optimal' needs OR-Tools, .*: pip install 'tlm3d\[plan\]'"):
        Optimal().plan(chain())
