"""Rows take the output pixels of an image row, columns output channels; inputs and taps follow one another."""

from __future__ import annotations

from tlm3d.cnn.layers import Layer
from tlm3d.cnn.tiling import Tile
from tlm3d.dataflows import Array, Dataflow
from tlm3d.spec.quantities import Count
from tlm3d.units import ceil_div


class PixelChannel(Dataflow):
    """cycles = ⌈W/rows⌉ · H · ⌈Cout/columns⌉ · Cin · kh·kw + ⌈W·H·(Cin + Cout) / stream⌉ of W × H output pixels.

    Sums stay in their units; every cycle takes one input channel and tap. Pixels of one image row only run side by
    side, so a row that does not divide leaves units idle. A depthwise layer has an input channel of its own for every
    output and uses one column; a linear layer is one pixel.

    ``stream``: elements a cycle that come in and go out before and after; for each output pixel Cin and Cout of them
    (neighbours of a kernel stay in a line buffer). Not given: this is hidden behind the computing. With 16 × 16 units
    and 8 elements a cycle these are the cycles of the digital array of DIANA (Risso et al.: ODiMO, arXiv 2306.05060).

    Tiles: bands of rows add up but for a part of a cycle each; a group of outputs streams its inputs again.
    """

    stream: Count | None = None

    def cycles(self, array: Array, layer: Layer, tile: Tile) -> int:
        rows, columns = array
        taps = layer.kernel[0] * layer.kernel[1]
        groups = 1 if layer.kind == "depthwise" else ceil_div(tile.out_channels, columns)
        computing = ceil_div(tile.out_width, rows) * tile.out_rows * groups * tile.in_channels * taps
        if self.stream is None:
            return computing
        moved = tile.out_width * tile.out_rows * (tile.in_channels + tile.out_channels)
        return computing + ceil_div(moved, self.stream)


KIND = PixelChannel
