"""GAP9: the bit-serial engine NE16 beside a cluster of RISC-V cores; the four networks of MLPerf Tiny v1.0.

One time was fitted, what the runtime does before a layer, to keyword spotting and anomaly detection together; with a
second one, cycles an instruction of the cores, both are met, which proves nothing. Visual wake words and image
classification are predicted, as is everything at 0.8 V.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import yaml

from tlm3d.spec.network import load_network
from validation.chip import ROOT
from validation.model import inference, platform
from validation.row import IDENTITY, PREDICTED, Row, Rule

if TYPE_CHECKING:
    from tlm3d.analysis.explain import Explanation
    from tlm3d.cnn.network import Network

PUBLISHED: dict[str, Any] = yaml.safe_load((ROOT / "tests" / "silicon" / "gap9.yaml").read_text(encoding="utf-8"))[
    "mlperf"
]
SOURCE = PUBLISHED["source"]
BLOCKS = "dies.chip.blocks"
# What the SDK promotes to L1 stays there: nothing is moved but weights that do not fit beside the largest maps.
PROMOTED = (
    f"{BLOCKS}.ne16.home=l1",
    f"{BLOCKS}.cluster.home=l1",
    f"{BLOCKS}.ne16.weight_store=l2",
    f"{BLOCKS}.cluster.weight_store=l2",
    f"{BLOCKS}.ne16.weight_memory=72 KiB",  # 122 880 B beside the stacks of the cores, less 49 152 B of ResNet-8's maps
    f"{BLOCKS}.cluster.weight_memory=4 KiB",
    f"{BLOCKS}.ne16.dma.lanes=32768",
    f"{BLOCKS}.cluster.dma.lanes=32768",
)
START = (2100.0, 1.2)  # of the search for two parameters: cycles of set-up, cycles an instruction
STEP = 0.02
TOLERANCE = 0.12
ROUNDS = 6
RULES = [
    Rule("latency, one parameter for two networks", "gap9/mlperf-tiny/latency/*", "within", TOLERANCE, count=4),
    Rule("latency, two parameters for two networks", "gap9/two-parameters/*", "within", 0.02, count=2),
]
WEAK = """
What is promoted to L1 is not published: here all feature maps of such a network are, and its weights where all of them
fit, so that those of visual wake words are fetched a layer at a time. The time before a layer is one number, though a
layer on the engine, one on the cores and one without weights are prepared in different ways. Energy is a power while
the chip runs, and the products of the engine. The way from 0.65 V to 0.8 V is that of clock and voltage squared. How
long the engine's phases take is said by a published model of it: nothing was found that measures them on the chip.
"""


def rows(settings: Sequence[str] = ()) -> list[Row]:
    """Latency and energy of four networks at two operating points; and of two of them with a second parameter."""
    return [*_at("low", settings), *_at("high", settings), *_with_two_parameters(settings)]


def _at(point: str, settings: Sequence[str]) -> Iterator[Row]:
    group = "mlperf-tiny" if point == "low" else "mlperf-tiny-0.8V"
    for row in PUBLISHED["rows"]:
        ran = run(row, settings, point)
        what = f"{row['what']}, {PUBLISHED['points'][point]['voltage']}"
        alone = point == "low"  # but for the clock both points are one measurement
        ms, uj = 1e3 / row["inferences_per_s"][point], row["uj"][point]
        name = f"gap9/{group}/latency/{row['name']}"
        yield Row(name, what, "ms", ms, ran.response_ps / 1e9, PREDICTED, SOURCE, TOLERANCE, independent=alone)
        name = f"gap9/{group}/energy/{row['name']}"
        modelled_uj = (ran.energy_aj + ran.unowned_aj) / 1e12
        yield Row(name, what, "uJ", uj, modelled_uj, PREDICTED, SOURCE, independent=alone)


def _with_two_parameters(settings: Sequence[str]) -> Iterator[Row]:
    """Latencies where set-up and cycles an instruction are what Newton's method, on logarithms, finds for both rows."""
    measured = [row for row in PUBLISHED["rows"] if row["name"] in ("kws", "ad")]
    found = list(START)
    for _ in range(ROUNDS):
        errors = _errors(measured, found, settings)
        if max(map(abs, errors)) < 1e-3:
            break
        slopes = []
        for j in range(2):
            moved = [value * (1 + STEP * (i == j)) for i, value in enumerate(found)]
            after = _errors(measured, moved, settings)
            slopes.append([(b - a) / math.log1p(STEP) for a, b in zip(errors, after, strict=True)])
        (a, c), (b, d) = slopes
        determinant = a * d - b * c
        step = ((b * errors[1] - d * errors[0]) / determinant, (c * errors[0] - a * errors[1]) / determinant)
        found = [value * math.exp(max(-0.3, min(0.3, move))) for value, move in zip(found, step, strict=True)]
    for row, error in zip(measured, _errors(measured, found, settings), strict=True):
        what = f"{row['what']}; set-up {found[0]:.0f} cycles, {found[1]:.3f} cycles an instruction"
        ms = 1e3 / row["inferences_per_s"]["low"]
        name = f"gap9/two-parameters/time/{row['name']}"
        yield Row(name, what, "ms", ms, ms * math.exp(error), IDENTITY, SOURCE, 0.02, independent=False)


