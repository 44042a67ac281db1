"""Cycles of the dataflows, worked by hand: what windows, folds and tiles lose."""

from __future__ import annotations

from typing import Any

import pytest

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
