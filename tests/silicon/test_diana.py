"""DIANA: its two arrays against the closed forms of ODiMO's hardware models, by layer, and its published peaks."""

from __future__ import annotations

from math import ceil
from pathlib import Path
from typing import Any

import pytest

from tlm3d import load_platform
from tlm3d.blocks import ComputeSpec
from tlm3d.cnn.layers import Layer, Op
from tlm3d.cnn.network import LayerRow, build_network
from tlm3d.cnn.tiling import tile_layer
from validation.diana import analog_cycles, digital_cycles, rows

ROOT = Path(__file__).parents[2]
BLOCKS = load_platform(ROOT / "platforms" / "silicon" / "diana.yaml").dies["soc"].blocks
WIDTHS = (1, 3, 16, 32, 48, 64, 96, 128, 130, 256, 512, 520)


def cycles(array: str, layer: Layer) -> int:
    block = BLOCKS[array]
    assert isinstance(block, ComputeSpec)
    (tile,) = tile_layer(layer, 1 << 40)
    return block.cost(layer, tile).cycles


def layer(op: Op, shape: tuple[int, int, int], **keys: Any) -> Layer:
    return build_network("net", shape, [LayerRow("one", op, **keys)]).layers[0]


def convolutions(sides: tuple[int, ...]) -> list[Layer]:
    return [
        layer(Op.CONV, (side, side, ins), channels=outs, kernel=(kernel, kernel), stride=(stride, stride))
        for side in sides
        for ins in WIDTHS
        for outs in WIDTHS
        for kernel in (1, 3)
        for stride in (1, 2)
    ]


def test_the_digital_array_takes_the_published_cycles_exactly() -> None:
    found = convolutions((1, 7, 8, 16, 17, 32))
    found += [layer(Op.DEPTHWISE, (side, side, ins), kernel=(3, 3)) for side in (5, 16, 33) for ins in WIDTHS]
    found += [layer(Op.LINEAR, (1, 1, ins), channels=outs) for ins in WIDTHS for outs in WIDTHS]
    assert len(found) > 3000
    assert [cycles("digital", one) for one in found] == [ceil(digital_cycles(one)) for one in found]


def test_the_analog_array_takes_the_published_cycles_where_rows_of_pixels_divide() -> None:
    # Outputs of 16, 32 and 64 pixels a side: 1 to 8 of them a pass. More than 512 outputs load weights twice here.
    found = [one for one in convolutions((32, 64)) if one.out_shape.channels <= 512]
    assert len(found) > 1000
    assert {ceil(analog_cycles(one)) - cycles("analog", one) for one in found} == {0}


def test_a_group_of_outputs_that_does_not_fit_loads_its_own_weights() -> None:
    one = layer(Op.CONV, (32, 32, 64), channels=520, kernel=(3, 3))
    assert cycles("analog", one) == ceil(analog_cycles(one)) + 8 * 64 * 9


def test_the_last_pass_of_a_row_of_pixels_may_be_part_of_one() -> None:
    one = layer(Op.CONV, (3, 3, 256), channels=256, kernel=(1, 1))  # two pixels a pass, rows of three
    assert cycles("analog", one) == 8 * 256 + ceil(2 * 3 * 2 * 18.2)


def test_the_analog_array_runs_no_depthwise_layer() -> None:
    # The hardware models raise an error for groups.
    assert not BLOCKS["analog"].supports("depthwise")  # type: ignore[attr-defined]


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.id)
def test_figures_are_within_their_tolerance(row: Any) -> None:
    assert row.ok in (True, None), f"{row.modelled:.5g} {row.unit}, published {row.published:.5g}"


def test_identities_are_held_to_3_percent_and_there_are_enough_of_them() -> None:
    found = [row for row in rows() if row.kind == "identity"]
    assert len(found) >= 20
    assert {row.tolerance for row in found} == {0.03}


def test_a_changed_platform_changes_the_figures() -> None:
    slow = {row.id: row for row in rows(["dies.soc.blocks.analog.pass_time=80 ns"])}
    assert slow["diana/peak/efficiency/analog"].ok is False
    assert slow["diana/resnet8/analog-cycles/conv1"].ok is False
    assert slow["diana/resnet8/digital-cycles/conv1"].ok is True


def test_the_efficiency_of_the_whole_chip_is_of_the_published_order() -> None:
    (row,) = [row for row in rows() if row.id.startswith("diana/system/")]
    assert row.modelled == pytest.approx(row.published, rel=0.5)
