"""An analog array worked by hand: passes, turns of converters, rows written, energy, and what is left of a sum."""

from __future__ import annotations

from fractions import Fraction
from math import log2
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlm3d.blocks.imc import Imc
from tlm3d.cnn.layers import Layer, Op
from tlm3d.cnn.network import LayerRow, build_network
from tlm3d.cnn.tiling import Tile, TileError, tile_layer
from tlm3d.technology.accumulation import bits_needed, effective_bits
from tlm3d.technology.adc import envelope_aj

FJ = 1000  # aJ


def imc(rows: int = 64, columns: int = 32, **keys: Any) -> Imc:
    """1 GHz and passes of 10 ns: 10 cycles a pass."""
    return Imc.model_validate(
        {"kind": "imc", "array": [str(rows), str(columns)], "clock": "1 GHz", "local": "1 MiB", "pass_time": "10 ns",
         "bits": {"input": "4", "weight": "1"}, "adc": {"bits": "6"}, **keys}
    )  # fmt: skip


def layer(op: Op = Op.CONV, shape: tuple[int, int, int] = (4, 6, 5), **keys: Any) -> Layer:
    bias = None if op is Op.POOL else False
    (found,) = build_network("net", shape, [LayerRow("one", op, bias=bias, **keys)]).layers
    return found


def tiles(one: Layer, local_bytes: int = 10**6) -> tuple[Tile, ...]:
    return tile_layer(one, local_bytes)


def cycles(block: Imc, one: Layer, local_bytes: int = 10**6) -> list[int]:
    return [block.cost(one, tile).cycles for tile in tiles(one, local_bytes)]


CONV = layer(channels=8, kernel=(3, 3))  # 24 pixels, 45 weights an output


# ------------------------------------------------------------------ passes


@pytest.mark.parametrize(
    ("one", "keys", "passes"),
    [
        (CONV, {}, 24),
        (CONV, {"channels": "5"}, 24),
        (CONV, {"channels": "2"}, 24 * 3),  # 2, 2 and 1 input channels
        (CONV, {"array": ["20", "32"]}, 24 * 3),  # 45 rows on 20
        (layer(channels=33, kernel=(1, 1)), {}, 24 * 2),  # 32 and 1 outputs
        (CONV, {"bits": {"input": "4", "weight": "4", "cell": "1"}}, 24),  # 8 outputs of 4 columns
        (CONV, {"bits": {"input": "4", "weight": "4", "cell": "1", "pairs": "true"}}, 24 * 2),  # 4 outputs of 8 columns
        (CONV, {"bits": {"input": "4", "weight": "1.5", "cell": "1"}}, 24),  # 1.5 bits are two cells
        (CONV, {"bits": {"input": "7", "weight": "1", "dac": "2"}}, 24 * 4),  # 2 + 2 + 2 + 1 bits
        (layer(Op.LINEAR, channels=40), {}, 2 * 2),  # 120 inputs on 64 rows, 40 outputs on 32 columns
        (layer(Op.DEPTHWISE, kernel=(3, 3)), {"depthwise": "true"}, 24),  # 7 channels of 9 rows; there are 5
        (layer(Op.DEPTHWISE, kernel=(3, 3)), {"depthwise": "true", "array": ["20", "32"]}, 24 * 3),  # 2 channels of 9
    ],
)
def test_passes_are_row_groups_times_output_groups_times_pixels(one: Layer, keys: dict[str, Any], passes: int) -> None:
    block = imc(**keys)
    assert cycles(block, one) == [10 * passes]
    assert next(fact.value for fact in block.layer_facts(one) if fact.key == "passes") == passes


