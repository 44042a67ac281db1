"""Dataflows of accelerators: one a file, each with its keys and its count of cycles as ``KIND``.

Contract of the slot. A dataflow is a frozen ``Dataflow``: it says in which order an array of MAC units does a layer.
``array`` is the block's [rows, columns]; what they take is the dataflow's to say.

- ``supports(kind)``: which kinds of layer it runs (conv, pointwise, depthwise, linear, pool, add, softmax).
- ``macs_per_cycle(array)``: the most that the array can do; no tile does more.
- ``cycles(array, layer, tile)``: of one tile, at least one, without waiting for data. A tile is run on its own: what an
  array fills, drains or leaves idle is lost once a tile, so a layer never gets faster by being cut.

In a file a dataflow is its name, or a mapping with ``kind`` and its own keys. Everything is pure: the same arguments
give the same answer, nothing is remembered.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, ValidationError, WithJsonSchema
from pydantic_core import InitErrorDetails

from tlm3d.cnn.layers import Layer
from tlm3d.cnn.tiling import Tile
from tlm3d.errors import PluginError, one_of
from tlm3d.plugins import kinds, load_kind
from tlm3d.spec.quantities import Frozen
from tlm3d.spec.validate import shape
from tlm3d.units import QuantityError

Array = tuple[int, int]  # rows, columns


class Dataflow(Frozen):
    """What every dataflow has."""

    kind: str

    SLOT: ClassVar[str] = "dataflows"

    def supports(self, kind: str) -> bool:
        """Whether layers of ``kind`` (conv, pointwise, depthwise, linear, pool, add, softmax) run this way."""
        raise TypeError(f"{type(self).__name__} does not say which layers it runs")

    def macs_per_cycle(self, array: Array) -> int:
        """Multiply-accumulates a cycle when every unit of the array works."""
        raise TypeError(f"{type(self).__name__} does not say how much its array does at most")

    def cycles(self, array: Array, layer: Layer, tile: Tile) -> int:
        """Cycles of one tile of ``layer``."""
        raise TypeError(f"{type(self).__name__} does not say how long a tile takes")


def _read(value: Any) -> Any:
    """A dataflow by its name, or by a mapping with its ``kind``."""
    if isinstance(value, Dataflow):
        return value
    if isinstance(value, str):
        return _of_kind(value, {"kind": value}, ())
    if not isinstance(value, dict):
        raise QuantityError(f"expected the name of a dataflow, or a mapping with its kind and keys, got {shape(value)}")
    if "kind" not in value:
        raise ValueError(f"missing key 'kind'{one_of(kinds(Dataflow.SLOT))}")
    return _of_kind(value["kind"], value, ("kind",))


def _of_kind(name: Any, tree: dict[str, Any], where: tuple[str, ...]) -> Dataflow:
    if not isinstance(name, str):
        raise _refused(InitErrorDetails(type="string_type", loc=where, input=name))
    try:
        model = load_kind(Dataflow.SLOT, name)
    except PluginError as error:
        unknown = QuantityError(str(error))
        details = InitErrorDetails(type="value_error", loc=where, input=name, ctx={"error": unknown})
        raise _refused(details) from error
    found: Dataflow = model.model_validate(tree)
    return found


def _refused(details: InitErrorDetails) -> ValidationError:
    return ValidationError.from_exception_data("Dataflow", [details])


AnyDataflow = Annotated[
    Dataflow,
    BeforeValidator(_read),
    WithJsonSchema({"anyOf": [{"type": "string", "examples": ["channel-parallel"]}, {"type": "object"}]}),
]
