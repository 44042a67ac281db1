"""Memories by law: against the fits they come from, published parts, and each other."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tlm3d.blocks.dram import Dram
from tlm3d.blocks.emram import Emram
from tlm3d.blocks.memory import Memory
from tlm3d.blocks.sram import Sram
from tlm3d.model.topology import Topology
from tlm3d.simulation import simulate
from tlm3d.spec.pair import read_pair, read_platform
from tlm3d.spec.platform import load_platform
from tlm3d.technology.scaling import Place, energy_ratio

ROOT = Path(__file__).parents[2]
GOOD = ROOT / "tests" / "cli" / "good"
PJ = 10**6  # aJ
UW = 10**3  # nW


def sram(capacity: str, corner: str = "typical", **keys: Any) -> Sram:
    tree = {"kind": "sram", "capacity": capacity, "rate": "1 Gbit/s", **keys}
    return Sram.model_validate(tree, context={"corner": corner})


def dram(technology: str, capacity: str = "8 MiB", corner: str = "typical", **keys: Any) -> Dram:
    tree = {"kind": "dram", "technology": technology, "capacity": capacity, "rate": "333 Mbit/s", "lanes": "8", **keys}
    return Dram.model_validate(tree, context={"corner": corner})


# ------------------------------------------------------------------ SRAM

# 1.7 pJ (S / 8 KiB)^0.45 at 22 nm and 0.8 V, 6.2 pJ (S / 8 KiB)^0.41 at 45 nm, for 64 bits.
BY_HAND = [
    ("22 nm", "0.8 V", "8 KiB", 1.7),
    ("22 nm", "0.8 V", "128 KiB", 5.9198),  # 16^0.45 = 3.4822
    ("22 nm", "0.8 V", "2 MiB", 20.614),  # 256^0.45 = 12.1257
    ("45 nm", "1 V", "8 KiB", 6.2),
    ("45 nm", "1 V", "128 KiB", 19.323),  # 16^0.41 = 3.1167
]


@pytest.mark.parametrize(("node", "voltage", "capacity", "access_pj"), BY_HAND)
def test_an_access_costs_what_the_fit_says(node: str, voltage: str, capacity: str, access_pj: float) -> None:
    memory = sram(capacity, node=node, voltage=voltage, leakage="1 uW")
    assert float(64 * memory.read_aj_per_bit / PJ) == pytest.approx(access_pj, rel=1e-4)
    assert memory.write_aj_per_bit == memory.read_aj_per_bit


@pytest.mark.parametrize("die", ["logic", "npu"])
def test_the_law_says_what_the_shipped_platform_worked_out_by_hand(die: str) -> None:
    by_hand = load_platform(ROOT / "platforms" / "three_tier_vision.yaml").dies[die].blocks["l2"]
    assert isinstance(by_hand, Memory)
    memory = sram(f"{by_hand.capacity_bits} bit")
    assert float(memory.read_aj_per_bit) == pytest.approx(float(by_hand.read_aj_per_bit), rel=0.015)  # two digits
    assert memory.leakage_nw == pytest.approx(by_hand.leakage_nw, rel=0.015)


@pytest.mark.parametrize(("corner", "leakage_uw"), [("low", 67.584), ("typical", 75.776), ("high", 83.968)])
def test_leakage_goes_with_the_capacity_and_by_the_corner(corner: str, leakage_uw: float) -> None:
    assert sram("2 MiB", corner).leakage_nw == leakage_uw * UW
    assert sram("1 MiB", corner).leakage_nw == leakage_uw * UW / 2


def test_mr_wolf_keeps_512_kb_for_108_uw() -> None:
    gated = {"gated": {"wake_time": "1 us"}}
    chip = sram("512 KiB", "high", node="40 nm", leakage="1 mW", states=gated)
    assert chip.states.gated is not None
    assert chip.states.gated.power_nw == pytest.approx(108 * UW, rel=0.005)
    # What is kept draws no more than what is on, whatever other chips need.
    leaky = sram("512 KiB", "high", states=gated)
    assert leaky.states.gated is not None
    assert leaky.states.gated.power_nw == leaky.leakage_nw == 41 * 512
    stated = sram("512 KiB", states={"gated": {"wake_time": "1 us", "power": "0 W"}})
    assert stated.states.gated is not None
    assert stated.states.gated.power_nw == 0


def test_the_two_laws_of_cactis_nodes_are_near_what_a_gate_scales_by() -> None:
    # Carried to 22 nm and 0.8 V, the law of 45 nm is a third lower at 8 KiB: gates scale faster than arrays and wires.
    ratio = float(energy_ratio(Place(Fraction(45), Fraction(1)), Place(Fraction(22), Fraction(8, 10))))
    assert 6.2 * ratio / 1.7 == pytest.approx(0.646, abs=0.001)


@pytest.mark.parametrize(("word", "share"), [("8", 8), ("32", 2), ("64", 1), ("96", Fraction(4, 3)), ("256", 1)])
def test_a_word_takes_whole_accesses_of_64_bits(word: str, share: Fraction) -> None:
    assert sram("64 KiB", word=word).read_aj_per_bit == share * sram("64 KiB").read_aj_per_bit


@pytest.mark.parametrize("node", ["22 nm", "28 nm", "45 nm"])
def test_a_voltage_scales_as_a_gate_of_that_node_does(node: str) -> None:
    low, high = (sram("64 KiB", node=node, voltage=v, leakage="1 uW").read_aj_per_bit for v in ("0.7 V", "0.9 V"))
    places = [Place(Fraction(node.removesuffix(" nm")), Fraction(v, 10)) for v in (7, 9)]
    assert high / low == energy_ratio(*places)


@given(st.integers(4, 8192), st.integers(4, 8192), st.integers(22, 45))
def test_a_larger_memory_costs_more_a_bit_but_less_than_in_proportion(a: int, b: int, node: int) -> None:
    small, large = sorted((a, b))
    costs = [sram(f"{kib} KiB", node=f"{node} nm", leakage="1 uW").read_aj_per_bit for kib in (small, large)]
    assert (costs[0] < costs[1]) == (small < large)
    assert costs[1] * small <= costs[0] * large


def test_what_is_given_goes_before_the_law_and_is_not_derived() -> None:
    memory = sram("2 MiB", read="1 pJ/bit", leakage="5 uW")
    assert (memory.read_aj_per_bit, memory.leakage_nw) == (PJ, 5 * UW)
    assert [one.key for one in memory.derived] == ["write"]
    beyond = sram("64 MiB", node="7 nm", read="1 pJ/bit", write="2 pJ/bit", leakage="5 uW")
    assert (beyond.write_aj_per_bit, beyond.derived) == (2 * PJ, ())


@pytest.mark.parametrize(
    ("capacity", "keys", "message"),
    [
        ("2 KiB", {}, "holds for a capacity of 4 KiB to 8 MiB, not 2 KiB"),
        ("16 MiB", {"read": "1 pJ/bit"}, "holds for a capacity of 4 KiB to 8 MiB, not 16384 KiB"),
        ("64 KiB", {"node": "65 nm"}, "holds from 22 nm to 45 nm, not at 65 nm"),
        ("64 KiB", {"node": "16 nm"}, "holds from 22 nm to 45 nm, not at 16 nm"),
        ("64 KiB", {"voltage": "0.5 V"}, r"expected a voltage of 0\.6 V to 1\.05 V at 22 nm, got 0\.5 V"),
        ("64 KiB", {"node": "28 nm"}, "missing key 'leakage': the figure for leakage is of 22 nm"),
    ],
)
def test_where_the_law_ends_the_numbers_must_be_given(capacity: str, keys: dict[str, str], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        sram(capacity, **keys)


# ------------------------------------------------------------------ MRAM


@pytest.mark.parametrize(
    ("corner", "read", "write"), [("low", "2.5", "25"), ("typical", "4", "25"), ("high", "32", "62")]
)
def test_mram_costs_what_published_macros_do(corner: str, read: str, write: str) -> None:
    tree = {"kind": "emram", "capacity": "2 MiB", "rate": "1 Gbit/s", "states": {"gated": {"wake_time": "1 us"}}}
    memory = Emram.model_validate(tree, context={"corner": corner})
    assert (memory.read_aj_per_bit, memory.write_aj_per_bit) == (Fraction(read) * PJ, Fraction(write) * PJ)
    assert memory.states.gated is not None
    assert (memory.leakage_nw, memory.states.gated.power_nw) == (0, 0)


def test_weights_in_mram_need_not_be_loaded() -> None:
    boot = []
    for kind in ("memory", "emram"):
        l2 = f"dies.npu.blocks.l2={{kind: {kind}, capacity: 32 KiB, rate: 1 Gbit/s}}"
        pair = read_pair(str(GOOD / "platform.yaml"), str(GOOD / "workload.yaml"), [l2])
        boot.append(simulate(*pair, horizon="20 ms").recording.boot_bytes)
    conv_and_fc = 4 * 3 * 3 + 4 * 4 + 2 * 16 * 16 * 4 + 2 * 4  # 8-bit weights, 32-bit biases
    assert boot == [conv_and_fc, 0]


# ------------------------------------------------------------------ DRAM


@pytest.mark.parametrize(
    ("technology", "pj_per_bit"),
    [("hyperram", ("50", "110", "125")), ("lpddr4", ("4", "8", "10")), ("hbm2", ("3.4", "3.9", "6.25"))],
)
def test_a_technology_has_its_energies_by_the_corner(technology: str, pj_per_bit: tuple[str, str, str]) -> None:
    for corner, energy in zip(("low", "typical", "high"), pj_per_bit, strict=True):
        memory = dram(technology, corner=corner)
        assert memory.read_aj_per_bit == memory.write_aj_per_bit == Fraction(energy) * PJ


def test_the_current_of_a_hyperram_part_fits_below_its_energy_with_the_link() -> None:
    # S27KS0641: 60 mA at most at 1.8 V while 333 MB/s burst. 324 pJ a byte, without the controller and its pads.
    part_pj_per_byte = 60e-3 * 1.8 / 333e6 * 1e12
    assert part_pj_per_byte == pytest.approx(324, abs=1)
    assert 0.7 < part_pj_per_byte / float(8 * dram("hyperram", corner="low").read_aj_per_bit / PJ) < 1


@pytest.mark.parametrize(("technology", "access_ps"), [("hyperram", 56_000), ("lpddr4", 18_000), ("hbm2", 14_000)])
@pytest.mark.parametrize("burst", [64, 1024])
def test_every_burst_pays_the_first_access_and_then_its_bits(technology: str, access_ps: int, burst: int) -> None:
    l2 = f"{{kind: dram, technology: {technology}, capacity: 8 MiB, lanes: 8, rate: 1 Gbit/s, burst: {burst} B}}"
    platform = read_platform(str(GOOD / "platform.yaml"), [f"dies.npu.blocks.l2={l2}"])
    assert Topology(platform).channels["npu.l2"].burst_ps(burst) == access_ps + burst * 1000


def test_refresh_goes_with_the_capacity_and_goes_on_when_gated() -> None:
    gated = {"gated": {"wake_time": "1 us"}}
    # 300 uA at 1.8 V for 8 MiB; 750 uA at 1.8 V for 128 MiB, 1200 uA hot.
    assert dram("hyperram").leakage_nw == 540 * UW
    assert dram("lpddr4", "128 MiB").leakage_nw == 1350 * UW
    assert dram("lpddr4", "128 MiB", "high").leakage_nw == 2160 * UW
    half = dram("hyperram", "4 MiB", states=gated)
    assert half.states.gated is not None
    assert half.leakage_nw == half.states.gated.power_nw == 270 * UW
    assert dram("hbm2").leakage_nw == 0
    assert [one.key for one in dram("hyperram", access="1 ns", leakage="1 W", read="1 pJ/bit").derived] == ["write"]


@pytest.mark.parametrize("corner", ["low", "typical", "high"])
def test_a_file_is_filled_in_at_its_corner(corner: str) -> None:
    l2 = "dies.npu.blocks.l2={kind: dram, technology: lpddr4, capacity: 8 MiB, rate: 1 Gbit/s}"
    block = read_platform(str(GOOD / "platform.yaml"), [l2], corner).dies["npu"].blocks["l2"]
    assert isinstance(block, Dram)
    assert block.read_aj_per_bit == dram("lpddr4", corner=corner).read_aj_per_bit
