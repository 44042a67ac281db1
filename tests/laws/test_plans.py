"""Every plan is a schedule, none is shorter than the optimum, and the optimum is that of trying everything."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference.plans import graphs, least_energy, least_makespan_ps

from tlm3d.plans import Planner
from tlm3d.plans.cpop import Cpop
from tlm3d.plans.fixed import Fixed
from tlm3d.plans.graph import Graph
from tlm3d.plans.heft import Heft
from tlm3d.plans.min_energy import MinEnergy
from tlm3d.plans.optimal import Optimal

HEURISTICS = (Heft, Cpop, Fixed, MinEnergy)
DEADLINES = st.integers(0, 40)


@pytest.mark.parametrize("planner", HEURISTICS)
@given(graph=graphs(10, 14), deadline_ps=st.none() | DEADLINES)
@settings(max_examples=100, deadline=None)
def test_every_plan_is_a_schedule_no_shorter_than_the_bounds(
    planner: type[Planner], graph: Graph, deadline_ps: int | None
) -> None:
    plan = planner().plan(graph, deadline_ps)
    assert plan.problems(graph) == []
    assert graph.least_makespan_ps == plan.bound_ps <= plan.makespan_ps
    assert planner().plan(graph, deadline_ps) == plan


@pytest.mark.parametrize("planner", [Heft, Cpop])
@given(graph=graphs(10, 14))
@settings(max_examples=100, deadline=None)
def test_without_contention_plans_are_those_of_links_without_limits(planner: type[Heft | Cpop], graph: Graph) -> None:
    classic = planner(contention=False).plan(graph)
    assert classic.problems(graph, contention=False) == []
    assert classic.slots == planner().plan(graph.without_contention()).slots


@given(graph=graphs())
@settings(max_examples=100, deadline=None)
def test_no_schedule_is_shorter_than_the_bound(graph: Graph) -> None:
    assert graph.least_makespan_ps <= least_makespan_ps(graph)


@given(graph=graphs(), deadline_ps=DEADLINES, tries=st.sampled_from((0, 1000)))
@settings(max_examples=150, deadline=None)
def test_least_energy_is_within_the_deadline_and_no_more_than_of_other_plans(
    graph: Graph, deadline_ps: int, tries: int
) -> None:
    plan, least = MinEnergy(tries=tries).plan(graph, deadline_ps), least_energy(graph, deadline_ps)
    others = [one().plan(graph) for one in (Heft, Cpop)]
    within = [one for one in others if one.makespan_ps <= deadline_ps]
    if within:
        assert plan.makespan_ps <= deadline_ps
        assert plan.energy_aj <= min(one.energy_aj for one in within)
    if plan.makespan_ps <= deadline_ps:
        assert least is not None
        assert plan.bound_aj <= least[0] <= plan.energy_aj
        assert plan.optimal == (plan.bound_aj == plan.energy_aj)
    else:
        assert not plan.optimal


@given(graph=graphs(6, 8))
@settings(max_examples=100, deadline=None)
def test_without_a_deadline_energy_is_the_least_there_is(graph: Graph) -> None:
    plan = MinEnergy().plan(graph)
    assert plan.optimal
    assert plan.energy_aj == (least_energy(graph, 10**6) or (None,))[0]


@given(graph=graphs())
@settings(max_examples=80, deadline=None)
def test_the_optimum_is_that_of_trying_everything(graph: Graph) -> None:
    pytest.importorskip("ortools")
    plan = Optimal().plan(graph)
    assert plan.problems(graph) == []
    assert plan.optimal
    assert plan.makespan_ps == plan.bound_ps == least_makespan_ps(graph)


@given(graph=graphs(), deadline_ps=DEADLINES)
@settings(max_examples=80, deadline=None)
def test_the_cheapest_within_the_deadline_is_that_of_trying_everything(graph: Graph, deadline_ps: int) -> None:
    pytest.importorskip("ortools")
    plan, least = Optimal("energy").plan(graph, deadline_ps), least_energy(graph, deadline_ps)
    assert plan.problems(graph) == []
    assert plan.optimal
    if least is None:  # then it is the shortest
        assert plan.makespan_ps == least_makespan_ps(graph) > deadline_ps
    else:
        assert (plan.energy_aj, plan.makespan_ps) == least
        assert plan.bound_aj == plan.energy_aj


@given(graph=graphs(9, 12))
@settings(max_examples=60, deadline=None)
def test_no_heuristic_is_shorter_than_the_optimum(graph: Graph) -> None:
    pytest.importorskip("ortools")
    plan = Optimal().plan(graph)
    assert plan.problems(graph) == []
    assert plan.optimal
    assert graph.least_makespan_ps <= plan.makespan_ps <= min(one().plan(graph).makespan_ps for one in HEURISTICS)
    assert Optimal().plan(graph) == plan


@given(graph=graphs(9, 12), deadline_ps=DEADLINES)
@settings(max_examples=40, deadline=None)
def test_without_time_to_search_it_is_the_best_heuristic_and_the_bound_holds(graph: Graph, deadline_ps: int) -> None:
    pytest.importorskip("ortools")
    known = min(one().plan(graph).makespan_ps for one in (Heft, Cpop, Fixed))
    least = Optimal().plan(graph)
    hurried = Optimal(limit_s=0).plan(graph)
    assert hurried.problems(graph) == []
    assert graph.least_makespan_ps <= hurried.bound_ps <= least.makespan_ps <= hurried.makespan_ps <= known
    assert not hurried.optimal or hurried.makespan_ps == least.makespan_ps
    cheapest = Optimal("energy", limit_s=0).plan(graph, deadline_ps)
    assert cheapest.problems(graph) == []
    if cheapest.makespan_ps <= deadline_ps:
        assert cheapest.bound_aj <= Optimal("energy").plan(graph, deadline_ps).energy_aj <= cheapest.energy_aj


@given(graph=graphs(), most=st.integers(2, 12))
@settings(max_examples=80, deadline=None)
def test_a_bound_in_coarse_units_is_no_more_than_the_optimum(graph: Graph, most: int) -> None:
    pytest.importorskip("ortools")
    from ortools.sat.python import cp_model

    from tlm3d.plans import _sat

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_sat, "_MOST", most)
        model = _sat._Model(graph, 10 * least_makespan_ps(graph), None)
    model.cp.minimize(model.makespan)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    if solver.status_name(solver.solve(model.cp)) == "OPTIMAL":  # else the horizon leaves no room for what was rounded
        assert model.schedule(solver).problems(graph) == []
        assert model.bound_ps(solver.value(model.makespan)) <= least_makespan_ps(graph)


@given(graph=graphs(), deadline_ps=DEADLINES, most=st.integers(3, 12))
@settings(max_examples=80, deadline=None)
def test_in_units_that_are_too_coarse_plans_are_schedules_and_bounds_hold(
    graph: Graph, deadline_ps: int, most: int
) -> None:
    pytest.importorskip("ortools")
    from tlm3d.plans import _sat

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_sat, "_MOST", most)
        patch.setattr(_sat, "_MOST_ENERGY", most)
        shortest, cheapest = Optimal().plan(graph), Optimal("energy").plan(graph, deadline_ps)
    assert shortest.problems(graph) == cheapest.problems(graph) == []
    least_ps, least = least_makespan_ps(graph), least_energy(graph, deadline_ps)
    assert shortest.bound_ps <= least_ps <= shortest.makespan_ps
    assert shortest.optimal == (shortest.bound_ps == shortest.makespan_ps)
    if cheapest.makespan_ps <= deadline_ps:
        assert least is not None
        assert cheapest.bound_aj <= least[0] <= cheapest.energy_aj
        if cheapest.optimal:
            assert (cheapest.energy_aj, cheapest.makespan_ps) == least
