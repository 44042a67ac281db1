"""One job alone, every picosecond worked by hand.

An accelerator under its memory, one bundle of vias between. The memory's port moves a byte in 100 ps with 1 ns latency,
the vias one in 1 ns with 2 ns latency, and all that a tile moves is one burst, so that n bytes take 1.1 n + 3 ns either
way: 113 ns for 100 B, 14 ns for 10 B. A row of ten pixels is ten cycles.

    L_i = max(L_{i-1}, C_{i-2}) + load_i
    C_i = max(L_i, C_{i-1}, S_{i-2}) + compute_i
    S_i = max(C_i, S_{i-1}) + store_i
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from reference.systems import Case, TileTimes, tiles_of
from reference.tiny_chip import NS, lone_job, platform

from tlm3d.analysis.judge import judge
from tlm3d.analysis.result import Verdict
from tlm3d.record.recording import Recording


@dataclass(frozen=True)
class Worked:
    """A platform and a layer of four rows of ten pixels; the ends of every tile's load, compute and store in ns."""

    clock: str
    local_bytes: int
    weight_memory: str | None
    channels: tuple[int, int]  # in, out
    loaded_ns: tuple[int, ...]
    computed_ns: tuple[int, ...]
    stored_ns: tuple[int, ...]

    def case(self, deadline_ps: int) -> Case:
        chip = platform(self.clock, self.local_bytes, self.weight_memory)
        return lone_job(chip, [4, 10, self.channels[0]], [self.channels[1]], deadline_ps)


BOUND_BY = {
    # Weights of 10 B first (14), then 100 B a row (113); a row computes in 10 and stores 10 B (14).
    # Local memory: 2 x (100 + 10 + 10). Loads follow one another; the last row ends 10 + 14 after its load.
    "loads": Worked("1 GHz", 240, None, (10, 1), (127, 240, 353, 466), (137, 250, 363, 476), (151, 264, 377, 490)),
    # 113 in, 500 (ten cycles of 20 MHz), 113 out. Row 3 is loaded when row 1 has left the buffer: 613 + 113.
    "computation": Worked(
        "20 MHz", 400, "1 KiB", (10, 10), (113, 226, 726, 1226), (613, 1113, 1613, 2113), (726, 1226, 1726, 2226)
    ),
    # 14 in, 10, 113 out. Row 3 computes when row 1 has been stored, 137 + 10; row 4 when row 2 has, 250 + 10.
    "stores": Worked("1 GHz", 220, "1 KiB", (1, 10), (14, 28, 42, 56), (24, 38, 147, 260), (137, 250, 363, 476)),
}


def of_job(case: Case) -> list[TileTimes]:
    return tiles_of(case.run().spans, "array")


@pytest.mark.parametrize("bound", BOUND_BY)
def test_a_lone_job_bound_by_its_slowest_step_is_the_recurrence_worked_by_hand(bound: str) -> None:
    worked = BOUND_BY[bound]
    case = worked.case(9_000 * NS)
    tiles = of_job(case)
    assert tuple(tile.loaded_ps for tile in tiles) == tuple(ns * NS for ns in worked.loaded_ns)
    assert tuple(tile.compute[1] for tile in tiles) == tuple(ns * NS for ns in worked.computed_ns)
    assert tuple(tile.done_ps for tile in tiles) == tuple(ns * NS for ns in worked.stored_ns)
    (job,) = case.run().jobs
    assert (job.status, job.start_ps, job.finish_ps) == ("finished", 0, worked.stored_ns[-1] * NS)


@pytest.mark.parametrize("bound", BOUND_BY)
def test_a_job_is_on_time_at_its_response_and_late_a_picosecond_before(bound: str) -> None:
    worked = BOUND_BY[bound]
    response_ps = worked.stored_ns[-1] * NS
    on_time, late = worked.case(response_ps).judge(), worked.case(response_ps - 1).judge()
    assert (on_time.verdict, on_time.tasks["job"].missed) == (Verdict.MET, 0)
    assert (late.verdict, late.tasks["job"].missed) == (Verdict.MISSED, 1)
    assert late.tasks["job"].response is not None
    assert late.tasks["job"].response.max_ps == response_ps


