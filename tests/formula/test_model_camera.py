"""A sensor of two rows of three pixels, worked by hand.

A row: 1 us to settle, three samples on two converters at 1 MHz, so 3 us. Its 36 bits are 5 bytes: 5 us over the bond
and 100 ns of latency, 500 ns into the memory and 1 ns: 5.601 us.
"""

from __future__ import annotations

import re

import pytest
from reference.systems import Case, Tree

from tlm3d.analysis.blame import blame
from tlm3d.errors import ElaborationError
from tlm3d.record.recording import JobEnd, Recording

US = 10**6  # ps
ROW_PS = 5_601_000  # one row on its way


def sensor_stack(**camera: object) -> Tree:
    camera_block = {
        "kind": "mixed-signal", "pixels": [3, 2], "frame_rate": "10 kHz", "bits": 12, "energy": "28 pJ/pixel",
        "adc": {"converters": 2, "rate": "1 MHz", "energy": "3 pJ"}, "row_settle": "1 us", "home": "below.sram",
        "fifo": "10 B", "modes": {"full": {}, "strip": {"window": [3, 1]}}, **camera,
    }  # fmt: skip
    sram = {"kind": "memory", "capacity": "1 KiB", "rate": "80 Mbit/s", "latency": "1 ns"}
    core = {"kind": "processor"}
    dies = {"top": {"tier": 1, "blocks": {"camera": camera_block}}, "below": {"tier": 0, "blocks": {}}}
    dies["below"]["blocks"] = {"sram": sram, "core": core}
    bond = {"kind": "hybrid-bond", "between": ["top", "below"], "rate": "8 Mbit/s", "latency": "100 ns"}
    return {"name": "sensor", "dies": dies, "links": {"bond": bond}}


def seeing(mode: str = "full", every: int = 1, **keys: object) -> Tree:
    stage = {"time": "1 us", "on": "core"}
    return {"stages": [stage], "input": {"camera": "camera", "mode": mode, "every": every}, **keys}


def run(tasks: Tree, horizon_ps: int = 100 * US, **camera: object) -> Recording:
    return Case(sensor_stack(**camera), {"name": "w", "tasks": tasks}, horizon_ps=horizon_ps).run()


def jobs_of(recording: Recording, task: str) -> list[JobEnd]:
    return sorted((job for job in recording.jobs if job.task == task), key=lambda job: job.index)


def rows_landed_ps(recording: Recording) -> list[int]:
    return [leg.finish_ps for leg in recording.legs if leg.channel == "below.sram"]


def test_rows_land_one_after_the_other_and_the_last_one_starts_the_job() -> None:
    recording = run({"see": seeing()})
    # Converted at 3 and 6; sent from 3 to 8.601, and from 8.601 to 14.202.
    assert rows_landed_ps(recording) == [3 * US + ROW_PS, 3 * US + 2 * ROW_PS]
    (job,) = jobs_of(recording, "see")
    assert (job.release_ps, job.start_ps, job.finish_ps) == (0, 14_202_000, 15_202_000)
    assert blame(job, 100 * US).buckets == {"sensing": 3 * US, "link-transfer": 2 * ROW_PS, "compute": US}


def test_a_row_is_sent_when_it_is_converted_over_a_link_that_keeps_up() -> None:
    recording = run({"see": seeing()}, row_settle="6 us")  # converted at 8 and 16
    assert rows_landed_ps(recording) == [8 * US + ROW_PS, 16 * US + ROW_PS]
    assert blame(recording.jobs[0], 100 * US).buckets["sensing"] == 16 * US


