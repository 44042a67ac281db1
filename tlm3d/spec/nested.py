"""A kind inside another description: a dataflow of an accelerator, the kernels of a cluster."""

from __future__ import annotations

from typing import Any, Protocol

from pydantic import BaseModel, BeforeValidator, ValidationError, WithJsonSchema
from pydantic_core import InitErrorDetails

from tlm3d.errors import PluginError, one_of
from tlm3d.plugins import kinds, load_kind, noun
from tlm3d.spec.validate import shape
from tlm3d.units import QuantityError


class _Slotted(Protocol):
    SLOT: str


def read_kind(base: type[_Slotted]) -> BeforeValidator:
    """Reads a kind of the slot of ``base``: by its name, or by a mapping with its ``kind`` and its own keys."""

    def read(value: Any) -> Any:
        if isinstance(value, BaseModel):
            return value
        if isinstance(value, str):
            return _of_kind(base.SLOT, value, {"kind": value}, ())
        what = noun(base.SLOT)
        if not isinstance(value, dict):
            raise QuantityError(
                f"expected the name of a {what}, or a mapping with its kind and keys, got {shape(value)}"
            )
        if "kind" not in value:
            raise ValueError(f"missing key 'kind'{one_of(kinds(base.SLOT))}")
        return _of_kind(base.SLOT, value["kind"], value, ("kind",))

    return BeforeValidator(read)


def nested_schema(example: str) -> WithJsonSchema:
    """JSON Schema of what ``read_kind`` reads; ``example`` is a kind that needs no keys."""
    return WithJsonSchema({"anyOf": [{"type": "string", "examples": [example]}, {"type": "object"}]})


def _of_kind(slot: str, name: Any, tree: dict[str, Any], where: tuple[str, ...]) -> Any:
    if not isinstance(name, str):
        raise _refused(slot, InitErrorDetails(type="string_type", loc=where, input=name))
    try:
        model = load_kind(slot, name)
    except PluginError as error:
        unknown = QuantityError(str(error))
        details = InitErrorDetails(type="value_error", loc=where, input=name, ctx={"error": unknown})
        raise _refused(slot, details) from error
    return model.model_validate(tree)


def _refused(slot: str, details: InitErrorDetails) -> ValidationError:
    return ValidationError.from_exception_data(slot, [details])
