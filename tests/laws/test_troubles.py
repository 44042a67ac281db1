"""No false alarms: what can be done in time is never called overloaded or starved; what is called so misses."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from reference.random_systems import systems
from reference.systems import Case, Tree

from tlm3d.analysis.judge import judge
from tlm3d.analysis.result import Verdict
from tlm3d.errors import ElaborationError

_US = 10**6
_periods = st.sampled_from([4, 5, 6, 8, 10, 12, 15, 20])


@st.composite
def _sets(draw: st.DrawFn) -> tuple[list[tuple[int, int, int]], int]:
    """Tasks (C, T, offset) in us on one core, and a window."""
    tasks = []
    for _ in range(draw(st.integers(1, 5))):
        period = draw(_periods)
        tasks.append((draw(st.integers(1, period)), period, draw(st.integers(0, 7))))
    return tasks, draw(st.integers(1, 240))


def _case(tasks: list[tuple[int, int, int]], horizon: int, policy: str) -> Case:
    core: Tree = {"kind": "processor", "clock": "1 MHz", "energy": {"cycle": "1 pJ/cycle"}}
    written = {
        f"t{i}": {
            "stages": [{"time": f"{work} us", "on": "core"}], "period": f"{period} us", "offset": f"{offset} us",
            "priority": i + 1,
        }
        for i, (work, period, offset) in enumerate(tasks)
    }  # fmt: skip
    stack = {"name": "one", "dies": {"d": {"tier": 0, "blocks": {"core": core}}}}
    return Case(stack, {"name": "set", "tasks": written}, policy=policy, horizon_ps=horizon * _US)


@given(_sets())
@settings(max_examples=200, deadline=None)
def test_a_set_that_edf_can_schedule_is_in_no_trouble(drawn: tuple[list[tuple[int, int, int]], int]) -> None:
    tasks, horizon = drawn
    while sum(Fraction(work, period) for work, period, _ in tasks) > 1:  # Liu and Layland 1973
        tasks = tasks[:-1]
    assert _case(tasks, horizon, "edf").judge().troubles == ()


@given(_sets(), st.sampled_from(["edf", "fixed-priority", "rate-monotonic", "fifo"]))
@settings(max_examples=200, deadline=None)
def test_where_trouble_is_reported_a_deadline_was_missed_whatever_the_policy(
    drawn: tuple[list[tuple[int, int, int]], int], policy: str
) -> None:
    result = _case(*drawn, policy).judge()
    for trouble in result.troubles:
        assert result.verdict is Verdict.MISSED
        if trouble.kind == "overload":
            assert trouble.asked_ps == trouble.total_ps > trouble.capacity_ps
            assert any(result.tasks[name].missed for name, _ in trouble.shares)
        else:
            assert result.tasks[trouble.who].missed
            assert trouble.capacity_ps < 2 * trouble.total_ps <= 2 * trouble.capacity_ps


@given(systems())
@settings(max_examples=60, deadline=None)
def test_in_any_small_system_trouble_means_misses(case: Case) -> None:
    try:
        system = case.system()
    except ElaborationError:
        assume(False)
    result = judge(system.run())
    assert not result.troubles or any(task.missed for task in result.tasks.values())
