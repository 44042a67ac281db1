"""What a layer of a network asks of the block that runs it, as resolved before a run."""

from __future__ import annotations

from typing import NamedTuple

from tlm3d.facts import Fact


class LayerWork(NamedTuple):
    """One layer, all its tiles together. Bytes are those moved: what two tiles read counts twice."""

    name: str
    op: str
    block: str  # die.block
    macs: int
    input_bytes: int
    weight_bytes: int  # into the block; 0 where they are resident
    staged_bytes: int  # of weights, into the memory that they pass through
    output_bytes: int
    tiles: int
    cycles: int  # busy cycles of the block
    facts: tuple[Fact, ...] = ()  # what the block says of it