def test_frames_are_released_at_the_floor_of_their_number_over_the_rate() -> None:
    recording = run({"see": seeing(every=3)}, horizon_ps=10**12, frame_rate="30 fps")
    assert [job.release_ps for job in jobs_of(recording, "see")] == [3 * k * 10**12 // 30 for k in range(10)]
    assert recording.tasks["see"].deadline_ps == 10**11


def test_only_frames_that_somebody_takes_are_read() -> None:
    recording = run({"two": seeing(every=2), "three": seeing("strip", every=3)}, horizon_ps=700 * US)
    read = [(span.layer, span.start_ps // US) for span in recording.spans if span.what == "sensing"]
    assert read == [
        ("full", 0), ("strip", 6), ("full", 200), ("strip", 300), ("full", 400), ("full", 600), ("strip", 606)
    ]  # fmt: skip


def test_two_modes_on_one_tick_are_read_one_after_the_other_in_name_order() -> None:
    recording = run({"a": seeing("strip"), "z": seeing("full")}, fifo="15 B")
    read = {span.layer: (span.start_ps, span.end_ps) for span in recording.spans if span.what == "conversion"}
    assert read == {"full": (0, 6 * US), "strip": (6 * US, 9 * US)}
    # The strip is converted at 9, behind the second row of the full frame, which lands at 14.202.
    (strip,) = jobs_of(recording, "a")
    assert strip.release_ps == 0
    assert strip.finish_ps == 3 * US + 3 * ROW_PS + US
    found = [(s.bucket, s.start_ps, s.end_ps, s.holder) for s in strip.segments]
    assert found == [
        ("sensing", 0, 9 * US, "-"),
        ("link-queue", 9 * US, 14_202_000, "z#0"),
        ("link-transfer", 14_202_000, 19_803_000, "-"),
        ("compute", 19_803_000, 20_803_000, "-"),
    ]


def test_tasks_that_take_the_same_frame_share_its_readout_and_its_way() -> None:
    recording = run({"a": seeing(), "b": seeing()})
    assert len(rows_landed_ps(recording)) == 2
    assert {(span.task, span.index) for span in recording.spans if span.what == "sensing"} == {("-", -1)}
    starts = {job.task: job.start_ps for job in recording.jobs}
    assert starts == {"a": 14_202_000, "b": 15_202_000}


def test_a_full_fifo_loses_the_frame_and_the_job_its_input() -> None:
    recording = run({"see": seeing()}, horizon_ps=150 * US, fifo="9 B")
    first = jobs_of(recording, "see")[0]
    assert (first.status, first.start_ps, first.finish_ps) == ("input-lost", -1, -1)
    assert [(s.bucket, s.start_ps, s.end_ps) for s in first.segments] == [("sensing", 0, 6 * US)]
    assert rows_landed_ps(recording) == [3 * US + ROW_PS, 103 * US + ROW_PS]  # what was sent, was sent


@pytest.mark.parametrize(("settle_ps", "status"), [(3_601_000, "finished"), (3_600_999, "input-lost")])
def test_a_row_finds_room_if_the_one_before_lands_at_that_very_instant(settle_ps: int, status: str) -> None:
    # A row takes as long to convert, 2 us and the settling, as it takes to land; the FIFO holds one.
    recording = run({"see": seeing()}, row_settle=f"{settle_ps} ps", fifo="5 B")
    assert jobs_of(recording, "see")[0].status == status


def test_a_frame_waits_for_the_rows_of_the_one_before() -> None:
    recording = run({"see": seeing(backlog=3)}, horizon_ps=60 * US, frame_rate="100 kHz", fifo="100 B")
    second = jobs_of(recording, "see")[1]  # read at 10, converted at 13, behind a row that lands at 14.202
    landed_ps = 3 * US + 4 * ROW_PS
    assert [(s.bucket, s.start_ps, s.end_ps, s.holder) for s in second.segments] == [
        ("sensing", 10 * US, 13 * US, "-"),
        ("link-queue", 13 * US, 14_202_000, "see#0"),
        ("link-transfer", 14_202_000, 14_202_000 + ROW_PS, "-"),
        ("link-transfer", 14_202_000 + ROW_PS, landed_ps, "-"),
        ("compute", landed_ps, landed_ps + US, "-"),
    ]


def test_a_frame_that_has_landed_waits_for_the_job_before() -> None:
    tasks = {"see": {**seeing(), "stages": [{"time": "120 us", "on": "core"}]}}
    second = jobs_of(run(tasks, horizon_ps=300 * US), "see")[1]
    first_ends_ps = 14_202_000 + 120 * US
    waits = [(s.start_ps, s.end_ps, s.holder) for s in second.segments if s.bucket == "self-predecessor"]
    assert waits == [(114_202_000, first_ends_ps, "see#0")]
    assert second.start_ps == first_ends_ps


def test_energy_is_by_sample_read_and_by_conversion() -> None:
    recording = run({"see": seeing("strip")}, horizon_ps=250 * US)
    for what, each_pj in (("sensing", 28), ("conversion", 3)):
        assert [span.energy_aj for span in recording.spans if span.what == what] == [3 * each_pj * 10**6] * 3


@pytest.mark.parametrize("camera", [{"exposure": "100 us"}, {"row_settle": "48 us"}])
def test_an_exposure_or_a_readout_may_fill_the_frame_period(camera: Tree) -> None:
    assert run({"see": seeing()}, **camera).jobs


@pytest.mark.parametrize(
    ("camera", "what"), [({"exposure": "101 us"}, "exposure of 101 us"), ({"row_settle": "49 us"}, "readout of 102 us")]
)
def test_one_that_is_longer_is_refused(camera: Tree, what: str) -> None:
    message = f"top.camera: {what} is longer than the frame period of 100 us"
    with pytest.raises(ElaborationError, match=re.escape(message)):
        run({"see": seeing()}, **camera)


def test_the_block_is_active_while_it_exposes_and_reads() -> None:
    states = {"active": "5 mW", "idle": "1 mW"}
    recording = run({"see": seeing(every=2)}, horizon_ps=300 * US, exposure="20 us", states=states)
    found = [(state.what, state.start_ps // US, state.end_ps // US) for state in recording.states]
    # The exposure of the frame read at 0 lies before the window.
    assert found == [("active", 0, 6), ("idle", 6, 180), ("active", 180, 206), ("idle", 206, 300)]
