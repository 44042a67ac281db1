"""The waveforms of the run worked by hand: signals, statuses, the same bytes for the same facts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from reference.vcd_reader import Dump, read_vcd

from tlm3d.analysis.result import Result
from tlm3d.record.recording import Component, Span, StateInterval
from tlm3d.reporters.vcd import write

MS = 10**9
TOP = "three-tier-vision"
ARRAY = Component("npu", "array")


def dumped(result: Result, folder: Path) -> Dump:
    write(result, folder / "run.vcd")
    return read_vcd((folder / "run.vcd").read_text(encoding="utf-8"))


def test_time_counts_picoseconds_and_ends_at_the_horizon(missed: Result, tmp_path: Path) -> None:
    dump = dumped(missed, tmp_path)
    assert (dump.timescale, dump.end) == ("1 ps", 100 * MS)


def test_a_transfer_queues_and_then_keeps_its_link_busy(missed: Result, tmp_path: Path) -> None:
    dump = dumped(missed, tmp_path)
    link = f"{TOP}/logic/tsv:logic>npu"
    assert dump[f"{link}/queue"].changes == [(0, 0), (45 * MS, 1), (53 * MS, 0)]
    assert dump[f"{link}/busy"].changes == [(0, 0), (53 * MS, 1), (69 * MS, 0)]
    assert dump[f"{link}/state"].changes == [(0, "idle"), (53 * MS, "active"), (69 * MS, "idle")]


def test_an_activity_that_the_horizon_cuts_goes_on_up_to_it(missed: Result, tmp_path: Path) -> None:
    dump = dumped(missed, tmp_path)
    assert dump[f"{TOP}/npu/array/compute"].changes == [(0, 0), (7 * MS, 1), (27 * MS, 0), (80 * MS, 1)]
    assert dump[f"{TOP}/npu/array/task"].at(100 * MS) == "classify#1"
    assert dump[f"{TOP}/npu/array/layer"].at(7 * MS) == "conv1/0"


def test_jobs_are_active_from_release_until_they_are_over(missed: Result, tmp_path: Path) -> None:
    dump = dumped(missed, tmp_path)
    assert dump[f"{TOP}/tasks/classify/jobs"].changes == [
        (0, 1), (27 * MS, 0), (33 * MS, 1), (74 * MS, 0), (90 * MS, 1),
    ]  # fmt: skip
    assert dump[f"{TOP}/tasks/control/jobs"].changes == [(0, 0)]  # dropped at its release
    assert dump[f"{TOP}/tasks/wake/jobs"].changes == [(0, 0), (20 * MS, 1)]


def test_power_is_that_of_each_die(missed: Result, tmp_path: Path) -> None:
    dump = dumped(missed, tmp_path)
    # 30 uJ over 7 ms are 4 285 714.29 nW, 90 uJ over 20 ms are 4.5 mW, 20 uJ over 40 ms are 0.5 mW.
    assert dump[f"{TOP}/pixel/power_nw"].changes == [(0, 4_335_714), (7 * MS, 50_000)]
    assert dump[f"{TOP}/npu/power_nw"].changes == [(0, 0), (7 * MS, 4_500_000), (27 * MS, 0), (80 * MS, 500_000)]


def test_a_state_that_the_reporter_has_never_heard_of_is_shown(missed: Result, tmp_path: Path) -> None:
    facts = missed.recording
    gated = [StateInterval(ARRAY, "gated", 3, 0, 2 * MS), StateInterval(ARRAY, "gated", 3, 40 * MS, 60 * MS)]
    waking = Span(ARRAY, "wake-up", "classify", 0, "", -1, 2 * MS, 3 * MS, 9)
    changed = replace(facts, states=[*facts.states, *gated], spans=[*facts.spans, waking])
    dump = dumped(replace(missed, recording=changed), tmp_path)
    assert [value for _, value in dump[f"{TOP}/npu/array/state"].changes][:3] == ["gated", "active", "idle"]
    assert dump[f"{TOP}/npu/array/wake-up"].changes == [(0, 0), (2 * MS, 1), (3 * MS, 0)]


def test_names_with_white_space_stay_one_word(missed: Result, tmp_path: Path) -> None:
    odd = replace(missed.recording, platform="three tier\tvision\x1b")
    dump = dumped(replace(missed, recording=odd), tmp_path)
    assert {path[0] for path in dump.signals} == {"three_tier_vision_"}


def test_the_order_of_the_facts_changes_no_byte(missed: Result, tmp_path: Path) -> None:
    facts = missed.recording
    other = replace(
        facts, spans=facts.spans[::-1], states=facts.states[::-1], jobs=facts.jobs[::-1],
        components=facts.components[::-1],
    )  # fmt: skip
    write(missed, tmp_path / "a.vcd")
    write(replace(missed, recording=other), tmp_path / "b.vcd")
    assert (tmp_path / "a.vcd").read_bytes() == (tmp_path / "b.vcd").read_bytes()


def test_a_file_appears_whole_or_not_at_all(missed: Result, tmp_path: Path) -> None:
    broken = replace(missed, recording=replace(missed.recording, channels={}))
    (tmp_path / "run.vcd").write_text("what was there")
    with pytest.raises(KeyError):
        write(broken, tmp_path / "run.vcd")
    assert [path.name for path in tmp_path.iterdir()] == ["run.vcd"]
    assert (tmp_path / "run.vcd").read_text() == "what was there"
