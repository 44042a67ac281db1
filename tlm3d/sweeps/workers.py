"""Worker processes that do one run after the other and leave nothing behind, whatever ends them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import traceback
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from threading import Thread
from typing import Any, TypeVar

_T = TypeVar("_T")
Share = Callable[[float], None]  # told how much of a run is done, from 0 to 1
_PATIENCE_S = 5.0  # for a process that was told to end


def run_in_processes(
    runs: Sequence[Callable[[Share], _T]],
    lost: Callable[[int, str], _T],
    jobs: int,
    under_way: Callable[[int, float], None],
) -> Generator[tuple[int, _T], None, None]:
    """(index, answer) of each of ``runs`` as it is done, by ``jobs`` processes.

    What a run says of its share done, while it is under way, is told here as ``under_way(index, share)``.
    A process that dies takes one run with it, whose answer is ``lost(index, error)``; another takes its place. An
    exception in a run is raised here. Closing the iterator ends all processes at once.
    """
    waiting = iter(range(len(runs)))
    workers: dict[Connection, tuple[_Worker, int]] = {}  # and the index of what it runs

    def employ(worker: _Worker | None = None) -> None:
        """Give ``worker``, or a new one, the next run; end it where there is none."""
        index = next(waiting, None)
        if index is None:
            if worker:
                worker.end()
            return
        worker = worker or _Worker(runs)
        workers[worker.connection] = (worker, index)
        with suppress(OSError):  # it died meanwhile, which shows when its answer does not come
            worker.connection.send(index)

    try:
        for _ in range(jobs):
            employ()
        while workers:
            for ready in wait([*workers]):
                assert isinstance(ready, Connection)
                worker, index = workers[ready]
                try:
                    answer: _T | Exception | _Done = ready.recv()
                except EOFError:
                    del workers[ready]
                    yield index, lost(index, f"its process ended unexpectedly ({_cause(worker.end())})")
                    employ()
                    continue
                if isinstance(answer, _Done):
                    under_way(index, answer.share)
                    continue
                if isinstance(answer, Exception):
                    raise answer
                del workers[ready]
                employ(worker)  # before anything is done with the answer
                yield index, answer
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


@dataclass(frozen=True, slots=True)
class _Done:
    """What a worker sends before the answer: the share of its run that is done."""

    share: float


class _Worker:
    """One process and our end of the pipe to it."""

    def __init__(self, runs: Sequence[Callable[[Share], object]]) -> None:
        # Forked workers start with everything imported; elsewhere they import it themselves.
        fork = "fork" in multiprocessing.get_all_start_methods()
        context = multiprocessing.get_context("fork") if fork else multiprocessing.get_context("spawn")
        self.connection, its_end = context.Pipe()
        work: Callable[[Connection, Connection, Sequence[Callable[[Share], object]]], None] = _work
        self.process: BaseProcess = context.Process(target=work, args=(its_end, self.connection, runs), daemon=True)
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


def _work(connection: Connection, parents_end: Connection, runs: Sequence[Callable[[Share], object]]) -> None:
    """Do those of ``runs`` whose index comes, until None does or the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt means
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    parents_end.close()  # else the pipe stays open when the parent is gone
    Thread(target=_end_with_the_parent, daemon=True).start()
    try:
        while True:
            index: int | None = connection.recv()
            if index is None:
                return
            connection.send(_outcome(partial(runs[index], lambda share: connection.send(_Done(share)))))
    except (EOFError, OSError):
        return  # the parent is gone


def _end_with_the_parent() -> None:
    """A parent that was killed must not leave a process behind that computes for nobody."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _outcome(run: Callable[[], Any]) -> Any:
    """What ``run`` returns, or the bug of tlm3d that it found."""
    try:
        return run()
    except Exception as error:
        bug = RuntimeError(f"{type(error).__name__}: {error}")  # whatever it was, this can be sent
        bug.add_note("".join(traceback.format_exception(error)))
        return bug
