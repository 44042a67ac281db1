"""The table of a sweep, its CSV and its JSON."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from fractions import Fraction

import pytest
from rich.cells import cell_len
from rich.console import Console

from tlm3d.analysis.sweep import Row, crossings
from tlm3d.reporters.sweep import csv_text, dumps, render

PATHS = ("links.tsv.rate",)
LATE = Row(
    ("1 Mbit/s",),
    verdict="missed",
    judged=271,
    missed=35,
    worst_response_ps=174_000_000_000,
    worst_task="wake",
    worst_is_bound=True,
    worst_share=1.74,
    average_nw=1.2e6,
    total_aj=10**15,
    uj_per_inference={"classify": 6.38, "listen": 7.36, "wake": 8.94},
)


def shown(*rows: Row, width: int) -> str:
    file = io.StringIO()
    render(PATHS, rows, [], len(rows), Console(file=file, width=width))
    return file.getvalue()


@pytest.mark.parametrize("width", [60, 80, 100])
def test_a_row_tells_the_share_missed_and_the_worst_response_with_its_task_in_any_width(width: int) -> None:
    text = shown(LATE, width=width)
    assert "35 (12.9 %)" in text
    (line,) = [line for line in text.splitlines() if "35 (12.9 %)" in line]
    assert "wake" in line
    assert "≥174 ms" in line
    (header,) = [line for line in text.splitlines() if "verdict" in line]
    assert header.split()[header.split().index("worst") + 1] == "response"
    assert all(cell_len(line) <= 80 for line in text.splitlines()) or width != 80


def test_what_there_is_no_room_for_is_named_below_the_table() -> None:
    assert " not shown for want of room: uJ wake (in --csv and --json)\n" in shown(LATE, width=80)
    assert " not shown for want of room: uJ listen, uJ wake (in --csv and --json)\n" in shown(LATE, width=72)
    assert "want of room" not in shown(LATE, width=100)


def test_csv_and_json_say_that_a_response_is_a_bound() -> None:
    (line,) = csv.DictReader(io.StringIO(csv_text(PATHS, [LATE])))
    assert line["worst_is_bound"] == "true"
    (row,) = json.loads(dumps(PATHS, [LATE], [], 1))["rows"]
    assert row["worst_is_bound"] is True


def test_the_knee_of_paired_values_is_told_with_the_value_beside_it() -> None:
    paths = ("links.tsv.lanes", "links.tsv.rate")
    rows = [replace(LATE, values=("8", "1 Mbit/s")), replace(LATE, values=("16", "2 Mbit/s"), verdict="met")]
    sizes: list[Fraction | None] = [Fraction(8), Fraction(16)]
    file = io.StringIO()
    render(paths, rows, crossings(rows, sizes, paired=True), 2, Console(file=file, width=100))
    knee = " knee: from links.tsv.lanes = 16 with links.tsv.rate = 2 Mbit/s up every tried value is MET\n"
    assert knee in file.getvalue()


def test_each_combination_without_a_knee_says_why() -> None:
    paths = ("links.tsv.lanes", "workload.policy")
    rows = [replace(LATE, values=("8", "edf"), verdict="met"), replace(LATE, values=("8", "fifo"))]
    file = io.StringIO()
    render(paths, rows, crossings(rows, [Fraction(8)] * 2), 2, Console(file=file, width=100))
    assert " no knee with workload.policy = edf: all tried values are MET\n" in file.getvalue()
    assert " no knee with workload.policy = fifo: the largest tried value, 8, is not MET\n" in file.getvalue()


@pytest.mark.parametrize(("energy", "told"), [(0.0123, "0.0123"), (8.94, "8.94"), (999.6, "1000"), (11790.2, "11790")])
def test_energies_of_a_column_are_told_without_powers_of_ten(energy: float, told: str) -> None:
    row = replace(LATE, uj_per_inference={"see": energy})
    assert told in shown(row, width=100).split()
