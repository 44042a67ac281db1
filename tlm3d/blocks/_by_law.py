"""What memories have in common whose energies and powers follow from a law or a published figure where not given."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from typing import Any

from pydantic import Field, PrivateAttr, ValidationInfo

from tlm3d.blocks import DerivedValue
from tlm3d.blocks.memory import Memory
from tlm3d.spec.corners import TYPICAL
from tlm3d.spec.quantities import AjPerBit, PowerNw
from tlm3d.units import duration_ps

AJ_PER_PJ = 10**6
BITS_PER_KIB = 8 * 1024

_BY_LAW: Any = None  # a default that is filled in before anybody sees it
_DECIMAL = Context(prec=40, rounding=ROUND_HALF_EVEN)

AtCorners = Mapping[str, Fraction]


def at_corners(low: str, typical: str, high: str) -> AtCorners:
    """A figure with its spread, by corner."""
    return {"low": Fraction(low), "typical": Fraction(typical), "high": Fraction(high)}


class LawfulMemory(Memory):
    """A memory that fills in what is not given; ``derived`` says what, and from what."""

    leakage_nw: PowerNw = Field(alias="leakage", default=_BY_LAW)
    read_aj_per_bit: AjPerBit = Field(alias="read", default=_BY_LAW)
    write_aj_per_bit: AjPerBit = Field(alias="write", default=_BY_LAW)

    _derived: tuple[DerivedValue, ...] = PrivateAttr(default=())

    @property
    def derived(self) -> tuple[DerivedValue, ...]:
        return self._derived

    def _fill_energy(self, key: str, aj_per_bit: Fraction, given: str, to: str) -> None:
        """The energy a bit of ``key`` (read, write), unless it was given."""
        name = f"{key}_aj_per_bit"
        if name not in self.model_fields_set:
            self.__dict__[name] = aj_per_bit  # frozen from here on
            self._note(key, f"{float(aj_per_bit / AJ_PER_PJ):.12g} pJ/bit", given, to)

    def _fill_leakage(self, exact_nw: Fraction, given: str, to: str) -> None:
        """Leakage, up to a nanowatt, unless it was given."""
        if "leakage_nw" not in self.model_fields_set:
            self.__dict__["leakage_nw"] = duration_ps(exact_nw)
            if exact_nw:
                self._note("leakage", _microwatts(self.leakage_nw), given, to)

    def _fill_gated(self, exact_nw: Fraction, given: str, to: str) -> None:
        """What it draws gated, up to a nanowatt, where it is gated and that was not given."""
        gated = self.states.gated
        if gated is not None and "power_nw" not in gated.model_fields_set:
            power_nw = duration_ps(exact_nw)
            drawing = gated.model_copy(update={"power_nw": power_nw})
            self.__dict__["states"] = self.states.model_copy(update={"gated": drawing})
            self._note("states.gated.power", _microwatts(power_nw), given, to)

    def _note(self, key: str, value: str, given: str, to: str) -> None:
        self._derived = (*self._derived, DerivedValue(key, value, given, to))


def _microwatts(power_nw: int) -> str:
    return f"{power_nw / 1000:.12g} uW"


def corner_of(info: ValidationInfo) -> str:
    """The corner at which the file is read."""
    return str((info.context or {}).get("corner", TYPICAL))


def power_law(base: Fraction, exponent: Fraction) -> Fraction:
    """``base`` to the ``exponent``, to 15 significant digits, the same on every machine."""
    number = _DECIMAL.divide(Decimal(base.numerator), Decimal(base.denominator))
    power = _DECIMAL.divide(Decimal(exponent.numerator), Decimal(exponent.denominator))
    return Fraction(Context(prec=15).plus(_DECIMAL.power(number, power)))
