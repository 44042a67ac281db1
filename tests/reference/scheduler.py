"""A second scheduler, written from the rules and the textbooks alone: which job runs when, and when it finishes.

It knows nothing of the model: plain Python, whole numbers of any unit. At every arrival and completion it looks
at all that is ready anew, which is slow and easy to believe.

- Jobs of one task run one after the other; ``backlog`` of them may wait, one more puts out the one that waits longest.
- Small keys first; ties by task name, index of the job, place of the stage in its list.
- Of a pool of m processors the m most urgent stages run, of one job those that run already. One that runs stays.
- ``least-laxity`` (deadline − now − remaining) is looked at again at arrivals and completions of the pool, and
  ``quantum`` after the last look while something waits there.
- Resources: a stage takes all it ``holds`` when it first runs, and gives back what the next one does not hold.
  ``inheritance`` and ``ceiling`` as in Sha, Rajkumar & Lehoczky 1990, the latter for one processor, fixed priorities.
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
    holds: frozenset[str] = frozenset()
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
    held: set[str] = field(default_factory=set)

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

    @property
    def stage(self) -> Stage:
        return self.job.task.stages[self.place]


@dataclass
class Schedule:
    """What came out: by (task, index) the finish, None where there was none up to the horizon."""

    finish: dict[tuple[str, int], int | None] = field(default_factory=dict)
    start: dict[tuple[str, int], int] = field(default_factory=dict)
    dropped: set[tuple[str, int]] = field(default_factory=set)
    slices: list[tuple[str, int, int, str, int, int, int]] = field(default_factory=list)
    """(task, index, stage, pool, processor, from, to), switching included"""


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
        self.out = Schedule()

    # ------------------------------------------------------------ orders

    def key(self, job: Job) -> int:
        task = job.task
        if self.policy == "least-laxity":
            ready = {e.place: e.left for e in self.ready if e.job is job}
            left = sum(ready.get(i, s.time) for i, s in enumerate(task.stages) if i not in job.finished)
            return job.release + task.deadline - self.now - left
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

    def blockers(self, execution: Execution) -> list[tuple[Job, str]]:
        """The other jobs that keep this stage from beginning, with the protocol by which they do."""
        job = execution.job
        wanted = set() if execution.begun else execution.stage.holds - job.held
        others = [other for other in self.jobs() if other is not job and other.held]
        found = [(o, self.protocols.get(r, "inheritance")) for o in others for r in sorted(wanted & o.held)]
        if any(self.protocols.get(resource) == "ceiling" for resource in wanted):
            mine = (self.key(job), job.task.name)
            for other in others:
                guarded = [r for r in other.held if self.protocols.get(r) == "ceiling"]
                if any(mine >= self.ceiling(resource) for resource in guarded):
                    found.append((other, "ceiling"))
        return found

    def jobs(self) -> list[Job]:
        return [job for job in self.active.values() if job is not None]

    def urgencies(self) -> dict[tuple[str, int], tuple[int, str, int]]:
        """Of every job under way: its own, or that of the most urgent one it keeps waiting, link after link."""
        urgency = {job.name: self.own(job) for job in self.jobs()}
        waits = [(e.job, holder) for e in self.ready for holder, how in self.blockers(e) if how != "none"]
        for _ in urgency:
            for job, holder in waits:
                urgency[holder.name] = min(urgency[holder.name], urgency[job.name])
        return urgency

    # ------------------------------------------------------------ deciding

    def decide(self, name: str) -> None:
        pool = self.pools[name]
        self.look_again[name] = NEVER
        while True:
            here = [e for e in self.ready if e.stage.pool == name]
            running = [e for e in here if e.processor >= 0]
            urgency = self.urgencies()
            order = {id(e): (urgency[e.job.name], self.own(e.job), e.processor < 0, e.place) for e in here}
            able = sorted((e for e in here if e.processor >= 0 or not self.blockers(e)), key=lambda e: order[id(e)])
            waiting = [e for e in able if e.processor < 0]
            if not waiting:
                break
            idle = sorted(set(range(pool.m)) - {e.processor for e in running})
            if idle:
                self.run(waiting[0], waiting[0].last if waiting[0].last in idle else idle[0])
                continue
            victims = [e for e in running if e not in able[: pool.m] and pool.preemption != "none"]
            yielding = [e for e in victims if self.until_boundary(e, pool) == 0]
            if yielding:
                victim = max(yielding, key=lambda e: order[id(e)])
                victim.processor, victim.owed = -1, pool.switch
                continue
            if victims:
                self.look_again[name] = self.now + min(self.until_boundary(e, pool) for e in victims)
            break
        if self.policy == "least-laxity" and any(e.stage.pool == name and e.processor < 0 for e in self.ready):
            self.look_again[name] = min(self.look_again[name], self.now + self.quantum)

    @staticmethod
    def until_boundary(execution: Execution, pool: Pool) -> int:
        """Time to the next point where it may be preempted."""
        if pool.preemption == "full" or execution.owed:
            return 0
        done = execution.stage.time - execution.left
        return -done % pool.tile

    def run(self, execution: Execution, processor: int) -> None:
        if not execution.begun:
            execution.begun = True
            execution.job.held |= execution.stage.holds
            self.out.start.setdefault(execution.job.name, self.now)
        execution.processor = execution.last = processor

    # ------------------------------------------------------------ what happens

    def begin(self, job: Job) -> None:
        self.active[job.task.name] = job
        self.make_ready(job)

    def make_ready(self, job: Job) -> None:
        known = {e.place for e in self.ready if e.job is job} | set(job.finished)
        for place, stage in enumerate(job.task.stages):
            before = stage.after if stage.after is not None else range(max(0, place - 1), place)
            if place not in known and all(i in job.finished for i in before):
                self.ready.append(Execution(job, place, stage.time))
                self.changed.add(stage.pool)

    def complete(self, execution: Execution) -> None:
        job, place = execution.job, execution.place
        self.ready.remove(execution)
        self.changed.add(execution.stage.pool)
        job.finished[place] = True
        following = job.task.stages[place + 1].holds if place + 1 < len(job.task.stages) else frozenset()
        freed = execution.stage.holds - following
        job.held -= freed
        if freed:
            self.changed |= set(self.pools)
        if len(job.finished) < len(job.task.stages):
            self.make_ready(job)
            return
        self.out.finish[job.name] = self.now
        self.active[job.task.name] = None
        if self.queue[job.task.name]:
            self.begin(self.queue[job.task.name].pop(0))

    def release(self, task: Task) -> None:
        job = Job(task, self.released[task.name], self.now)
        self.released[task.name] += 1
        self.out.finish[job.name] = None
        if self.active[task.name] is None:
            self.begin(job)
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
                switched = min(execution.owed, passed)
                execution.owed -= switched
                execution.left -= passed - switched
                if passed:
                    where = execution.stage.pool, execution.processor
                    self.out.slices.append((*execution.job.name, execution.place, *where, self.now, until))
        self.now = until

    def go(self, horizon: int) -> Schedule:
        while (moment := self.next_event()) <= horizon:
            self.advance(moment)
            for execution in [e for e in self.ready if e.processor >= 0 and e.left == 0]:
                self.complete(execution)
            for task in self.tasks:
                while (
                    self.released[task.name] < len(task.releases) and task.releases[self.released[task.name]] == moment
                ):
                    self.release(task)
                while task.backlog is not None and len(self.queue[task.name]) > task.backlog:
                    self.out.dropped.add(self.queue[task.name].pop(0).name)
            due = {name for name, at in self.look_again.items() if at == moment} | self.changed
            self.changed = set()
            for name in sorted(due):
                self.decide(name)
        self.advance(horizon)
        return self.out


def schedule(
    tasks: Iterable[Task], pools: Mapping[str, Pool], policy: str, horizon: int, quantum: int = 10**9,
    protocols: Mapping[str, str] | None = None,
) -> Schedule:  # fmt: skip
    """Run ``tasks`` up to and including ``horizon``; what is released there or later does not count."""
    wanted = [Task(**{**vars(t), "releases": [r for r in t.releases if r < horizon]}) for t in tasks]
    return Scheduler(wanted, pools, policy, quantum, protocols or {}).go(horizon)