def _errors(measured: Sequence[dict[str, Any]], found: Sequence[float], settings: Sequence[str]) -> list[float]:
    """log(modelled / published) of both latencies."""
    two = [f"{BLOCKS}.ne16.layer_setup={found[0]:.0f}", f"{BLOCKS}.cluster.cpi={found[1]:.5f}"]
    ran = [run(row, [*settings, *two]).response_ps / 1e12 for row in measured]
    return [math.log(seconds * row["inferences_per_s"]["low"]) for seconds, row in zip(ran, measured, strict=True)]


def run(row: dict[str, Any], settings: Sequence[str] = (), point: str = "low") -> Explanation:
    """One inference of a published row at an operating point."""
    changed = [*settings, *(PROMOTED if row["promoted"] else ())]
    # The runtime's time before a layer is one number for both blocks.
    blocks = platform("gap9", changed).dies["chip"].blocks
    changed.append(f"{BLOCKS}.cluster.layer_setup={blocks['ne16'].layer_setup}")
    if point == "high":
        changed += _at_high(blocks)
    mapped = dict.fromkeys(row["on_cluster"], "cluster")
    return inference(platform("gap9", changed), network_of(row), "ne16", mapped)


def _at_high(blocks: dict[str, Any]) -> list[str]:
    """The points' voltage; and with the clock, or the clock and the square of the voltage, what is stated at 0.65 V."""
    low, high = (PUBLISHED["points"][point] for point in ("low", "high"))
    clock = high["clock_mhz"] / low["clock_mhz"]
    volts = float(high["voltage"].split()[0]) / float(low["voltage"].split()[0])
    rates = {f"{BLOCKS}.{name}.rate": blocks[name].rate_bps for name in ("l1", "l2")}
    rates |= {f"{BLOCKS}.{name}.dma.rate": blocks[name].dma.rate_bps for name in ("ne16", "cluster")}
    changed = [f"{BLOCKS}.{name}.voltage={high['voltage']}" for name in ("ne16", "cluster")]
    changed += [f"{path}={float(bps) * clock:.0f} bps" for path, bps in rates.items()]
    return [*changed, f"{BLOCKS}.l2.leakage={blocks['l2'].leakage_nw * clock * volts**2:.0f} nW"]


def network_of(row: dict[str, Any]) -> Network:
    """The network with the weights of the submission; layers on the cores keep eight bits."""
    found = load_network(ROOT / "workloads" / "networks" / f"{row['network']}.yaml")
    layers = [
        replace(one, weight_bits=row["weight_bits"]) if one.weights and one.name not in row["on_cluster"] else one
        for one in found.layers
    ]
    return replace(found, layers=tuple(layers))
