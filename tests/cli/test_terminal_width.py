"""The report fits the width it is given, whatever the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len

if TYPE_CHECKING:
    from cli.conftest import Command

RUNS = {
    "met": (),
    "missed": ("--set", "workload.tasks.look.deadline=100 us", "--set", "limits.0.limit=70 uW"),
    "unjudged": ("--horizon", "1 us"),
}


@pytest.mark.parametrize("verdict", RUNS)
@pytest.mark.parametrize(("columns", "at_most"), [("80", 80), ("100", 100), ("120", 120), (None, 100)])
def test_no_line_is_longer_than_the_terminal(
    tlm3d: Command, monkeypatch: pytest.MonkeyPatch, verdict: str, columns: str | None, at_most: int
) -> None:
    if columns:
        monkeypatch.setenv("COLUMNS", columns)
    first, *lines = tlm3d("run", "good/platform.yaml", "good/workload.yaml", *RUNS[verdict]).stdout.splitlines()
    assert first.startswith(f"RESULT: {verdict.upper()}")
    assert max(map(cell_len, lines)) <= at_most
