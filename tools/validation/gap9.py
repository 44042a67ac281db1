"""GAP9: nine RISC-V cores and a bit-serial engine; two networks of MLPerf Tiny v1.0, with weights of 5 and 6 bits.

The file carries one parameter of time that is fitted to both latencies, the engine's set-up of a layer. The rows
`two-parameters` are those where the cores' cycles an instruction are solved for, too: two parameters on two rows are an
identity and no evidence; that they end where a core has about one cycle an instruction says that none was missing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import yaml

from tlm3d.spec.network import load_network
from validation.chip import ROOT, SILICON
from validation.model import inference, platform
from validation.row import IDENTITY, PREDICTED, Row, Rule

if TYPE_CHECKING:
    from tlm3d.analysis.explain import Explanation

DATA = ROOT / "tests" / "silicon" / "gap9.yaml"
BLOCKS = "dies.chip.blocks"
START = (3500.0, 1.1)  # of the search for two parameters: cycles of set-up, cycles an instruction
STEP = 0.02
ROUNDS = 4
RULES = [
    Rule("latency, one parameter for both networks", "gap9/mlperf-tiny/latency/*", "within", 0.12, count=2),
    Rule("latency, two parameters for both networks", "gap9/two-parameters/*", "within", 0.02, count=2),
]
WEAK = """
Both latencies hang on one set-up of 15 us a layer, more than half of the time of the autoencoder, for all that the
controller, the event unit and the programming of engine and DMA take: networks of fewer, larger layers would test the
engine itself. The cores' share is counted with the library of GAP8's SDK. Energy is a power while it runs, one for both
networks, whose powers differ by a third: two figures with a converter's loss inside do not tell engine and cores
apart. A layer that fits L1 at once is one tile, which waits for all of its weights.
"""


def rows(settings: Sequence[str] = ()) -> list[Row]:
    """Latency and energy of two networks; and their latency with a second parameter."""
    published = yaml.safe_load(DATA.read_text(encoding="utf-8"))["mlperf"]
    return [*_rows(published, settings), *_with_two_parameters(published, settings)]


def _rows(published: dict[str, Any], settings: Sequence[str]) -> Iterator[Row]:
    source = published["source"]
    for row in published["rows"]:
        ran = _inference(row["network"], settings)
        name = f"gap9/mlperf-tiny/latency/{row['name']}"
        yield Row(name, row["what"], "ms", row["ms"], ran.response_ps / 1e9, PREDICTED, source, 0.12)
        name = f"gap9/mlperf-tiny/energy/{row['name']}"
        energy_uj = (ran.energy_aj + ran.unowned_aj) / 1e12
        yield Row(name, row["what"], "uJ", row["uj"], energy_uj, PREDICTED, f"{source}; {published['energy_at']}")


def _with_two_parameters(published: dict[str, Any], settings: Sequence[str]) -> Iterator[Row]:
    """Latencies where set-up and cycles an instruction are what Newton's method, on logarithms, finds for both rows."""
    measured = published["rows"]
    found = list(START)
    for _ in range(ROUNDS):
        errors = _errors(measured, found, settings)
        slopes = []
        for j in range(2):
            moved = [value * (1 + STEP * (i == j)) for i, value in enumerate(found)]
            after = _errors(measured, moved, settings)
            slopes.append([(b - a) / math.log1p(STEP) for a, b in zip(errors, after, strict=True)])
        (a, c), (b, d) = slopes
        determinant = a * d - b * c
        step = ((b * errors[1] - d * errors[0]) / determinant, (c * errors[0] - a * errors[1]) / determinant)
        found = [value * math.exp(max(-0.2, min(0.2, move))) for value, move in zip(found, step, strict=True)]
        if max(map(abs, step)) < 1e-3:
            break
    for row, error in zip(measured, _errors(measured, found, settings), strict=True):
        what = f"{row['what']}; set-up {found[0]:.0f} cycles, {found[1]:.3f} cycles an instruction"
        modelled = row["ms"] * math.exp(error)
        name = f"gap9/two-parameters/time/{row['name']}"
        source = published["source"]
        yield Row(name, what, "ms", row["ms"], modelled, IDENTITY, source, 0.02, independent=False)


def _errors(measured: Sequence[dict[str, Any]], found: Sequence[float], settings: Sequence[str]) -> list[float]:
    """log(modelled / published) of both latencies."""
    two = [f"{BLOCKS}.ne16.layer_setup={found[0]:.0f}", f"{BLOCKS}.cluster.cpi={found[1]:.5f}"]
    ran = [_inference(row["network"], [*settings, *two]) for row in measured]
    return [math.log(one.response_ps / 1e9 / row["ms"]) for one, row in zip(ran, measured, strict=True)]


def _inference(network: str, settings: Sequence[str]) -> Explanation:
    described = platform("gap9", settings)
    return inference(described, load_network(SILICON / "networks" / f"{network}.yaml"), "ne16")
