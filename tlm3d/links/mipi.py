"""MIPI CSI-2 on D-PHY: one way, from a sensor in a package of its own."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from pydantic import Field

from tlm3d.links import LinkSpec
from tlm3d.spec.quantities import AjPerBit, EnergyAj, PowerNw, RateBps, TimePs


class Mipi(LinkSpec):
    """Between bursts the lanes rest in the low-power stop state, drawing ``idle``.

    ``mode: high-speed``: every burst (a CSI-2 packet: header and checksum are its ``overhead``) enters high speed and
    leaves it again, which takes ``entry`` on the wire and ``entry_energy``; ``high_speed`` is drawn while a transfer is
    on it (terminations, clock lane). ``mode: low-power``: escape mode on the first lane alone, at ``low_power_rate``
    and ``low_power_energy`` a bit, with no entry.
    """

    mode: Literal["high-speed", "low-power"] = "high-speed"
    entry_ps: TimePs = Field(alias="entry", default=0)
    entry_energy_aj: EnergyAj = Field(alias="entry_energy", default=0)
    high_speed_nw: PowerNw = Field(alias="high_speed", default=0)
    low_power_rate_bps: RateBps = Field(alias="low_power_rate", default=Fraction(10**7))
    low_power_aj_per_bit: AjPerBit | None = Field(alias="low_power_energy", default=None)

    ONE_WAY = True

    @property
    def _high_speed(self) -> bool:
        return self.mode == "high-speed"

    @property
    def wire_lanes(self) -> int:
        return self.working_lanes if self._high_speed else 1

    @property
    def total_bps(self) -> Fraction:
        return self.rate_bps * self.working_lanes if self._high_speed else self.low_power_rate_bps

    @property
    def burst_entry_ps(self) -> int:
        return self.entry_ps if self._high_speed else 0

    @property
    def wire_aj_per_bit(self) -> Fraction:
        if self._high_speed or self.low_power_aj_per_bit is None:
            return self.aj_per_bit
        return self.low_power_aj_per_bit

    @property
    def aj_per_burst(self) -> int:
        return self.entry_energy_aj if self._high_speed else 0

    @property
    def active_nw(self) -> int:
        return self.high_speed_nw if self._high_speed else 0


KIND = Mipi
