"""What is wrong beyond single jobs: more work than time, tasks that are never served, jobs that wait in a circle.

- *Overload* of blocks or a channel: the jobs whose deadline lies inside the window [0, H] need more time there than the
  window has (times the blocks that can do it). Each counts with its demand, begun or not. It is the demand bound of
  Baruah, Rosier and Howell (1990) over [0, H]: above 1 no order of the jobs keeps every deadline.
- *Starvation* of a task: it missed a deadline, none of its jobs has computed or finished since an instant in the first
  half of the window (its first release, if none ever has), and for more than half of the time since then a job of
  another task held what it waited for.
- *Deadlock*: as recorded, when it closed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from tlm3d.analysis.deadlines import is_finished
from tlm3d.analysis.result import TaskResult, Trouble
from tlm3d.record.recording import JobEnd, Recording
from tlm3d.units import show_ps

OVERLOAD, STARVATION, DEADLOCK = "overload", "starvation", "deadlock"
_AMONG = "+"  # joins the blocks of which any can do some work


class Service:
    """Since when one task has not been served, and who has held what it waited for since then. Flat in memory.

    Jobs of a task are served one after the other, so only those after the last one that finished are looked at: where
    all is well that is none. A job behind another one of its task waits for nobody else.
    """

    def __init__(self, task: str) -> None:
        self._task = task
        self.since_ps: int | None = None  # it last finished or computed; before that its first release
        self.held_ps: Counter[tuple[str, str]] = Counter()  # by where and the task that held it

    def add(self, jobs: Sequence[JobEnd], horizon_ps: int) -> None:
        """Take in ``jobs``, in order of their index."""
        if self.since_ps is None:
            self.since_ps = jobs[0].release_ps
        unserved = len(jobs)
        while unserved and not is_finished(jobs[unserved - 1], horizon_ps):
            unserved -= 1
        if unserved:
            self._served(jobs[unserved - 1].finish_ps)
        for job in jobs[unserved:]:
            for bucket, start_ps, end_ps, where, holder in job.segments:
                if bucket == "compute":
                    self._served(end_ps)
                elif holder != "-" and bucket != "self-predecessor":
                    other = holder.rpartition("#")[0]
                    if other != self._task:
                        self.held_ps[where, other or holder] += end_ps - start_ps

    def _served(self, until_ps: int) -> None:
        self.since_ps = until_ps
        self.held_ps.clear()


class Troubles:
    """Reads the jobs of a run as they come."""

    def __init__(self, tasks: Iterable[str]) -> None:
        self._services = {name: Service(name) for name in tasks}

    def add(self, task: str, jobs: Sequence[JobEnd], horizon_ps: int) -> None:
        """``jobs`` of ``task``, in order of their index."""
        if jobs:
            self._services[task].add(jobs, horizon_ps)

    def result(self, recording: Recording, tasks: Mapping[str, TaskResult]) -> tuple[Trouble, ...]:
        """All that was found: deadlocks in order of time, overload by place, starvation by task."""
        return (*deadlocks(recording), *overloads(recording, tasks), *self._starved(recording, tasks))

    def _starved(self, recording: Recording, tasks: Mapping[str, TaskResult]) -> Iterable[Trouble]:
        horizon_ps = recording.horizon_ps
        for name, service in self._services.items():
            since_ps, held_ps = service.since_ps, service.held_ps
            if since_ps is None or 2 * since_ps > horizon_ps or not tasks[name].missed:
                continue
            unserved_ps = horizon_ps - since_ps
            if 2 * held_ps.total() <= unserved_ps:
                continue
            places: Counter[str] = Counter()
            holders: Counter[str] = Counter()
            for (where, holder), time_ps in held_ps.items():
                places[where] += time_ps
                holders[holder] += time_ps
            where = min(places, key=lambda place: (-places[place], place))
            yield Trouble(STARVATION, where, name, since_ps, 0, unserved_ps, _largest_first(holders))


def overloads(recording: Recording, tasks: Mapping[str, TaskResult]) -> list[Trouble]:
    """Blocks and channels of which more is asked than there is."""
    by_place: dict[str, Counter[str]] = {}
    for name, info in recording.tasks.items():
        for place, demand_ps in info.demand_ps:
            by_place.setdefault(place, Counter())[name] += demand_ps * tasks[name].judged
    found = []
    for place in sorted(by_place):
        blocks = set(place.split(_AMONG))
        asked_ps: Counter[str] = Counter()
        for other, parts_ps in by_place.items():
            if blocks.issuperset(other.split(_AMONG)):  # can be done nowhere else
                asked_ps.update(parts_ps)
        capacity_ps = len(blocks) * recording.horizon_ps
        if asked_ps.total() > capacity_ps:
            shares = _largest_first(asked_ps)
            found.append(Trouble(OVERLOAD, place, shares[0][0], None, asked_ps.total(), capacity_ps, shares))
    return found


def deadlocks(recording: Recording) -> list[Trouble]:
    """Circles of jobs that wait for one another."""
    return [
        Trouble(DEADLOCK, ", ".join(wait.resource for wait in waits), waits[0].job, at_ps, waits=waits)
        for at_ps, waits in sorted(recording.deadlocks)
        if at_ps <= recording.horizon_ps
    ]


def clause(trouble: Trouble) -> str:
    """``trouble`` in a line."""
    if trouble.kind == DEADLOCK:
        waits = ", ".join(f"{wait.job} waits for {wait.resource} held by {wait.holder}" for wait in trouble.waits)
        return f"deadlock at {show_ps(trouble.at_ps or 0)}: {waits}"
    shares = ", ".join(f"{name} ({_percent(part, trouble.total_ps)})" for name, part in trouble.shares[:3])
    place = trouble.where.replace(_AMONG, " and ")
    if trouble.kind == OVERLOAD:
        asked = _percent(trouble.asked_ps, trouble.capacity_ps)
        return f"{place} overloaded: {asked} of its time is asked for, by {shares}"
    since = show_ps(trouble.at_ps or 0)
    return f"{trouble.who} starved: not served since {since}, while {place} worked for others, most for {shares}"


def _largest_first(parts_ps: Counter[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(((name, ps) for name, ps in parts_ps.items() if ps), key=lambda part: (-part[1], part[0])))


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %"
