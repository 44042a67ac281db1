"""When jobs are released: sporadic events, cascades and traces against arrivals worked out apart from the model."""

from __future__ import annotations

import math
from collections import Counter
from decimal import Context, Decimal
from fractions import Fraction
from hashlib import blake2b
from pathlib import Path

import pytest
from formula.test_model_camera import seeing, sensor_stack
from formula.test_model_scheduling import MS, jobs_of, processor
from reference.systems import Case, Tree

from tlm3d.model.activations.sporadic import exponential
from tlm3d.record.recording import JobEnd

US = 10**6  # ps


def uniform(seed: int, purpose: str, task: str, index: int) -> Fraction:
    """The draw of this purpose, in [0, 1): 64 bits of BLAKE2b."""
    digest = blake2b(f"{seed}/{purpose}/{task}/{index}".encode(), digest_size=8).digest()
    return Fraction(int.from_bytes(digest, "big"), 2**64)


def task(work_us: int = 10, **keys: object) -> Tree:
    return {"stages": [{"time": f"{work_us} us", "on": "core"}], **keys}


def case_of(tasks: Tree, horizon_ms: int = 1000, seed: int = 0, policy: str = "edf") -> Case:
    return Case(processor(), {"name": "w", "tasks": tasks}, policy=policy, horizon_ps=horizon_ms * MS, seed=seed)


def releases(jobs: list[JobEnd]) -> list[int]:
    assert [job.index for job in jobs] == list(range(len(jobs)))
    return [job.release_ps for job in jobs]


# ------------------------------------------------------------------ sporadic


def waits_ps(mean_ps: int, seed: int, name: str, count: int) -> list[int]:
    """⌊−mean · ln(1 − u)⌋ of the first draws, by a decimal logarithm of 50 digits."""
    context = Context(prec=50)
    found = []
    for index in range(count):
        left = 1 - uniform(seed, "sporadic", name, index)
        logarithm = context.ln(context.divide(Decimal(left.numerator), Decimal(left.denominator)))
        found.append(int(-logarithm * mean_ps))
    return found


def test_sporadic_releases_are_a_smallest_distance_and_an_exponential_wait_apart() -> None:
    sporadic = {"min_distance": "10 ms", "mean_distance": "25 ms"}
    case = case_of({"tick": task(sporadic=sporadic, offset="3 ms")}, seed=7)
    expected, at_ps = [], 3 * MS - 10 * MS  # a_0 = offset + X_0
    for wait_ps in waits_ps(15 * MS, 7, "tick", 100):
        at_ps += 10 * MS + wait_ps
        expected.append(at_ps)
    jobs = jobs_of(case, "tick")
    assert releases(jobs) == [at_ps for at_ps in expected if at_ps < 1000 * MS]
    assert len(jobs) > 25
    assert {job.deadline_ps - job.release_ps for job in jobs} == {10 * MS}


def test_without_a_mean_distance_sporadic_is_periodic() -> None:
    case = case_of({"tick": task(sporadic={"min_distance": "10 ms"}, offset="3 ms")}, horizon_ms=50)
    assert releases(jobs_of(case, "tick")) == [at_ms * MS for at_ms in (3, 13, 23, 33, 43)]


@pytest.mark.parametrize("mean", [1, 10**3, 15 * 10**9, 10**15])
def test_the_exponential_of_a_draw_is_exact(mean: int) -> None:
    context = Context(prec=60)
    spread = [k * 0x9E3779B97F4A7C15 % 2**64 for k in range(200)]
    steps = [0, 1, 2**63 - 1, 2**63, 2**63 + 1, 2**64 - 2, 2**64 - 1, *spread]
    for step in steps:
        left = context.divide(Decimal(2**64 - step), Decimal(2**64))
        assert exponential(mean, step) == math.floor(-context.ln(left) * mean)


