"""DIANA: peaks, powers and cycles of its two arrays follow from what its file states; its system efficiency does not.

The cycles of layers are held against the closed forms of ODiMO's hardware models, not against measurements: their
authors say that they rank layers as the chip does but lie below what it takes, as they leave out programming and memory
stalls. The published system efficiency includes those.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from math import ceil
from pathlib import Path

import yaml

from tlm3d.blocks import ComputeSpec, Cost
from tlm3d.blocks.cnn_accelerator import CnnAccelerator
from tlm3d.cnn.layers import Layer, Op
from tlm3d.cnn.network import LayerRow, build_network
from tlm3d.cnn.tiling import tile_layer
from tlm3d.simulation import explain
from tlm3d.spec.network import load_network
from tlm3d.spec.pair import read_platform
from tlm3d.spec.platform import PlatformSpec
from tlm3d.units import PS_PER_S, cycles_ps
from validation.row import IDENTITY, PREDICTED, Row, Rule

ROOT = Path(__file__).parents[2]
PLATFORM = ROOT / "platforms" / "silicon" / "diana.yaml"
PUBLISHED = yaml.safe_load((ROOT / "tests" / "silicon" / "diana.yaml").read_text(encoding="utf-8"))
ODIMO = "ODiMO, hw_models.py: its closed form"
TOLERANCE = 0.03

RULES: list[Rule] = []

WEAK = """
Measured latencies of whole networks were not found in a source that could be read. The system efficiency for CIFAR-10
is that of a network which the abstract does not name; a ResNet-20 of ternary weights is assumed. The digital array's
peak of 14 TOPS/W is that of another voltage than the 260 MHz point, of which alone powers are published. The text
beside ODiMO's code gives other forms (rows by weights instead of channels, weights instead of feature maps moved); the
code's are used.
"""


def figure(name: str) -> float:
    """A published figure."""
    return float(PUBLISHED[name]["value"])


def rows(settings: Sequence[str] = ()) -> list[Row]:
    """Every figure of DIANA, with values of its platform changed as ``--set`` does."""
    platform = read_platform(str(PLATFORM), settings)
    return [*_peaks(platform), *_layers(platform), _system(platform)]


def analog_cycles(layer: Layer) -> Fraction:
    """Cycles of 260 MHz that ODiMO's model gives a layer on the analog array: passes of 70 ns, and weights loaded."""
    height, width = layer.kernel
    ins, outs = layer.weights_per_channel // (height * width), layer.out_shape.channels
    fitting = (
        u for u in (2, 4, 8) if u * outs <= 512 and max(64, ins) * height * (width + u - 1) <= 1152
    )  # fmt: skip
    unroll = max(fitting, default=1)
    passes = Fraction(ceil(outs / 512) * ceil(ins / 128) * layer.out_shape.width * layer.out_shape.height, unroll)
    return passes * Fraction("18.2") + 8 * ins * height * width  # 70 ns are 18.2 cycles


def digital_cycles(layer: Layer) -> Fraction:
    """Cycles that ODiMO's model gives a layer on the digital array: computing, and 8 bytes a cycle in and out."""
    height, width = layer.kernel
    outs = layer.out_shape.channels
    ins = outs if layer.op is Op.DEPTHWISE else layer.weights_per_channel // (height * width)
    groups = 1 if layer.op is Op.DEPTHWISE else ceil(outs / 16)
    computing = groups * ins * ceil(layer.out_shape.width / 16) * layer.out_shape.height * height * width
    return computing + Fraction(layer.out_shape.width * layer.out_shape.height * (ins + outs), 8)


def _block(platform: PlatformSpec, name: str) -> ComputeSpec:
    block = platform.dies["soc"].blocks[name]
    assert isinstance(block, ComputeSpec)
    return block


def _full(side: int) -> Layer:
    """128 channels and 9 taps fill the rows of the analog array, 512 outputs its columns."""
    row = LayerRow("full", Op.CONV, channels=512, kernel=(3, 3), padding="same")
    return build_network("full", (side, side, 128), [row]).layers[0]


