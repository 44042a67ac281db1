"""A systolic array that keeps outputs, weights or inputs in place while the other two stream through."""

from __future__ import annotations

from typing import ClassVar, Literal

from tlm3d.cnn.layers import Layer
from tlm3d.cnn.tiling import Tile
from tlm3d.dataflows import Array, Dataflow
from tlm3d.units import ceil_div


class Systolic(Dataflow):
    """A layer is a product of matrices: P pixels × K weights an output × N outputs, in folds on R rows × C columns.

    - output: ⌈P/R⌉ ⌈N/C⌉ folds of K + R + C − 2: operands enter skewed, and K products are summed in place; the sums
      leave while the next fold runs
    - weight: ⌈K/R⌉ ⌈N/C⌉ folds of P + 2R + C − 2: R cycles load the weights, then P pixels pass, skewed
    - input: ⌈K/R⌉ ⌈P/C⌉ folds of N + 2R + C − 2: as with weights, pixels and filters exchanged

    Else folds do not overlap, and memory keeps up: the closed form of SCALE-Sim (Samajdar et al., arXiv 1811.02883),
    but for the R cycles in which sums drain. A depthwise layer is a product for each channel, of N = 1, in turn.

    Tiles: a tile is a product of its own, with its band of pixels and its group of outputs, and fills and drains the
    array for itself; so cut layers take longer, as they do on the array. K is never cut.
    """

    stationary: Literal["output", "weight", "input"]

    PACED: ClassVar[bool] = True

    def cycles(self, array: Array, layer: Layer, tile: Tile) -> int:
        pixels, weights = tile.out_rows * tile.out_width, layer.weights_per_channel
        if layer.kind == "depthwise":
            return tile.out_channels * self._product(array, pixels, weights, 1)
        return self._product(array, pixels, weights, tile.out_channels)

    def _product(self, array: Array, pixels: int, weights: int, outputs: int) -> int:
        rows, columns = array
        if self.stationary == "output":
            return ceil_div(pixels, rows) * ceil_div(outputs, columns) * (weights + rows + columns - 2)
        across, streamed = (outputs, pixels) if self.stationary == "weight" else (pixels, outputs)
        return ceil_div(weights, rows) * ceil_div(across, columns) * (streamed + 2 * rows + columns - 2)


KIND = Systolic
