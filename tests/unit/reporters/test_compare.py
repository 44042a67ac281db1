"""The side-by-side report: what stands in it, its widths, its JSON."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from tlm3d.analysis.compare import NOT_RUN, Inference, Outcome
from tlm3d.analysis.result import LimitResult, ResponseStats, TaskResult
from tlm3d.reporters.compare import dumps, render
from tlm3d.spec.changes import Change, Changes, Move, Part


def column(name: str, *, response_ps: int, energy_aj: dict[str, int], finished: int = 10) -> Outcome:
    stats = ResponseStats(*[response_ps] * 6, False)
    total_aj = sum(energy_aj.values())
    return Outcome(
        f"{name}.yaml",
        name,
        verdict="met",
        workload="vision",
        policy="edf",
        horizon_ps=10**12,
        tasks={"wake": TaskResult("wake", 10**11, 10, 10, 0, 0, finished, stats)},
        average_nw=total_aj / 10**9,
        limits=(LimitResult("window", "average over any 100 ms window at the rail", 2 * 10**6, 10**6, 0, True),),
        total_aj=total_aj,
        energy_aj=energy_aj,
        inferences={"wake": Inference(finished, energy_aj)},
        core_fj_per_op=545.0,
        effective_fj_per_op=None,
    )


STACK = column("stack", response_ps=10**10, energy_aj={"compute": 40 * 10**12, "link": 10**12})
FLAT = column("flat", response_ps=5 * 10**9, energy_aj={"compute": 40 * 10**12, "bus": 42 * 10**12})
FAILED = Outcome("bad.yaml", "bad", error="logic.l2 holds 1024 B")
NOTHING = Changes()


def report(outcomes: list[Outcome], changes: list[Changes], width: int = 100, encoding: str = "utf-8") -> list[str]:
    raw = io.BytesIO()
    text = io.TextIOWrapper(raw, encoding=encoding)
    render(outcomes, changes, Console(file=text, width=width, highlight=False))
    text.flush()
    return raw.getvalue().decode(encoding).splitlines()


def row(lines: list[str], name: str, after: str = "") -> list[str]:
    """The words of the first line that begins with ``name``, after the heading ``after``."""
    begin = next((i for i, line in enumerate(lines) if line.startswith(after)), 0) if after else 0
    return next(line.split() for line in lines[begin:] if line.strip().startswith(name))


def test_the_first_line_counts_the_verdicts() -> None:
    missed = replace(FLAT, verdict="missed", reasons=("wake missed 1 of 10 (10.0 %)",))
    lines = report([STACK, missed, FAILED], [NOTHING, NOTHING])
    assert lines[0] == "COMPARE: 3 platforms: 1 MET, 1 MISSED, 1 in error"
    assert " flat: MISSED wake missed 1 of 10 (10.0 %)" in lines
    assert " bad: ERROR logic.l2 holds 1024 B" in lines


def test_a_platform_that_an_interrupt_kept_from_running_is_no_error() -> None:
    lines = report([STACK, Outcome("late.yaml", "late", error=NOT_RUN)], [NOTHING])
    assert lines[0] == "COMPARE: 2 platforms: 1 MET, 1 not run"
    assert " late: not run: interrupted" in lines
    assert row(lines, "verdict") == ["verdict", "MET", "-"]


def test_a_factor_stands_beside_what_differs_and_an_equals_sign_beside_what_does_not() -> None:
    lines = report([STACK, FLAT], [NOTHING])
    assert row(lines, "wake", "Deadlines") == ["wake", "10.0", "ms", "5.00", "ms", "×0.50"]
    assert row(lines, "compute", "Energy an inference") == ["compute", "4.00", "uJ", "4.00", "uJ", "="]
    assert row(lines, "wake", "Energy an inference") == ["wake", "4.10", "uJ", "8.20", "uJ", "×2.00"]
    assert row(lines, "total", "Energy ") == ["total", "at", "the", "rail", "41.0", "uJ", "82.0", "uJ", "×2.00"]


def test_an_account_that_one_platform_lacks_is_nothing_there_and_has_no_factor() -> None:
    lines = report([STACK, FLAT], [NOTHING])
    assert row(lines, "link", "Energy an inference") == ["link", "100", "nJ", "0", "J"]
    assert row(lines, "bus", "Energy an inference") == ["bus", "0", "J", "4.20", "uJ"]


@pytest.mark.parametrize(
    ("response_ps", "factor"),
    [(10**10, "="), (10**10 + 1, "×1.00"), (123 * 10**9, "×12.3"), (15 * 10**11, "×150"), (10**6, "×<0.01")],
)
def test_a_factor_has_the_digits_that_a_reader_needs(response_ps: int, factor: str) -> None:
    lines = report([STACK, replace(FLAT, tasks=column("x", response_ps=response_ps, energy_aj={}).tasks)], [NOTHING])
    assert row(lines, "wake", "Deadlines")[-1] == factor


def test_numbers_of_inferences_are_shown_where_they_differ() -> None:
    assert not any("inferences" in line.split()[:1] for line in report([STACK, FLAT], [NOTHING]))
    fewer = column("flat", response_ps=10**9, energy_aj={"compute": 10**12}, finished=5)
    assert row(report([STACK, fewer], [NOTHING]), "inferences") == ["inferences", "10", "5", "×0.50"]


def test_a_platform_in_error_is_a_column_of_dashes_even_as_the_first() -> None:
    lines = report([FAILED, FLAT], [NOTHING])
    assert row(lines, "verdict") == ["verdict", "ERROR", "MET"]
    assert row(lines, "wake", "Deadlines") == ["wake", "-", "5.00", "ms"]
    assert row(lines, "average", "Power") == ["average", "at", "the", "rail", "-", "82.0", "uW"]


def test_two_platforms_of_one_name_and_long_names_are_numbered() -> None:
    for names in (("twin", "twin"), ("a-platform-with-a-name-of-some-length", "b")):
        lines = report([replace(STACK, platform=names[0]), replace(FLAT, platform=names[1])], [NOTHING])
        assert ["#1", "#2"] in [line.split() for line in lines]
        assert ["#1", names[0], "stack.yaml"] in [line.split() for line in lines]


CHANGED = Changes(
    removed_dies=("logic",),
    added=(Part("dies.soc.bus", "on-chip"),),
    removed=(Part("links.tsv", "tsv"),),
    moved=(Move("dies.logic.blocks.l2", "dies.soc.blocks.l2"),),
    values=(Change("links.bond.rate", "10 Mbit/s", "1 Mbit/s", 0.1), Change("links.bond.lanes", None, "4")),
)


def test_what_changed_names_parts_as_reports_do_and_values_as_settings_do() -> None:
    lines = report([STACK, FLAT], [CHANGED])
    assert "What changed in flat  against stack" in lines
    assert " dies gone: logic" in lines
    assert " parts gone: tsv (tsv)" in lines
    assert " parts new: soc.bus (on-chip)" in lines
    assert row(lines, "parts moved") == ["parts", "moved", "logic.l2", "soc.l2"]
    assert row(lines, "links.bond.rate") == ["links.bond.rate", "10", "Mbit/s", "1", "Mbit/s", "×0.10"]
    assert row(lines, "links.bond.lanes") == ["links.bond.lanes", "not", "given", "4"]
    assert report([STACK, FLAT], [NOTHING])[-1] == " nothing, beyond the names and the files"


def test_a_long_list_of_changes_is_folded_with_a_count() -> None:
    many = Changes(
        added=tuple(Part(f"links.l{i}", "tsv") for i in range(11)),
        values=tuple(Change(f"links.x{i:02}.rate", "1 bit/s", "2 bit/s", 2.0) for i in range(30)),
    )
    lines = report([STACK, FLAT], [many])
    assert sum(line.startswith(" links.x") for line in lines) == 24
    assert lines[-1] == " and 6 more: --json has all of them"
    assert "l7 (tsv), and 3 more" in " ".join(map(str.strip, lines))


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120])
@pytest.mark.parametrize("count", [2, 3, 7])
def test_every_platform_has_its_column_and_no_line_is_wider_than_the_page(width: int, count: int) -> None:
    columns = [replace(FLAT, platform=f"platform-number-{i}", file=f"{i}.yaml") for i in range(1, count)]
    lines = report([STACK, *columns], [CHANGED] * (count - 1), width)
    assert max(map(cell_len, lines)) <= width
    heads = [line.split() for line in lines if line.split()[:1] == ["stack"]]
    assert {f"platform-number-{i}" for i in range(1, count)} <= {name for head in heads for name in head}


def test_a_name_with_terminal_escapes_is_shown_harmless() -> None:
    lines = report([replace(STACK, platform="st\x1b[2Jack", file="\x1b]0;a"), FLAT], [CHANGED])
    assert all(line.isprintable() for line in lines)
    assert any("st\\x1b[2Jack" in line for line in lines)


def test_without_block_characters_the_report_is_plain_ascii() -> None:
    lines = report([STACK, FLAT], [CHANGED], encoding="ascii")
    assert row(lines, "wake", "Deadlines")[-1] == "x0.50"


def test_the_json_has_the_integers_and_every_change() -> None:
    document = json.loads(dumps([STACK, FLAT, FAILED], [CHANGED, NOTHING]))
    stack, flat, failed = document["platforms"]
    assert stack["total_aj"] == 41 * 10**12
    assert flat["inferences"]["wake"] == {
        "finished": 10, "energy_aj": {"bus": 42 * 10**12, "compute": 40 * 10**12}, "uj_per_inference": 8.2,
    }  # fmt: skip
    assert stack["tasks"]["wake"]["worst_response_ps"] == 10**10
    assert failed == {"file": "bad.yaml", "platform": "bad", "error": "logic.l2 holds 1024 B"}
    first, second = document["changes"]
    assert (first["from"], first["to"], second["to"]) == ("stack.yaml", "flat.yaml", "bad.yaml")
    assert first["values"][1] == {"path": "links.bond.lanes", "from": None, "to": "4"}
    assert first["moved"] == [{"from": "dies.logic.blocks.l2", "to": "dies.soc.blocks.l2"}]
    assert second["values"] == []
