"""The commands on the pages print what is shown, CONTRIBUTING's block kind works, links between pages lead somewhere.

Run as a script, this rewrites what the pages show of their examples' output, line for line as many as there are now.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
WITH_EXAMPLES = [ROOT / "README.md", ROOT / "docs" / "getting-started.md", ROOT / "docs" / "questions.md"]
FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
EXAMPLE = (ROOT / "docs" / "example.md").read_text(encoding="utf-8")


def fenced(page: str) -> list[tuple[str, str]]:
    """(language, text) of every fenced block."""
    return FENCED.findall(page)


@dataclass(frozen=True)
class Example:
    """A command or a Python text of a page, and the text blocks after it: what it prints, in pieces."""

    page: str
    line: int  # where the code begins
    files: dict[str, str]  # name and text of every YAML file on the page
    language: str
    code: str
    shown: tuple[re.Match[str], ...]

    @property
    def expected(self) -> str:
        return "…\n".join(piece[2] for piece in self.shown)


def file_name(text: str) -> str:
    """The name that a YAML block gives itself in its first line: ``# platform.yaml``; "" where it has none."""
    found = re.match(r"# ([\w/-]+\.yaml)\n", text)
    return found[1] if found else ""


def examples(path: Path) -> list[Example]:
    """The examples of a page; what only installs is none."""
    page = path.read_text(encoding="utf-8")
    blocks = list(FENCED.finditer(page))
    files = {name: text for language, text in fenced(page) if language == "yaml" and (name := file_name(text))}
    code = [i for i, block in enumerate(blocks) if block[1] in ("sh", "python") and not only_installs(block[2])]
    found = []
    for i, after in zip(code, [*code[1:], len(blocks)], strict=True):
        shown = tuple(block for block in blocks[i:after] if block[1] == "text")
        line = page.count("\n", 0, blocks[i].start(2)) + 1
        found.append(Example(path.name, line, files, blocks[i][1], blocks[i][2], shown))
    return found


def only_installs(code: str) -> bool:
    return code.startswith("python3 -m venv") and "bin/tlm3d" not in code


EXAMPLES = [example for path in WITH_EXAMPLES for example in examples(path)]


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
    """``folder`` made to look like the repository to a command that reads what is in it, and writes."""
    for name in ("platforms", "workloads", "tools", "tests"):
        (folder / name).symlink_to(ROOT / name)
    return folder


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return like_a_checkout(tmp_path)


