"""One system simulated and bounded: every response, reaction and age beside what is said to be its limit."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from systems import attempts
from systems.pair import Pair
from systems.phases import phased
from tlm3d import bound
from tlm3d.analysis.judge import judge
from tlm3d.bounds.result import TaskBound
from tlm3d.errors import ElaborationError
from tlm3d.model.system import System

PATIENCE_S = 30  # a system that takes longer is an error


class Row(NamedTuple):
    """Of a task (its response) or a chain (its reaction, its age)."""

    what: str  # response, reaction, age
    name: str
    longest_ps: int  # simulated; of what had not ended at the horizon, the time until then
    shortest_ps: int | None  # simulated, of what ended; None where nothing did
    bound_ps: int | None
    best_ps: int
    reason: str
    untidy: str = ""  # what is wrong with the bound in itself
    phase: int = 0  # in which the longest was, or the shortest if that is what is wrong

    @property
    def tightness(self) -> float | None:
        """Simulated over bound; None where one is missing."""
        return self.longest_ps / self.bound_ps if self.bound_ps and self.longest_ps else None

    def violations(self, spoil: float = 1) -> list[str]:
        """What the simulation contradicts, with the bound times ``spoil``."""
        found = [self.untidy] if self.untidy else []
        if self.bound_ps is not None and self.longest_ps > self.bound_ps * spoil:
            found.append(f"{self.what} of {self.name}: simulated {self.longest_ps} ps > bound {self.bound_ps} ps")
        if self.shortest_ps is not None and self.shortest_ps < self.best_ps:
            found.append(f"{self.what} of {self.name}: simulated {self.shortest_ps} ps < best {self.best_ps} ps")
        return found


class Measured(NamedTuple):
    kind: str
    seed: int
    rows: tuple[Row, ...]
    error: str = ""
    jobs: int = 0
    simulating_s: float = 0
    bounding_s: float = 0


def measure_named(kind: str, seed: int, with_bounds: bool = True, phases: int = 1) -> Measured:
    """The system of that name; what goes wrong is told as an error."""
    try:
        with _patience():
            for pair in attempts(kind, seed):
                began_s = time.perf_counter()
                try:
                    first = simulated(pair)
                except ElaborationError:
                    continue
                took_s = time.perf_counter() - began_s
                told = measure(pair, with_bounds, phases, first)
                return told._replace(kind=kind, seed=seed, simulating_s=told.simulating_s + took_s)
    except Exception as error:
        return Measured(kind, seed, (), f"{type(error).__name__}: {error}")
    raise AssertionError


class _Seen(NamedTuple):
    """The longest and shortest that was simulated, and in which phases."""

    longest_ps: int = 0
    longest_in: int = 0
    shortest_ps: int | None = None
    shortest_in: int = 0

    def and_(self, other: _Seen) -> _Seen:
        longest = max((self, other), key=lambda seen: seen.longest_ps)
        ended = [seen for seen in (self, other) if seen.shortest_ps is not None]
        shortest = min(ended, key=lambda seen: seen.shortest_ps or 0, default=self)
        return _Seen(longest.longest_ps, longest.longest_in, shortest.shortest_ps, shortest.shortest_in)


_Simulated = tuple[dict[tuple[str, str], _Seen], int]


def simulated(pair: Pair, phase: int = 0) -> _Simulated:
    """By what and name; how many jobs there were."""
    platform, workload = pair.read()
    recording = System(platform, workload, workload.policy, workload.horizon_ps, pair.seed).run()
    seen = {("response", name): _Seen() for name in workload.tasks}
    horizon_ps = workload.horizon_ps
    for job in recording.jobs:
        so_far = seen["response", job.task]
        if job.status == "finished" and job.finish_ps <= horizon_ps:
            took_ps = job.finish_ps - job.release_ps
            if so_far.longest_ps < took_ps or so_far.shortest_ps is None or took_ps < so_far.shortest_ps:
                seen["response", job.task] = so_far.and_(_Seen(took_ps, phase, took_ps, phase))
        elif job.status in ("finished", "unfinished"):
            seen["response", job.task] = so_far.and_(_Seen(horizon_ps - job.release_ps, phase))
    for name, chain in (judge(recording).chains if workload.chains else {}).items():
        seen["reaction", name] = _Seen(chain.reaction.worst_ps if chain.reaction else 0, phase)
        seen["age", name] = _Seen(chain.age.worst_ps if chain.age else 0, phase)
    return seen, len(recording.jobs)


def measure(pair: Pair, with_bounds: bool = True, phases: int = 1, first: _Simulated | None = None) -> Measured:
    """The longest of all ``phases`` beside one bound. Raises what reading, simulating and bounding raise.

    ``first``: what the pair itself came to, where that is known.
    """
    began_s = time.perf_counter()
    seen, jobs = first or simulated(pair)
    for phase in range(1, phases):
        again, more = simulated(phased(pair, phase), phase)
        seen = {key: told.and_(again[key]) for key, told in seen.items()}
        jobs += more
    simulated_s = time.perf_counter()
    rows = _rows(pair, seen) if with_bounds else ()
    return Measured("", 0, rows, "", jobs, simulated_s - began_s, time.perf_counter() - simulated_s)


def _rows(pair: Pair, seen: dict[tuple[str, str], _Seen]) -> tuple[Row, ...]:
    bounds = bound(*pair.read())
    rows = []
    for (what, name), told in seen.items():
        task, chain = bounds.tasks.get(name), bounds.chains.get(name)
        if what == "response" and task is not None:
            row = Row(
                what, name, told.longest_ps, told.shortest_ps, task.bound_ps, task.best_ps, task.reason, _untidy(task)
            )
        elif what != "response" and chain is not None:
            bound_ps = chain.reaction_ps if what == "reaction" else chain.age_ps
            row = Row(what, name, told.longest_ps, None, bound_ps, 0, chain.reason)
        else:
            row = Row(what, name, 0, None, None, 0, "", f"{what} of {name}: nothing is said of it")
        too_short = row.shortest_ps is not None and row.shortest_ps < row.best_ps
        rows.append(row._replace(phase=told.shortest_in if too_short else told.longest_in))
    return tuple(rows)


def _untidy(task: TaskBound) -> str:
    """What is wrong with a bound in itself."""
    if task.bound_ps is None:
        return "" if task.reason else f"{task.task}: neither a bound nor a reason"
    if sum(part.ps for part in task.parts) != task.bound_ps:
        return f"{task.task}: the parts do not add up to the bound"
    if any(part.ps != part.work_ps + part.blocking_ps + part.interference_ps for part in task.parts):
        return f"{task.task}: a part is not the sum of its own parts"
    return ""


@contextmanager
def _patience() -> Iterator[None]:
    """Raise TimeoutError in what takes longer than ``PATIENCE_S``, where the system has such an alarm."""

    def ring(*_: object) -> None:
        raise TimeoutError(f"more than {PATIENCE_S} s")

    if not hasattr(signal, "SIGALRM"):
        yield
        return
    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(PATIENCE_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
