"""Rows take input channels, columns output channels; one pixel and one kernel tap a cycle."""

from __future__ import annotations

from tlm3d.cnn.layers import Layer
from tlm3d.cnn.tiling import Tile
from tlm3d.dataflows import Array, Dataflow
from tlm3d.units import ceil_div


class ChannelParallel(Dataflow):
    """cycles = pixels · kh·kw · ⌈Cin/rows⌉ · ⌈Cout/columns⌉: a SIMD array of dot products.

    What does not divide is lost: a first layer with 3 input channels uses 3 rows, and a depthwise layer, which has one
    input channel an output, one row. Linear layers are one pixel with as many input channels as there are inputs.

    Tiles: bands of rows add up exactly. A group of output channels that does not fill its last columns leaves them
    idle, as the array does.
    """

    def cycles(self, array: Array, layer: Layer, tile: Tile) -> int:
        rows, columns = array
        taps = layer.kernel[0] * layer.kernel[1]
        passes = 1 if layer.kind == "depthwise" else ceil_div(tile.in_channels, rows)
        return tile.out_rows * tile.out_width * taps * passes * ceil_div(tile.out_channels, columns)


KIND = ChannelParallel
