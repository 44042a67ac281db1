"""`tlm3d show`: the drawing of the platform in good/, exactly, and of those that are shipped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len

if TYPE_CHECKING:
    from cli.conftest import Command

ROOT = Path(__file__).parents[2]
DRAWN = """\
small-stack · 3 dies · 5 blocks · 2 links

tier 2 ┌─ pixel ───────────────────────────────────────────────────────────────┐
       │ camera  mixed-signal  64 × 64 pixels · 100 fps · 8 bit · 3 modes      │
       └───────────────────────────────────────────────────────────────────────┘
         ↕ bond  hybrid-bond  0.1 Gbit/s each way · 0 pJ/bit · 1 ns
tier 1 ┌─ logic ───────────────────────────────────────────────────────────────┐
       │ cluster  riscv-cluster  2 cores · 100 MHz · 16 KiB local              │
       │ l2       memory         16 KiB · 1 Gbit/s                             │
       └───────────────────────────────────────────────────────────────────────┘
         ↕ tsv  tsv  0.8 Gbit/s each way · 0.05 pJ/bit · 1 ns
tier 0 ┌─ npu ─────────────────────────────────────────────────────────────────┐
       │ array  cnn-accelerator  4 × 4 MAC · 100 MHz · 8 KiB local             │
       │ l2     memory           32 KiB · 1 Gbit/s                             │
       └───────────────────────────────────────────────────────────────────────┘

Power limits
 5.00 mW averaged over any 10.0 ms, at the rail
"""


def test_the_drawing(tlm3d: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    result = tlm3d("show", "good/platform.yaml", "--set", "links.tsv.lanes=8")  # the rate of all lanes is shown
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == DRAWN


@pytest.mark.parametrize(("columns", "at_most"), [("80", 80), ("120", 100)])
@pytest.mark.parametrize("platform", sorted((ROOT / "platforms").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_platform_that_is_shipped_fits_the_terminal(
    tlm3d: Command, monkeypatch: pytest.MonkeyPatch, platform: Path, columns: str, at_most: int
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    result = tlm3d("show", platform)
    assert (result.exit_code, result.stderr) == (0, "")
    assert max(map(cell_len, result.stdout.splitlines())) <= at_most


def test_json_has_the_facts_in_base_units(tlm3d: Command) -> None:
    document = json.loads(tlm3d("show", "good/platform.yaml", "--json", "-").stdout)
    assert [die["name"] for die in document["dies"]] == ["pixel", "logic", "npu"]
    (tsv,) = [link for link in document["links"] if link["name"] == "tsv"]
    assert (tsv["ends"], tsv["rate_bps"], tsv["pj_per_bit"], tsv["latency_ps"]) == (["logic", "npu"], 1e8, 0.05, 1000)
