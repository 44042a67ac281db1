"""DRAM behind a link or beside one: energy a bit, a first access for every burst, refresh."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, Self

from pydantic import Field, ValidationInfo, model_validator

from tlm3d.blocks._by_law import AJ_PER_PJ, BITS_PER_KIB, AtCorners, LawfulMemory, at_corners, corner_of
from tlm3d.spec.quantities import TimePs

_FIRST_ACCESS: Any = None  # filled in before anybody sees it
_BITS_PER_MIB = 1024 * BITS_PER_KIB


class _Figures(NamedTuple):
    """Of one technology; where from, for those who show it."""

    pj_per_bit: AtCorners
    energy_from: str
    access_ps: int
    access_from: str
    refresh_nw_per_mib: AtCorners
    refresh_from: str


_FIGURES = {
    # 400, 880, 1000 pJ a byte, the link to it included (recalled). S27KS0641 of 8 MiB (Cypress 001-97964): at most 56
    # ns from chip select to the first word, without a refresh; standby, in which it refreshes itself, at most 300 uA at
    # 1.8 V and 105 °C.
    "hyperram": _Figures(
        at_corners("50", "110", "125"), "400, 880, 1000 pJ/byte with the link",
        56_000, "S27KS0641",
        at_corners("67500", "67500", "67500"), "67.5 uW/MiB, S27KS0641 at most",
    ),
    # Energy second-hand; tRCD of 18 ns as in LPDDR2 (JESD209-2). Self-refresh of MT46H32M32LG, 128 MiB at 1.8 V: 500 uA
    # (low-power part, 45 °C), 750 uA (standard part, 45 °C), 1200 uA (85 °C).
    "lpddr4": _Figures(
        at_corners("4", "8", "10"), "4, 8, 10 pJ/bit published",
        18_000, "tRCD",
        at_corners("7031.25", "10546.875", "16875"), "self-refresh of an LPDDR part, MT46H32M32LG",
    ),
    # Energy second-hand; tRCD of 14 ns recalled. Nothing is known of its refresh: give 'leakage'.
    "hbm2": _Figures(
        at_corners("3.4", "3.9", "6.25"), "3.4, 3.9, 6.25 pJ/bit published",
        14_000, "tRCD",
        at_corners("0", "0", "0"), "",
    ),
}  # fmt: skip


class Dram(LawfulMemory):
    """Every burst first takes ``access`` on the port (row activation, turnaround): longer bursts pay it less often.

    ``leakage`` is refresh and standby; gated, it refreshes itself and draws the same. One port, no open rows, no banks
    that overlap. ``technology`` says what is not given.
    """

    technology: Literal["hyperram", "lpddr4", "hbm2"]
    access_ps: TimePs = Field(alias="access", default=_FIRST_ACCESS)

    @property
    def burst_entry_ps(self) -> int:
        return self.access_ps

    @model_validator(mode="after")
    def _published(self, info: ValidationInfo) -> Self:
        figures, corner = _FIGURES[self.technology], corner_of(info)
        for key in ("read", "write"):
            self._fill_energy(key, figures.pj_per_bit[corner] * AJ_PER_PJ, figures.energy_from, self.technology)
        if "access_ps" not in self.model_fields_set:
            self.__dict__["access_ps"] = figures.access_ps  # frozen from here on
            self._note("access", f"{figures.access_ps / 1000:g} ns", figures.access_from, self.technology)
        refresh_nw = figures.refresh_nw_per_mib[corner] * self.capacity_bits / _BITS_PER_MIB
        self._fill_leakage(refresh_nw, figures.refresh_from, self.technology)
        self._fill_gated(refresh_nw, figures.refresh_from or "not known", self.technology)
        return self


KIND = Dram
