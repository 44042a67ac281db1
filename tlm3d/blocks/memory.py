"""A memory: capacity, one port, energy a bit, leakage."""

from __future__ import annotations

from fractions import Fraction
from typing import ClassVar

from pydantic import Field

from tlm3d.blocks import BlockSpec
from tlm3d.links import ChannelSpec
from tlm3d.spec.quantities import AjPerBit, SizeBits
from tlm3d.spec.states import GatedSpec


class Memory(BlockSpec, ChannelSpec):
    """Reads and writes share the port: one channel, arbitrated a burst at a time. Gated, it keeps what lies in it."""

    capacity_bits: SizeBits = Field(alias="capacity")
    read_aj_per_bit: AjPerBit = Field(alias="read", default=Fraction(0))
    write_aj_per_bit: AjPerBit = Field(alias="write", default=Fraction(0))

    ROLE = "memory"
    NON_VOLATILE: ClassVar[bool] = False  # weights are in it before the system is switched on

    @property
    def gating(self) -> GatedSpec | None:
        return self.states.gated

    @property
    def capacity_bytes(self) -> int:
        """Whole bytes."""
        return self.capacity_bits // 8


KIND = Memory
