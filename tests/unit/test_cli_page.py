"""docs/cli.md against the commands and what their --help says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tlm3d.cli import app

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
SECTIONS = dict(zip(*[iter(re.split(r"^## tlm3d (.+)$", PAGE, flags=re.MULTILINE)[1:])] * 2, strict=True))
OPTION = re.compile(r"(?<![\w-])--[a-z][\w-]*")


def in_help(*command: str) -> str:
    done = CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert done.exit_code == 0
    return done.output


def heads(text: str, row: str) -> set[str]:
    """Options that rows of a list begin with, such as ``  --json FILE|-``; not those that a sentence mentions."""
    return {option for line in re.findall(row, text, flags=re.MULTILINE) for option in OPTION.findall(line)}


def commands() -> list[str]:
    found = in_help().partition("Commands:\n")[2].partition("\n\n")[0]
    return [line.split()[0] for line in found.splitlines()]


def test_the_page_is_what_the_tool_writes() -> None:
    tool = [sys.executable, str(ROOT / "tools" / "make_cli_page.py"), "--check"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(tool, env=environment, capture_output=True, encoding="utf-8", timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, ""), "run tools/make_cli_page.py"


def test_the_page_has_a_section_for_every_command() -> None:
    assert set(commands()) == {name.split()[0] for name in SECTIONS}
    assert {f"tlm3d {name}" for name in SECTIONS} == set(
        re.findall(r"^\| \[`(tlm3d [^`]+)`\]", PAGE, flags=re.MULTILINE)
    )


@pytest.mark.parametrize("name", SECTIONS)
def test_the_page_names_the_options_that_help_lists(name: str) -> None:
    listed = heads(in_help(*name.split()), r"^  (-.+?)(?:  |$)")
    assert heads(SECTIONS[name], r"^\| `(-[^`]+)` \|") | {"--help"} == listed
    assert listed >= {"--help"}


def test_the_page_names_the_options_before_a_command() -> None:
    before = PAGE.partition("\n## ")[0]
    assert heads(before, r"^\| `(-[^`]+)` \|") | {"--help"} == heads(in_help(), r"^  (-.+?)(?:  |$)")


@pytest.mark.parametrize("name", SECTIONS)
def test_the_page_says_of_an_option_what_help_says(name: str) -> None:
    said = " ".join(in_help(*name.split()).split())
    for text in re.findall(r"^\| `[^`]+` \| (.+) \|$", SECTIONS[name], flags=re.MULTILINE):
        plain = re.split(r" (?:Required|At (?:least|most) \d+|Default: [^ ]+)\.$", text)[0]
        plain = plain.replace("&lt;", "<").replace(r"\|", "|").replace(r"\*", "*")
        assert re.split(r" At least| At most", plain)[0] in said
