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
PLATFORMS = sorted([*ROOT.glob("platforms/*.yaml"), *ROOT.glob("platforms/silicon/*.yaml")])
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
@pytest.mark.parametrize(
    "platform",
    PLATFORMS,
    ids=lambda path: path.stem,
)
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


FITTED = """\
small-stack · 2 fitted parameters

 parameter                            value  fitted to                                         line
 dies.logic.blocks.cluster.clock    100 MHz  small/one/time/*                                    23
 dies.logic.blocks.cluster.leakage    70 uW  small/one/power/idle*, small/another/power/idle*    29
"""
NARROW = """\
small-stack · 2 fitted parameters

 parameter                          value fitted to                         line
 dies.logic.blocks.cluster.clock  100 MHz small/one/time/*                    23
 dies.logic.blocks.cluster.         70 uW small/one/power/idle*, small/       29
 leakage                                  another/power/idle*
"""


@pytest.fixture
def with_fits(tmp_path: Path) -> Path:
    """The platform in good/ with two numbers that its comments call fitted."""
    text = (ROOT / "tests" / "cli" / "good" / "platform.yaml").read_text(encoding="utf-8")
    for number, rows in {
        "        clock: 100 MHz\n        l1:": "fitted: small/one/time/*",
        "        leakage: 60 uW\n      l2:": "measured; fitted: small/one/power/idle*, small/another/power/idle*",
    }.items():
        assert text.count(number) == 1
        text = text.replace(number, number.replace("\n", f"  # {rows}\n"))
    file = tmp_path / "fits.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_fitted_parameters_with_their_rows(
    tlm3d: Command, monkeypatch: pytest.MonkeyPatch, with_fits: Path
) -> None:
    for columns, expected in (("120", FITTED), ("80", NARROW)):
        monkeypatch.setenv("COLUMNS", columns)
        leak = "dies.logic.blocks.cluster.leakage=70 uW"
        result = tlm3d("show", with_fits, "--fitted", "--set", leak)
        assert (result.exit_code, result.stderr) == (0, "")
        assert result.stdout == expected


def test_json_of_the_fitted_parameters(tlm3d: Command, with_fits: Path) -> None:
    document = json.loads(tlm3d("show", with_fits, "--fitted", "--json", "-").stdout)
    assert document[0] == {
        "path": "dies.logic.blocks.cluster.clock",
        "value": "100 MHz",
        "rows": ["small/one/time/*"],
        "line": 23,
    }


def test_a_platform_without_fitted_parameters_says_so(tlm3d: Command) -> None:
    assert tlm3d("show", "good/platform.yaml", "--fitted").stdout == "small-stack · no parameter is fitted\n"
    assert tlm3d("show", "good/platform.yaml", "--fitted", "--json", "-").stdout == "[]\n"


def test_a_comment_on_several_numbers_is_refused_at_its_place(tlm3d: Command, with_fits: Path) -> None:
    text = with_fits.read_text(encoding="utf-8").replace("1 pJ/MAC}", "1 pJ/MAC}  # fitted: small/*")
    with_fits.write_text(text, encoding="utf-8")
    result = tlm3d("show", with_fits, "--fitted")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"error: {with_fits}:27:54: 'fitted' belongs to one number, and line 27 has 2\n"


def test_what_no_file_states_is_listed_with_what_it_follows_from(
    tlm3d: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    scaled = "{value: 0.05 pJ/bit, at: {node: 45 nm, voltage: 0.9 V}, to: {node: 28 nm, voltage: 0.6 V}}"
    sram = "{kind: sram, capacity: 128 KiB, rate: 1 Gbit/s, write: 1 pJ/bit, voltage: 0.9 V}"
    settings = ("--set", f"links.tsv.energy={scaled}", "--set", f"dies.npu.blocks.l2={sram}")
    result = tlm3d("show", "good/platform.yaml", *settings)
    assert (result.exit_code, result.stderr) == (0, "")
    _, _, listed = result.stdout.partition("\nDerived numbers\n")
    # 5.9198 pJ for 64 bits at 0.8 V, times 0.21987 / 0.18020 to 0.9 V at 22 nm; 37 nW/KiB x 128.
    assert listed.splitlines() == [
        " links.tsv.energy = 0.01521 pJ/bit: 0.05 pJ/bit at 45 nm, 0.9 V × 0.3042 for 28 nm, 0.6 V",
        " dies.npu.blocks.l2.read = 0.1129 pJ/bit: CACTI 7 law for 128 KiB, 64 bit for 22 nm, 0.9 V",
        " dies.npu.blocks.l2.leakage = 4.736 uW: 37 nW/KiB for 22 nm, 0.8 V, 37 °C",
    ]
    document = json.loads(tlm3d("show", "good/platform.yaml", *settings, "--json", "-").stdout)
    assert [one["path"] for one in document["derived"]] == [
        "links.tsv.energy",
        "dies.npu.blocks.l2.read",
        "dies.npu.blocks.l2.leakage",
    ]
    assert document["derived"][0]["given"] == "0.05 pJ/bit at 45 nm, 0.9 V"


def test_a_block_shows_the_voltage_it_runs_at_and_the_clock_there(tlm3d: Command) -> None:
    block = "dies.npu.blocks.array"
    points = f"{block}.points=[{{voltage: 0.65 V, clock: 240 MHz}}, {{voltage: 0.8 V, clock: 370 MHz}}]"
    at = ("--set", points, "--set", f"{block}.voltage=0.7 V")
    refused = tlm3d("show", "good/platform.yaml", *at)
    assert refused.stderr.endswith("'clock' is not that of the points at 0.7 V: leave it out\n")
    given = ("--set", f"{block}.voltage=0.65 V", "--set", f"{block}.clock=240 MHz")
    assert "240 MHz · 0.65 V" in tlm3d("show", "good/platform.yaml", *at, *given).stdout


DIANA = ROOT / "platforms" / "silicon" / "diana.yaml"


def test_a_block_is_drawn_with_what_it_says_of_itself(tlm3d: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    # 7 + 1.5 + log2 1152 bits, of which 6 over their full range leave nothing.
    drawn = tlm3d("show", DIANA).stdout
    assert all(part in drawn for part in ("16.9 TOPS peak", "6 bit ADC", "18.7 bits needed", "0 effective bits"))
    assert max(map(cell_len, drawn.splitlines())) <= 80
    document = json.loads(tlm3d("show", DIANA, "--set", "dies.soc.blocks.analog.adc.sigmas=4", "--json", "-").stdout)
    facts = {block["name"]: block["facts"] for die in document["dies"] for block in die["blocks"]}
    # 2 · 1152 · 512 op in 70 ns
    assert facts["analog"] == {"peak_tops": 16.852114, "adc_bits": 6, "bits_needed": 18.67, "effective_bits": 4.5}
    assert facts["digital"] == facts["l2"] == {}
