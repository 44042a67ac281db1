"""The energy fits of Stillmaker and Baas against C V², between nodes, and where they end."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlm3d.technology.scaling import FITS, PROCESSES, Fit, Place, energy_ratio

# Nominal supplies of the predictive transistor models that the fits were made with.
NOMINAL_V = {
    "low-power": {130: 1.3, 90: 1.2, 65: 1.1, 45: 1.1, 32: 1.0, 20: 0.9, 16: 0.85, 14: 0.8, 10: 0.75, 7: 0.7},
    "high-performance": {130: 1.3, 90: 1.2, 65: 1.1, 45: 1.0, 32: 0.9, 20: 0.9, 16: 0.85, 14: 0.8, 10: 0.75, 7: 0.7},
}
ALL = [(process, node) for process in PROCESSES for node in FITS[process]]


def capacitance(fit: Fit, voltage_v: float) -> float:
    return float(fit.energy(Fraction(voltage_v))) / voltage_v**2


@pytest.mark.parametrize(("process", "node"), ALL)
def test_a_fit_is_used_where_it_rises_and_is_near_to_c_v_squared(process: str, node: int) -> None:
    fit, nominal_v = FITS[process][node], NOMINAL_V[process][node]

    def holds(voltage_v: float) -> bool:
        rises = 2 * fit.a * Fraction(voltage_v) + fit.b > 0
        return rises and 1 / 1.5 <= capacitance(fit, voltage_v) / capacitance(fit, nominal_v) <= 1.5

    low_v, high_v = float(fit.low_v), float(fit.high_v)
    assert all(holds(mv / 1000) for mv in range(round(1000 * low_v), round(1000 * high_v) + 1, 10))
    assert low_v == pytest.approx(0.4) or not holds(low_v - 0.05)  # it starts no later than it must
    assert high_v <= 1.2 * nominal_v + 1e-9
    assert high_v + 0.05 > 1.2 * nominal_v


@pytest.mark.parametrize(("process", "node"), ALL)
def test_from_seven_tenths_of_the_nominal_voltage_up_the_energy_goes_with_its_square(process: str, node: int) -> None:
    fit, nominal_v = FITS[process][node], NOMINAL_V[process][node]
    for tenths in (7, 8, 9, 10, 11, 12):
        ratio = capacitance(fit, tenths / 10 * nominal_v) / capacitance(fit, nominal_v)
        assert ratio == pytest.approx(1, abs=0.27)


def test_a_scaled_energy_worked_by_hand() -> None:
    # 45 nm at 0.9 V: 1.103 x 0.81 - 0.362 x 0.9 + 0.2767 = 0.84433. At 0.6 V 32 nm has 0.9559 x 0.36 - 0.7823 x 0.6 +
    # 0.471 = 0.345744, 20 nm 0.0791620; 28 nm is a third of the way down: 0.2568833. The ratio is 0.304245.
    ratio = energy_ratio(Place(Fraction(45), Fraction(9, 10)), Place(Fraction(28), Fraction(6, 10)))
    assert float(ratio) == pytest.approx(0.304245, rel=1e-5)


def test_from_45_to_7_nm_a_gate_gains_far_more_than_published_arithmetic_does() -> None:
    # Jouppi et al., ISCA 2021 (recalled): 0.2 to 0.07 pJ for an int8 multiplication, 0.03 to 0.007 for an addition.
    # The fit knows no wires: it is a bound from below for such a step, and the documentation says so.
    at, to = Place(Fraction(45), Fraction(9, 10)), Place(Fraction(7), Fraction(7, 10))
    published = {"int8 mult": 0.07 / 0.2, "int8 add": 0.007 / 0.03}
    assert all(float(energy_ratio(at, to)) < ratio / 2 for ratio in published.values())
    gains = [1 / float(energy_ratio(Place(*at[:2], process), Place(*to[:2], process))) for process in PROCESSES]
    assert [round(gain) for gain in gains] == [20, 15]


@pytest.mark.parametrize("process", PROCESSES)
def test_at_one_voltage_a_smaller_node_takes_less(process: str) -> None:
    for larger, smaller in pairwise(FITS[process]):
        fits = FITS[process][larger], FITS[process][smaller]
        low_v, high_v = max(fit.low_v for fit in fits), min(fit.high_v for fit in fits)
        for voltage_v in (low_v, (low_v + high_v) / 2, high_v):
            assert fits[0].energy(voltage_v) > fits[1].energy(voltage_v)


nodes = st.fractions(7, 65, max_denominator=4)
voltages = st.fractions(Fraction(6, 10), Fraction(8, 10), max_denominator=100)
places = st.builds(Place, nodes, voltages, st.sampled_from(PROCESSES))


@given(places, places, places)
def test_there_and_on_is_the_same_as_straight_there(a: Place, b: Place, c: Place) -> None:
    assert energy_ratio(a, b) * energy_ratio(b, c) == energy_ratio(a, c)
    assert energy_ratio(a, a) == 1


@given(places, st.fractions(Fraction(6, 10), Fraction(8, 10), max_denominator=100))
def test_a_higher_voltage_takes_more(place: Place, voltage_v: Fraction) -> None:
    ratio = energy_ratio(place, place._replace(voltage_v=voltage_v))
    assert (ratio > 1) == (voltage_v > place.voltage_v)


@given(st.sampled_from(ALL), st.integers(0, 10))
def test_a_node_between_two_lies_between_them(fit: tuple[str, int], tenths: int) -> None:
    process, node = fit
    smaller = max((other for other in FITS[process] if other < node), default=node)
    between = Place(node + Fraction(smaller - node) * tenths / 10, Fraction(3, 4), process)
    ratio = energy_ratio(between, Place(Fraction(node), Fraction(3, 4), process))
    assert (
        1
        <= ratio
        <= energy_ratio(between._replace(node_nm=Fraction(smaller)), Place(Fraction(node), Fraction(3, 4), process))
    )


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (Place(Fraction(180), Fraction(1)), "expected a node from 7 nm to 130 nm, got 180 nm"),
        (Place(Fraction(5), Fraction(6, 10)), "expected a node from 7 nm to 130 nm, got 5 nm"),
        (Place(Fraction(28), Fraction(1, 2)), r"expected a voltage of 0\.6 V to 1\.05 V at 28 nm, got 0\.5 V"),
        (Place(Fraction(65), Fraction(14, 10)), r"expected a voltage of 0\.6 V to 1\.3 V at 65 nm, got 1\.4 V"),
    ],
)
def test_beyond_the_fits_nothing_is_said(place: Place, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        energy_ratio(place, Place(Fraction(45), Fraction(1)))
