"""Shared resources: what only one job at a time may hold, and how urgent its holder is meanwhile.

A resource is requested when a stage that holds it would run. Where another job has it, the stage waits, and the block
is free for others. Given back, it goes to the most urgent job that waits for it.

- ``none``: the holder keeps its own urgency.
- ``inheritance``: it has that of the most urgent job it holds up, directly or not (Sha, Rajkumar & Lehoczky 1990).
- ``ceiling``: so it has; and a job may take a resource only if it is more urgent than every task that uses one of those
  that other jobs hold (the priority ceiling protocol of the same paper, there for one processor).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple, Protocol

from tlm3d.model.job import ItemRun, Job
from tlm3d.record.recording import Deadlock, LockWait


class Waits(Protocol):
    """An engine whose stages may wait for resources."""

    def unpark(self, run: ItemRun) -> None:
        """The resource that ``run`` waited for may be had now."""

    def rebook(self, run: ItemRun) -> None:
        """``run`` waits on, behind another job than before."""

    def reorder(self, job: Job) -> None:
        """The urgency of ``job`` has changed."""


class Resource(NamedTuple):
    """``ceiling``: key and name of the most urgent task that uses it, where its protocol is the ceiling's."""

    inherits: bool
    ceiling: tuple[int, str] | None


class _Waiter(NamedTuple):
    run: ItemRun
    engine: Waits
    resource: str
    behind: Job  # that holds it, or holds what bars it


class Locks:
    """Who holds which of ``resources``; ``engines`` are told when the order of what waits changes."""

    def __init__(
        self, resources: Mapping[str, Resource], found: Callable[[Deadlock], None], now: Callable[[], int]
    ) -> None:
        self._resources, self._found, self._now = resources, found, now
        self._holders: dict[str, Job] = {}
        self._waiters: list[_Waiter] = []
        self._given = False  # something since those that wait were looked at
        self.engines: Collection[Waits] = ()

    def take(self, run: ItemRun, engine: Waits) -> bool:
        """Take what ``run`` holds and its job does not; False where it has to wait: ``engine`` will be told."""
        job = run.job
        for name in run.item.holds:
            if self._holders.get(name) is job:
                continue
            behind = self._bars(name, job)
            if behind is not None:
                self._waiters.append(_Waiter(run, engine, name, behind))
                self._find_deadlock(job)
                self._inherit([behind])
                return False
            self._hand(name, job)
        return True

    def waited_for(self, run: ItemRun) -> tuple[str, str] | None:
        """The resource that ``run`` waits for, and the job that it waits behind."""
        waiter = next((waiter for waiter in self._waiters if waiter.run is run), None)
        return None if waiter is None else (waiter.resource, waiter.behind.label)

    def waits(self, job: Job) -> bool:
        """Whether anything of ``job`` waits for a resource."""
        return any(waiter.run.job is job for waiter in self._waiters)

    def give(self, job: Job, names: Iterable[str]) -> None:
        """``job`` needs ``names`` no more. Who has them next is for ``settle``."""
        given = [name for name in names if self._holders.get(name) is job]
        if not given:
            return
        self._given = True
        for name in given:
            del self._holders[name]
        job.held = tuple(name for name in job.held if name not in given)
        self._inherit([job])

    def forget(self, job: Job) -> None:
        """``job`` is over: it waits for nothing and holds nothing."""
        left = [waiter for waiter in self._waiters if waiter.run.job is job]
        self._waiters = [waiter for waiter in self._waiters if waiter.run.job is not job]
        self.give(job, job.held)
        self._inherit([waiter.behind for waiter in left])

    def rekey(self, jobs: Iterable[Job], urgency: Callable[[Job], None]) -> None:
        """Every job of ``jobs`` and of those that wait for a resource has another urgency of its own."""
        everyone = {*jobs, *(waiter.run.job for waiter in self._waiters), *self._holders.values()}
        for job in everyone:
            urgency(job)
        for job in {waiter.behind for waiter in self._waiters}:
            job.urgency = min([job.base, *self._pushing(job, set())])

    # ------------------------------------------------------------ who bars whom

    def _bars(self, name: str, job: Job) -> Job | None:
        """The job that keeps ``job`` from taking ``name``: it has it, or what it has has too high a ceiling."""
        holder = self._holders.get(name)
        if holder is not None:
            return holder
        if self._resources[name].ceiling is None:
            return None
        held = [
            (ceiling, other.base, other)
            for held, other in self._holders.items()
            if other is not job and (ceiling := self._resources[held].ceiling) is not None
        ]
        highest = min(held, key=lambda one: one[:2], default=None)
        return highest[2] if highest is not None and job.urgency[:2] >= highest[0] else None

    def _hand(self, name: str, job: Job) -> None:
        self._holders[name] = job
        job.held = (*job.held, name)

    def settle(self) -> None:
        """Those that nothing bars any more, the most urgent first, have what they waited for."""
        if not self._given:
            return
        self._given = False
        for waiter in sorted(self._waiters, key=lambda waiter: (waiter.run.job.urgency, waiter.run.job.base)):
            job = waiter.run.job
            behind = self._bars(waiter.resource, job)
            if behind is not None:
                if behind is not waiter.behind:
                    self._waiters[self._waiters.index(waiter)] = waiter._replace(behind=behind)
                    waiter.engine.rebook(waiter.run)
                    self._find_deadlock(job)
                continue
            self._waiters.remove(waiter)
            self._hand(waiter.resource, job)
            waiter.engine.unpark(waiter.run)
        for job in {waiter.behind for waiter in self._waiters}:
            self._inherit([job])

    # ------------------------------------------------------------ inheritance

    def _inherit(self, jobs: Iterable[Job]) -> None:
        """Work out again how urgent ``jobs`` are, and those that they wait for."""
        todo, seen = list(jobs), set[Job]()
        while todo:
            job = todo.pop()
            urgency = min([job.base, *self._pushing(job, set())])
            if urgency != job.urgency:
                job.urgency = urgency
                for engine in self.engines:
                    engine.reorder(job)
            if job not in seen:
                seen.add(job)
                todo += [waiter.behind for waiter in self._waiters if waiter.run.job is job]

    def _pushing(self, job: Job, seen: set[Job]) -> list[tuple[int, str, int]]:
        """The urgencies of all that wait behind ``job``, directly or not, and hand theirs on."""
        seen.add(job)
        found = []
        for waiter in self._waiters:
            other = waiter.run.job
            if waiter.behind is job and other not in seen and self._resources[waiter.resource].inherits:
                found += [other.base, *self._pushing(other, seen)]
        return found

    # ------------------------------------------------------------ deadlock

    def _find_deadlock(self, job: Job) -> None:
        """Report a circle of jobs each of which waits behind the next, if ``job`` has just closed one."""
        ring: list[_Waiter] = []
        at: Job | None = job
        while at is not None:
            waiter = next((waiter for waiter in self._waiters if waiter.run.job is at), None)
            if waiter is None:
                return
            ring.append(waiter)
            at = waiter.behind
            if at is job:
                waits = (LockWait(one.run.job.label, one.resource, one.behind.label) for one in ring)
                self._found(Deadlock(self._now(), tuple(waits)))
                return
            if len(ring) > len(self._waiters):
                return  # a circle that ``job`` is not part of, reported when it closed
