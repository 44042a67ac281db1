"""GAP9: geometry of its engine, which block runs what, and what its two networks take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tlm3d import load_platform
from tlm3d.blocks.cnn_accelerator import CnnAccelerator
from tlm3d.cnn.layers import Op
from tlm3d.cnn.network import LayerRow, build_network
from tlm3d.cnn.tiling import tile_layer
from tlm3d.dataflows.bit_serial import BitSerial
from tlm3d.spec.network import load_network
from validation.gap9 import network_of, run

SILICON = Path(__file__).parents[2] / "platforms" / "silicon"
CHIP: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "gap9.yaml").read_text(encoding="utf-8"))
ROWS = CHIP["mlperf"]["rows"]
NAMES = [row["name"] for row in ROWS]
ON_CORES = {
    "kws": {"conv0", "avgpool9", "softmax12"},
    "ad": {"fc4"},
    "vww": {"avgpool27", "softmax30"},
    "ic": {"add3", "add7", "add11", "avgpool12", "softmax15"},
}


def engine() -> CnnAccelerator:
    found = load_platform(SILICON / "gap9.yaml").dies["chip"].blocks["ne16"]
    assert isinstance(found, CnnAccelerator)
    return found


def test_the_engine_is_the_one_of_its_rtl() -> None:
    ne16, block = CHIP["ne16"], engine()
    assert isinstance(block.dataflow, BitSerial)
    assert block.array == (ne16["rows"], ne16["columns"])
    assert block.dataflow.port == ne16["port"]
    assert block.dataflow.macs_per_cycle(block.array) == ne16["units"]


@pytest.mark.parametrize(
    ("row", "shape", "phases"),
    [
        (LayerRow("conv", Op.CONV, channels=32, kernel=(3, 3), weight_bits=5), (3, 3, 16), 160),
        (LayerRow("pointwise", Op.CONV, channels=32, weight_bits=5), (3, 3, 16), 32),
        (LayerRow("linear", Op.LINEAR, channels=32, weight_bits=5), (1, 1, 256), 160),
    ],
    ids=lambda value: value.name if isinstance(value, LayerRow) else None,
)
def test_loads_are_as_long_as_in_the_rtl(row: LayerRow, shape: tuple[int, int, int], phases: int) -> None:
    # A second block of inputs adds a load, its products, two short phases and control.
    block = engine()
    once, twice = (
        sum(block.cost(one, tile).cycles for tile in tile_layer(one, 10**6))
        for deep in (1, 2)
        for one in build_network("net", (*shape[:2], deep * shape[2]), [row]).layers
    )
    assert twice - once == CHIP["ne16"]["loads"][row.name] + phases + 3 * 6 + 2


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_what_the_engine_has_no_kernel_for_or_was_submitted_so_goes_to_the_cores(row: dict[str, Any]) -> None:
    cores = {layer.work.name for layer in run(row).layers if "cluster" in layer.work.block}
    assert cores == ON_CORES[row["name"]]


@pytest.mark.parametrize("point", ["low", "high"])
@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_latency_with_one_parameter_fitted_to_two_of_four_networks(row: dict[str, Any], point: str) -> None:
    assert run(row, point=point).response_ps / 1e12 == pytest.approx(1 / row["inferences_per_s"][point], rel=0.12)


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_weights_of_eight_bits_compute_longer(row: dict[str, Any]) -> None:
    # But for pointwise layers, whose weights are read side by side.
    narrow, wide = run(row), run(row | {"weight_bits": 8})
    assert wide.buckets_ps["compute"] > narrow.buckets_ps["compute"]


@pytest.mark.parametrize("name", ["ds_cnn_kws_5b", "mobilenet_v1_025_96_5b", "resnet8_7b"])
def test_the_networks_beside_the_chip_are_those_of_the_submission(name: str) -> None:
    (row,) = (row for row in ROWS if name == f"{row['network']}_{row['weight_bits']}b")
    shipped, submitted = load_network(SILICON / "networks" / f"{name}.yaml"), network_of(row)
    assert [one for one in shipped.layers if one.weights] == [one for one in submitted.layers if one.weights]
