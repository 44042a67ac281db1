"""Worker processes that run points one by one and leave nothing behind, whatever ends the sweep."""

from __future__ import annotations

import multiprocessing
import os
import signal
import traceback
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from threading import Thread

from tlm3d.analysis.sweep import Row
from tlm3d.sweeps.point import Point, Study, run_point

_PATIENCE_S = 5.0  # for a process that was told to end


def run_points(study: Study, points: Sequence[Point], jobs: int) -> Generator[tuple[int, Row], None, None]:
    """(index, row) of every point as it is done, by ``jobs`` processes.

    A process that dies takes one point with it, which becomes a row with its error; another takes its place. An
    exception that is no Tlm3dError is raised here. Closing the iterator ends all processes at once.
    """
    waiting = iter(enumerate(points))
    workers: dict[Connection, tuple[_Worker, int]] = {}  # and the index of the point it runs

    def employ(worker: _Worker | None = None) -> None:
        """Give ``worker``, or a new one, the next point; end it where there is none."""
        index, point = next(waiting, (-1, None))
        if point is None:
            if worker:
                worker.end()
            return
        worker = worker or _Worker(study)
        workers[worker.connection] = (worker, index)
        with suppress(OSError):  # it died meanwhile, which shows when its row does not come
            worker.connection.send(point)

    try:
        for _ in range(jobs):
            employ()
        while workers:
            for ready in wait([*workers]):
                assert isinstance(ready, Connection)
                worker, index = workers[ready]
                try:
                    row: Row | Exception = ready.recv()
                except EOFError:
                    del workers[ready]
                    died = f"its process ended unexpectedly ({_cause(worker.end())})"
                    yield index, replace(points[index].row, error=died)
                    employ()
                    continue
                if isinstance(row, Exception):
                    raise row
                del workers[ready]
                employ(worker)  # before anything is done with the row
                yield index, row
    finally:
        for worker, _ in workers.values():
            worker.process.terminate()
        for worker, _ in workers.values():
            worker.end()


def _cause(exit_code: int | None) -> str:
    """How a process ended: ``SIGKILL``, ``exit code 1``."""
    if exit_code is not None and exit_code < 0:
        return signal.Signals(-exit_code).name
    return f"exit code {exit_code}"


class _Worker:
    """One process and our end of the pipe to it."""

    def __init__(self, study: Study) -> None:
        # Forked workers start with everything imported; elsewhere they import it themselves.
        fork = "fork" in multiprocessing.get_all_start_methods()
        context = multiprocessing.get_context("fork") if fork else multiprocessing.get_context("spawn")
        self.connection, its_end = context.Pipe()
        work: Callable[[Connection, Connection, Study], None] = _work
        self.process: BaseProcess = context.Process(target=work, args=(its_end, self.connection, study), daemon=True)
        self.process.start()
        its_end.close()

    def end(self) -> int | None:
        """Let the process end, by force if it does not; its exit code."""
        with suppress(OSError):  # it has ended already
            self.connection.send(None)
        self.connection.close()
        self.process.join(_PATIENCE_S)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        return self.process.exitcode


def _work(connection: Connection, parents_end: Connection, study: Study) -> None:
    """Run the points that come, until None does or the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt means
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    parents_end.close()  # else the pipe stays open when the parent is gone
    Thread(target=_end_with_the_parent, daemon=True).start()
    try:
        while True:
            point: Point | None = connection.recv()
            if point is None:
                return
            connection.send(_outcome(study, point))
    except (EOFError, OSError):
        return  # the parent is gone


def _end_with_the_parent() -> None:
    """A parent that was killed must not leave a process behind that computes for nobody."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _outcome(study: Study, point: Point) -> Row | Exception:
    """The point's row, or the bug of tlm3d that it found."""
    try:
        return run_point(study, point)
    except Exception as error:
        bug = RuntimeError(f"{type(error).__name__}: {error}")  # whatever it was, this can be sent
        bug.add_note("".join(traceback.format_exception(error)))
        return bug
