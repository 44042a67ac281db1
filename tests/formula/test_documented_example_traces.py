"""docs/example.md in a waveform viewer and on a timeline: the page's instants, to the picosecond."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from formula.test_documented_example import run, table
from reference.trace_reader import Timeline, read_trace
from reference.vcd_reader import Dump, read_vcd

from tlm3d.reporters import trace, vcd

H = 10_000_000
BURST_ON_TSV, BURST_ON_PORT, PORT_LATENCY, TSV_LATENCY = 160_000, 80_000, 10_000, 2_000


@pytest.fixture
def dump(tmp_path: Path) -> Dump:
    vcd.write(run(tmp_path), tmp_path / "run.vcd")
    return read_vcd((tmp_path / "run.vcd").read_text(encoding="utf-8"))


@pytest.fixture
def timeline(tmp_path: Path) -> Timeline:
    trace.write(run(tmp_path), tmp_path / "run.json")
    return read_trace((tmp_path / "run.json").read_text(encoding="utf-8"), H)


def test_the_modules_are_dies_blocks_and_the_links_that_a_die_drives(dump: Dump) -> None:
    assert dump.timescale == "1 ps"
    assert dump.end == H
    assert {"/".join(path) for path in dump.signals} == {
        "two-dies/logic/power_nw", "two-dies/npu/power_nw", "two-dies/tasks/see/jobs",
        "two-dies/logic/l2/busy", "two-dies/logic/l2/queue", "two-dies/logic/l2/state",
        "two-dies/logic/tsv:logic>npu/busy", "two-dies/logic/tsv:logic>npu/queue", "two-dies/logic/tsv:logic>npu/state",
        "two-dies/npu/tsv:npu>logic/busy", "two-dies/npu/tsv:npu>logic/queue", "two-dies/npu/tsv:npu>logic/state",
        "two-dies/npu/array/state", "two-dies/npu/array/task", "two-dies/npu/array/layer",
        "two-dies/npu/array/load", "two-dies/npu/array/compute", "two-dies/npu/array/store",
    }  # fmt: skip


def test_the_array_loads_computes_and_stores_when_the_page_says(dump: Dump) -> None:
    at = table("The clock")
    loading, computing, storing = (dump[f"two-dies/npu/array/{what}"].changes for what in ("load", "compute", "store"))
    assert loading == [(0, 1), (at["tile 1 loaded"], 0)]
    assert computing == [(0, 0), (at["tile 0 loaded"], 1), (at["tile 1 computed"], 0)]
    stores = [(at[f"tile {i} {done}"], 1 - on) for i in (0, 1) for on, done in enumerate(("computed", "stored"))]
    assert storing == [(0, 0), *stores]
    assert dump["two-dies/npu/array/state"].changes == [
        (0, "idle"), (at["tile 0 loaded"], "active"), (at["tile 1 computed"], "idle"),
    ]  # fmt: skip
    assert dump["two-dies/npu/array/task"].changes == [
        (0, "-"), (at["tile 0 loaded"], "see#0"), (at["tile 1 computed"], "-"),
    ]  # fmt: skip
    assert dump["two-dies/npu/array/layer"].changes == [
        (0, "-"), (at["tile 0 loaded"], "mix/0"), (at["tile 0 computed"], "mix/1"), (at["tile 1 computed"], "-"),
    ]  # fmt: skip
    assert dump["two-dies/tasks/see/jobs"].changes == [(0, 1), (at["tile 1 stored"], 0)]


def test_the_tsvs_are_busy_from_the_first_bit_to_the_last_of_each_load(dump: Dump) -> None:
    at = table("The clock")
    expected = [(0, 0)]
    for start_ps, bursts in ((0, 1), (at["weights loaded"], 4), (at["tile 0 loaded"], 4)):
        first_ps = start_ps + BURST_ON_PORT + PORT_LATENCY
        expected += [(first_ps, 1), (first_ps + bursts * BURST_ON_TSV, 0)]
    assert dump["two-dies/logic/tsv:logic>npu/busy"].changes == expected
    assert expected[-1][0] + TSV_LATENCY == at["tile 1 loaded"]
    assert dump["two-dies/logic/tsv:logic>npu/queue"].changes == [(0, 0)]  # nobody queues


def test_each_die_draws_at_the_peak_what_the_page_adds_up(dump: Dump) -> None:
    page = table("Power")
    logic, npu = dump["two-dies/logic/power_nw"], dump["two-dies/npu/power_nw"]
    assert logic.at(1_074_000) == page["memory"] + page["link"] + 10_000
    assert npu.at(1_074_000) == page["compute"] + page["active"] + 5_000
    assert int(logic.at(1_303_999)) + int(npu.at(1_303_999)) == page["peak"]
    assert int(logic.at(1_304_000)) + int(npu.at(1_304_000)) < page["peak"]


def test_power_times_time_is_the_energy_of_the_accounts(dump: Dump) -> None:
    accounts = table("Energy")
    for die in ("logic", "npu"):
        spent_aj = sum(energy_aj for name, energy_aj in accounts.items() if name.startswith(die))
        shown = dump[f"two-dies/{die}/power_nw"].integral(H)  # nW times ps; 1000 of them are an aJ
        assert abs(shown - 1000 * spent_aj) <= H // 2 + 1000


def test_the_timeline_has_the_dies_top_tier_first_and_the_page_s_tiles(timeline: Timeline) -> None:
    at = table("The clock")
    assert timeline.processes == ("tasks", "die logic", "die npu")
    tiles = [s for s in timeline.slices if s.track == "npu.array.compute"]
    assert [(s.name, s.start_ps, s.end_ps) for s in tiles] == [
        ("see#0 mix/0", at["tile 0 loaded"], at["tile 0 computed"]),
        ("see#0 mix/1", at["tile 0 computed"], at["tile 1 computed"]),
    ]
    stores = [s.end_ps for s in timeline.slices if s.track == "npu.array.store"]
    assert stores == [at["tile 0 stored"], at["tile 1 stored"]]


def test_the_job_is_marked_at_its_release_finish_and_deadline(timeline: Timeline) -> None:
    at = table("The clock")
    assert timeline.instants == {
        "release see#0": 0, "finish see#0": at["tile 1 stored"], "deadline met see#0": 5_000_000,
    }  # fmt: skip
    (job,) = (s for s in timeline.slices if s.track == "see")
    assert (job.start_ps, job.end_ps, job.args["status"]) == (0, at["tile 1 stored"], "met")
    assert job.args["buckets_ps"] == table("The clock", 1)


def test_three_loads_lead_over_port_and_tsvs_to_the_tile_that_used_them(timeline: Timeline) -> None:
    flows = [[(s.track, s.name) for _, s in flow] for flow in timeline.flows.values()]
    first, second = ("npu.array.compute", "see#0 mix/0"), ("npu.array.compute", "see#0 mix/1")
    inputs = [("logic.l2", "see#0 256 B"), ("tsv:logic>npu", "see#0 256 B")]
    assert flows == [
        [("logic.l2", "see#0 64 B"), ("tsv:logic>npu", "see#0 64 B"), first], [*inputs, first], [*inputs, second],
    ]  # fmt: skip


def test_the_counters_show_the_page_s_peak_in_milliwatts(timeline: Timeline) -> None:
    assert dict(timeline.counters["die logic"])[1_074_000] == Decimal("1.77")
    before = [value for at_ps, value in timeline.counters["die npu"] if at_ps <= 1_074_000][-1]
    assert before == Decimal("1.035")
    assert table("Power")["peak"] == 1_770_000 + 1_035_000
