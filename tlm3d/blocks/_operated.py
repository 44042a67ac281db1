"""Blocks with a clock and a voltage: energies a cycle, operating points, instructions."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Self

from pydantic import Field, PrivateAttr, ValidationInfo, field_validator, model_validator

from tlm3d.blocks._block import BlockSpec
from tlm3d.spec.points import (
    ALPHA,
    OperatingCurve,
    OperatingPoint,
    PointSpec,
    check_law,
    check_order,
    check_voltage,
)
from tlm3d.spec.quantities import (
    AjPerCycle,
    AjPerMac,
    Frozen,
    Positive,
    VoltageV,
)
from tlm3d.units import QuantityError, book_aj, show_v


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


_CLOCK_OF_POINTS = Fraction(0)  # in the place of a clock that is not given, until the points are known


class OperatedSpec(BlockSpec):
    """A block that may have operating points: clock, leakage and dynamic energies then follow from ``voltage``.

    Once read, ``clock_hz``, ``leakage_nw`` and ``energy`` are those at ``voltage``; ``curve`` has what was stated, and
    the operating point of any other voltage. A kind has the fields ``clock_hz`` and ``energy``.
    """

    points: tuple[PointSpec, ...] = ()
    voltage_v: VoltageV | None = Field(alias="voltage", default=None)
    alpha: Positive = ALPHA
    energy_at_v: VoltageV | None = Field(alias="energy_at", default=None)

    _curve: OperatingCurve[Any] | None = PrivateAttr(default=None)

    @property
    def curve(self) -> OperatingCurve[Any] | None:
        """The block by its voltage; None without ``points``."""
        return self._curve

    @property
    def operating_point(self) -> OperatingPoint[Any] | None:
        """The one it runs at; None without ``points``."""
        return None if self._curve is None or self.voltage_v is None else self._curve.at(self.voltage_v)

    def running_at(self, voltage_v: Fraction) -> Self:
        """This block at another voltage. Raises ValueError without ``points`` or outside them."""
        if self._curve is None:
            raise ValueError("a block without points has no voltage to change")
        return self.model_copy(update={"voltage_v": voltage_v} | _effective(self._curve.at(voltage_v)))

    @field_validator("points", mode="after")
    @classmethod
    def _in_order(cls, points: tuple[PointSpec, ...]) -> tuple[PointSpec, ...]:
        check_order(points)
        return points

    @field_validator("alpha")
    @classmethod
    def _of_a_transistor(cls, alpha: Fraction) -> Fraction:
        if not 1 <= alpha <= 2:
            raise QuantityError(
                f"expected a number from 1 (full velocity saturation) to 2 (none), got {float(alpha):g}"
            )
        return alpha

    @field_validator("voltage_v", mode="after")
    @classmethod
    def _within_points(cls, voltage_v: Fraction | None, info: ValidationInfo) -> Fraction | None:
        if voltage_v is not None and info.data.get("points"):
            try:
                check_voltage(info.data["points"], voltage_v)
            except ValueError as error:
                raise QuantityError(str(error)) from None  # shown at the value
        return voltage_v

    @model_validator(mode="before")
    @classmethod
    def _clock_of_points(cls, tree: Any) -> Any:
        if isinstance(tree, dict) and tree.get("points", []) != [] and "clock" not in tree:
            return {**tree, "clock": _CLOCK_OF_POINTS}
        return tree

    @model_validator(mode="after")
    def _operated(self) -> Self:
        stated: dict[str, Any] = self.__dict__
        energy = stated["energy"]
        if not self.points:
            for key, value in (("voltage", self.voltage_v), ("energy_at", self.energy_at_v)):
                if value is not None:
                    raise ValueError(f"'{key}' needs the 'points' that say what a voltage does")
            return self
        check_law(self.points, self.alpha)
        if self.voltage_v is None:
            raise ValueError("missing key 'voltage': at which of its points it runs, or between them")
        if self.energy_at_v is None and energy != type(energy)():
            raise ValueError("missing key 'energy_at': the voltage at which 'energy' is stated")
        curve = OperatingCurve(self.points, self.alpha, energy, self.energy_at_v)
        self._check_energies(curve)
        at = _effective(curve.at(self.voltage_v))
        if stated["clock_hz"] in (None, _CLOCK_OF_POINTS):
            stated["clock_hz"] = at["clock_hz"]
        for name, key in (("clock_hz", "clock"), ("leakage_nw", "leakage")):
            if stated[name] and at.get(name, stated[name]) != stated[name]:
                raise ValueError(f"'{key}' is not that of the points at {show_v(float(self.voltage_v))}: leave it out")
        stated.update(at)  # frozen from here on
        self._curve = curve
        return self

    def _check_energies(self, curve: OperatingCurve[Any]) -> None:
        known = type(curve.energy).model_fields
        for point in self.points:
            for name, value in point.energy.stated().items():
                key = type(point.energy).model_fields[name].alias
                if name not in known:
                    raise ValueError(f"a {self.kind} has no energy '{key}', which a point states")
                if point.voltage_v == self.energy_at_v and getattr(curve.energy, name) not in (0, value):
                    raise ValueError(f"energy '{key}' is stated twice at {show_v(float(point.voltage_v))}, and differs")


def _effective(point: OperatingPoint[Any]) -> dict[str, Any]:
    """The fields of a block that follow from its operating point."""
    leakage = {} if point.leakage_nw is None else {"leakage_nw": point.leakage_nw}
    return {"clock_hz": point.clock_hz, "energy": point.energy, **leakage}


class ProgrammableSpec(Frozen):
    """What runs instructions, of ``cpi`` cycles on average."""

    cpi: Positive = Fraction(1)
