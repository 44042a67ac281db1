"""Text with units to exact numbers, exact numbers to booked integers, and numbers to text for people.

Booked quantities are integers: time in picoseconds, energy in attojoules, power in nanowatts. Everything a
user writes is read into a ``Fraction`` of the base unit of its dimension, so that nothing is lost before it
is booked. The functions of the middle section are the only places where a value is rounded, and each says
which way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction

PS_PER_S = 10**12
AJ_PER_J = 10**18

# ---------------------------------------------------------------- text to exact numbers

_SI = {
    "a": -18, "f": -15, "p": -12, "n": -9, "u": -6, "µ": -6, "μ": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12,
}  # fmt: skip
_BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


@dataclass(frozen=True, slots=True)
class Dimension:
    """What a quantity measures: its name, an example for error messages, and its units as multiples of the base."""

    name: str
    example: str
    units: dict[str, Fraction]
    signed: bool = False


def _prefixed(symbol: str, prefixes: str, scale: int | Fraction = 1) -> dict[str, Fraction]:
    """Units ``symbol`` with each SI prefix of ``prefixes`` (space separated, ``_`` for none), times ``scale``."""
    names = ["" if p == "_" else p for p in prefixes.split()]
    return {name + symbol: Fraction(10) ** _SI[name] * scale for name in names}


def _data_units() -> dict[str, Fraction]:
    units = _prefixed("b", "_ k M G T") | _prefixed("bit", "_ k M G T")
    units |= _prefixed("B", "_ k M G T", 8) | _prefixed("byte", "_", 8)
    units |= {f"{p}B": Fraction(8 * n) for p, n in _BINARY.items()}
    return units | {f"{p}bit": Fraction(n) for p, n in _BINARY.items()}


def _per(numerators: dict[str, Fraction], *denominators: str, scale: int | Fraction = 1) -> dict[str, Fraction]:
    return {f"{n}/{d}": value * scale for n, value in numerators.items() for d in denominators}


_JOULE = _prefixed("J", "a f p n u µ μ m _ k", AJ_PER_J)
_SECOND = _prefixed("s", "p n u µ μ m _", PS_PER_S) | {
    "min": Fraction(60 * PS_PER_S), "h": Fraction(3600 * PS_PER_S), "day": Fraction(86400 * PS_PER_S),
}  # fmt: skip
_HERTZ = _prefixed("Hz", "m _ k M G")

TIME = Dimension("a time", "33.3 ms", _SECOND)
POWER = Dimension("a power", "60 uW", _prefixed("W", "p n u µ μ m _ k", 10**9))
ENERGY = Dimension("an energy", "20 pJ", _JOULE)
ENERGY_PER_BIT = Dimension(
    "an energy per bit", "0.05 pJ/bit", _per(_JOULE, "bit", "b") | _per(_JOULE, "B", "byte", scale=Fraction(1, 8))
)
ENERGY_PER_CYCLE = Dimension("an energy per cycle", "20 pJ/cycle", _JOULE | _per(_JOULE, "cycle"))
ENERGY_PER_MAC = Dimension("an energy per MAC", "0.4 pJ/MAC", _JOULE | _per(_JOULE, "MAC"))
ENERGY_PER_PIXEL = Dimension("an energy per pixel", "28 pJ/pixel", _JOULE | _per(_JOULE, "pixel"))
ENERGY_PER_CONVERSION = Dimension("an energy per conversion", "1.2 pJ/conversion", _JOULE | _per(_JOULE, "conversion"))
DATA = Dimension("an amount of data", "64 KiB", _data_units())
RATE = Dimension(
    "a data rate",
    "12.8 Gbit/s",
    _per(_data_units(), "s") | {p + "bps": Fraction(10) ** _SI[p] for p in ("", "k", "M", "G", "T")},
)
EFFICIENCY = Dimension("an efficiency", "85 %", {"%": Fraction(1, 100)})
FREQUENCY = Dimension("a frequency", "175 MHz", _HERTZ | {"fps": Fraction(1)} | _prefixed("S/s", "_ k M G"))
NODE = Dimension("a technology node", "28 nm", {"nm": Fraction(1)})
VOLTAGE = Dimension("a voltage", "0.8 V", _prefixed("V", "n u µ μ m _"))
TEMPERATURE = Dimension("a temperature", "300 K", {"K": Fraction(1)})

ENERGIES = (
    ENERGY, ENERGY_PER_BIT, ENERGY_PER_CYCLE, ENERGY_PER_MAC, ENERGY_PER_PIXEL, ENERGY_PER_CONVERSION,
)  # fmt: skip
DIMENSIONS = (TIME, POWER, *ENERGIES, DATA, RATE, FREQUENCY, VOLTAGE, TEMPERATURE, EFFICIENCY, NODE)

_QUANTITY = re.compile(
    r"\s*(?P<number>[+-]?(?:[0-9]+(?:_[0-9]+)*(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?)"
    r"\s*(?P<unit>[^\s\d.+-]\S*)?\s*"
)
_BEGINNING = re.compile(r"\s*[+-]?\.?[0-9]")
_MAX_TEXT = 200
BEYOND = "beyond anything physical"  # ends what is said of a number that is too large or small

# The same grammar as regular expressions that JSON Schema takes: no names of groups, no sign that would be refused.
_DIGITS = r"(?:[0-9]+(?:_[0-9]+)*(?:\.[0-9]*)?|\.[0-9]+)"
_MORE_THAN_ZERO = r"(?=[^A-Za-zµμ]*[1-9])"  # a digit other than 0 before the exponent or unit


def number_pattern(*, positive: bool) -> str:
    """A regular expression for what ``parse_number`` takes, above zero or not."""
    return rf"^{_MORE_THAN_ZERO if positive else ''}\s*\+?{_DIGITS}(?:[eE][+-]?[0-9]{{1,3}})?\s*$"


def whole_pattern(*, positive: bool) -> str:
    """A regular expression for whole numbers, written out or with an exponent."""
    whole = rf"(?:[0-9]+(?:_[0-9]+)*(?:\.0*)?|{_DIGITS}[eE]\+?[0-9]{{1,3}})"
    return rf"^{_MORE_THAN_ZERO if positive else ''}\s*\+?{whole}\s*$"


def quantity_pattern(dimension: Dimension, *, positive: bool) -> str:
    """A regular expression for what ``parse_quantity`` takes of ``dimension``, above zero or not."""
    units = "|".join(sorted(dimension.units, key=lambda unit: (-len(unit), unit)))
    return f"{number_pattern(positive=positive).removesuffix('$')}(?:{units})\\s*$"


class QuantityError(ValueError):
    """Text that is not a quantity of the wanted dimension; the message says what was expected."""


def parse_number(text: str, what: str = "a number") -> Fraction:
    """An exact number without a unit, e.g. ``12.8`` or ``1e6``; ``what`` was expected. Raises QuantityError."""
    match = _QUANTITY.fullmatch(text) if len(text) <= _MAX_TEXT else None
    if match is None:
        raise QuantityError(f"expected {what}, got {clip(text)}")
    if match["unit"]:
        raise QuantityError(f"expected {what} without a unit, got {clip(text)}")
    return _bounded(Fraction(match["number"]), text)


def begins_like_a_number(text: str) -> bool:
    """Whether ``text`` is a number, with a unit or without, or was meant to be one."""
    return _BEGINNING.match(text) is not None


def parse_quantity(text: str, dimension: Dimension) -> Fraction:
    """The exact value of ``text`` in the base unit of ``dimension`` (ps, aJ, nW, bit, bit/s, Hz, V, K, nm).

    Raises QuantityError when the text is no number with one unit of that dimension, or is negative.
    """
    match = _QUANTITY.fullmatch(text) if len(text) <= _MAX_TEXT else None
    expected = f"expected {dimension.name} such as '{dimension.example}'"
    if match is None:
        raise QuantityError(f"{expected}, got {clip(text)}")
    unit = match["unit"]
    if unit is None:
        raise QuantityError(f"{expected}, got {clip(text)} without a unit")
    factor = dimension.units.get(unit)
    if factor is None:
        raise QuantityError(f"{expected}, got {clip(text)}: {_wrong_unit(unit, dimension)}")
    value = _bounded(Fraction(match["number"]), text) * factor
    if value < 0 and not dimension.signed:
        raise QuantityError(f"{expected}, got {clip(text)}: must not be negative")
    return value


def scaled_text(text: str, factor: Fraction) -> str:
    """A quantity times ``factor``, in its own unit, to 12 significant digits. Raises QuantityError for no quantity."""
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise QuantityError(f"expected a quantity, got {clip(text)}")
    exact = Fraction(match["number"]) * factor
    digits = Context(prec=12).divide(Decimal(exact.numerator), Decimal(exact.denominator)).normalize()
    plain = f"{digits:f}" if -12 < digits.adjusted() < 12 else str(digits)
    return f"{plain} {match['unit'] or ''}".rstrip()


def _wrong_unit(unit: str, dimension: Dimension) -> str:
    """What is wrong with ``unit``: a slip of upper and lower case, another dimension, or unknown altogether."""
    close = [f"'{known}'" for known in sorted(dimension.units) if known.lower() == unit.lower()]
    others = [other.name for other in DIMENSIONS if unit in other.units]
    if others and not close:
        return f"that is {others[0]}"
    return f"unknown unit {clip(unit)}" + (f"; did you mean {' or '.join(close)}?" if close else "")


def _bounded(value: Fraction, text: str) -> Fraction:
    if value and not Fraction(1, 10**60) <= abs(value) <= 10**60:
        raise QuantityError(f"{clip(text)} is {BEYOND}")
    return value


def clip(text: str, limit: int = 60) -> str:
    """``text`` quoted for a message: escaped where a terminal might obey it, long text shortened."""
    shown = text if len(text) <= limit else text[: limit - 1] + "…"
    return f"'{harmless(shown)}'"


def harmless(text: str) -> str:
    """``text`` with everything that a terminal might obey or hide escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


