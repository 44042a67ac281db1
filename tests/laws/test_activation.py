"""Activations depend on names, never on the order of lines; a cascade counts what its parent has finished."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reference.systems import Case, Tree

from tlm3d.analysis.judge import judge
from tlm3d.reporters.json import dumps

_RELAXED = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
_US = 10**6  # ps
_NAMES = ("a", "b", "c", "d", "e")
_ON = st.sampled_from(["p", "q", ["p", "q"], ["q", "p"], "any"])


@st.composite
def _stages(draw: st.DrawFn) -> list[Tree]:
    """A graph: each stage comes after some of those before it in a drawn order."""
    names = draw(st.permutations(["s", "t", "u", "v"]))[: draw(st.integers(1, 4))]
    stages: list[Tree] = []
    for i, name in enumerate(names):
        stage: Tree = {"name": name, "time": f"{draw(st.integers(1, 9))} us", "on": draw(_ON)}
        if draw(st.booleans()):
            stage["after"] = sorted(draw(st.sets(st.sampled_from(names[:i])))) if i else []
        stages.append(stage)
    return stages


@st.composite
def activated(draw: st.DrawFn) -> Case:
    """One to five tasks on two processors: periodic, sporadic or after one of those before them."""
    tasks: dict[str, Tree] = {}
    for name in draw(st.permutations(_NAMES))[: draw(st.integers(1, 5))]:
        task: Tree = {
            "stages": draw(_stages()), "priority": draw(st.integers(1, 3)), "backlog": draw(st.integers(1, 2)),
            "on_miss": draw(st.sampled_from(["continue", "abort", "drop"])),
            "deadline": f"{draw(st.integers(5, 60))} us",
        }  # fmt: skip
        kind = draw(st.sampled_from(["period", "sporadic", "after"] if tasks else ["period", "sporadic"]))
        if kind == "period":
            task |= {"period": f"{draw(st.sampled_from([10, 20, 25]))} us"}
        elif kind == "sporadic":
            task["sporadic"] = {"min_distance": "10 us", "mean_distance": f"{draw(st.integers(10, 30))} us"}
        else:
            chance = draw(st.sampled_from(["1", "0.5"]))
            task["after"] = {"task": draw(st.sampled_from(sorted(tasks))), "probability": chance}
        tasks[name] = task
    blocks = {name: {"kind": "processor", "preemption": draw(st.sampled_from(["full", "none"]))} for name in "pq"}
    platform = {"name": "two", "dies": {"d": {"tier": 0, "blocks": blocks}}}
    policy = draw(st.sampled_from(["edf", "fixed-priority", "fifo"]))
    workload = {"name": "w", "tasks": tasks}
    return Case(platform, workload, policy=policy, horizon_ps=200 * _US, seed=draw(st.integers(0, 3)))


@_RELAXED
@given(activated(), st.integers(0, 2**32))
def test_the_order_of_lines_changes_no_integer(case: Case, seed: int) -> None:
    assert dumps(case.judge()) == dumps(case.shuffled(seed).judge())


@_RELAXED
@given(activated())
def test_every_job_of_a_cascade_is_released_when_its_source_finishes(case: Case) -> None:
    jobs = case.run().jobs
    by_label = {(job.task, job.index): job for job in jobs}
    for name, task in case.workload["tasks"].items():
        mine = sorted((job for job in jobs if job.task == name), key=lambda job: job.index)
        assert [job.index for job in mine] == list(range(len(mine)))
        sources = [job.source for job in mine]
        if "after" not in task:
            assert set(sources) <= {-1}
            continue
        parents = [by_label[task["after"]["task"], source] for source in sources]
        assert sources == sorted(set(sources))
        assert [job.release_ps for job in mine] == [parent.finish_ps for parent in parents]
        finished = [j for j in jobs if j.task == task["after"]["task"] and 0 <= j.finish_ps < case.horizon_ps]
        assert len(mine) == len(finished) if task["after"]["probability"] == "1" else len(mine) <= len(finished)


@_RELAXED
@given(activated())
def test_a_dropped_job_never_began_and_no_finished_one_was_given_less_than_its_work(case: Case) -> None:
    for job in case.run().jobs:
        if job.status == "dropped":
            assert job.start_ps == -1
        if job.status == "finished":
            assert sum(s.end_ps - s.start_ps for s in job.segments) == job.finish_ps - job.release_ps


@_RELAXED
@given(activated(), st.integers(1, 199 * _US))
def test_a_run_that_is_stopped_is_one_with_the_horizon_where_it_stopped(case: Case, at_ps: int) -> None:
    stopped = case.system().run(lambda done_ps, _: done_ps >= at_ps)
    whole = Case(case.platform, case.workload, {}, case.policy, stopped.horizon_ps, case.seed).run()
    stopped.interrupted_of_ps = 0
    assert dumps(judge(stopped)) == dumps(judge(whole))
