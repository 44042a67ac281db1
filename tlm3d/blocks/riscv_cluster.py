"""A cluster of RISC-V cores with SIMD dot products and a shared, software-managed L1 (PULP style)."""

from __future__ import annotations

from fractions import Fraction

from pydantic import Field

from tlm3d.blocks import ComputeSpec, Cost
from tlm3d.cnn.layers import Layer
from tlm3d.cnn.tiling import Tile
from tlm3d.spec.quantities import Count, CountOrZero, Frozen, Positive, SizeBits
from tlm3d.units import ceil_div


class MacRates(Frozen):
    """MAC a cycle of the whole cluster with every core busy, by operator. ``pointwise`` defaults to ``conv``."""

    conv: Positive
    pointwise: Positive | None = None
    depthwise: Positive | None = None
    linear: Positive | None = None

    def of(self, kind: str) -> Fraction | None:
        """Rate for a layer kind, None where the cluster has no kernel for it."""
        if kind == "pointwise":
            return self.pointwise or self.conv
        rate: Fraction | None = getattr(self, kind, None)
        return rate


# Cycles a core takes for an element in plain scalar code, where no rate is stated: load, operate, store and loop;
# an exponential in software for a softmax.
_SCALAR_CYCLES = {"pool": 4, "add": 4, "softmax": 40}


class ElementRates(Frozen):
    """Elements read a cycle, all cores busy, by operators that do not multiply.

    Cores run anything: what is not stated takes 4 cycles an element and core (pool, add), 40 (softmax).
    """

    pool: Positive | None = None
    add: Positive | None = None
    softmax: Positive | None = None


class RiscvCluster(ComputeSpec):
    """Data-parallel kernels: work is split over ``cores`` by output pixels or by channels, whichever balances better.

    cycles = start-up + work · ⌈u/cores⌉·cores / (u · rate), u units of work: the slowest core decides (the losses of a
    parallel section, Amdahl 1967). Layers that do not multiply count elements read instead of MACs.
    """

    cores: Count
    l1_bits: SizeBits = Field(alias="l1")
    mac_per_cycle: MacRates
    elements_per_cycle: ElementRates = ElementRates()
    kernel_startup: CountOrZero = 0

    @property
    def local_bytes(self) -> int:
        return self.l1_bits // 8

    def supports(self, kind: str) -> bool:
        return self._rate(kind) is not None

    def _rate(self, kind: str) -> Fraction | None:
        if kind in ElementRates.model_fields:
            stated: Fraction | None = getattr(self.elements_per_cycle, kind)
            return stated or Fraction(self.cores, _SCALAR_CYCLES[kind])
        return self.mac_per_cycle.of(kind)

    def cost(self, layer: Layer, tile: Tile) -> Cost:
        rate = self._rate(layer.kind)
        if rate is None:
            raise ValueError(f"no kernel for {layer.kind}")
        work = tile.macs or tile.elements
        padded = min(
            Fraction(work * ceil_div(units, self.cores) * self.cores, units)
            for units in (tile.out_rows * tile.out_width, tile.out_channels)
        )
        exact = padded / rate
        cycles = self.kernel_startup + ceil_div(exact.numerator, exact.denominator)
        return Cost(cycles, self.energy.book(cycles, tile.macs))


KIND = RiscvCluster
