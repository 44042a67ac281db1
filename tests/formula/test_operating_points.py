"""Operating points: the clock by the alpha-power law, energies by C V², leakage log-linear; and published points."""

from __future__ import annotations

from fractions import Fraction
from math import log
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tlm3d.blocks.cnn_accelerator import CnnAccelerator
from tlm3d.blocks.processor import Processor
from tlm3d.simulation import simulate
from tlm3d.spec.pair import read_pair
from tlm3d.spec.points import threshold_v

GOOD = Path(__file__).parents[1] / "cli" / "good"
# PULPv1, 28 nm FD-SOI, 4 cores: Rossi et al., S3S 2015.
PULPV1 = [{"voltage": "0.44 V", "clock": "1.8 MHz"}, {"voltage": "1.2 V", "clock": "475 MHz"}]
# GAP9, cluster: MLPerf Tiny v1.0 runs at 0.65 V and 240 MHz; the peak is 370 MHz at 0.8 V.
GAP9 = [{"voltage": "0.65 V", "clock": "240 MHz"}, {"voltage": "0.8 V", "clock": "370 MHz"}]
PJ = 10**6  # aJ


def array(voltage: str, points: Any, **keys: Any) -> CnnAccelerator:
    keys = {"kind": "cnn-accelerator", "array": ["4", "4"], "local": "8 KiB", **keys}
    return CnnAccelerator.model_validate({**keys, "points": points, "voltage": voltage})


def mhz(voltage: str, points: Any, **keys: Any) -> float:
    return float(array(voltage, points, **keys).clock_hz) / 10**6


@pytest.mark.parametrize("points", [PULPV1, GAP9])
@pytest.mark.parametrize("alpha", ["1", "1.3", "1.9"])
def test_a_published_point_is_met_exactly_whatever_the_exponent(points: Any, alpha: str) -> None:
    for point in points:
        clock_hz = array(point["voltage"], points, alpha=alpha).clock_hz
        assert clock_hz == Fraction(point["clock"].removesuffix(" MHz")) * 10**6


def test_between_the_points_of_gap9_the_clock_is_worked_by_hand() -> None:
    # r = (370 x 0.8 / 240 x 0.65)^(1/1.3) = 1.63664 and Vt = (1.63664 x 0.65 - 0.8) / 0.63664 = 0.41442 V; at 0.7 V
    # ((0.7 - Vt) / (0.65 - Vt))^1.3 x 0.65 / 0.7 = 1.21224^1.3 x 0.92857 = 1.19256, times 240 MHz.
    chip = array("0.7 V", GAP9)
    assert float(threshold_v(*chip.points, chip.alpha)) == pytest.approx(0.41442, abs=1e-5)
    assert float(chip.clock_hz) / 10**6 == pytest.approx(286.21, abs=0.01)
    assert chip.clock_hz.denominator == 1  # whole Hz


def test_the_clock_is_taken_down_to_a_whole_hz() -> None:
    # An alpha of 1 makes V f linear: half way, 1.1 V, it is (100 + 210) / 2 MV/s, so that f = 140 909 090.909… Hz.
    points = [{"voltage": "1 V", "clock": "100 MHz"}, {"voltage": "1.2 V", "clock": "175 MHz"}]
    assert array("1.1 V", points, alpha="1").clock_hz == 140_909_090


def test_a_straight_line_between_the_points_of_gap9_would_be_two_percent_lower_at_most() -> None:
    # The law bends little over 150 mV: it says what a line says, within what a chip varies.
    for millivolts in range(650, 801, 10):
        line = 240 + (370 - 240) * (millivolts - 650) / 150
        assert 1 <= mhz(f"{millivolts} mV", GAP9) / line < 1.02


