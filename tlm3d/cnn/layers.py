"""One layer of a network: shapes, and the work and bytes that follow from them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from tlm3d.units import ceil_div

INPUT = "input"  # what a layer reads when it reads the network's input tensor
BIAS_BYTES = 4  # one int32 a output channel, as in TensorFlow Lite's int8 kernels


class Op(StrEnum):
    """What a layer computes."""

    CONV = "conv"
    DEPTHWISE = "depthwise"
    LINEAR = "linear"
    POOL = "pool"
    ADD = "add"
    SOFTMAX = "softmax"


WEIGHTED_OPS = frozenset({Op.CONV, Op.DEPTHWISE, Op.LINEAR})
WINDOW_OPS = frozenset({Op.CONV, Op.DEPTHWISE, Op.POOL})


class Shape(NamedTuple):
    """A feature map: height × width × channels elements."""

    height: int
    width: int
    channels: int

    @property
    def elements(self) -> int:
        return self.height * self.width * self.channels

    def __str__(self) -> str:
        return f"{self.height}x{self.width}x{self.channels}"


class Padding(NamedTuple):
    """Rows and columns of zeros around a feature map."""

    top: int
    bottom: int
    left: int
    right: int


NO_PADDING = Padding(0, 0, 0, 0)


def packed_bytes(elements: int, bits: int) -> int:
    """Bytes of ``elements`` values of ``bits`` bits each, packed, the last byte filled up."""
    return ceil_div(elements * bits, 8)


def same_padding(shape: Shape, kernel: tuple[int, int], stride: tuple[int, int]) -> Padding:
    """TensorFlow's SAME: ⌈size/stride⌉ outputs; of the zeros this takes, the smaller half goes to the top and left."""
    before, after = zip(*map(_same_side, (shape.height, shape.width), kernel, stride), strict=True)
    return Padding(before[0], after[0], before[1], after[1])


def _same_side(size: int, kernel: int, stride: int) -> tuple[int, int]:
    total = max(0, (ceil_div(size, stride) - 1) * stride + kernel - size)
    return total // 2, total - total // 2


def shape_of(layer: Layer) -> str:
    """The layer for a message: its kind, kernel, stride and bits."""
    window = f" of {layer.kernel[0]}x{layer.kernel[1]}, stride {layer.stride[0]}x{layer.stride[1]}"
    bits = f"{layer.weight_bits} bits a weight and {layer.activation_bits} a pixel"
    return f"{layer.kind}{window if layer.op in WINDOW_OPS else ''} with {bits}"


def window_positions(size: int, kernel: int, stride: int, before: int, after: int) -> int:
    """Outputs along one side: ⌊(before + size + after − kernel) / stride⌋ + 1, or 0 where the kernel does not fit."""
    return max(0, (before + size + after - kernel) // stride + 1)


def window_shape(
    shape: Shape, channels: int, kernel: tuple[int, int], stride: tuple[int, int], padding: Padding
) -> Shape:
    """Output of a window (conv, depthwise, pool) over ``shape``; a side is 0 where the kernel does not fit."""
    return Shape(
        window_positions(shape.height, kernel[0], stride[0], padding.top, padding.bottom),
        window_positions(shape.width, kernel[1], stride[1], padding.left, padding.right),
        channels,
    )


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer with every shape known. Pairs are (height, width); ``in_shapes`` has one entry for each of ``reads``."""

    name: str
    op: Op
    reads: tuple[str, ...]
    in_shapes: tuple[Shape, ...]
    out_shape: Shape
    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    padding: Padding = NO_PADDING
    weight_bits: int = 8
    activation_bits: int = 8
    bias: bool = True

    @property
    def kind(self) -> str:
        """Row of a cost table: the op, but ``pointwise`` for a conv with a 1×1 kernel."""
        return "pointwise" if self.op is Op.CONV and self.kernel == (1, 1) else self.op.value

    @property
    def weights_per_channel(self) -> int:
        """Weights behind one output channel, without its bias."""
        if self.op is Op.LINEAR:
            return self.in_shapes[0].elements
        window = self.kernel[0] * self.kernel[1]
        if self.op is Op.CONV:
            return window * self.in_shapes[0].channels
        return window if self.op is Op.DEPTHWISE else 0

    @property
    def macs(self) -> int:
        """Multiply-accumulates, padding included: every output element takes all weights of its channel."""
        return self.out_shape.elements * self.weights_per_channel

    @property
    def elements(self) -> int:
        """Elements read by a layer without MACs (a pool reads its window anew for every output); 0 with MACs."""
        if self.op in WEIGHTED_OPS:
            return 0
        if self.op is Op.POOL:
            return self.out_shape.elements * self.kernel[0] * self.kernel[1]
        return sum(shape.elements for shape in self.in_shapes)

    @property
    def weights(self) -> int:
        return self.out_shape.channels * self.weights_per_channel

    @property
    def biases(self) -> int:
        return self.out_shape.channels if self.bias and self.op in WEIGHTED_OPS else 0

    @property
    def parameters(self) -> int:
        return self.weights + self.biases

    @property
    def weight_bytes(self) -> int:
        return packed_bytes(self.weights, self.weight_bits) + BIAS_BYTES * self.biases

    @property
    def in_bytes(self) -> int:
        return sum(packed_bytes(shape.elements, self.activation_bits) for shape in self.in_shapes)

    @property
    def out_bytes(self) -> int:
        return packed_bytes(self.out_shape.elements, self.activation_bits)

    def input_rows(self, first: int, count: int) -> int:
        """Rows of a read feature map that output rows first … first+count−1 touch.

        Padding is not counted, nor are the rows that a stride larger than the kernel skips. Linear and softmax
        touch all rows whatever they are asked for.
        """
        height = self.in_shapes[0].height
        if self.op in (Op.LINEAR, Op.SOFTMAX):
            return height
        window, stride, top = self.kernel[0], self.stride[0], self.padding[0]
        start = max(0, first * stride - top)
        end = min(height, (first + count - 1) * stride - top + window)
        return end - start - (count - 1) * max(0, stride - window)
