"""Bad input: the exact message of every file in bad/, exit code 2, never a traceback."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tlm3d.plugins import kinds

if TYPE_CHECKING:
    from cli.conftest import Command

HERE = Path(__file__).parent


def transcript() -> dict[str, str]:
    """bad/expected.txt: the command → what it writes to standard error."""
    text = (HERE / "bad" / "expected.txt").read_text(encoding="utf-8")
    for slot in ("blocks", "dataflows", "kernels", "links", "plans", "policies", "supplies"):
        text = text.replace(f"<{slot}>", ", ".join(kinds(slot)))
    _, *entries = text.split("\n$ tlm3d ")
    return {command: output.rstrip("\n") + "\n" for command, _, output in (entry.partition("\n") for entry in entries)}


@pytest.mark.parametrize(("command", "expected"), transcript().items(), ids=transcript())
def test_a_mistake_gets_its_exact_message(tlm3d: Command, command: str, expected: str) -> None:
    result = tlm3d(*shlex.split(command))
    assert result.stderr == expected
    assert result.exit_code == 2


def test_every_bad_file_is_in_the_transcript() -> None:
    named = {word for command in transcript() for word in shlex.split(command)}
    assert {f"bad/{file.name}" for file in (HERE / "bad").iterdir() if file.name != "expected.txt"} <= named


def test_a_message_shows_nothing_that_a_terminal_obeys() -> None:
    assert all(line.isprintable() for output in transcript().values() for line in output.splitlines())


@pytest.mark.parametrize(("name", "problems"), [("platform_sum_of_mistakes", 4), ("traffic_sum_of_mistakes", 16)])
def test_every_problem_of_a_file_comes_in_file_order(name: str, problems: int) -> None:
    (output,) = [output for command, output in transcript().items() if name in command]
    lines = [int(line.split(":")[2]) for line in output.splitlines()]
    assert lines == sorted(lines)
    assert len(lines) == problems


def test_a_huge_file_is_refused_before_it_is_read(tlm3d: Command, tmp_path: Path) -> None:
    huge = tmp_path / "huge.yaml"
    with huge.open("wb") as file:
        file.truncate(10**12)  # sparse
    result = tlm3d("check", huge)
    assert (result.exit_code, result.stderr) == (
        2,
        f"error: {huge}: larger than the 4 MiB that a description may have\n",
    )


def test_the_good_files_differ_from_the_bad_ones_by_being_good(tlm3d: Command) -> None:
    result = tlm3d("check", "good/platform.yaml", "good/workload.yaml", "good/networks/tiny.yaml")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines()[-1] == "good/platform.yaml with good/workload.yaml: can run"


def test_windows_line_ends_and_a_byte_order_mark_are_text(tlm3d: Command, tmp_path: Path) -> None:
    good = Path("good/platform.yaml").read_bytes()
    file = tmp_path / "platform.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + good.replace(b"\n", b"\r\n"))
    assert tlm3d("check", file).exit_code == 0


@pytest.mark.parametrize("file", ["platform", "workload", "networks/tiny"])
def test_what_is_said_of_a_good_file_shows_nothing_that_a_terminal_obeys(
    tlm3d: Command, tmp_path: Path, file: str
) -> None:
    text = Path(f"good/{file}.yaml").read_text(encoding="utf-8").split("\n", 1)[1]
    shutil.copytree("good", tmp_path / "good")
    named = tmp_path / "good" / "named.yaml"
    named.write_text(f'name: "right\\u202Eleft"\n{text}', encoding="utf-8")
    result = tlm3d("check", named)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "right\\u202eleft" in result.stdout
    assert "\u202e" not in result.stdout
