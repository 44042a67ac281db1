"""What a run keeps changes no number: totals are those of the full record, however the run is sliced."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from reference.default_pair import default_system
from reference.random_systems import systems
from reference.systems import Case
from reference.tiny_chip import lone_job, platform

from tlm3d.analysis import meter
from tlm3d.analysis.digest import Digest
from tlm3d.analysis.result import Result
from tlm3d.errors import ElaborationError, RecordError, SimulationError
from tlm3d.model import system as model
from tlm3d.model.system import System
from tlm3d.record.kept import FULL, TOTALS, Kept
from tlm3d.record.recording import Recording, Span
from tlm3d.reporters.csv import export

_RELAXED = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
_SLICES = st.sampled_from([(211_000, 1), (400_000, 1), (781_250, 1), (10_000, 2)])


@contextmanager
def sliced(first_ps: int, growth: int) -> Iterator[None]:
    """Slices of ``first_ps`` or, with growth 2, each twice as long as the one before; every one judged at once."""
    ticks = count()
    with (
        patch.object(model, "_FIRST_SLICE_PS", first_ps),
        patch.object(model, "_SLICE_S", growth),
        patch.object(model, "monotonic", lambda: next(ticks)),
        patch.object(meter, "_BATCH", 1),
    ):
        yield


def run(system: System, kept: Kept, stop_ps: int | None = None) -> Result:
    """As simulate() runs it, interrupted at the end of the slice that contains ``stop_ps``."""
    system.recording.kept = kept
    digest = Digest(system.recording)
    stopped = None if stop_ps is None else lambda done_ps, _: done_ps >= stop_ps
    system.run(stopped, None if kept.everything else digest.fold)
    return digest.result()


def facts(recording: Recording) -> list[list[tuple[object, ...]]]:
    lists = (recording.spans, recording.legs, recording.states, recording.jobs)
    return [sorted(map(tuple, rows)) for rows in lists]


def numbers(result: Result, like: Result) -> Result:
    """``result`` but for its facts."""
    return replace(result, recording=like.recording)


@_RELAXED
@given(systems(), _SLICES)
def test_totals_of_a_small_system_are_those_of_its_full_record(case: Case, slices: tuple[int, int]) -> None:
    try:
        system = case.system()
    except ElaborationError:
        assume(False)
    with sliced(*slices):
        totals = run(system, TOTALS)
    full = run(case.system(), FULL)
    assert numbers(totals, full) == full
    assert facts(totals.recording) == [[], [], [], []]


@_RELAXED
@given(systems(), _SLICES, st.integers(1, 49_000_000))
def test_totals_of_a_run_that_is_stopped_are_those_of_its_full_record(
    case: Case, slices: tuple[int, int], stop_ps: int
) -> None:
    try:
        system = case.system()
    except ElaborationError:
        assume(False)
    with sliced(*slices):
        totals = run(system, TOTALS, stop_ps)
    with sliced(*slices):
        full = run(case.system(), FULL, stop_ps)
    assert numbers(totals, full) == full


@_RELAXED
@given(systems(), _SLICES, st.integers(0, 50_000_000), st.integers(1, 30_000_000))
def test_a_window_keeps_the_facts_that_overlap_it_and_changes_no_number(
    case: Case, slices: tuple[int, int], start_ps: int, length_ps: int
) -> None:
    try:
        system = case.system()
    except ElaborationError:
        assume(False)
    end_ps = start_ps + length_ps
    with sliced(*slices):
        windowed = run(system, Kept("window", start_ps, end_ps))
    full = run(case.system(), FULL)
    assert numbers(windowed, full) == full
    whole = full.recording
    kept = replace(
        whole,
        spans=[span for span in whole.spans if span.start_ps < end_ps and span.end_ps > start_ps],
        legs=[leg for leg in whole.legs if leg.posted_ps < end_ps and leg.finish_ps > start_ps],
        states=[state for state in whole.states if state.start_ps < end_ps and state.end_ps > start_ps],
        jobs=[job for job in whole.jobs if job.release_ps < end_ps and job.end_ps > start_ps],
    )
    assert facts(windowed.recording) == facts(kept)


@_RELAXED
@given(systems(), st.lists(st.integers(1, 49_000_000), min_size=1, max_size=3, unique=True))
def test_exports_of_windows_that_make_up_the_run_sum_to_its_energy(case: Case, cuts_ps: list[int]) -> None:
    try:
        full = case.judge()
    except ElaborationError:
        assume(False)
    parts: list[Counter[str]] = []
    for start_ps, end_ps in pairwise([0, *sorted(cuts_ps), case.horizon_ps]):
        windowed = run(case.system(), Kept("window", start_ps, end_ps))
        energy_aj, power = exported_aj(windowed)
        assert (power[0][0], power[-1][1]) == (start_ps, end_ps)
        parts.append(energy_aj)
    assert sum(parts, Counter()) == exported_aj(full)[0]
    assert sum(part["power"] for part in parts) == full.total_aj


def exported_aj(result: Result) -> tuple[Counter[str], list[tuple[int, int]]]:
    """Energy in spans.csv, transfers.csv and power.csv, and the intervals of the last."""
    with TemporaryDirectory() as folder:
        found: Counter[str] = Counter()
        for path in export(result, Path(folder))[1:]:
            with path.open(newline="") as file:
                rows = list(csv.DictReader(file))
            found[path.stem] = sum(int(row["energy_aj"]) for row in rows)
        return found, [(int(row["start_ps"]), int(row["end_ps"])) for row in rows]


def test_an_export_of_totals_is_refused(tmp_path: Path) -> None:
    totals = run(default_system(horizon_ps=10**9), TOTALS)
    with pytest.raises(RecordError, match="kept no facts, only totals"):
        export(totals, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("first_ps", [10**9, 7 * 10**9, 10**10])
@pytest.mark.parametrize("stop_ps", [None, 311 * 10**9])
def test_totals_of_the_default_pair_are_those_of_its_full_record(first_ps: int, stop_ps: int | None) -> None:
    with sliced(first_ps, 1):
        totals = run(default_system(horizon_ps=7 * 10**11), TOTALS, stop_ps)
    with sliced(first_ps, 1):
        full = run(default_system(horizon_ps=7 * 10**11), FULL, stop_ps)
    assert numbers(totals, full) == full
    assert full.recording.spans


def test_what_a_run_holds_does_not_grow_with_it() -> None:
    """Facts waiting for their end, and what the blocks, channels and the digest remember: counted, not weighed."""
    held: list[tuple[int, int, int]] = []
    system = default_system(horizon_ps=2 * 10**12)
    system.recording.kept = TOTALS
    digest = Digest(system.recording)

    def fold(settled_ps: int, going_on: list[object]) -> None:
        digest.fold(settled_ps, going_on)  # type: ignore[arg-type]
        recording = system.recording
        left = sum(map(len, (recording.spans, recording.legs, recording.states, recording.jobs)))
        held.append((left, len(digest._meter._ended), len(going_on)))

    with sliced(10**10, 1):
        system.run(None, fold)
    first, last = held[50:100], held[-50:]
    for one, other in zip(zip(*first, strict=True), zip(*last, strict=True), strict=True):
        assert max(other) <= 1.2 * max(one) + 10


def test_a_fact_that_comes_after_its_time_has_been_judged_is_a_bug_that_is_seen() -> None:
    system = default_system(horizon_ps=10**11)
    system.recording.kept = TOTALS
    digest = Digest(system.recording)
    component = system.recording.components[0]

    def fold(settled_ps: int, going_on: list[object]) -> None:
        digest.fold(settled_ps, going_on)  # type: ignore[arg-type]
        late = (settled_ps - 5, settled_ps + 5, 3)
        system.recording.spans.append(Span(component, "compute", "-", -1, "-", -1, *late))

    with sliced(10**9, 1), pytest.raises(SimulationError, match="has been read up to"):
        system.run(None, fold)


@pytest.mark.parametrize("slices", [(50_000_000, 1), (7_770_000, 1)])
def test_totals_count_every_nap_between_the_bursts_of_a_long_transfer(slices: tuple[int, int]) -> None:
    # 1250 bursts from a slow memory over vias that sleep at once: a nap before each.
    chip = platform("1 GHz", 10**6, "1 MiB")
    chip["dies"]["top"]["blocks"]["sram"] |= {"rate": "800 Mbit/s", "burst": "8 B"}
    gated = {"after": "0 s", "wake_time": "20 ns", "wake_energy": "100 pJ", "power": "1 uW"}
    chip["links"]["vias"] |= {"burst": "8 B", "buffer": "1", "gated": gated}
    case = lone_job(chip, [10, 10, 100], [1], 10**9)
    case = replace(case, horizon_ps=10**9)
    with sliced(*slices):
        totals = run(case.system(), TOTALS)
    full = run(case.system(), FULL)
    assert sum(span.what == "wake-up" for span in full.recording.spans) > 1250
    assert numbers(totals, full) == full
