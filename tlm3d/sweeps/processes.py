"""Points in parallel processes on this machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from math import fsum
from typing import TypeVar

from tlm3d.analysis.sweep import Row
from tlm3d.spec.corners import check_corner
from tlm3d.sweeps.axis import Axis, points
from tlm3d.sweeps.point import Point, Study, run_point
from tlm3d.sweeps.workers import Share, run_in_processes

_T = TypeVar("_T")
Told = Callable[[float, int], None]  # (runs done, with the shares done of those under way; runs in all)


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
    ``jobs`` processes (default: one a processor; 1 runs here). ``done(points, total)`` is called at the end of every
    point and, while points are long, about twice a second each: ``points`` is the number done plus the simulated
    shares of those under way, such as 3.25; it never falls. A point that fails is a row with its error. On
    KeyboardInterrupt, which ``done`` may raise as well, the rows already done are returned, marked by their being
    fewer than the points.
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
    runs: Sequence[Callable[[Share], _T]],
    lost: Callable[[int, str], _T],
    *,
    jobs: int | None = None,
    done: Told | None = None,
) -> dict[int, _T]:
    """What each of ``runs`` returns, by its index, in ``jobs`` processes (default: one a processor; 1 runs here).

    A run is given a function to tell the share of it that is done. ``lost(index, error)`` is the answer of one whose
    process died. On KeyboardInterrupt the answers already there are returned.
    """
    jobs = min(jobs or os.cpu_count() or 1, len(runs))
    answers: dict[int, _T] = {}
    shares: dict[int, float] = {}  # of the runs under way

    def tell() -> None:
        if done:
            done(fsum((len(answers), *shares.values())), len(runs))  # rounded once, and so never falling

    def under_way(index: int, share: float) -> None:
        shares[index] = share
        tell()

    found = (
        ((index, run(partial(under_way, index))) for index, run in enumerate(runs))
        if jobs == 1
        else run_in_processes(runs, lost, jobs, under_way)
    )
    try:
        with closing(found):
            for index, answer in found:
                answers[index] = answer
                shares.pop(index, None)
                tell()
    except KeyboardInterrupt:
        pass  # what is done is the answer
    return answers
