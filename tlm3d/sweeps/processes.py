"""Points in parallel processes on this machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import closing

from tlm3d.analysis.sweep import Row
from tlm3d.spec.corners import check_corner
from tlm3d.sweeps.axis import Axis, points
from tlm3d.sweeps.point import Point, Study, run_point
from tlm3d.sweeps.workers import run_points

Told = Callable[[int, int], None]  # (points done, points in all)


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
    jobs = min(jobs or os.cpu_count() or 1, len(grid))
    rows: dict[int, Row] = {}
    if jobs == 1:
        found = ((index, run_point(study, point)) for index, point in enumerate(grid))
    else:
        found = run_points(study, grid, jobs)
    try:
        with closing(found):
            for index, row in found:
                rows[index] = row
                if done:
                    done(len(rows), len(grid))
    except KeyboardInterrupt:
        pass  # what is done is the answer
    return [rows[index] for index in sorted(rows)]
