"""``PATH=VALUES`` of one swept parameter: a list, or a range with a spacing and a number of points."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import prod

from tlm3d.errors import Problem, SpecError
from tlm3d.units import DIMENSIONS, QuantityError, clip, parse_number, parse_quantity

MAX_POINTS = 10_000
_DEFAULT_COUNT = 10
_DIGITS = 4  # significant digits of the values between the ends

_RANGE = re.compile(
    r"\s*(?P<low>[0-9][0-9_.eE+-]*?)\s*\.\.\s*(?P<high>[0-9][0-9_.eE+-]*)\s*(?P<unit>[^\s:,0-9.+-][^\s:,]*)?\s*"
    r"(?::(?P<spacing>[^:]*))?(?::(?P<count>[^:]*))?"
)


@dataclass(frozen=True, slots=True)
class Axis:
    """One parameter and the texts it takes, in the order tried; each is what ``--set PATH=VALUE`` would be given."""

    path: str
    values: tuple[str, ...]


def parse_axis(text: str) -> Axis:
    """Read ``links.tsv.rate=1..100 Mbit/s:log:12``, ``…:lin:5`` or ``links.tsv.lanes=8, 16, 32``. Raises SpecError."""
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
        raise _error(path, f"expected a number of points from 1, got {clip(count_text)}: the range has no points")
    if int(count_text) > MAX_POINTS:
        raise _error(path, f"a range of {int(count_text)} points is more than the {MAX_POINTS} of a sweep")
    if spacing == "log" and not (low > 0 and high > 0):
        raise _error(path, f"a logarithmic range needs ends above zero, got {clip(values.strip())}")
    unit = f" {match['unit']}" if match["unit"] else ""
    whole = not unit and low.denominator == high.denominator == 1
    numbers = _spaced(low, high, spacing, int(count_text), whole)
    return Axis(path, tuple(dict.fromkeys(f"{_decimal(number)}{unit}" for number in numbers)))


def _spaced(low: Fraction, high: Fraction, spacing: str, count: int, whole: bool) -> list[Fraction]:
    """``count`` numbers from ``low`` to ``high``, the ends exact, those between rounded (to integers if ``whole``)."""
    if count == 1:
        return [low]
    between = []
    for i in range(1, count - 1):
        if spacing == "lin":
            number = low + (high - low) * i / (count - 1)
        else:
            number = Fraction(float(low) * (float(high) / float(low)) ** (i / (count - 1)))
        between.append(Fraction(round(number)) if whole else Fraction(f"{float(number):.{_DIGITS - 1}e}"))
    return [low, *between, high]


def _decimal(number: Fraction) -> str:
    """The shortest decimal text of ``number``, without an exponent."""
    if number.denominator == 1:
        return str(number.numerator)
    return f"{float(number):.12f}".rstrip("0").rstrip(".")


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
