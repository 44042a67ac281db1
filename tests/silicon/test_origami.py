"""ORIGAMI as a cnn-accelerator: identities of its geometry, and what its borders and idle channels cost."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml

from tlm3d import load_platform
from tlm3d.blocks.cnn_accelerator import CnnAccelerator
from tlm3d.cnn.layers import Layer, Op
from tlm3d.cnn.network import LayerRow, build_network
from tlm3d.cnn.tiling import tile_layer
from tlm3d.dataflows.sliding_window import SlidingWindow

CHIP: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "origami.yaml").read_text(encoding="utf-8"))
TOLERANCE = 0.03
PJ = 10**6  # aJ
SIDES = [(7, 7), (32, 32), (240, 320), (512, 512)]


def origami(clock: str = "500 MHz", **keys: Any) -> CnnAccelerator:
    """Four units of 7 x 7 taps: one input channel for four output channels a cycle."""
    passes = [str(count) for count in CHIP["channels_per_pass"]["value"]]
    dataflow = {"kind": "sliding-window", "kernel": "7", "channels": passes}
    return CnnAccelerator.model_validate(
        {"kind": "cnn-accelerator", "array": ["1", "4"], "clock": clock, "local": "1 GiB", "dataflow": dataflow, **keys}
    )


def valid(height: int, width: int, ins: int = 8, outs: int = 8, kernel: int = 7) -> Layer:
    row = LayerRow("one", Op.CONV, channels=outs, kernel=(kernel, kernel), padding="valid")
    (found,) = build_network("net", (height, width, ins), [row]).layers
    return found


def cost(chip: CnnAccelerator, layer: Layer) -> tuple[int, int]:
    (tile,) = tile_layer(layer, chip.local_bytes)
    return chip.cost(layer, tile)


def test_the_peak_is_that_of_four_windows() -> None:
    chip = origami()
    peak = chip.dataflow.macs_per_cycle(chip.array)
    assert peak == CHIP["macs_per_cycle"]["value"]
    assert 2 * peak * chip.clock_hz / 10**9 == pytest.approx(CHIP["peak_gops"]["value"], rel=TOLERANCE)


def test_a_large_image_runs_at_the_published_peak() -> None:
    chip, layer = origami(), valid(512, 512)  # its border is 2.3 % of it
    cycles, _ = cost(chip, layer)
    gops = Fraction(2 * layer.macs, cycles) * chip.clock_hz / 10**9
    assert float(gops) == pytest.approx(CHIP["peak_gops"]["value"], rel=TOLERANCE)


def test_the_best_efficiency_is_that_of_the_power_at_its_point() -> None:
    # 196 MAC x 2 x 189 MHz is 74.1 GOPS: at 803 GOPS/W 92.3 mW (derived), 488 pJ a cycle.
    cycle_pj = 2 * 196 / CHIP["best_gops_per_w"]["value"] * 1000
    assert cycle_pj * 189e6 == pytest.approx(92.3e9, rel=1e-3)  # pW
    layer = valid(512, 512)
    _, energy_aj = cost(origami("189 MHz", energy={"cycle": f"{cycle_pj:.2f} pJ/cycle"}), layer)
    gops_per_w = 2 * layer.macs / (energy_aj * 1e-18) / 1e9
    assert gops_per_w == pytest.approx(CHIP["best_gops_per_w"]["value"], rel=TOLERANCE)


@pytest.mark.parametrize(("height", "width"), SIDES)
def test_only_positions_off_the_border_give_output(height: int, width: int) -> None:
    chip, layer = origami(), valid(height, width)
    cycles, _ = cost(chip, layer)
    share = Fraction(layer.macs, cycles * chip.dataflow.macs_per_cycle(chip.array))
    assert share == Fraction((height - 6) * (width - 6), height * width)


@pytest.mark.parametrize(("height", "width"), SIDES)
def test_one_word_goes_in_every_two_clocks(height: int, width: int) -> None:
    cycles, _ = cost(origami(), valid(height, width))
    assert cycles == 2 * height * width * 8
    # 350 million words of 12 bits a second at 700 MHz
    bytes_a_second = 700e6 / 2 * CHIP["word_bits"]["value"] / 8
    assert bytes_a_second == pytest.approx(float(CHIP["io"]["value"].split()[0]) * 1e6, rel=TOLERANCE)


@pytest.mark.parametrize(
    ("ins", "outs", "passes"), [(1, 8, 1), (3, 8, 1), (8, 1, 1), (9, 8, 2), (8, 9, 2), (17, 16, 6)]
)
def test_channels_that_a_pass_does_not_have_idle_and_cost_all_the_same(ins: int, outs: int, passes: int) -> None:
    chip = origami(energy={"cycle": "1 pJ/cycle"})
    cycles, energy_aj = cost(chip, valid(32, 32, ins, outs))
    assert cycles == passes * 32 * 32 * 16
    assert energy_aj == cycles * PJ


def test_a_small_kernel_runs_in_the_same_window() -> None:
    # The 26 x 26 outputs of 3 x 3 on 28 x 28 take the image of 32 x 32 that 7 x 7 would take for them.
    assert cost(origami(), valid(28, 28, kernel=3)) == cost(origami(), valid(32, 32, kernel=7))


def test_the_platform_that_is_shipped_has_this_geometry() -> None:
    file = Path(__file__).parents[2] / "platforms" / "silicon" / "origami.yaml"
    chip = load_platform(file).dies["chip"].blocks["convolver"]
    assert isinstance(chip, CnnAccelerator)
    assert isinstance(chip.dataflow, SlidingWindow)
    assert chip.dataflow.macs_per_cycle(chip.array) == CHIP["macs_per_cycle"]["value"]
    assert list(chip.dataflow.channels or ()) == CHIP["channels_per_pass"]["value"]
    mw = float(chip.energy.aj_per_cycle * chip.clock_hz) / 1e15
    assert mw == pytest.approx(CHIP["core_power_1v2_mw"]["value"], rel=1e-3)
