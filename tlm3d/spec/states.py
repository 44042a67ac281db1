"""Power states of blocks and links: active, idle, gated."""

from __future__ import annotations

from pydantic import Field

from tlm3d.spec.quantities import DurationPs, EnergyAj, Frozen, PowerNw, TimePs


class GatedSpec(Frozen):
    """Cut off from its supply once idle for more than ``after``; ``power`` is then all it draws (retention).

    Gated at t = 0. What needs it next waits ``wake_time``, and ``wake_energy`` is spent over that time.
    """

    after_ps: TimePs = Field(alias="after", default=0)
    power_nw: PowerNw = Field(alias="power", default=0)
    wake_time_ps: DurationPs = Field(alias="wake_time")
    wake_energy_aj: EnergyAj = Field(alias="wake_energy", default=0)


class StatesSpec(Frozen):
    """Power of each state, on top of what activities book; leakage comes on top except when gated."""

    active_nw: PowerNw = Field(alias="active", default=0)
    idle_nw: PowerNw = Field(alias="idle", default=0)
    gated: GatedSpec | None = None
