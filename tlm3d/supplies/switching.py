"""A switching regulator by its measured efficiency: straight lines of input power between the loads measured at."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from pydantic import Field, model_validator

from tlm3d.spec.quantities import Efficiency, Frozen, LimitNw, PowerNw
from tlm3d.supplies import Points, SupplySpec
from tlm3d.units import show_nw


class EfficiencyPoint(Frozen):
    """The efficiency measured at one load: the load over what is taken from the battery for it."""

    load_nw: LimitNw = Field(alias="load")
    efficiency: Efficiency

    @property
    def input_nw(self) -> Fraction:
        """What is taken from the battery, nW."""
        return self.load_nw / self.efficiency


class Switching(SupplySpec):
    """Takes load / efficiency at each point, ``quiescent`` without load, and a straight line of power between.

    Losses of a converter are a constant (control, oscillator), a part that grows with load (gates, diodes) and one with
    its square (resistance) (Erickson, Maksimović: Fundamentals of Power Electronics, ch. 3-4): input power is smooth
    where efficiency bends, so it is what is drawn in straight lines. Beyond the last point its efficiency stays.
    """

    quiescent_nw: PowerNw = Field(alias="quiescent", default=0)
    points: list[EfficiencyPoint] = Field(min_length=1)

    @model_validator(mode="after")
    def _never_falls(self) -> Switching:
        points = self._sorted()
        for one, other in pairwise(points):
            if one.load_nw == other.load_nw:
                raise ValueError(f"expected one efficiency a load, got two at {show_nw(one.load_nw)}")
        before, what = Fraction(self.quiescent_nw), "without load"
        for point in points:
            if point.input_nw < before:
                taken = f"{show_nw(float(before))} {what}, but only {show_nw(float(point.input_nw))}"
                raise ValueError(
                    f"expected to take no less power for more load, got {taken} at a load of {show_nw(point.load_nw)}"
                )
            before, what = point.input_nw, f"at a load of {show_nw(point.load_nw)}"
        return self

    @property
    def rated_nw(self) -> Fraction:
        """The load of the last point."""
        return Fraction(self._sorted()[-1].load_nw)

    def curve(self) -> tuple[Points, Fraction]:
        """The points, and beyond them the efficiency of the last."""
        points = self._sorted()
        vertices = [(Fraction(0), Fraction(self.quiescent_nw))]
        vertices += [(Fraction(point.load_nw), point.input_nw) for point in points]
        return tuple(vertices), 1 / points[-1].efficiency

    def _sorted(self) -> list[EfficiencyPoint]:
        return sorted(self.points, key=lambda point: point.load_nw)


KIND = Switching
