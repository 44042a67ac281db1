"""Systolic arrays against the table of stall-free cycles: no cycle of difference on any row."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from tlm3d.blocks.cnn_accelerator import CnnAccelerator
from tlm3d.cnn.layers import Layer, Op
from tlm3d.cnn.network import LayerRow, build_network
from tlm3d.cnn.tiling import tile_layer

STATIONARY = {"os": "output", "ws": "weight", "is": "input"}
Row = dict[str, str]

with (Path(__file__).parent / "systolic_cycles.csv").open(encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(file))


def block(row: Row) -> CnnAccelerator:
    """The row's array, with a local memory that takes any of these layers in one tile."""
    return CnnAccelerator.model_validate(
        {"kind": "cnn-accelerator", "array": [row["array_rows"], row["array_cols"]], "clock": "1 GHz",
         "local": "1 GiB", "dataflow": {"kind": "systolic", "stationary": STATIONARY[row["dataflow"]]}}
    )  # fmt: skip


def layer(row: Row, op: Op = Op.CONV) -> Layer:
    """The row's layer; as the table has them, a convolution without padding."""
    shape = (int(row["ifmap_h"]), int(row["ifmap_w"]), int(row["channels"]))
    kernel, stride = (int(row["filt_h"]), int(row["filt_w"])), (int(row["stride"]),) * 2
    keys = {} if op is Op.LINEAR else {"kernel": kernel, "stride": stride, "padding": "valid"}
    channels = None if op is Op.DEPTHWISE else int(row["num_filters"])
    (found,) = build_network("net", shape, [LayerRow("one", op, channels=channels, **keys)]).layers
    return found


def cycles(row: Row, one: Layer) -> int:
    spec = block(row)
    assert spec.supports(one.kind)
    (tile,) = tile_layer(one, spec.local_bytes)
    return spec.cost(one, tile).cycles


def test_the_table_has_every_dataflow_on_arrays_of_three_sizes() -> None:
    found = Counter((row["dataflow"], row["array_rows"]) for row in ROWS)
    assert found == {(name, size): 8 + (size == "32") for name in STATIONARY for size in ("8", "16", "32")}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['layer']}-{row['dataflow']}-{row['array_rows']}")
def test_a_systolic_array_takes_the_cycles_of_the_table(row: Row) -> None:
    one = layer(row)
    assert one.macs == int(row["macs"])
    assert cycles(row, one) == int(row["total_cycles"])


@pytest.mark.parametrize("row", [row for row in ROWS if row["layer"].startswith("fc")], ids=str)
def test_a_fully_connected_layer_is_a_convolution_of_one_pixel(row: Row) -> None:
    assert cycles(row, layer(row, Op.LINEAR)) == int(row["total_cycles"])


@pytest.mark.parametrize("row", [row for row in ROWS if row["layer"] == "dw_DP_percell"], ids=str)
def test_a_depthwise_layer_takes_the_cell_of_the_table_for_each_channel(row: Row) -> None:
    many = row | {"channels": "32"}
    assert cycles(row, layer(row, Op.DEPTHWISE)) == int(row["total_cycles"])
    assert cycles(many, layer(many, Op.DEPTHWISE)) == 32 * int(row["total_cycles"])
