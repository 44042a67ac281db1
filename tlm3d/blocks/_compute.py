"""Blocks that run tiles of layers."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal, NamedTuple

from pydantic import Field, field_validator

from tlm3d.blocks._operated import ComputeEnergySpec, OperatedSpec, ProgrammableSpec
from tlm3d.cnn.layers import Layer
from tlm3d.cnn.tiling import Pace, Tile, tile_layer
from tlm3d.facts import Fact
from tlm3d.links import ChannelSpec
from tlm3d.spec.points import (
    ComputePointSpec,
)
from tlm3d.spec.quantities import (
    AjPerBit,
    Count,
    CountOrZero,
    FrequencyHz,
    Frozen,
    Positive,
    SizeOrZeroBits,
    TimePs,
)
from tlm3d.units import QuantityError, ceil_div


class Cost(NamedTuple):
    """What one tile takes on a block."""

    cycles: int
    energy_aj: int


class VectorUnitSpec(Frozen):
    """A vector unit beside an array, for pooling and addition; without ``elements_per_cycle`` there is none."""

    elements_per_cycle: Positive | None = None

    def on_vector_unit(self, kind: str) -> bool:
        """Whether layers of ``kind`` run there."""
        return kind in ("pool", "add") and self.elements_per_cycle is not None

    def vector_cycles(self, tile: Tile) -> int:
        """Cycles of ``tile`` there."""
        assert self.elements_per_cycle is not None  # else it does not run there
        exact = tile.elements / self.elements_per_cycle
        return ceil_div(exact.numerator, exact.denominator)


class DmaSpec(ChannelSpec):
    """The block's port: a channel into its local memory and one out of it. ``energy`` fills or drains local memory."""

    aj_per_bit: AjPerBit = Field(alias="energy", default=Fraction(0))


class ComputeSpec(OperatedSpec):
    """What every tile-running block has. ``home`` keeps its feature maps, ``weight_store`` the weights it fetches.

    Weights that pass through a ``weight_stage`` are fetched into it a layer at a time, or piece by piece where they do
    not fit beside what else lies there, and the block loads them from it. With two ``buffers`` a tile moves while
    another one computes; with one it has all of the local memory, and nothing overlaps. ``layer_setup`` cycles pass
    before the first tile of a layer computes; they cost no energy, but the block counts as active.

    ``preemption``: a more urgent job gets the block at the next ``tile`` that is not committed, or only where a layer
    that has begun is over (``none``); with ``full`` one of its plain stages stops what computes at once, which takes
    cores that run instructions. ``context_switch`` passes before the block goes on with a layer that was interrupted.
    """

    points: tuple[ComputePointSpec, ...] = ()
    clock_hz: FrequencyHz = Field(alias="clock")
    energy: ComputeEnergySpec = Field(default_factory=ComputeEnergySpec)
    home: str | None = None  # default: the only memory of the die
    weight_store: str | None = None
    weight_stage: str | None = None
    weight_memory_bits: SizeOrZeroBits = Field(alias="weight_memory", default=0)
    dma: DmaSpec | None = None
    buffers: Count = 2
    layer_setup: CountOrZero = 0
    preemption: Literal["tile", "none", "full"] = "tile"
    context_switch_ps: TimePs = Field(alias="context_switch", default=0)

    ROLE = "compute"

    @field_validator("buffers")
    @classmethod
    def _one_or_two(cls, buffers: int) -> int:
        if buffers > 2:
            raise QuantityError(f"expected 1 or 2 buffers, got {buffers}")
        return buffers

    @field_validator("preemption")
    @classmethod
    def _stops_where_it_can(cls, preemption: str) -> str:
        if preemption == "full" and not issubclass(cls, ProgrammableSpec):
            raise QuantityError("expected one of: tile, none; got 'full', which takes cores that run instructions")
        return preemption

    @property
    def local_bytes(self) -> int:
        """Local memory that tiles are cut to, all buffers together, bytes."""
        raise TypeError(f"{type(self).__name__} does not say how large its local memory is")

    @property
    def pace(self) -> Pace | None:
        """What tiles are cut for, beside the bytes they move; None: nothing."""
        return None

    @property
    def cycles_per_byte(self) -> Fraction:
        """Of the DMA, moving a byte; 0 without one."""
        return 8 * self.clock_hz / self.dma.total_bps if self.dma is not None else Fraction(0)

    def tiles(self, layer: Layer, weights_resident: bool) -> tuple[Tile, ...]:
        """``layer`` cut for this block. Raises TileError where even the smallest tile does not fit."""
        return tile_layer(layer, self.local_bytes, weights_resident, self.pace, self.buffers)

    def tile_cycles(self, layer: Layer, tile: Tile) -> int:
        """Cycles of one tile of ``layer``."""
        return self.cost(layer, tile).cycles

    def supports(self, kind: str) -> bool:
        """Whether layers of ``kind`` (conv, pointwise, depthwise, linear, pool, add, softmax) run here."""
        raise TypeError(f"{type(self).__name__} does not say which layers it runs")

    def runs(self, layer: Layer) -> bool:
        """Whether ``layer`` runs here: of a kind that does, with its kernel, stride and bits."""
        return self.supports(layer.kind)

    def cost(self, layer: Layer, tile: Tile) -> Cost:
        """Cycles and energy of one tile of ``layer``."""
        raise TypeError(f"{type(self).__name__} does not say what a tile costs")

    def layer_facts(self, layer: Layer) -> tuple[Fact, ...]:
        """What is worth showing of ``layer`` as it runs here, beside its cost."""
        return ()
