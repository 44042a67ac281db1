"""Rows that a user writes, as networks; and rows that cannot be one."""

from __future__ import annotations

from typing import Any

import pytest

from tlm3d.cnn.layers import INPUT, NO_PADDING, Op, Padding, Shape
from tlm3d.cnn.network import LayerRow, NetworkError, build_network


def block() -> list[LayerRow]:
    """A residual block and a classifier."""
    return [
        LayerRow("a", Op.CONV, channels=4, kernel=(3, 3)),
        LayerRow("b", Op.CONV, channels=4, kernel=(3, 3)),
        LayerRow("sum", Op.ADD, reads=("a", "b")),
        LayerRow("pool", Op.POOL, kernel=(2, 2), stride=(2, 2)),
        LayerRow("fc", Op.LINEAR, channels=10, bias=False),
        LayerRow("soft", Op.SOFTMAX),
    ]


def test_shapes_follow_from_rows() -> None:
    network = build_network("block", (9, 8, 1), block())
    assert [layer.out_shape for layer in network.layers] == [
        (9, 8, 4), (9, 8, 4), (9, 8, 4), (4, 4, 4), (1, 1, 10), (1, 1, 10),
    ]  # fmt: skip
    assert network.layer("fc").in_shapes == (Shape(4, 4, 4),)
    assert network.macs == 72 * 4 * 9 + 72 * 4 * 36 + 64 * 10
    assert network.weight_bytes == (36 + 16) + (144 + 16) + 640
    assert network.input_bytes == 72


def test_a_row_reads_the_one_before_it_and_the_first_reads_the_input() -> None:
    network = build_network("block", (9, 8, 1), block())
    assert [layer.reads for layer in network.layers] == [
        (INPUT,), ("a",), ("a", "b"), ("sum",), ("pool",), ("fc",),
    ]  # fmt: skip
    assert network.readers("a") == ("b", "sum")
    assert network.readers(INPUT) == ("a",)
    assert network.readers("soft") == ()


def test_a_layer_added_to_itself_reads_it_twice_and_is_one_reader() -> None:
    rows = [LayerRow("a", Op.CONV, channels=4), LayerRow("twice", Op.ADD, reads=("a", "a"))]
    network = build_network("twice", (4, 4, 1), rows)
    assert network.layer("twice").in_bytes == 128
    assert network.readers("a") == ("twice",)


def test_padding_is_same_for_convolutions_and_valid_for_pools_unless_written() -> None:
    rows = [
        LayerRow("same", Op.CONV, channels=1, kernel=(3, 5)),
        LayerRow("valid", Op.DEPTHWISE, kernel=(3, 3), padding="valid"),
        LayerRow("number", Op.CONV, channels=1, kernel=(5, 5), stride=(2, 2), padding=2),
        LayerRow("four", Op.CONV, channels=1, kernel=(3, 3), padding=(0, 1, 2, 0)),
        LayerRow("pool", Op.POOL, kernel=(3, 3)),
    ]
    layers = build_network("paddings", (20, 20, 1), rows).layers
    assert [layer.padding for layer in layers] == [
        Padding(1, 1, 2, 2), NO_PADDING, Padding(2, 2, 2, 2), Padding(0, 1, 2, 0), NO_PADDING,
    ]  # fmt: skip
    assert [layer.out_shape[:2] for layer in layers] == [(20, 20), (18, 18), (9, 9), (8, 9), (6, 7)]


def test_activations_of_other_widths_change_bytes_and_not_work() -> None:
    wide, narrow = (build_network("block", (9, 8, 1), block(), bits) for bits in (16, 4))
    assert wide.macs == narrow.macs
    assert (wide.input_bytes, narrow.input_bytes) == (144, 36)
    assert (wide.layer("a").out_bytes, narrow.layer("a").out_bytes) == (576, 144)


CONV = LayerRow("a", Op.CONV, channels=4, kernel=(3, 3))


