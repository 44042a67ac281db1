"""An engine whose array takes the bits of its weights one after the other, in the manner of RBE and NE16."""

from __future__ import annotations

from typing import ClassVar, Literal

from tlm3d.cnn.layers import Layer, Op
from tlm3d.cnn.tiling import Tile
from tlm3d.dataflows import Array, Dataflow
from tlm3d.spec.quantities import Count, CountOrZero
from tlm3d.units import ceil_div

_TAPS = 9  # of the 3x3 window that the array is built for
_BITS = 8  # of a pixel, and most of a weight's; also what a column adds up at once of a weight taken in one step


class BitSerial(Dataflow):
    """Tiles of ``pixels`` outputs × columns channels, from blocks of rows input channels; no two phases overlap.

    Each block: load (``fill`` + words), weight offset (``fill``), products (``fill`` + steps), 2 cycles of control.
    Then each tile of k channels: shift ⌈k/m⌉, scale 9 + ⌈k · s/m⌉, with m ``multipliers`` and s bytes of a scale, bias
    8 + ⌈k/``adders``⌉, out 4 + ⌈8k/``port``⌉ words a pixel. Of h × w pixels:

    - 3×3: loads (h + 2)(w + 2) pixels; a step for each bit of an output channel's weights: 9 · h · w · rows products
    - depthwise 3×3: the same, of rows channels and one of them at a time; the weight offset has a step for each, too
    - 1×1: a step an output channel, of any ``weight_bits``: eight of the nine units beside each other take a bit each;
      loads h rows of the same patch
    - fully connected: ``vector``, as 3×3, but all units on ``port`` inputs of one output; ``pixel``: as 1×1, one pixel

    A load moves rows channels of a pixel, a step its weights, in one word where that is wide enough. Stride 2 keeps
    every second of the outputs that are computed, 2×2 of 3×3. What a layer does not fill takes its time all the same,
    but for output channels. All of this is the state machine of NE16 and its lengths (pulp-platform/ne16, rtl/ctrl);
    ``fill`` and the other constants are those of a model of it in cycles (Ne16PerfModel, as in MATCH for GAP9).
    """

    pixels: tuple[Count, Count] = (3, 3)
    port: Count = 256
    fill: CountOrZero = 6
    multipliers: Count = 4
    adders: Count = 8
    scale_bits: Count = 8
    linear: Literal["vector", "pixel"] = "vector"

    PACED: ClassVar[bool] = True

    def runs(self, layer: Layer) -> bool:
        if layer.weight_bits > _BITS or layer.activation_bits > _BITS:
            return False
        if layer.op is Op.LINEAR:
            return True
        kernels = ((3, 3),) if layer.op is Op.DEPTHWISE else ((1, 1), (3, 3))
        return self.supports(layer.kind) and layer.kernel in kernels and layer.stride in ((1, 1), (2, 2))

    def macs_per_cycle(self, array: Array) -> int:
        return _TAPS * self._area * array[0]  # with weights of one bit

    @property
    def _area(self) -> int:
        return self.pixels[0] * self.pixels[1]

    def cycles(self, array: Array, layer: Layer, tile: Tile) -> int:
        rows, columns = array
        width = rows if layer.op is Op.DEPTHWISE else columns
        whole, rest = divmod(tile.out_channels, width)
        places = self._along(0, layer, tile.out_rows) * self._along(1, layer, tile.out_width)
        return places * (
            whole * self._tile(rows, layer, tile, width) + (self._tile(rows, layer, tile, rest) if rest else 0)
        )

    def _along(self, side: int, layer: Layer, outputs: int) -> int:
        """Tiles along one side."""
        return ceil_div(outputs, ceil_div(self.pixels[side], layer.stride[side]))

    def _tile(self, rows: int, layer: Layer, tile: Tile, channels: int) -> int:
        """Cycles of one tile of ``channels`` outputs a pixel: all blocks of its inputs, then its outputs."""
        scales = channels * ceil_div(self.scale_bits, 8)
        quantise = (
            ceil_div(channels, self.multipliers)
            + (9 + ceil_div(scales, self.multipliers))
            + (8 + ceil_div(channels, self.adders))
        )
        out = 4 + self._area * self._words(channels * _BITS)
        return self._blocks(rows, layer, tile, channels) + quantise + out

    def _blocks(self, rows: int, layer: Layer, tile: Tile, channels: int) -> int:
        height, width = self.pixels
        load, weights = self._words(rows * _BITS), self._words(rows * _TAPS)
        patch, steps, offset, blocks = (height + 2) * (width + 2), channels * layer.weight_bits, 0, 1
        if layer.op is Op.DEPTHWISE:
            offset = channels
        elif layer.op is Op.LINEAR and self.linear == "vector":
            patch = max(1, min(self.port // rows, _BITS * self._area))  # blocks of rows inputs, in the place of pixels
            weights = self._words(patch * rows)
            blocks = ceil_div(tile.in_channels, patch * rows)
        else:
            blocks = ceil_div(tile.in_channels, rows)
            if layer.kernel == (1, 1):
                patch, steps = (height - 1) * (width + 2) + width, channels
                weights = self._words(rows * layer.weight_bits)
        return blocks * (3 * self.fill + patch * load + offset + steps * weights + 2)

    def _words(self, bits: int) -> int:
        return ceil_div(bits, self.port)


KIND = BitSerial
