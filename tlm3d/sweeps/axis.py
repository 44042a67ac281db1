"""``PATH=VALUES`` of one swept parameter: a list, or a range with a spacing and a number of points."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import product
from math import prod

from tlm3d.errors import Problem, SpecError
from tlm3d.units import DIMENSIONS, QuantityError, clip, parse_number, parse_quantity

MAX_POINTS = 10_000
_DEFAULT_COUNT = 10
_DIGITS = 4  # significant digits of the values between the ends, at least
_LOG_DIGITS = 100  # to which logarithms are worked out: more than any range can tell apart
_PLAIN = Fraction(1, 10**6)  # smaller numbers are written with an exponent

_NUMBER = r"[0-9][0-9_]*(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?"
_UNIT = r"[^\s:,0-9.+-][^\s:,.]*"
_RANGE = re.compile(
    rf"\s*(?P<low>{_NUMBER})\s*(?P<low_unit>{_UNIT})?\s*\.\.\s*(?P<high>{_NUMBER})\s*(?P<unit>{_UNIT})?\s*"
    r"(?::(?P<spacing>[^:]*))?(?::(?P<count>[^:]*))?"
)


@dataclass(frozen=True, slots=True)
class Axis:
    """One parameter and the texts it takes, in the order tried; each is what ``--set PATH=VALUE`` would be given."""

    path: str
    values: tuple[str, ...]


def parse_axis(text: str) -> Axis:
    """Read ``links.tsv.rate=1..100 Mbit/s:log:12``, ``…:lin:5`` or ``links.tsv.lanes=8, 16, 32``.

    A range is linear in ten points unless it says otherwise; its unit stands at the end or, the same, at both ends. The
    ends are exact and no two points coincide. Ends that are whole numbers without a unit give whole numbers, unless two
    of them would coincide: then the points are fractions, which a key that counts something refuses. Raises SpecError.
    """
    path, equals, values = text.partition("=")
    path = path.strip()
    if not equals or not path or not values.strip():
        raise _error(path, f"expected PATH=VALUES such as links.tsv.rate='1..100 Mbit/s:log:12', got {clip(text)}")
    if ".." not in values:
        texts = tuple(value.strip() for value in values.split(","))
        if not all(texts):
            raise _error(path, f"an empty value in the list {clip(values.strip())}")
        return Axis(path, texts)
    match = _RANGE.fullmatch(values)
    if match is None:
        raise _error(path, f"expected a range such as '1..100 Mbit/s:log:12', got {clip(values.strip())}")
    try:
        low, high = parse_number(match["low"]), parse_number(match["high"])
    except QuantityError as error:
        raise _error(path, str(error)) from None
    spacing = (match["spacing"] or "lin").strip()
    count_text = (match["count"] or str(_DEFAULT_COUNT)).strip()
    if spacing not in ("lin", "log"):
        raise _error(path, f"expected the spacing lin or log, got {clip(spacing)}")
    if not count_text.isdecimal() or not 1 <= len(count_text) <= 12 or int(count_text) < 1:
        raise _error(path, f"expected a whole number of points from 1 to {MAX_POINTS}, got {clip(count_text)}")
    if int(count_text) > MAX_POINTS:
        raise _error(path, f"a range of {int(count_text)} points is more than the {MAX_POINTS} of a sweep")
    if spacing == "log" and not (low > 0 and high > 0):
        raise _error(path, f"a logarithmic range needs ends above zero, got {clip(values.strip())}")
    if match["low_unit"] and match["low_unit"] != match["unit"]:
        raise _error(path, f"expected one unit after both ends or the same at each, got {clip(values.strip())}")
    if low == high and int(count_text) > 1:
        raise _error(path, f"the ends of {clip(values.strip())} are the same: its {count_text} points would coincide")
    unit = f" {match['unit']}" if match["unit"] else ""
    whole = not unit and low.denominator == high.denominator == 1
    return Axis(path, tuple(f"{_decimal(n)}{unit}" for n in _spaced(low, high, spacing, int(count_text), whole)))


def _spaced(low: Fraction, high: Fraction, spacing: str, count: int, whole: bool) -> list[Fraction]:
    """``count`` distinct numbers from ``low`` to ``high``, the ends exact; with ``whole`` integers if those differ."""
    if count == 1:
        return [low]
    exact = [low, *_between(low, high, spacing, count), high]
    if whole:
        rounded = [Fraction(round(number)) for number in exact]
        if len(set(rounded)) == count:
            return rounded
    return [
        low,
        *(_rounded(n, min(abs(n - exact[i]), abs(exact[i + 2] - n))) for i, n in enumerate(exact[1:-1])),
        high,
    ]


def _between(low: Fraction, high: Fraction, spacing: str, count: int) -> list[Fraction]:
    """The numbers between the ends: exact if linear, to many more digits than are written if logarithmic."""
    if spacing == "lin":
        return [low + (high - low) * i / (count - 1) for i in range(1, count - 1)]
    with localcontext(prec=_LOG_DIGITS):
        start = Decimal(low.numerator) / low.denominator
        ratio = high / low
        growth = (Decimal(ratio.numerator) / ratio.denominator).ln()
        return [Fraction(start * (growth * i / (count - 1)).exp()) for i in range(1, count - 1)]


def _rounded(number: Fraction, step: Fraction) -> Fraction:
    """``number`` to four significant digits, or as many more as keep the error below a tenth of ``step``.

    Neighbours at least ``step`` away so stay distinct and in order.
    """
    place = Fraction(10) ** min(_exponent(number) - _DIGITS + 1, _exponent(step) - 1)
    return round(number / place) * place


def _exponent(number: Fraction) -> int:
    """The power of ten of the first digit of a ``number`` above zero."""
    exponent = len(str(number.numerator)) - len(str(number.denominator))
    return exponent if number >= Fraction(10) ** exponent else exponent - 1


def _decimal(number: Fraction) -> str:
    """The exact text of a ``number`` that ends in the decimal system; a very small one has an exponent: ``1.5e-14``."""
    if number.denominator == 1:
        return str(number.numerator)
    exponent = _exponent(number) if number < _PLAIN else 0
    digits = number / Fraction(10) ** exponent
    places = 0
    while (digits * 10**places).denominator != 1:
        places += 1
    shown = str((digits * 10**places).numerator).rjust(places + 1, "0")
    shown = f"{shown[:-places]}.{shown[-places:]}" if places else shown
    return f"{shown}e{exponent}" if exponent else shown


def magnitude(text: str) -> Fraction | None:
    """The size of a value, by which values of one parameter are ordered; None where the text is no quantity."""
    for dimension in (None, *DIMENSIONS):
        try:
            return parse_number(text) if dimension is None else parse_quantity(text, dimension)
        except QuantityError:
            continue
    return None


def points(axes: Sequence[Axis], paired: bool = False, corners: int = 1) -> list[tuple[str, ...]]:
    """The value texts of every point: all combinations, the last axis fastest, or one by one if ``paired``.

    Each is going to be run at ``corners`` corners; at more than one, no axis is one point without values. Raises
    SpecError for too many runs, for none, and for paired axes of different lengths.
    """
    if not axes and corners < 2:
        raise _error("", "nothing to sweep: give at least one --param, or --corners")
    if len({axis.path for axis in axes}) < len(axes):
        raise _error("", "one parameter is given twice")
    lengths = [len(axis.values) for axis in axes]
    if paired and len(set(lengths)) > 1:
        stated = ", ".join(f"{axis.path} has {n}" for axis, n in zip(axes, lengths, strict=True))
        raise _error("--zip", f"pairs values one by one and needs equal numbers of them: {stated}")
    factors = [*(lengths[:1] if paired else lengths), *([corners] if corners > 1 else [])]
    size = prod(factors)
    if size > MAX_POINTS:
        shape = " x ".join(map(str, factors))
        raise _error("", f"a grid of {shape} = {size} points is more than the {MAX_POINTS} of a sweep")
    values = [axis.values for axis in axes]
    return list(zip(*values, strict=True) if paired and axes else product(*values))


def _error(path: str, message: str) -> SpecError:
    option = path if path.startswith("--") else f"--param {path}".strip()
    return SpecError([Problem(option, 0, 0, "", message)])
