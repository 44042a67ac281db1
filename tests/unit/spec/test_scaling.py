"""Energies of another node or voltage: which mapping is one, what takes its place, where a problem with it stands."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter

from tlm3d.analysis.stack import stack
from tlm3d.reporters.stack import dumps
from tlm3d.spec import quantities
from tlm3d.spec.corners import CORNERS, at_corner
from tlm3d.spec.pair import read_platform
from tlm3d.spec.source import parse
from tlm3d.technology.scaling import Place, energy_ratio
from tlm3d.units import ENERGY_PER_MAC, parse_quantity

GOOD = Path(__file__).parents[2] / "cli" / "good" / "platform.yaml"
AT, TO = Place(Fraction(45), Fraction(9, 10)), Place(Fraction(28), Fraction(6, 10))
MAC = """\
energy:
  mac: {value: 0.23 pJ/MAC, at: {node: 45 nm, voltage: 0.9 V}, to: {node: 28 nm, voltage: 0.6 V}}
"""
WHERE = ("energy", "mac")


def aj_per_mac(text: str, corner: str = "typical") -> Fraction:
    source, problems = at_corner(parse(text, "f.yaml"), corner)
    assert problems == []
    return parse_quantity(source.tree["energy"]["mac"], ENERGY_PER_MAC)


def test_the_scaled_energy_takes_the_place_of_the_mapping_to_twelve_digits() -> None:
    exact = 230_000 * energy_ratio(AT, TO)
    assert abs(aj_per_mac(MAC) / exact - 1) < Fraction(1, 10**11)


def test_what_was_done_is_kept() -> None:
    (derived,) = at_corner(parse(MAC, "f.yaml"), "high")[0].derived.values()
    assert (derived.given, derived.at, derived.to) == ("0.23 pJ/MAC", "45 nm, 0.9 V", "28 nm, 0.6 V")
    assert derived.factor == energy_ratio(AT, TO)


def test_what_is_not_said_of_the_goal_is_as_where_it_was_measured() -> None:
    text = MAC.replace("to: {node: 28 nm, voltage: 0.6 V}", "to: {voltage: 0.6 V}")
    assert aj_per_mac(text) / 230_000 == pytest.approx(float(energy_ratio(AT, AT._replace(voltage_v=TO.voltage_v))))
    fast = MAC.replace("0.9 V}", "0.9 V, process: high-performance}")
    ratio = energy_ratio(*(place._replace(process="high-performance") for place in (AT, TO)))
    assert aj_per_mac(fast) / 230_000 == pytest.approx(float(ratio))


@pytest.mark.parametrize(("corner", "volts"), [("low", 60), ("typical", 70), ("high", 90)])
def test_corners_may_stand_inside(corner: str, volts: int) -> None:
    text = MAC.replace("voltage: 0.6 V", "voltage: {low: 0.6 V, typical: 0.7 V, high: 0.9 V}")
    wanted = energy_ratio(AT, TO._replace(voltage_v=Fraction(volts, 100)))
    assert aj_per_mac(text, corner) / 230_000 == pytest.approx(float(wanted))


def test_a_corner_may_be_a_scaled_value_and_only_the_picked_one_is_derived() -> None:
    inner = MAC.partition("mac: ")[2].strip()
    text = f"energy:\n  mac: {{low: {inner}, typical: 1 pJ/MAC, high: {inner.replace('0.6 V', '0.9 V')}}}\n"
    assert aj_per_mac(text, "low") == aj_per_mac(MAC)
    assert aj_per_mac(text) == 10**6
    assert aj_per_mac(text, "high") > aj_per_mac(text, "low")
    found = {corner: at_corner(parse(text, "f.yaml"), corner)[0].derived for corner in CORNERS}
    assert [list(found[corner]) for corner in CORNERS] == [[WHERE], [], [WHERE]]
    assert found["high"][WHERE].to == "28 nm, 0.9 V"


@pytest.mark.parametrize(
    "text",
    [
        "map: {default: array, value: cluster, at: array, to: array}",  # layers of these names
        "blocks: {value: {kind: memory}, at: {kind: memory}}",
        "energy: {value: 3 pJ}",
    ],
)
def test_names_that_happen_to_be_those_keys_are_names(text: str) -> None:
    source, problems = at_corner(parse(text, "f.yaml"), "low")
    assert (source.tree, problems) == (parse(text, "f.yaml").tree, [])


def test_a_problem_of_the_value_stands_where_the_value_does() -> None:
    source, _ = at_corner(parse(MAC, "f.yaml"), "typical")
    assert str(source.problem(WHERE, "odd")) == "f.yaml:2:16: energy.mac.value: odd"
    assert str(source.problem(WHERE, "odd", at_key=True)) == "f.yaml:2:3: energy.mac: odd"


def test_every_derived_number_of_a_platform_is_shown_and_acts() -> None:
    spread = "{value: 0.05 pJ/bit, at: {node: 45 nm, voltage: 0.9 V}, to: {node: 28 nm, voltage: 0.6 V}}"
    platform = read_platform(str(GOOD), [f"links.tsv.energy={spread}", "links.tsv.energy.to.voltage=0.9 V"])
    (facts,) = stack(platform).derived
    wanted = energy_ratio(AT, TO._replace(voltage_v=AT.voltage_v))
    assert facts.path == "links.tsv.energy"
    assert (facts.given, facts.to) == ("0.05 pJ/bit at 45 nm, 0.9 V", "28 nm, 0.9 V")
    assert facts.factor == pytest.approx(float(wanted))
    assert float(platform.links["tsv"].aj_per_bit) == pytest.approx(50_000 * float(wanted))
    (shown,) = json.loads(dumps(stack(platform)))["derived"]
    assert shown["factor"] == facts.factor


PLACE = {"node": "45 nm", "voltage": "0.9 V"}
SCALED = {"value": "0.2 pJ/MAC", "at": PLACE, "to": {"voltage": "0.6 V"}}


@pytest.mark.parametrize(
    ("value", "good"),
    [
        (SCALED, True),
        ({**SCALED, "value": dict.fromkeys(CORNERS, "1 pJ")}, True),
        ({"low": SCALED, "typical": "1 pJ", "high": SCALED}, True),
        ({**SCALED, "to": {}}, False),
        ({"value": "1 pJ", "at": PLACE}, False),
        ({**SCALED, "low": "1 pJ"}, False),
        ({"value": "1 pJ", "low": "1 pJ", "high": "1 pJ"}, False),
        ({**SCALED, "at": {"node": "45 nm"}}, False),
        ({**SCALED, "at": {**PLACE, "process": "fast"}}, False),
        ({**SCALED, "value": "1 W"}, False),
    ],
)
def test_the_schema_of_an_energy_takes_what_is_read(value: Any, good: bool) -> None:
    assert Draft202012Validator(TypeAdapter(quantities.AjPerMac).json_schema()).is_valid(value) == good
    assert not Draft202012Validator(TypeAdapter(quantities.PowerNw).json_schema()).is_valid(value)
