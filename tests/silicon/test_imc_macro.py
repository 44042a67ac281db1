"""An in-memory macro in 7 nm as an imc: Sinangil et al., JSSC 56(1), 2021 (doi 10.1109/JSSC.2020.3031290), abstract.

1024 products of 4 b x 4 b at once, inputs as pulses in one access of 5.5 ns, weights in four columns of binary weight
joined before one 4-bit flash converter; 372.4 GOPS and 351 TOPS/W. 64 rows and 16 outputs are the 64 x 64 cells of that
many products.
"""

from __future__ import annotations

from typing import Any

import pytest

from tlm3d.blocks.imc import Imc
from tlm3d.cnn.layers import Op
from tlm3d.cnn.network import LayerRow, build_network
from tlm3d.cnn.tiling import tile_layer

GOPS, TOPS_PER_W, ACCESS_NS = 372.4, 351, 5.5
# 64 inputs, 16 outputs, 4096 pixels: all cells at work.
(FULL,) = build_network("net", (64, 64, 64), [LayerRow("one", Op.CONV, channels=16, kernel=(1, 1))]).layers


def macro(**keys: Any) -> Imc:
    """Columns of a weight are joined before the converter, so that one column of the model is a weight."""
    return Imc.model_validate(
        {"kind": "imc", "array": ["64", "16"], "clock": "1 GHz", "local": "1 GiB", "pass_time": f"{ACCESS_NS} ns",
         "bits": {"input": "4", "weight": "4"}, "adc": {"bits": "4"}, **keys}
    )  # fmt: skip


def cost(block: Imc) -> tuple[int, int]:
    (tile,) = tile_layer(FULL, block.local_bytes)
    return block.cost(FULL, tile)


def test_the_throughput_is_that_of_all_cells_every_access() -> None:
    cycles, _ = cost(macro())
    assert 2 * FULL.macs / cycles == pytest.approx(GOPS, rel=0.03)


def test_bits_one_after_the_other_would_take_that_many_accesses() -> None:
    assert cost(macro(bits={"input": "4", "weight": "4", "dac": "1"}))[0] == 4 * cost(macro())[0]


def test_the_converters_at_the_envelope_spend_less_than_the_whole_macro_and_most_of_it() -> None:
    published_aj = 2 * FULL.macs / TOPS_PER_W * 10**6
    _, converters_aj = cost(macro(adc={"bits": "4", "multiple": "1"}))
    assert 0.5 * published_aj < converters_aj < published_aj


def test_four_bits_of_fourteen_are_converted() -> None:
    facts = {fact.key: fact.value for fact in macro().layer_facts(FULL)}
    assert (facts["rows"], facts["columns"], facts["bits_needed"]) == (64, 16, 14)
    assert facts["effective_bits"] < 4
