"""`tlm3d schema`: JSON on standard output."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator

if TYPE_CHECKING:
    from cli.conftest import Command


@pytest.mark.parametrize("file", ["platform", "workload", "network"])
def test_the_schema_is_alone_on_standard_output(tlm3d: Command, file: str) -> None:
    result = tlm3d("schema", file)
    assert (result.exit_code, result.stderr) == (0, "")
    document = json.loads(result.stdout)
    Draft202012Validator.check_schema(document)
    assert document["title"] == f"tlm3d {file}"


@pytest.mark.parametrize("file", ["platform", "workload", "network"])
@pytest.mark.parametrize(("name", "is_one"), [("", False), (" ", False), ("x", True), ("two words", True)])
def test_a_file_has_a_name_that_shows(tlm3d: Command, file: str, name: str, is_one: bool) -> None:
    key = json.loads(tlm3d("schema", file).stdout)["properties"]["name"]
    assert key["minLength"] == 1
    assert Draft202012Validator(key).is_valid(name) == is_one


def test_a_unit_is_written_once_in_the_schema_of_a_platform(tlm3d: Command) -> None:
    # Editors load this file: with every key's units written out it had 3 MB.
    document = json.loads(tlm3d("schema", "platform").stdout)
    leakage = document["$defs"]["block-memory"]["properties"]["leakage"]
    idle = document["$defs"]["block-riscv-cluster"]["properties"]["states"]["properties"]["idle"]
    assert leakage["$ref"] == idle["$ref"]
    assert leakage["description"] != idle["description"]
    name = leakage["$ref"].rpartition("/")[2]
    assert Draft202012Validator(document["$defs"][name]).is_valid("60 uW")
    assert not Draft202012Validator(document["$defs"][name]).is_valid("60 uJ")
    shapes = [json.dumps(shape) for key, shape in document["$defs"].items() if key.startswith("value-")]
    assert len(set(shapes)) == len(shapes)
    assert sum(map(len, shapes)) < 64_000