def test_many_waits_have_the_mean_and_the_spread_of_an_exponential() -> None:
    drawn = [exponential(10**9, int(uniform(1, "sporadic", "x", k) * 2**64)) / 10**9 for k in range(20_000)]
    mean = sum(drawn) / len(drawn)
    assert mean == pytest.approx(1, abs=4 / math.sqrt(20_000))  # four standard errors
    assert sum(x > 1 for x in drawn) / len(drawn) == pytest.approx(math.exp(-1), abs=0.014)  # four, again


# ------------------------------------------------------------------ cascades


def test_every_finished_job_releases_one_of_the_task_after_it_at_that_instant() -> None:
    case = case_of({"wake": task(period="10 ms", offset="1 ms"), "then": task(work_us=20, after={"task": "wake"})}, 100)
    recording = case.run()
    parents, children = (sorted(j for j in recording.jobs if j.task == name) for name in ("wake", "then"))
    assert [child.release_ps for child in children] == [parent.finish_ps for parent in parents]
    assert [(child.index, child.source) for child in children] == [(k, k) for k in range(10)]
    assert {child.finish_ps - child.release_ps for child in children} == {20 * US}
    assert {parent.source for parent in parents} == {-1}
    info = recording.tasks["then"]
    assert (info.deadline_ps, info.period_ps) == (10 * MS, 10 * MS)  # those of wake


def test_a_job_releases_one_with_a_probability_that_only_its_own_index_decides() -> None:
    tasks = {"wake": task(period="1 ms"), "then": task(after={"task": "wake", "probability": "0.5"})}
    for seed in (0, 1):
        jobs = jobs_of(case_of(tasks, 300, seed), "then")
        expected = [k for k in range(300) if uniform(seed, "cascade", "then", k) < Fraction(1, 2)]
        assert [job.source for job in jobs] == expected
        assert [job.index for job in jobs] == list(range(len(expected)))
        assert 110 < len(expected) < 190