# ---------------------------------------------------------------- exact numbers to booked integers


def ceil_div(numerator: int, denominator: int) -> int:
    """⌈numerator / denominator⌉ for integers."""
    return -(-numerator // denominator)


def serialise_ps(bits: int, lanes: int, rate_bps: Fraction) -> int:
    """Time of ``bits`` on ``lanes`` lanes of together ``rate_bps``: bits rounded up to whole lanes, then up to a ps."""
    padded = ceil_div(bits, lanes) * lanes
    return ceil_div(padded * PS_PER_S * rate_bps.denominator, rate_bps.numerator)


def cycles_ps(cycles: int, clock_hz: Fraction) -> int:
    """Time of ``cycles`` clock cycles, rounded up to a ps."""
    return ceil_div(cycles * PS_PER_S * clock_hz.denominator, clock_hz.numerator)


def duration_ps(exact_ps: Fraction) -> int:
    """A stated duration, rounded up to a ps."""
    return ceil_div(exact_ps.numerator, exact_ps.denominator)


def release_ps(index: int, rate_hz: Fraction, offset_ps: int = 0) -> int:
    """Release ``index`` of a periodic activity: offset + ⌊index / rate⌋."""
    return offset_ps + index * PS_PER_S * rate_hz.denominator // rate_hz.numerator


def book_aj(exact_aj: Fraction) -> int:
    """The energy of one activity, to the nearest attojoule (halves up)."""
    return (2 * exact_aj.numerator + exact_aj.denominator) // (2 * exact_aj.denominator)


def state_energy_aj(power_nw: int, start_ps: int, end_ps: int) -> int:
    """Energy of a state of constant power over [start, end): ⌊p·end/1000⌋ − ⌊p·start/1000⌋, so that cuts add up."""
    return power_nw * end_ps // 1000 - power_nw * start_ps // 1000


def spent_aj(energy_aj: int, start_ps: int, end_ps: int, at_ps: int) -> int:
    """What an activity of ``energy_aj`` over [start, end) has spent by ``at_ps``: ⌊E·(t−s)/d⌋, within [0, E]."""
    if at_ps <= start_ps:
        return 0
    if at_ps >= end_ps:
        return energy_aj
    return energy_aj * (at_ps - start_ps) // (end_ps - start_ps)


# ---------------------------------------------------------------- numbers to text for people


def show(value: float, unit: str, digits: int = 3) -> str:
    """``1.2e-9, 'J'`` as ``1.20 nJ``: ``digits`` significant figures and an SI prefix, by QuantiPhy."""
    from quantiphy import Quantity

    if value == 0:
        return f"0 {unit}"
    # QuantiPhy counts the digits after the first one; strip_zeros=False keeps columns steady.
    return Quantity(value, unit).render(prec=digits - 1, strip_zeros=False).replace("\u00a0", " ")


def show_ps(time_ps: float) -> str:
    """A time in picoseconds for people: ``3.42 ms``."""
    return show(time_ps / PS_PER_S, "s")


def show_aj(energy_aj: float) -> str:
    """An energy in attojoules for people: ``1.20 nJ``."""
    return show(energy_aj / AJ_PER_J, "J")


def show_v(voltage_v: float) -> str:
    """A voltage for people: ``0.65 V``, as many digits as it has up to a millivolt."""
    return f"{round(voltage_v, 3):g} V"


def show_nw(power_nw: float) -> str:
    """A power in nanowatts for people: ``3.42 mW``."""
    return show(power_nw / 10**9, "W")
