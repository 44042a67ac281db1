"""The JSON Schemas for editors: what is shipped fits, what is wrong in shape does not, every key says what it means."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from reference.documented_example import example_files

from tlm3d import units
from tlm3d.plugins import kinds
from tlm3d.spec.schema import FILES, schema
from tlm3d.spec.validate import file_kind

ROOT = Path(__file__).parents[3]
BAD = ROOT / "tests" / "cli" / "bad"


class Editor(yaml.SafeLoader):
    """YAML 1.2 as editors read it: numbers are numbers, true and false are booleans, ``on`` is text."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}


for tag, pattern, first in (
    ("bool", r"true|false", "tf"),
    ("null", r"~|null|", ["~", "n", ""]),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
):
    Editor.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"), list(first))

LOADERS = (Editor, yaml.BaseLoader)


@cache
def validator(file: str) -> Draft202012Validator:
    return Draft202012Validator(schema(file))


def problems(text: str, loader: Any) -> list[str]:
    tree = yaml.load(text, loader)
    kind = file_kind(tree)
    assert kind is not None
    return [f"{error.json_path}: {error.message}" for error in validator(kind).iter_errors(tree)]


SHIPPED = [*ROOT.glob("platforms/**/*.yaml"), *ROOT.glob("workloads/**/*.yaml"), *ROOT.glob("tests/cli/good/**/*.yaml")]


@pytest.mark.parametrize("loader", LOADERS, ids=lambda loader: loader.__name__)
@pytest.mark.parametrize("file", sorted(SHIPPED), ids=lambda path: path.stem)
def test_a_file_that_is_shipped_fits(file: Path, loader: Any) -> None:
    assert problems(file.read_text(encoding="utf-8"), loader) == []


@pytest.mark.parametrize("loader", LOADERS, ids=lambda loader: loader.__name__)
def test_the_files_on_the_page_of_the_example_fit(loader: Any) -> None:
    for text in example_files().values():
        assert problems(text, loader) == []


# Mistakes that a schema cannot see: names that refer to nothing, sums, geometry, time, a key given twice.
BEYOND = {
    "platform_operands_wider_than_their_register",
    "platform_without_sensor",  # it is whole: only a workload misses the sensor
    "network_kernel_not_run", "network_layer_comes_later", "network_shapes_that_do_not_add",
    "network_two_layers_one_name", "network_unknown_layer", "network_weights_of_no_bits",
    "platform_adc_enob_beyond_any", "platform_adc_two_energies", "platform_battery_without_supply",
    "platform_beyond_anything", "platform_converters_too_slow", "platform_dangling_link_end",
    "platform_duplicate_block", "platform_duplicate_key", "platform_exposure_longer_than_frame",
    "platform_global_shutter_too_long", "platform_home_is_no_memory", "platform_imc_more_effective_bits_than_bits",
    "platform_imc_too_many_bits", "platform_imc_turns_without_time", "platform_imc_weight_wider_than_array",
    "platform_kernel_larger_than_samples", "platform_link_across_tiers", "platform_link_to_itself",
    "platform_local_memory_too_small", "platform_memory_too_small", "platform_no_home", "platform_no_route",
    "platform_packets_without_end", "platform_part_of_a_decimation", "platform_part_of_a_decimation_in_a_frame",
    "platform_part_of_a_sample", "platform_samples_beyond_time", "platform_stage_is_no_memory",
    "platform_stage_is_the_store", "platform_supply_falls", "platform_supply_quiescent_too_large",
    "platform_supply_same_load_twice", "platform_supply_steps_up", "platform_three_buffers",
    "platform_window_larger_than_array", "workload_ambiguous_block", "workload_clock_parts_a_sample",
    "workload_frame_too_small", "workload_frames_overlap", "workload_instructions_on_an_array",
    "workload_jitter_longer_than_period", "workload_kernel_not_run", "workload_layer_kind_not_run",
    "workload_memory_as_engine", "workload_mode_of_another_sensor", "workload_network_is_broken",
    "workload_pattern_matches_nothing", "workload_rate_faster_than_time", "workload_unknown_block",
    "workload_unknown_block_of_a_stage", "workload_unknown_camera", "workload_unknown_mode",
    "workload_unknown_network",
    "workload_cascade_circle", "workload_ceiling", "workload_chains",
    "workload_events_of_overlapping_frames", "workload_stage_circle", "workload_stage_options", "workload_trace_broken",
    "workload_trace_empty", "workload_nothing_to_score", "platform_array_that_stops_in_a_tile",
}  # fmt: skip
# No YAML at all.
NO_YAML = {"platform_tab", "platform_unclosed_bracket"}
WRONG = sorted(
    file.stem
    for file in BAD.glob("*.yaml")
    if file.stem.startswith(("platform_", "workload_", "network_")) and file.stem not in BEYOND | NO_YAML
)


@pytest.mark.parametrize("loader", LOADERS, ids=lambda loader: loader.__name__)
@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_of_shape_is_refused(name: str, loader: Any) -> None:
    assert problems((BAD / f"{name}.yaml").read_text(encoding="utf-8"), loader)


