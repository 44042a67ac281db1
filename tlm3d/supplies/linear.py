"""A linear regulator (LDO): the current of the load, at the voltage of the battery."""

from __future__ import annotations

from fractions import Fraction

from pydantic import Field, model_validator

from tlm3d.spec.quantities import PowerNw, VoltageV
from tlm3d.supplies import Points, SupplySpec
from tlm3d.units import show


class Linear(SupplySpec):
    """All current of the load flows through it, so it takes load · input / output, and its ground current beside.

    Efficiency is thus at most output / input, whatever the load (Horowitz, Hill: The Art of Electronics, ch. 9).
    """

    input_v: VoltageV = Field(alias="input")
    output_v: VoltageV = Field(alias="output")
    quiescent_nw: PowerNw = Field(alias="quiescent", default=0)

    @model_validator(mode="after")
    def _steps_down(self) -> Linear:
        if self.output_v > self.input_v:
            low, high = (show(float(volts), "V") for volts in (self.input_v, self.output_v))
            raise ValueError(
                f"a linear regulator cannot make {high} from {low}: expected an output of at most its input"
            )
        return self

    def curve(self) -> tuple[Points, Fraction]:
        """One line from the quiescent power on."""
        return ((Fraction(0), Fraction(self.quiescent_nw)),), self.input_v / self.output_v


KIND = Linear