def test_the_weights_of_the_next_layer_come_while_its_inputs_do_not_exist_yet() -> None:
    # conv0: weights 113, inputs 226, computed 236, stored 349. conv1: weights from 226 to 339, inputs from 349 to 462.
    case = lone_job(platform("1 GHz", 4096, None), [1, 10, 10], [10, 10], 9_000 * NS)
    first, second = of_job(case)
    assert first.loads == [(0, 113 * NS), (113 * NS, 226 * NS)]
    assert (first.compute, first.store) == ((226 * NS, 236 * NS), (236 * NS, 349 * NS))
    assert second.loads == [(226 * NS, 339 * NS), (349 * NS, 462 * NS)]
    assert (second.compute, second.store) == ((462 * NS, 472 * NS), (472 * NS, 585 * NS))


def test_resident_weights_are_not_fetched_and_count_as_boot_bytes() -> None:
    case = lone_job(platform("1 GHz", 4096, "200 B"), [1, 10, 10], [10, 10], 9_000 * NS)
    recording = case.run()
    first, second = tiles_of(recording.spans, "array")
    assert first.loads == [(0, 113 * NS)]
    assert second.loads == [(first.done_ps, first.done_ps + 113 * NS)]  # nothing to prefetch
    assert recording.boot_bytes == 200
    assert sum(leg.bytes for leg in recording.legs if leg.channel == "vias:top>bottom") == 200  # two inputs


def test_a_byte_too_little_of_weight_memory_keeps_no_weights_at_all() -> None:
    case = lone_job(platform("1 GHz", 4096, "199 B"), [1, 10, 10], [10, 10], 9_000 * NS)
    recording = case.run()
    assert recording.boot_bytes == 200  # they lie in the memory
    assert sum(leg.bytes for leg in recording.legs if leg.channel == "vias:top>bottom") == 400


def test_tasks_that_share_a_network_share_its_weights_and_the_room_counts_once_for_all() -> None:
    def shared(weight_memory: str) -> Recording:
        case = lone_job(platform("1 GHz", 4096, weight_memory), [1, 10, 10], [10, 10], 9_000 * NS)
        blocks = case.platform["dies"]["bottom"]["blocks"]
        blocks["spare"] = {**blocks["array"], "weight_memory": "100 B"}
        task = case.workload["tasks"]["job"]
        split = {**task, "priority": "1", "map": {"default": "array", "conv1": "spare"}}
        workload = {"name": "two", "tasks": {"all": task, "split": split}}
        return Case(case.platform, workload, case.networks, horizon_ps=case.horizon_ps).run()

    # The array runs both layers for one task and the first for the other, the spare the second layer: 200 B and 100 B.
    for weight_memory, loads_a_tile in (("200 B", 1), ("199 B", 2)):
        recording = shared(weight_memory)
        assert recording.boot_bytes == 300
        assert {len(tile.loads) for tile in tiles_of(recording.spans, "array")} == {loads_a_tile}
        assert {len(tile.loads) for tile in tiles_of(recording.spans, "spare")} == {1}


def test_a_job_that_only_loads_is_blamed_on_the_link_and_one_that_computes_on_computing() -> None:
    buckets = {}
    for bound, worked in BOUND_BY.items():
        result = judge(worked.case(9_000 * NS).run())
        buckets[bound] = result.tightest[0].buckets
    # The chain: 5 loads, then 10 and 14; 4 rows of 500 between a load and a store; a load, a row, 4 stores.
    assert buckets["loads"] == {"compute": 10 * NS, "link-transfer": 480 * NS}
    assert buckets["computation"] == {"compute": 2000 * NS, "link-transfer": 226 * NS}
    assert buckets["stores"] == {"compute": 10 * NS, "link-transfer": 466 * NS}
