"""The exported facts: columns, statuses, sums and the same bytes for the same facts."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from tlm3d.analysis.result import Result
from tlm3d.bounds.result import Bounds
from tlm3d.record.recording import JobEnd, Segment, Span
from tlm3d.reporters.csv import export

MS = 10**9
UJ = 10**12


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def energy(path: Path) -> int:
    return sum(int(row["energy_aj"]) for row in rows(path))


def test_the_columns_are_those_of_the_documentation(missed: Result, tmp_path: Path) -> None:
    written = export(missed, tmp_path / "new" / "folder")
    assert [path.name for path in written] == ["jobs.csv", "spans.csv", "transfers.csv", "power.csv"]
    headers = [path.read_text(encoding="utf-8").splitlines()[0] for path in written]
    assert headers == [
        "task,index,release_ps,deadline_ps,start_ps,finish_ps,status,sensing_ps,compute_ps,throttle_ps,np-block_ps,"
        "preempt_ps,resource_ps,link-queue_ps,link-transfer_ps,memory_ps,wake-up_ps,input-late_ps,self-predecessor_ps,"
        "overhead_ps",
        "die,block,what,task,index,layer,tile,start_ps,end_ps,energy_aj",
        "channel,initiator,task,index,bytes,posted_ps,start_ps,finish_ps,resent,energy_aj",
        "start_ps,end_ps,energy_aj",
    ]


def test_jobs_are_rows_by_release_with_what_became_of_them(missed: Result, tmp_path: Path) -> None:
    jobs = rows(export(missed, tmp_path)[0])
    told = [(job["task"], job["index"], job["start_ps"], job["finish_ps"], job["status"]) for job in jobs]
    assert told == [
        ("classify", "0", str(7 * MS), str(27 * MS), "met"),
        ("control", "0", "", "", "dropped"),
        ("wake", "0", str(50 * MS), "", "unfinished"),
        ("classify", "1", str(40 * MS), str(74 * MS), "late"),
        ("classify", "2", str(97 * MS), "", "open"),  # it finishes at 110 ms, which nobody knows at 100 ms
    ]


def test_the_buckets_of_a_job_sum_to_its_response_inside_the_window(missed: Result, tmp_path: Path) -> None:
    jobs = rows(export(missed, tmp_path)[0])
    sums = [sum(int(job[name]) for name in list(job)[7:]) for job in jobs]
    assert sums == [27 * MS, 0, 80 * MS, 41 * MS, 10 * MS]


@pytest.mark.parametrize(("late_ps", "status"), [(-1, "met"), (0, "met"), (1, "late")])
def test_a_finish_at_the_deadline_is_on_time(missed: Result, tmp_path: Path, late_ps: int, status: str) -> None:
    end_ps = 50 * MS + late_ps
    job = JobEnd("wake", 0, 0, 50 * MS, 0, end_ps, "finished", (Segment("compute", 0, end_ps, "array", "-"),))
    result = replace(missed, recording=replace(missed.recording, jobs=[job]))
    assert rows(export(result, tmp_path)[0])[0]["status"] == status


def test_energy_is_what_was_spent_inside_the_window(missed: Result, tmp_path: Path) -> None:
    _, spans, transfers, power = export(missed, tmp_path)
    # The last span lies by half beyond the horizon: 10 of its 20 uJ count. 5 uJ of leakage are no span.
    assert [int(row["energy_aj"]) for row in rows(spans)] == [30 * UJ, 90 * UJ, 10 * UJ]
    assert energy(spans) + energy(transfers) + 5 * UJ == energy(power) == missed.total_aj


def test_power_has_no_gaps(missed: Result, tmp_path: Path) -> None:
    power = rows(export(missed, tmp_path)[3])
    assert (power[0]["start_ps"], power[-1]["end_ps"]) == ("0", str(100 * MS))
    assert [row["end_ps"] for row in power[:-1]] == [row["start_ps"] for row in power[1:]]


def test_a_span_that_no_job_owns_has_empty_cells(missed: Result, tmp_path: Path) -> None:
    first = (tmp_path / "spans.csv", export(missed, tmp_path))[0].read_text(encoding="utf-8").splitlines()[1]
    assert first == f"pixel,camera,sensing,-,,,,0,{7 * MS},{30 * UJ}"


def test_the_order_of_the_facts_changes_no_byte(missed: Result, tmp_path: Path) -> None:
    facts = missed.recording
    twin = Span(*facts.spans[0][:-1], energy_aj=1)
    one = replace(facts, spans=[*facts.spans, twin])
    other = replace(one, spans=one.spans[::-1], legs=facts.legs[::-1], jobs=facts.jobs[::-1], states=facts.states[::-1])
    there = export(replace(missed, recording=one), tmp_path / "a")
    again = export(replace(missed, recording=other), tmp_path / "b")
    assert [path.read_bytes() for path in there] == [path.read_bytes() for path in again]
    assert all(b"\r" not in path.read_bytes() for path in there)


def test_a_file_appears_whole_or_not_at_all(missed: Result, tmp_path: Path) -> None:
    (tmp_path / "jobs.csv").mkdir()
    with pytest.raises(OSError):
        export(missed, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["jobs.csv"]


def test_bounds_are_a_file_of_a_result_that_has_them(missed: Result, bounds: Bounds, tmp_path: Path) -> None:
    written = export(replace(missed, bounds=bounds), tmp_path)[-1]
    assert written.name == "bounds.csv"
    assert [tuple(row.values()) for row in rows(written)] == [
        ("classify", str(33 * MS), str(20 * MS), str(41 * MS), str(45 * MS), ""),
        ("control", str(5 * MS), str(MS), "", "", "bits of tsv may be sent again without end"),
        ("wake", str(75 * MS), str(30 * MS), str(80 * MS), str(60 * MS), ""),
    ]
