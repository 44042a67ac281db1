"""Cycles and energy of a tile, worked by hand from the stated rates."""

from __future__ import annotations

from typing import Any

import pytest

from tlm3d.blocks.cnn_accelerator import CnnAccelerator
from tlm3d.blocks.riscv_cluster import RiscvCluster
from tlm3d.cnn.layers import Layer, Op
from tlm3d.cnn.network import LayerRow, build_network
from tlm3d.cnn.tiling import Tile, tile_layer

PJ = 10**6  # aJ


def layer(op: Op, shape: tuple[int, int, int] = (4, 5, 6), **keys: Any) -> tuple[Layer, Tile]:
    """One layer on ``shape`` and the single tile it makes where everything fits."""
    (found,) = build_network("net", shape, [LayerRow("one", op, **keys)]).layers
    (tile,) = tile_layer(found, 10**6)
    return found, tile


LAYERS = {
    "conv": layer(Op.CONV, channels=10, kernel=(3, 3)),  # 20 pixels, 9 taps, 6 in, 10 out: 10 800 MAC
    "depthwise": layer(Op.DEPTHWISE, kernel=(3, 3)),  # 20 pixels, 9 taps, 6 channels: 1080 MAC
    "linear": layer(Op.LINEAR, channels=10),  # 120 in, 10 out: 1200 MAC
    "pool": layer(Op.POOL, kernel=(2, 2), stride=(2, 2)),  # 4 pixels (2 x 2), 6 channels, 4 taps: 96 elements
    "softmax": layer(Op.SOFTMAX, shape=(1, 1, 10)),  # 10 elements
}


@pytest.mark.parametrize(
    ("name", "cycles", "macs"),
    [
        ("conv", 7 + 20 * 9 * 2 * 3, 10_800),  # 6 channels on 4 rows: 2 passes; 10 on 4 columns: 3
        ("depthwise", 7 + 20 * 9 * 1 * 2, 1080),  # one row; 6 channels on 4 columns
        ("linear", 7 + 30 * 3, 1200),  # 120 inputs on 4 rows
        ("pool", 7 + 20, 0),  # 96 / 5, rounded up
    ],
)
def test_an_array_loses_what_its_rows_and_columns_do_not_divide(name: str, cycles: int, macs: int) -> None:
    block = CnnAccelerator.model_validate(
        {"kind": "cnn-accelerator", "array": ["4", "4"], "clock": "1 GHz", "local": "1 MiB", "tile_setup": "7",
         "elements_per_cycle": "5", "energy": {"cycle": "3 pJ/cycle", "mac": "2 pJ/MAC"}}
    )  # fmt: skip
    assert block.cost(*LAYERS[name]) == (cycles, (3 * cycles + 2 * macs) * PJ)


@pytest.mark.parametrize(
    ("name", "cycles", "macs"),
    [
        # On 8 cores 20 pixels take 3 rounds (24/20), 10 channels 2 (16/10): by pixels.
        ("conv", 11 + 1080, 10_800),  # 10 800 x 1.2 / 12
        ("depthwise", 11 + 432, 1080),  # 6 channels: 8/6; by pixels 1080 x 1.2 / 3
        ("linear", 11 + 320, 1200),  # one pixel; by channels 1200 x 1.6 / 6
        ("pool", 11 + 64, 0),  # 6 channels in one round, 4 pixels half the cores: 96 x 8/6 / 2
        ("softmax", 11 + 80, 0),  # not stated: 40 cycles an element and core; 10 elements in 2 rounds of 8: 16/10 x 50
    ],
)
def test_the_slowest_core_of_a_cluster_decides(name: str, cycles: int, macs: int) -> None:
    block = RiscvCluster.model_validate(
        {"kind": "riscv-cluster", "cores": "8", "clock": "1 GHz", "l1": "1 MiB", "kernel_startup": "11",
         "mac_per_cycle": {"conv": "12", "depthwise": "3", "linear": "6"}, "elements_per_cycle": {"pool": "2"},
         "energy": {"cycle": "3 pJ/cycle", "mac": "2 pJ/MAC"}}
    )  # fmt: skip
    assert block.cost(*LAYERS[name]) == (cycles, (3 * cycles + 2 * macs) * PJ)
