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
