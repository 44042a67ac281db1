"""Shared resources: what only one job at a time may hold, and how urgent its holder is meanwhile.

A stage takes all that it holds when it first runs. Where another job has one of them, it waits, and the block is free
for others; once that has been given back it stands in its queue again, and who runs first has it.

- ``none``: the holder keeps its own urgency.
- ``inheritance``: it has that of the most urgent job it holds up, directly or not (Sha, Rajkumar & Lehoczky 1990).
- ``ceiling``: so it has; and a job may take a resource only if it is more urgent than every task that uses one of those
  that other jobs hold (the priority ceiling protocol of the same paper, there for one processor).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple, Protocol

from tlm3d.model.job import ItemRun, Job, Urgency
from tlm3d.record.recording import Deadlock, LockWait


class Waits(Protocol):
    """An engine whose stages may wait for resources."""

    def unpark(self, run: ItemRun) -> None:
        """What ``run`` waited for has been given back: it may try again."""

    def rebook(self, run: ItemRun) -> None:
        """``run`` waits on, behind another job than before."""

    def reorder(self, job: Job) -> None:
        """The urgency of ``job`` has changed."""

    def note_left(self, now_ps: int) -> None:
        """Tell what runs how much of it is left."""


class Resource(NamedTuple):
    """``ceiling``: key and name of the most urgent task that uses it, where its protocol is the ceiling's."""

    inherits: bool
    ceiling: tuple[int, str] | None


class _Bar(NamedTuple):
    """``job`` holds ``resource``, or what bars it."""

    resource: str
    job: Job


class _Waiter(NamedTuple):
    run: ItemRun
    engine: Waits
    bars: tuple[_Bar, ...]  # all of them must go


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
        """Take all that ``run`` holds and its job does not; False where it has to wait: ``engine`` will be told."""
        job = run.job
        bars = self._bars(run)
        if bars:
            self._waiters.append(_Waiter(run, engine, bars))
            self._find_deadlock(job)
            self._inherit([bar.job for bar in bars])
            return False
        wanted = [name for name in run.item.holds if name not in job.held]
        for name in wanted:
            self._holders[name] = job
        job.held = (*job.held, *wanted)
        return True

    def waited_for(self, run: ItemRun) -> tuple[str, str]:
        """The first resource that ``run`` waits for, and the job that it waits behind."""
        bar = next(waiter.bars[0] for waiter in self._waiters if waiter.run is run)
        return bar.resource, bar.job.label

    def waits(self, job: Job) -> bool:
        """Whether anything of ``job`` waits for a resource."""
        return any(waiter.run.job is job for waiter in self._waiters)

    def give(self, job: Job, names: Iterable[str]) -> None:
        """``job`` needs ``names`` no more; ``settle`` then tells those that wait."""
        given = [name for name in names if self._holders.get(name) is job]
        if not given:
            return
        self._given = True
        for name in given:
            del self._holders[name]
        job.held = tuple(name for name in job.held if name not in given)
        self._inherit([job])

    def settle(self) -> None:
        """Those that nothing bars any more may try again."""
        if not self._given:
            return
        self._given = False
        waiters, self._waiters = self._waiters, []
        free: list[_Waiter] = []
        moved: list[_Waiter] = []
        for waiter in waiters:
            bars = self._bars(waiter.run)
            if not bars:
                free.append(waiter)
                continue
            self._waiters.append(waiter._replace(bars=bars))
            if bars[0] != waiter.bars[0]:
                moved.append(waiter)
        for waiter in free:
            waiter.engine.unpark(waiter.run)
        for waiter in moved:
            waiter.engine.rebook(waiter.run)
        self._inherit({bar.job for waiter in (*waiters, *self._waiters) for bar in waiter.bars})

    def forget(self, job: Job) -> None:
        """``job`` is over: it waits for nothing and holds nothing."""
        left = [waiter for waiter in self._waiters if waiter.run.job is job]
        self._waiters = [waiter for waiter in self._waiters if waiter.run.job is not job]
        self.give(job, job.held)
        self._inherit([bar.job for waiter in left for bar in waiter.bars])

    def rekey(self, jobs: Iterable[Job], urgency: Callable[[Job], None]) -> None:
        """Every job of ``jobs`` and of those that wait for a resource has another urgency of its own."""
        everyone = {*jobs, *(waiter.run.job for waiter in self._waiters), *self._holders.values()}
        for job in everyone:
            urgency(job)
        for job in {bar.job for waiter in self._waiters for bar in waiter.bars}:
            job.urgency = min([job.base, *self._pushing(job, {job})])

    # ------------------------------------------------------------ who bars whom

    def _bars(self, run: ItemRun) -> tuple[_Bar, ...]:
        """What keeps ``run`` from all that it wants: it is held, or what is held has too high a ceiling."""
        job, found = run.job, list[_Bar]()
        for name in run.item.holds:
            holder = self._holders.get(name)
            if holder is job:
                continue
            if holder is not None:
                found.append(_Bar(name, holder))
            elif self._resources[name].ceiling is not None:
                found += self._ceilings_over(job, name)
        return tuple(dict.fromkeys(found))

    def _ceilings_over(self, job: Job, name: str) -> list[_Bar]:
        held = [(self._resources[name].ceiling, holder) for name, holder in self._holders.items() if holder is not job]
        level = job.urgency[:2]
        above = [(ceiling, holder.base, holder) for ceiling, holder in held if ceiling is not None and level >= ceiling]
        return [_Bar(name, min(above, key=lambda one: one[:2])[2])] if above else []

    # ------------------------------------------------------------ inheritance

    def _inherit(self, jobs: Iterable[Job]) -> None:
        """Work out again how urgent ``jobs`` are, and those that they wait for."""
        todo, seen = list(jobs), set[Job]()
        while todo:
            job = todo.pop()
            urgency = min([job.base, *self._pushing(job, {job})])
            if urgency != job.urgency:
                job.urgency = urgency
                for engine in self.engines:
                    engine.reorder(job)
            if job not in seen:
                seen.add(job)
                todo += [bar.job for waiter in self._waiters if waiter.run.job is job for bar in waiter.bars]

    def _pushing(self, job: Job, seen: set[Job]) -> list[Urgency]:
        """The urgencies of all that wait behind ``job``, directly or not, and hand theirs on."""
        found = []
        for waiter in self._waiters:
            other = waiter.run.job
            hands_on = any(bar.job is job and self._resources[bar.resource].inherits for bar in waiter.bars)
            if hands_on and other not in seen:
                seen.add(other)
                found += [other.base, *self._pushing(other, seen)]
        return found

    # ------------------------------------------------------------ deadlock

    def _find_deadlock(self, job: Job) -> None:
        """Report a circle of jobs each of which waits behind the next, if ``job`` has just closed one."""
        ring = self._way_back(job, job, set())
        if ring:
            self._found(Deadlock(self._now(), tuple(ring)))

    def _way_back(self, at: Job, to: Job, seen: set[Job]) -> list[LockWait]:
        """The waits that lead from ``at`` to ``to``; none where there is no way."""
        seen.add(at)
        for waiter in self._waiters:
            for bar in waiter.bars if waiter.run.job is at else ():
                wait = LockWait(at.label, bar.resource, bar.job.label)
                if bar.job is to:
                    return [wait]
                rest = self._way_back(bar.job, to, seen) if bar.job not in seen else []
                if rest:
                    return [wait, *rest]
        return []