@pytest.mark.parametrize(
    ("rows", "index", "key", "message"),
    [
        ([CONV, CONV], 1, "name", "there is already a layer 'a'"),
        (
            [LayerRow("input", Op.SOFTMAX)],
            0, "name", "'input' is the network's input tensor; a layer needs another name",
        ),
        (
            [CONV, LayerRow("b", Op.SOFTMAX, reads=("inputs",))],
            1, "reads", "unknown layer 'inputs'; did you mean 'input'?",
        ),
        ([CONV, LayerRow("b", Op.SOFTMAX, reads=("b",))], 1, "reads", "layer 'b' reads itself"),
        (
            [LayerRow("a", Op.SOFTMAX, reads=("b",)), LayerRow("b", Op.SOFTMAX, reads=("a",))],
            0, "reads", "layer 'b' comes later; a layer stands after the layers it reads",
        ),
        ([CONV, LayerRow("b", Op.ADD)], 1, "reads", "an add reads at least two layers, got 1"),
        ([CONV, LayerRow("b", Op.SOFTMAX, reads=("a", "input"))], 1, "reads", "a softmax reads one layer, got 2"),
        (
            [CONV, LayerRow("b", Op.ADD, reads=("a", "input"))],
            1, "reads", "an add needs equal shapes: 'a' is 8x8x4, 'input' is 8x8x3",
        ),
        ([LayerRow("a", Op.POOL, kernel=(9, 8))], 0, "kernel", "9x8 is larger than the padded input, 8x8"),
        (
            [LayerRow("a", Op.CONV, channels=1, kernel=(11, 8), padding=(1, 1, 0, 0))],
            0, "kernel", "11x8 is larger than the padded input, 10x8",
        ),
        ([LayerRow("a", Op.CONV)], 0, "channels", "a conv needs its number of output channels"),
        ([LayerRow("a", Op.LINEAR, channels=0)], 0, "channels", "must be at least 1, got 0"),
        (
            [LayerRow("a", Op.DEPTHWISE, kernel=(3, 3), channels=6)],
            0, "channels", "a depthwise has the channels of its input, 3, got 6",
        ),
        ([LayerRow("a", Op.POOL)], 0, "kernel", "a pool needs its kernel: [height, width]"),
        ([LayerRow("a", Op.POOL, kernel=(2, 2), channels=3)], 0, "channels", "a layer that is a pool has no channels"),
        ([LayerRow("a", Op.LINEAR, channels=3, stride=(1, 1))], 0, "stride", "a layer that is a linear has no stride"),
        ([LayerRow("a", Op.SOFTMAX, weight_bits=8)], 0, "weight_bits", "a layer that is a softmax has no weight_bits"),
        (
            [LayerRow("a", Op.POOL, kernel=(2, 2), stride=(0, 1))],
            0, "stride", "must be at least 1 in both directions, got [0, 1]",
        ),
        ([LayerRow("a", Op.LINEAR, channels=3, weight_bits=33)], 0, "weight_bits", "must be from 1 to 32, got 33"),
        (
            [LayerRow("a", Op.CONV, channels=1, kernel=(3, 3), padding=3)],
            0, "padding", "every side must be from 0 to less than the kernel, 3x3, got [3, 3, 3, 3]",
        ),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_a_layer_is_refused_by_its_key(
    rows: list[LayerRow], index: int, key: str, message: str
) -> None:
    with pytest.raises(NetworkError) as caught:
        build_network("broken", (8, 8, 3), rows)
    assert (caught.value.index, caught.value.key, str(caught.value)) == (index, key, message)


def test_an_unknown_padding_is_refused_with_a_hint() -> None:
    misspelt: Any = "vald"
    with pytest.raises(NetworkError) as caught:
        build_network("broken", (8, 8, 3), [LayerRow("a", Op.CONV, channels=1, padding=misspelt)])
    assert str(caught.value) == "expected same, valid, a number or four, got 'vald'; did you mean 'valid'?"


@pytest.mark.parametrize(
    ("shape", "rows", "bits", "key"),
    [((8, 8, 3), [], 8, "layers"), ((8, 0, 3), [CONV], 8, "input"), ((8, 8, 3), [CONV], 0, "activation_bits")],
)
def test_a_network_without_layers_pixels_or_bits_is_refused(
    shape: tuple[int, int, int], rows: list[LayerRow], bits: int, key: str
) -> None:
    with pytest.raises(NetworkError) as caught:
        build_network("broken", shape, rows, bits)
    assert (caught.value.index, caught.value.key) == (None, key)


def test_weights_have_the_bits_of_the_network_where_a_layer_does_not_say() -> None:
    rows = [LayerRow("narrow", Op.CONV, channels=4), LayerRow("wide", Op.CONV, channels=4, weight_bits=8)]
    found = build_network("net", (8, 8, 1), rows, weight_bits=3)
    assert [layer.weight_bits for layer in found.layers] == [3, 8]
    with pytest.raises(NetworkError, match="from 1 to 32, got 0"):
        build_network("net", (8, 8, 1), rows, weight_bits=0)
