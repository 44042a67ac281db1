"""Operating points: the clock, the leakage and the dynamic energies of a block by its voltage.

Given points are exact. Between two neighbours the clock follows the alpha-power law, f = k (V − Vt)^alpha / V, whose k
and Vt the two points determine (Sakurai, Newton: Alpha-power law MOSFET model, JSSC 1990); leakage is log-linear in V;
a dynamic energy is C V², with C linear in V between the voltages at which it is stated and constant beyond them.

Powers are taken in decimal arithmetic of a fixed precision, so that every machine finds the same integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Context, Decimal, localcontext
from fractions import Fraction
from itertools import pairwise
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, Field

from tlm3d.spec.quantities import AjPerCycle, AjPerMac, FrequencyHz, Frozen, LimitNw, VoltageV
from tlm3d.units import book_aj, show_v

ALPHA = Fraction(13, 10)  # of short-channel transistors (Sakurai, Newton 1990); 2 is the square law of long ones

_DECIMAL = Context(prec=40, rounding=ROUND_HALF_EVEN)


class PointEnergySpec(Frozen):
    """Dynamic energies as measured at one point; those not given follow from where they are stated."""

    aj_per_cycle: AjPerCycle | None = Field(alias="cycle", default=None)

    def stated(self) -> dict[str, Fraction]:
        """What is given, by field."""
        given = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: value for name, value in given.items() if value is not None}


class ComputePointEnergySpec(PointEnergySpec):
    """Those of a block that runs layers."""

    aj_per_mac: AjPerMac | None = Field(alias="mac", default=None)


class PointSpec(Frozen):
    """What a block reaches at ``voltage``."""

    voltage_v: VoltageV = Field(alias="voltage")
    clock_hz: FrequencyHz = Field(alias="clock")
    leakage_nw: LimitNw | None = Field(alias="leakage", default=None)
    energy: PointEnergySpec = PointEnergySpec()


class ComputePointSpec(PointSpec):
    """What a block that runs layers reaches at ``voltage``."""

    energy: ComputePointEnergySpec = ComputePointEnergySpec()


Energy = TypeVar("Energy", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class OperatingPoint(Generic[Energy]):
    """A block at one voltage: its clock, the dynamic energies there, its leakage where points say it (nW)."""

    voltage_v: Fraction
    clock_hz: Fraction
    leakage_nw: int | None
    energy: Energy


@dataclass(frozen=True, slots=True)
class OperatingCurve(Generic[Energy]):
    """All the points that a block may run at: between the lowest and the highest given one.

    ``energy`` is stated at ``energy_at_v``; None where it states nothing.
    """

    points: tuple[PointSpec, ...]
    alpha: Fraction
    energy: Energy
    energy_at_v: Fraction | None

    def at(self, voltage_v: Fraction) -> OperatingPoint[Energy]:
        """The operating point of ``voltage_v``. Raises ValueError outside the given points."""
        check_voltage(self.points, voltage_v)
        return OperatingPoint(
            voltage_v, self._clock_hz(voltage_v), self._leakage_nw(voltage_v), self._energy(voltage_v)
        )

    def _around(self, voltage_v: Fraction) -> tuple[PointSpec, PointSpec]:
        """The given points below and above; the same one twice where ``voltage_v`` is that of a point."""
        below = [point for point in self.points if point.voltage_v <= voltage_v][-1]
        return below, below if below.voltage_v == voltage_v else self.points[self.points.index(below) + 1]

    def _clock_hz(self, voltage_v: Fraction) -> Fraction:
        """Down to a whole Hz between two points, and never below the lower one."""
        below, above = self._around(voltage_v)
        if below is above:
            return below.clock_hz
        threshold = threshold_v(below, above, self.alpha)
        with localcontext(_DECIMAL):
            overdrive = (_decimal(voltage_v) - threshold) / (_decimal(below.voltage_v) - threshold)
            exact = overdrive ** _decimal(self.alpha) * _decimal(below.clock_hz * below.voltage_v / voltage_v)
        return max(below.clock_hz, Fraction(int(exact)))

    def _leakage_nw(self, voltage_v: Fraction) -> int | None:
        """P1 (P2 / P1)^((V − V1) / (V2 − V1)), up to a nW."""
        below, above = self._around(voltage_v)
        if below.leakage_nw is None or above.leakage_nw is None:
            return None
        if below is above:
            return below.leakage_nw
        share = (voltage_v - below.voltage_v) / (above.voltage_v - below.voltage_v)
        with localcontext(_DECIMAL):
            exact = below.leakage_nw * _decimal(Fraction(above.leakage_nw, below.leakage_nw)) ** _decimal(share)
            # The last digits are those of the arithmetic: they must not lift a whole number.
            return int(exact.quantize(Decimal("1e-9")).to_integral_value(ROUND_CEILING))

    def _energy(self, voltage_v: Fraction) -> Energy:
        found: Energy = scaled(self.energy, (voltage_v / self.energy_at_v) ** 2) if self.energy_at_v else self.energy
        names = {name for point in self.points for name in point.energy.stated()}
        update = {name: _capacitance(self.stated(name), voltage_v) * voltage_v**2 for name in sorted(names)}
        return found.model_copy(update=update) if update else found

    def stated(self, name: str) -> list[tuple[Fraction, Fraction]]:
        """(voltage, energy) wherever the energy ``name`` is stated, the lowest voltage first."""
        found = {point.voltage_v: e for point in self.points if (e := point.energy.stated().get(name)) is not None}
        block: Fraction = getattr(self.energy, name)
        if block and self.energy_at_v is not None:
            found.setdefault(self.energy_at_v, block)
        return sorted(found.items())


def check_order(points: Sequence[PointSpec]) -> None:
    """Raise ValueError unless ``points`` rise, and all of them or none say what they leak."""
    for below, above in pairwise(points):
        if below.voltage_v >= above.voltage_v or below.clock_hz >= above.clock_hz:
            pair = f"{_shown(below)} comes before {_shown(above)}"
            raise ValueError(f"expected points in the order of rising voltage and clock, but {pair}")
    leaking = [point.leakage_nw is not None for point in points]
    if any(leaking) and not all(leaking):
        missing = show_v(float(points[leaking.index(False)].voltage_v))
        raise ValueError(f"expected 'leakage' at all points or at none: there is none at {missing}")


def check_law(points: Sequence[PointSpec], alpha: Fraction) -> None:
    """Raise ValueError unless the law joins every two neighbours by a clock that rises."""
    for below, above in pairwise(points):
        # It rises from V on where alpha V > V − Vt; with an alpha of 1 it always does.
        if _decimal((alpha - 1) * below.voltage_v) + threshold_v(below, above, alpha) <= 0:
            rise = f"the clock rises too little from {_shown(below)} to {_shown(above)}"
            raise ValueError(f"{rise} for an alpha of {float(alpha):g}; give a smaller one")


def check_voltage(points: Sequence[PointSpec], voltage_v: Fraction) -> None:
    """Raise ValueError for a voltage that lies outside ``points``: no law says what happens there."""
    low, high = points[0].voltage_v, points[-1].voltage_v
    if not low <= voltage_v <= high:
        given = show_v(float(low)) if low == high else f"{show_v(float(low))} to {show_v(float(high))}"
        raise ValueError(f"expected a voltage within the given points, {given}, got {show_v(float(voltage_v))}")


def threshold_v(below: PointSpec, above: PointSpec, alpha: Fraction) -> Decimal:
    """Vt of the alpha-power law through two points: (V2 − Vt) / (V1 − Vt) = r = (f2 V2 / f1 V1)^(1/alpha)."""
    ratio = (above.clock_hz * above.voltage_v) / (below.clock_hz * below.voltage_v)
    with localcontext(_DECIMAL):
        rise = _decimal(ratio) ** _decimal(1 / alpha)
        return (rise * _decimal(below.voltage_v) - _decimal(above.voltage_v)) / (rise - 1)


def scaled(energy: Any, factor: Fraction) -> Any:
    """Every energy in ``energy`` times ``factor``: exact values stay exact, booked ones are rounded to an aJ again."""
    match energy:
        case BaseModel():
            return energy.model_copy(
                update={name: scaled(getattr(energy, name), factor) for name in type(energy).model_fields}
            )
        case dict():
            return {key: scaled(value, factor) for key, value in energy.items()}
        case Fraction():
            return energy * factor
        case int() if not isinstance(energy, bool):
            return book_aj(energy * factor)
    return energy


def _capacitance(stated: Sequence[tuple[Fraction, Fraction]], voltage_v: Fraction) -> Fraction:
    """E / V² at ``voltage_v``: linear between the voltages at which the energy is stated, constant beyond."""
    curve = [(at_v, energy / at_v**2) for at_v, energy in stated]
    for (low_v, low), (high_v, high) in pairwise(curve):
        if low_v <= voltage_v <= high_v:
            return low + (high - low) * (voltage_v - low_v) / (high_v - low_v)
    return curve[0][1] if voltage_v <= curve[0][0] else curve[-1][1]


def _decimal(value: Fraction) -> Decimal:
    return _DECIMAL.divide(Decimal(value.numerator), Decimal(value.denominator))


def _shown(point: PointSpec) -> str:
    return f"{show_v(float(point.voltage_v))} / {float(point.clock_hz) / 10**6:g} MHz"
