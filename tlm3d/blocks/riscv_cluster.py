"""A cluster of RISC-V cores with SIMD dot products and a shared, software-managed L1 (PULP style)."""

from __future__ import annotations

from fractions import Fraction

from pydantic import Field, ValidationInfo, field_validator

from tlm3d.blocks import ComputeSpec, Cost, ProgrammableSpec
from tlm3d.cnn.layers import Layer
from tlm3d.cnn.tiling import Pace, Tile
from tlm3d.kernels import AnyKernels, Simd, Work
from tlm3d.kernels.im2col import Im2col
from tlm3d.spec.quantities import Count, CountOrZero, Frozen, Positive, PositiveOrZero, SizeBits
from tlm3d.units import QuantityError, ceil_div


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

    Cores run anything: what is not stated takes 4 cycles an element and core (pool, add), 40 (softmax); or what the
    kernel library says, where there is one.
    """

    pool: Positive | None = None
    add: Positive | None = None
    softmax: Positive | None = None


class SimdSpec(Frozen):
    """A register of ``bits`` holds operands of one of the ``operands`` widths, multiplied in one instruction."""

    bits: Count = 32
    operands: tuple[Count, ...] = (8, 16)

    @field_validator("operands")
    @classmethod
    def _fit_the_register(cls, operands: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        bits = info.data.get("bits")
        if bits is not None and max(operands, default=0) > bits:
            raise QuantityError(f"expected operands of at most the {bits} bits of a register, got {max(operands)}")
        return operands

    def of(self, layer: Layer) -> Simd:
        """What a register holds for ``layer``: its wider operand decides; one, where it is wider than all of them."""
        width = max(layer.weight_bits, layer.activation_bits)
        fitting = min((one for one in self.operands if one >= width), default=self.bits)
        return Simd(max(1, self.bits // fitting), layer.weight_bits < fitting)


class RiscvCluster(ProgrammableSpec, ComputeSpec):
    """Data-parallel kernels on ``cores``, counted instruction by instruction, or at rates stated for the whole cluster.

    Counted: cycles = start-up + the busiest core's instructions · cpi + accesses · conflicts + reordered · ``reorder``
    + cycles of the DMA. Each access to L1 waits on average for half of those that others make to its bank in the same
    cycle: (cores − 1) · (accesses / instructions) / (2 · banks) cycles.

    With ``mac_per_cycle``, which then says what runs here: cycles = start-up + work · ⌈u/cores⌉·cores / (u · rate), u
    units of work, output pixels or channels, whichever balances better: the slowest core decides (the losses of a
    parallel section, Amdahl 1967). Layers that do not multiply count elements read instead of MACs.
    """

    cores: Count
    l1_bits: SizeBits = Field(alias="l1")
    l1_banks: Count | None = None
    kernels: AnyKernels = Im2col(kind="im2col")
    simd: SimdSpec = SimdSpec()
    reorder: PositiveOrZero = Fraction(0)
    mac_per_cycle: MacRates | None = None
    elements_per_cycle: ElementRates = ElementRates()
    kernel_startup: CountOrZero = 0

    @property
    def local_bytes(self) -> int:
        return self.l1_bits // 8

    @property
    def pace(self) -> Pace | None:
        # A library is given tiles that suit it: whole shares for the cores, few patches copied twice.
        return self if self.mac_per_cycle is None else None

    def supports(self, kind: str) -> bool:
        return self.mac_per_cycle is None or self._rate(kind) is not None

    def _rate(self, kind: str) -> Fraction | None:
        """Stated work a cycle; None where it is counted, or does not run here."""
        if kind not in ElementRates.model_fields:
            return self.mac_per_cycle.of(kind) if self.mac_per_cycle is not None else None
        stated: Fraction | None = getattr(self.elements_per_cycle, kind)
        if stated is None and self.mac_per_cycle is not None:
            return Fraction(self.cores, _SCALAR_CYCLES[kind])
        return stated

    def cost(self, layer: Layer, tile: Tile) -> Cost:
        rate = self._rate(layer.kind)
        if rate is None and self.mac_per_cycle is not None:
            raise ValueError(f"no kernel for {layer.kind}")
        exact = self._at_rate(tile, rate) if rate is not None else self._counted(layer, tile)
        cycles = self.kernel_startup + ceil_div(exact.numerator, exact.denominator)
        return Cost(cycles, self.energy.book(cycles, tile.macs))

    def _at_rate(self, tile: Tile, rate: Fraction) -> Fraction:
        work = tile.macs or tile.elements
        padded = min(
            Fraction(work * ceil_div(units, self.cores) * self.cores, units)
            for units in (tile.out_rows * tile.out_width, tile.out_channels)
        )
        return padded / rate

    def _counted(self, layer: Layer, tile: Tile) -> Fraction:
        work = self.kernels.work(layer, tile, self.cores, self.simd.of(layer))
        cycles = work.instructions * self.cpi + self._conflicts(work) + work.dma_cycles
        return cycles + work.reordered * self.reorder if work.reordered else cycles

    def _conflicts(self, work: Work) -> Fraction | int:
        """Cycles that accesses wait for their banks."""
        if self.l1_banks is None or not work.accesses:
            return 0
        return Fraction((self.cores - 1) * work.accesses**2, work.instructions * 2 * self.l1_banks)


KIND = RiscvCluster