def test_most_mistakes_are_of_shape() -> None:
    assert len(WRONG) >= 40


@pytest.mark.parametrize("name", sorted(BEYOND))
def test_what_the_schema_does_not_see_is_known_to_be_beyond_it(name: str) -> None:
    assert problems((BAD / f"{name}.yaml").read_text(encoding="utf-8"), Editor) == []


def nodes(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every part of a schema, without the conditions."""
    if isinstance(node, dict):
        yield path, node
        for key, value in node.items():
            if key not in ("if", "oneOf", "not"):
                yield from nodes(value, f"{path}/{key}")
    elif isinstance(node, list):
        for i, value in enumerate(node):
            yield from nodes(value, f"{path}/{i}")


@pytest.mark.parametrize("file", FILES)
def test_every_key_says_what_it_means_and_no_other_is_allowed(file: str) -> None:
    for path, node in nodes(schema(file)):
        if path.endswith("/then") or ("allOf" in node and "additionalProperties" not in node):
            continue  # says more of an object that is described elsewhere
        if isinstance(node.get("properties"), dict) and not path.endswith("/properties"):
            assert node["additionalProperties"] is False, path
            for key, value in node["properties"].items():
                assert value.get("description"), f"{path}/{key}"


@pytest.mark.parametrize("file", FILES)
def test_every_default_is_one_that_the_key_takes(file: str) -> None:
    whole = schema(file)
    for path, node in nodes(whole):
        if "default" in node and not path.endswith("/properties"):
            inside = {key: value for key, value in node.items() if key != "default"} | {"$defs": whole.get("$defs", {})}
            Draft202012Validator(inside).validate(node["default"])


def test_a_default_is_written_as_in_a_file() -> None:
    tsv = schema("platform")["$defs"]["link-tsv"]["properties"]
    assert (tsv["latency"]["default"], tsv["burst"]["default"], tsv["lanes"]["default"]) == ("1 ns", "64 B", 1)
    assert "default" not in tsv["rate"]


def test_every_kind_there_is_is_an_alternative() -> None:
    defs = schema("platform")["$defs"]
    assert defs["block"]["properties"]["kind"]["enum"] == list(kinds("blocks"))
    assert defs["dataflows"]["properties"]["kind"]["enum"] == list(kinds("dataflows"))
    links, buses = (defs[what]["properties"]["kind"]["enum"] for what in ("link", "bus"))
    assert sorted([*links, *buses]) == list(kinds("links"))
    assert schema("workload")["properties"]["policy"]["enum"] == list(kinds("policies"))


def test_the_texts_of_the_keys_are_those_of_the_page_of_formats() -> None:
    tool = ROOT / "tools" / "make_key_texts.py"
    spec = importlib.util.spec_from_file_location("make_key_texts", tool)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    shipped = json.loads((ROOT / "tlm3d" / "spec" / "key_texts.json").read_text(encoding="utf-8"))
    page = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    assert shipped == module.key_texts(page), "run python tools/make_key_texts.py"


@pytest.mark.parametrize(
    "text", ["channel-parallel", "{kind: channel-parallel}", "{kind: systolic, stationary: input}"]
)
def test_a_dataflow_is_a_name_or_a_mapping(text: str) -> None:
    good = (ROOT / "tests" / "cli" / "good" / "platform.yaml").read_text(encoding="utf-8")
    array = "array: [4, 4]\n"
    assert good.count(array) == 1
    assert problems(good.replace(array, f"{array}        dataflow: {text}\n"), Editor) == []


NUMBERS = st.one_of(
    st.from_regex(r"\A[+-]?[0-9_]{1,4}(\.[0-9]{0,3})?([eE][+-]?[0-9]{1,2})?\Z"),
    st.text("0123456789.eE+-_ n", max_size=8),
)
UNITS = st.sampled_from(["", "ns", "ms", "us", "µs", "MHz", "pJ/bit", "Mbit/s", "KiB", "parsecs", "ns of joy"])


@given(NUMBERS, st.sampled_from(["", " ", "  "]), UNITS, st.sampled_from(units.DIMENSIONS), st.booleans())
def test_the_pattern_of_a_quantity_takes_what_its_reader_takes(
    number: str, space: str, unit: str, dimension: units.Dimension, positive: bool
) -> None:
    text = f"{number}{space}{unit}"
    try:
        value = units.parse_quantity(text, dimension)
    except units.QuantityError as error:
        if "beyond anything physical" in str(error):
            return  # a bound on values, which no pattern can say
        takes = False
    else:
        takes = value > 0 or not positive
    matches = re.search(units.quantity_pattern(dimension, positive=positive), text) is not None
    if text.lstrip().startswith("-"):  # minus zero is zero to the reader; an editor may frown
        assert not matches
    else:
        assert matches == takes


@given(NUMBERS, st.booleans())
def test_the_pattern_of_a_whole_number_takes_no_fraction(text: str, positive: bool) -> None:
    if re.search(units.whole_pattern(positive=positive), text) and "e" not in text.lower():
        value = units.parse_number(text)
        assert value > 0 or not positive
        assert value.denominator == 1
