"""Whether something that has a probability comes about, by draws that depend on seed, name and index alone."""

from __future__ import annotations

from fractions import Fraction

from tlm3d.tlm.draws import STEPS, draw_step
from tlm3d.units import ceil_div


class Chance:
    """An event of ``probability`` for each index: the draw of its kind and name lies below it."""

    __slots__ = ("_below", "_kind", "_name", "_seed")

    def __init__(self, probability: Fraction, seed: int, kind: str, name: str) -> None:
        self._below = ceil_div(probability.numerator * STEPS, probability.denominator)
        self._seed, self._kind, self._name = seed, kind, name

    def comes(self, index: int) -> bool:
        """Whether the event of ``index`` comes about."""
        return self._below >= STEPS or draw_step(self._seed, self._kind, self._name, index) < self._below
