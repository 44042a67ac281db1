"""Values at corners: which mapping is one, what is picked, and where a problem with it stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter

from tlm3d.errors import ElaborationError, SpecError
from tlm3d.spec import quantities
from tlm3d.spec.any_file import read_any
from tlm3d.spec.corners import CORNERS, at_corner
from tlm3d.spec.pair import read_pair
from tlm3d.spec.platform import load_platform, platform_of
from tlm3d.spec.source import override, parse, read_source
from tlm3d.spec.workload import load_workload

GOOD = Path(__file__).parents[2] / "cli" / "good"
LINK = """\
links:
  tsv:
    energy: {low: 0.04 pJ/bit, typical: 0.05 pJ/bit, high: 0.06 pJ/bit}
    lanes: [{low: 1, typical: 2, high: 3}, 7]
"""


@pytest.mark.parametrize(
    ("corner", "energy", "lanes"), [("low", "0.04", "1"), ("typical", "0.05", "2"), ("high", "0.06", "3")]
)
def test_the_value_of_the_corner_takes_the_place_of_the_mapping(corner: str, energy: str, lanes: str) -> None:
    picked, problems = at_corner(parse(LINK, "f.yaml"), corner)
    assert picked.tree == {"links": {"tsv": {"energy": f"{energy} pJ/bit", "lanes": [lanes, "7"]}}}
    assert problems == []


def test_a_problem_of_a_picked_value_stands_where_that_value_does_and_names_its_corner() -> None:
    picked, _ = at_corner(parse(LINK, "f.yaml"), "high")
    energy = ("links", "tsv", "energy")
    assert str(picked.problem(energy, "odd")) == "f.yaml:3:60: links.tsv.energy.high: odd"
    assert str(picked.problem(energy, "odd", at_key=True)) == "f.yaml:3:5: links.tsv.energy: odd"


def test_picking_leaves_the_source_as_it_is() -> None:
    source = parse(LINK, "f.yaml")
    at_corner(source, "high")
    assert source.tree == parse(LINK, "f.yaml").tree
    assert source.values == parse(LINK, "f.yaml").values


@pytest.mark.parametrize(
    "text",
    [
        "modes: {low: {bin: 4}, high: {bin: 2}}",  # modes called low and high
        "modes: {low: {}, typical: {}, high: {}}",
        "map: {default: array, low: cluster, high: cluster}",  # layers called low and high
        "map: {low: cluster, high: array}",
        "mac_per_cycle: {conv: 4, linear: 2}",
        "limits: {low: 3 mW, peak: 4 mW}",
    ],
)
def test_names_that_happen_to_be_those_of_corners_are_names(text: str) -> None:
    picked, problems = at_corner(parse(text, "f.yaml"), "low")
    assert (picked.tree, problems) == (parse(text, "f.yaml").tree, [])


@pytest.mark.parametrize("setting", ["links.tsv.energy.high=1 pJ/bit", "links.tsv.energy=1 pJ/bit"])
def test_a_setting_reaches_one_corner_or_replaces_all(setting: str) -> None:
    path, _, value = setting.partition("=")
    energies = []
    for corner in CORNERS:
        source = parse(LINK, "f.yaml")
        override(source, path, value, "--set")
        energies.append(at_corner(source, corner)[0].tree["links"]["tsv"]["energy"])
    below = ["0.04 pJ/bit", "0.05 pJ/bit"] if path.endswith("high") else ["1 pJ/bit"] * 2
    assert energies == [*below, "1 pJ/bit"]


def good_with(folder: Path, change: str, by: str) -> Path:
    text = (GOOD / "platform.yaml").read_text(encoding="utf-8")
    assert text.count(change) == 1
    file = folder / "platform.yaml"
    file.write_text(text.replace(change, by), encoding="utf-8")
    return file


def test_a_description_at_a_corner_is_that_of_a_file_with_the_plain_value(tmp_path: Path) -> None:
    given = good_with(
        tmp_path, "clock: 100 MHz\n        l1", "clock: {low: 50 MHz, typical: 100 MHz, high: 1 GHz}\n        l1"
    )
    for corner, clock in (("low", "50 MHz"), ("typical", "100 MHz"), ("high", "1 GHz")):
        plain = read_source(GOOD / "platform.yaml")
        override(plain, "dies.logic.blocks.cluster.clock", clock, "test")
        assert load_platform(given, corner=corner).dies == platform_of(plain).dies


def test_a_network_is_read_at_the_corner_of_its_workload(tmp_path: Path) -> None:
    (tmp_path / "networks").mkdir()
    network = (GOOD / "networks" / "tiny.yaml").read_text(encoding="utf-8")
    wide = network.replace("channels: 4", "channels: {low: 1, typical: 4, high: 9}")
    (tmp_path / "networks" / "tiny.yaml").write_text(wide, encoding="utf-8")
    work = (GOOD / "workload.yaml").read_text(encoding="utf-8").replace("../good/networks/tiny.yaml", "tiny")
    (tmp_path / "workload.yaml").write_text(work, encoding="utf-8")
    channels = []
    for corner in CORNERS:
        found = load_workload(tmp_path / "workload.yaml", corner=corner).tasks["look"].network
        assert found is not None
        channels.append(found.layers[0].out_shape.channels)
    assert channels == [1, 4, 9]


def test_a_file_is_checked_at_every_corner_and_a_mistake_of_all_of_them_is_told_once(tmp_path: Path) -> None:
    spread = "energy: {low: 0.04 pJ/bit, typical: 0.05 pJ/bit, high: 0.06 pJ}, wormhole: 1"
    file = good_with(tmp_path, "energy: 0.05 pJ/bit", spread)
    for corner in CORNERS:
        with pytest.raises(SpecError) as caught:
            read_any(file, corner)
        assert [problem.path for problem in caught.value.problems] == ["links.tsv.energy.high", "links.tsv.wormhole"]


def test_a_run_needs_a_platform_and_a_workload_of_the_same_corner() -> None:
    from tlm3d.simulation import simulate

    with pytest.raises(ElaborationError, match="platform was read at its low corner, the workload at its typical"):
        simulate(load_platform(GOOD / "platform.yaml", corner="low"), load_workload(GOOD / "workload.yaml"))


def test_an_unknown_corner_is_told_once_beside_the_problems_of_the_files() -> None:
    bad = GOOD.parent / "bad" / "platform_wrong_unit.yaml"
    with pytest.raises(SpecError) as caught:
        read_pair(str(bad), str(GOOD / "workload.yaml"), corner="hgih")
    assert len(caught.value.problems) == 2
    assert str(caught.value.problems[0]) == "--corner: no corner 'hgih'; did you mean 'high'?"


@pytest.mark.parametrize("field", ["TimePs", "RateBps", "AjPerBit", "Count", "CountOrZero", "Positive"])
def test_the_schema_of_a_number_takes_it_plain_or_at_three_corners(field: str) -> None:
    schema = TypeAdapter(getattr(quantities, field)).json_schema()
    number = schema.get("examples", ["3"])[0]
    valid = Draft202012Validator(schema).is_valid
    assert valid(number)
    assert valid(dict.fromkeys(CORNERS, number))
    assert not valid({"low": number, "high": number})
    assert not valid({**dict.fromkeys(CORNERS, number), "worst": number})
    assert not valid({corner: [number] for corner in CORNERS})
