"""A second scheduler, written from the rules and the textbooks alone: which job runs when, and when it finishes.

It knows nothing of the model: plain Python, whole numbers of any unit. At every arrival and completion it looks
at all that is ready anew, which is slow and easy to believe.

- Jobs of one task run one after the other; ``backlog`` of them may wait, one more puts out the one that waits longest.
- Small keys first; ties by task name, index of the job, place of the stage in its list.
- Of a pool of m processors the m most urgent stages run, of one job those that run already. One that runs stays.
- ``least-laxity`` (deadline − now − remaining) is looked at again at arrivals and completions of the pool, and
  ``quantum`` after the last look while something waits there.
- ``tile``: who is not among those m gives way where whole tiles of its stage are done, which is also so while it is
  being switched back in.
- Resources: a stage takes all that it ``holds`` when it would first run, or waits for it, and its job gives back what
  the next stage does not hold. Who waited for it then asks anew, when it would run. ``inheritance`` and ``ceiling`` as
  in Sha, Rajkumar & Lehoczky 1990, the latter for one processor and fixed priorities.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

NEVER = 1 << 62


@dataclass(frozen=True)
class Stage:
    """Work of ``time`` in a pool; ``after``: places of the stages it follows, None: the one before in the list."""

    time: int
    pool: str = "cpu"
    holds: tuple[str, ...] = ()
    after: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Task:
    """Jobs at ``releases``, due ``deadline`` later; ``period`` is what rate-monotonic goes by."""

    name: str
    stages: Sequence[Stage]
    releases: Sequence[int]
    deadline: int
    period: int = 1
    priority: int = 0
    backlog: int | None = None  # None: as many as come

    def before(self, place: int) -> Sequence[int]:
        """Places of the stages that a stage follows."""
        after = self.stages[place].after
        return range(max(0, place - 1), place) if after is None else after


@dataclass(frozen=True)
class Pool:
    """``m`` equal processors with one queue. ``tile``: whole tiles of a stage's work are done when it is preempted."""

    m: int = 1
    preemption: str = "full"  # full, none, tile
    tile: int = 1
    switch: int = 0  # paid by a preempted stage when it goes on


@dataclass(eq=False)
class Job:
    """A job and what is left of it."""

    task: Task
    index: int
    release: int
    finished: dict[int, bool] = field(default_factory=dict)  # by place of its stages

    @property
    def name(self) -> tuple[str, int]:
        return self.task.name, self.index


@dataclass(eq=False)
class Execution:
    """A stage that is ready: it waits, runs (``processor`` ≥ 0) or was preempted."""

    job: Job
    place: int
    left: int
    owed: int = 0  # of switching back in
    begun: bool = False
    processor: int = -1
    last: int = -1
    bars: Sequence[tuple[str, Job]] = ()  # resources it waits for, and who keeps it from them

    @property
    def stage(self) -> Stage:
        return self.job.task.stages[self.place]


@dataclass
class Schedule:
    """What came out, by (task, index); a finish is None where there was none up to the horizon."""

    finish: dict[tuple[str, int], int | None] = field(default_factory=dict)
    start: dict[tuple[str, int], int] = field(default_factory=dict)
    dropped: set[tuple[str, int]] = field(default_factory=set)


def periodic(period: int, horizon: int, offset: int = 0) -> list[int]:
    """Releases before the horizon."""
    return list(range(offset, horizon, period))


