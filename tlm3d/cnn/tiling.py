"""Layers cut into tiles that fit a local memory: twice, where one tile computes while the next one loads.

A tile is a band of output rows, at full width, of a group of output channels. Bands overlap in the input rows
both need (the halo), which are read again. Tiles run in one of two orders:

* groups outside: the weights of a group are loaded once and kept over its bands; inputs come again a group;
* bands outside: the input band is loaded once and kept over the groups; weights come again a band.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from itertools import product
from math import floor
from typing import NamedTuple, Protocol

from tlm3d.cnn.layers import BIAS_BYTES, Layer, Op, packed_bytes
from tlm3d.units import ceil_div


class TileError(ValueError):
    """The smallest tile of a layer needs ``needed_bytes`` of local memory, there are ``local_bytes``."""

    def __init__(self, layer: str, tile_bytes: int, buffers: int, local_bytes: int) -> None:
        needed_bytes = buffers * tile_bytes
        self.needed_bytes, self.local_bytes = needed_bytes, local_bytes
        super().__init__(
            f"layer {layer}: its smallest tile needs {buffers} x {tile_bytes} B = {needed_bytes} B of local memory, "
            f"{needed_bytes - local_bytes} B more than the {local_bytes} B there are"
        )


@dataclass(frozen=True, slots=True)
class Tile:
    """A piece of a layer: the bytes it moves and the work it does.

    ``weight_bytes`` and ``input_bytes`` (one a read) are to be loaded: 0 where those of the tile before are kept.
    ``new_weights``: it does not use those of the tile before; they may still be resident, and 0 bytes to load.
    """

    weight_bytes: int
    input_bytes: tuple[int, ...]
    output_bytes: int
    macs: int
    elements: int
    out_rows: int
    out_width: int
    out_channels: int
    in_channels: int
    kernel: tuple[int, int]
    new_weights: bool = True


class _Part(NamedTuple):
    """Rows or channels first … first+size−1."""

    first: int
    size: int


@dataclass(frozen=True, slots=True)
class _Plan:
    bands: tuple[_Part, ...]
    groups: tuple[_Part, ...]
    groups_outside: bool

    def __iter__(self) -> Iterator[tuple[_Part, _Part]]:
        """(band, group) of every tile, in the order they run."""
        if self.groups_outside:
            return ((band, group) for group, band in product(self.groups, self.bands))
        return product(self.bands, self.groups)


class Pace(Hashable, Protocol):
    """How fast a machine is, for a tiling that is cut for time. Hashable; the same questions get the same answers."""

    @property
    def cycles_per_byte(self) -> Fraction:
        """Of moving a byte into or out of local memory, beside the computing; 0 where that is no matter."""

    @property
    def layer_setup(self) -> int:
        """Cycles before the first tile of a layer computes, while data already moves."""

    def tile_cycles(self, layer: Layer, tile: Tile) -> int:
        """Of computing ``tile``."""


_LARGE = 4  # so many of the largest group sizes are also tried with more bands
_NEAR = Fraction(33, 32)  # of the least time: as good, so that bytes decide


def tile_layer(
    layer: Layer, local_bytes: int, weights_resident: bool = False, pace: Pace | None = None, buffers: int = 2
) -> tuple[Tile, ...]:
    """The tiling that moves the fewest bytes; of those, the fewest tiles; of those, the fewest channel groups.

    A tile takes (inputs + weights + outputs) bytes, ``buffers`` times, of ``local_bytes``; ``weights_resident`` weights
    take and move none. Every group count and both orders are tried, each with as few row bands as fit. A softmax is one
    tile. Inputs of fewer than 8 bits are padded to a byte a tile.

    With ``pace``, of a machine that some cuts suit better than others, only tilings that take about the least time
    count: computing, set-up included, or moving, whichever is longer, and what overlaps with nothing, the first load
    and the last store. Groups may then also all be of one size but for what is left over, and large ones have more
    bands than have to be.

    Raises TileError where even the smallest tile does not fit.
    """
    alike = replace(layer, name="", reads=("",) * len(layer.reads))  # layers of one shape are cut once
    try:
        return _tiled(alike, local_bytes, weights_resident, pace, buffers)
    except TileError as error:
        raise TileError(layer.name, error.needed_bytes // buffers, buffers, local_bytes) from None


@cache
def _tiled(layer: Layer, local_bytes: int, weights_resident: bool, pace: Pace | None, buffers: int) -> tuple[Tile, ...]:
    cut = _Cut(layer, local_bytes, weights_resident, buffers)
    plans = list(cut.plans(more=pace is not None))
    if not plans:
        raise TileError(layer.name, cut.smallest_bytes(), buffers, local_bytes)
    if pace is not None:
        clock = _Clock(cut, pace)
        times = [clock.time(plan) for plan in plans]
        enough = floor(min(times) * _NEAR)
        plans = [plan for plan, time in zip(plans, times, strict=True) if time <= enough]
    return cut.tiles(min(plans, key=cut.rank))


def _split(total: int, parts: int) -> tuple[_Part, ...]:
    """``total`` in ``parts`` pieces that differ by at most one, the larger ones first."""
    small, larger = divmod(total, parts)
    return tuple(_Part(i * small + min(i, larger), small + (i < larger)) for i in range(parts))


def _whole(total: int, size: int) -> tuple[_Part, ...]:
    """``total`` in pieces of ``size``, and what is left over."""
    return tuple(_Part(first, min(size, total - first)) for first in range(0, total, size))


def _group_sizes(layer: Layer) -> list[int]:
    """Sizes of the largest group worth trying: of all counts with the same one, the smallest count moves the least."""
    channels = layer.out_shape.channels
    largest = {channels} if layer.op is Op.SOFTMAX else {ceil_div(channels, n) for n in range(1, channels + 1)}
    return sorted(largest, reverse=True)


@dataclass(frozen=True, slots=True)
class _Cut:
    """Bytes and pieces of one layer in one local memory."""

    layer: Layer
    local_bytes: int
    weights_resident: bool
    buffers: int

    @property
    def shares_input(self) -> bool:
        """Whether every output channel needs all input channels."""
        return self.layer.op in (Op.CONV, Op.LINEAR)

    def input_bytes(self, band: _Part, channels: int) -> int:
        """Bytes of one read's band, for a group of ``channels``."""
        layer, shape = self.layer, self.layer.in_shapes[0]
        deep = shape.channels if self.shares_input else channels
        return packed_bytes(layer.input_rows(*band) * shape.width * deep, layer.activation_bits)

    def weight_bytes(self, group: _Part) -> int:
        """Bytes to load for a group; packed over the whole layer, so that groups add up to the layer's bytes."""
        layer = self.layer
        if self.weights_resident:
            return 0
        bits = layer.weights_per_channel * layer.weight_bits
        biases = group.size if layer.biases else 0
        return ceil_div((group.first + group.size) * bits, 8) - ceil_div(group.first * bits, 8) + BIAS_BYTES * biases

    def footprint_bytes(self, band: _Part, channels: int) -> int:
        """Most that a tile of ``channels`` output channels holds, once, wherever its group begins."""
        layer = self.layer
        inputs = len(layer.reads) * self.input_bytes(band, channels)
        return inputs + self.weight_bytes(_Part(0, channels)) + self.output_bytes(band, channels)

    def output_bytes(self, band: _Part, channels: int) -> int:
        """Bytes of a tile's outputs, by themselves."""
        return packed_bytes(band.size * self.layer.out_shape.width * channels, self.layer.activation_bits)

    def smallest_bytes(self) -> int:
        """Footprint of the largest tile of the finest cut: one row of one channel, or all of a softmax."""
        height, _, channels = self.layer.out_shape
        if self.layer.op is Op.SOFTMAX:
            return self.footprint_bytes(_Part(0, height), channels)
        return max(self.footprint_bytes(_Part(row, 1), 1) for row in range(height))

    def fewest_bands(self, channels: int) -> tuple[_Part, ...] | None:
        """As few bands as fit with groups of ``channels``, of equal height where that fits too; None if none do."""
        height = self.layer.out_shape.height

        def fits(band: _Part) -> bool:
            return self.buffers * self.footprint_bytes(band, channels) <= self.local_bytes

        if self.layer.op is Op.SOFTMAX:
            whole = _Part(0, height)
            return (whole,) if fits(whole) else None
        # A piece of a band that fits fits, so taking all that fits from the top down gives the fewest bands.
        bands: list[_Part] = []
        row = 0
        while row < height:
            count = _most_rows(row, height - row, fits)
            if count == 0:
                return None
            bands.append(_Part(row, count))
            row += count
        equal = _split(height, len(bands))
        return equal if all(map(fits, equal)) else tuple(bands)

    def plans(self, more: bool) -> Iterator[_Plan]:
        """The cuts to choose from, the largest groups first; ``more`` where bytes are not all that counts."""
        channels, height = self.layer.out_shape.channels, self.layer.out_shape.height
        for rank, size in enumerate(_group_sizes(self.layer)):
            fewest = self.fewest_bands(size)
            if fewest is None:
                continue
            groupings, bandings = [_split(channels, ceil_div(channels, size))], [fewest]
            if more and (whole := _whole(channels, size)) not in groupings:
                groupings.append(whole)
            if more and rank < _LARGE and self.layer.op is not Op.SOFTMAX:
                bandings += [_split(height, n) for k in (2, 4) if (n := k * len(fewest)) <= height]
            for groups, bands in product(groupings, bandings):
                yield _Plan(bands, groups, groups_outside=True)
                yield _Plan(bands, groups, groups_outside=False)

    def rank(self, plan: _Plan) -> tuple[int, int, int, bool]:
        """What is better is smaller."""
        groups = len(plan.groups)
        return (self.loaded_bytes(plan), len(plan.bands) * groups, groups, not plan.groups_outside)

    def tile(self, band: _Part, channels: int) -> Tile:
        """A tile by itself, all that it needs to be loaded."""
        weight_bytes = self.weight_bytes(_Part(0, channels))
        return self._tile(band.size, channels, weight_bytes, self.input_bytes(band, channels))

    def _tile(
        self, rows: int, channels: int, weight_bytes: int, input_bytes: int, new_weights: bool = True, stored: int = 0
    ) -> Tile:
        layer, out = self.layer, self.layer.out_shape
        work = rows * out.width * channels
        return Tile(
            weight_bytes=weight_bytes,
            input_bytes=(input_bytes,) * len(layer.reads),
            # Packed over the whole layer: what a tile leaves of a shared byte is the next tile's.
            output_bytes=packed_bytes(stored + work, layer.activation_bits)
            - packed_bytes(stored, layer.activation_bits),
            macs=work * layer.weights_per_channel,
            elements=layer.elements * work // out.elements,
            out_rows=rows,
            out_width=out.width,
            out_channels=channels,
            in_channels=self.in_channels(channels),
            kernel=layer.kernel,
            new_weights=new_weights,
        )

    def loaded_bytes(self, plan: _Plan) -> int:
        """Bytes of weights and inputs that a plan loads (its outputs are the same for every plan)."""
        bands, groups = len(plan.bands), len(plan.groups)
        weights = self.weight_bytes(_Part(0, self.layer.out_shape.channels))  # what groups add up to
        if not plan.groups_outside and groups > 1:
            weights *= bands
        if self.shares_input:
            inputs = sum(self.input_bytes(band, 0) for band in plan.bands)
            return weights + inputs * (groups if plan.groups_outside and bands > 1 else 1)
        largest = plan.groups[0].size
        many = sum(group.size == largest for group in plan.groups)
        inputs = sum(
            many * self.input_bytes(band, largest) + (groups - many) * self.input_bytes(band, plan.groups[-1].size)
            for band in plan.bands
        )
        return weights + len(self.layer.reads) * inputs

    def tiles(self, plan: _Plan) -> tuple[Tile, ...]:
        """The tiles of a plan; equal ones are one object."""
        layer = self.layer
        known: dict[Tile, Tile] = {}
        tiles: list[Tile] = []
        held_band = held_group = None
        stored = 0
        for band, group in plan:
            keeps_input = band == held_band and (self.shares_input or group == held_group)
            is_new = group != held_group
            weight_bytes = self.weight_bytes(group) if is_new else 0
            in_bytes = 0 if keeps_input else self.input_bytes(band, group.size)
            tile = self._tile(band.size, group.size, weight_bytes, in_bytes, is_new, stored)
            tiles.append(known.setdefault(tile, tile))
            held_band, held_group = band, group
            stored += band.size * layer.out_shape.width * group.size
        return tuple(tiles)

    def in_channels(self, channels: int) -> int:
        """Inputs behind one output position: a linear layer reads its input as one flat vector."""
        if self.layer.op is Op.LINEAR:
            return self.layer.in_shapes[0].elements
        return self.layer.in_shapes[0].channels if self.shares_input else channels


