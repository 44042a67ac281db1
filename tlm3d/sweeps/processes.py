"""Points in parallel processes on this machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import TypeVar

from tlm3d.analysis.sweep import Row
from tlm3d.spec.corners import check_corner
from tlm3d.sweeps.axis import Axis, points
from tlm3d.sweeps.point import Point, Study, run_point
from tlm3d.sweeps.workers import run_in_processes

_T = TypeVar("_T")
Told = Callable[[int, int], None]  # (runs done, runs in all)


def sweep(
    study: Study,
    axes: Sequence[Axis],
    *,
    paired: bool = False,
    corners: Sequence[str] = (),
    jobs: int | None = None,
    done: Told | None = None,
) -> list[Row]:
    """Run every point of ``axes``; rows in the order of the points, whatever finished first.

    Every point is run at each of ``corners`` (low, typical, high), or at the study's own where none are given.
    ``jobs`` processes (default: one a processor; 1 runs here). A point that fails is a row with its error. On
    KeyboardInterrupt the rows already done are returned, marked by their being fewer than the points.
    Raises SpecError for a grid that is empty or too large, and for an unknown corner.
    """
    corners = tuple(dict.fromkeys(corners)) or (study.corner,)
    for corner in corners:
        check_corner(corner)
    paths = tuple(axis.path for axis in axes)
    grid = [Point(paths, values, corner) for values in points(axes, paired, len(corners)) for corner in corners]

    def lost(index: int, error: str) -> Row:
        return replace(grid[index].row, error=error)

    rows = run_all([partial(run_point, study, point) for point in grid], lost, jobs=jobs, done=done)
    return [rows[index] for index in sorted(rows)]


def run_all(
    runs: Sequence[Callable[[], _T]],
    lost: Callable[[int, str], _T],
    *,
    jobs: int | None = None,
    done: Told | None = None,
) -> dict[int, _T]:
    """What each of ``runs`` returns, by its index, in ``jobs`` processes (default: one a processor; 1 runs here).

    ``lost(index, error)`` is the answer of one whose process died. On KeyboardInterrupt the answers already there are
    returned.
    """
    jobs = min(jobs or os.cpu_count() or 1, len(runs))
    answers: dict[int, _T] = {}
    found = ((index, run()) for index, run in enumerate(runs)) if jobs == 1 else run_in_processes(runs, lost, jobs)
    try:
        with closing(found):
            for index, answer in found:
                answers[index] = answer
                if done:
                    done(len(answers), len(runs))
    except KeyboardInterrupt:
        pass  # what is done is the answer
    return answers
