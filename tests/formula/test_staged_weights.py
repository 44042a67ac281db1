"""Weights that pass through a memory, and a block with one buffer, every picosecond worked by hand.

The weights lie in ``sram`` on the upper die, all else in ``l2`` beside the array. A memory's port moves a byte in 100
ps with 1 ns latency, the vias one in 1 ns with 2 ns latency, and what moves is one burst but for 400 B. So n bytes take
0.1 n + 1 ns between l2 and the array, 1.1 n + 3 ns from sram into the array, and 1.2 n + 4 ns from sram into l2.
At 10 MHz a row of ten pixels takes 1000 ns.
"""

from __future__ import annotations

import pytest
from reference.systems import Case, Tree, tiles_of
from reference.tiny_chip import NS, lone_job, platform, pointwise

from tlm3d.record.recording import Recording


def chip(local_bytes: int, capacity_bytes: int, **keys: object) -> Tree:
    tree = platform("10 MHz", local_bytes, None)
    top, bottom = tree["dies"]["top"]["blocks"], tree["dies"]["bottom"]["blocks"]
    bottom["l2"] = {**top["sram"], "capacity": f"{capacity_bytes} B"}
    bottom["array"] |= {"home": "l2", "weight_store": "top.sram", "weight_stage": "l2", **keys}
    return tree


def run(chip: Tree, rows: int, *channels: int) -> Recording:
    case = lone_job(chip, [rows, 10, 10], list(channels), 9_000 * NS)
    return Case(case.platform, case.workload, case.networks, horizon_ps=100_000 * NS).run()


def moves(recording: Recording, what: str, task: str = "job") -> list[tuple[str, float, float]]:
    """(layer, start, end) in ns of what a block moved for its first job."""
    spans = (s for s in recording.spans if (s.task, s.index, s.what) == (task, 0, what))
    return [(s.layer, s.start_ps / NS, s.end_ps / NS) for s in spans]


def finish_ns(recording: Recording, task: str = "job") -> float:
    (job,) = (job for job in recording.jobs if (job.task, job.index) == (task, 0))
    return job.finish_ps / NS


def test_one_layer_is_one_piece() -> None:
    recording = run(chip(4096, 65536), 4, 10)
    # 100 B: 124 into l2, 11 into the array; 400 B of inputs, 41; four rows; 400 B of outputs.
    assert moves(recording, "load") == [("conv0", 0, 124), ("conv0", 124, 135), ("conv0", 135, 176)]
    assert moves(recording, "compute") == [("conv0", 176, 4176)]
    assert finish_ns(recording) == 4217
    assert moves(recording, "stage") == []


def test_the_weights_of_the_next_layer_are_fetched_while_one_runs() -> None:
    recording = run(chip(4096, 65536), 4, 10, 10)
    # Both cross the vias, 100 ns each, the load first. conv1 is committed at 176 and goes on when its piece has landed.
    assert moves(recording, "stage") == [("conv1", 0, 224)]
    assert moves(recording, "load")[3:] == [("conv1", 224, 235), ("conv1", 4217, 4258)]
    assert finish_ns(recording) == 8299


def test_without_room_beside_they_are_fetched_when_the_layer_has_computed() -> None:
    # 800 B of feature maps and one layer's weights fill it.
    recording = run(chip(4096, 900), 4, 10, 10)
    assert moves(recording, "stage") == [("conv1", 4176, 4300)]
    assert moves(recording, "load")[3:] == [("conv1", 4300, 4311), ("conv1", 4311, 4352)]
    assert finish_ns(recording) == 8393
    assert finish_ns(run(chip(4096, 1000), 4, 10, 10)) == 8299
    assert finish_ns(run(chip(4096, 999), 4, 10, 10)) == 8393


def test_what_does_not_fit_comes_piece_by_piece_and_a_piece_waits_for_the_one_before() -> None:
    # One row: tiles of five channels, 2 x (100 + 50 + 50). In l2 200 B of feature maps and 50 B of weights.
    recording = run(chip(400, 250), 1, 10)
    assert moves(recording, "load") == [
        ("conv0", 0, 64), ("conv0", 64, 70), ("conv0", 70, 81), ("conv0", 1081, 1145), ("conv0", 1145, 1151),
    ]  # fmt: skip
    assert moves(recording, "compute") == [("conv0", 81, 1081), ("conv0", 1151, 2151)]
    assert finish_ns(recording) == 2157


def test_feature_maps_decide_whether_a_layer_is_one_piece() -> None:
    whole, byte_less = run(chip(400, 300), 1, 10), run(chip(400, 299), 1, 10)
    # 124, 6, 11; the second tile's weights come from 141 to 147, while the first one computes.
    assert [(start, end) for _, start, end in moves(whole, "load")] == [(0, 124), (124, 130), (130, 141), (141, 147)]
    assert finish_ns(whole) == 2147
    assert finish_ns(byte_less) == 2157


def test_blocks_that_stage_in_one_memory_have_equal_parts_of_it() -> None:
    tree = chip(400, 300)  # as above: all 100 B of weights fit, but for another array not half of them
    tree["dies"]["bottom"]["blocks"]["other"] = {**tree["dies"]["bottom"]["blocks"]["array"]}
    assert finish_ns(run(tree, 1, 10)) == 2157
    tree["dies"]["bottom"]["blocks"]["l2"]["capacity"] = "400 B"
    assert finish_ns(run(tree, 1, 10)) == 2147


