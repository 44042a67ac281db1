"""Links and buses: one kind a file, each with its Spec as ``KIND``.

Contract of the slot. A kind is a frozen ``LinkSpec``: it says what one direction of the connection is to the kernel
(lanes, rate, burst, overhead, latency, buffer, arbiter; entry time and flits where it has them), what a bit and a burst
cost, and what it draws awake, active, idle and gated. ``ADJACENT_TIERS`` says that it only joins dies that touch;
``WITHIN_DIE`` that it is a bus inside one; ``ONE_WAY`` that it cannot join both ways. A Spec is pure: no clock, no
state.
"""

from __future__ import annotations

from fractions import Fraction
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from tlm3d.spec.faults import FaultsSpec
from tlm3d.spec.quantities import (
    AjPerBit,
    Count,
    CountOrZero,
    DurationPs,
    Frozen,
    PowerNw,
    RateBps,
    SizeBits,
    SizeOrZeroBits,
)
from tlm3d.spec.states import GatedSpec

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
    def wire_lanes(self) -> int:
        """Lanes in use; a burst is padded to whole lanes."""
        return self.lanes

    @property
    def total_bps(self) -> Fraction:
        """All lanes in use together, bit/s."""
        return self.rate_bps * self.wire_lanes

    @property
    def burst_entry_ps(self) -> int:
        """Time on the wire before the bits of every burst."""
        return 0

    @property
    def payload_flit_bits(self) -> int:
        """Payload of the flits that a burst is padded to, ``overhead`` then being that of a flit; 0: no flits."""
        return 0

    @property
    def gating(self) -> GatedSpec | None:
        """How it is gated when nothing is to send; None: never."""
        return None


class LinkSpec(ChannelSpec):
    """A die-to-die link (``between`` both ways, or ``from``/``to`` one way) or a die's bus (neither)."""

    kind: str
    between: tuple[str, str] | None = None
    from_die: str | None = Field(alias="from", default=None)
    to_die: str | None = Field(alias="to", default=None)
    aj_per_bit: AjPerBit = Field(alias="energy", default=Fraction(0))
    idle_nw: PowerNw = Field(alias="idle", default=0)
    gated: GatedSpec | None = None
    faults: FaultsSpec | None = None
    failed_lanes: CountOrZero = 0
    spare_lanes: CountOrZero = 0

    ADJACENT_TIERS: ClassVar[bool] = False
    WITHIN_DIE: ClassVar[bool] = False
    ONE_WAY: ClassVar[bool] = False

    @model_validator(mode="after")
    def _lanes_are_left(self) -> LinkSpec:
        if self.working_lanes < 1:
            raise ValueError(
                f"{self.failed_lanes} lanes have failed of {self.lanes} and {self.spare_lanes} spares: none is left"
            )
        return self

    @property
    def working_lanes(self) -> int:
        """``lanes``, without the failed ones that no spare replaces."""
        return self.lanes - max(0, self.failed_lanes - self.spare_lanes)

    @property
    def wire_lanes(self) -> int:
        return self.working_lanes

    @property
    def gating(self) -> GatedSpec | None:
        return self.gated

    @property
    def wire_aj_per_bit(self) -> Fraction:
        """Energy of a bit on the wire, payload, overhead or padding."""
        return self.aj_per_bit

    @property
    def aj_per_burst(self) -> int:
        """Energy of a burst beside its bits."""
        return 0

    @property
    def active_nw(self) -> int:
        """Drawn while a transfer is on it."""
        return 0

    @property
    def awake_nw(self) -> int:
        """Drawn, by each direction, all the time but when gated: account ``pll``."""
        return 0

    @property
    def directions(self) -> tuple[tuple[str, str], ...]:
        """(from, to) of each simplex channel."""
        if self.between is not None:
            a, b = self.between
            return ((a, b), (b, a))
        return ((self.from_die or "", self.to_die or ""),)
