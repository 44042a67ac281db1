"""The layer of docs/example.md explained: what the page works out by hand, and what bounds it as vias get slower."""

from __future__ import annotations

from collections.abc import Mapping

from reference.documented_example import example_files, example_network, example_platform

from tlm3d.analysis.explain import Explanation, LayerCost
from tlm3d.simulation import explain
from tlm3d.spec.network import network_of
from tlm3d.spec.source import parse

NS = 1000  # ps


def explained(settings: Mapping[str, str] = {}) -> tuple[Explanation, LayerCost]:
    found = explain(example_platform(settings), example_network())
    (layer,) = found.layers
    return found, layer


def test_the_work_of_the_layer_is_that_of_the_page() -> None:
    _, layer = explained()
    work = layer.work
    assert (work.name, work.op, work.block) == ("mix", "pointwise", "npu.array")
    assert (work.input_bytes, work.weight_bytes, work.output_bytes) == (512, 64, 512)
    assert (work.macs, work.tiles, work.cycles) == (4096, 2, 320)
    assert layer.macs_per_cycle == 4096 / 320


def test_the_time_of_the_layer_is_the_response_of_the_page_and_mostly_compute() -> None:
    found, layer = explained()
    assert found.response_ps == layer.time_ps == 4916 * NS
    assert layer.compute_ps == 3200 * NS
    assert (layer.bound, layer.where) == ("compute", "npu.array")
    assert found.buckets_ps == {"compute": 3200 * NS, "link-transfer": 1716 * NS}


def test_the_energy_is_that_of_computing_the_vias_and_the_memory() -> None:
    found, layer = explained()
    assert layer.energy_aj == 3_200_000_000 + 204_800_000 + 230_400_000 + 2_585_600_000
    # Until 4916 ns: active 30 uW for 3200 ns, idle 20 uW for 1716 ns, leakage of 15 uW all the time.
    assert found.unowned_aj == 96_000_000 + 34_320_000 + 73_740_000


def test_a_layer_is_bound_by_compute_when_half_of_its_time_is() -> None:
    # At 50 Mbit/s the page has 6356 ns, of which 3200 are computing: just more than half.
    _, layer = explained({"links.tsv.rate": "50 Mbit/s"})
    assert (layer.time_ps, layer.bound) == (6356 * NS, "compute")


def test_a_layer_that_computes_for_less_than_half_of_its_time_is_not_bound_by_it() -> None:
    # At 43 Mbit/s a tile still loads in less than it computes, but 3200 ns are only 47 % of the time.
    _, layer = explained({"links.tsv.rate": "43 Mbit/s"})
    assert layer.compute_ps == 3200 * NS
    assert 2 * layer.compute_ps < layer.time_ps < 3 * layer.compute_ps
    assert (layer.bound, layer.where) == ("link", "tsv:logic>npu")


def test_each_of_two_layers_has_the_energy_of_its_own_tiles_and_transfers() -> None:
    text = example_files()["net.yaml"]
    half = "  - {name: half, op: conv, channels: 4, kernel: [1, 1], bias: false}\n"
    first, second = explain(example_platform(), network_of(parse(text + half, "net.yaml"))).layers
    assert first.energy_aj == explained()[1].energy_aj
    # Two tiles of 32 cycles to set up and 32 pixels x 2 passes: 192 cycles of 3.6 pJ; 64 x 8 x 4 MAC of 0.5 pJ.
    # Down 8 x (512 + 32) bit of 0.25 pJ, up 8 x 256 bit of 0.35 pJ, and 0.05 pJ for each of them on the vias.
    assert (second.work.tiles, second.work.cycles) == (2, 192)
    assert second.energy_aj == 691_200_000 + 1_024_000_000 + 1_088_000_000 + 716_800_000 + 320_000_000
    assert first.time_ps > 0 < second.time_ps


def test_slow_vias_bound_the_layer_in_the_direction_that_took_most_of_it() -> None:
    # At 25 Mbit/s a burst takes 640 ns: weights 732, inputs and outputs of a tile 2652 each. Tile 0 is loaded at 3384,
    # tile 1 at 6036, computed at 7636, stored at 10288. Down 732 + 2652 + 2652, compute 1600, up 2652.
    found, layer = explained({"links.tsv.rate": "25 Mbit/s"})
    assert (found.response_ps, layer.compute_ps) == (10288 * NS, 1600 * NS)
    assert (layer.bound, layer.where) == ("link", "tsv:logic>npu")


def test_a_slow_memory_bounds_the_layer_by_its_port() -> None:
    # 0.5 Gbit/s: 1024 ns a burst at the port, far more than the 160 ns on the vias.
    _, layer = explained({"dies.logic.blocks.l2.rate": "0.5 Gbit/s"})
    assert (layer.bound, layer.where) == ("memory", "logic.l2")


def test_weights_that_stay_beside_the_array_are_not_moved() -> None:
    found, layer = explained({"dies.npu.blocks.array.weight_memory": "64 B"})
    assert layer.work.weight_bytes == 0
    assert found.boot_bytes == 64