def test_a_tile_that_alone_is_too_large_is_a_piece_all_the_same() -> None:
    assert finish_ns(run(chip(400, 200), 1, 10)) == 2157


def test_a_layer_in_pieces_is_not_fetched_ahead() -> None:
    # conv0, 5 channels: 50 B of weights, 100 + 50 B of maps. conv1, 32 channels of 5 B: four tiles of 40 B, 370 B of
    # maps, so that it has 95 B of room: two pieces of two tiles. The first would fit beside nothing, the second waits.
    recording = run(chip(400, 465), 1, 5, 32)
    assert moves(recording, "stage") == []
    fetched = [leg.bytes for leg in recording.legs if leg.channel == "vias:top>bottom" and leg.index == 0]
    assert fetched == [50, 80, 80]


def test_a_piece_that_another_job_takes_the_room_of_comes_again() -> None:
    # `slow`, 20 channels, has 4 tiles, 200 B staged; `fast`, released at 500 ns, needs 100 B. There is room for 200.
    tree = chip(400, 700)
    networks = {
        "slow": {"name": "slow", "input": ["1", "10", "10"], "layers": [pointwise("conv0", 20)]},
        "fast": {"name": "fast", "input": ["1", "10", "10"], "layers": [pointwise("conv0", 10)]},
    }
    slow = {"network": "slow", "period": "90 us", "map": {"default": "array"}, "priority": "2"}
    fast = {**slow, "network": "fast", "offset": "500 ns", "priority": "1"}
    workload = {"name": "two", "tasks": {"slow": slow, "fast": fast}}
    recording = Case(tree, workload, networks, "fixed-priority", 50_000 * NS).run()
    assert moves(recording, "load", "slow") == [
        ("conv0", 0, 244), ("conv0", 244, 250), ("conv0", 250, 261),  # 200 B, a tile's 50 B, inputs
        ("conv0", 261, 267),
        ("conv0", 4402, 4646), ("conv0", 4646, 4652),  # again, once nothing of `fast` is under way
        ("conv0", 4652, 4663),  # the inputs, too: `fast` has had the buffer that they lay in
        ("conv0", 4663, 4669),
    ]  # fmt: skip
    # Both tiles of `slow` that were committed compute until 2261.
    assert moves(recording, "load", "fast")[:3] == [("conv0", 2261, 2385), ("conv0", 2385, 2391), ("conv0", 2391, 2402)]
    assert finish_ns(recording, "fast") == 4408
    assert finish_ns(recording, "slow") == 6669


def test_a_tile_without_room_looks_again_when_what_is_on_its_way_has_landed() -> None:
    # `ended`, four tiles of a row, is aborted while 4000 B for its next layer are on their way. Beside 16400 B of its
    # maps and 300 of `other` they leave room for 100 B; `other` needs 200.
    tree = chip(600, 20_800)
    layers = [pointwise("conv0", 10), pointwise("conv1", 400)]
    networks = {
        "ended": {"name": "ended", "input": ["4", "10", "10"], "layers": layers},
        "other": {"name": "other", "input": ["1", "10", "10"], "layers": [pointwise("conv0", 20)]},
    }
    task = {"period": "90 us", "map": {"default": "array"}}
    ended = {**task, "network": "ended", "deadline": "1 us", "on_miss": "abort"}
    other = {**task, "network": "other", "offset": "500 ns"}
    workload = {"name": "two", "tasks": {"ended": ended, "other": other}}
    recording = Case(tree, workload, networks, "edf", 50_000 * NS).run()
    ((layer, _, landed_ns),) = moves(recording, "stage", "ended")
    assert layer == "conv1"
    assert landed_ns > max(end_ns for _, _, end_ns in moves(recording, "compute", "ended")) + 1000  # idle since then
    assert moves(recording, "load", "other")[0] == ("conv0", landed_ns, landed_ns + 244)


@pytest.mark.parametrize(("local_bytes", "keys", "finish"), [(400, {}, 2075), (200, {"buffers": 1}, 2139)])
def test_one_buffer_has_all_local_memory_and_nothing_overlaps(
    local_bytes: int, keys: dict[str, object], finish: int
) -> None:
    tree = chip(local_bytes, 65536, **keys)
    del tree["dies"]["bottom"]["blocks"]["array"]["weight_stage"]
    recording = run(tree, 1, 10)
    # Weights 58, inputs 11, a row, out 6. The second tile's 58 come meanwhile, or after all of the first.
    first, second = (tile for tile in tiles_of(recording.spans, "array") if tile.key[1] == 0)
    assert second.begin_ps == (first.done_ps if keys else first.loaded_ps)
    assert finish_ns(recording) == finish


def test_one_buffer_loads_nothing_ahead_but_the_stage_does() -> None:
    recording = run(chip(4096, 65536, buffers=1), 4, 10, 10)
    assert moves(recording, "stage") == [("conv1", 0, 224)]
    # conv0 as with two; then 11 of weights from l2, 41 of inputs, four rows, 41 of outputs.
    assert moves(recording, "load")[3:] == [("conv1", 4217, 4228), ("conv1", 4228, 4269)]
    assert finish_ns(recording) == 8310


def test_the_setup_of_a_layer_comes_before_its_first_tile_computes() -> None:
    recording = run(chip(400, 300, layer_setup=7), 1, 10)
    assert moves(recording, "compute") == [("conv0", 141, 1841), ("conv0", 1841, 2841)]
