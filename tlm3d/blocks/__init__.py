"""Blocks: one kind a file, each with its Spec and its cost model as ``KIND``.

Contract of the slot. A kind is a frozen ``BlockSpec`` with one ``ROLE``:

- ``compute``: runs tiles behind a double-buffered local memory. ``supports(kind)`` and
  ``runs(layer)``; ``cost(layer, tile) -> Cost``; ``local_bytes``; ``clock_hz``.
- ``lane``: runs plain stages one at a time, no tiles, no memory.
- ``sensor``: ``emits(mode) -> rows`` of one frame; ``frame_shape``, ``stored_bytes`` and what may be asked of it.
- ``memory``: capacity and one port.

Any of them may have ``facts()``, figures that ``tlm3d show`` draws beside it; one that runs layers also
``layer_facts(layer)``, which ``tlm3d explain`` lists. They are shown and decide nothing.

Everything is pure: the same arguments give the same answer, nothing is remembered.
"""

from __future__ import annotations

from tlm3d.blocks._block import BlockSpec, DerivedValue
from tlm3d.blocks._compute import ComputeSpec, Cost, DmaSpec, VectorUnitSpec
from tlm3d.blocks._operated import ComputeEnergySpec, CycleEnergySpec, OperatedSpec, ProgrammableSpec
from tlm3d.blocks._sensor import Row, SensorSpec

__all__ = [
    "BlockSpec",
    "ComputeEnergySpec",
    "ComputeSpec",
    "Cost",
    "CycleEnergySpec",
    "DerivedValue",
    "DmaSpec",
    "OperatedSpec",
    "ProgrammableSpec",
    "Row",
    "SensorSpec",
    "VectorUnitSpec",
]
