"""Energy of an analog-to-digital conversion, by the envelope of published converters.

Murmann, ADC Performance Survey 1997–2025: no converter spends less than E0 + k · 4^ENOB. The floor E0 is that of
switching, k that of thermal noise, which takes four times the energy for every effective bit. What can be bought is a
multiple of the envelope; 10 is typical of IP.
"""

from __future__ import annotations

from decimal import Context, Decimal
from fractions import Fraction

FLOOR_AJ = Fraction(267_000)  # E0, 0.267 pJ
NOISE_AJ = Fraction(145, 1000)  # k, 0.145 aJ
_DIGITS = 28


def envelope_aj(enob: Fraction, multiple: Fraction) -> Fraction:
    """Energy of a conversion of ``enob`` effective bits, aJ: multiple · (E0 + k · 4^enob).

    Exact for whole and half bits; else 4^enob is taken to 28 significant digits.
    """
    return multiple * (FLOOR_AJ + NOISE_AJ * _power_of_4(enob))


def _power_of_4(exponent: Fraction) -> Fraction:
    twos = 2 * exponent
    if twos.denominator == 1:
        return Fraction(2) ** twos.numerator
    rounding = Context(prec=_DIGITS)
    shown = rounding.divide(Decimal(exponent.numerator), Decimal(exponent.denominator))
    return Fraction(rounding.power(Decimal(4), shown))
