"""The converters of a sensor."""

from __future__ import annotations

from fractions import Fraction

from pydantic import Field, field_validator, model_validator

from tlm3d.spec.quantities import AjPerConversion, Count, FrequencyHz, Frozen, Positive
from tlm3d.technology.adc import envelope_aj
from tlm3d.units import PS_PER_S, QuantityError, ceil_div

MAX_ENOB = 32  # beyond any converter


class EnvelopeSpec(Frozen):
    """A conversion of ``enob`` effective bits at ``multiple`` times the best that was published."""

    enob: Positive
    multiple: Positive

    @field_validator("enob")
    @classmethod
    def _of_a_converter(cls, enob: Fraction) -> Fraction:
        if enob > MAX_ENOB:
            raise QuantityError(f"expected effective bits, at most {MAX_ENOB}, got {float(enob):.4g}")
        return enob


class AdcSpec(Frozen):
    """``converters`` working side by side, each doing ``rate`` conversions a second.

    A conversion takes ``energy``, or what the ``envelope`` of published converters says.
    """

    converters: Count = 1
    rate_hz: FrequencyHz = Field(alias="rate")
    aj_per_conversion: AjPerConversion = Field(alias="energy", default=Fraction(0))
    envelope: EnvelopeSpec | None = None

    @model_validator(mode="after")
    def _one_energy(self) -> AdcSpec:
        if self.envelope is not None and "aj_per_conversion" in self.model_fields_set:
            raise ValueError("expected either 'energy' or 'envelope': two ways of saying what a conversion takes")
        return self

    def conversion_aj(self, bits: int) -> Fraction:
        """Energy of a conversion to ``bits`` bits, which cannot be effective in more, aJ."""
        if self.envelope is None:
            return self.aj_per_conversion
        return envelope_aj(min(self.envelope.enob, Fraction(bits)), self.envelope.multiple)

    def time_ps(self, conversions: int) -> Fraction:
        """How long ``conversions`` take, shared out among the converters."""
        return ceil_div(conversions, self.converters) * PS_PER_S / self.rate_hz
