"""Dataflows of accelerators: one a file, each with its keys and its count of cycles as ``KIND``.

Contract of the slot. A dataflow is a frozen ``Dataflow``: it says in which order an array of MAC units does a layer.
``array`` is the block's [rows, columns]; what they take is the dataflow's to say.

- ``supports(kind)``: which kinds of layer it runs (conv, pointwise, depthwise, linear, pool, add, softmax); all that
  multiply, unless it says otherwise.
- ``runs(layer)``: whether it runs this layer of them; all of a kind, unless it says otherwise.
- ``macs_per_cycle(array)``: the most that the array can do; no tile does more. One a unit, unless it says otherwise.
- ``cycles(array, layer, tile)``: of one tile, at least one, without waiting for data. A tile is run on its own: what an
  array fills, drains or leaves idle is lost once a tile, so a layer never gets faster by being cut.

``PACED``: whether tiles are cut for its time too, not for the bytes they move alone.

In a file a dataflow is its name, or a mapping with ``kind`` and its own keys. Everything is pure: the same arguments
give the same answer, nothing is remembered.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from tlm3d.cnn.layers import Layer
from tlm3d.cnn.tiling import Tile
from tlm3d.spec.nested import nested_schema, read_kind
from tlm3d.spec.quantities import Frozen

Array = tuple[int, int]  # rows, columns


class Dataflow(Frozen):
    """What every dataflow has."""

    kind: str

    SLOT: ClassVar[str] = "dataflows"
    PACED: ClassVar[bool] = False

    def supports(self, kind: str) -> bool:
        """Whether layers of ``kind`` (conv, pointwise, depthwise, linear, pool, add, softmax) run this way.

        All that multiply do, unless it says otherwise.
        """
        return kind in ("conv", "pointwise", "depthwise", "linear")

    def runs(self, layer: Layer) -> bool:
        """Whether ``layer`` runs this way, its kernel, stride and bits too."""
        return self.supports(layer.kind)

    def macs_per_cycle(self, array: Array) -> int:
        """Multiply-accumulates a cycle when every unit of the array works: one each, unless it says otherwise."""
        return array[0] * array[1]

    def cycles(self, array: Array, layer: Layer, tile: Tile) -> int:
        """Cycles of one tile of ``layer``."""
        raise TypeError(f"{type(self).__name__} does not say how long a tile takes")


AnyDataflow = Annotated[Dataflow, read_kind(Dataflow), nested_schema("channel-parallel")]
