"""The README's commands print what it shows, CONTRIBUTING's block kind works, links between pages lead somewhere.

Run as a script, this rewrites what the README shows of its examples' output, line for line as many as there are now.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
EXAMPLE = (ROOT / "docs" / "example.md").read_text(encoding="utf-8")


def fenced(page: str) -> list[tuple[str, str]]:
    """(language, text) of every fenced block."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)


def shown() -> list[tuple[str, str, str]]:
    """(language, code, expected output) of the README's examples: a text block shows what the one before it prints."""
    blocks = fenced(README)
    # Between the first run and its output stands the command that runs the tests.
    return [("sh", blocks[0][1], blocks[2][1])] + [
        (language, code, after)
        for (language, code), (kind, after) in pairwise(blocks)
        if kind == "text" and "pytest" not in code
    ]


def run(code: list[str] | str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a shell text or an argument list as in a terminal of 80 columns, with ``tlm3d`` and ``python`` being ours."""
    tools = folder / ".tools"
    tools.mkdir(exist_ok=True)
    for name, arguments in (("tlm3d", "-m tlm3d"), ("python", "")):
        script = tools / name
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n', encoding="utf-8")
        script.chmod(0o755)
    path = os.pathsep.join([str(tools), os.environ["PATH"]])
    python_path = os.pathsep.join([environment.pop("PYTHONPATH", ""), str(ROOT), os.environ.get("PYTHONPATH", "")])
    settings = {"PATH": path, "PYTHONPATH": python_path.strip(os.pathsep), "PYTHONUTF8": "1", "COLUMNS": "80"}
    return subprocess.run(
        ["/bin/sh", "-c", code] if isinstance(code, str) else code,
        cwd=folder,
        env=os.environ | settings | environment,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


def difference(expected: str, output: str) -> str:
    """What of ``expected`` the output lacks ("" for nothing): lines in order, "…" standing for any number of them."""
    lines = [line.rstrip() for line in output.splitlines()]
    at, anywhere = 0, False
    for line in expected.splitlines():
        if line == "…":
            anywhere = True
            continue
        if line not in (lines[at:] if anywhere else lines[at : at + 1]):
            return f"the page shows {line!r}; the output is:\n{output}"
        at, anywhere = lines.index(line, at) + 1, False
    return "" if anywhere or at == len(lines) else f"the output goes on with {lines[at]!r}"


def like_a_checkout(folder: Path) -> Path:
    """``folder`` made to look like the repository to a command that reads platforms and workloads, and writes."""
    for name in ("platforms", "workloads"):
        (folder / name).symlink_to(ROOT / name)
    return folder


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return like_a_checkout(tmp_path)


def printed(language: str, code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run one example of the README; of a command that installs first, what comes after."""
    if code.startswith("python3 -m venv"):
        code = code.rpartition("&&")[2].replace(".venv/bin/", "")
    return run([sys.executable, "-c", code] if language == "python" else code, folder)


def renewed(expected: str, output: str) -> str:
    """``expected`` with the lines of ``output``; what follows a "…" is found again by its first word."""
    lines = [line.rstrip() for line in output.splitlines()]
    found: list[str] = []
    at = 0
    for i, part in enumerate(expected.rstrip("\n").split("…\n")):
        count = len([line for line in part.splitlines() if line != "…"])
        if i and count:
            at = next(n for n, line in enumerate(lines) if n >= at and line.split()[:1] == part.split()[:1])
        found.append("".join(f"{line}\n" for line in lines[at : at + count]))
        at += count
    return "…\n".join(found) + ("…\n" if expected.endswith("…\n") else "")


@pytest.mark.parametrize(("language", "code", "expected"), shown())
def test_an_example_of_the_readme_prints_what_is_shown(language: str, code: str, expected: str, checkout: Path) -> None:
    done = printed(language, code, checkout)
    assert done.stderr == ""
    assert done.returncode in (0, 1)  # 1: a run that missed or could not be judged, which is what it shows
    assert difference(expected, done.stdout) == ""


def test_the_readme_shows_35_lines_of_the_main_job_at_80_columns() -> None:
    _, command, capture = shown()[0]
    assert command.endswith("tlm3d run platforms/three_tier_vision.yaml workloads/always_on_vision.yaml\n")
    assert len(capture.splitlines()) >= 35
    assert max(map(len, capture.splitlines())) <= 80


def test_the_readme_has_two_commands_for_a_fresh_machine() -> None:
    begin = "python3 -m venv .venv && .venv/bin/pip install -q"
    pair = "platforms/three_tier_vision.yaml workloads/always_on_vision.yaml"
    commands = [line for line in README.splitlines() if line.startswith("python3 -m venv")]
    assert commands == [
        f"{begin} . && .venv/bin/tlm3d run {pair}",
        f"{begin} -e '.[test]' && .venv/bin/python -m pytest",
    ]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "test" in project["optional-dependencies"]
    assert project["readme"] == "README.md"


def test_every_block_of_the_readme_is_run_or_shown() -> None:
    examples = shown()
    known = {code for _, code, _ in examples} | {expected for *_, expected in examples}
    assert [text for _, text in fenced(README) if text not in known and "pytest" not in text] == []


def test_a_systolic_array_in_one_file_takes_the_cycles_worked_by_hand(tmp_path: Path) -> None:
    blocks = dict(fenced(CONTRIBUTING))
    assert set(blocks) == {"python", "yaml", "toml"}
    assert blocks["python"].startswith("# tlm3d/blocks/systolic_array.py\n")
    # The file in a distribution of its own: the same file, by the other of the two doors.
    group, entry = blocks["toml"].strip().splitlines()
    kind = tomllib.loads(f"{group}\n{entry}")["project"]["entry-points"]["tlm3d.blocks"]
    assert kind == {"systolic-array": "my_package.systolic_array:KIND"}
    package = tmp_path / "site" / "my_package"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "systolic_array.py").write_text(blocks["python"], encoding="utf-8")
    info = tmp_path / "site" / "my_package-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[tlm3d.blocks]\n{entry}\n".replace('"', ""), encoding="utf-8")

    for _, text in (block for block in fenced(EXAMPLE) if block[0] == "yaml"):
        name = text.splitlines()[0].removeprefix("# ")
        changed = re.sub(r"array: \{kind.*?\}\}\n", lambda _: blocks["yaml"], text, flags=re.DOTALL)
        assert (changed != text) == (name == "platform.yaml")
        (tmp_path / name).write_text(changed, encoding="utf-8")
    done = run("tlm3d run platform.yaml workload.yaml --export out", tmp_path, PYTHONPATH=str(tmp_path / "site"))
    assert done.stderr == ""
    header, job = (tmp_path / "out" / "jobs.csv").read_text(encoding="utf-8").splitlines()
    facts = dict(zip(header.split(","), job.split(","), strict=True))
    assert (facts["finish_ps"], facts["status"]) == ("5076000", "late")
    assert facts["compute_ps"] == str(2 * 168 * 10_000)
    assert "168 cycles" in CONTRIBUTING
    assert "76 ns late" in CONTRIBUTING


def anchors(page: Path) -> set[str]:
    """Anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_the_pages_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        to = (page.parent / file).resolve() if file else page
        assert to.exists(), target
        assert not anchor or anchor in anchors(to), target


def test_the_index_lists_every_page_of_docs() -> None:
    listed = set(re.findall(r"\]\((\w+\.md)\)", (ROOT / "docs" / "index.md").read_text(encoding="utf-8")))
    assert listed == {page.name for page in (ROOT / "docs").glob("*.md")} - {"index.md"}


def test_the_licence_is_apache_2_in_full() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


if __name__ == "__main__":
    from tempfile import TemporaryDirectory

    page = README
    for language, code, expected in shown():
        with TemporaryDirectory() as folder:
            page = page.replace(
                expected, renewed(expected, printed(language, code, like_a_checkout(Path(folder))).stdout)
            )
    (ROOT / "README.md").write_text(page, encoding="utf-8")
