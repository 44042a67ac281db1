"""A convolver whose window of fixed size slides over the image, all of its taps at once."""

from __future__ import annotations

from typing import ClassVar

from tlm3d.cnn.layers import Layer
from tlm3d.cnn.tiling import Tile
from tlm3d.dataflows import Array, Dataflow
from tlm3d.spec.quantities import Count
from tlm3d.units import ceil_div


class SlidingWindow(Dataflow):
    """Sums of products over a window of ``kernel`` × ``kernel`` pixels: rows · columns of them a cycle.

    A pass slides over the image with ``channels`` [in, out] and takes ⌈in/rows⌉ · ⌈out/columns⌉ cycles a position. The
    window visits every pixel of the (padded) image, but gives no output until its first kernel − 1 rows, and on every
    row kernel − 1 columns, have come in: of H × W positions (H − 6)(W − 6) count with a kernel of 7 (Cavigelli, Benini:
    Origami, arXiv 1512.04295). Channels that a layer does not have in its last pass idle, but their cycles are taken.

    A smaller kernel is filled up with zeros to the window, and its image with it, so it loses the same border. A larger
    one is cut into pieces, a pass each. A stride skips outputs, not positions. A depthwise layer uses the diagonal of a
    pass: min(in, out) channels. Layers that are no convolutions do not run.

    Tiles: a band of rows fills the window anew, so it visits its output rows and kernel − 1 more, which are in the halo
    that the tile loads; a group of outputs takes whole passes. Both losses are the machine's. Loading the kernels of a
    pass is ``tile_setup`` and the transfer of the weights.
    """

    kernel: Count
    channels: tuple[Count, Count] | None = None

    PACED: ClassVar[bool] = True

    def supports(self, kind: str) -> bool:
        return kind in ("conv", "pointwise", "depthwise")

    def macs_per_cycle(self, array: Array) -> int:
        return array[0] * array[1] * self.kernel**2

    def cycles(self, array: Array, layer: Layer, tile: Tile) -> int:
        ins, outs = self.channels or array
        if layer.kind == "depthwise":
            passes = ceil_div(tile.out_channels, min(ins, outs))
        else:
            passes = ceil_div(tile.in_channels, ins) * ceil_div(tile.out_channels, outs)
        pieces = ceil_div(layer.kernel[0], self.kernel) * ceil_div(layer.kernel[1], self.kernel)
        height = (tile.out_rows - 1) * layer.stride[0] + self.kernel
        width = (tile.out_width - 1) * layer.stride[1] + self.kernel
        cycles_a_position = ceil_div(ins, array[0]) * ceil_div(outs, array[1])
        return passes * pieces * height * width * cycles_a_position


KIND = SlidingWindow
