"""What a layer keeps from tile to tile when another layer takes the buffers, by hand: 47 ns for 40 B, 113 ns for 100 B.

A tile takes 400 ns; ``kept`` has three. Its first is loaded at 160 ns and computed at 560, when a buffer is free again.
"""

from __future__ import annotations

import pytest
from reference.systems import Case, Tree, tiles_of
from reference.tiny_chip import NS, platform, pointwise

# By what is kept over the tiles: the shape of the input and the channels of the output. A tile has 100 B of inputs and
# 40 B of weights and of outputs.
KEPT: dict[str, tuple[list[str], int]] = {"inputs": (["1", "10", "10"], 12), "weights": (["3", "10", "10"], 4)}
W, IN = 47, 113  # ns that weights and inputs of a tile take


def case(kept: str, others: dict[str, int], **options: str) -> Case:
    """The layer beside more urgent jobs of one tile each, by when they come in ns."""
    chip = platform("1 GHz", 4096, None)
    core = {
        "kind": "riscv-cluster", "cores": "1", "clock": "10 MHz", "l1": "360 B", "home": "top.sram",
        "mac_per_cycle": {"conv": "100"}, **options,
    }  # fmt: skip
    chip["dies"]["bottom"]["blocks"] = {"core": core}
    shape, channels = KEPT[kept]
    networks: dict[str, Tree] = {
        "kept": {"name": "kept", "input": shape, "layers": [pointwise("conv", channels)]},
        "tile": {"name": "tile", "input": ["1", "10", "10"], "layers": [pointwise("conv", 4)]},
    }
    layer = {"network": "kept", "period": "20 us", "map": {"default": "core"}, "priority": "9"}
    tasks: dict[str, Tree] = {"kept": layer}
    for task, at_ns in others.items():
        tasks[task] = {**layer, "network": "tile", "offset": f"{at_ns} ns", "priority": "1"}
    return Case(chip, {"name": "kept", "tasks": tasks}, networks, "fixed-priority", 20_000 * NS)


def loads(found: Case) -> list[list[int]]:
    """What each tile of ``kept`` loads, as the ns that each takes."""
    tiles = [tile for tile in tiles_of(found.run().spans, "core") if tile.key[0] == "kept"]
    return [[(end_ps - start_ps) // NS for start_ps, end_ps in tile.loads] for tile in tiles]


ALONE = {"inputs": [[W, IN], [W], [W]], "weights": [[W, IN], [IN], [IN]]}


@pytest.mark.parametrize("kept", KEPT)
def test_alone_nothing_is_loaded_twice(kept: str) -> None:
    assert loads(case(kept, {})) == ALONE[kept]


@pytest.mark.parametrize("kept", KEPT)
def test_a_tile_that_takes_the_buffer_of_what_is_kept_makes_it_load_again(kept: str) -> None:
    # Tiles 0 and 1 have both buffers; at 560 the other's takes that of tile 0, where what is kept lies.
    assert loads(case(kept, {"other": 300})) == [*ALONE[kept][:2], [W, IN]]


@pytest.mark.parametrize("kept", KEPT)
def test_a_tile_that_takes_the_other_buffer_does_not(kept: str) -> None:
    # At 160 the other's tile takes the second buffer; tile 1 has that of tile 0 again.
    assert loads(case(kept, {"other": 100})) == ALONE[kept]


@pytest.mark.parametrize("kept", KEPT)
def test_two_tiles_take_both_buffers(kept: str) -> None:
    # From 160 and 560 on; tile 1 loads all it needs when the first of them has computed, and keeps it for tile 2.
    assert loads(case(kept, {"one": 100, "two": 101})) == [[W, IN], [W, IN], ALONE[kept][2]]


@pytest.mark.parametrize("kept", KEPT)
def test_of_one_buffer_every_other_tile_takes_all(kept: str) -> None:
    assert loads(case(kept, {"other": 300}, buffers="1", l1="180 B")) == [[W, IN], [W, IN], ALONE[kept][2]]


@pytest.mark.parametrize("kept", KEPT)
def test_a_stage_takes_no_buffer_of_data(kept: str) -> None:
    found = case(kept, {})
    work = {"stages": [{"cycles": "2", "on": "core"}], "period": "20 us", "offset": "300 ns", "priority": "1"}
    found.workload["tasks"]["stage"] = work
    assert loads(found) == ALONE[kept]


def test_weights_beside_the_block_are_not_loaded_again() -> None:
    found = case("weights", {"other": 300}, weight_memory="1 KiB")
    assert loads(found) == [[IN], [IN], [IN]]


def test_what_is_loaded_again_is_waited_for() -> None:
    # At 40 MHz a tile takes 100 ns: 160-260-360. The other's loads from 260 to 420 and computes until 520; the third is
    # committed when the port is free, at 420, has weights at 467 and inputs at 580, and is stored at 580 + 100 + 47.
    recording = case("inputs", {"other": 200}, clock="40 MHz").run()
    (kept,) = (job for job in recording.jobs if job.task == "kept")
    assert kept.finish_ps == 727 * NS
