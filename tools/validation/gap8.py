"""GAP8: eight RISC-V cores; MobileNetV1 by layer as deployed by DORY, and kernels of its SDK."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import yaml

from tlm3d.analysis.explain import LayerCost
from tlm3d.blocks.memory import Memory
from tlm3d.blocks.riscv_cluster import RiscvCluster
from tlm3d.cnn.layers import Op
from tlm3d.cnn.network import LayerRow
from tlm3d.cnn.tiling import tile_layer
from tlm3d.spec.network import load_network
from validation.chip import ROOT, SILICON
from validation.model import inference, one_layer, platform
from validation.row import PREDICTED, Row, Rule

DATA = ROOT / "tests" / "silicon"
NETWORK = SILICON / "networks" / "mobilenet_v1_100_128.yaml"
CLUSTER = "dies.chip.blocks.cluster"
# The SDK's kernels are written for it by hand and run from L1, at the faster point.
SDK = (f"{CLUSTER}.kernels=direct", f"{CLUSTER}.cpi=1", f"{CLUSTER}.voltage=1.2 V")
PLANE = (112, 112, 1)
KERNELS = {
    "conv5x5": (LayerRow("conv5x5", Op.CONV, channels=1, kernel=(5, 5), padding="valid"), PLANE),
    "linear": (LayerRow("linear", Op.LINEAR, channels=16), (1, 1, 1024)),
    "maxpool": (LayerRow("maxpool", Op.POOL, kernel=(2, 2), stride=(2, 2)), PLANE),
    "avgpool": (LayerRow("avgpool", Op.POOL, kernel=(2, 2), stride=(2, 2)), PLANE),
}
RUNS = 100  # of each kernel
TIMES, ENERGIES = "gap8/mobilenet/time/*", "gap8/mobilenet/energy/*"
RULES = [
    Rule("time of layers of 1 ms and more, median error", TIMES, "median", 0.05, where=lambda row: row.published >= 1),
    Rule("time by layer within 12 %", TIMES, "within", 0.12, count=18),
    Rule("energy by layer, median error", ENERGIES, "median", 0.12),
]
WEAK = """
The time of PwConv13 does not follow from the rule that all others follow: its 524 kB of weights are as large as L2, so
that part of the fetch has to wait, yet it took less than fetching and computing one after the other. The measured power
of PwConv8 to 14 does not follow from time and work: as many products took 0.48 and 1.2 mJ. Pool runs too shortly, and
FC computes too little, to tell how much.
"""


def rows(settings: Sequence[str] = ()) -> list[Row]:
    """Cycles of the SDK's kernels; time and energy by layer of MobileNetV1."""
    published = yaml.safe_load((DATA / "gap8.yaml").read_text(encoding="utf-8"))
    return [*_kernels(published["kernels"], settings), *_mobilenet(published, settings)]


def _kernels(published: dict[str, Any], settings: Sequence[str]) -> Iterator[Row]:
    cluster = platform("gap8", [*settings, *SDK]).dies["chip"].blocks["cluster"]
    assert isinstance(cluster, RiscvCluster)
    for row in published["rows"]:
        (layer,) = one_layer(*KERNELS[row["name"]]).layers
        (tile,) = tile_layer(layer, cluster.local_bytes)
        cycles = RUNS * cluster.cost(layer, tile).cycles
        name = f"gap8/kernels/cycles/{row['name']}"
        yield Row(name, row["what"], "cycles", row["cycles"], cycles, PREDICTED, published["source"], 0.12)


def _mobilenet(published: dict[str, Any], settings: Sequence[str]) -> Iterator[Row]:
    source = published["mobilenet"]["source"]
    described = platform("gap8", settings)
    ram = described.dies["ram"].blocks["l3"]
    assert isinstance(ram, Memory)
    layers = inference(described, load_network(NETWORK)).layers
    by_name = {layer.work.name: layer for layer in layers}
    with (DATA / published["mobilenet"]["file"]).open(encoding="utf-8") as file:
        measured = [(row["layer"], float(row["time_ms"]), float(row["power_mw"])) for row in csv.DictReader(file)]
    totals = np.zeros(4)
    for name, time_ms, power_mw in measured:
        alike = [by_name[one] for one in _names(name)]
        short = {"absolute": 0.6} if time_ms < 1 else {}
        what = f"MobileNetV1 {name}"
        modelled_ms = _mean(layer.time_ps for layer in alike) / 1e9
        yield Row(f"gap8/mobilenet/time/{name}", what, "ms", time_ms, modelled_ms, PREDICTED, source, **short)
        # What was measured by layer is the power of the chip, without the memory beside it.
        energy_uj = _mean(_aj(layer) - layer.work.staged_bytes * 8 * ram.read_aj_per_bit for layer in alike) / 1e12
        published_uj = power_mw * time_ms
        yield Row(f"gap8/mobilenet/energy/{name}", what, "uJ", published_uj, energy_uj, PREDICTED, source)
        totals += [len(alike) * n for n in (time_ms, modelled_ms, published_uj, energy_uj)]
    what = "MobileNetV1, all layers"
    sums = {"gap8/mobilenet-total/time/all": ("ms", 0), "gap8/mobilenet-total/energy/all": ("uJ", 2)}
    for name, (unit, i) in sums.items():
        yield Row(name, what, unit, totals[i], totals[i + 1], PREDICTED, source, 0.03, independent=False)
    pj_per_mac = sum(map(_aj, layers)) / 1e6 / sum(layer.work.macs for layer in layers)
    per_mac = published["inference"]["pj_per_mac"]
    what = "MobileNetV1, memory included"
    yield Row(
        "gap8/inference/energy/mobilenet", what, "pJ/MAC", per_mac["value"], pj_per_mac, PREDICTED, per_mac["source"]
    )


def _names(name: str) -> list[str]:
    """The layers of a row: ``DwConv7-11`` is the mean of five."""
    kind = name.rstrip("0123456789-")
    first, _, last = name.removeprefix(kind).partition("-")
    return [f"{kind}{i}" for i in range(int(first), int(last) + 1)] if last else [name]


def _aj(layer: LayerCost) -> int:
    """With what no task owns meanwhile."""
    return layer.energy_aj + layer.unowned_aj


def _mean(numbers: Any) -> float:
    values = list(numbers)
    return float(sum(values)) / len(values)
