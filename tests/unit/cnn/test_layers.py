"""Work, bytes and rows of single layers, by hand and against counting one by one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tlm3d.cnn.layers import (
    NO_PADDING,
    Layer,
    Op,
    Padding,
    Shape,
    packed_bytes,
    same_padding,
    window_positions,
    window_shape,
)


def conv(
    shape: Shape, channels: int, kernel: tuple[int, int], stride: tuple[int, int], padding: Padding, op: Op = Op.CONV
) -> Layer:
    out = window_shape(shape, channels, kernel, stride, padding)
    return Layer("conv", op, ("input",), (shape,), out, kernel, stride, padding)


def test_same_padding_gives_the_smaller_half_to_the_top_and_left() -> None:
    # DS-CNN's first layer: 25 rows need 24·2 + 10 = 58 of 49, 5 columns need 4·2 + 4 = 12 of 10.
    padding = same_padding(Shape(49, 10, 1), (10, 4), (2, 2))
    assert padding == Padding(4, 5, 1, 1)
    assert window_shape(Shape(49, 10, 1), 64, (10, 4), (2, 2), padding) == Shape(25, 5, 64)


@given(size=st.integers(1, 300), kernel=st.integers(1, 15), stride=st.integers(1, 15))
def test_same_padding_gives_one_output_a_stride_begun(size: int, kernel: int, stride: int) -> None:
    padding = same_padding(Shape(size, 1, 1), (kernel, 1), (stride, 1))
    assert window_positions(size, kernel, stride, padding.top, padding.bottom) == -(-size // stride)
    assert padding.bottom - padding.top in (0, 1)


def test_a_kernel_larger_than_its_input_has_no_position() -> None:
    assert window_positions(4, 5, 1, 0, 0) == 0
    assert window_positions(4, 9, 2, 0, 0) == 0
    assert window_positions(4, 5, 1, 1, 0) == 1


def test_a_convolution_does_one_mac_a_weight_a_position() -> None:
    layer = conv(Shape(49, 10, 1), 64, (10, 4), (2, 2), Padding(4, 5, 1, 1))
    assert layer.macs == 25 * 5 * 64 * 10 * 4 == 320_000
    assert layer.parameters == 64 * 40 + 64 == 2_624
    assert layer.weight_bytes == 64 * 40 + 4 * 64
    assert (layer.in_bytes, layer.out_bytes, layer.elements, layer.kind) == (490, 8_000, 0, "conv")


def test_a_depthwise_convolution_sees_one_channel_at_a_time() -> None:
    layer = conv(Shape(25, 5, 64), 64, (3, 3), (1, 1), Padding(1, 1, 1, 1), Op.DEPTHWISE)
    assert (layer.macs, layer.parameters, layer.kind) == (72_000, 640, "depthwise")


def test_a_1x1_convolution_is_pointwise_whatever_its_stride() -> None:
    layer = conv(Shape(32, 32, 16), 32, (1, 1), (2, 2), NO_PADDING)
    assert (layer.macs, layer.kind) == (131_072, "pointwise")


def test_a_linear_layer_reads_its_input_as_one_vector() -> None:
    layer = Layer("fc", Op.LINEAR, ("pool",), (Shape(7, 7, 128),), Shape(1, 1, 2))
    assert (layer.macs, layer.weights, layer.biases) == (12_544, 12_544, 2)
    assert layer.input_rows(0, 1) == 7


def test_layers_without_macs_count_the_elements_they_read() -> None:
    shape = Shape(8, 8, 64)
    pool = Layer("pool", Op.POOL, ("a",), (shape,), Shape(1, 1, 64), (8, 8), (8, 8))
    overlapping = Layer("pool", Op.POOL, ("a",), (shape,), Shape(3, 3, 64), (3, 3), (2, 2))
    add = Layer("add", Op.ADD, ("a", "b"), (shape, shape), shape)
    softmax = Layer("softmax", Op.SOFTMAX, ("a",), (Shape(1, 1, 10),), Shape(1, 1, 10))
    assert [layer.elements for layer in (pool, overlapping, add, softmax)] == [4_096, 5_184, 8_192, 10]
    assert [layer.macs + layer.parameters + layer.weight_bytes for layer in (pool, add, softmax)] == [0, 0, 0]
    assert add.in_bytes == 2 * add.out_bytes


def test_narrow_values_are_packed_and_the_last_byte_filled() -> None:
    layer = Layer("fc", Op.LINEAR, ("a",), (Shape(1, 1, 5),), Shape(1, 1, 3), weight_bits=4, activation_bits=2)
    assert layer.weight_bytes == 8 + 12  # ⌈15·4/8⌉ and three int32 biases
    assert (layer.in_bytes, layer.out_bytes) == (2, 1)
    assert packed_bytes(3, 10) == 4


def test_a_layer_without_bias_stores_only_weights() -> None:
    layer = Layer("fc", Op.LINEAR, ("a",), (Shape(1, 1, 5),), Shape(1, 1, 3), bias=False)
    assert (layer.parameters, layer.weight_bytes) == (15, 15)


def test_a_band_needs_its_rows_and_the_halo_but_not_the_padding() -> None:
    layer = conv(Shape(32, 32, 16), 16, (3, 3), (1, 1), Padding(1, 1, 1, 1))
    assert layer.input_rows(0, 1) == 2  # the row above is padding
    assert layer.input_rows(1, 1) == 3
    assert layer.input_rows(30, 2) == 3
    assert layer.input_rows(0, 32) == 32


def test_rows_that_a_wide_stride_skips_are_not_needed() -> None:
    assert conv(Shape(32, 32, 16), 32, (1, 1), (2, 2), NO_PADDING).input_rows(0, 16) == 16


@given(data=st.data(), height=st.integers(1, 30), kernel=st.integers(1, 7), stride=st.integers(1, 9))
def test_input_rows_are_those_that_some_window_touches(
    data: st.DataObject, height: int, kernel: int, stride: int
) -> None:
    top, bottom = (data.draw(st.integers(0, kernel - 1)) for _ in range(2))
    rows = window_positions(height, kernel, stride, top, bottom)
    if rows == 0:
        return
    layer = conv(Shape(height, 1, 1), 1, (kernel, 1), (stride, 1), Padding(top, bottom, 0, 0))
    first = data.draw(st.integers(0, rows - 1))
    count = data.draw(st.integers(1, rows - first))
    touched = {row * stride - top + k for row in range(first, first + count) for k in range(kernel)}
    assert layer.input_rows(first, count) == len(touched & set(range(height))) > 0