class _Clock:
    """How long plans take, in integers: parts of a cycle, as many as make moving a byte take a whole number of them."""

    def __init__(self, cut: _Cut, pace: Pace) -> None:
        self._cut, self._pace = cut, pace
        per_byte = pace.cycles_per_byte
        self._a_byte, self._a_cycle = per_byte.numerator, per_byte.denominator
        self._cycles: dict[tuple[int, int, int], int] = {}  # plans share most of their tiles

    def time(self, plan: _Plan) -> int:
        """About what a plan takes: the longer of computing and moving, the first load and the last store beside."""
        cut = self._cut
        bands = Counter(band.size for band in plan.bands)
        first = {band.size: band for band in reversed(plan.bands)}
        groups = Counter(group.size for group in plan.groups)
        tiles = sum(
            bands[rows] * groups[channels] * self._tile_cycles(first[rows], channels)
            for rows, channels in product(bands, groups)
        )
        computing = self._a_cycle * (self._pace.layer_setup + tiles)
        moving = self._a_byte * (cut.loaded_bytes(plan) + cut.layer.out_bytes)
        if cut.buffers == 1:
            return computing + moving
        channels = plan.groups[0].size
        loaded = cut.weight_bytes(_Part(0, channels)) + len(cut.layer.reads) * cut.input_bytes(plan.bands[0], channels)
        stored = cut.output_bytes(plan.bands[-1], plan.groups[-1].size)
        return max(computing, moving) + self._a_byte * (loaded + stored)

    def _tile_cycles(self, band: _Part, channels: int) -> int:
        layer = self._cut.layer
        key = (band.size, layer.input_rows(*band), channels)  # all that a tile by itself depends on
        cycles = self._cycles.get(key)
        if cycles is None:
            cycles = self._cycles[key] = self._pace.tile_cycles(layer, self._cut.tile(band, channels))
        return cycles


def _most_rows(first: int, limit: int, fits: Callable[[_Part], bool]) -> int:
    """Most rows from row ``first``, up to ``limit``, that fit; 0 if not even one does."""
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(_Part(first, middle)) else (low, middle - 1)
    return low
