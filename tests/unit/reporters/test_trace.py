"""The timeline of the run worked by hand: tracks, markers, flows, exact decimals."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from jsonschema import ValidationError
from reference.trace_reader import Timeline, read_trace

from tlm3d.analysis.result import Result
from tlm3d.record.recording import Component, Span, StateInterval, TransferLeg
from tlm3d.reporters.trace import write

MS = 10**9
H = 100 * MS
ARRAY = Component("npu", "array")


def text(result: Result, folder: Path) -> str:
    write(result, folder / "run.json")
    return (folder / "run.json").read_text(encoding="utf-8")


def timeline(result: Result, folder: Path) -> Timeline:
    return read_trace(text(result, folder), H)


def test_the_file_says_what_was_run(missed: Result, tmp_path: Path) -> None:
    document = json.loads(text(missed, tmp_path))
    assert document["displayTimeUnit"] == "ns"
    assert document["otherData"] == {
        "version": document["otherData"]["version"], "platform": "three-tier-vision", "workload": "always-on-vision",
        "policy": "edf", "seed": 7, "horizon_ps": H, "verdict": "missed",
    }  # fmt: skip


def test_a_process_a_die_top_tier_first(missed: Result, tmp_path: Path) -> None:
    assert timeline(missed, tmp_path).processes == ("tasks", "die pixel", "die logic", "die npu")


def test_every_deadline_inside_the_window_is_marked_met_or_missed(missed: Result, tmp_path: Path) -> None:
    assert timeline(missed, tmp_path).instants == {
        "release classify#0": 0, "deadline met classify#0": 33 * MS, "finish classify#0": 27 * MS,
        "release classify#1": 33 * MS, "deadline missed classify#1": 66 * MS, "finish classify#1": 74 * MS,
        "release classify#2": 90 * MS,
        "release control#0": 5 * MS, "deadline missed control#0": 10 * MS,
        "release wake#0": 20 * MS, "deadline missed wake#0": 95 * MS,
    }  # fmt: skip


def test_a_job_is_a_slice_with_its_response_by_cause(missed: Result, tmp_path: Path) -> None:
    jobs = {s.name: s for s in timeline(missed, tmp_path).slices if s.category == "job"}
    assert set(jobs) == {"classify#0", "classify#1", "classify#2", "wake#0"}  # control#0 was dropped at its release
    late = jobs["classify#1"]
    assert (late.start_ps, late.end_ps, late.args["status"]) == (33 * MS, 74 * MS, "late")
    assert late.args["buckets_ps"] == {
        "sensing": 7 * MS, "compute": 9 * MS, "link-queue": 9 * MS, "link-transfer": 16 * MS,
    }  # fmt: skip


def test_slices_are_cut_at_the_horizon(missed: Result, tmp_path: Path) -> None:
    tiles = [s for s in timeline(missed, tmp_path).slices if s.track == "npu.array.compute"]
    assert [(s.name, s.start_ps, s.end_ps) for s in tiles] == [
        ("classify#0 conv1/0", 7 * MS, 27 * MS), ("classify#1 conv1/0", 80 * MS, H),
    ]  # fmt: skip


def test_transfers_that_take_turns_on_a_link_get_a_track_each(missed: Result, tmp_path: Path) -> None:
    facts = missed.recording
    (leg,) = facts.legs
    other = leg._replace(initiator="cluster", task="wake", index=0, start_ps=leg.start_ps + 1, end_ps=leg.end_ps + 1)
    after = leg._replace(start_ps=leg.end_ps, end_ps=leg.end_ps + MS)
    changed = replace(missed, recording=replace(facts, legs=[after, other, leg]))
    moves = [(s.track, s.args["job"]) for s in timeline(changed, tmp_path).slices if s.category == "transfer"]
    assert moves == [
        ("tsv:logic>npu", "classify#1"), ("tsv:logic>npu (2)", "wake#0"), ("tsv:logic>npu", "classify#1"),
    ]  # fmt: skip


@pytest.mark.parametrize(("earlier_ps", "track"), [(0, "tsv:logic>npu"), (1, "tsv:logic>npu (2)")])
def test_a_transfer_that_begins_where_another_ends_shares_its_track_and_a_picosecond_earlier_not(
    missed: Result, tmp_path: Path, earlier_ps: int, track: str
) -> None:
    facts = missed.recording
    (leg,) = facts.legs
    after = leg._replace(start_ps=leg.end_ps - earlier_ps, end_ps=leg.end_ps + MS)
    changed = replace(missed, recording=replace(facts, legs=[leg, after]))
    assert [s.track for s in timeline(changed, tmp_path).slices if s.category == "transfer"][1] == track


def loaded(missed: Result) -> Result:
    """The transfer is the load of the tile that is computed from 80 ms on."""
    facts = missed.recording
    (leg,) = facts.legs
    load = Span(ARRAY, "load", "classify", 1, "conv1", 0, 45 * MS, 69 * MS + 2000, 0)
    legs = [leg._replace(initiator="npu.array.load")]
    return replace(missed, recording=replace(facts, spans=[*facts.spans, load], legs=legs))


def test_an_arrow_leads_from_a_transfer_to_the_tile_that_used_it(missed: Result, tmp_path: Path) -> None:
    (flow,) = timeline(loaded(missed), tmp_path).flows.values()
    assert [(phase, s.track, s.start_ps) for phase, s in flow] == [
        ("s", "tsv:logic>npu", 53 * MS), ("f", "npu.array.compute", 80 * MS),
    ]  # fmt: skip


def test_a_load_whose_tile_is_not_computed_in_the_window_has_no_arrow(missed: Result, tmp_path: Path) -> None:
    result = loaded(missed)
    spans = [span for span in result.recording.spans if span.start_ps != 80 * MS]
    assert timeline(replace(result, recording=replace(result.recording, spans=spans)), tmp_path).flows == {}


def test_states_are_slices_whatever_they_are_called(missed: Result, tmp_path: Path) -> None:
    facts = missed.recording
    gated = StateInterval(ARRAY, "gated", 3, 0, 5 * MS)
    waking = Span(ARRAY, "wake-up", "classify", 0, "", -1, 5 * MS, 7 * MS, 9)
    changed = replace(facts, states=[*facts.states, gated], spans=[*facts.spans, waking])
    slices = timeline(replace(missed, recording=changed), tmp_path).slices
    assert [s.name for s in slices if s.track == "npu.array.state"] == ["gated", "active", "idle", "active"]
    assert [(s.name, s.end_ps) for s in slices if s.track == "npu.array.wake-up"] == [("classify#0", 7 * MS)]


def test_counters_are_milliwatts_to_the_nanowatt(missed: Result, tmp_path: Path) -> None:
    counters = timeline(missed, tmp_path).counters
    assert counters["die pixel"] == [(0, Decimal("4.335714")), (7 * MS, Decimal("0.05")), (H, Decimal("0.05"))]


@pytest.mark.parametrize("start_ps", [1, 999_999, 1_000_001, 79_999_999_999])
def test_every_picosecond_is_kept(missed: Result, tmp_path: Path, start_ps: int) -> None:
    facts = missed.recording
    span = Span(ARRAY, "compute", "classify", 1, "conv1", 0, start_ps, start_ps + 1, 0)
    result = replace(missed, recording=replace(facts, spans=[span]))
    (tile,) = (s for s in timeline(result, tmp_path).slices if s.category == "compute")
    assert (tile.start_ps, tile.end_ps) == (start_ps, start_ps + 1)


def test_the_schema_refuses_what_viewers_do_not_read(missed: Result, tmp_path: Path) -> None:
    good = text(missed, tmp_path)
    for old, new in (('"ph":"X"', '"ph":"Y"'), ('"s":"t"', '"s":"x"'), ('"dur":', '"duration":'), ('"ts":0,', "")):
        with pytest.raises(ValidationError):
            read_trace(good.replace(old, new, 1), H)


def test_the_order_of_the_facts_changes_no_byte(missed: Result, tmp_path: Path) -> None:
    facts = loaded(missed).recording
    more = [*facts.legs, TransferLeg("tsv:logic>npu", "x.load", "wake", 0, 1, 8, 0, 60 * MS, 61 * MS, 61 * MS, MS, 1)]
    ordered = replace(facts, legs=more)
    other = replace(
        facts, spans=facts.spans[::-1], legs=more[::-1], states=facts.states[::-1], jobs=facts.jobs[::-1],
        components=facts.components[::-1],
    )  # fmt: skip
    written = [text(replace(missed, recording=facts), tmp_path) for facts in (ordered, other)]
    assert written[0] == written[1]
