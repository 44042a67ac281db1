"""Field types of the schema: text in, exact numbers out.

``RateBps`` and its like are ``Fraction`` in base units; ``BookedPs`` is rounded up to a picosecond where a time is only
ever booked. Each carries the JSON Schema of its text form.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainValidator, WithJsonSchema

from tlm3d import units
from tlm3d.spec.corners import CORNERS
from tlm3d.technology.scaling import LOW_POWER, PROCESSES
from tlm3d.units import (
    Dimension,
    QuantityError,
    clip,
    duration_ps,
    number_pattern,
    parse_number,
    parse_quantity,
    quantity_pattern,
    whole_pattern,
)

MAX_COUNT = 10**12


class Frozen(BaseModel):
    """Base of every description: immutable, unknown keys refused, read by the key the user writes."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


def _text(value: Any, dimension: str) -> str:
    if isinstance(value, str):
        return value
    kind = (
        "a list" if isinstance(value, list) else "a mapping" if isinstance(value, dict) else str(type(value).__name__)
    )
    raise QuantityError(f"expected {dimension}, got {kind}")


def _quantity(dimension: Dimension, *, positive: bool) -> Callable[[Any], Fraction]:
    def read(value: Any) -> Fraction:
        if isinstance(value, Fraction):
            return value
        exact = parse_quantity(_text(value, f"{dimension.name} such as '{dimension.example}'"), dimension)
        if positive and exact == 0:
            raise QuantityError(
                f"expected {dimension.name} such as '{dimension.example}', got {clip(value)}: must not be zero"
            )
        return exact

    return read


def _integer(dimension: Dimension, *, at_least: int = 0) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        exact = parse_quantity(_text(value, f"{dimension.name} such as '{dimension.example}'"), dimension)
        booked = duration_ps(exact)  # up, to the base unit
        if booked < at_least:
            raise QuantityError(
                f"expected {dimension.name} of more than zero such as '{dimension.example}', got {clip(value)}"
            )
        return booked

    return read