@pytest.mark.parametrize(
    ("one", "unroll", "passes"),
    [
        # 15 rows a column of the window: 3 columns of inputs give 1 pixel, 4 give 2; a third pixel would be 75 rows.
        (CONV, {"pixels": "8"}, 24 // 2),
        (CONV, {"pixels": "1"}, 24),
        (CONV, {"pixels": "8", "channels": "6"}, 24),  # 18 rows a column: 72
        (layer(channels=17, kernel=(3, 3)), {"pixels": "8"}, 24),  # 34 columns
        (layer(channels=4, kernel=(1, 1)), {"pixels": "8"}, 4 * 1),  # rows of 6 pixels: one pass each
        (layer(channels=4, kernel=(1, 1)), {"pixels": "4"}, 4 * 2),  # 4 pixels, then 2
        # Two rows of three pixels two apart: 15 rows a column, 3 + 2 of them are 75 rows; 3 + 1 would be 60.
        (layer(channels=8, kernel=(3, 3), stride=(2, 2)), {"pixels": "8"}, 6),
        (layer(channels=8, kernel=(3, 3), stride=(2, 2)), {"pixels": "8", "strided": "false"}, 2 * 2),
        # Pixels that a stride skips take no rows: 8 of 5 inputs.
        (layer(shape=(4, 16, 5), channels=4, kernel=(1, 1), stride=(2, 2)), {"pixels": "8"}, 2),
    ],
)  # fmt: skip
def test_a_small_layer_does_neighbouring_pixels_at_once(one: Layer, unroll: dict[str, str], passes: int) -> None:
    assert cycles(imc(unroll=unroll), one) == [10 * passes]


def test_a_layer_of_one_pixel_is_not_unrolled() -> None:
    one = layer(Op.LINEAR, shape=(1, 1, 8), channels=4)
    (tile,) = tiles(one)
    block = imc(unroll={"pixels": "8"}, energy={"conversion": "1 fJ"})
    assert block.cost(one, tile).energy_aj == 4 * FJ


def test_a_pass_need_not_last_whole_cycles_but_a_tile_does() -> None:
    assert cycles(imc(pass_time="10.3 ns"), CONV) == [248]  # 24 · 10.3 = 247.2
    assert cycles(imc(pass_time="10.3 ns", tile_setup="5"), CONV) == [253]


def test_columns_take_turns_at_shared_converters() -> None:
    adc = {"bits": "6", "converters": "4", "time": "2 ns"}
    assert cycles(imc(adc=adc), CONV) == [24 * (10 + 2 * 2)]  # 8 columns, 4 at a time
    wide = layer(channels=37, kernel=(1, 1))
    assert cycles(imc(adc=adc), wide) == [24 * (2 * 10 + (8 + 2) * 2)]  # 32 columns, then 5
    paired = {"input": "4", "weight": "2", "cell": "1", "pairs": "true"}  # 4 columns a weight, 2 conversions
    assert cycles(imc(adc=adc, bits=paired), CONV) == [24 * (10 + 4 * 2)]
    assert cycles(imc(adc={"bits": "6", "time": "2 ns"}), CONV) == [24 * 12]  # one a column


# ------------------------------------------------------------------ weights


def test_weights_are_written_before_the_passes_a_row_at_a_time() -> None:
    assert cycles(imc(row_write="8"), CONV) == [8 * 45 + 240]
    assert cycles(imc(row_write="8"), layer(channels=33, kernel=(1, 1))) == [8 * 5 * 2 + 480]  # two groups of outputs
    assert cycles(imc(row_write="8", array=["20", "32"]), CONV) == [8 * 45 + 720]  # three groups of rows
    diagonal = layer(Op.DEPTHWISE, kernel=(3, 3))
    assert cycles(imc(row_write="8", depthwise="true"), diagonal) == [8 * 45 + 240]
    assert cycles(imc(row_write="8", depthwise="true", array=["20", "32"]), diagonal) == [8 * 45 + 720]  # no row twice


def test_weights_that_fit_stay_for_the_next_band_of_rows_and_others_are_written_anew() -> None:
    # One output and 12 x 5 x 4 inputs in two bands: 36 weights.
    one = layer(shape=(12, 5, 4), channels=1, kernel=(3, 3), padding="valid")
    assert cycles(imc(row_write="8"), one, 382) == [8 * 36 + 150, 150]
    assert cycles(imc(row_write="8", array=["20", "32"]), one, 382) == [8 * 36 + 300] * 2


def test_weights_resident_beside_the_array_still_have_to_be_written() -> None:
    one = layer(shape=(12, 5, 4), channels=1, kernel=(3, 3), padding="valid")
    block = imc(row_write="8")
    found = tile_layer(one, 310, weights_resident=True)
    assert [tile.weight_bytes for tile in found] == [0, 0]
    assert [block.cost(one, tile).cycles for tile in found] == [8 * 36 + 150, 150]


# ------------------------------------------------------------------ energy


@pytest.mark.parametrize(
    ("keys", "aj"),
    [
        ({"energy": {"pass": "3 fJ"}}, 24 * 3 * FJ),
        ({"energy": {"row": "3 fJ"}}, 24 * 45 * 3 * FJ),
        ({"energy": {"column": "3 fJ"}}, 24 * 8 * 3 * FJ),
        ({"energy": {"conversion": "3 fJ/conversion"}}, 24 * 8 * 3 * FJ),
        ({"energy": {"output": "3 fJ"}}, 24 * 8 * 3 * FJ),
        ({"energy": {"mac": "3 fJ/MAC"}}, 24 * 8 * 45 * 3 * FJ),
        ({"energy": {"cycle": "3 fJ"}}, 240 * 3 * FJ),
        # Rows in three groups: every group sums and converts its columns; the outputs are what they were.
        ({"array": ["20", "32"], "energy": {"pass": "3 fJ"}}, 72 * 3 * FJ),
        ({"array": ["20", "32"], "energy": {"row": "3 fJ"}}, 24 * 45 * 3 * FJ),
        ({"array": ["20", "32"], "energy": {"conversion": "3 fJ"}}, 72 * 8 * 3 * FJ),
        ({"array": ["20", "32"], "energy": {"output": "3 fJ"}}, 24 * 8 * 3 * FJ),
        # Outputs in two groups of 4: rows are driven for each.
        ({"array": ["64", "4"], "energy": {"row": "3 fJ"}}, 48 * 45 * 3 * FJ),
        # Pairs of two slices: four columns, two conversions. Four bits in two steps: all of it twice.
        ({"bits": {"input": "4", "weight": "2", "cell": "1", "pairs": "true"}, "energy": {"column": "3 fJ"}},
         24 * 8 * 4 * 3 * FJ),
        ({"bits": {"input": "4", "weight": "2", "cell": "1", "pairs": "true"}, "energy": {"conversion": "3 fJ"}},
         24 * 8 * 2 * 3 * FJ),
        ({"bits": {"input": "4", "weight": "1", "dac": "2"}, "energy": {"row": "3 fJ"}}, 48 * 45 * 3 * FJ),
        # Two pixels a pass share two of three columns of inputs.
        ({"unroll": {"pixels": "2"}, "energy": {"row": "3 fJ"}}, 12 * 60 * 3 * FJ),
        ({"unroll": {"pixels": "2"}, "energy": {"conversion": "3 fJ"}}, 12 * 16 * 3 * FJ),
        # 6 effective bits at 10 times the envelope: 10 · (267 000 + 0.145 · 4096) aJ.
        ({"adc": {"bits": "6", "multiple": "10"}}, 24 * 8 * 2_675_939 + 38),  # .2 aJ a conversion
        ({"adc": {"bits": "8", "enob": "6", "multiple": "10"}}, 24 * 8 * 2_675_939 + 38),
    ],
)  # fmt: skip
def test_energy_is_that_of_what_happens(keys: dict[str, Any], aj: int) -> None:
    (tile,) = tiles(CONV)
    assert imc(**keys).cost(CONV, tile).energy_aj == aj


def test_the_energy_of_a_tile_is_rounded_once() -> None:
    (tile,) = tiles(CONV)
    # 240 · 0.002 aJ and 192 · 0.0025 aJ: 0.96 aJ, each half less than half an aJ.
    block = imc(energy={"cycle": "0.002 aJ", "conversion": "0.0025 aJ"})
    assert block.cost(CONV, tile).energy_aj == 1


def test_on_the_diagonal_every_channel_drives_rows_of_its_own() -> None:
    one = layer(Op.DEPTHWISE, kernel=(3, 3))
    (tile,) = tiles(one)
    block = imc(depthwise="true", array=["20", "32"], energy={"row": "1 fJ"})
    assert block.cost(one, tile).energy_aj == 24 * 5 * 9 * FJ
    assert {fact.key: fact.value for fact in block.layer_facts(one)} | {"rows": 18, "columns": 2} == {
        fact.key: fact.value for fact in block.layer_facts(one)
    }


def test_the_vector_unit_pools_and_adds_where_there_is_one() -> None:
    one = layer(Op.POOL, shape=(4, 6, 4), kernel=(2, 2), stride=(2, 2))  # 96 elements
    assert not imc().supports("pool")
    assert not imc().supports("depthwise")
    assert cycles(imc(elements_per_cycle="5", tile_setup="7"), one) == [7 + 20]
    assert imc(elements_per_cycle="5").layer_facts(one) == ()


# ------------------------------------------------------------------ accuracy


def test_a_sum_of_products_needs_the_bits_of_both_and_of_their_number() -> None:
    assert bits_needed(7, 1.5, 1024) == 18.5
    assert bits_needed(1, 1, 1) == 2


def test_a_converter_with_enough_bits_loses_nothing_and_a_smaller_one_does() -> None:
    assert effective_bits(18.5, 18.5, 1024) == 18.5
    # R = 4^10 / (3 · 64): 37.4 dB, less 1.76 dB, 6.02 dB a bit.
    assert effective_bits(10, 18, 64) == pytest.approx((37.374 - 1.761) / 6.0206, abs=1e-3)
    assert effective_bits(6, 18, 1024) == 0
    # ± 4 standard deviations: R = 3 · 4^10 / 16, whatever their number.
    assert effective_bits(10, 18, 64, 4) == effective_bits(10, 22, 1024, 4) == 8.5


def test_noise_of_quantised_sums_is_what_the_formula_says() -> None:
    """All sums of 6 products of 3-bit values, through a converter of 4 bits over their full range."""
    values = [2 * i - 7 for i in range(8)]  # uniform, ± 7
    products: dict[int, int] = {}
    for x in values:
        for w in values:
            products[x * w] = products.get(x * w, 0) + 1
    sums = {0: 1}
    for _ in range(6):
        grown: dict[int, int] = {}
        for total, ways in sums.items():
            for product, count in products.items():
                grown[total + product] = grown.get(total + product, 0) + ways * count
        sums = grown
    # ± 8 is where a uniform density that these eight values stand for ends.
    step = 2 * 6 * 8 * 8 / 2**4
    everything = sum(sums.values())
    signal = sum(ways * total**2 for total, ways in sums.items()) / everything
    noise = sum(ways * (round(total / step) * step - total) ** 2 for total, ways in sums.items()) / everything
    measured = (log2(signal / noise) - log2(1.5)) / 2
    assert measured == pytest.approx(effective_bits(4, 99, 6), abs=0.1)


@given(
    st.integers(1, 20), st.integers(1, 4096), st.integers(1, 8), st.integers(1, 8), st.none() | st.integers(1, 8)
)  # fmt: skip
def test_more_converter_bits_never_keep_less_and_never_more_than_there_is(
    bits: int, products: int, inputs: int, weights: int, sigmas: int | None
) -> None:
    needed = bits_needed(inputs, weights, products)
    fewer, more = (effective_bits(b, needed, products, sigmas) for b in (bits, bits + 1))
    assert 0 <= fewer <= more <= needed


def test_accuracy_is_that_of_a_conversion_of_the_rows_in_use() -> None:
    def shown(block: Imc) -> tuple[float, float]:
        facts = {fact.key: fact.value for fact in block.layer_facts(CONV)}
        return facts["bits_needed"], facts["effective_bits"]

    assert shown(imc(adc={"bits": "12"})) == (round(5 + log2(45), 2), round(5 + log2(45), 2))
    kept = 6 - log2(4.5 * 45) / 2
    assert shown(imc()) == (round(5 + log2(45), 2), round(kept, 2))
    assert shown(imc(array=["20", "32"]))[0] == round(5 + log2(15), 2)  # three groups of 15 rows
    assert shown(imc(bits={"input": "4", "weight": "4", "dac": "1", "cell": "1"}))[0] == round(2 + log2(45), 2)
    assert shown(imc(adc={"bits": "6", "enob": "5"}))[1] == round(kept - 1, 2)
    assert shown(imc(adc={"bits": "6", "sigmas": "4"}))[1] == 4.5
    assert {fact.key: fact.value for fact in imc().facts()} == {
        "peak_tops": 0.4096, "adc_bits": 6, "bits_needed": 11.0, "effective_bits": round(6 - log2(4.5 * 64) / 2, 2)
    }  # fmt: skip


# ------------------------------------------------------------------ laws


@given(
    st.integers(1, 40), st.integers(1, 40), st.sampled_from([(1, 1), (3, 3), (5, 5)]),
    st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 2]), st.sampled_from([1, 2, 4, 8]),
)  # fmt: skip
def test_no_pass_does_more_than_its_cells(
    ins: int, outs: int, kernel: tuple[int, int], height: int, width: int, stride: int, pixels: int
) -> None:
    one = layer(shape=(height, width, ins), channels=outs, kernel=kernel, stride=(stride, stride))
    block = imc(unroll={"pixels": str(pixels)})
    facts = {fact.key: fact.value for fact in block.layer_facts(one)}
    assert one.macs <= facts["passes"] * 64 * 32
    assert facts["rows"] <= 64
    assert facts["columns"] <= 32
    assert cycles(block, one) == [10 * facts["passes"]]
    assert cycles(block, one) <= cycles(imc(), one)  # unrolling never takes longer


