"""Releases by a clock: release k at offset + ⌊k / rate⌋, each perhaps late by a draw."""

from __future__ import annotations

from fractions import Fraction

from tlm3d.tlm.draws import STEPS, draw_step
from tlm3d.units import PS_PER_S


class Periodic:
    """The releases of ``rate_hz``; each is shifted by a draw from 0 to ``jitter_ps``."""

    def __init__(self, rate_hz: Fraction, offset_ps: int, jitter_ps: int, seed: int, task: str) -> None:
        self._offset_ps, self._jitter_ps = offset_ps, jitter_ps
        self._seed, self._task = seed, task
        self._step, self._steps = PS_PER_S * rate_hz.denominator, rate_hz.numerator  # step / steps ps a release
        self._index = 0

    def next_ps(self) -> int:
        """The release time of the next job."""
        index = self._index
        self._index = index + 1
        nominal_ps = self._offset_ps + index * self._step // self._steps
        if not self._jitter_ps:
            return nominal_ps
        return nominal_ps + (draw_step(self._seed, "jitter", self._task, index) * (self._jitter_ps + 1)) // STEPS
