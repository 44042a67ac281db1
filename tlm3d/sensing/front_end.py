"""The amplifiers between a sensor and its converters."""

from __future__ import annotations

from fractions import Fraction

from pydantic import Field

from tlm3d.spec.quantities import Count, FrequencyHz, Frozen, Kelvin, Positive, VoltageV
from tlm3d.technology.amplifier import amplifier_nw
from tlm3d.units import ceil_div


class FrontEndSpec(Frozen):
    """``channels`` amplifiers of input-referred ``noise`` (rms over ``bandwidth``), ``nef`` times as bad as ideal."""

    channels: Count = 1
    bandwidth_hz: FrequencyHz = Field(alias="bandwidth")
    noise_v: VoltageV = Field(alias="noise")
    supply_v: VoltageV = Field(alias="supply")
    nef: Positive
    temperature_k: Kelvin = Field(alias="temperature", default=Fraction(300))

    @property
    def power_nw(self) -> int:
        """Drawn while it is on by all channels, nW, rounded up."""
        exact = self.channels * amplifier_nw(
            self.nef, self.noise_v, self.bandwidth_hz, self.supply_v, self.temperature_k
        )
        return ceil_div(exact.numerator, exact.denominator)
