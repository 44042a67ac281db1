"""An exponentially weighted average of power: d avg/dt = (P − avg)/τ, as a first-order low-pass or a thermal mass has.

Power is constant between breakpoints, so that avg(t) = P + (avg(s) − P)·exp(−(t − s)/τ) from one (s) to the next:
monotone, worst at its ends, and through a level L once at most, at s + τ·ln((P − avg(s))/(P − L)). Levels are integers
(aJ/ps·2^-80, as those of a Screen), so that an average never leaves the powers it is of; the exponential is a float,
good to 2^-52 of a change.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, expm1, log1p

from tlm3d.analysis.exceeded import Exceeded
from tlm3d.analysis.worst_power import ONE, Worst
from tlm3d.units import ceil_div

_BITS = 96  # of a gain: that of a picosecond in 200 s is still good to a part in 2^48
_GAIN = float(1 << _BITS)


def after(level: int, power: int, for_ps: int, tau_ps: int) -> int:
    """The average ``for_ps`` after it was ``level``, under a constant ``power``: between the two."""
    gain = int(-expm1(-for_ps / tau_ps) * _GAIN)
    return level + ((power - level) * gain >> _BITS)


def crossing_ps(level: int, power: int, limit_nw: int, tau_ps: int) -> int | None:
    """When the average crosses ``limit_nw`` (upwards or downwards) that is ``level`` now, under a constant ``power``.

    Rounded up to a picosecond; None for never.
    """
    bar = limit_nw * ONE
    to_bar, beyond = bar - 1000 * level, 1000 * power - bar
    if not to_bar:
        return 0
    if not beyond or (to_bar > 0) != (beyond > 0):
        return None
    return ceil(tau_ps * log1p(to_bar / beyond))


class Ewma:
    """The average under a power that changes now and then, held against a limit from t = 0 on.

    Only changes of power move it on, so that it does not matter where a run is cut.
    """

    def __init__(self, limit_nw: int, tau_ps: int, from_nw: int = 0) -> None:
        self._limit_nw = limit_nw
        self._bar = limit_nw * ONE // 1000  # the highest level that keeps the limit
        self._tau_ps = tau_ps
        self._level = from_nw * ONE // 1000  # at ``_since_ps``
        self._since_ps = 0
        self._power = 0  # from there on
        self.worst = Worst(from_nw, 0)  # where it is first
        self.exceeded = Exceeded()

    def follow(self, steps: Iterable[tuple[int, int]]) -> None:
        """Take ``steps`` in, since when power (aJ/ps·2^-80) is what it is, ascending from 0."""
        level, since_ps, power, tau_ps = self._level, self._since_ps, self._power, self._tau_ps
        bar, top = self._bar, self.worst.power_nw * ONE // 1000
        for at_ps, next_power in steps:
            if next_power == power:
                continue
            before = level
            level += (power - level) * int(-expm1((since_ps - at_ps) / tau_ps) * _GAIN) >> _BITS  # as ``after``
            if level > top:
                self.worst = Worst(ceil_div(1000 * level, ONE), at_ps)
                top = self.worst.power_nw * ONE // 1000
            if before > bar or level > bar:
                self._exceed(since_ps, at_ps, before, level, power)
            since_ps, power = at_ps, next_power
        self._level, self._since_ps, self._power = level, since_ps, power

    def close(self, at_ps: int) -> None:
        """Come to the end of the run."""
        self.follow([(at_ps, -1)])

    def _exceed(self, from_ps: int, to_ps: int, before: int, level: int, power: int) -> None:
        """Above the limit at one end at least of an interval of constant power."""
        if before <= self._bar or level <= self._bar:
            wait_ps = crossing_ps(before, power, self._limit_nw, self._tau_ps)
            turn_ps = to_ps if wait_ps is None else min(to_ps, from_ps + wait_ps)
            from_ps, to_ps = (turn_ps, to_ps) if level > self._bar else (from_ps, turn_ps)
        self.exceeded.add([(from_ps, to_ps)])