def printed(example: Example, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run one example beside the files of its page; of a command that installs first, what comes after."""
    for name, text in example.files.items():
        (folder / name).write_text(text, encoding="utf-8")
    code = example.code
    if code.startswith("python3 -m venv"):
        code = code.rpartition("&&")[2].replace(".venv/bin/", "")
    return run([sys.executable, "-c", code] if example.language == "python" else code, folder)


def alike(one: str, other: str) -> int:
    """How many characters two lines begin with in common."""
    pairs = zip(one, other, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def renewed(shown: list[str], output: str) -> list[str]:
    """The pieces of a page with the lines of ``output``.

    What follows a "…" or begins another piece is found again by the line that is most like its first one.
    """
    lines = [line.rstrip() for line in output.splitlines()]
    pieces: list[str] = []
    at = 0
    for piece in shown:
        found: list[str] = []
        for part in piece.rstrip("\n").split("…\n"):
            old = [line for line in part.splitlines() if line != "…"]
            if old and (pieces or found):
                at = max(range(at, len(lines)), key=lambda n: alike(lines[n], old[0]), default=at)
            found.append("".join(f"{line}\n" for line in lines[at : at + len(old)]))
            at += len(old)
        pieces.append("…\n".join(found) + ("…\n" if piece.endswith("…\n") else ""))
    return pieces


PATIENCE = re.compile(r"^note: .*an interrupt \(Ctrl-C\) ends it\n", re.MULTILINE)  # of a machine that is slow


def rewritten(path: Path) -> str:
    """The text of a page with what its examples print today."""
    changes: list[tuple[int, int, str]] = []
    for example in examples(path):
        with TemporaryDirectory() as folder:
            output = everything(printed(example, like_a_checkout(Path(folder))))
        for block, text in zip(example.shown, renewed([block[2] for block in example.shown], output), strict=True):
            changes.append((*block.span(2), text))
    page = path.read_text(encoding="utf-8")
    for start, end, text in reversed(changes):
        page = page[:start] + text + page[end:]
    return page


def everything(done: subprocess.CompletedProcess[str]) -> str:
    """What an example prints: a report, or the error of an input that is wrong on purpose."""
    assert done.returncode in (0, 1, 2), done.stderr  # 1: missed or not judged, which is what it shows
    told = PATIENCE.sub("", done.stderr)
    assert (told != "") == (done.returncode == 2), told
    return done.stdout + told


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: f"{example.page}:{example.line}")
def test_an_example_prints_what_the_page_shows(example: Example, checkout: Path) -> None:
    assert difference(example.expected, everything(printed(example, checkout))) == ""


def test_what_an_example_printed_before_is_found_again_in_what_it_prints_now() -> None:
    output = "head 2\na 2\n\nEnergy 9 J\n x 9\n\nEnergy by what\n y 9\nend\n"
    shown = ["head 1\n…\nEnergy 1 J\n", "Energy by what\n y 1\n…\n"]
    assert difference("…\n".join(shown), output) != ""
    now = renewed(shown, output)
    assert now == ["head 2\n…\nEnergy 9 J\n", "Energy by what\n y 9\n…\n"]
    assert difference("…\n".join(now), output) == ""


def test_the_readme_shows_35_lines_of_the_main_job_at_80_columns() -> None:
    first = EXAMPLES[0]
    assert first.code.endswith("tlm3d run platforms/three_tier_vision.yaml workloads/always_on_vision.yaml\n")
    assert len(first.expected.splitlines()) >= 35
    assert max(map(len, first.expected.splitlines())) <= 80


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


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=lambda path: path.name)
def test_every_block_of_a_page_is_run_or_shown_or_a_file(path: Path) -> None:
    known = {text for example in examples(path) for text in (example.code, *(block[2] for block in example.shown))}
    other = [text for _, text in fenced(path.read_text(encoding="utf-8")) if text not in known and not file_name(text)]
    assert [text for text in other if not only_installs(text)] == []
    assert [example.code for example in examples(path) if not example.shown] == []


def test_a_vector_machine_in_one_file_takes_the_cycles_worked_by_hand(tmp_path: Path) -> None:
    blocks = dict(fenced(CONTRIBUTING))
    assert set(blocks) == {"python", "yaml", "toml"}
    assert blocks["python"].startswith("# tlm3d/blocks/vector_machine.py\n")
    # The file in a distribution of its own: the same file, by the other of the two doors.
    group, entry = blocks["toml"].strip().splitlines()
    kind = tomllib.loads(f"{group}\n{entry}")["project"]["entry-points"]["tlm3d.blocks"]
    assert kind == {"vector-machine": "my_package.vector_machine:KIND"}
    package = tmp_path / "site" / "my_package"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "vector_machine.py").write_text(blocks["python"], encoding="utf-8")
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
    assert (facts["finish_ps"], facts["status"]) == ("5129334", "late")
    assert facts["compute_ps"] == str(2 * 1_706_667)
    assert "1024 cycles" in CONTRIBUTING
    assert "129.334 ns late" in CONTRIBUTING


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
    listed = set(re.findall(r"\]\(([\w-]+\.md)\)", (ROOT / "docs" / "index.md").read_text(encoding="utf-8")))
    assert listed == {page.name for page in (ROOT / "docs").glob("*.md")} - {"index.md"}


def test_the_site_has_every_page_of_docs_in_its_navigation() -> None:
    settings = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    in_navigation = set(re.findall(r"^ +- [^:]+: ([\w-]+\.md)$", settings, flags=re.MULTILINE))
    assert in_navigation >= {page.name for page in (ROOT / "docs").glob("*.md")}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_list_begins_after_an_empty_line_so_that_the_site_shows_it_as_github_does(page: Path) -> None:
    lines = FENCED.sub("", page.read_text(encoding="utf-8")).splitlines()
    begins = [i for i, line in enumerate(lines) if i and re.match(r"([-*]|\d+\.) ", line)]
    bullets = [i for i in begins if lines[i - 1] and not re.match(r"([-*]|\d+\.) |  ", lines[i - 1])]
    assert [lines[i] for i in bullets] == []


def test_the_licence_is_apache_2_in_full() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


if __name__ == "__main__":
    for path in WITH_EXAMPLES:
        path.write_text(rewritten(path), encoding="utf-8")
