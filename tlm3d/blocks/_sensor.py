"""Blocks that sense: frames on a clock, converted and sent part by part."""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction
from typing import ClassVar, NamedTuple

from pydantic import Field

from tlm3d.blocks._block import BlockSpec
from tlm3d.sensing.adc import AdcSpec
from tlm3d.sensing.front_end import FrontEndSpec
from tlm3d.spec.quantities import (
    Count,
    FrequencyHz,
    SizeBits,
)


class Row(NamedTuple):
    """A part of a frame that is sent as a whole: converted over [start, end) after the start of the readout."""

    start_ps: int
    end_ps: int
    bytes: int
    sensing_aj: int
    conversion_aj: int
    analog_aj: int = 0  # of arithmetic before the converters


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
