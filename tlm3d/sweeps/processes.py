"""Points in parallel processes on this machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from functools import partial
from typing import TypeVar

from tlm3d.analysis.sweep import Row
from tlm3d.sweeps.axis import Axis, points
from tlm3d.sweeps.point import Study, run_point

_T = TypeVar("_T")
Told = Callable[[int, int], None]  # (runs done, runs in all)


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
    rows = run_all([partial(run_point, study, paths, values) for values in grid], jobs=jobs, done=done)
    return [rows[index] for index in sorted(rows)]


def run_all(runs: Sequence[Callable[[], _T]], *, jobs: int | None = None, done: Told | None = None) -> dict[int, _T]:
    """What each of ``runs`` returns, by its index, in ``jobs`` processes (default: one a processor; 1 runs here).

    On KeyboardInterrupt the answers already there are returned.
    """
    jobs = min(jobs or os.cpu_count() or 1, len(runs))
    answers: dict[int, _T] = {}

    def keep(index: int, answer: _T) -> None:
        answers[index] = answer
        if done:
            done(len(answers), len(runs))

    try:
        if jobs == 1:
            for index, run in enumerate(runs):
                keep(index, run())
        else:
            _in_parallel(runs, jobs, keep)
    except KeyboardInterrupt:
        pass  # what is done is the answer
    return answers


def _in_parallel(runs: Sequence[Callable[[], _T]], jobs: int, keep: Callable[[int, _T], None]) -> None:
    # Forked workers start with everything imported; elsewhere they import it themselves.
    method = "fork" if "fork" in multiprocessing.get_all_start_methods() else None
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context(method), initializer=_ignore_interrupts)
    try:
        waiting: dict[Future[_T], int] = {pool.submit(run): index for index, run in enumerate(runs)}
        while waiting:
            finished, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in finished:
                keep(waiting.pop(future), future.result())
    except KeyboardInterrupt:
        for worker in set(multiprocessing.active_children()) - others:
            worker.terminate()  # what is not done will not be asked for
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _ignore_interrupts() -> None:
    """The parent decides what an interrupt means."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
