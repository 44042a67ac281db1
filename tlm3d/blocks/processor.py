"""A plain processor: one lane of execution for control tasks."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from tlm3d.blocks import CycleEnergySpec, OperatedSpec, ProgrammableSpec
from tlm3d.spec.quantities import DurationPs, FrequencyHz, TimePs


class Processor(ProgrammableSpec, OperatedSpec):
    """Runs stages (time, cycles, or instructions of ``cpi`` cycles), no layers.

    ``preemption: full`` lets a more urgent job in at once, ``tile`` where whole tiles of a stage's work, each as long
    as ``tile``, are done. ``context_switch`` is paid by a preempted job when it resumes. ``clock`` is needed for stages
    stated in cycles and for the energy of busy cycles; ``points`` may say it.
    """

    clock_hz: FrequencyHz | None = Field(alias="clock", default=None)
    energy: CycleEnergySpec = Field(default_factory=CycleEnergySpec)
    preemption: Literal["full", "tile", "none"] = "full"
    tile_ps: DurationPs | None = Field(alias="tile", default=None)
    context_switch_ps: TimePs = Field(alias="context_switch", default=0)

    ROLE = "lane"

    @model_validator(mode="after")
    def _cycles_have_a_length(self) -> Processor:
        if self.energy.aj_per_cycle and self.clock_hz is None:
            raise ValueError("energy a cycle needs the 'clock' that says how long a cycle is")
        if self.preemption == "tile" and self.tile_ps is None:
            raise ValueError("preemption at tiles needs the 'tile' that says how long one is, such as '1 ms'")
        return self


KIND = Processor
