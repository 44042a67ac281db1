"""A convolution accelerator: a two-dimensional array of MAC units beside a local memory."""

from __future__ import annotations

from pydantic import Field

from tlm3d.blocks import ComputeSpec, Cost, VectorUnitSpec
from tlm3d.cnn.layers import Layer
from tlm3d.cnn.tiling import Pace, Tile
from tlm3d.dataflows import AnyDataflow
from tlm3d.dataflows.channel_parallel import ChannelParallel
from tlm3d.spec.quantities import Count, CountOrZero, SizeBits


class CnnAccelerator(VectorUnitSpec, ComputeSpec):
    """``array: [rows, columns]`` of units, used in the way that ``dataflow`` says (``tlm3d list dataflows``).

    cycles = set-up + those of the dataflow. An optional vector unit (``elements_per_cycle``) does pooling and addition.
    Energy a cycle is that of the whole array, busy or not, so idle units cost too.
    """

    array: tuple[Count, Count]
    dataflow: AnyDataflow = ChannelParallel(kind="channel-parallel")
    local_bits: SizeBits = Field(alias="local")
    tile_setup: CountOrZero = 0

    @property
    def local_bytes(self) -> int:
        return self.local_bits // 8

    @property
    def pace(self) -> Pace | None:
        return self if self.dataflow.PACED else None

    def supports(self, kind: str) -> bool:
        return self.on_vector_unit(kind) or self.dataflow.supports(kind)

    def runs(self, layer: Layer) -> bool:
        return self.on_vector_unit(layer.kind) or self.dataflow.runs(layer)

    def cost(self, layer: Layer, tile: Tile) -> Cost:
        on_vector_unit = self.on_vector_unit(layer.kind)
        work = self.vector_cycles(tile) if on_vector_unit else self.dataflow.cycles(self.array, layer, tile)
        cycles = self.tile_setup + work
        return Cost(cycles, self.energy.book(cycles, tile.macs))


KIND = CnnAccelerator
