"""Events that come by chance, but never closer than a smallest distance.

A Poisson process with a dead time, as of a detector: distance = min_distance + X, X exponential.
"""

from __future__ import annotations

from tlm3d.tlm.draws import STEPS, draw_step

_BITS = 96  # of the fixed point that logarithms are worked out in: far more than the 64 of a draw
_ONE = 1 << _BITS
_SQRT_HALF = 0xB504F333F9DE6484597D89B3  # ⌊√½ · 2^96⌋
_LN_2 = 0xB17217F7D1CF79ABC9E3B398  # ⌊ln 2 · 2^96⌋


class Sporadic:
    """Event 0 at offset + X_0, event k + 1 after event k by the smallest distance and X_(k+1)."""

    def __init__(self, offset_ps: int, min_distance_ps: int, mean_wait_ps: int, seed: int, task: str) -> None:
        self._min_ps, self._mean_ps = min_distance_ps, mean_wait_ps  # the mean of X
        self._seed, self._task = seed, task
        self._index = 0
        self._at_ps = offset_ps - min_distance_ps

    def next_ps(self) -> int:
        """The time of the next event."""
        wait_ps = 0
        if self._mean_ps:
            wait_ps = exponential(self._mean_ps, draw_step(self._seed, "sporadic", self._task, self._index))
        self._index += 1
        self._at_ps += self._min_ps + wait_ps
        return self._at_ps


def exponential(mean: int, step: int) -> int:
    """⌊−mean · ln(1 − u)⌋ for u = step / 2^64, exponential for uniform draws (inversion).

    In integers, because the last bit of a floating-point logarithm is another one on another machine.
    """
    left = STEPS - step  # 1 − u = left / 2^64
    shift = _BITS - left.bit_length()
    mantissa = left << shift  # in [½, 1) of _ONE
    halvings = 64 - left.bit_length()
    if mantissa < _SQRT_HALF:
        mantissa, halvings = 2 * mantissa, halvings + 1
    # −ln m = 2 · artanh((1 − m) / (1 + m)), an odd series; m in [√½, √2) makes each term a 34th of the one before.
    z = ((_ONE - mantissa) << _BITS) // (_ONE + mantissa)
    square = z * z >> _BITS
    power, total, odd = z, 0, 1
    while power not in (0, -1):  # shifting right ends there
        total += power // odd
        power = power * square >> _BITS
        odd += 2
    return mean * (halvings * _LN_2 + 2 * total) >> _BITS
