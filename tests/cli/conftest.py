"""The command line, in this process, with this folder as the current one."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import pytest
from typer.testing import CliRunner

from tlm3d.cli import app


class Command(Protocol):
    """``tlm3d("run", "good/platform.yaml", …)``: a result with exit_code, stdout, stderr."""

    def __call__(self, *args: object) -> Any: ...


@pytest.fixture(autouse=True)
def _plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Output depends on the test alone, not on the terminal that runs it."""
    monkeypatch.chdir(Path(__file__).parent)
    for name in ("COLUMNS", "LINES", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def tlm3d() -> Command:
    """The command, ready to be called."""
    runner = CliRunner()
    return lambda *args: runner.invoke(app, [str(arg) for arg in args])
