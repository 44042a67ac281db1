"""An SRAM whose energies, leakage and retention follow from its capacity, its node and its voltage."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple, Self

from pydantic import Field, ValidationInfo, model_validator

from tlm3d.blocks._by_law import AJ_PER_PJ, BITS_PER_KIB, LawfulMemory, at_corners, corner_of, power_law
from tlm3d.spec.quantities import Count, NodeNm, VoltageV
from tlm3d.technology.scaling import Place, check_place, energy_ratio
from tlm3d.units import ceil_div


class _Law(NamedTuple):
    """``pj`` (S / 8 KiB)^``exponent`` for an access of 64 bits, S the capacity; by fits to runs of CACTI 7."""

    place: Place
    pj: Fraction
    exponent: Fraction


_ACCESS_BITS = 64
_LAWS = (
    _Law(Place(Fraction(22), Fraction(8, 10)), Fraction("1.7"), Fraction("0.45")),
    _Law(Place(Fraction(45), Fraction(1)), Fraction("6.2"), Fraction("0.41")),  # assumption: the 1 V nominal there
)
_LEAKAGE_NM = 22
SMALLEST_KIB, LARGEST_KIB = 4, 8 * 1024  # assumption: from half the 8 KiB that the law starts from, to large L2s
LEAKAGE_NW_PER_KIB = at_corners("33", "37", "41")  # CACTI 7, 22 nm, 0.8 V, 37 °C, low-standby periphery
RETENTION_NW_PER_KIB = at_corners("3.1", "40", "211")  # published; 211: Mr.Wolf, 512 kB at 108 uW


class Sram(LawfulMemory):
    """Reads and writes take the energy of an access of ``word`` bits, in whole accesses of 64.

    ``node`` and ``voltage`` scale between the laws of 22 and 45 nm, each carried there by the energy of a gate. Gated,
    it keeps what lies in it at its retention power.
    """

    node_nm: NodeNm = Field(alias="node", default=Fraction(22))
    voltage_v: VoltageV = Field(alias="voltage", default=Fraction(8, 10))
    word_bits: Count = Field(alias="word", default=64)

    @model_validator(mode="after")
    def _by_law(self, info: ValidationInfo) -> Self:
        corner, here = corner_of(info), Place(self.node_nm, self.voltage_v)
        kib = Fraction(self.capacity_bits, BITS_PER_KIB)
        if not {"read_aj_per_bit", "write_aj_per_bit"} <= self.model_fields_set:
            self._check_reach(kib, here)
            law = f"CACTI 7 law for {float(kib):g} KiB, {self.word_bits} bit"
            for key in ("read", "write"):
                self._fill_energy(key, self.access_aj(kib, here) / self.word_bits, law, str(here))
        if "leakage_nw" not in self.model_fields_set and here.node_nm != _LEAKAGE_NM:
            only = f"the figure for leakage is of {_LEAKAGE_NM} nm"
            raise ValueError(f"missing key 'leakage': {only}, nothing is known at {float(here.node_nm):g} nm")
        leaks = LEAKAGE_NW_PER_KIB[corner]
        self._fill_leakage(leaks * kib, f"{float(leaks):g} nW/KiB", "22 nm, 0.8 V, 37 °C")
        keeps = RETENTION_NW_PER_KIB[corner]
        retention_nw = min(keeps * kib, Fraction(self.leakage_nw))  # the figures are of several chips and nodes
        self._fill_gated(retention_nw, f"{float(keeps):g} nW/KiB of retention, at most the leakage", "published chips")
        return self

    def _check_reach(self, kib: Fraction, here: Place) -> None:
        give = "give 'read' and 'write'"
        if not SMALLEST_KIB <= kib <= LARGEST_KIB:
            span = f"{SMALLEST_KIB} KiB to {LARGEST_KIB // 1024} MiB"
            raise ValueError(f"the law of energies holds for a capacity of {span}, not {float(kib):g} KiB: {give}")
        low, high = (law.place.node_nm for law in _LAWS)
        if not low <= here.node_nm <= high:
            span = f"{float(low):g} nm to {float(high):g} nm"
            raise ValueError(f"the law of energies holds from {span}, not at {float(here.node_nm):g} nm: {give}")
        check_place(here)

    def access_aj(self, kib: Fraction, here: Place) -> Fraction:
        """Energy of reading or writing a word, aJ: that of both laws carried ``here``, weighted by their distance."""
        small, large = (law.pj * power_law(kib / 8, law.exponent) * energy_ratio(law.place, here) for law in _LAWS)
        low, high = (law.place.node_nm for law in _LAWS)
        of_64_bits = small + (large - small) * (here.node_nm - low) / (high - low)
        return ceil_div(self.word_bits, _ACCESS_BITS) * of_64_bits * AJ_PER_PJ


KIND = Sram
