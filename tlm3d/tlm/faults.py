"""Bit errors on a channel: which bursts arrive wrong and are sent again.

A burst of n bits on the wire is right with probability (1 − e)^n, e being the bit error rate: errors are independent.
Whether the k-th burst that an initiator sends over a channel, the repeated ones counted, is wrong is a draw keyed by
(seed, channel, initiator, k): nothing else in the system can change it.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction

from tlm3d.tlm.draws import STEPS, draw_step

_DIGITS = 50  # of the probability; decimals, so that every machine has the same


class Faults:
    """What happens to the bursts of one channel; ``turnaround_ps`` passes before one is sent again."""

    __slots__ = ("_bit_error_rate", "_channel", "_seed", "_sent", "_wrong_below", "turnaround_ps")

    def __init__(self, channel: str, bit_error_rate: Fraction, turnaround_ps: int, seed: int) -> None:
        self._channel, self._bit_error_rate, self._seed = channel, bit_error_rate, seed
        self.turnaround_ps = turnaround_ps
        self._sent: dict[str, int] = {}  # bursts by initiator
        self._wrong_below: dict[int, int] = {}  # draws below this are wrong, by bits of the burst

    def strike(self, initiator: str, bits: int) -> bool:
        """Whether the next burst of ``initiator``, of ``bits``, arrives wrong."""
        number = self._sent.get(initiator, 0)
        self._sent[initiator] = number + 1
        wrong_below = self._wrong_below.get(bits)
        if wrong_below is None:
            wrong_below = self._wrong_below[bits] = int(self.wrong(bits) * STEPS)
        return draw_step(self._seed, "burst", f"{self._channel}/{initiator}", number) < wrong_below

    def wrong(self, bits: int) -> Fraction:
        """The probability that a burst of ``bits`` arrives wrong: 1 − (1 − e)^bits."""
        with localcontext() as context:
            context.prec = _DIGITS
            rate = self._bit_error_rate
            right = 1 - Decimal(rate.numerator) / Decimal(rate.denominator)
            return Fraction(1 - right**bits)
