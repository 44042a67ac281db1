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
        self._tau_ps = tau_ps
        self._level = from_nw * ONE // 1000  # at ``_since_ps``
        self._since_ps = 0
        self._power: int | None = None  # from there on
        self.worst = Worst(from_nw, 0)  # where it is first
        self.exceeded = Exceeded()

    def follow(self, steps: Iterable[tuple[int, int]]) -> None:
        """Take ``steps`` in, the power (aJ/ps·2^-80) and since when it is that, ascending."""
        for at_ps, power in steps:
            if power != self._power:
                self.close(at_ps)
                self._power = power

    def close(self, at_ps: int) -> None:
        """Be at ``at_ps``: a change of power, or the end of the run."""
        since_ps, power = self._since_ps, self._power
        if power is None or at_ps == since_ps:
            return
        before, level = self._level, after(self._level, power, at_ps - since_ps, self._tau_ps)
        self._level, self._since_ps = level, at_ps
        if 1000 * level > self.worst.power_nw * ONE:
            self.worst = Worst(ceil_div(1000 * level, ONE), at_ps)
        bar = self._limit_nw * ONE
        was_over, is_over = 1000 * before > bar, 1000 * level > bar
        if not was_over and not is_over:
            return
        from_ps, to_ps = since_ps, at_ps
        if was_over != is_over:
            wait_ps = crossing_ps(before, power, self._limit_nw, self._tau_ps)
            turn_ps = at_ps if wait_ps is None else min(at_ps, since_ps + wait_ps)
            from_ps, to_ps = (turn_ps, at_ps) if is_over else (since_ps, turn_ps)
        self.exceeded.add([(from_ps, to_ps)])