def test_from_the_threshold_up_two_points_overrate_the_clock_of_pulpv1() -> None:
    # 0.44 V is below the threshold, where the current is exponential: the fit puts Vt at 0.435 V and 46 MHz at 0.5 V,
    # 7 times the 6.4 MHz that PULPv1 reaches at 0.5 V even with 0.5 V of forward body bias. A point there mends it.
    assert mhz("0.5 V", PULPV1) == pytest.approx(46.1, abs=0.1)
    mended = [PULPV1[0], {"voltage": "0.5 V", "clock": "6.4 MHz"}, PULPV1[1]]
    assert mhz("0.5 V", mended) == 6.4
    assert mhz("0.47 V", mended) < 6.4
    # Towards the top both agree: what is overrated is the neighbourhood of the threshold.
    assert mhz("1.1 V", mended) == pytest.approx(mhz("1.1 V", PULPV1), rel=0.02)


def test_an_energy_stated_once_goes_with_the_square_of_the_voltage() -> None:
    energy = {"cycle": "20 pJ/cycle", "mac": "0.4 pJ/MAC"}
    chip = array("0.65 V", GAP9, energy=energy, energy_at="0.8 V")
    assert chip.energy.aj_per_cycle == 20 * PJ * Fraction(65, 80) ** 2
    assert chip.energy.aj_per_mac == Fraction(2, 5) * PJ * Fraction(65, 80) ** 2
    assert array("0.8 V", GAP9, energy=energy, energy_at="0.8 V").energy.aj_per_cycle == 20 * PJ


def test_an_energy_stated_at_points_is_exact_there_and_its_capacitance_linear_between() -> None:
    points = [
        {"voltage": "0.5 V", "clock": "100 MHz", "energy": {"cycle": "5 pJ/cycle"}},  # 20 pF
        {"voltage": "1 V", "clock": "400 MHz", "energy": {"cycle": "24 pJ/cycle"}},  # 24 pF
        {"voltage": "1.2 V", "clock": "500 MHz"},
    ]
    found = {v: array(f"{v} V", points).energy.aj_per_cycle / PJ for v in ("0.5", "0.75", "1", "1.2")}
    assert found["0.5"] == 5
    assert found["0.75"] == 22 * Fraction(3, 4) ** 2
    assert found["1"] == 24
    assert found["1.2"] == 24 * Fraction(6, 5) ** 2


def test_leakage_between_points_is_their_geometric_mean_half_way() -> None:
    points = [GAP9[0] | {"leakage": "1 mW"}, GAP9[1] | {"leakage": "4 mW"}]
    assert [array(v, points).leakage_nw for v in ("0.65 V", "725 mV", "0.8 V")] == [10**6, 2 * 10**6, 4 * 10**6]
    assert array("0.7 V", points).leakage_nw == pytest.approx(10**6 * 4 ** (1 / 3), abs=1)
    # Without it at the points the block's own holds at every voltage.
    assert array("0.7 V", GAP9, leakage="3 mW").leakage_nw == 3 * 10**6


def test_a_block_at_another_of_its_voltages_is_the_block_that_was_read_there() -> None:
    keys: dict[str, Any] = {"energy": {"cycle": "20 pJ"}, "energy_at": "0.8 V"}
    points = [GAP9[0] | {"leakage": "1 mW"}, GAP9[1] | {"leakage": "4 mW"}]
    slow, fast = array("0.65 V", points, **keys), array("0.8 V", points, **keys)
    assert slow.running_at(Fraction(4, 5)) == fast
    assert fast.running_at(Fraction(13, 20)) == slow
    point = slow.operating_point
    assert point is not None
    assert (point.voltage_v, point.clock_hz, point.leakage_nw) == (Fraction(13, 20), 240 * 10**6, 10**6)
    assert point.energy == slow.energy
    with pytest.raises(ValueError, match=r"within the given points, 0\.65 V to 0\.8 V, got 0\.9 V"):
        slow.running_at(Fraction(9, 10))
    with pytest.raises(ValueError, match="without points"):
        Processor.model_validate({"kind": "processor"}).running_at(Fraction(1))


