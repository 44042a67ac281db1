"""Textbook task sets on one preemptive processor, a millisecond a unit, against their published responses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from reference.systems import Case, Tree

from tlm3d.analysis.blame import blame
from tlm3d.errors import SpecError
from tlm3d.record.recording import JobEnd

MS = 10**9  # ps


@dataclass(frozen=True)
class TaskSet:
    """(C, T, D) by task, all released together at 0; the responses of the first jobs under the stated priorities."""

    source: str
    tasks: dict[str, tuple[int, int, int]]
    horizon: int
    responses: dict[str, int]  # in order of priority


SETS = {
    # Worst responses of synchronous sets belong to the first jobs (critical instant, Liu & Layland 1973).
    "burns-wellings-b": TaskSet(
        "Burns & Wellings, Real-Time Systems and Programming Languages, response time analysis example",
        {"a": (3, 7, 7), "b": (3, 12, 12), "c": (5, 20, 20)},
        420,
        {"a": 3, "b": 6, "c": 20},
    ),
    "burns-wellings-a": TaskSet(
        "Burns & Wellings, process set A: utilisation 0.823 is above the bound of 0.780",
        {"c": (10, 30, 30), "b": (10, 40, 40), "a": (12, 50, 50)},
        600,
        {"c": 10, "b": 20, "a": 52},
    ),
    "buttazzo-dm": TaskSet(
        "Buttazzo, Hard Real-Time Computing Systems, chapter 4: deadline monotonic with D < T",
        {"t1": (1, 4, 3), "t2": (1, 5, 4), "t3": (2, 6, 5), "t4": (1, 11, 10)},
        660,
        {"t1": 1, "t2": 2, "t3": 4, "t4": 10},
    ),
}
# Buttazzo, EDF against RM: (2, 5) and (4, 7), utilisation 34/35.
EDF_AGAINST_RM = {"t1": (2, 5, 5), "t2": (4, 7, 7)}


def processor(**options: object) -> Tree:
    core = {"kind": "processor", "clock": "1 MHz", "energy": {"cycle": "1 pJ/cycle"}, **options}
    return {"name": "one-core", "dies": {"d": {"tier": 0, "blocks": {"core": core}}}}


def on_core(
    tasks: Mapping[str, tuple[float, float, float]], order: list[str], horizon: int, policy: str, **options: object
) -> Case:
    """``tasks`` with priorities by ``order``, in ms."""
    written = {
        name: {
            "stages": [{"time": f"{work} ms", "on": "core"}],
            "period": f"{period} ms",
            "deadline": f"{deadline} ms",
            "priority": order.index(name) + 1,
        }
        for name, (work, period, deadline) in tasks.items()
    }
    return Case(processor(**options), {"name": "set", "tasks": written}, policy=policy, horizon_ps=horizon * MS)


def jobs_of(case: Case, task: str) -> list[JobEnd]:
    return sorted((job for job in case.run().jobs if job.task == task), key=lambda job: job.index)


@pytest.mark.parametrize("name", SETS)
def test_fixed_priorities_give_the_published_worst_responses(name: str) -> None:
    chosen = SETS[name]
    case = on_core(chosen.tasks, list(chosen.responses), chosen.horizon, "fixed-priority")
    result = case.judge()
    worst = {task: stats.response.max_ps for task, stats in result.tasks.items() if stats.response}
    assert worst == {task: response * MS for task, response in chosen.responses.items()}
    late = {task for task, response in chosen.responses.items() if response > chosen.tasks[task][2]}
    assert {task for task, stats in result.tasks.items() if stats.missed} == late


def test_rate_monotonic_misses_first_at_8_where_edf_misses_nothing() -> None:
    by_rate = on_core(EDF_AGAINST_RM, ["t1", "t2"], 35, "fixed-priority")
    late = [job for job in jobs_of(by_rate, "t2") if job.finish_ps > job.deadline_ps]
    assert (late[0].index, late[0].deadline_ps, late[0].finish_ps) == (0, 7 * MS, 8 * MS)
    by_deadline = on_core(EDF_AGAINST_RM, ["t1", "t2"], 35, "edf").judge()
    assert [task.missed for task in by_deadline.tasks.values()] == [0, 0]


# high: 1 of 4. low: 5 of 20, so it runs 1-4, 5-8 (done 3 + 2 at 7).
_PAIR = {"high": (1, 4, 4), "low": (5, 20, 20)}


def test_a_preempted_job_resumes_where_it_was_and_blames_who_preempted_it() -> None:
    case = on_core(_PAIR, ["high", "low"], 20, "fixed-priority")
    (low,) = jobs_of(case, "low")
    assert (low.start_ps, low.finish_ps) == (1 * MS, 7 * MS)
    assert blame(low, 20 * MS).buckets == {"compute": 5 * MS, "preempt": 2 * MS}
    assert {segment.holder for segment in low.segments if segment.bucket == "preempt"} == {"high#0", "high#1"}


def test_a_preempted_job_pays_the_context_switch_when_it_resumes() -> None:
    case = on_core(_PAIR, ["high", "low"], 20, "fixed-priority", context_switch="500 us")
    result = case.judge()
    low = next(job for job in result.recording.jobs if job.task == "low")
    # 1-4 three units done; resumed at 5, half a unit of switching, two units: 7.5
    assert low.finish_ps == 7 * MS + MS // 2
    assert blame(low, 20 * MS).buckets == {"compute": 5 * MS, "preempt": 2 * MS, "overhead": MS // 2}
    spent = {(a.what, a.task): a.energy_aj for a in result.accounts}
    assert spent["compute", "low"] == 5000 * 10**6  # 1 MHz, 1 pJ a cycle: cut into pieces, it sums up
    assert spent["overhead", "low"] == 500 * 10**6


def test_a_switch_that_is_itself_preempted_is_paid_anew() -> None:
    tasks = {"a": (1, 2, 2), "low": (2, 20, 20)}
    case = on_core(tasks, ["a", "low"], 20, "fixed-priority", context_switch="600 us")
    (low,) = jobs_of(case, "low")
    # 1-2 one unit; then in each [odd, even) 0.6 of switching and 0.4 of work: 0.4 + 0.4 + 0.2 more units at 7.8
    assert low.finish_ps == 7 * MS + 800 * MS // 1000


def test_without_preemption_the_urgent_job_waits_for_the_end_of_the_other() -> None:
    case = on_core(_PAIR, ["high", "low"], 20, "fixed-priority", preemption="none")
    (low,) = jobs_of(case, "low")
    assert (low.start_ps, low.finish_ps) == (1 * MS, 6 * MS)
    second = jobs_of(case, "high")[1]
    assert (second.release_ps, second.start_ps, second.finish_ps) == (4 * MS, 6 * MS, 7 * MS)
    assert [(s.bucket, s.holder) for s in second.segments] == [("np-block", "low#0"), ("compute", "-")]


def test_a_job_that_ends_when_a_more_urgent_one_arrives_is_not_preempted() -> None:
    case = on_core({"high": (1, 5, 5), "low": (4, 20, 20)}, ["high", "low"], 20, "fixed-priority")
    (low,) = jobs_of(case, "low")
    assert low.finish_ps == 5 * MS
    assert [segment.bucket for segment in low.segments] == ["preempt", "compute"]


def test_an_unfinished_job_that_is_preempted_at_the_horizon_says_so() -> None:
    case = on_core({"high": (3, 10, 10), "low": (9, 40, 40)}, ["high", "low"], 12, "fixed-priority")
    (low,) = jobs_of(case, "low")
    assert low.status == "unfinished"
    found = [(s.bucket, s.start_ps // MS, s.end_ps // MS, s.holder) for s in low.segments]
    assert found == [("preempt", 0, 3, "high#0"), ("compute", 3, 10, "-"), ("preempt", 10, 12, "high#1")]


def test_energy_a_cycle_without_a_clock_is_refused() -> None:
    platform = processor()
    del platform["dies"]["d"]["blocks"]["core"]["clock"]
    case = Case(platform, on_core(_PAIR, ["high", "low"], 20, "edf").workload)
    with pytest.raises(SpecError, match=r"dies\.d\.blocks\.core: energy a cycle needs the 'clock'"):
        case.system()


def test_the_energy_of_a_stage_does_not_depend_on_how_often_it_is_preempted() -> None:
    tasks = {"high": (0.3, 1.1, 1.1), "low": (7, 20, 20)}  # cut where no whole attojoule is spent
    case = on_core(tasks, ["high", "low"], 20, "fixed-priority", clock="1 kHz", energy={"cycle": "1 aJ/cycle"})
    pieces = [span for span in case.run().spans if span.task == "low"]
    assert len(pieces) > 5
    assert sum(span.energy_aj for span in pieces) == 7


# ------------------------------------------------------------------ backlog and misses


def _overrun(horizon: int = 20, **keys: object) -> Case:
    """A job of 9 every 2 with a deadline of 5."""
    case = on_core({"long": (9, 2, 5)}, ["long"], horizon, "edf")
    case.workload["tasks"]["long"] |= keys
    return case


def test_a_newer_job_replaces_the_waiting_one() -> None:
    jobs = jobs_of(_overrun(), "long")
    # 0 runs to 9; 1 to 3 are replaced at 4, 6, 8; 4 runs from 9 to 18, and 8 from then on: 9, released at 18, waits.
    assert [job.index for job in jobs if job.status == "finished"] == [0, 4]
    dropped = {job.index: job.segments[-1].end_ps // MS for job in jobs if job.status == "dropped"}
    assert dropped == {1: 4, 2: 6, 3: 8, 5: 12, 6: 14, 7: 16}
    assert {s.holder for job in jobs if job.status == "dropped" for s in job.segments} == {"long#0", "long#4"}


def test_a_job_that_ends_at_the_instant_of_a_release_has_left_its_place() -> None:
    case = on_core({"first": (10, 100, 100), "late": (2, 4, 50)}, ["first", "late"], 13, "fixed-priority")
    jobs = jobs_of(case, "late")
    # The processor is taken until 10; 0 runs from 10 to 12, when 2 takes its place and 3 is released to wait.
    assert [job.status for job in jobs] == ["finished", "dropped", "unfinished", "unfinished"]
    assert jobs[2].start_ps == 12 * MS


def test_a_backlog_of_two_keeps_two_waiting() -> None:
    jobs = jobs_of(_overrun(backlog=2), "long")
    assert [job.index for job in jobs if job.status == "finished"] == [0, 3]


def test_an_aborted_job_stops_at_its_deadline_and_the_next_one_starts() -> None:
    jobs = jobs_of(_overrun(on_miss="abort"), "long")
    first, second = jobs[0], jobs[1]
    assert (first.status, first.segments[-1].end_ps) == ("aborted", 5 * MS)
    assert [(s.bucket, s.end_ps // MS) for s in first.segments] == [("compute", 5)]
    assert (second.release_ps, second.status) == (2 * MS, "dropped")  # replaced at 4 by job 2
    assert jobs[2].start_ps == 5 * MS


def _behind(blocking_ms: float, **keys: object) -> list[JobEnd]:
    """A job of 3 due at 8, behind a more urgent one of ``blocking_ms``."""
    tasks = {"first": (blocking_ms, 100, 100), "late": (3, 50, 8)}
    case = on_core(tasks, ["first", "late"], 40, "fixed-priority")
    case.workload["tasks"]["late"] |= {"on_miss": "drop", **keys}
    return jobs_of(case, "late")


def test_a_job_is_dropped_a_picosecond_after_it_could_have_begun_in_time() -> None:
    (just,) = _behind(5)
    assert (just.status, just.start_ps, just.finish_ps) == ("finished", 5 * MS, 8 * MS)
    for blocking_ms in (5.000000001, 20):
        (late,) = _behind(blocking_ms)
        assert (late.status, late.start_ps, late.segments[-1].end_ps) == ("dropped", -1, 5 * MS + 1)
        assert [(s.bucket, s.holder) for s in late.segments] == [("preempt", "first#0")]


def test_a_job_that_has_begun_is_not_dropped() -> None:
    case = on_core({"first": (6, 100, 100), "late": (3, 50, 8)}, ["first", "late"], 40, "fixed-priority")
    case.workload["tasks"]["first"]["offset"] = "1 ms"
    case.workload["tasks"]["late"]["on_miss"] = "drop"
    (late,) = jobs_of(case, "late")
    assert (late.status, late.start_ps, late.finish_ps) == ("finished", 0, 9 * MS)


def test_a_job_that_can_never_make_it_is_dropped_at_its_release() -> None:
    jobs = jobs_of(_overrun(on_miss="drop", backlog=3, horizon=20), "long")
    assert {(job.status, job.start_ps, job.segments) for job in jobs} == {("dropped", -1, ())}


def test_a_job_that_ends_exactly_at_its_deadline_is_not_aborted() -> None:
    case = on_core({"exact": (5, 10, 5)}, ["exact"], 10, "edf")
    case.workload["tasks"]["exact"]["on_miss"] = "abort"
    assert [job.status for job in jobs_of(case, "exact")] == ["finished"]


# ------------------------------------------------------------------ releases


def test_release_k_is_the_floor_of_k_over_the_rate_after_the_offset() -> None:
    case = on_core({"frame": (1, 40, 40)}, ["frame"], 1000, "edf")
    task = case.workload["tasks"]["frame"]
    del task["period"]
    task |= {"rate": "30 fps", "offset": "7 ms", "deadline": "33 ms"}
    releases = [job.release_ps for job in jobs_of(case, "frame")]
    assert releases == [7 * MS + k * 10**12 // 30 for k in range(30)]


def test_jitter_delays_releases_by_a_draw_that_depends_on_seed_task_and_index_alone() -> None:
    tasks = {"loose": (1, 10, 10), "other": (1, 10, 10)}
    drawn = []
    for names, seed in ((["loose"], 1), (["loose", "other"], 1), (["loose"], 2)):
        case = on_core({name: tasks[name] for name in names}, names, 200, "edf")
        case.workload["tasks"]["loose"]["jitter"] = "10 ms"
        case = Case(case.platform, case.workload, policy="edf", horizon_ps=case.horizon_ps, seed=seed)
        drawn.append([job.release_ps - job.index * 10 * MS for job in jobs_of(case, "loose")])
    assert all(0 <= late_ps <= 10 * MS for late_ps in drawn[0])
    assert len(set(drawn[0])) > 10
    assert drawn[0] == drawn[1] != drawn[2]
