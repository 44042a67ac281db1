"""Two jobs on one accelerator, worked by hand on the tiny chip: 113 ns for 100 B either way, 10 ns a tile."""

from __future__ import annotations

from itertools import pairwise

import pytest
from reference.systems import Case, TileTimes, tiles_of
from reference.tiny_chip import NS, lone_job, platform

from tlm3d.record.recording import JobEnd, Recording


def shared(urgent: dict[str, str], other: dict[str, str]) -> Case:
    """Two layers of 1 x 10 pixels and ten channels each for ``urgent``; the same network for ``other``."""
    case = lone_job(platform("1 GHz", 4096, None), [1, 10, 10], [10, 10], 9_000 * NS)
    task = case.workload["tasks"]["job"]
    tasks = {"urgent": {**task, "priority": "1", **urgent}, "other": {**task, "priority": "2", **other}}
    return Case(case.platform, {"name": "two", "tasks": tasks}, case.networks, "fixed-priority", case.horizon_ps)


def job(recording: Recording, task: str) -> JobEnd:
    (found,) = (job for job in recording.jobs if job.task == task)
    return found


def tile(recording: Recording, task: str, layer: str) -> TileTimes:
    (found,) = (t for t in tiles_of(recording.spans, "array") if (t.key[0], t.key[2]) == (task, layer))
    return found


def test_the_urgent_job_goes_first_and_the_other_waits_for_its_last_tile() -> None:
    recording = shared({}, {}).run()
    # Alone it is done at 585 with its last load at 462, when the port is the other's: 462 + 585.
    assert job(recording, "urgent").finish_ps == 585 * NS
    assert tile(recording, "other", "conv0").begin_ps == 462 * NS


def test_a_tile_that_has_begun_to_load_is_not_preempted() -> None:
    recording = shared({"offset": "1 ns"}, {}).run()
    # Other loads from 0 to 226; its next layer may prefetch, but urgent is picked.
    assert tile(recording, "urgent", "conv0").begin_ps == 226 * NS
    first = job(recording, "urgent").segments[0]
    assert (first.start_ps, first.end_ps, first.holder) == (1 * NS, 113 * NS, "other#0")
    assert tile(recording, "other", "conv1").begin_ps >= tile(recording, "urgent", "conv1").loaded_ps


@pytest.mark.parametrize(
    ("deadline_ns", "free_ns"),
    [
        (345, 345),  # conv1 has its weights since 339 and waits for its inputs until 349
        (300, 339),  # the weights of conv1 are on their way from 226 to 339
        (200, 226),  # the inputs of conv0 are on their way
    ],
)
def test_a_job_aborted_with_a_tile_at_the_port_gives_the_port_back(deadline_ns: int, free_ns: int) -> None:
    recording = shared({"deadline": f"{deadline_ns} ns", "on_miss": "abort"}, {}).run()
    aborted = job(recording, "urgent")
    assert (aborted.status, aborted.segments[-1].end_ps) == ("aborted", deadline_ns * NS)
    assert tile(recording, "other", "conv0").begin_ps == free_ns * NS
    assert job(recording, "other").status == "finished"


def test_a_tile_committed_before_the_abort_is_computed_and_stored_but_starts_nothing() -> None:
    recording = shared({"deadline": "228 ns", "on_miss": "abort"}, {"offset": "1 us"}).run()
    assert tile(recording, "urgent", "conv0").store == (236 * NS, 349 * NS)
    assert not [t for t in tiles_of(recording.spans, "array") if t.key[:3] == ("urgent", 0, "conv1")]


def test_a_branch_that_waits_while_its_own_job_loads_another_branch_blames_nobody_else_for_that() -> None:
    case = shared({"offset": "1 ns"}, {"network": "fork"})
    case.platform["dies"]["bottom"]["blocks"]["array"]["elements_per_cycle"] = "10"
    left, right = ({**case.networks["net"]["layers"][0], "name": name, "reads": ["input"]} for name in ("l", "r"))
    total = {"name": "sum", "op": "add", "reads": ["l", "r"]}
    fork = {**case.networks["net"], "name": "fork", "layers": [left, right, total]}
    recording = Case(case.platform, case.workload, case.networks | {"fork": fork}, case.policy, case.horizon_ps).run()
    right_ps = tile(recording, "other", "r").begin_ps
    assert right_ps > tile(recording, "urgent", "conv1").begin_ps  # l, urgent, r
    waited = [s for s in job(recording, "other").segments if s.end_ps <= right_ps]
    own = [(s.bucket, s.start_ps, s.end_ps, s.holder) for s in waited if s.end_ps <= 226 * NS]
    assert own == [("link-transfer", 0, 113 * NS, "-"), ("link-transfer", 113 * NS, 226 * NS, "-")]
    assert {s.holder for s in waited if s.start_ps >= 226 * NS} == {"urgent#0"}


def test_of_two_jobs_aborted_at_one_instant_the_second_has_waited_for_the_first() -> None:
    # At 345 the port waits for the inputs of urgent's conv1; letting go of it must not hide what other waited for.
    together = {"deadline": "345 ns", "on_miss": "abort"}
    waited = job(shared(together, together).run(), "other").segments
    assert {s.holder for s in waited} == {"urgent#0"}
    # Its loads over the vias first, then its tiles compute, and the port is its own until its inputs come.
    assert [(s.bucket, s.start_ps, s.end_ps) for s in waited[:2]] == [
        ("link-queue", 0, 113 * NS), ("link-queue", 113 * NS, 226 * NS),
    ]  # fmt: skip
    assert all(s.bucket in ("link-queue", "preempt") for s in waited)
    assert waited[-1].end_ps == 345 * NS
    assert all(one.end_ps == after.start_ps for one, after in pairwise(waited))
