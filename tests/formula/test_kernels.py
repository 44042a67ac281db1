"""Instructions of kernels, counted by hand, and what a cluster makes of them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlm3d.blocks.riscv_cluster import RiscvCluster
from tlm3d.cnn.layers import Layer, Op
from tlm3d.cnn.network import LayerRow, build_network
from tlm3d.cnn.tiling import Tile, tile_layer
from tlm3d.kernels import Simd, Work, largest_share, products
from tlm3d.kernels.direct import Direct
from tlm3d.kernels.im2col import Im2col

FOUR = Simd(4)
IM2COL, DIRECT = Im2col(kind="im2col"), Direct(kind="direct")


def layer(op: Op, shape: tuple[int, int, int], **keys: Any) -> tuple[Layer, Tile]:
    (found,) = build_network("net", shape, [LayerRow("one", op, **keys)]).layers
    (tile,) = tile_layer(found, 10**7)
    return found, tile


def cluster(**keys: Any) -> RiscvCluster:
    text = {"kind": "riscv-cluster", "cores": "8", "clock": "1 GHz", "l1": "1 MiB", **keys}
    return RiscvCluster.model_validate(text)


def test_the_inner_loop_of_pulp_nn_does_32_products_in_14_instructions() -> None:
    # arXiv 1908.11263: two words of pixels and four of weights are loaded, eight dot products follow.
    assert products(FOUR, 4, 2, 4) == Work(14, 6)


@pytest.mark.parametrize(
    ("summands", "instructions", "accesses"),
    [
        (8, 2 * 5, 2 * 3),
        (9, 3 * 5 + 3 * 2 * 3 // 4, 3 * 3 + 4),  # a rest of one operand; of 3 · 2 loads three in four are split
        (10, 4 * 5 + 3 * 2 // 2, 4 * 3 + 3),  # every other row begins inside a word
        (3, 3 * 5, 3 * 3),  # less than a word: one by one
    ],
)
def test_what_does_not_fill_a_word_costs_more(summands: int, instructions: int, accesses: int) -> None:
    assert products(FOUR, summands, 1, 2) == Work(instructions, accesses)


def test_narrow_weights_are_unpacked_one_by_one() -> None:
    plain, narrow = products(FOUR, 16, 2, 4), products(Simd(4, unpacked=True), 16, 2, 4)
    assert narrow.instructions - plain.instructions == 4 * (16 + 4)
    assert narrow.accesses == plain.accesses


def test_a_pointwise_layer_is_blocks_and_what_an_output_takes() -> None:
    # 64 pixels, 16 in, 12 out, 8 cores: by pixels 4 pairs of 3 blocks of 4 steps; by channels 1 block for 32 pairs.
    found, tile = layer(Op.CONV, (8, 8, 16), channels=12)
    pixels = 4 * 3 * 4 * 14 + 8 * 12 * 18
    assert IM2COL.work(found, tile, 8, FOUR).instructions == pixels < 32 * 4 * 14 + 64 * 4 * 18


def test_few_pixels_are_shared_by_channels() -> None:
    found, tile = layer(Op.CONV, (1, 2, 16), channels=64)
    assert IM2COL.work(found, tile, 8, FOUR).instructions == 2 * 4 * 14 + 16 * 18


def test_a_patch_is_copied_row_by_row() -> None:
    found, tile = layer(Op.CONV, (4, 4, 4), channels=4, kernel=(3, 3))
    pointwise, same = layer(Op.CONV, (4, 4, 36), channels=4)
    copied = IM2COL.work(found, tile, 8, FOUR).instructions - IM2COL.work(pointwise, same, 8, FOUR).instructions
    assert copied == 2 * 3 * (16 + 2 * 3)  # two pixels a core, three rows of 3 · 4 operands: three words


def test_a_depthwise_layer_is_reordered_and_copies_a_column_at_a_time() -> None:
    # 6 x 6 x 16, 3 x 3: two channels a core, 6 columns of 8 rows; 2 words and one operand of taps an output.
    found, tile = layer(Op.DEPTHWISE, (6, 6, 16), kernel=(3, 3))
    work = IM2COL.work(found, tile, 8, FOUR)
    assert work.instructions == 2 * (6 * 8 * (4 + 4) + 36 * (3 * 3 + 18))
    assert work.reordered == 6 * 6 * 16


def test_a_window_of_25_taps_is_15_instructions_an_output() -> None:
    found, tile = layer(Op.CONV, (12, 12, 1), channels=1, kernel=(5, 5), padding="valid")
    assert DIRECT.work(found, tile, 1, FOUR).instructions == 64 * (5 + 7 + 3)
    assert DIRECT.work(found, tile, 8, FOUR).instructions == 8 * (5 + 7 + 3)


def test_sums_of_several_planes_go_through_memory() -> None:
    found, tile = layer(Op.CONV, (12, 12, 3), channels=1, kernel=(5, 5), padding="valid")
    assert DIRECT.work(found, tile, 1, FOUR) == Work(64 * (3 * (5 + 7 + 2) + 3), 64 * (3 * (5 + 2) + 1))


@given(st.integers(1, 500), st.integers(1, 16), st.integers(1, 5))
def test_the_busiest_core_has_its_share_and_less_than_a_step_more(units: int, cores: int, at_once: int) -> None:
    share = largest_share(units, cores, at_once)
    assert share * cores >= units
    assert share <= -(-units // cores) + at_once - 1


def test_a_cluster_waits_for_banks_and_for_the_dma() -> None:
    found, tile = layer(Op.DEPTHWISE, (6, 6, 16), kernel=(3, 3))
    work = IM2COL.work(found, tile, 8, FOUR)
    conflict = Fraction(7 * work.accesses, 2 * 16 * work.instructions)
    exact = work.instructions * Fraction(11, 10) + work.accesses * conflict + work.reordered * 2
    counted = cluster(cpi="1.1", l1_banks="16", reorder="2", kernel_startup="100").cost(found, tile).cycles
    assert counted == 100 + -(-exact.numerator // exact.denominator)


def test_operands_wider_than_a_lane_go_one_by_one_and_narrow_ones_share_a_register() -> None:
    wide, _ = layer(Op.CONV, (4, 4, 8), channels=8, weight_bits=32)
    narrow, _ = layer(Op.CONV, (4, 4, 8), channels=8, weight_bits=4)
    assert cluster().simd.of(wide) == Simd(1, False)
    assert cluster().simd.of(narrow) == Simd(4, True)
    assert cluster(simd={"operands": ["4", "8"]}).simd.of(narrow) == Simd(4, True)  # activations have 8 bits
    assert cluster(simd={"bits": "64", "operands": ["16"]}).simd.of(narrow) == Simd(4, True)


def test_tiles_keep_every_core_busy() -> None:
    # Cut for bytes alone, 24 channels would come in groups of 3, for 8 cores.
    (found,) = build_network("net", (64, 64, 24), [LayerRow("one", Op.DEPTHWISE, kernel=(3, 3))]).layers
    block = cluster(l1="48 KiB")
    assert all(tile.out_channels % 8 == 0 for tile in block.tiles(found, False))
    assert any(tile.out_channels % 8 for tile in tile_layer(found, 48 * 1024))


def test_a_stated_rate_goes_before_what_is_counted() -> None:
    found, tile = layer(Op.POOL, (8, 8, 4), kernel=(2, 2), stride=(2, 2))
    assert cluster(elements_per_cycle={"pool": "2"}).cost(found, tile).cycles == 256 // 2
    assert cluster().cost(found, tile).cycles == 2 * 256 // 8


def test_more_cores_more_lanes_and_larger_blocks_never_take_longer() -> None:
    for op, keys in (
        (Op.CONV, {"channels": 24, "kernel": (3, 3)}),
        (Op.CONV, {"channels": 24}),
        (Op.DEPTHWISE, {"kernel": (3, 3)}),
        (Op.LINEAR, {"channels": 24}),
    ):
        found, tile = layer(op, (12, 12, 16), **keys)
        for kernels in (IM2COL, DIRECT):
            by_cores = [kernels.work(found, tile, cores, FOUR).instructions for cores in (1, 2, 4, 8, 16)]
            assert by_cores == sorted(by_cores, reverse=True)
            by_lanes = [kernels.work(found, tile, 8, Simd(lanes)).instructions for lanes in (1, 2, 4)]
            assert by_lanes == sorted(by_lanes, reverse=True)


def test_a_dma_copies_the_rows_of_patches_one_after_the_other() -> None:
    found, tile = layer(Op.CONV, (4, 4, 4), channels=4, kernel=(3, 3))
    copying = Im2col.model_validate({"kind": "im2col", "patch_dma": "10"})
    work, by_cores = copying.work(found, tile, 8, FOUR), IM2COL.work(found, tile, 8, FOUR)
    assert work.dma_cycles == 16 * 3 * (10 + 2)  # of all pixels: 3 · 4 operands, 8 a cycle
    assert by_cores.instructions - work.instructions == 2 * 3 * 2 * 3  # no loads, no stores
    few, one = layer(Op.CONV, (1, 1, 4), channels=64, kernel=(3, 3))
    assert copying.work(few, one, 8, FOUR).dma_cycles == 8 * 3 * (10 + 2)  # cores share channels: each its own copy


def test_an_addition_loads_words_and_rescales_elements() -> None:
    rows = [LayerRow("a", Op.CONV, channels=8), LayerRow("b", Op.ADD, reads=("a", "a"))]
    found = build_network("net", (4, 4, 8), rows).layers[1]
    (tile,) = tile_layer(found, 10**7)
    assert IM2COL.work(found, tile, 8, FOUR) == Work(16 * 5 + 8 + 4, 12)  # 16 outputs a core, 32 elements read


def test_a_sum_of_three_maps_rescales_and_adds_one_more() -> None:
    rows = [LayerRow("a", Op.CONV, channels=8), LayerRow("b", Op.ADD, reads=("a", "a", "input"))]
    found = build_network("net", (4, 4, 8), rows).layers[1]
    (tile,) = tile_layer(found, 10**7)
    # 3 rescaled, 2 sums, shift, clip; 48 elements read and 16 written a core, in words of four.
    assert IM2COL.work(found, tile, 8, FOUR) == Work(16 * (3 + 2 + 1 + 1) + 12 + 4, 16)
