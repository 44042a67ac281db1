"""What every block has."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from pydantic import Field

from tlm3d.facts import Fact
from tlm3d.spec.quantities import (
    Frozen,
    PowerNw,
)
from tlm3d.spec.states import StatesSpec


class DerivedValue(NamedTuple):
    """The value of a key that was not given, the law or figure it follows from, and what it holds for."""

    key: str
    value: str
    given: str
    to: str


class BlockSpec(Frozen):
    """What every block has. ``leakage`` is drawn all the time but when gated."""

    kind: str
    leakage_nw: PowerNw = Field(alias="leakage", default=0)
    states: StatesSpec = StatesSpec()

    ROLE: ClassVar[str]

    @property
    def derived(self) -> tuple[DerivedValue, ...]:
        """What the kind filled in from a law, for those who show it."""
        return ()

    def facts(self) -> tuple[Fact, ...]:
        """What is worth showing of this block beside its keys."""
        return ()

    @property
    def active_nw(self) -> int:
        """What is drawn in the active state, on top of leakage."""
        return self.states.active_nw
