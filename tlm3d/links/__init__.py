"""Links and buses: one kind a file, each with its Spec as ``KIND``.

Contract of the slot. A kind is a frozen ``LinkSpec``: it says what one direction of the connection is to the kernel
(lanes, rate, burst, overhead, latency, buffer, arbiter) and what a bit costs. ``ADJACENT_TIERS`` says that it only
joins dies that touch; ``WITHIN_DIE`` that it is a bus inside one. A Spec is pure: no clock, no state.
"""

from __future__ import annotations

from fractions import Fraction
from typing import ClassVar, Literal

from pydantic import Field

from tlm3d.spec.quantities import AjPerBit, Count, DurationPs, Frozen, PowerNw, RateBps, SizeBits, SizeOrZeroBits

ArbiterName = Literal["round-robin", "oldest", "priority"]


class ChannelSpec(Frozen):
    """What the kernel must know of one channel. ``rate`` is a lane's; the channel moves ``lanes`` × ``rate``."""

    rate_bps: RateBps = Field(alias="rate")
    lanes: Count = 1
    latency_ps: DurationPs = Field(alias="latency", default=1000)
    burst_bits: SizeBits = Field(alias="burst", default=64 * 8)
    overhead_bits: SizeOrZeroBits = Field(alias="overhead", default=0)
    buffer_bursts: Count = Field(alias="buffer", default=8)
    arbiter: ArbiterName = "round-robin"

    @property
    def total_bps(self) -> Fraction:
        """All lanes together, bit/s."""
        return self.rate_bps * self.lanes


class LinkSpec(ChannelSpec):
    """A die-to-die link (``between`` both ways, or ``from``/``to`` one way) or a die's bus (neither)."""

    kind: str
    between: tuple[str, str] | None = None
    from_die: str | None = Field(alias="from", default=None)
    to_die: str | None = Field(alias="to", default=None)
    aj_per_bit: AjPerBit = Field(alias="energy", default=Fraction(0))
    idle_nw: PowerNw = Field(alias="idle", default=0)

    ADJACENT_TIERS: ClassVar[bool] = False
    WITHIN_DIE: ClassVar[bool] = False

    @property
    def directions(self) -> tuple[tuple[str, str], ...]:
        """(from, to) of each simplex channel."""
        if self.between is not None:
            a, b = self.between
            return ((a, b), (b, a))
        return ((self.from_die or "", self.to_die or ""),)
