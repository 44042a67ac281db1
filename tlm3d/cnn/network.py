"""A network: layers in topological order, built from the rows a user writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from tlm3d.cnn.layers import (
    INPUT,
    NO_PADDING,
    WEIGHTED_OPS,
    WINDOW_OPS,
    Layer,
    Op,
    Padding,
    Shape,
    packed_bytes,
    same_padding,
    window_shape,
)
from tlm3d.errors import did_you_mean

MAX_BITS = 32


class NetworkError(ValueError):
    """A row that cannot be a layer: ``index`` counts from 0 (None: the network itself), ``key`` is the wrong key."""

    def __init__(self, index: int | None, key: str, message: str) -> None:
        self.index, self.key = index, key
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class LayerRow:
    """A layer as written. None is "not written"; what that means depends on the op, and so does what may be written.

    ``reads``: the previous row (the first: the input). ``channels``: only conv and linear have to say. ``kernel``:
    1×1 for conv. ``stride``: 1×1. ``padding``: same for conv and depthwise, valid for pool; a number is for all
    four sides, four are top, bottom, left, right. ``weight_bits``: the network's. ``bias``: yes.
    """

    name: str
    op: Op
    reads: tuple[str, ...] | None = None
    channels: int | None = None
    kernel: tuple[int, int] | None = None
    stride: tuple[int, int] | None = None
    padding: Literal["same", "valid"] | int | tuple[int, int, int, int] | None = None
    weight_bits: int | None = None
    bias: bool | None = None


@dataclass(frozen=True)
class Network:
    """Layers in an order in which every layer comes after those it reads; layers that no layer reads are outputs."""

    name: str
    input_shape: Shape
    input_bits: int
    layers: tuple[Layer, ...]

    @cached_property
    def macs(self) -> int:
        """Multiply-accumulates of one inference."""
        return sum(layer.macs for layer in self.layers)

    @cached_property
    def weight_bytes(self) -> int:
        """Bytes of all weights and biases."""
        return sum(layer.weight_bytes for layer in self.layers)

    @property
    def input_bytes(self) -> int:
        return packed_bytes(self.input_shape.elements, self.input_bits)

    def layer(self, name: str) -> Layer:
        """The layer called ``name``. Raises KeyError."""
        return self._by_name[name]

    def readers(self, name: str) -> tuple[str, ...]:
        """Layers that read layer ``name`` (or the input tensor, ``INPUT``), in order."""
        return self._readers.get(name, ())

    @cached_property
    def _by_name(self) -> dict[str, Layer]:
        return {layer.name: layer for layer in self.layers}

    @cached_property
    def _readers(self) -> dict[str, tuple[str, ...]]:
        readers: dict[str, tuple[str, ...]] = {}
        for layer in self.layers:
            for name in dict.fromkeys(layer.reads):
                readers[name] = (*readers.get(name, ()), layer.name)
        return readers


def build_network(
    name: str,
    input_shape: tuple[int, int, int],
    rows: Sequence[LayerRow],
    activation_bits: int = 8,
    weight_bits: int = 8,
) -> Network:
    """The network of ``rows``, all shapes computed; the input tensor and all feature maps have ``activation_bits``,
    weights ``weight_bits`` where a row does not say.

    Raises NetworkError for the first row that does not work.
    """
    if not rows:
        raise NetworkError(None, "layers", "a network needs at least one layer")
    if min(input_shape) < 1:
        raise NetworkError(None, "input", f"the sides of the input must be at least 1, got {list(input_shape)}")
    if not 1 <= activation_bits <= MAX_BITS:
        raise NetworkError(None, "activation_bits", f"must be from 1 to {MAX_BITS}, got {activation_bits}")
    if not 1 <= weight_bits <= MAX_BITS:
        raise NetworkError(None, "weight_bits", f"must be from 1 to {MAX_BITS}, got {weight_bits}")
    shapes = {INPUT: Shape(*input_shape)}
    layers: list[Layer] = []
    for index, row in enumerate(rows):
        _check_name(index, row, shapes)
        previous = layers[-1].name if layers else INPUT
        reads = _reads(index, row, previous, shapes, later={r.name for r in rows[index:]})
        layer = _build_layer(index, row, reads, tuple(shapes[read] for read in reads), activation_bits, weight_bits)
        layers.append(layer)
        shapes[layer.name] = layer.out_shape
    return Network(name, shapes[INPUT], activation_bits, tuple(layers))


def _check_name(index: int, row: LayerRow, shapes: Mapping[str, Shape]) -> None:
    if row.name == INPUT:
        raise NetworkError(index, "name", f"'{INPUT}' is the network's input tensor; a layer needs another name")
    if row.name in shapes:
        raise NetworkError(index, "name", f"there is already a layer '{row.name}'")


def _reads(index: int, row: LayerRow, previous: str, shapes: Mapping[str, Shape], later: set[str]) -> tuple[str, ...]:
    """The layers row reads, all of them known and as many as its op takes."""
    reads = (previous,) if row.reads is None else row.reads
    for read in reads:
        if read == row.name:
            raise NetworkError(index, "reads", f"layer '{read}' reads itself")
        if read in later and read not in shapes:
            message = f"layer '{read}' comes later; a layer stands after the layers it reads"
            raise NetworkError(index, "reads", message)
        if read not in shapes:
            raise NetworkError(index, "reads", f"unknown layer '{read}'{did_you_mean(read, shapes)}")
    if row.op is Op.ADD and len(reads) < 2:
        raise NetworkError(index, "reads", f"an add reads at least two layers, got {len(reads)}")
    if row.op is not Op.ADD and len(reads) != 1:
        raise NetworkError(index, "reads", f"a {row.op} reads one layer, got {len(reads)}")
    return reads


def _build_layer(
    index: int,
    row: LayerRow,
    reads: tuple[str, ...],
    in_shapes: tuple[Shape, ...],
    activation_bits: int,
    weight_bits: int,
) -> Layer:
    _check_keys(index, row)
    first = in_shapes[0]
    kernel, stride, padding = row.kernel or (1, 1), row.stride or (1, 1), NO_PADDING
    if row.op in WINDOW_OPS:
        padding = _padding(index, row, first, kernel, stride)
        out = window_shape(first, _channels(index, row, first), kernel, stride, padding)
        if out.elements == 0:
            padded = f"{padding.top + first.height + padding.bottom}x{padding.left + first.width + padding.right}"
            raise NetworkError(index, "kernel", f"{kernel[0]}x{kernel[1]} is larger than the padded input, {padded}")
    elif row.op is Op.LINEAR:
        out = Shape(1, 1, _channels(index, row, first))
    else:
        out = first
    for read, shape in zip(reads, in_shapes, strict=True):
        if shape != first:
            message = f"an add needs equal shapes: '{reads[0]}' is {first}, '{read}' is {shape}"
            raise NetworkError(index, "reads", message)
    return Layer(
        name=row.name, op=row.op, reads=reads, in_shapes=in_shapes, out_shape=out, kernel=kernel, stride=stride,
        padding=padding, weight_bits=row.weight_bits or weight_bits, activation_bits=activation_bits,
        bias=row.bias is not False,
    )  # fmt: skip


def _check_keys(index: int, row: LayerRow) -> None:
    """Refuse keys that would act on nothing, missing ones, and numbers that no layer can have."""
    for keys, ops in (
        (("kernel", "stride", "padding"), WINDOW_OPS),
        (("weight_bits", "bias"), WEIGHTED_OPS),
        (("channels",), WEIGHTED_OPS),
    ):
        for key in keys:
            if row.op not in ops and getattr(row, key) is not None:
                raise NetworkError(index, key, f"a layer that is a {row.op} has no {key}")
    if row.kernel is None and row.op in (Op.DEPTHWISE, Op.POOL):
        raise NetworkError(index, "kernel", f"a {row.op} needs its kernel: [height, width]")
    for key, value in (("kernel", row.kernel), ("stride", row.stride)):
        if value is not None and min(value) < 1:
            raise NetworkError(index, key, f"must be at least 1 in both directions, got {list(value)}")
    if row.weight_bits is not None and not 1 <= row.weight_bits <= MAX_BITS:
        raise NetworkError(index, "weight_bits", f"must be from 1 to {MAX_BITS}, got {row.weight_bits}")


def _channels(index: int, row: LayerRow, read: Shape) -> int:
    """Output channels: written for conv and linear, those of the input otherwise."""
    if row.op in (Op.CONV, Op.LINEAR):
        if row.channels is None:
            raise NetworkError(index, "channels", f"a {row.op} needs its number of output channels")
        if row.channels < 1:
            raise NetworkError(index, "channels", f"must be at least 1, got {row.channels}")
        return row.channels
    if row.channels not in (None, read.channels):
        message = f"a depthwise has the channels of its input, {read.channels}, got {row.channels}"
        raise NetworkError(index, "channels", message)
    return read.channels


def _padding(index: int, row: LayerRow, read: Shape, kernel: tuple[int, int], stride: tuple[int, int]) -> Padding:
    written = row.padding if row.padding is not None else ("valid" if row.op is Op.POOL else "same")
    if written == "same":
        return same_padding(read, kernel, stride)
    if written == "valid":
        return NO_PADDING
    if isinstance(written, str):
        hint = did_you_mean(written, ("same", "valid"))
        raise NetworkError(index, "padding", f"expected same, valid, a number or four, got '{written}'{hint}")
    padding = Padding(*(written if isinstance(written, tuple) else (written,) * 4))
    # A window that lies in the padding altogether reads nothing: always a mistake.
    limits = (kernel[0], kernel[0], kernel[1], kernel[1])
    if any(not 0 <= side < limit for side, limit in zip(padding, limits, strict=True)):
        message = f"every side must be from 0 to less than the kernel, {kernel[0]}x{kernel[1]}, got {list(padding)}"
        raise NetworkError(index, "padding", message)
    return padding
