"""What lies where and what an inference moves, as decided before a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Content(NamedTuple):
    """Something that has room in a memory."""

    what: str
    bytes: int


class MemoryUse(NamedTuple):
    """A memory, or the one beside a block, by ``die.block``, and what has room in it.

    ``passing``: the largest piece of a network's weights that pass through; pieces have what the contents leave of it.
    """

    memory: str
    capacity_bytes: int
    contents: tuple[Content, ...]
    passing: tuple[Content, ...] = ()

    @property
    def bytes(self) -> int:
        """Of all contents."""
        return sum(content.bytes for content in self.contents)


class WeightsPlace(NamedTuple):
    """Where the weights of a network's layers on ``block`` are: beside it, where there is no ``store``."""

    network: str
    block: str
    bytes: int
    store: str | None  # the memory they are fetched from
    stage: str | None  # the memory they pass through


class Moved(NamedTuple):
    """Bytes that one inference moves from a memory or block to another; ``what``: weights, feature maps."""

    task: str
    what: str
    source: str
    target: str
    bytes: int


@dataclass(frozen=True, slots=True)
class ResidencyPlan:
    """All sorted by name. What is moved is that of an inference by itself, each layer on its first block.

    Pieces of staged weights that another job takes the room of are fetched again on top.
    """

    memories: tuple[MemoryUse, ...] = ()
    weights: tuple[WeightsPlace, ...] = ()
    moves: tuple[Moved, ...] = ()