@given(
    st.integers(1, 20), st.integers(1, 40), st.integers(1, 12), st.sampled_from([Op.CONV, Op.DEPTHWISE]),
    st.sampled_from([1, 3]), st.integers(1, 3),
)  # fmt: skip
def test_a_layer_never_gets_faster_or_cheaper_by_being_cut(
    ins: int, outs: int, height: int, op: Op, kernel: int, share: int
) -> None:
    keys = {"channels": outs} if op is Op.CONV else {}
    one = layer(op, shape=(height, 7, ins), kernel=(kernel, kernel), **keys)
    # One converter: of several, even groups of outputs may take fewer turns than a full one and what is left over.
    block = imc(
        row_write="3", depthwise="true", unroll={"pixels": "8"}, adc={"bits": "6", "converters": "1", "time": "1.3 ns"},
        energy={"pass": "7 fJ", "row": "1 fJ", "column": "2 fJ", "conversion": "3 fJ", "output": "1 fJ"},
    )  # fmt: skip
    (whole,) = (block.cost(one, tile) for tile in tiles(one))
    smallest = 2 * (one.in_bytes + one.out_bytes + one.weight_bytes)
    try:
        pieces = [block.cost(one, tile) for tile in tiles(one, smallest // (share + 1))]
    except TileError:
        return
    assert sum(piece.cycles for piece in pieces) >= whole.cycles
    assert sum(piece.energy_aj for piece in pieces) >= whole.energy_aj


def test_a_cut_that_suits_the_converters_can_save_turns() -> None:
    one = layer(Op.DEPTHWISE, shape=(1, 7, 15), kernel=(3, 3))
    block = imc(depthwise="true", adc={"bits": "6", "converters": "5", "time": "1.3 ns"})
    # 64 rows take 7 channels of 9 taps: passes of 7, 7, 1 channels, which 5 converters read in 2, 2, 1 turns
    assert cycles(block, one) == [256]  # 7 pixels: 210 + 45.5
    third = layer(Op.DEPTHWISE, shape=(1, 7, 5), kernel=(3, 3))
    assert cycles(block, third) == [80]  # 70 + 9.1, three times less than 256


def test_the_peak_counts_repeats_and_turns() -> None:
    serial = imc(bits={"input": "4", "weight": "2", "cell": "1", "dac": "1"}, adc={
        "bits": "6", "converters": "8", "time": "2.5 ns"
    })  # fmt: skip
    (peak, *_) = serial.facts()
    assert peak.value == round(2 * 64 * 16 / (4 * (10_000 + 4 * 2500)), 6)


def test_the_envelope_is_a_floor_and_thermal_noise() -> None:
    assert envelope_aj(Fraction(0), Fraction(1)) == Fraction("267000.145")
    assert envelope_aj(Fraction(13, 2), Fraction(2)) == 2 * (267_000 + Fraction("0.145") * 8192)
    assert float(envelope_aj(Fraction("9.3"), Fraction(1))) == pytest.approx(267_000 + 0.145 * 4**9.3)
