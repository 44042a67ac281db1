"""ORIGAMI: four sums of products over 7 × 7 pixels, for one large image whose border is 2.3 % of it.

Cavigelli, Benini, "Origami: A 803 GOp/s/W Convolutional Network Accelerator", arXiv 1512.04295, and the layout
before it, GLSVLSI 2015. A core power of 449 mW at 1.2 V is recalled, not read again.
"""

from __future__ import annotations

from collections.abc import Sequence

import yaml

from tlm3d.cnn.layers import Op
from tlm3d.cnn.network import LayerRow
from validation.chip import ROOT
from validation.model import inference, one_layer, platform
from validation.row import IDENTITY, PREDICTED, Row

PUBLISHED = yaml.safe_load((ROOT / "tests" / "silicon" / "origami.yaml").read_text(encoding="utf-8"))
SILICON = "arXiv 1512.04295"
LAYOUT = "GLSVLSI 2015, abstract; the layout"
RECALLED = "196 GOp/s in arXiv 1512.04295; 449 mW is recalled"
TOLERANCE = 0.03
IMAGE = (512, 512, 8)
BITS = 12
WEAK = """
Peaks and efficiencies follow from the geometry, the clocks and energies in the file (the energies were taken from the
efficiencies), so they are identities. Throughput of whole networks on ORIGAMI, where borders and idle channels show, is
not held against anything here, nor is the way from 1.2 V to 0.8 V: an energy that goes with the square of the voltage
would make 982 GOp/s/W of the figures at 1.2 V, where 803 were measured.
"""


def figure(name: str) -> float:
    """A published figure."""
    return float(PUBLISHED[name]["value"])


def rows(settings: Sequence[str] = ()) -> list[Row]:
    """Peak, efficiency and rate of words at the three operating points."""
    peak = figure("peak_gops")
    silicon, layout = Point("low", "0.8 V, 189 MHz", settings), Point("high", "layout, 700 MHz", settings)
    full = Point("typical", "1.2 V, 500 MHz", settings)
    return [
        full.row("peak", "GOPS", peak, full.gops, IDENTITY, SILICON),
        layout.row("peak", "GOPS", figure("layout_gops"), layout.gops, IDENTITY, LAYOUT),
        silicon.row("efficiency", "GOPS/W", figure("best_gops_per_w"), silicon.gops_w, IDENTITY, SILICON),
        full.row("efficiency", "GOPS/W", peak / figure("core_power_1v2_mw") * 1e3, full.gops_w, IDENTITY, RECALLED),
        layout.row("efficiency", "GOPS/W", figure("layout_gops_per_w"), layout.gops_w, IDENTITY, LAYOUT),
        layout.row("words", "MB/s", figure("layout_io_mb_s"), layout.words_mb_s, PREDICTED, LAYOUT),
    ]


class Point:
    """The chip at an operating point, a corner of its file, with one large image through it."""

    def __init__(self, corner: str, what: str, settings: Sequence[str]) -> None:
        self.corner, self.what = corner, what
        window = LayerRow("image", Op.CONV, channels=8, kernel=(7, 7), padding="valid", weight_bits=BITS)
        image = one_layer(window, IMAGE, BITS)
        described = platform("origami", settings, corner)
        (layer,) = inference(described, image).layers
        seconds = layer.work.cycles / float(described.dies["chip"].blocks["convolver"].clock_hz)
        self.gops = 2 * layer.work.macs / seconds / 1e9
        self.gops_w = 2 * layer.work.macs / (layer.energy_aj * 1e-18) / 1e9
        self.words_mb_s = image.input_bytes / seconds / 1e6

    def row(self, quantity: str, unit: str, published: float, modelled: float, kind: str, source: str) -> Row:
        name = f"origami/points/{quantity}/{self.corner}"
        return Row(name, self.what, unit, published, modelled, kind, source, TOLERANCE)