def test_what_a_point_has_no_energy_for_is_refused() -> None:
    point = GAP9[0] | {"energy": {"mac": "1 pJ/MAC"}}
    with pytest.raises(ValidationError, match="Extra inputs"):
        Processor.model_validate({"kind": "processor", "points": [point], "voltage": "0.65 V"})


def test_a_run_at_a_lower_voltage_is_slower_and_its_computing_costs_the_square_less() -> None:
    settings = [
        "dies.logic.blocks.cluster.clock=100 MHz",
        "dies.logic.blocks.cluster.points=[{voltage: 0.5 V, clock: 50 MHz}, {voltage: 1 V, clock: 100 MHz}]",
        "dies.logic.blocks.cluster.energy_at=1 V",
    ]
    runs = []
    for voltage, clock in (("1 V", "100 MHz"), ("0.5 V", "50 MHz")):
        at = [f"dies.logic.blocks.cluster.voltage={voltage}", f"dies.logic.blocks.cluster.clock={clock}"]
        pair = read_pair(str(GOOD / "platform.yaml"), str(GOOD / "workload.yaml"), [*settings, *at])
        runs.append(simulate(*pair, horizon="20 ms"))
    computing = [
        {(s.task, s.index): s for s in run.recording.spans if s.component.name == "cluster" and s.what == "compute"}
        for run in runs
    ]
    assert computing[0].keys() == computing[1].keys() != set()
    for job, at_1_v in computing[0].items():
        at_half_v = computing[1][job]
        assert at_half_v.energy_aj == pytest.approx(at_1_v.energy_aj / 4, abs=1)
        assert at_half_v.end_ps - at_half_v.start_ps == 2 * (at_1_v.end_ps - at_1_v.start_ps)


# ------------------------------------------------------------------ laws


@given(
    st.lists(st.tuples(st.integers(1, 500), st.integers(1, 10**9)), min_size=2, max_size=4),
    st.integers(10, 20),
    st.data(),
)
def test_the_clock_rises_with_the_voltage_and_stays_between_its_neighbours(
    rises: list[tuple[int, int]], tenths: int, data: st.DataObject
) -> None:
    millivolts, hertz, points = 200, 1000, []
    for volts_up, hertz_up in rises:
        millivolts, hertz = millivolts + volts_up, hertz + hertz_up
        points.append({"voltage": f"{millivolts} mV", "clock": f"{hertz} Hz"})
    alpha = f"{tenths / 10}"
    low, high = int(points[0]["voltage"][:-3]), millivolts
    try:
        array(f"{low} mV", points, alpha=alpha)
    except ValidationError:
        with pytest.raises(ValidationError, match=r"rises too little .*; give a smaller one"):
            array(f"{low} mV", points, alpha=alpha)
        alpha = "1"  # which joins any points that rise
    chosen = sorted(data.draw(st.lists(st.integers(low, high), min_size=2, max_size=6)))
    clocks = [array(f"{mv} mV", points, alpha=alpha).clock_hz for mv in chosen]
    assert clocks == sorted(clocks)
    for mv, clock in zip(chosen, clocks, strict=True):
        below = [p for p in points if int(p["voltage"][:-3]) <= mv][-1]
        above = next(p for p in points if int(p["voltage"][:-3]) >= mv)
        assert int(below["clock"][:-3]) <= clock <= int(above["clock"][:-3])


@given(st.integers(1, 10**9), st.integers(1, 10**9), st.integers(650, 800))
def test_the_logarithm_of_leakage_is_linear_in_the_voltage(low_nw: int, high_nw: int, millivolts: int) -> None:
    points = [GAP9[0] | {"leakage": f"{low_nw} nW"}, GAP9[1] | {"leakage": f"{high_nw} nW"}]
    found = array(f"{millivolts} mV", points).leakage_nw
    exact = log(low_nw) + (log(high_nw) - log(low_nw)) * (millivolts - 650) / 150
    assert log(found) == pytest.approx(exact, abs=1e-9 + 1 / min(low_nw, high_nw))
    assert min(low_nw, high_nw) <= found <= max(low_nw, high_nw)
