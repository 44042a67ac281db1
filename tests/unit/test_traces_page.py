"""docs/traces.md against what is written: every signal, track, event and argument is on the page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from reference.default_pair import default_system
from reference.trace_reader import Timeline, read_trace
from reference.vcd_reader import Dump, read_vcd

from tlm3d.analysis.judge import judge
from tlm3d.analysis.result import Result
from tlm3d.reporters import trace, vcd

PAGE = (Path(__file__).parents[2] / "docs" / "traces.md").read_text(encoding="utf-8")
WORDS = {word for code in re.findall(r"`([^`]+)`", PAGE) for word in re.split(r"[\s.,/]+", code)}
H = 40 * 10**9


@pytest.fixture(scope="module")
def result() -> Result:
    return judge(default_system(horizon_ps=H).run())


@pytest.fixture(scope="module")
def dump(result: Result, tmp_path_factory: pytest.TempPathFactory) -> Dump:
    file = tmp_path_factory.mktemp("vcd") / "run.vcd"
    vcd.write(result, file)
    return read_vcd(file.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def timeline(result: Result, tmp_path_factory: pytest.TempPathFactory) -> Timeline:
    file = tmp_path_factory.mktemp("trace") / "run.json"
    trace.write(result, file)
    return read_trace(file.read_text(encoding="utf-8"), H, check_schema=False)


def test_every_signal_is_on_the_page_with_its_type(dump: Dump) -> None:
    rows = [row for row in PAGE.splitlines() if row.startswith("| `")]
    for (*_, name), signal in dump.signals.items():
        (row,) = [row for row in rows if f"`{name}`" in row.split("|")[1] and len(row.split("|")) == 6]
        kind = {"string": "text", "wire": "1 bit", "integer": f"integer, {signal.bits} bits"}[signal.kind]
        assert row.split("|")[3].strip() == kind


def test_the_modules_drawn_on_the_page_are_those_of_the_main_job(dump: Dump) -> None:
    drawing = PAGE.partition("    three-tier-vision\n")[2].partition("\n\n")[0]
    path = ["three-tier-vision"]
    for line in drawing.splitlines():
        depth = (len(line) - len(line.lstrip())) // 2 - 2
        names, signals = (part.split() for part in re.split(r"\s{3,}", line.strip() + "    ", maxsplit=1))
        path = [*path[:depth], names[0]]
        for name in names:
            module = (*path[:-1], name)
            assert {signals_path[-1] for signals_path in dump.signals if signals_path[:-1] == module} == set(signals)


def test_every_argument_category_and_marker_is_on_the_page(timeline: Timeline) -> None:
    assert {key for made in timeline.slices for key in made.args} <= WORDS
    kinds = {made.track.rpartition(".")[2] for made in timeline.slices if made.category not in ("job", "transfer")}
    assert kinds - WORDS - {"conversion"} == set()
    assert {re.sub(r" \S+#\d+$", "", name) for name in timeline.instants} <= {"release", "finish", "deadline met"}
    for marker in ("release", "finish", "deadline met", "deadline missed"):
        assert f"`{marker}`" in PAGE
