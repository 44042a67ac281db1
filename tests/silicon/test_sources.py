"""Every number of the chips in platforms/silicon says where it is from, or that it was fitted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CHIPS = sorted((Path(__file__).parents[2] / "platforms" / "silicon").glob("*.yaml"))
NUMBER = re.compile(r"[:\[,{]\s*[-+]?\.?\d")
PLACE = re.compile(r"\s*tier:")  # of a die in the stack: no parameter of the silicon


@pytest.mark.parametrize("path", CHIPS, ids=lambda path: path.stem)
def test_every_number_has_its_source_on_its_line_or_above(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    stated = 0
    for above, line in zip(["", *lines], lines, strict=False):
        value, _, comment = line.partition("#")
        if NUMBER.search(value) and not PLACE.match(value):
            stated += 1
            assert comment.strip() or above.strip().startswith("#"), line
    assert stated > 5
