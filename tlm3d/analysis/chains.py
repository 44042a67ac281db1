"""Delay along a chain of tasks that hand on data through registers, from the jobs that ran.

After Feiertag, Richter, Nordlander, Jonsson, "A compositional framework for end-to-end path delay calculation of
automotive systems under different path semantics", 2008, with implicit communication: a job reads at its start the
newest result of the task before, one of the same instant included, and writes at its finish. A job that a job of the
task before has released carries the result of that one. A job of the first task carries its release.

*Reaction*: from the release of a job of the first task, whatever becomes of it, to the first output of the last task
that carries its data or newer. *Data age*: how old the data of the newest output becomes before the next output
replaces it, or the window ends; so long the old value stays (Günzel et al., ECRTS 2023).
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tlm3d.analysis.result import ChainResult, Delay
from tlm3d.record.recording import ChainInfo, JobEnd, Recording


class _Finish(NamedTuple):
    """A job's result, in the order in which they are taken: of one instant, the earlier task of the chain first."""

    finish_ps: int
    place: int
    read_ps: int
    release_ps: int


class Chains:
    """All chains of a run, fed with jobs as they come."""

    def __init__(self, recording: Recording) -> None:
        self._paths = [Path(name, info) for name, info in recording.chains.items()]

    def add(self, jobs: Mapping[str, Sequence[JobEnd]], rest: Iterable[JobEnd], settled_ps: int) -> None:
        """Take in ``jobs``; with ``rest`` they are all that finished by ``settled_ps``."""
        if not self._paths:
            return
        to_come_ps = (job.finish_ps - 1 for job in rest if job.status == "finished")
        until_ps = min(settled_ps, min(to_come_ps, default=settled_ps))
        for path in self._paths:
            path.add(jobs)
            path.settle(until_ps)

    def results(self, horizon_ps: int) -> dict[str, ChainResult]:
        """The delays of every chain, once all jobs are in."""
        return {path.name: path.result(horizon_ps) for path in self._paths}


class Path:
    """One chain. What is held grows only while its last task has no output, or a task before one that does not end."""

    def __init__(self, name: str, info: ChainInfo) -> None:
        self.name, self._info = name, info
        self._places = {task: place for place, task in enumerate(info.tasks)}
        self._ahead: list[_Finish] = []  # not taken: something before may yet be told
        self._results: list[deque[tuple[int, int]]] = [deque() for _ in info.tasks]  # finish, data; by place
        self._waiting: list[int] = []  # releases of the first task that no output reacted to
        self._output_ps: int | None = None  # data of the newest output
        self._reaction = _Sum(info.deadline_ps)
        self._age = _Sum(info.max_age_ps)

    def add(self, jobs: Mapping[str, Sequence[JobEnd]]) -> None:
        """Jobs of the window, in any order; of the first task those without a result, too."""
        for job in jobs[self._info.tasks[0]]:
            insort(self._waiting, job.release_ps)
        for task, place in self._places.items():
            cascades = task in self._info.cascades
            for job in jobs[task]:
                if job.status == "finished":
                    # It was released when the one whose result it carries had just finished.
                    read_ps = job.release_ps if cascades and job.source >= 0 else job.start_ps
                    self._ahead.append(_Finish(job.finish_ps, place, read_ps, job.release_ps))

    def settle(self, until_ps: int) -> None:
        """Take what finished by ``until_ps``: all of it has been added."""
        self._ahead.sort()
        count = bisect_right(self._ahead, until_ps, key=lambda one: one.finish_ps)
        for one in self._ahead[:count]:
            self._take(one)
        del self._ahead[:count]

    def result(self, horizon_ps: int) -> ChainResult:
        """The delays up to the end of the window."""
        self.settle(horizon_ps)
        age = self._age.copy()
        if self._output_ps is not None:
            age.add(horizon_ps - self._output_ps)
        return ChainResult(
            name=self.name,
            tasks=self._info.tasks,
            deadline_ps=self._info.deadline_ps,
            max_age_ps=self._info.max_age_ps,
            reaction=self._reacted(horizon_ps),
            age=age.delay(),
        )

    def _reacted(self, horizon_ps: int) -> Delay | None:
        known = self._reaction.delay()
        if not self._waiting:
            return known
        so_far_ps = horizon_ps - self._waiting[0]
        bound_ps = self._info.deadline_ps
        overdue = 0 if bound_ps is None else bisect_right(self._waiting, horizon_ps - bound_ps - 1)
        if known is None:
            return Delay(so_far_ps, None, overdue, overdue, is_bound=True)
        worst_ps = max(known.worst_ps, so_far_ps)
        is_bound = so_far_ps >= known.worst_ps
        return Delay(worst_ps, known.mean_ps, known.judged + overdue, known.lost + overdue, is_bound)

    def _take(self, one: _Finish) -> None:
        data_ps = self._newest_ps(one.place - 1, one.read_ps) if one.place else one.release_ps
        if data_ps is None:
            return
        if one.place < len(self._results) - 1:
            self._results[one.place].append((one.finish_ps, data_ps))
            return
        if self._output_ps is not None:
            self._age.add(one.finish_ps - self._output_ps)
        self._output_ps = data_ps
        count = bisect_right(self._waiting, data_ps)
        for release_ps in self._waiting[:count]:
            self._reaction.add(one.finish_ps - release_ps)
        del self._waiting[:count]

    def _newest_ps(self, place: int, read_ps: int) -> int | None:
        """What the newest result by ``read_ps`` carries. Later jobs of a task read later: older results can go."""
        results = self._results[place]
        while len(results) > 1 and results[1][0] <= read_ps:
            results.popleft()
        return results[0][1] if results and results[0][0] <= read_ps else None


class _Sum:
    """Delays, counted against a bound."""

    def __init__(self, bound_ps: int | None) -> None:
        self._bound_ps = bound_ps
        self._count = self._lost = self._sum_ps = self._worst_ps = 0

    def add(self, delay_ps: int) -> None:
        self._count += 1
        self._sum_ps += delay_ps
        self._worst_ps = max(self._worst_ps, delay_ps)
        self._lost += self._bound_ps is not None and delay_ps > self._bound_ps

    def copy(self) -> _Sum:
        other = _Sum(self._bound_ps)
        other._count, other._lost = self._count, self._lost
        other._sum_ps, other._worst_ps = self._sum_ps, self._worst_ps
        return other

    def delay(self) -> Delay | None:
        if not self._count:
            return None
        return Delay(self._worst_ps, self._sum_ps // self._count, self._count, self._lost, is_bound=False)
