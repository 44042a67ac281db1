"""A convolution accelerator: a two-dimensional array of MAC units beside a local memory."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tlm3d.blocks import ComputeSpec, Cost
from tlm3d.cnn.layers import Layer
from tlm3d.cnn.tiling import Tile
from tlm3d.spec.quantities import Count, CountOrZero, Positive, SizeBits
from tlm3d.units import ceil_div


class CnnAccelerator(ComputeSpec):
    """``array: [rows, columns]``: rows take input channels, columns output channels; one pixel and kernel tap a cycle.

    cycles = set-up + pixels · kh·kw · ⌈Cin/rows⌉ · ⌈Cout/columns⌉. What does not divide is lost: a first layer with 3
    input channels uses 3 rows, and a depthwise layer, which has one input channel an output, one row. Linear layers are
    one pixel with as many input channels as there are inputs. An optional vector unit (``elements_per_cycle``) does
    pooling and addition. Energy a cycle is that of the whole array, busy or not, so idle units cost too.
    """

    array: tuple[Count, Count]
    dataflow: Literal["channel-parallel"] = "channel-parallel"
    local_bits: SizeBits = Field(alias="local")
    tile_setup: CountOrZero = 0
    elements_per_cycle: Positive | None = None

    @property
    def local_bytes(self) -> int:
        return self.local_bits // 8

    def supports(self, kind: str) -> bool:
        if kind in ("pool", "add"):
            return self.elements_per_cycle is not None
        return kind != "softmax"

    def cost(self, layer: Layer, tile: Tile) -> Cost:
        rows, columns = self.array
        if self.elements_per_cycle is not None and tile.elements:
            exact = tile.elements / self.elements_per_cycle
            work = ceil_div(exact.numerator, exact.denominator)
        else:
            taps = layer.kernel[0] * layer.kernel[1]
            passes = 1 if layer.kind == "depthwise" else ceil_div(tile.in_channels, rows)
            work = tile.out_rows * tile.out_width * taps * passes * ceil_div(tile.out_channels, columns)
        cycles = self.tile_setup + work
        return Cost(cycles, self.energy.book(cycles, tile.macs))


KIND = CnnAccelerator
