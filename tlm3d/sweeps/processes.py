"""Points in parallel processes on this machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait

from tlm3d.analysis.sweep import Row
from tlm3d.sweeps.axis import Axis, points
from tlm3d.sweeps.point import Study, run_point

Told = Callable[[int, int], None]  # (points done, points in all)


def sweep(
    study: Study, axes: Sequence[Axis], *, paired: bool = False, jobs: int | None = None, done: Told | None = None
) -> list[Row]:
    """Run every point of ``axes``; rows in the order of the points, whatever finished first.

    ``jobs`` processes (default: one a processor; 1 runs here). A point that fails is a row with its error. On
    KeyboardInterrupt the rows already done are returned, marked by their being fewer than the points.
    Raises SpecError for a grid that is empty or too large.
    """
    grid = points(axes, paired)
    paths = tuple(axis.path for axis in axes)
    jobs = min(jobs or os.cpu_count() or 1, len(grid))
    rows: dict[int, Row] = {}

    def keep(index: int, row: Row) -> None:
        rows[index] = row
        if done:
            done(len(rows), len(grid))

    try:
        if jobs == 1:
            for index, values in enumerate(grid):
                keep(index, run_point(study, paths, values))
        else:
            _in_parallel(study, paths, grid, jobs, keep)
    except KeyboardInterrupt:
        pass  # what is done is the answer
    return [rows[index] for index in sorted(rows)]


def _in_parallel(
    study: Study, paths: tuple[str, ...], grid: list[tuple[str, ...]], jobs: int, keep: Callable[[int, Row], None]
) -> None:
    # Forked workers start with everything imported; elsewhere they import it themselves.
    method = "fork" if "fork" in multiprocessing.get_all_start_methods() else None
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context(method), initializer=_ignore_interrupts)
    try:
        waiting: dict[Future[Row], int] = {
            pool.submit(run_point, study, paths, values): index for index, values in enumerate(grid)
        }
        while waiting:
            finished, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in finished:
                keep(waiting.pop(future), future.result())
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _ignore_interrupts() -> None:
    """The parent decides what an interrupt means."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
