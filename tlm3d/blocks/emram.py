"""Embedded MRAM: dear to write, and nothing is lost or drawn when it is off."""

from __future__ import annotations

from fractions import Fraction
from typing import Self

from pydantic import ValidationInfo, model_validator

from tlm3d.blocks._by_law import AJ_PER_PJ, LawfulMemory, at_corners, corner_of

READ_PJ_PER_BIT = at_corners("2.5", "4", "32")  # published macros, second-hand
WRITE_PJ_PER_BIT = at_corners("25", "25", "62")


class Emram(LawfulMemory):
    """A non-volatile memory: gated it draws nothing and keeps its weights, which need not be loaded at the start.

    Its one port has one ``rate``, for writes too: real macros write more slowly, so give the rate of what counts.
    """

    NON_VOLATILE = True

    @model_validator(mode="after")
    def _published(self, info: ValidationInfo) -> Self:
        for key, figures in (("read", READ_PJ_PER_BIT), ("write", WRITE_PJ_PER_BIT)):
            self._fill_energy(key, figures[corner_of(info)] * AJ_PER_PJ, "published eMRAM macros", "any node")
        self._fill_leakage(Fraction(0), "", "")
        return self


KIND = Emram