def _count(at_least: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        text = _text(value, "a whole number")
        too_large = f"expected a whole number of at most {MAX_COUNT}, got {clip(text)}"
        if text.isascii() and text.isdigit() and len(text.lstrip("0")) > len(str(MAX_COUNT)):
            raise QuantityError(too_large)  # of any length: longer than what parse_number takes for a number
        number = parse_number(text, "a whole number")
        if number.denominator != 1:
            raise QuantityError(f"expected a whole number, got {clip(text)}")
        if number < at_least:
            raise QuantityError(f"expected a whole number of at least {at_least}, got {clip(text)}")
        if number > MAX_COUNT:
            raise QuantityError(too_large)
        return int(number)

    return read


def _positive(value: Any) -> Fraction:
    number = parse_number(_text(value, "a number"))
    if number <= 0:
        raise QuantityError(f"expected a number above zero, got {clip(value)}")
    return number


def _positive_or_zero(value: Any) -> Fraction:
    number = parse_number(_text(value, "a number"))
    if number < 0:
        raise QuantityError(f"expected a number of at least zero, got {clip(value)}")
    return number


def _probability(value: Any) -> Fraction:
    number = _positive(value)
    if number >= 1:
        raise QuantityError(f"expected a number above zero and below one, got {clip(value)}")
    return number


def _efficiency(value: Any) -> Fraction:
    expected = "an efficiency such as '85 %' or 0.85"
    text = _text(value, expected)
    try:
        exact = parse_number(text, expected)
    except QuantityError:
        exact = parse_quantity(text, units.EFFICIENCY)
    if not 0 < exact <= 1:
        raise QuantityError(f"expected {expected}, got {clip(text)}: must be above zero, and at most 100 % or 1")
    return exact


def _flag(value: Any) -> bool:
    text = _text(value, "true or false")
    if text not in ("true", "false"):
        raise QuantityError(f"expected true or false, got {clip(text)}")
    return text == "true"


def _title(text: str) -> str:
    if not text.strip():
        raise QuantityError("expected a name, got nothing" if not text else f"expected a name, got {clip(text)}")
    return text


def _names(value: Any) -> tuple[str, ...]:
    names = value if isinstance(value, list) else [value]
    if not names or not all(isinstance(name, str) and name for name in names):
        raise QuantityError("expected the name of a block, or a list of names")
    return tuple(names)


def _some_names(value: Any) -> tuple[str, ...]:
    names = value if isinstance(value, list) else [value]
    if not all(isinstance(name, str) and name for name in names):
        raise QuantityError("expected a name, or a list of names")
    return tuple(names)


def _chance(value: Any) -> Fraction:
    number = _positive(value)
    if number > 1:
        raise QuantityError(f"expected a probability above zero and at most one, got {clip(value)}")
    return number


def _padding(value: Any) -> Any:
    if isinstance(value, list):
        if len(value) != 4:
            raise QuantityError(f"expected [top, bottom, left, right], got a list of {len(value)}")
        return tuple(_count(0)(side) for side in value)
    text = _text(value, "same, valid, a number or [top, bottom, left, right]")
    return text if text in ("same", "valid") else _count(0)(text)


def _at_corners(one: dict[str, Any]) -> dict[str, Any]:
    """JSON Schema of a value as ``one`` says, or of a mapping with such a value for each corner."""
    types = one["type"] if isinstance(one["type"], list) else [one["type"]]
    at = {corner: one | {"description": f"the value at the {corner} corner"} for corner in CORNERS}
    corners = {"properties": at, "required": list(CORNERS), "additionalProperties": False}
    return {**one, "type": [*types, "object"], **corners}


def _scaled(one: dict[str, Any]) -> dict[str, Any]:
    """JSON Schema of an energy as ``one`` says, or as it is at another node and voltage, each perhaps at corners."""
    place = {
        "node": _at_corners({"type": "string", "pattern": quantity_pattern(units.NODE, positive=True)})
        | {"description": "technology node"},
        "voltage": _at_corners({"type": "string", "pattern": quantity_pattern(units.VOLTAGE, positive=True)})
        | {"description": "supply voltage"},
        "process": {"enum": list(PROCESSES), "description": f"kind of transistors; not given: {LOW_POWER}"},
    }
    there = {"type": "object", "properties": place, "additionalProperties": False}
    keys = {
        "value": _at_corners(one) | {"description": "the energy as it was measured"},
        "at": there | {"required": ["node", "voltage"], "description": "where it was measured"},
        "to": there | {"minProperties": 1, "description": "where it is wanted; what is not given is as in 'at'"},
    }
    scaled = {"properties": keys, "required": list(keys), "additionalProperties": False}
    at_corner = one | scaled | {"type": [one["type"], "object"]}
    corners = {corner: at_corner | {"description": f"the value at the {corner} corner"} for corner in CORNERS}
    both = {key: [other for other in group if other != key] for group in (CORNERS, (*keys,)) for key in group}
    either = {"dependentRequired": both, "minProperties": 3, "maxProperties": 3}
    found = {"type": [one["type"], "object"], "properties": corners | keys, "additionalProperties": False}
    return one | found | either


def _schema(dimension: Dimension, *, positive: bool = False) -> WithJsonSchema:
    shape = {"type": "string", "pattern": quantity_pattern(dimension, positive=positive)}
    texts = {"description": dimension.name, "examples": [dimension.example]}
    return WithJsonSchema((_scaled if dimension in units.ENERGIES else _at_corners)(shape) | texts)


def _whole(at_least: int) -> WithJsonSchema:
    # An editor reads `8` as a number, the readers of these files as the text that stands there.
    bounds = {"minimum": at_least, "maximum": MAX_COUNT}
    pattern = whole_pattern(positive=at_least > 0)
    return WithJsonSchema(_at_corners({"type": ["integer", "string"], "pattern": pattern, **bounds}))


_NUMBER = WithJsonSchema(
    _at_corners({"type": ["number", "string"], "pattern": number_pattern(positive=True), "exclusiveMinimum": 0})
)
_NUMBER_OR_ZERO = WithJsonSchema(
    _at_corners({"type": ["number", "string"], "pattern": number_pattern(positive=False), "minimum": 0})
)
_PROBABILITY = WithJsonSchema(
    _at_corners(
        {
            "type": ["number", "string"],
            "pattern": number_pattern(positive=True),
            "exclusiveMinimum": 0,
            "exclusiveMaximum": 1,
        }
    )
    | {"description": "a probability", "examples": ["1e-9"]}
)
_CHANCE = WithJsonSchema(
    _at_corners(
        {
            "type": ["number", "string"],
            "pattern": number_pattern(positive=True),
            "exclusiveMinimum": 0,
            "maximum": 1,
        }
    )
    | {"description": "a probability", "examples": ["0.05"]}
)

_EFFICIENCY = WithJsonSchema(
    _at_corners(
        {
            "type": ["number", "string"],
            "pattern": f"{number_pattern(positive=True).removesuffix('$')}(?:%\\s*)?$",
            "exclusiveMinimum": 0,
            "maximum": 1,
        }
    )
    | {"description": "an efficiency", "examples": ["85 %"]}
)

TimePs = Annotated[int, PlainValidator(_integer(units.TIME)), _schema(units.TIME)]
DurationPs = Annotated[int, PlainValidator(_integer(units.TIME, at_least=1)), _schema(units.TIME, positive=True)]
PowerNw = Annotated[int, PlainValidator(_integer(units.POWER)), _schema(units.POWER)]
LimitNw = Annotated[int, PlainValidator(_integer(units.POWER, at_least=1)), _schema(units.POWER, positive=True)]
EnergyAj = Annotated[int, PlainValidator(_integer(units.ENERGY)), _schema(units.ENERGY)]
ExactAj = Annotated[Fraction, PlainValidator(_quantity(units.ENERGY, positive=False)), _schema(units.ENERGY)]
SizeBits = Annotated[int, PlainValidator(_integer(units.DATA, at_least=1)), _schema(units.DATA, positive=True)]
SizeOrZeroBits = Annotated[int, PlainValidator(_integer(units.DATA)), _schema(units.DATA)]
RateBps = Annotated[Fraction, PlainValidator(_quantity(units.RATE, positive=True)), _schema(units.RATE, positive=True)]
FrequencyHz = Annotated[
    Fraction,
    PlainValidator(_quantity(units.FREQUENCY, positive=True)),
    _schema(units.FREQUENCY, positive=True),
]
NodeNm = Annotated[Fraction, PlainValidator(_quantity(units.NODE, positive=True)), _schema(units.NODE, positive=True)]
VoltageV = Annotated[
    Fraction, PlainValidator(_quantity(units.VOLTAGE, positive=True)), _schema(units.VOLTAGE, positive=True)
]
Kelvin = Annotated[
    Fraction,
    PlainValidator(_quantity(units.TEMPERATURE, positive=True)),
    _schema(units.TEMPERATURE, positive=True),
]
AjPerBit = Annotated[
    Fraction, PlainValidator(_quantity(units.ENERGY_PER_BIT, positive=False)), _schema(units.ENERGY_PER_BIT)
]
AjPerCycle = Annotated[
    Fraction, PlainValidator(_quantity(units.ENERGY_PER_CYCLE, positive=False)), _schema(units.ENERGY_PER_CYCLE)
]
AjPerMac = Annotated[
    Fraction, PlainValidator(_quantity(units.ENERGY_PER_MAC, positive=False)), _schema(units.ENERGY_PER_MAC)
]
AjPerPixel = Annotated[
    Fraction, PlainValidator(_quantity(units.ENERGY_PER_PIXEL, positive=False)), _schema(units.ENERGY_PER_PIXEL)
]
AjPerConversion = Annotated[
    Fraction,
    PlainValidator(_quantity(units.ENERGY_PER_CONVERSION, positive=False)),
    _schema(units.ENERGY_PER_CONVERSION),
]
Count = Annotated[int, PlainValidator(_count(1)), _whole(1)]
CountOrZero = Annotated[int, PlainValidator(_count(0)), _whole(0)]
Positive = Annotated[Fraction, PlainValidator(_positive), _NUMBER]
PositiveOrZero = Annotated[Fraction, PlainValidator(_positive_or_zero), _NUMBER_OR_ZERO]
Probability = Annotated[Fraction, PlainValidator(_probability), _PROBABILITY]
Chance = Annotated[Fraction, PlainValidator(_chance), _CHANCE]  # a probability that may be 1
Efficiency = Annotated[Fraction, PlainValidator(_efficiency), _EFFICIENCY]
Flag = Annotated[
    bool, PlainValidator(_flag), WithJsonSchema({"type": ["boolean", "string"], "pattern": "^(?:true|false)$"})
]
Title = Annotated[
    str, AfterValidator(_title), WithJsonSchema({"type": "string", "minLength": 1, "pattern": r"\S"})
]  # what a whole file is called: any text that shows
Names = Annotated[
    tuple[str, ...],
    PlainValidator(_names),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
]
SomeNames = Annotated[
    tuple[str, ...],
    PlainValidator(_some_names),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]  # perhaps none
PaddingText = Annotated[
    Literal["same", "valid"] | int | tuple[int, int, int, int],
    PlainValidator(_padding),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": ["same", "valid"]},
                _whole(0).json_schema,
                {"type": "array", "items": _whole(0).json_schema, "minItems": 4, "maxItems": 4},
            ]
        }
    ),
]
