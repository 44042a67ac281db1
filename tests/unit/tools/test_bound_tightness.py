"""The tool that holds bounds against simulation: its systems can be drawn again, and it tells what it was told."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from bound_tightness import DATA, ONE_PROCESSOR, PAGE, main, names_of, page_differs, quantiles
from rows import read, written
from systems import KINDS, can_be_built, draw
from systems.measure import Measured, Row
from systems.pair import Pair, uunifast
from systems.shrink import shrunk
from systems.summary import BEGIN, END, Summary, placed, summaries, table
from tlm3d import load_platform, load_workload


def row(longest_ps: int, bound_ps: int | None, shortest_ps: int | None = None, best_ps: int = 0) -> Row:
    return Row("response", "t", longest_ps, shortest_ps, bound_ps, best_ps, "")


@pytest.mark.parametrize("kind", KINDS)
def test_a_system_is_what_its_name_says(kind: str) -> None:
    pairs = [draw(kind, seed) for seed in range(5)]
    assert pairs == [draw(kind, seed) for seed in range(5)]
    assert len({pair.text() for pair in pairs}) == 5


@pytest.mark.parametrize("kind", KINDS)
def test_every_system_can_be_built(kind: str) -> None:
    assert all(can_be_built(draw(kind, seed)) for seed in range(15))


@pytest.mark.parametrize("kind", ["fixed-loose", "weights", "sampled"])
def test_the_files_of_a_system_are_that_system(kind: str, tmp_path: Path) -> None:
    for seed in range(8):
        pair = draw(kind, seed)
        folder = tmp_path / str(seed)
        pair.write(folder)
        platform, workload = pair.read()
        loaded = load_workload(folder / "workload.yaml")
        assert load_platform(folder / "platform.yaml").dies == platform.dies
        assert loaded.tasks == workload.tasks
        assert (loaded.policy, loaded.horizon_ps) == (workload.policy, workload.horizon_ps)


def test_utilisations_add_up() -> None:
    shares = uunifast(Random(1), 5, 0.8)
    assert len(shares) == 5
    assert sum(shares) == pytest.approx(0.8)
    assert min(shares) >= 0


def test_names_take_the_kinds_in_turn() -> None:
    assert names_of(["a", "b"], 5, seed=7) == [("a", 7), ("b", 7), ("a", 8), ("b", 8), ("a", 9)]


def test_quantiles_are_of_the_nearest_rank() -> None:
    assert quantiles([i / 100 for i in range(1, 101)]).split() == ["0.050", "0.250", "0.500", "0.750", "1.000"]
    assert quantiles([0.5]).split() == ["0.500"] * 5


def test_what_is_simulated_may_reach_a_bound_but_not_pass_it() -> None:
    assert row(100, 100).violations() == []
    assert row(101, 100).violations() == ["response of t: simulated 101 ps > bound 100 ps"]
    assert row(96, 100).violations() == []
    assert row(96, 100).violations(spoil=0.95) != []
    assert row(10**9, None).violations() == []


def test_no_response_is_shorter_than_the_best() -> None:
    assert row(9, 9, shortest_ps=5, best_ps=5).violations() == []
    assert row(9, 9, shortest_ps=4, best_ps=5).violations() == ["response of t: simulated 4 ps < best 5 ps"]


def test_a_system_is_made_smaller_as_long_as_it_shows_the_trouble() -> None:
    pair = draw("distributed", 3)
    wanted = next(name for name, task in pair.workload["tasks"].items() if len(task["stages"]) > 1)

    def shows(smaller: Pair) -> bool:
        _, workload = smaller.read()
        return len(workload.tasks[wanted].spec.stages) > 1

    small = shrunk(pair, shows)
    assert list(small.workload["tasks"]) == [wanted]
    task = small.workload["tasks"][wanted]
    assert len(task["stages"]) == 2
    assert not {"offset", "jitter", "priority", "backlog"} & task.keys()


# ------------------------------------------------------------ the table of docs/bounds.md


def measured() -> dict[str, list[Measured]]:
    """Two kinds: of the first one response in four is beyond its bound and one has none; a chain in the second."""
    first = [row(100, 100), row(1001, 1000), row(2999, 3000), row(50, 100), row(7, None)]
    chain = Row("age", "c", 3, None, 4, 0, "")
    return {
        "fixed": [Measured("fixed", 0, tuple(first[:2]), jobs=5), Measured("fixed", 1, tuple(first[2:]), jobs=6)],
        "edf": [Measured("edf", 0, (row(1, 4), chain), jobs=7)],
    }


def test_a_row_of_the_data_has_what_came_out_for_its_kind() -> None:
    rows = {one.kind: one for one in summaries(measured(), ("fixed",))}
    # in thousandths, rounded down: 500, 999, 1000, 1001; that beyond its bound is contradicted
    assert rows["fixed"][1:] == (2, 11, 5, 4, 1, 500, 500, 999, 1000, 1001)
    assert rows["edf"][1:] == (1, 7, 1, 1, 0, 250, 250, 250, 250, 250)
    assert rows["all"][1:] == (3, 18, 6, 5, 1, 250, 500, 999, 1000, 1001)
    assert rows["age"][1:] == (3, 18, 1, 1, 0, 750, 750, 750, 750, 750)
    assert rows["reaction"][3:] == (0, 0, 0, -1, -1, -1, -1, -1)


def test_the_table_is_worked_out_from_the_data(tmp_path: Path) -> None:
    rows = summaries(measured(), ONE_PROCESSOR)
    file = tmp_path / "data.csv"
    file.write_text(written(Summary, rows), encoding="utf-8")
    assert read(file, Summary) == rows
    told = table(read(file, Summary))
    assert told.startswith("Of 3 systems, 18 simulated jobs:\n")
    assert "| 2 | 5 | 80 % | 1 | 0.500 | 0.500 | 0.999 | 1.000 | 1.001 |" in told
    assert "| reaction | of chains | 3 | 0 | - | 0 | - | - | - | - | - |" in told


def test_the_page_has_the_table_of_the_data_and_nothing_was_contradicted() -> None:
    assert not page_differs(DATA, PAGE, write=False)
    rows = read(DATA, Summary)
    assert {row.kind for row in rows} > set(KINDS)
    assert all(row.contradicted == 0 and row.p100 <= 1000 for row in rows)


def test_the_table_is_written_where_its_place_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, page = tmp_path / "data.csv", tmp_path / "page.md"
    data.write_text(written(Summary, summaries(measured(), ONE_PROCESSOR)), encoding="utf-8")
    page.write_text(f"# Before\n{BEGIN}old\n{END}after\n", encoding="utf-8")
    few = ["--check", "--systems", "1", "--kinds", "fixed", "--processes", "1"]
    assert main(few, data, page) == 1
    assert "is not up to date" in capsys.readouterr().out
    assert main(["--page"], data, page) == 0
    now = page.read_text(encoding="utf-8")
    assert now == f"# Before\n{BEGIN}\n{table(read(data, Summary))}\n{END}after\n"
    assert "is not up to date" not in (main(few, data, page), capsys.readouterr().out)[1]
    page.write_text("# Nowhere\n", encoding="utf-8")
    assert main(["--page"], data, page) == 2
    assert "error: the page has no place for the table" in capsys.readouterr().err
    with pytest.raises(ValueError, match="no place"):
        placed("", "")


@pytest.mark.parametrize(
    "wrong",
    [("--write", "--kinds", "edf"), ("--write", "--spoil", "0.9"), ("--only", "fixd:1"), ("--only", "fixed"),
     ("--systems", "0")],
)  # fmt: skip
def test_what_the_tool_cannot_do_exits_with_2(wrong: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(wrong)
    assert stopped.value.code == 2