def _held(block: ComputeSpec, layer: Layer) -> Cost:
    """The layer in one tile whose weights are in the array."""
    (tile,) = tile_layer(layer, 1 << 40)
    return block.cost(layer, replace(tile, new_weights=False))


def _power_w(platform: PlatformSpec, busy: Sequence[str]) -> float:
    """Of the chip while the arrays ``busy`` work: what is drawn always, and their cycles."""
    always = sum(block.leakage_nw for block in platform.dies["soc"].blocks.values()) * 1e-9
    blocks = [_block(platform, name) for name in busy]
    return always + sum(float(block.energy.aj_per_cycle * block.clock_hz) for block in blocks) * 1e-18


def _peaks(platform: PlatformSpec) -> Iterator[Row]:
    analog, digital = _block(platform, "analog"), _block(platform, "digital")
    assert isinstance(digital, CnnAccelerator)
    layer = _full(64)
    time_s = cycles_ps(_held(analog, layer).cycles, analog.clock_hz) / PS_PER_S
    yield _identity("peak/time/pass", "a pass of the analog array", "ns", "pass_ns", time_s / (64 * 64) * 1e9)
    tops_per_w = 2 * layer.macs / (_power_w(platform, ["analog"]) * time_s) / 1e12
    what = "analog array, all cells at work"
    yield _identity("peak/efficiency/analog", what, "TOPS/W", "analog_tops_per_w", tops_per_w)
    op_a_second = 2 * digital.dataflow.macs_per_cycle(digital.array) * float(digital.clock_hz)
    tops_per_w = op_a_second / _power_w(platform, ["digital"]) / 1e12
    what = "digital array, all units at work"
    yield _identity("peak/efficiency/digital", what, "TOPS/W", "digital_tops_per_w_260_mhz", tops_per_w)
    what = "digital array at its best voltage, held against 260 MHz"
    source = str(PUBLISHED["digital_tops_per_w"]["source"])
    best = figure("digital_tops_per_w")
    yield Row("diana/peak/efficiency/digital-best", what, "TOPS/W", best, tops_per_w, PREDICTED, source)
    for name, published in PUBLISHED["power_mw"]["value"].items():
        power_mw = _power_w(platform, ["analog", "digital"] if name == "both" else [name]) * 1e3
        source = str(PUBLISHED["power_mw"]["source"])
        yield Row(f"diana/peak/power/{name}", f"{name} at work", "mW", published, power_mw, IDENTITY, source, TOLERANCE)


def _identity(name: str, what: str, unit: str, key: str, modelled: float) -> Row:
    source = str(PUBLISHED[key]["source"])
    return Row(f"diana/{name}", what, unit, figure(key), modelled, IDENTITY, source, TOLERANCE)


def _layers(platform: PlatformSpec) -> Iterator[Row]:
    """Cycles of the convolutions of ResNet-8, as a run of that network on each array has them."""
    network = load_network(ROOT / "workloads" / "networks" / "resnet8.yaml")
    by_name = {layer.name: layer for layer in network.layers}
    for array, published in (("analog", analog_cycles), ("digital", digital_cycles)):
        for layer in explain(platform, network, array).layers:
            if layer.work.op in ("conv", "pointwise"):
                yield Row(
                    f"diana/resnet8/{array}-cycles/{layer.work.name}",
                    f"{layer.work.name} on the {array} array",
                    "cycles",
                    float(published(by_name[layer.work.name])),
                    layer.work.cycles,
                    IDENTITY,
                    ODIMO,
                    TOLERANCE,
                )


def _system(platform: PlatformSpec) -> Row:
    network = load_network(PLATFORM.parent / "networks" / "resnet20_ternary.yaml")
    found = explain(platform, network, "analog")
    macs = sum(layer.work.macs for layer in found.layers)
    tops_per_w = float(Fraction(2 * macs * 10**6, found.energy_aj + found.unowned_aj))
    what = "CIFAR-10, whole chip; ternary ResNet-20 on the analog array assumed"
    published, source = figure("cifar10_tops_per_w"), str(PUBLISHED["cifar10_tops_per_w"]["source"])
    return Row("diana/system/efficiency/cifar10", what, "TOPS/W", published, tops_per_w, PREDICTED, source)
