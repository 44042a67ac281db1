"""GAP9: geometry of its engine, which block runs what, and what its networks take."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tlm3d import load_platform
from tlm3d.analysis.explain import Explanation
from tlm3d.blocks.cnn_accelerator import CnnAccelerator
from tlm3d.cnn.layers import Op
from tlm3d.cnn.network import LayerRow, Network, build_network
from tlm3d.cnn.tiling import tile_layer
from tlm3d.dataflows.bit_serial import BitSerial
from tlm3d.simulation import explain
from tlm3d.spec.network import load_network
from tlm3d.spec.pair import read_platform

SILICON = Path(__file__).parents[2] / "platforms" / "silicon"
CHIP: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "gap9.yaml").read_text(encoding="utf-8"))
ROWS = CHIP["mlperf"]["rows"]
ALL = [*ROWS, *CHIP["mlperf"]["others"]]
DEPLOYED = CHIP["mlperf"]["deployed"]
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


def network(name: str) -> Network:
    return load_network(SILICON / "networks" / f"{name}.yaml")


def inference(row: dict[str, Any], *settings: str) -> Explanation:
    mapped = dict.fromkeys(DEPLOYED["on_cores"].get(row["name"], []), "cluster")
    return explain(read_platform(str(SILICON / "gap9.yaml"), settings), network(row["network"]), "ne16", mapped)


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


@pytest.mark.parametrize("row", ALL, ids=lambda row: row["name"])
def test_what_the_engine_has_no_kernel_for_or_was_not_given_goes_to_the_cores(row: dict[str, Any]) -> None:
    cores = {layer.work.name for layer in inference(row).layers if "cluster" in layer.work.block}
    assert cores == ON_CORES[row["name"]]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_latency_with_one_parameter_fitted_to_both_networks(row: dict[str, Any]) -> None:
    assert inference(row).response_ps / 1e9 == pytest.approx(row["ms"], rel=0.12)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_weights_of_eight_bits_compute_longer(row: dict[str, Any]) -> None:
    described, narrow = load_platform(SILICON / "gap9.yaml"), network(row["network"])
    wide = replace(narrow, layers=tuple(replace(layer, weight_bits=8) for layer in narrow.layers))
    # Waiting is another matter: what no longer fits is cut, and tiles load while others compute.
    less, more = (explain(described, one, "ne16").buckets_ps["compute"] for one in (narrow, wide))
    assert more > less


def test_cycles_do_not_depend_on_the_clock() -> None:
    # Both operating points were measured: what is not on the chip's clocks would show here.
    (slow_mhz, mhz), slow = CHIP["mlperf"]["fast"]["mhz"], {row["name"]: row["ms"] for row in ALL}
    for row in CHIP["mlperf"]["fast"]["rows"]:
        assert row["ms"] * mhz == pytest.approx(slow[row["name"]] * slow_mhz, rel=2e-3)


@pytest.mark.parametrize("row", ALL, ids=lambda row: row["name"])
def test_latency_of_all_four_networks(row: dict[str, Any]) -> None:
    # Two of them nothing is fitted to; where it is known why they are slower, see docs/validation.md.
    assert inference(row).response_ps / 1e9 == pytest.approx(row["ms"], rel=0.25)


@pytest.mark.parametrize("row", ALL, ids=lambda row: row["name"])
def test_maps_that_stay_in_l1_take_less(row: dict[str, Any]) -> None:
    home = [f"dies.chip.blocks.{block}.home=l1" for block in ("ne16", "cluster")]
    wide = [f"dies.chip.blocks.{block}.dma.lanes=512" for block in ("ne16", "cluster")]
    assert inference(row, *home, *wide).response_ps < inference(row).response_ps


@pytest.mark.parametrize("row", ALL, ids=lambda row: row["name"])
def test_the_networks_are_those_that_are_shipped_but_for_their_weights(row: dict[str, Any]) -> None:
    name = row["network"].rpartition("_")[0]
    shipped = load_network(SILICON.parents[1] / "workloads" / "networks" / f"{name}.yaml")
    found = network(row["network"])
    bits = {layer.weight_bits for layer in found.layers if layer.weights and layer.kernel != (10, 4)}
    assert bits == {DEPLOYED["weight_bits"][row["name"]]}
    assert [replace(layer, weight_bits=8) for layer in found.layers] == [
        replace(layer, weight_bits=8) for layer in shipped.layers
    ]
    assert bits == {int(row["what"].split()[-2])}
