"""The facts of a run as four CSV files: the same run, the same bytes. docs/json.md has the columns."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from tlm3d.analysis.blame import BUCKETS, blame
from tlm3d.analysis.energy import in_window
from tlm3d.analysis.power import trace
from tlm3d.analysis.result import Result
from tlm3d.bounds.result import Bounds
from tlm3d.record.recording import Recording
from tlm3d.reporters.job import status, within
from tlm3d.reporters.whole_file import whole_file

_Cell = str | int
_JOB_COLUMNS = ("task", "index", "release_ps", "deadline_ps", "start_ps", "finish_ps", "status")
_SPAN_COLUMNS = ("die", "block", "what", "task", "index", "layer", "tile", "start_ps", "end_ps", "energy_aj")
_TRANSFER_COLUMNS = (
    "channel", "initiator", "task", "index", "bytes", "posted_ps", "start_ps", "finish_ps", "resent", "energy_aj",
)  # fmt: skip
_POWER_COLUMNS = ("start_ps", "end_ps", "energy_aj")
_BATTERY_COLUMN = "battery_aj"  # with a supply
_BOUND_COLUMNS = ("task", "deadline_ps", "best_ps", "max_ps", "bound_ps", "reason")


def export(result: Result, directory: Path) -> list[Path]:
    """Write jobs.csv, spans.csv, transfers.csv and power.csv into ``directory`` (made if missing); their paths.

    And bounds.csv, of a result that has bounds.

    Each file appears whole or not at all. Of a run that kept a window only, what overlaps it. Raises RecordError for a
    run that kept totals only, OSError where the folder cannot be written.
    """
    recording = result.recording
    window_ps = recording.window_ps
    directory.mkdir(parents=True, exist_ok=True)
    jobs = (*_JOB_COLUMNS, *(f"{bucket}_ps" for bucket in BUCKETS))
    power = _POWER_COLUMNS if recording.supply is None else (*_POWER_COLUMNS, _BATTERY_COLUMN)
    written = [
        _write(directory / "jobs.csv", jobs, _jobs(recording)),
        _write(directory / "spans.csv", _SPAN_COLUMNS, _spans(recording, *window_ps)),
        _write(directory / "transfers.csv", _TRANSFER_COLUMNS, _transfers(recording, *window_ps)),
        _write(directory / "power.csv", power, _power(recording)),
    ]
    if result.bounds is not None:
        written.append(_write(directory / "bounds.csv", _BOUND_COLUMNS, _bounds(result, result.bounds)))
    return written


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[_Cell]]) -> Path:
    with whole_file(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    return path


def _jobs(recording: Recording) -> Iterable[Sequence[_Cell]]:
    horizon_ps = recording.horizon_ps
    released = [job for job in recording.jobs if 0 <= job.release_ps < horizon_ps]
    for job in sorted(released, key=lambda job: (job.release_ps, job.task, job.index)):
        spent_ps = blame(job, horizon_ps).buckets
        instants = [within(job.start_ps, horizon_ps), within(job.finish_ps, horizon_ps)]
        yield (
            job.task,
            job.index,
            job.release_ps,
            job.deadline_ps,
            *("" if instant is None else instant for instant in instants),
            status(job, horizon_ps),
            *(spent_ps.get(bucket, 0) for bucket in BUCKETS),
        )


def _bounds(result: Result, bounds: Bounds) -> Iterable[Sequence[_Cell]]:
    for name, bound in sorted(bounds.tasks.items()):
        task = result.tasks.get(name)
        ran_ps = "" if task is None or task.response is None else task.response.max_ps
        yield name, bound.deadline_ps, bound.best_ps, ran_ps, _known(bound.bound_ps), bound.reason


def _known(number: int | None) -> _Cell:
    return "" if number is None else number


def _spans(recording: Recording, from_ps: int, until_ps: int) -> Iterable[Sequence[_Cell]]:
    for span in sorted(recording.spans, key=lambda span: (span.start_ps, span.end_ps, span)):
        inside_aj = in_window(span.energy_aj, span.start_ps, span.end_ps, until_ps, from_ps)
        owner = (*span.component, span.what, span.task, _number(span.index))
        yield (*owner, span.layer, _number(span.tile), span.start_ps, span.end_ps, inside_aj)


def _transfers(recording: Recording, from_ps: int, until_ps: int) -> Iterable[Sequence[_Cell]]:
    for leg in sorted(recording.legs, key=lambda leg: (leg.posted_ps, leg.start_ps, leg)):
        inside_aj = in_window(leg.energy_aj, leg.start_ps, leg.end_ps, until_ps, from_ps)
        owner = (leg.channel, leg.initiator, leg.task, _number(leg.index), leg.bytes)
        yield (*owner, leg.posted_ps, leg.start_ps, leg.finish_ps, leg.resent, inside_aj)


def _number(index: int) -> _Cell:
    """Empty for the -1 of what belongs to no job or no tile."""
    return index if index >= 0 else ""


def _power(recording: Recording) -> Iterable[Sequence[_Cell]]:
    power = trace(recording)
    columns = [power.start_ps, power.end_ps, power.energy_aj]
    return zip(*columns, *([] if power.battery_aj is None else [power.battery_aj]), strict=True)
