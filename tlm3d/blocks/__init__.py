"""Blocks: one kind a file, each with its Spec and its cost model as ``KIND``.

Contract of the slot. A kind is a frozen ``BlockSpec`` with one ``ROLE``:

- ``compute``: runs tiles behind a double-buffered local memory. ``supports(kind)``; ``cost(layer, tile) -> Cost``;
  ``local_bytes``; ``clock_hz``.
- ``lane``: runs plain stages one at a time, no tiles, no memory.
- ``sensor``: ``emits(mode) -> rows`` of one frame.
- ``memory``: capacity and one port.

Any of them may have ``facts()``, figures that ``tlm3d show`` draws beside it; one that runs layers also
``layer_facts(layer)``, which ``tlm3d explain`` lists. They are shown and decide nothing.

Everything is pure: the same arguments give the same answer, nothing is remembered.
"""

from __future__ import annotations

from fractions import Fraction
from typing import ClassVar, NamedTuple

from pydantic import Field

from tlm3d.cnn.layers import Layer
from tlm3d.cnn.tiling import Tile
from tlm3d.facts import Fact
from tlm3d.links import ChannelSpec
from tlm3d.spec.quantities import AjPerBit, AjPerCycle, AjPerMac, FrequencyHz, Frozen, PowerNw, SizeOrZeroBits
from tlm3d.spec.states import StatesSpec
from tlm3d.units import book_aj


class Cost(NamedTuple):
    """What one tile takes on a block."""

    cycles: int
    energy_aj: int


class BlockSpec(Frozen):
    """What every block has. ``leakage`` is drawn all the time but when gated."""

    kind: str
    leakage_nw: PowerNw = Field(alias="leakage", default=0)
    states: StatesSpec = StatesSpec()

    ROLE: ClassVar[str]

    def facts(self) -> tuple[Fact, ...]:
        """What is worth showing of this block beside its keys."""
        return ()


class CycleEnergySpec(Frozen):
    """Energy of a clock cycle spent busy."""

    aj_per_cycle: AjPerCycle = Field(alias="cycle", default=Fraction(0))

    def book(self, cycles: int, macs: int) -> int:
        """Energy of ``cycles`` busy cycles, aJ; ``macs`` cost nothing extra here."""
        return book_aj(cycles * self.aj_per_cycle)


class ComputeEnergySpec(CycleEnergySpec):
    """Energy of a busy clock cycle and, on top, of a multiply-accumulate."""

    aj_per_mac: AjPerMac = Field(alias="mac", default=Fraction(0))

    def book(self, cycles: int, macs: int) -> int:
        """Energy of ``cycles`` busy cycles with ``macs`` operations in them, aJ."""
        return book_aj(cycles * self.aj_per_cycle + macs * self.aj_per_mac)


class DmaSpec(ChannelSpec):
    """The block's port: a channel into its local memory and one out of it. ``energy`` fills or drains local memory."""

    aj_per_bit: AjPerBit = Field(alias="energy", default=Fraction(0))


class ComputeSpec(BlockSpec):
    """What every tile-running block has. ``home`` keeps its feature maps, ``weight_store`` the weights it fetches."""

    clock_hz: FrequencyHz = Field(alias="clock")
    energy: ComputeEnergySpec = Field(default_factory=ComputeEnergySpec)
    home: str | None = None  # default: the only memory of the die
    weight_store: str | None = None
    weight_memory_bits: SizeOrZeroBits = Field(alias="weight_memory", default=0)
    dma: DmaSpec | None = None

    ROLE = "compute"

    @property
    def local_bytes(self) -> int:
        """Local memory that tiles are cut to, bytes."""
        raise TypeError(f"{type(self).__name__} does not say how large its local memory is")

    def supports(self, kind: str) -> bool:
        """Whether layers of ``kind`` (conv, pointwise, depthwise, linear, pool, add, softmax) run here."""
        raise TypeError(f"{type(self).__name__} does not say which layers it runs")

    def cost(self, layer: Layer, tile: Tile) -> Cost:
        """Cycles and energy of one tile of ``layer``."""
        raise TypeError(f"{type(self).__name__} does not say what a tile costs")

    def layer_facts(self, layer: Layer) -> tuple[Fact, ...]:
        """What is worth showing of ``layer`` as it runs here, beside its cost."""
        return ()
