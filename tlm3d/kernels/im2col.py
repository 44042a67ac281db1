"""Kernels on maps with channels innermost (HWC): patches are laid out in a row, then multiplied block by block."""

from __future__ import annotations

from tlm3d.cnn.layers import Layer
from tlm3d.cnn.tiling import Tile
from tlm3d.kernels import Kernels, Simd, Work, elementwise, largest_share, products
from tlm3d.spec.quantities import Count, CountOrZero
from tlm3d.units import ceil_div

_DMA_OPERANDS = 8  # that the DMA moves in a cycle


class Im2col(Kernels):
    """PULP-NN's way (Garofalo et al., arXiv 1908.11263): ``pixels`` × ``channels`` outputs at a time, from registers.

    - conv: each pixel's patch is copied into a row of kh · kw · Cin operands, one after the other of its kh rows:
      ``patch_row`` instructions and two a word; or ``patch_row`` and, where the DMA copies, ``patch_dma`` of its cycles
      and one for 8 operands, a row at a time for all cores. Pointwise needs no copy. Outputs are then products of such
      rows with the weights, in blocks. Cores share pixels, or channels, where that leaves the busiest less to do.
    - depthwise: cores share channels. The maps of a tile are reordered to planes by the DMA, element by element. For
      each column of outputs, the rows above one another that it needs are copied, then an output is kh · kw products.
    - linear: one pixel, ``linear_channels`` outputs at a time; cores share outputs.

    An output takes ``requantise`` instructions: scale, shift, clip, store and its part of the loop around the block.
    """

    requantise: CountOrZero = 18
    pixels: Count = 2
    channels: Count = 4
    linear_channels: Count = 2
    patch_row: CountOrZero = 16
    patch_dma: Count | None = None

    def work(self, layer: Layer, tile: Tile, cores: int, simd: Simd) -> Work:
        if layer.kind == "depthwise":
            return self._depthwise(layer, tile, cores, simd)
        if layer.kind == "linear":
            share = largest_share(tile.out_channels, cores)
            return self._blocks(1, share, tile.in_channels, simd, self.linear_channels)
        if layer.kind not in ("conv", "pointwise"):
            return elementwise(layer, tile, cores, simd)
        positions, channels = tile.out_rows * tile.out_width, tile.out_channels
        by_pixels = (largest_share(positions, cores, self.pixels), channels, positions)
        some = largest_share(channels, cores, self.channels)
        by_channels = (positions, some, positions * ceil_div(channels, some))  # each core copies all patches
        shares = [self._convolution(layer, tile, *share, simd) for share in (by_pixels, by_channels)]
        return min(shares, key=lambda work: (work.instructions + work.dma_cycles, work))

    def _convolution(self, layer: Layer, tile: Tile, pixels: int, channels: int, patches: int, simd: Simd) -> Work:
        """What one core does for ``pixels`` × ``channels``, all cores together copying ``patches``."""
        summands = layer.weights_per_channel
        full, rest = divmod(pixels, self.pixels)
        work = self._blocks(self.pixels, channels, summands, simd, self.channels).times(full)
        if rest:
            work = work.plus(self._blocks(rest, channels, summands, simd, self.channels))
        if layer.kind == "conv":
            operands, rows = layer.kernel[1] * tile.in_channels, layer.kernel[0]
            copied = self._copied_row(operands, simd).times(rows * pixels)
            if self.patch_dma is not None:
                row_cycles = self.patch_dma + ceil_div(operands, _DMA_OPERANDS)
                copied = Work(rows * pixels * self.patch_row, 0, dma_cycles=rows * patches * row_cycles)
            work = work.plus(copied)
        return work

    def _copied_row(self, operands: int, simd: Simd) -> Work:
        """A row of so many operands copied: load and store of each word, then of each operand left over."""
        moves = operands // simd.lanes + operands % simd.lanes
        return Work(self.patch_row + 2 * moves, 2 * moves)

    def _blocks(self, pixels: int, channels: int, summands: int, simd: Simd, at_once: int) -> Work:
        full, rest = divmod(channels, at_once)
        work = products(simd, summands, pixels, at_once).times(full)
        if rest:
            work = work.plus(products(simd, summands, pixels, rest))
        outputs = pixels * channels
        return work.plus(Work(self.requantise * outputs, outputs))

    def _depthwise(self, layer: Layer, tile: Tile, cores: int, simd: Simd) -> Work:
        (height, width), outputs = layer.kernel, tile.out_rows * tile.out_width
        rows = (tile.out_rows - 1) * layer.stride[0] + height
        column = self._copied_column(width, simd).times(rows)
        taps, rest = divmod(height * width, simd.lanes)
        output = Work(3 * (taps + rest) + self.requantise, 2 * (taps + rest) + 1)
        channel = column.times(tile.out_width).plus(output.times(outputs))
        work = channel.times(largest_share(tile.out_channels, cores))
        elements = sum(tile.input_bytes) * 8 // layer.activation_bits
        return work._replace(reordered=elements)

    @staticmethod
    def _copied_column(width: int, simd: Simd) -> Work:
        """One row of a column: whole words, loaded (from anywhere: twice), stored, and the loop around them."""
        words = ceil_div(width, simd.lanes)
        return Work(4 * words + 4, 3 * words)


KIND = Im2col
