"""Lanes of multipliers beside a memory that feeds them: SIMD, one operand shared by all lanes."""

from __future__ import annotations

from typing import ClassVar, Literal

from tlm3d.cnn.layers import Layer, Op
from tlm3d.cnn.tiling import Tile
from tlm3d.dataflows import Array, Dataflow
from tlm3d.spec.quantities import Count
from tlm3d.units import ceil_div


class NearMemory(Dataflow):
    """rows lanes, each of which sums columns products a cycle; cycles = max(steps, bits read / ``word``).

    Of P output pixels, N output channels and K summands, with ``broadcast``

    - pixels: a lane has an output channel, all see one pixel's operands: ⌈N/rows⌉ · P · ⌈K/columns⌉ steps
    - weights: a lane has an output pixel, all see one channel's weights: ⌈P/rows⌉ · N · ⌈K/columns⌉ steps

    What is broadcast is read for every step. What a lane has to itself it keeps for ``reuse`` steps on other outputs,
    and reads again. A depthwise layer has K = kh · kw and shares no pixels: with ``pixels``, lanes read their own for
    every step and keep weights; with ``weights``, no second channel reuses a pixel. A linear layer is one pixel.

    The scheme is that of SIMD beside a memory, as in the three-tier imager J3DAI (arXiv 2506.15316), whose mapping is
    not published in such detail: which operand is broadcast, and how long the other is kept, are assumptions of the
    file. Outputs are written beside the reading; partial sums never leave a lane.
    """

    word: Count
    broadcast: Literal["pixels", "weights"]
    reuse: Count = 1

    PACED: ClassVar[bool] = True

    def cycles(self, array: Array, layer: Layer, tile: Tile) -> int:
        lanes, at_once = array
        pixels, channels, summands = tile.out_rows * tile.out_width, tile.out_channels, layer.weights_per_channel
        mine, others = (channels, pixels) if self.broadcast == "pixels" else (pixels, channels)
        shared_bits, own_bits = layer.activation_bits, layer.weight_bits
        if self.broadcast == "weights":
            shared_bits, own_bits = own_bits, shared_bits
        groups, kept = ceil_div(mine, lanes), ceil_div(others, self.reuse)
        sees = groups * others  # operands of an output, read for all lanes
        if layer.op is Op.DEPTHWISE:
            sees, kept = (mine * others, kept) if self.broadcast == "pixels" else (sees, others)
        steps = groups * others * ceil_div(summands, at_once)
        return max(steps, ceil_div(summands * (sees * shared_bits + mine * kept * own_bits), self.word))


KIND = NearMemory
