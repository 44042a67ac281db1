"""Cycles of the dataflows, worked by hand: what windows, folds and tiles lose."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlm3d.blocks.cnn_accelerator import CnnAccelerator
from tlm3d.cnn.layers import Layer, Op
from tlm3d.cnn.network import LayerRow, build_network
from tlm3d.cnn.tiling import tile_layer


def layer(op: Op, shape: tuple[int, int, int] = (4, 5, 6), **keys: Any) -> Layer:
    (found,) = build_network("net", shape, [LayerRow("one", op, **keys)]).layers
    return found


def cycles(dataflow: Any, array: tuple[int, int], one: Layer, local_bytes: int = 10**6, **keys: str) -> list[int]:
    """Cycles of every tile of ``one``."""
    block = CnnAccelerator.model_validate(
        {"kind": "cnn-accelerator", "array": [str(n) for n in array], "clock": "1 GHz", "local": "1 MiB",
         "dataflow": dataflow, **keys}
    )  # fmt: skip
    assert block.supports(one.kind)
    return [block.cost(one, tile).cycles for tile in tile_layer(one, local_bytes)]


WINDOW = {"kind": "sliding-window", "kernel": "3", "channels": ["4", "8"]}  # on 2 x 4: 2 · 2 cycles a position


@pytest.mark.parametrize(
    ("one", "positions", "passes"),
    [
        # 4 x 5 outputs of "same": the window comes from and goes over a border of zeros.
        (layer(Op.CONV, channels=10, kernel=(3, 3)), 6 * 7, 2 * 2),
        (layer(Op.CONV, channels=10, kernel=(1, 1)), 6 * 7, 2 * 2),  # a pixel in the same window
        (layer(Op.CONV, channels=8, kernel=(5, 3)), 6 * 7, 2 * 2),  # two pieces of its height, 2 x 1 passes each
        (layer(Op.CONV, channels=8, kernel=(3, 3), stride=(2, 2)), 5 * 7, 2),  # 2 x 3 outputs, two positions apart
        (layer(Op.DEPTHWISE, kernel=(3, 3)), 6 * 7, 2),  # 6 channels, 4 on the diagonal of a pass
    ],
    ids=["kernel of the window", "smaller", "larger", "stride", "depthwise"],
)
def test_a_window_visits_every_position_in_every_pass(one: Layer, positions: int, passes: int) -> None:
    assert cycles(WINDOW, (2, 4), one) == [positions * passes * 4]


def test_a_pass_has_the_channels_of_the_array_where_it_does_not_say() -> None:
    one = layer(Op.CONV, channels=8, kernel=(3, 3))
    assert cycles({"kind": "sliding-window", "kernel": "3"}, (2, 4), one) == [6 * 7 * 3 * 2]


def test_a_window_fills_anew_for_every_band_of_rows() -> None:
    # One output channel, two bands of five rows: 2 · (7·5·4 + 36 + 5·3) = 382 B.
    one = layer(Op.CONV, shape=(12, 5, 4), channels=1, kernel=(3, 3), padding="valid", bias=False)
    assert cycles(WINDOW, (2, 4), one) == [12 * 5 * 4]
    assert cycles(WINDOW, (2, 4), one, local_bytes=382) == [7 * 5 * 4, 7 * 5 * 4]  # two rows are visited twice


def test_a_group_of_outputs_takes_whole_passes() -> None:
    # All of it takes 2 · (12·5·4 + 4·36 + 10·3·4) = 1008 B, one output at a time 2 · (12·5·4 + 36 + 10·3) = 612 B.
    one = layer(Op.CONV, shape=(12, 5, 4), channels=4, kernel=(3, 3), padding="valid", bias=False)
    assert cycles(WINDOW, (2, 4), one, local_bytes=1008) == [12 * 5 * 4]
    assert cycles(WINDOW, (2, 4), one, local_bytes=612) == [12 * 5 * 4] * 4


def test_a_systolic_array_fills_and_drains_for_every_band_of_rows() -> None:
    one = layer(Op.CONV, shape=(12, 5, 4), channels=1, kernel=(3, 3), padding="valid", bias=False)
    held = {"kind": "systolic", "stationary": "weight"}
    # 36 weights in folds of 8, one output in a fold of 4; 30 pixels pass, or 15 twice.
    assert cycles(held, (8, 4), one) == [5 * (30 + 16 + 4 - 2)]
    assert cycles(held, (8, 4), one, local_bytes=382) == [5 * (15 + 16 + 4 - 2)] * 2


@pytest.mark.parametrize(
    ("one", "computing", "moved"),
    [
        # 4 x 5 outputs on 2 rows: 3 steps a row of the image, 12 in all.
        (layer(Op.CONV, channels=10, kernel=(3, 3)), 12 * 3 * 6 * 9, 20 * 16),  # 10 outputs on 4 columns
        (layer(Op.CONV, channels=8, kernel=(1, 1)), 12 * 2 * 6, 20 * 14),
        (layer(Op.CONV, channels=4, kernel=(3, 3), stride=(2, 2)), 2 * 2 * 6 * 9, 6 * 10),  # 2 x 3 outputs
        (layer(Op.DEPTHWISE, kernel=(3, 3)), 12 * 6 * 9, 20 * 12),  # one column, a channel after the other
        (layer(Op.LINEAR, channels=10), 3 * 120, 130),  # one pixel
    ],
    ids=["conv", "pointwise", "stride", "depthwise", "linear"],
)
def test_pixels_of_an_image_row_run_side_by_side_and_stream_in_and_out(one: Layer, computing: int, moved: int) -> None:
    assert cycles("pixel-channel", (2, 4), one) == [computing]
    assert cycles({"kind": "pixel-channel", "stream": "8"}, (2, 4), one) == [computing + -(-moved // 8)]


def test_setting_up_a_tile_and_the_vector_unit_are_the_block_s_whatever_the_dataflow() -> None:
    keys = {"tile_setup": "7", "elements_per_cycle": "5"}
    pool = layer(Op.POOL, kernel=(2, 2), stride=(2, 2))  # 96 elements
    assert cycles(WINDOW, (2, 4), pool, **keys) == [7 + 20]
    assert cycles(WINDOW, (2, 4), layer(Op.DEPTHWISE, kernel=(3, 3)), **keys) == [7 + 6 * 7 * 2 * 4]


def test_a_convolver_runs_no_fully_connected_layer() -> None:
    keys = {"kind": "cnn-accelerator", "array": ["2", "4"], "clock": "1 GHz", "local": "1 MiB"}
    runs = {
        str(dataflow): CnnAccelerator.model_validate({**keys, "dataflow": dataflow}).supports("linear")
        for dataflow in ("channel-parallel", WINDOW, {"kind": "systolic", "stationary": "input"})
    }
    assert list(runs.values()) == [True, False, True]


# ------------------------------------------------------------------ bit-serial, with the lengths of NE16

NE16 = (16, 32)
# Of a block of 16 input channels: pipelines filled three times, the patch, the products, control.
BLOCK = 6 + 6 + 6 + 2
# Of 32 outputs a pixel: shift and scale by four multipliers, bias by eight adders; nine words out.
FINISH = 8 + (9 + 8) + (8 + 4) + (4 + 9)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        # 16 channels in, 32 out, 3 x 3 pixels: one block, 32 channels of 8 bits.
        (layer(Op.CONV, (3, 3, 16), channels=32, kernel=(3, 3)), BLOCK + 25 + 32 * 8 + FINISH),
        (layer(Op.CONV, (3, 3, 16), channels=32, kernel=(3, 3), weight_bits=3), BLOCK + 25 + 32 * 3 + FINISH),
        # Its columns 0, 2, 6, 8 of 3 x 3: 2 x 2 outputs of the same time.
        (layer(Op.CONV, (4, 4, 16), channels=32, kernel=(3, 3), stride=(2, 2)), BLOCK + 25 + 32 * 8 + FINISH),
        # 13 cycles for nine pixels: two rows of five are passed over and three of the next.
        (layer(Op.CONV, (3, 3, 16), channels=32), BLOCK + 13 + 32 + FINISH),
        (layer(Op.CONV, (3, 3, 16), channels=32, weight_bits=2), BLOCK + 13 + 32 + FINISH),
        (layer(Op.CONV, (3, 3, 40), channels=32), 3 * (BLOCK + 13 + 32) + FINISH),
        (layer(Op.CONV, (4, 3, 16), channels=32), 2 * (BLOCK + 13 + 32 + FINISH)),
        # 32 channels, then 8: shift 2, scale 9 + 2, bias 8 + 1, out 4 + 9.
        (layer(Op.CONV, (3, 3, 16), channels=40), BLOCK + 13 + 32 + FINISH + BLOCK + 13 + 8 + 2 + 11 + 9 + 13),
        # 16 channels a tile, each with a step of offset; shift 4, scale 9 + 4, bias 8 + 2.
        (layer(Op.DEPTHWISE, (3, 3, 16), kernel=(3, 3)), BLOCK + 25 + 16 + 16 * 8 + 4 + 13 + 10 + 13),
        (layer(Op.DEPTHWISE, (3, 3, 16), kernel=(3, 3), weight_bits=4), BLOCK + 25 + 16 + 16 * 4 + 4 + 13 + 10 + 13),
        # 256 inputs at a time, 16 in a cycle of the load; a bit of 256 weights a cycle.
        (layer(Op.LINEAR, (1, 1, 256), channels=32, weight_bits=6), BLOCK + 16 + 32 * 6 + FINISH),
        (layer(Op.LINEAR, (1, 1, 257), channels=32, weight_bits=6), 2 * (BLOCK + 16 + 32 * 6) + FINISH),
    ],
)
def test_a_bit_serial_tile_takes_its_phases_one_after_the_other(one: Layer, expected: int) -> None:
    assert cycles("bit-serial", NE16, one) == [expected]


def test_a_fully_connected_layer_may_be_one_pixel_of_nine() -> None:
    one = layer(Op.LINEAR, (1, 1, 256), channels=32, weight_bits=6)
    assert cycles({"kind": "bit-serial", "linear": "pixel"}, NE16, one) == [16 * (BLOCK + 13 + 32) + FINISH]


def test_a_narrow_port_feeds_the_bits_of_a_step_in_several_words() -> None:
    one = layer(Op.CONV, (3, 3, 16), channels=32, kernel=(3, 3))
    # Two words for 16 pixels' bytes, two for 144 bits of weights; four for 32 outputs.
    expected = BLOCK + 25 * 2 + 32 * 8 * 2 + 8 + 17 + 12 + 4 + 9 * 4
    assert cycles({"kind": "bit-serial", "port": "64"}, NE16, one) == [BLOCK + 50 + 32 * 8 * 3 + 8 + 17 + 12 + 4 + 36]
    assert cycles({"kind": "bit-serial", "port": "72"}, NE16, one) == [expected]


@pytest.mark.parametrize("bits", range(1, 9))
@pytest.mark.parametrize(("kernel", "peak"), [((3, 3), 1296), ((1, 1), 144)])
def test_deep_layers_come_near_the_peak_of_their_bits(kernel: tuple[int, int], peak: int, bits: int) -> None:
    # 1296 products of a bit: 1296/bits MAC a cycle; 144 with all bits of a weight at once, of any width.
    one = layer(Op.CONV, (3, 3, 1600), channels=32, kernel=kernel, weight_bits=bits, padding="same")
    free = {"kind": "bit-serial", "fill": "0"}
    (count,) = cycles(free, NE16, one, local_bytes=10**7)
    steps = 100 * 32 * (bits if peak == 1296 else 1)
    assert one.macs == steps * peak // (bits if peak == 1296 else 1)
    assert count == steps + 100 * ((25 if peak == 1296 else 13) + 2) + FINISH


def test_other_kernels_strides_and_bits_do_not_run_on_an_engine_for_three_by_three() -> None:
    block = CnnAccelerator.model_validate(
        {"kind": "cnn-accelerator", "array": ["16", "32"], "clock": "1 GHz", "local": "1 MiB", "dataflow": "bit-serial"}
    )
    keys: list[dict[str, Any]] = [
        {"kernel": (10, 4)}, {"kernel": (3, 1)}, {"stride": (3, 3)}, {"stride": (2, 1)}, {"weight_bits": 9},
        {"kernel": (3, 3), "stride": (2, 2), "weight_bits": 2},
    ]  # fmt: skip
    runs = [block.runs(layer(Op.CONV, (12, 12, 4), channels=4, **one)) for one in keys]
    assert runs == [False] * 5 + [True]
    assert not block.runs(layer(Op.DEPTHWISE, (12, 12, 4), kernel=(5, 5)))
    assert not block.runs(layer(Op.DEPTHWISE, (12, 12, 4), kernel=(1, 1)))
    (wide,) = build_network("net", (4, 4, 4), [LayerRow("one", Op.CONV, channels=4)], activation_bits=16).layers
    assert not block.runs(wide)


@pytest.mark.parametrize(
    ("dataflow", "groups"),
    [("bit-serial", [32, 32, 32]), ("channel-parallel", [48, 48])],
)
def test_tiles_are_cut_for_the_columns_of_an_engine_where_its_dataflow_asks(dataflow: str, groups: list[int]) -> None:
    # Half of the channels fit, but 48 take a whole group and half of one: no bytes more for three groups of 32.
    one = layer(Op.CONV, (3, 3, 16), channels=96, bias=False)
    block = CnnAccelerator.model_validate(
        {"kind": "cnn-accelerator", "array": ["16", "32"], "clock": "1 GHz", "local": "3000 B", "dataflow": dataflow}
    )
    assert [tile.out_channels for tile in block.tiles(one, weights_resident=False)] == groups


def test_with_one_buffer_computing_counts_even_where_moving_takes_longer() -> None:
    # Folds of 16 + 8 + 8 - 2 cycles: two groups of 20 channels take six, groups of eight five. To move 16 + 640 +
    # 40 B takes 348 cycles, which come on top: 498 are less than 528 by more than a part in 32.
    block = CnnAccelerator.model_validate({
        "kind": "cnn-accelerator", "array": ["8", "8"], "clock": "1 GHz", "local": "380 B", "buffers": "1",
        "dma": {"rate": "1 Gbit/s", "lanes": "16"}, "dataflow": {"kind": "systolic", "stationary": "output"},
    })  # fmt: skip
    tiles = block.tiles(layer(Op.LINEAR, (1, 1, 16), channels=40, bias=False), weights_resident=False)
    assert [tile.out_channels for tile in tiles] == 5 * [8]


# ------------------------------------------------------------------ near-memory: 4 lanes of 3 products


def near(broadcast: str, word: int = 10**6, reuse: int = 1) -> dict[str, str]:
    return {"kind": "near-memory", "broadcast": broadcast, "word": str(word), "reuse": str(reuse)}


@pytest.mark.parametrize(
    ("one", "by_channels", "by_pixels"),
    [
        # 4 x 5 pixels, 10 channels, 9 · 6 summands in 18 steps; linear: 120 in 40; depthwise: nine in three.
        (layer(Op.CONV, channels=10, kernel=(3, 3)), 3 * 20 * 18, 5 * 10 * 18),
        (layer(Op.LINEAR, channels=10), 3 * 40, 10 * 40),
        (layer(Op.DEPTHWISE, kernel=(3, 3)), 2 * 20 * 3, 5 * 6 * 3),
    ],
)
def test_lanes_take_channels_or_pixels(one: Layer, by_channels: int, by_pixels: int) -> None:
    assert cycles(near("pixels"), (4, 3), one) == [by_channels]
    assert cycles(near("weights"), (4, 3), one) == [by_pixels]


@pytest.mark.parametrize(
    ("one", "broadcast", "reuse", "bits"),
    [
        # Lanes see 60 pixels of a byte; ten channels read 54 weights of four bits for each of 20 pixels, or 4 times.
        (layer(Op.CONV, channels=10, kernel=(3, 3), weight_bits=4), "pixels", 1, 54 * (60 * 8 + 10 * 20 * 4)),
        (layer(Op.CONV, channels=10, kernel=(3, 3), weight_bits=4), "pixels", 5, 54 * (60 * 8 + 10 * 4 * 4)),
        (layer(Op.CONV, channels=10, kernel=(3, 3), weight_bits=4), "weights", 5, 54 * (50 * 4 + 20 * 2 * 8)),
        # Six channels of 20 outputs read their own pixels; their weights are kept, or pixels are of no use to others.
        (layer(Op.DEPTHWISE, kernel=(3, 3), weight_bits=4), "pixels", 20, 9 * (120 * 8 + 6 * 4)),
        (layer(Op.DEPTHWISE, kernel=(3, 3), weight_bits=4), "weights", 20, 9 * (30 * 4 + 120 * 8)),
    ],
)
def test_lanes_wait_for_the_words_of_their_memory(one: Layer, broadcast: str, reuse: int, bits: int) -> None:
    assert cycles(near(broadcast, 7, reuse), (4, 3), one) == [-(-bits // 7)]


# ------------------------------------------------------------------ laws of both

BIT_SERIAL = {"kind": "bit-serial", "port": "100", "multipliers": "3"}
LAYERS = st.tuples(
    st.sampled_from([(Op.CONV, 1), (Op.CONV, 3), (Op.DEPTHWISE, 3), (Op.LINEAR, 1)]),
    st.tuples(*[st.integers(1, 12)] * 2, st.integers(1, 70)),
    st.integers(1, 70),
    st.integers(1, 8),
)


def drawn(what: tuple[Op, int], shape: tuple[int, int, int], channels: int, bits: int) -> Layer:
    op, k = what
    keys: dict[str, Any] = {} if op is Op.LINEAR else {"kernel": (k, k)}
    return layer(op, shape, weight_bits=bits, **keys, **({} if op is Op.DEPTHWISE else {"channels": channels}))


@given(LAYERS, st.sampled_from([BIT_SERIAL, near("pixels", 64, 3), near("weights", 64, 3)]))
def test_more_bits_channels_or_inputs_never_take_fewer_cycles(
    one: tuple[tuple[Op, int], tuple[int, int, int], int, int], dataflow: dict[str, str]
) -> None:
    what, (height, width, deep), channels, bits = one
    (count,) = cycles(dataflow, (8, 12), drawn(*one))
    larger = [
        (what, (height + 1, width, deep), channels, bits),
        (what, (height, width, deep + 1), channels, bits),
        (what, (height, width, deep), channels + 1, bits),
        (what, (height, width, deep), channels, min(8, bits + 1)),
    ]
    assert all(cycles(dataflow, (8, 12), drawn(*two))[0] >= count for two in larger)


@given(LAYERS, st.sampled_from(["pixels", "weights"]), st.integers(1, 500), st.integers(1, 20))
def test_wider_words_and_more_reuse_never_make_lanes_slower(
    one: tuple[tuple[Op, int], tuple[int, int, int], int, int], broadcast: str, word: int, reuse: int
) -> None:
    (count,) = cycles(near(broadcast, word, reuse), (8, 12), drawn(*one))
    assert cycles(near(broadcast, word + 1, reuse), (8, 12), drawn(*one))[0] <= count
    assert cycles(near(broadcast, word, reuse + 1), (8, 12), drawn(*one))[0] <= count
