"""On which of two processors with one queue a stage runs: no finish depends on it, so random sets cannot see it."""

from __future__ import annotations

import pytest
from reference.systems import Case, Tree

MS = 10**9  # ps


def task(work: int, release: int, priority: int) -> Tree:
    stages = [{"time": f"{work} ms", "on": ["p0", "p1"]}]
    times = {"period": "1 s", "offset": f"{release} ms", "deadline": "100 ms"}
    return {"stages": stages, "priority": priority, **times}


@pytest.mark.parametrize(
    ("first", "pieces"),
    [
        # both processors are free at 4: it goes on where it ran, not on the first by name
        (4, [("p1", 0, 2), ("p1", 4, 8)]),
        # p0 alone is free at 3: it goes on there, and stays there when p1 is free too
        (3, [("p1", 0, 2), ("p0", 3, 7)]),
    ],
)
def test_a_preempted_stage_goes_on_where_it_ran_if_that_is_free(first: int, pieces: list[tuple[str, int, int]]) -> None:
    platform = {"name": "two", "dies": {"d": {"tier": 0, "blocks": {p: {"kind": "processor"} for p in ("p0", "p1")}}}}
    tasks = {"a": task(first, 0, 2), "low": task(6, 0, 3), "urgent": task(2, 2, 1)}
    case = Case(platform, {"name": "w", "tasks": tasks}, policy="fixed-priority", horizon_ps=100 * MS)
    spans = [span for span in case.run().spans if span.what == "compute"]
    ran = {
        name: [(s.component.name, s.start_ps // MS, s.end_ps // MS) for s in spans if s.task == name] for name in tasks
    }
    assert ran == {"a": [("p0", 0, first)], "low": pieces, "urgent": [("p1", 2, 4)]}


def test_nobody_gives_way_at_the_end_of_a_tile_to_who_is_less_urgent() -> None:
    """``b`` may run on p1 only, where ``a`` ends a tile at 5 ms, when ``d`` comes: ``d`` waits for the tile of ``z``."""
    blocks = {p: {"kind": "processor", "preemption": "tile", "tile": "4 ms"} for p in ("p0", "p1")}
    platform = {"name": "two", "dies": {"d": {"tier": 0, "blocks": blocks}}}
    tasks = {"z": task(10, 0, 4), "a": task(6, 1, 2), "b": task(3, 2, 3), "d": task(2, 5, 1)}
    tasks["z"]["stages"][0]["on"], tasks["b"]["stages"][0]["on"] = "p0", "p1"
    case = Case(platform, {"name": "w", "tasks": tasks}, policy="fixed-priority", horizon_ps=100 * MS)
    spans = sorted(span for span in case.run().spans if span.what == "compute")
    ran = {
        name: [(s.component.name, s.start_ps // MS, s.end_ps // MS) for s in spans if s.task == name] for name in tasks
    }
    assert ran == {"z": [("p0", 0, 8), ("p0", 10, 12)], "a": [("p1", 1, 7)], "b": [("p1", 7, 10)], "d": [("p0", 8, 10)]}
