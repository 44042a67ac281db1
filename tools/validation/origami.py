"""ORIGAMI: four sums of products over 7 × 7 pixels, for one large image whose border is 2.3 % of it.

Cavigelli, Benini, "Origami: A 803 GOp/s/W Convolutional Network Accelerator", arXiv 1512.04295, and the layout
before it, GLSVLSI 2015. A core power of 449 mW at 1.2 V is recalled, not read again.
"""

from __future__ import annotations

from collections.abc import Sequence

from tlm3d.cnn.layers import Op
from tlm3d.cnn.network import LayerRow
from validation.model import inference, one_layer, platform
from validation.row import IDENTITY, PREDICTED, Row

SILICON = "arXiv 1512.04295"
LAYOUT = "GLSVLSI 2015, abstract; the layout"
RECALLED = "196 GOp/s in arXiv 1512.04295; 449 mW is recalled"
POINTS = [  # corner, what, its peak and where that stands, its efficiency and where that stands
    ("low", "0.8 V, 189 MHz", None, (803, SILICON)),
    ("typical", "1.2 V, 500 MHz", (196, SILICON), (196 / 0.449, RECALLED)),
    ("high", "layout, 700 MHz", (274, LAYOUT), (369, LAYOUT)),
]
TOLERANCE = 0.03
IMAGE = (512, 512, 8)
BITS = 12
WEAK = """
Peaks and efficiencies follow from the geometry, the clocks and energies in the file (the energies were taken from the
efficiencies), so they are identities. Throughput of whole networks on ORIGAMI, where borders and idle channels show, is
not held against anything here, nor is the way from 1.2 V to 0.8 V: an energy that goes with the square of the voltage
would make 982 GOp/s/W of the figures at 1.2 V, where 803 were measured.
"""


def rows(settings: Sequence[str] = ()) -> list[Row]:
    """Peak, efficiency and rate of words at the three operating points."""
    image = one_layer(
        LayerRow("image", Op.CONV, channels=8, kernel=(7, 7), padding="valid", weight_bits=BITS), IMAGE, BITS
    )
    found = []
    for corner, what, peak, efficiency in POINTS:
        described = platform("origami", settings, corner)
        (layer,) = inference(described, image).layers
        seconds = layer.work.cycles / float(described.dies["chip"].blocks["convolver"].clock_hz)
        gops = 2 * layer.work.macs / seconds / 1e9
        gops_w = 2 * layer.work.macs / (layer.energy_aj * 1e-18) / 1e9
        for quantity, unit, published, modelled in (
            ("peak", "GOPS", peak, gops),
            ("efficiency", "GOPS/W", efficiency, gops_w),
        ):
            if published:
                name = f"origami/points/{quantity}/{corner}"
                found.append(Row(name, what, unit, published[0], modelled, IDENTITY, published[1], TOLERANCE))
        if corner == "high":
            words = image.input_bytes / seconds / 1e6
            name = f"origami/words/rate/{corner}"
            found.append(Row(name, "words in, 700 MHz", "MB/s", 525, words, PREDICTED, LAYOUT, TOLERANCE))
    return found
