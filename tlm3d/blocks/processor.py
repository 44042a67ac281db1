"""A plain processor: one lane of execution for control tasks."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tlm3d.blocks import BlockSpec, CycleEnergySpec
from tlm3d.spec.quantities import FrequencyHz, TimePs


class Processor(BlockSpec):
    """Runs stages (time or cycles), no layers. ``preemption: full`` lets a more urgent job in at once.

    ``context_switch`` is paid by a preempted job when it resumes. ``clock`` is needed for stages stated in cycles and
    for the energy of busy cycles.
    """

    clock_hz: FrequencyHz | None = Field(alias="clock", default=None)
    energy: CycleEnergySpec = CycleEnergySpec()
    preemption: Literal["full", "none"] = "full"
    context_switch_ps: TimePs = Field(alias="context_switch", default=0)

    ROLE = "lane"


KIND = Processor
