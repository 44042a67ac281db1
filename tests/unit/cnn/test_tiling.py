"""Tilings: hand-worked ones, what is true of all of them, and the best of them found by trying everything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import combinations, pairwise, product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tlm3d.cnn.layers import Layer, Op, Padding, Shape
from tlm3d.cnn.network import LayerRow, build_network
from tlm3d.cnn.tiling import Tile, TileError, tile_layer
from tlm3d.units import ceil_div


def one_layer(shape: tuple[int, int, int], row: LayerRow, activation_bits: int = 8) -> Layer:
    """The layer of ``row``; an add reads the input twice."""
    return build_network("one", shape, [row], activation_bits).layers[0]


def moved(tiles: Iterable[Tile]) -> int:
    return sum(tile.weight_bytes + sum(tile.input_bytes) + tile.output_bytes for tile in tiles)


# ---------------------------------------------------------------- by hand

# 8 rows of 4 in 2 channels to 4 channels, 3x3: 18 weights and 4 bytes of bias a channel.
SMALL = one_layer((8, 4, 2), LayerRow("small", Op.CONV, channels=4, kernel=(3, 3)))


class Machine:
    """A machine that takes ``start`` cycles a tile, and ``fold`` for each row of outputs of ``columns`` channels."""

    def __init__(self, fold: int, columns: int, start: int, cycles_per_byte: int, layer_setup: int = 0) -> None:
        self.fold, self.columns, self.start, self.layer_setup = fold, columns, start, layer_setup
        self.cycles_per_byte = Fraction(cycles_per_byte)

    def tile_cycles(self, layer: Layer, tile: Tile) -> int:
        return self.start + self.fold * tile.out_rows * ceil_div(tile.out_channels, self.columns)


def test_a_layer_that_fits_is_cut_into_bands_where_its_first_load_overlaps_with_nothing() -> None:
    # Inputs 2048, weights 256, outputs 8 B, to compute 2048. Whole 2312 + 2312; in two bands 2312 + 256 + 1024 + 4; in
    # four 2312 + 256 + 512 + 2.
    layer = one_layer((8, 1, 256), LayerRow("one", Op.CONV, channels=1, bias=False))
    tiles = tile_layer(layer, 10**6, pace=Machine(256, 1, 0, 1))
    assert [tile.out_rows for tile in tiles] == [2, 2, 2, 2]
    assert len(tile_layer(layer, 10**6, pace=Machine(256, 1, 0, 0))) == 1
    assert len(tile_layer(layer, 10**6)) == 1


def test_the_setup_of_a_layer_hides_moving_too() -> None:
    # A cycle a byte moves 2312 B, to compute 64 cycles and 600 a tile. Four bands: 2464 + 770; two: 2312 + 1284. With
    # 2248 of set-up 4712 + 770 and 3512 + 1284, whole 2912 + 2312.
    layer = one_layer((8, 1, 256), LayerRow("one", Op.CONV, channels=1, bias=False))
    counts = [len(tile_layer(layer, 10**6, pace=Machine(8, 1, 600, 1, setup))) for setup in (0, 2248)]
    assert counts == [4, 2]


def test_groups_of_one_size_leave_the_rest_to_the_last_where_that_takes_less() -> None:
    # Half of them do not fit twice. 34, 33, 33 take 6 folds in 3 tiles; four of 25 take 4; 34, 34, 32 take 5 in 3.
    layer = one_layer((1, 1, 16), LayerRow("one", Op.LINEAR, channels=100, bias=False))
    tiles = tile_layer(layer, 1200, pace=Machine(100, 32, 200, 0))
    assert [tile.out_channels for tile in tiles] == [34, 34, 32]
    assert [tile.out_channels for tile in tile_layer(layer, 1200)] == [34, 33, 33]


def test_a_layer_that_fits_is_one_tile() -> None:
    # inputs 64, weights 4·(18 + 4) = 88, outputs 128: 280 B, twice.
    (tile,) = tile_layer(SMALL, 560)
    assert tile == Tile(
        weight_bytes=88, input_bytes=(64,), output_bytes=128, macs=2304, elements=0,
        out_rows=8, out_width=4, out_channels=4, in_channels=2, kernel=(3, 3),
    )  # fmt: skip


def test_the_second_buffer_counts() -> None:
    assert len(tile_layer(SMALL, 559)) == 2


def test_groups_keep_the_input_where_halving_rows_would_reread_the_halo() -> None:
    # One byte short of a single tile. Two groups of 2 load the input once; two bands would load 2 rows of 8 B again.
    first, second = tile_layer(SMALL, 559)
    assert (first.input_bytes, second.input_bytes) == ((64,), (0,))
    assert (first.weight_bytes, second.weight_bytes) == (44, 44)


def test_bands_keep_the_weights_and_reread_the_halo() -> None:
    # One output channel leaves only bands. Weights 22; four rows out: 16 + five rows in: 40 → 78 B, twice 156.
    layer = one_layer((8, 4, 2), LayerRow("thin", Op.CONV, channels=1, kernel=(3, 3)))
    first, second = tile_layer(layer, 156)
    assert (first.weight_bytes, second.weight_bytes) == (22, 0)
    assert (first.input_bytes, second.input_bytes) == ((40,), (40,))
    assert (first.out_rows, second.out_rows) == (4, 4)


def test_bands_are_as_equal_as_possible() -> None:
    # 10 rows where at most 4 fit: 4, 3, 3 and not 4, 4, 2.
    layer = one_layer((10, 8, 1), LayerRow("add", Op.ADD, reads=("input", "input")))
    assert [tile.out_rows for tile in tile_layer(layer, 2 * 3 * 4 * 8)] == [4, 3, 3]


def test_an_elementwise_layer_moves_each_element_once_however_it_is_cut() -> None:
    layer = one_layer((10, 8, 6), LayerRow("add", Op.ADD, reads=("input", "input")))
    assert moved(tile_layer(layer, 100)) == 3 * 480


def test_resident_weights_take_no_room_and_are_not_loaded() -> None:
    (tile,) = tile_layer(SMALL, 384, weights_resident=True)
    assert (tile.weight_bytes, tile.input_bytes, tile.output_bytes) == (0, (64,), 128)
    assert len(tile_layer(SMALL, 384)) > 1


def test_a_linear_layer_is_cut_into_output_channels_and_keeps_its_input() -> None:
    # DroNet's last layer with half the room: 6272 + 6276 + 1 B a channel.
    layer = one_layer((7, 7, 128), LayerRow("fc", Op.LINEAR, channels=2))
    first, second = tile_layer(layer, 2 * 12549)
    assert (first.input_bytes, second.input_bytes) == ((6272,), (0,))
    assert (first.in_channels, first.out_channels, first.macs) == (6272, 1, 6272)


def test_a_softmax_is_not_cut() -> None:
    layer = one_layer((1, 1, 10), LayerRow("soft", Op.SOFTMAX))
    assert [tile.elements for tile in tile_layer(layer, 40)] == [10]
    with pytest.raises(TileError) as caught:
        tile_layer(layer, 39)
    assert (caught.value.needed_bytes, caught.value.local_bytes) == (40, 39)


def test_a_layer_that_cannot_fit_says_by_how_much() -> None:
    # One row of one channel: three rows in 24, weights 22, out 4: 50 B.
    with pytest.raises(TileError) as caught:
        tile_layer(SMALL, 80)
    assert str(caught.value) == (
        "layer small: its smallest tile needs 2 x 50 B = 100 B of local memory, 20 B more than the 80 B there are"
    )


def test_stores_of_narrow_values_add_up_to_the_packed_output() -> None:
    # 5 channels of 3 bits are two bytes; one tile a channel must not store five.
    layer = one_layer((1, 1, 40), LayerRow("fc", Op.LINEAR, channels=5), activation_bits=3)
    tiles = tile_layer(layer, 2 * (15 + 44 + 1))
    assert [tile.output_bytes for tile in tiles] == [1, 0, 1, 0, 0]


# ---------------------------------------------------------------- laws


@st.composite
def layers(draw: st.DrawFn, bits: tuple[int, ...] = (2, 4, 8, 10, 16), most: int = 9, kernels: int = 5) -> Layer:
    op = draw(st.sampled_from(list(Op)))
    height, width, channels, out = (draw(st.integers(1, most)) for _ in range(4))
    if op is Op.SOFTMAX:
        row = LayerRow("layer", op)
    elif op is Op.ADD:
        row = LayerRow("layer", op, reads=("input",) * draw(st.integers(2, 3)))
    elif op is Op.LINEAR:
        row = LayerRow("layer", op, channels=out, weight_bits=draw(st.sampled_from(bits)))
    else:
        kernel = draw(st.integers(1, kernels)), draw(st.integers(1, kernels))
        stride = draw(st.integers(1, 4)), draw(st.integers(1, 4))
        padding = "same" if kernel[0] > height or kernel[1] > width else draw(st.sampled_from(["same", "valid"]))
        row = LayerRow(
            "layer", op, kernel=kernel, stride=stride, padding="same" if padding == "same" else "valid",
            channels=out if op is Op.CONV else None,
            weight_bits=None if op is Op.POOL else draw(st.sampled_from(bits)),
            bias=None if op is Op.POOL else draw(st.booleans()),
        )  # fmt: skip
    return one_layer((height, width, channels), row, draw(st.sampled_from(bits)))


def needed_bytes(layer: Layer, resident: bool) -> int:
    """What the error says for a memory of no bytes."""
    with pytest.raises(TileError) as caught:
        tile_layer(layer, 0, resident)
    return caught.value.needed_bytes


def part_bytes(layer: Layer, first: int, rows: int, channels: int, resident: bool) -> tuple[int, int, int]:
    """Inputs (all reads), weights and outputs of rows × channels; counted apart from the code under test."""
    shape, bits = layer.in_shapes[0], layer.activation_bits
    deep = shape.channels if layer.op in (Op.CONV, Op.LINEAR) else channels
    inputs = len(layer.reads) * -(-layer.input_rows(first, rows) * shape.width * deep * bits // 8)
    weights = -(-channels * layer.weights * layer.weight_bits // layer.out_shape.channels // 8)
    biases = 4 * channels if layer.biases else 0
    outputs = -(-rows * layer.out_shape.width * channels * bits // 8)
    return inputs, 0 if resident else weights + biases, outputs


@given(layer=layers(), extra=st.integers(0, 4000), resident=st.booleans())
def test_tiles_add_up_to_their_layer(layer: Layer, extra: int, resident: bool) -> None:
    tiles = tile_layer(layer, needed_bytes(layer, resident) + extra, resident)
    assert sum(tile.macs for tile in tiles) == layer.macs
    assert sum(tile.elements for tile in tiles) == layer.elements
    assert sum(tile.output_bytes for tile in tiles) == layer.out_bytes
    assert sum(tile.out_rows * tile.out_width * tile.out_channels for tile in tiles) == layer.out_shape.elements
    if not resident:
        assert sum(tile.weight_bytes for tile in tiles) >= layer.weight_bytes


@given(layer=layers(), resident=st.booleans())
def test_the_error_is_exact_to_the_byte(layer: Layer, resident: bool) -> None:
    needed = needed_bytes(layer, resident)
    assert tile_layer(layer, needed, resident)
    with pytest.raises(TileError) as caught:
        tile_layer(layer, needed - 1, resident)
    assert (caught.value.needed_bytes, caught.value.local_bytes) == (needed, needed - 1)


@given(layer=layers(), extra=st.integers(0, 2000), resident=st.booleans())
def test_every_tile_fits_twice_with_all_it_keeps(layer: Layer, extra: int, resident: bool) -> None:
    local_bytes = needed_bytes(layer, resident) + extra
    tiles = tile_layer(layer, local_bytes, resident)
    weights, inputs = 0, 0
    for tile in tiles:
        weights = tile.weight_bytes or weights
        inputs = sum(tile.input_bytes) or inputs
        assert 2 * (weights + inputs + tile.output_bytes) <= local_bytes


@given(layer=layers(bits=(8, 16), kernels=3), extra=st.integers(0, 3000), less=st.integers(1, 3000))
def test_a_smaller_memory_never_moves_fewer_bytes(layer: Layer, extra: int, less: int) -> None:
    # Kernels up to 3: wider ones see less halo where a band ends near the padded edge, so that the traffic of equally
    # many bands depends on where they end. The number of tiles has no such law: the least traffic may take more.
    needed = needed_bytes(layer, False)
    large = needed + extra
    small = max(needed, large - less)
    assert moved(tile_layer(layer, small)) >= moved(tile_layer(layer, large))


# ---------------------------------------------------------------- the best, by trying everything


def cuts(total: int, parts: int) -> Iterator[list[tuple[int, int]]]:
    """Every way to cut ``total`` into ``parts`` pieces (first, size)."""
    for inner in combinations(range(1, total), parts - 1):
        yield [(a, b - a) for a, b in pairwise((0, *inner, total))]


def equal_cut(total: int, parts: int) -> list[tuple[int, int]]:
    ends = [-(-total * i // parts) for i in range(parts + 1)]
    return [(a, b - a) for a, b in pairwise(ends)]


def least_moved(layer: Layer, local_bytes: int) -> tuple[int, int, int]:
    """(bytes, tiles, groups) of the best tiling: every group count, every cut into the fewest bands, both orders."""
    height, _, channels = layer.out_shape
    shared = layer.op in (Op.CONV, Op.LINEAR)
    results = []
    for count in range(1, channels + 1):
        groups = equal_cut(channels, count)
        for number in range(1, height + 1):
            fitting = [
                bands
                for bands in cuts(height, number)
                if all(
                    2 * sum(part_bytes(layer, *band, group[1], False)) <= local_bytes
                    for band, group in product(bands, groups)
                )
            ]
            for bands in fitting:
                for order in ([(b, g) for g in groups for b in bands], list(product(bands, groups))):
                    total, held_band, held_group = layer.out_bytes, None, None
                    for band, group in order:
                        inputs, weights, _ = part_bytes(layer, *band, group[1], False)
                        total += 0 if group == held_group else weights
                        total += 0 if band == held_band and (shared or group == held_group) else inputs
                        held_band, held_group = band, group
                    results.append((total, len(order), count))
            if fitting:
                break
    return min(results)


@settings(max_examples=60, deadline=None)
@given(layer=layers(bits=(8,), most=5, kernels=3), extra=st.integers(0, 400))
def test_no_other_tiling_moves_fewer_bytes(layer: Layer, extra: int) -> None:
    assume(layer.op is not Op.SOFTMAX)
    local_bytes = needed_bytes(layer, False) + extra
    tiles = tile_layer(layer, local_bytes)
    groups = -(-layer.out_shape.channels // tiles[0].out_channels)
    assert (moved(tiles), len(tiles), groups) == least_moved(layer, local_bytes)


def test_uneven_bands_are_taken_where_equal_ones_would_need_one_more() -> None:
    layer = Layer(
        "edge", Op.DEPTHWISE, ("input",), (Shape(9, 10, 1),), Shape(9, 10, 1), (5, 1), (1, 1), Padding(2, 2, 0, 0)
    )
    # 9 rows of 10 B, kernel 5, padding 2, weights 9 B. A band of n rows reads n + 2 at an edge, n + 4 in the middle.
    # Room for 10 rows in and out: 4 at an edge, 3 in the middle; three equal ones do.
    assert [tile.out_rows for tile in tile_layer(layer, 2 * (9 + 100))] == [3, 3, 3]
    # Room for 6: 2 at an edge, 1 in the middle; seven equal ones would put 2 in the middle.
    assert [tile.out_rows for tile in tile_layer(layer, 2 * (9 + 60))] == [2, 1, 1, 1, 1, 1, 2]
