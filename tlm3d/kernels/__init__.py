"""Kernel libraries of core clusters: how layers become instructions. One a file, with its keys, as ``KIND``.

Contract of the slot. A library is a frozen ``Kernels``. ``work(layer, tile, cores, simd)`` is what the busiest core
does for one tile, shared the way that leaves it the least: instructions, of which so many access the shared memory; and
what the DMA does for the tile while every core waits. Everything is pure, and exact: instructions are counted, not
measured; what an instruction takes is the cluster's to say.

In a file a library is its name, or a mapping with ``kind`` and its own keys.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, NamedTuple

from tlm3d.cnn.layers import Layer
from tlm3d.cnn.tiling import Tile
from tlm3d.spec.nested import nested_schema, read_kind
from tlm3d.spec.quantities import Frozen
from tlm3d.units import ceil_div


class Simd(NamedTuple):
    """A register holds ``lanes`` operands; weights that are narrower are ``unpacked`` into them."""

    lanes: int
    unpacked: bool = False


class Work(NamedTuple):
    """What a core does for its share of a tile. ``accesses`` are loads and stores, and among the ``instructions``.

    The DMA, of which there is one, moves ``reordered`` elements one by one and is busy for ``dma_cycles``, for all
    cores together, while they wait.
    """

    instructions: int
    accesses: int
    reordered: int = 0
    dma_cycles: int = 0

    def times(self, n: int) -> Work:
        return self._replace(instructions=n * self.instructions, accesses=n * self.accesses)

    def plus(self, other: Work) -> Work:
        return Work(*(a + b for a, b in zip(self, other, strict=True)))


class Kernels(Frozen):
    """What every library has."""

    kind: str

    SLOT: ClassVar[str] = "kernels"

    def work(self, layer: Layer, tile: Tile, cores: int, simd: Simd) -> Work:
        """What the busiest of ``cores`` does for ``tile``."""
        raise TypeError(f"{type(self).__name__} does not say what a tile takes")


def largest_share(units: int, cores: int, at_once: int = 1) -> int:
    """Units of the busiest core, where ``at_once`` of them are one step and a core takes whole steps."""
    return min(units, ceil_div(ceil_div(units, at_once), cores) * at_once)


def products(simd: Simd, summands: int, pixels: int, channels: int) -> Work:
    """Sums of ``summands`` products for ``pixels`` × ``channels`` outputs held in registers.

    A step loads an operand of each pixel and each channel and multiplies all pairs: (p + c) loads and p · c products,
    on as many operands at a time as a register holds, the rest of the summands one by one (Garofalo et al., PULP-NN,
    arXiv 1908.11263). A word that begins inside another one is two accesses: so are those of rows that do not divide.
    Narrow weights are extracted one by one and packed again (Bruschi et al., arXiv 2007.07759).
    """
    steps, rest = divmod(summands, simd.lanes)
    loads = (pixels + channels) * (steps + rest)
    split = (pixels + channels) * steps * _misaligned(summands, simd.lanes) // simd.lanes
    unpacking = channels * (summands + steps) if simd.unpacked else 0
    return Work(loads + split + unpacking + pixels * channels * (steps + rest), loads + split)


def _misaligned(summands: int, lanes: int) -> int:
    """Of ``lanes`` rows of ``summands`` operands one behind the other, those that begin inside a word."""
    return sum(row * summands % lanes != 0 for row in range(lanes))


# Instructions of an element.
_POOL = 2  # load and compare or add
_ADD_IN = 2  # rescaled, summed; beside loads and stores, which take whole words
_ADD_OUT = 1  # n sums are one less, shift and clip one more
_SOFTMAX = 40  # an exponential in software: range reduction and a polynomial of fixed point


def elementwise(layer: Layer, tile: Tile, cores: int, simd: Simd) -> Work:
    """Pooling, addition, softmax: shared by outputs."""
    outputs = tile.out_rows * tile.out_width * tile.out_channels
    mine = largest_share(outputs, cores)
    read = ceil_div(tile.elements * mine, outputs)
    if layer.kind == "pool":
        return Work(_POOL * read, read + mine)
    if layer.kind == "add":
        words = ceil_div(read, simd.lanes) + ceil_div(mine, simd.lanes)
        return Work(words + (_ADD_IN * len(layer.reads) + _ADD_OUT) * mine, words)
    return Work(_SOFTMAX * read, read + mine)


AnyKernels = Annotated[Kernels, read_kind(Kernels), nested_schema("im2col")]
