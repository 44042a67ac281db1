"""One system simulated and bounded: every response, reaction and age beside what is said to be its limit."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from systems import draw
from systems.pair import Pair
from tlm3d.analysis.judge import judge
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


def measure_named(kind: str, seed: int, with_bounds: bool = True) -> Measured:
    """The system of that name; what goes wrong is told as an error."""
    try:
        with _patience():
            return measure(draw(kind, seed), with_bounds)._replace(kind=kind, seed=seed)
    except Exception as error:
        return Measured(kind, seed, (), f"{type(error).__name__}: {error}")


def measure(pair: Pair, with_bounds: bool = True) -> Measured:
    """Raises what reading, simulating and bounding raise."""
    platform, workload = pair.read()
    began_s = time.perf_counter()
    recording = System(platform, workload, workload.policy, workload.horizon_ps, pair.seed).run()
    longest = dict.fromkeys(workload.tasks, 0)
    shortest: dict[str, int | None] = dict.fromkeys(workload.tasks)
    horizon_ps = workload.horizon_ps
    for job in recording.jobs:
        name = job.task
        if job.status == "finished" and job.finish_ps <= horizon_ps:
            response_ps = job.finish_ps - job.release_ps
            least_ps = shortest[name]
            shortest[name] = response_ps if least_ps is None else min(least_ps, response_ps)
        elif job.status in ("finished", "unfinished"):
            response_ps = horizon_ps - job.release_ps
        else:
            continue
        longest[name] = max(longest[name], response_ps)
    chains = judge(recording).chains if workload.chains else {}
    simulated_s = time.perf_counter()
    rows = []
    if with_bounds:
        from tlm3d import bound

        bounds = bound(platform, workload)
        for name, task in bounds.tasks.items():
            untidy = ""
            if task.bound_ps is None and not task.reason:
                untidy = f"{name}: neither a bound nor a reason"
            elif task.bound_ps is not None and sum(part.ps for part in task.parts) != task.bound_ps:
                untidy = f"{name}: the parts do not add up to the bound"
            elif any(part.ps != part.work_ps + part.blocking_ps + part.interference_ps for part in task.parts):
                untidy = f"{name}: a part is not the sum of its own parts"
            rows.append(
                Row("response", name, longest[name], shortest[name], task.bound_ps, task.best_ps, task.reason, untidy)
            )
        for name, limit in bounds.chains.items():
            told = chains[name]
            for what, delay, bound_ps in (
                ("reaction", told.reaction, limit.reaction_ps),
                ("age", told.age, limit.age_ps),
            ):
                worst_ps = delay.worst_ps if delay else 0
                rows.append(Row(what, name, worst_ps, None, bound_ps, 0, limit.reason))
        missing = (workload.tasks.keys() - bounds.tasks) | (workload.chains.keys() - bounds.chains)
        rows += [Row("response", name, 0, None, None, 0, "", f"{name}: nothing is said of it") for name in missing]
    done_s = time.perf_counter()
    return Measured("", 0, tuple(rows), "", len(recording.jobs), simulated_s - began_s, done_s - simulated_s)


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
