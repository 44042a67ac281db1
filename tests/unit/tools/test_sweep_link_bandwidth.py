"""The sweep from Python: its files, and what it says when they are none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TOOL = ROOT / "tools" / "sweep_link_bandwidth.py"
GOOD = ROOT / "tests" / "cli" / "good"


def ran(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The tool, run in the folder of the project."""
    return subprocess.run((sys.executable, TOOL, *arguments), capture_output=True, text=True, cwd=ROOT, timeout=60)


def test_a_faster_link_is_never_late_where_a_slower_one_was_not() -> None:
    done = ran(GOOD / "platform.yaml", GOOD / "workload.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    late = [int(line.split()[3]) for line in done.stdout.splitlines()]
    assert len(late) == 8
    assert late == sorted(late, reverse=True)
    assert late[0] > late[-1] == 0


def test_its_help_says_what_may_be_named() -> None:
    done = ran("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "[platform] [workload]" in done.stdout


@pytest.mark.parametrize("files", [("nowhere.yaml",), (GOOD / "platform.yaml", "nowhere.yaml")])
def test_a_file_that_cannot_be_read_is_one_line(files: tuple[str | Path, ...]) -> None:
    done = ran(*files)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: nowhere.yaml: no such file\n"
