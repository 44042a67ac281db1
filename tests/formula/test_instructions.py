"""Stages stated in instructions: cycles by the cycles an instruction takes, rounded up once."""

from __future__ import annotations

import pytest
from reference.systems import Case

US = 10**6  # ps


@pytest.mark.parametrize(("cpi", "instructions", "cycles"), [("1", 700, 700), ("1.25", 700, 875), ("1.3", 7, 10)])
def test_instructions_take_their_cycles_and_the_energy_of_those(cpi: str, instructions: int, cycles: int) -> None:
    core = {"kind": "processor", "clock": "1 MHz", "cpi": cpi, "energy": {"cycle": "3 pJ/cycle"}}
    platform = {"name": "one-core", "dies": {"d": {"tier": 0, "blocks": {"core": core}}}}
    task = {"stages": [{"on": "core", "instructions": str(instructions)}], "period": "1 ms"}
    recording = Case(platform, {"name": "one", "tasks": {"t": task}}, {}, "edf", 1000 * US - 1).run()
    (job,) = recording.jobs
    assert job.finish_ps == cycles * US
    assert sum(span.energy_aj for span in recording.spans) == cycles * 3 * 10**6
