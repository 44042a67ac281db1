"""Supplies: what stands between the battery and the rail, one kind a file, each with its Spec as ``KIND``.

Contract of the slot. A kind is a frozen ``SupplySpec``: it says what power it takes from the battery for every power
drawn at the rail, as straight lines.

- ``curve()``: points (load, input) in nW, exact, by rising load from load 0 on, and the slope of the last line, beyond
  them. Input never falls as load rises, and is never less than the load.
- ``rated_nw``: the load up to which the numbers hold; None: any.

A Spec is pure: no clock, no state.
"""

from __future__ import annotations

from fractions import Fraction
from typing import ClassVar

from tlm3d.spec.quantities import Frozen

Points = tuple[tuple[Fraction, Fraction], ...]


class SupplySpec(Frozen):
    """What every supply has."""

    kind: str

    SLOT: ClassVar[str] = "supplies"

    @property
    def rated_nw(self) -> Fraction | None:
        """The load up to which the numbers hold; None: any."""
        return None

    def curve(self) -> tuple[Points, Fraction]:
        """Points (load, input), nW, and the slope beyond the last of them."""
        raise TypeError(f"{type(self).__name__} does not say what power it takes")
