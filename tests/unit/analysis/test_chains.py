"""End-to-end delay along chains, worked by hand, and against a search through all jobs for every output.

In the tests by hand a job is (release, start, finish) in ps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.analysis.made import piece, recording

from tlm3d.analysis.chains import Path
from tlm3d.analysis.judge import judge
from tlm3d.analysis.result import ChainResult, Delay, Verdict
from tlm3d.record.recording import ChainInfo, JobEnd

H = 100
Times = tuple[int, int, int]


def jobs_of(task: str, times: Sequence[Times], deadline_ps: int = 1) -> list[JobEnd]:
    made = []
    for index, (release_ps, start_ps, finish_ps) in enumerate(times):
        status = "finished" if finish_ps >= 0 else "dropped"
        made.append(JobEnd(task, index, release_ps, release_ps + deadline_ps, start_ps, finish_ps, status, ()))
    return made


def watched(info: ChainInfo, *jobs: JobEnd, horizon_ps: int = H) -> ChainResult:
    path = Path("reaction", info)
    path.add({task: [job for job in jobs if job.task == task] for task in info.tasks})
    return path.result(horizon_ps)


SENSE = jobs_of("sense", [(0, 0, 5), (20, 20, 25), (40, 40, 45)])


def test_a_job_hands_on_what_had_been_written_when_it_began() -> None:
    # act reads 0's result at 6, 20's at 30; its outputs at 10 and 35 carry 0 and 20. The job at 40 gets no answer.
    result = watched(ChainInfo(("sense", "act")), *SENSE, *jobs_of("act", [(5, 6, 10), (30, 30, 35)]))
    assert result.reaction == Delay(worst_ps=60, mean_ps=12, judged=2, lost=0, is_bound=True)  # (10 + 15) / 2
    # Data of 0 until 35, data of 20 until the end.
    assert result.age == Delay(worst_ps=80, mean_ps=57, judged=2, lost=0, is_bound=False)


def test_a_result_of_the_instant_of_the_start_is_read_and_one_a_picosecond_later_is_not() -> None:
    at, before = (watched(ChainInfo(("sense", "act")), *SENSE, *jobs_of("act", [(0, s, 30)])) for s in (25, 24))
    assert at.age is not None
    assert before.age is not None
    assert (at.age.worst_ps, before.age.worst_ps) == (80, 100)


def test_what_is_written_while_a_job_runs_it_does_not_carry() -> None:
    result = watched(ChainInfo(("sense", "act")), *SENSE, *jobs_of("act", [(6, 6, 50)]))
    assert result.age is not None
    assert result.age.worst_ps == 100  # at the end the data of 0 is all there is


def test_a_reaction_is_the_first_output_with_the_data_or_newer() -> None:
    # act skips 0 and answers both 0 and 20 at 35; a second output with the same data answers nothing.
    result = watched(ChainInfo(("sense", "act")), *SENSE[:2], *jobs_of("act", [(30, 30, 35), (50, 50, 55)]))
    assert result.reaction == Delay(worst_ps=35, mean_ps=25, judged=2, lost=0, is_bound=False)
    assert result.age == Delay(worst_ps=80, mean_ps=57, judged=2, lost=0, is_bound=False)  # 55 − 20, 100 − 20


def test_a_job_of_the_first_task_that_is_dropped_is_reacted_to_with_newer_data() -> None:
    sense = jobs_of("sense", [(0, -1, -1), (20, 20, 25)])
    result = watched(ChainInfo(("sense", "act")), *sense, *jobs_of("act", [(30, 30, 35)]))
    assert result.reaction == Delay(worst_ps=35, mean_ps=25, judged=2, lost=0, is_bound=False)


def test_a_chain_of_one_task_is_its_response_and_the_age_of_its_results() -> None:
    result = watched(ChainInfo(("sense",)), *SENSE)
    assert result.reaction == Delay(worst_ps=5, mean_ps=5, judged=3, lost=0, is_bound=False)
    assert result.age == Delay(worst_ps=60, mean_ps=36, judged=3, lost=0, is_bound=False)  # 25, 25 and 100 − 40


def test_a_cascaded_job_carries_the_result_of_the_one_that_released_it() -> None:
    # Released by 0's at 5, it starts at 26, when 20's is there already.
    late = jobs_of("act", [(5, 26, 30)])[0]._replace(source=0)
    followed = watched(ChainInfo(("sense", "act"), cascades=frozenset({"act"})), *SENSE, late)
    sampled = watched(ChainInfo(("sense", "act")), *SENSE, late)
    assert followed.reaction is not None
    assert sampled.reaction is not None
    assert followed.reaction.mean_ps == 30
    assert sampled.reaction.mean_ps == 20  # 30 and 10


def test_a_reaction_at_the_deadline_is_in_time_and_one_picosecond_later_is_lost() -> None:
    for deadline_ps, lost in ((30, 0), (29, 1)):
        act = jobs_of("act", [(5, 6, 30)])
        reaction = watched(ChainInfo(("sense", "act"), deadline_ps), *SENSE[:1], *act).reaction
        assert reaction == Delay(worst_ps=30, mean_ps=30, judged=1, lost=lost, is_bound=False)


def test_without_an_output_a_job_is_lost_once_its_deadline_has_passed() -> None:
    for deadline_ps, lost in ((99, 1), (100, 0)):
        reaction = watched(ChainInfo(("sense", "act"), deadline_ps), *SENSE[:1]).reaction
        assert reaction == Delay(worst_ps=100, mean_ps=None, judged=lost, lost=lost, is_bound=True)


def test_a_finish_beyond_the_window_is_no_output() -> None:
    for finish_ps, judged in ((100, 1), (101, 0)):
        age = watched(ChainInfo(("sense", "act")), *SENSE[:1], *jobs_of("act", [(5, 6, finish_ps)])).age
        assert (age.judged if age else 0) == judged


@pytest.mark.parametrize(
    ("deadline_ps", "max_age_ps", "word", "reason"),
    [
        (15, 80, Verdict.MET, "every bound of the chains kept"),
        (14, 80, Verdict.MISSED, "chain reaction reacted too late to 1 of 2 jobs of sense (15.0 ps > 14.0 ps)"),
        (15, 79, Verdict.MISSED, "chain reaction let data of 1 of 2 outputs of act grow too old (80.0 ps > 79.0 ps)"),
    ],
)
def test_the_bounds_of_a_chain_count_for_the_verdict(
    deadline_ps: int, max_age_ps: int, word: Verdict, reason: str
) -> None:
    jobs = [*jobs_of("sense", [(0, 0, 5), (20, 20, 25)], 40), *jobs_of("act", [(5, 6, 10), (30, 30, 35)], 40)]
    facts = recording(H, jobs=[job._replace(segments=()) for job in jobs], tasks=("sense", "act"))
    facts.jobs = [_with_segment(job) for job in facts.jobs]
    facts.chains = {"reaction": ChainInfo(("sense", "act"), deadline_ps, max_age_ps)}
    result = judge(facts)
    assert result.verdict is word
    assert reason in result.reasons


def test_bounds_without_anything_to_judge_leave_the_verdict_open() -> None:
    facts = recording(H, jobs=[_with_segment(jobs_of("sense", [(0, 0, 5)], 40)[0])], tasks=("sense",))
    facts.chains = {"loop": ChainInfo(("sense",), 50, None)}
    assert judge(facts).verdict is Verdict.MET
    facts = recording(H, jobs=[], tasks=("sense",))
    facts.chains = {"loop": ChainInfo(("sense",), 50, 60)}
    assert judge(facts).reasons[1:] == (
        "chain loop: no reaction to judge inside the horizon",
        "chain loop: no output inside the horizon",
    )


def _with_segment(job: JobEnd) -> JobEnd:
    return job._replace(segments=(piece("compute", job.release_ps, job.finish_ps),))


class _Output(NamedTuple):
    finish_ps: int
    data_ps: int


@st.composite
def _runs(draw: st.DrawFn) -> list[list[JobEnd]]:
    """Three tasks that run their jobs one at a time, at any instants."""
    tasks = []
    for task in ("a", "b", "c"):
        now_ps, jobs = 0, []
        for index in range(draw(st.integers(0, 6))):
            release_ps = now_ps + draw(st.integers(0, 9))
            start_ps = release_ps + draw(st.integers(0, 9))
            now_ps = start_ps + draw(st.integers(0, 12))
            dropped = draw(st.integers(0, 4)) == 0
            deadline_ps = release_ps + draw(st.sampled_from([5, 20, 60]))
            times = (-1, -1, "dropped") if dropped else (start_ps, now_ps, "finished")
            jobs.append(JobEnd(task, index, release_ps, deadline_ps, *times, ()))
        tasks.append(jobs)
    return tasks


def _carried_ps(run: list[list[JobEnd]], place: int, job: JobEnd) -> int | None:
    """By search: what a job carries."""
    if place == 0:
        return job.release_ps
    before = [
        (one.finish_ps, one.index, _carried_ps(run, place - 1, one))
        for one in run[place - 1]
        if one.status == "finished" and one.finish_ps <= job.start_ps
    ]
    told = [one for one in before if one[2] is not None]
    return max(told)[2] if told else None


@given(_runs(), st.integers(1, 90), st.data())
def test_the_delays_are_those_of_a_search_through_all_jobs_however_they_come(
    run: list[list[JobEnd]], horizon_ps: int, data: st.DataObject
) -> None:
    run = [[job for job in jobs if job.release_ps < horizon_ps] for jobs in run]
    info = ChainInfo(("a", "b", "c"), 20, 30)
    path = Path("abc", info)
    # Slices by a moving instant, of jobs in any order, as a run hands them over.
    left = data.draw(st.permutations([job for jobs in run for job in jobs]))
    for at_ps in sorted(data.draw(st.lists(st.integers(0, horizon_ps), max_size=4))):
        slice_ = [job for job in left if job.deadline_ps <= at_ps and job.finish_ps <= at_ps]
        left = [job for job in left if job not in slice_]
        path.add({task: [job for job in slice_ if job.task == task] for task in info.tasks})
        to_come = [job.finish_ps - 1 for job in left if job.status == "finished"]
        path.settle(min([at_ps, *to_come]))
    path.add({task: [job for job in left if job.task == task] for task in info.tasks})
    result = path.result(horizon_ps)

    last = [job for job in run[2] if job.status == "finished" and job.finish_ps <= horizon_ps]
    told = [(job, _carried_ps(run, 2, job)) for job in last]
    outputs = [_Output(job.finish_ps, carried) for job, carried in told if carried is not None]
    ends = [*(output.finish_ps for output in outputs[1:]), horizon_ps]
    ages = [end - output.data_ps for output, end in zip(outputs, ends, strict=False)]
    assert (result.age.worst_ps if result.age else None) == max(ages, default=None)
    assert (result.age.lost if result.age else 0) == sum(age > 30 for age in ages)
    answers = [
        next((o.finish_ps - job.release_ps for o in outputs if o.data_ps >= job.release_ps), None) for job in run[0]
    ]
    known = [answer for answer in answers if answer is not None]
    so_far = [horizon_ps - job.release_ps for job, a in zip(run[0], answers, strict=True) if a is None]
    assert (result.reaction.worst_ps if result.reaction else None) == max([*known, *so_far], default=None)
    if result.reaction is not None:
        assert result.reaction.lost == sum(delay > 20 for delay in [*known, *so_far])
        assert result.reaction.mean_ps == (sum(known) // len(known) if known else None)