def test_a_task_may_release_several_and_each_of_them_others() -> None:
    tasks = {
        "a": task(after={"task": "c"}), "b": task(after={"task": "a"}), "d": task(after={"task": "c"}),
        "c": task(period="10 ms", deadline="4 ms"),
    }  # fmt: skip
    recording = case_of(tasks, 20).run()
    first = {job.task: (job.release_ps // US, job.finish_ps // US) for job in recording.jobs if job.index == 0}
    # c to 10; a and d are released then, a goes first by name; b at 20, when d has waited since 10.
    assert first == {"c": (0, 10), "a": (10, 20), "d": (10, 30), "b": (20, 40)}
    assert recording.tasks["b"].deadline_ps == 4 * MS


def test_a_late_job_releases_one_an_aborted_one_does_not() -> None:
    late = task(work_us=2000, period="10 ms", deadline="1 ms")
    then = task(after={"task": "late"}, deadline="5 ms")
    assert len(jobs_of(case_of({"late": late, "then": then}, 50), "then")) == 5
    assert not jobs_of(case_of({"late": {**late, "on_miss": "abort"}, "then": then}, 50), "then")


def test_a_job_that_finishes_at_the_horizon_releases_nothing() -> None:
    tasks = {"wake": task(work_us=1000, period="10 ms"), "then": task(after={"task": "wake"})}
    for horizon_us, expected in ((1000, 0), (1001, 1)):
        case = Case(processor(), {"name": "w", "tasks": tasks}, horizon_ps=horizon_us * US)
        assert len(jobs_of(case, "then")) == expected


def test_jobs_of_a_cascade_replace_the_oldest_that_waits_as_any_others() -> None:
    tasks = {"wake": task(period="1 ms", priority=1), "slow": task(work_us=4500, after={"task": "wake"}, priority=2)}
    jobs = jobs_of(case_of(tasks, 9, policy="fixed-priority"), "slow")
    # 0 runs from 0.01 to 4.55, ten microseconds of every millisecond being wake's; 4 from then on, to 9.1.
    assert [(job.source, job.status) for job in jobs][:5] == [
        (0, "finished"), (1, "dropped"), (2, "dropped"), (3, "dropped"), (4, "unfinished"),
    ]  # fmt: skip


# ------------------------------------------------------------------ traces


def test_a_trace_releases_what_it_lists(tmp_path: Path) -> None:
    file = tmp_path / "arrivals.csv"
    times = "# by hand\n0.5 ms\n\n1500 us  # one more\n1.5 ms\n1.5000000001 ms\n7 ms\n20 ms\n"
    file.write_text(times, encoding="utf-8")
    case = case_of({"replay": task(trace=str(file), deadline="3 ms", backlog=9)}, horizon_ms=20)
    expected = [500 * US, 1500 * US, 1500 * US, 1500 * US + 1, 7 * MS]  # a time is rounded up; not at the horizon
    assert releases(jobs_of(case, "replay")) == expected
    info = case.run().tasks["replay"]
    assert (info.deadline_ps, info.period_ps) == (3 * MS, 1)  # two at the same time: at least 1 ps


def test_the_period_of_a_trace_is_the_smallest_distance_of_a_single_release_its_deadline(tmp_path: Path) -> None:
    for times, period_ms in (("1 ms\n5 ms\n8 ms\n", 3), ("1 ms\n", 4)):
        file = tmp_path / "arrivals.csv"
        file.write_text(times, encoding="utf-8")
        case = case_of({"replay": task(trace=str(file), deadline="4 ms")}, horizon_ms=20)
        assert case.run().tasks["replay"].period_ps == period_ms * MS


# ------------------------------------------------------------------ frames with events


def events(name: str, every: int, frames: int, chance: Fraction) -> list[int]:
    return [k for k in range(0, frames, every) if uniform(0, "event", name, k) < chance]


def test_only_frames_with_an_event_are_read_and_release_a_job() -> None:
    seen = seeing()
    seen["input"]["event"] = "0.25"
    states = {"active": "5 mW", "idle": "1 mW"}
    stack = sensor_stack(states=states, exposure="20 us")
    recording = Case(stack, {"name": "w", "tasks": {"see": seen}}, horizon_ps=10**10).run()
    expected = events("see", 1, 100, Fraction(1, 4))  # 10 kHz for 10 ms
    assert 10 < len(expected) < 40
    jobs = sorted(recording.jobs)
    assert [(job.index, job.release_ps) for job in jobs] == [(i, k * 100 * US) for i, k in enumerate(expected)]
    sensed = [(span.index, span.start_ps) for span in recording.spans if span.what == "sensing"]
    assert sensed == [(job.index, job.release_ps) for job in jobs]
    exposed = [(s.start_ps, s.end_ps) for s in recording.states if s.component.name == "camera" and s.what == "active"]
    assert exposed == [(max(0, k * 100 - 20) * US, (k * 100 + 6) * US) for k in expected]


def test_tasks_see_events_of_their_own() -> None:
    tasks = {}
    for name, every in (("one", 1), ("two", 2)):
        tasks[name] = seeing(every=every)
        tasks[name]["input"]["event"] = "0.5"
    recording = Case(sensor_stack(), {"name": "w", "tasks": tasks}, horizon_ps=10**10).run()
    half = Fraction(1, 2)
    expected = {"one": events("one", 1, 100, half), "two": events("two", 2, 100, half)}
    for name, frames in expected.items():
        jobs = sorted(job for job in recording.jobs if job.task == name)
        assert [(job.index, job.release_ps // US) for job in jobs] == [(i, k * 100) for i, k in enumerate(frames)]
    # A frame that both take is read once, and is booked to neither.
    read = Counter(span.start_ps // US for span in recording.spans if span.what == "sensing")
    assert read == Counter(k * 100 for k in {*expected["one"], *expected["two"]})
    owners = {span.start_ps // US // 100: span.task for span in recording.spans if span.what == "sensing"}
    assert {k for k, owner in owners.items() if owner == "-"} == {*expected["one"]} & {*expected["two"]}
