"""The tool that holds bounds against simulation: its systems can be drawn again, and it tells what it was told."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from bound_tightness import markdown, names_of, quantiles, table
from systems import KINDS, can_be_built, draw
from systems.measure import Measured, Row
from systems.pair import Pair, uunifast
from systems.shrink import shrunk
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
    assert quantiles([i / 100 for i in range(1, 101)]) == ["0.050", "0.250", "0.500", "0.750", "1.000"]
    assert quantiles([0.5]) == ["0.500"] * 5


def test_the_table_counts_what_was_measured() -> None:
    rows = (row(100, 100), row(90, 100), row(120, 100), row(5, None), row(1, 2)._replace(untidy="no sum"))
    lines = table({"a": [Measured("a", 0, rows, jobs=7)], "b": [Measured("b", 0, (), "TimeoutError: late")]}, spoil=1)
    assert lines[0] == ["a", "1", "5", "80.0 %", "1", "1", "0", "0.500", "0.500", "0.900", "1.000", "1.200", "7"]
    assert lines[2][:7] == ["all", "2", "5", "80.0 %", "1", "1", "1"]
    assert markdown(lines).splitlines()[2].startswith("| a | 1 | 5 | 80.0 % |")


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