class Scheduler:
    """One run; see ``schedule``."""

    def __init__(
        self, tasks: Iterable[Task], pools: Mapping[str, Pool], policy: str, quantum: int, protocols: Mapping[str, str]
    ) -> None:
        self.tasks = sorted(tasks, key=lambda task: task.name)
        self.pools, self.policy, self.quantum, self.protocols = dict(pools), policy, quantum, dict(protocols)
        self.now = 0
        self.ready: list[Execution] = []
        self.active: dict[str, Job | None] = {task.name: None for task in self.tasks}
        self.queue: dict[str, list[Job]] = {task.name: [] for task in self.tasks}
        self.released = {task.name: 0 for task in self.tasks}
        self.look_again = dict.fromkeys(self.pools, NEVER)  # the next quantum of a pool
        self.changed: set[str] = set()  # pools that must decide now
        self.owner: dict[str, Job] = {}  # by resource
        self.freed = False
        self.out = Schedule()

    def key(self, job: Job) -> int:
        task = job.task
        if self.policy == "least-laxity":
            left = {e.place: e.left for e in self.ready if e.job is job} | dict.fromkeys(job.finished, 0)
            for place, stage in reversed(list(enumerate(task.stages))):  # with what comes after it, the longest way
                following = [left[i] for i in range(place + 1, len(task.stages)) if place in task.before(i)]
                left[place] = left.get(place, stage.time) + max(following, default=0)
            return job.release + task.deadline - self.now - max(left.values())
        keys = {
            "edf": job.release + task.deadline, "rate-monotonic": task.period, "deadline-monotonic": task.deadline,
            "fixed-priority": task.priority, "fifo": job.release,
        }  # fmt: skip
        return keys[self.policy]

    def own(self, job: Job) -> tuple[int, str, int]:
        return self.key(job), *job.name

    def ceiling(self, resource: str) -> tuple[int, str]:
        """Of the most urgent task that ever uses it: (key, name)."""
        users = [task for task in self.tasks if any(resource in stage.holds for stage in task.stages)]
        return min((self.key(Job(task, 0, 0)), task.name) for task in users)

    def urgencies(self) -> dict[tuple[str, int], tuple[int, str, int]]:
        """Of every job under way: its own, or that of the most urgent one it keeps waiting, link after link."""
        urgency = {job.name: self.own(job) for job in self.active.values() if job is not None}
        waits = [(e.job.name, o.name) for e in self.ready for r, o in e.bars if self.protocols.get(r) != "none"]
        for _ in urgency:
            for one, other in waits:
                if other in urgency:
                    urgency[other] = min(urgency[other], urgency[one])
        return urgency

    def bars(self, execution: Execution) -> list[tuple[str, Job]]:
        """What keeps it from beginning: resources that others own, or own one whose ceiling is not below its job."""
        job, found = execution.job, []
        level = self.urgencies()[job.name][:2]
        for resource in () if execution.begun else execution.stage.holds:
            if self.owner.get(resource, job) is not job:
                found.append((resource, self.owner[resource]))
            elif resource not in self.owner and self.protocols.get(resource) == "ceiling":
                others = [(r, o) for r, o in self.owner.items() if o is not job and self.protocols.get(r) == "ceiling"]
                over = [(self.ceiling(r), self.own(o), o) for r, o in others if level >= self.ceiling(r)]
                found += [(resource, o) for *_, o in sorted(over, key=lambda one: one[:2])[:1]]
        return found

    def wake(self) -> None:
        """Something was given back: whom nothing bars any more asks again when it would run."""
        waiting = [(e, self.bars(e)) for e in self.ready if e.bars]
        for e, bars in waiting:
            e.bars = bars
        self.freed, self.changed = False, set(self.pools)

    def decide(self, name: str) -> None:
        pool = self.pools[name]
        self.look_again[name] = NEVER
        while True:
            here = [e for e in self.ready if e.stage.pool == name]
            running = [e for e in here if e.processor >= 0]
            urgency = self.urgencies()
            order = {id(e): (urgency[e.job.name], self.own(e.job), e.processor < 0, e.place) for e in here}
            waiting = sorted((e for e in here if e.processor < 0 and not e.bars), key=lambda e: order[id(e)])
            if not waiting:
                break
            first = waiting[0]
            idle = sorted(set(range(pool.m)) - {e.processor for e in running})
            most_urgent = sorted(running + waiting, key=lambda e: order[id(e)])[: pool.m]
            victims = [e for e in running if e not in most_urgent]
            yielding = [e for e in victims if self.until_boundary(e, pool) == 0]
            if not idle and not yielding:
                if victims:
                    self.look_again[name] = self.now + min(self.until_boundary(e, pool) for e in victims)
                break
            first.bars = self.bars(first)
            if first.bars:
                continue
            processor = first.last if first.last in idle else min(idle, default=-1)
            if not idle:
                victim = max(yielding, key=lambda e: order[id(e)])
                processor = victim.processor
                victim.processor, victim.owed = -1, pool.switch
            self.run(first, processor)
        if self.policy == "least-laxity" and waiting:
            self.look_again[name] = min(self.look_again[name], self.now + self.quantum)

    @staticmethod
    def until_boundary(execution: Execution, pool: Pool) -> int:
        """Time to the next point where it may be preempted."""
        if pool.preemption != "tile":
            return 0 if pool.preemption == "full" else NEVER
        return (execution.left - execution.stage.time) % pool.tile

    def run(self, execution: Execution, processor: int) -> None:
        if not execution.begun:
            execution.begun = True
            self.owner |= dict.fromkeys(execution.stage.holds, execution.job)
            self.out.start.setdefault(execution.job.name, self.now)
        execution.processor = execution.last = processor

    def go_on(self, job: Job) -> None:
        self.active[job.task.name] = job
        known = {e.place for e in self.ready if e.job is job} | set(job.finished)
        for place, stage in enumerate(job.task.stages):
            if place not in known and all(i in job.finished for i in job.task.before(place)):
                self.ready.append(Execution(job, place, stage.time))
                self.changed.add(stage.pool)

    def complete(self, execution: Execution) -> None:
        job, place = execution.job, execution.place
        self.ready.remove(execution)
        self.changed.add(execution.stage.pool)
        job.finished[place] = True
        following = job.task.stages[place + 1].holds if place + 1 < len(job.task.stages) else ()
        for resource in set(execution.stage.holds) - set(following):
            del self.owner[resource]
            self.freed = True
        if len(job.finished) < len(job.task.stages):
            self.go_on(job)
            return
        self.out.finish[job.name] = self.now
        self.active[job.task.name] = None
        if self.queue[job.task.name]:
            self.go_on(self.queue[job.task.name].pop(0))

    def release(self, task: Task) -> None:
        job = Job(task, self.released[task.name], self.now)
        self.released[task.name] += 1
        self.out.finish[job.name] = None
        if self.active[task.name] is None:
            self.go_on(job)
        else:
            self.queue[task.name].append(job)

    def next_event(self) -> int:
        times = [e.owed + e.left for e in self.ready if e.processor >= 0]
        coming = [t.releases[self.released[t.name]] for t in self.tasks if self.released[t.name] < len(t.releases)]
        return min([self.now + t for t in times] + coming + list(self.look_again.values()), default=NEVER)

    def advance(self, until: int) -> None:
        for execution in self.ready:
            if execution.processor >= 0:
                passed = until - self.now
                worked = max(0, passed - execution.owed)
                execution.owed = max(0, execution.owed - passed)
                execution.left -= worked
        self.now = until

    def go(self, horizon: int) -> Schedule:
        while (moment := self.next_event()) <= horizon:
            self.advance(moment)
            for execution in [e for e in self.ready if e.processor >= 0 and e.left == 0]:
                self.complete(execution)
            for task in self.tasks:
                for _ in range(task.releases.count(moment)):
                    self.release(task)
                while len(self.queue[task.name]) > (NEVER if task.backlog is None else task.backlog):
                    self.out.dropped.add(self.queue[task.name].pop(0).name)
            if self.freed:
                self.wake()
            due = {name for name, at in self.look_again.items() if at == moment} | self.changed
            self.changed = set()
            for name in sorted(due):
                self.decide(name)
        return self.out


def schedule(
    tasks: Iterable[Task], pools: Mapping[str, Pool], policy: str, horizon: int, quantum: int = 10**9,
    protocols: Mapping[str, str] | None = None,
) -> Schedule:  # fmt: skip
    """Run ``tasks`` up to and including ``horizon``; what is released there or later does not count."""
    wanted = [Task(**{**vars(t), "releases": [r for r in t.releases if r < horizon]}) for t in tasks]
    return Scheduler(wanted, pools, policy, quantum, protocols or {}).go(horizon)
