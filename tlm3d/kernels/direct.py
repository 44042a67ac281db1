"""Kernels on planes (CHW): a window slides over one input channel after the other, its weights in registers."""

from __future__ import annotations

from tlm3d.cnn.layers import Layer
from tlm3d.cnn.tiling import Tile
from tlm3d.kernels import Kernels, Simd, Work, elementwise, largest_share, products
from tlm3d.spec.quantities import Count, CountOrZero
from tlm3d.units import ceil_div


class Direct(Kernels):
    """The way of GAP8's SDK (GreenWaves, gap_sdk): no copies; sums of more than one channel go through memory.

    - conv, depthwise: an output of one plane slides the window by one, ``kh`` loads, and multiplies its kh · kw taps a
      word at a time; with several input channels the sum so far is loaded and stored, for each. Cores share
      pixels or channels, where that leaves the busiest less to do.
    - pointwise: as a product of matrices, ``pixels`` × ``channels`` outputs at a time.
    - linear: one output at a time, two words a turn, the last of whose loads is used at once: a stall (RI5CY's
      load-use hazard). Cores share outputs.

    An output takes ``requantise`` instructions at the end: shift, clip, store.
    """

    requantise: CountOrZero = 3
    pixels: Count = 2
    channels: Count = 4

    def work(self, layer: Layer, tile: Tile, cores: int, simd: Simd) -> Work:
        rows, width, channels = tile.out_rows, tile.out_width, tile.out_channels
        if layer.kind == "linear":
            outputs = largest_share(channels, cores)
            output = products(simd, tile.in_channels, 1, 1)
            stalls = ceil_div(tile.in_channels, 2 * simd.lanes)
            return self._finished(output.plus(Work(stalls, 0)).times(outputs), outputs)
        if layer.kind not in ("conv", "pointwise", "depthwise"):
            return elementwise(layer, tile, cores, simd)
        by_pixels = (largest_share(rows * width, cores), channels)
        if layer.kind == "pointwise":
            by_channels = (rows * width, largest_share(channels, cores, self.channels))
            return min(self._matrix(*share, tile.in_channels, simd) for share in (by_pixels, by_channels))
        by_channels = (rows * width, largest_share(channels, cores))
        planes = 1 if layer.kind == "depthwise" else tile.in_channels
        return min(self._planes(pixels * outs, planes, layer.kernel, simd) for pixels, outs in (by_pixels, by_channels))

    def _planes(self, outputs: int, planes: int, kernel: tuple[int, int], simd: Simd) -> Work:
        height, width = kernel
        sums = 2 if planes > 1 else 0  # the sum so far: loaded and stored
        window = Work(height + ceil_div(height * width, simd.lanes) + sums, height + sums)
        return self._finished(window.times(outputs * planes), outputs)

    def _matrix(self, pixels: int, channels: int, summands: int, simd: Simd) -> Work:
        blocks = ceil_div(pixels, self.pixels) * ceil_div(channels, self.channels)
        return self._finished(products(simd, summands, self.pixels, self.channels).times(blocks), pixels * channels)

    def _finished(self, work: Work, outputs: int) -> Work:
        return work.plus(Work(self.requantise * outputs, outputs))


KIND = Direct
