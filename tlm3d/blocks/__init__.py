"""Blocks: one kind a file, each with its Spec and its cost model as ``KIND``.

Contract of the slot. A kind is a frozen ``BlockSpec`` with one ``ROLE``:

- ``compute``: runs tiles behind a double-buffered local memory. ``supports(kind)``; ``cost(layer, tile) -> Cost``;
  ``local_bytes``; ``clock_hz``.
- ``lane``: runs plain stages one at a time, no tiles, no memory.
- ``sensor``: ``emits(mode) -> rows`` of one frame; ``frame_shape``, ``stored_bytes`` and what may be asked of it.
- ``memory``: capacity and one port.

Everything is pure: the same arguments give the same answer, nothing is remembered.
"""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction
from typing import ClassVar, NamedTuple

from pydantic import Field

from tlm3d.cnn.layers import Layer
from tlm3d.cnn.tiling import Tile
from tlm3d.links import ChannelSpec
from tlm3d.sensing.adc import AdcSpec
from tlm3d.sensing.front_end import FrontEndSpec
from tlm3d.spec.quantities import (
    AjPerBit,
    AjPerCycle,
    AjPerMac,
    Count,
    FrequencyHz,
    Frozen,
    PowerNw,
    SizeBits,
    SizeOrZeroBits,
)
from tlm3d.spec.states import StatesSpec
from tlm3d.units import book_aj


class Cost(NamedTuple):
    """What one tile takes on a block."""

    cycles: int
    energy_aj: int


class Row(NamedTuple):
    """A part of a frame that is sent as a whole: converted over [start, end) after the start of the readout."""

    start_ps: int
    end_ps: int
    bytes: int
    sensing_aj: int
    conversion_aj: int
    analog_aj: int = 0  # of arithmetic before the converters


class BlockSpec(Frozen):
    """What every block has. ``leakage`` is drawn all the time but when gated."""

    kind: str
    leakage_nw: PowerNw = Field(alias="leakage", default=0)
    states: StatesSpec = StatesSpec()

    ROLE: ClassVar[str]

    @property
    def active_nw(self) -> int:
        """What is drawn in the active state, on top of leakage."""
        return self.states.active_nw


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


class SensorSpec(BlockSpec):
    """What every sensor has: a frame clock, amplifiers, converters, and a FIFO on the way to the memory ``home``.

    It is active from ``lead_ps`` before a frame to the end of its readout, and the ``front_end`` is on then. Rows wait
    for the link in a FIFO of ``fifo``; when it is full the frame is lost.
    """

    frame_rate_hz: FrequencyHz = Field(alias="frame_rate")
    bits: Count
    adc: AdcSpec
    front_end: FrontEndSpec | None = None
    fifo_bits: SizeBits = Field(alias="fifo", default=8 * 4096)
    home: str | None = None  # default: the only memory of the die

    ROLE = "sensor"
    MODES_AT_ONCE: ClassVar[bool] = False  # modes of one frame are read side by side, not one after the other

    @property
    def active_nw(self) -> int:
        """What is drawn while it exposes and reads: the state's power and the front end's."""
        return self.states.active_nw + (self.front_end.power_nw if self.front_end else 0)

    @property
    def mode_names(self) -> tuple[str, ...]:
        """The ways of reading it."""
        raise TypeError(f"{type(self).__name__} does not say how it is read")

    @property
    def lead_ps(self) -> int:
        """How long before a frame it is active."""
        return 0

    def emits(self, mode: str) -> tuple[Row, ...]:
        """What is read anew for one frame of ``mode``, in order, times relative to the start of its readout."""
        raise TypeError(f"{type(self).__name__} does not say what it reads")

    def frame_shape(self, mode: str) -> tuple[int, int, int]:
        """(rows, columns, channels) of samples in one frame of ``mode``."""
        raise TypeError(f"{type(self).__name__} does not say what a frame is")

    def frame_bytes(self, mode: str) -> int:
        """What a network reads of one frame of ``mode``."""
        return sum(row.bytes for row in self.emits(mode))

    def stored_bytes(self, mode: str, frames: int) -> int:
        """Room in memory for ``frames`` frames of ``mode`` that follow each other."""
        return frames * self.frame_bytes(mode)

    def weight_bytes(self, mode: str) -> int:
        """Weights in the sensor that ``mode`` needs."""
        return 0

    def frame_times_ps(self, modes: Collection[str]) -> dict[str, int]:
        """What must fit the frame period where all of ``modes`` are read on one tick, by its name."""
        raise TypeError(f"{type(self).__name__} does not say how long a frame takes")

    def clock_fault(self, rate_hz: Fraction) -> str | None:
        """Why the frame clock cannot be ``rate_hz``; None where it can."""
        return None

    def gap_fault(self, mode: str, every: int) -> str | None:
        """Why not every ``every``-th frame of ``mode`` can be taken alone; None where it can."""
        return None
