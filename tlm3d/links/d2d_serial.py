"""A serial die-to-die link: few fast lanes, flits, a PLL that costs power while awake."""

from __future__ import annotations

from pydantic import Field

from tlm3d.links import LinkSpec
from tlm3d.spec.quantities import PowerNw, SizeBits


class D2dSerial(LinkSpec):
    """Lanes that carry whole flits of ``flit`` payload and ``overhead`` each, as UCIe does: 64 B and 4 B (UCIe 1.1).

    A burst is padded to whole flits. ``pll`` is drawn by each direction while it is awake, transfers or not, which is
    why such a link is gated when idle: a burst-mode SerDes wakes in less than 20 ns and goes from 9.1 to 20.5 pJ/bit
    when it is used 1 % of the time (published silicon).
    """

    flit_bits: SizeBits = Field(alias="flit", default=64 * 8)
    pll_nw: PowerNw = Field(alias="pll", default=0)

    @property
    def payload_flit_bits(self) -> int:
        return self.flit_bits

    @property
    def awake_nw(self) -> int:
        return self.pll_nw


KIND = D2dSerial
