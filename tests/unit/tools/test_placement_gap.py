"""The tool that holds planners against the optimum: its page is that of its data, its data those of its graphs."""

from __future__ import annotations

from pathlib import Path

import pytest

import placement_gap
from placement_cases import FAMILIES, network
from placement_gap import DATA, PAGE, SEEDS, Row, differences, main, page, quick, share, solved
from rows import read, written
from tlm3d.plans.min_energy import MinEnergy

ROWS = read(DATA, Row)
TWELVE = [row for row in ROWS if ", 12 " in row.family or row.family == "the same on one bus"]


def test_the_page_is_that_of_the_data() -> None:
    assert page(ROWS) == PAGE.read_text(encoding="utf-8")
    assert written(Row, ROWS) == DATA.read_text(encoding="utf-8")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_graph_comes_out_as_in_the_data(family: str) -> None:
    pytest.importorskip("ortools")
    (row,) = (row for row in ROWS if (row.family, row.seed) == (family, 3))
    assert solved(family, 3).timeless == row.timeless


def test_every_graph_of_twelve_nodes_and_three_blocks_was_proved_in_less_than_ten_seconds() -> None:
    assert len(TWELVE) == 4 * SEEDS
    assert all(row.least_ps == row.optimal_ps and row.least_aj == row.optimal_aj for row in TWELVE)
    assert max(max(row.solve_ms, row.solve_energy_ms) for row in TWELVE) < 10_000


def test_nothing_is_better_than_what_was_proved() -> None:
    for row in ROWS:
        assert row.least_ps <= row.optimal_ps <= min(row.greedy_ps, row.classic_ps, row.heft_ps, row.cpop_ps), row
        assert row.frugal_ps > row.deadline_ps or row.frugal_aj >= row.least_aj, row
        assert row.heft_ps > row.deadline_ps or row.heft_aj >= row.frugal_aj, row


@pytest.mark.parametrize("column", ["greedy_ps", "heft_ps"])
def test_a_number_that_comes_out_differently_is_told(column: str) -> None:
    last = ("the same on one bus", SEEDS - 1)  # not solved again
    changed = [row._replace(**{column: getattr(row, column) + 1}) for row in ROWS]
    rows = [new if (new.family, new.seed) == last else row for new, row in zip(changed, ROWS, strict=True)]
    (told,) = differences(rows, checked=0)
    assert told.startswith(f"the same on one bus, seed {SEEDS - 1}: {column} was ")
    assert differences(ROWS[1:], checked=0) == [f"placement_gap.csv does not hold {SEEDS} graphs of every family"]


def test_a_page_that_is_old_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(placement_gap, "differences", lambda rows: [])
    assert main(["--check"]) == 0
    old = tmp_path / "placement.md"
    old.write_text("another\n", encoding="utf-8")
    assert main(["--check"], target=old) == 1
    assert "placement.md is not up to date" in capsys.readouterr().err
    assert main(["--page"], target=old) == 0
    assert old.read_text(encoding="utf-8") == PAGE.read_text(encoding="utf-8")


def test_data_of_another_shape_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "data.csv").write_text("family,seed\n", encoding="utf-8")
    assert main(["--check"], data=tmp_path / "data.csv") == 2
    assert f"data.csv: expected the columns {', '.join(Row._fields)}" in capsys.readouterr().err


def test_a_share_of_hundred_percent_is_all() -> None:
    assert share([True] * 3) == "100 %"
    assert share([True] * 299 + [False]) == "99 %"


def test_the_same_seed_gives_the_same_graph_and_branches_join_again() -> None:
    assert network(5) == network(5) != network(6)
    assert quick("branches, 12 layers, 3 blocks", 5) == quick("branches, 12 layers, 3 blocks", 5)
    assert len(network(5, branches=False).edges) == 11
    graph = network(5)
    assert [n for n in graph.nodes if not graph.needs[n]] == ["l0"]
    assert max(len(needed) for needed in graph.needs.values()) > 1


def test_min_energy_never_says_optimal_where_less_was_proved() -> None:
    short = [row for row in TWELVE if row.frugal_ps <= row.deadline_ps and row.frugal_aj > row.optimal_aj]
    assert len(short) > 3
    for row in short:
        plan = MinEnergy().plan(FAMILIES[row.family](row.seed), row.deadline_ps)
        assert (plan.energy_aj, plan.optimal) == (row.frugal_aj, False)
        assert plan.bound_aj <= row.optimal_aj
