"""A job: one activation of a task, from its release to its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tlm3d.model.op import Op, chain, latest, waited
from tlm3d.model.work import Item, TaskWork, TileWork
from tlm3d.policies import JobView
from tlm3d.record.recording import JobEnd, Segment, TaskInfo
from tlm3d.spec.binding import BlockName

if TYPE_CHECKING:
    from tlm3d.model.camera import Frame

_new = tuple.__new__  # of named tuples, at a third of the cost
Urgency = tuple[int, str, int]  # policy key, task, index: a total order of jobs


class ItemRun:
    """One item of one job: where it runs, how far it is."""

    # What most of them never set is said here once: jobs are made a hundred thousand times a second.
    tiles: tuple[TileWork, ...] = ()
    next_tile = 0  # tiles before this one are committed
    finished_tiles = 0
    load_op: Op | None = None  # its latest load
    queued = False  # stands in its block's queue, or has left it with its last tile
    done: Op | None = None  # the operation that finished it
    ready_op: Op | None = None  # of the job's own operations, the one that made its inputs complete

    def __init__(self, job: Job, item: Item) -> None:
        self.job, self.item = job, item
        self.block: BlockName | None = item.only
        self.missing = item.n_reads  # items it reads that have not finished

    @property
    def committed(self) -> bool:
        """Whether all its tiles have begun to load."""
        return bool(self.tiles) and self.next_tile == len(self.tiles)


class StageRun(ItemRun):
    """A stage; on a processor it is preempted and may go on on another."""

    lanes: Sequence[Any] = ()  # processors of the pool that it may run on
    lane: Any = None  # of these, the one that it has run on last
    work_ps = left_ps = 0  # computing time there, and what of it is left, from when it stands in the queue
    switch_ps = 0  # of switching back in, still to be paid
    ready_ps = since_ps = 0  # its own part of the chain begins with the one, and is known up to the other
    parts: tuple[Segment, ...] = ()
    parked_on: tuple[str, str] | None = None  # the resource it waits for, and the job that it waits behind


class Job(JobView):
    """The k-th activation of a task; ``urgency`` is ``base``, or that of a more urgent job that it holds up."""

    frame: Frame | None = None
    input_op: Op | None = None
    active = False  # the task's job in progress, not waiting for the one before
    ended = False
    start_ps = -1
    source = -1  # index of the job that released it, for a cascade
    base: Urgency = (0, "", 0)
    urgency: Urgency = base
    items: Sequence[ItemRun] = ()
    running: tuple[Op, ...] = ()  # operations begun and not ended
    last_op: Op | None = None  # of those ended, the one that ended last
    held: tuple[str, ...] = ()  # resources, in the order they were taken
    whole: tuple[Segment, ...] = ()  # its chain, where it was a single stage on a processor
    _label = ""

    def __init__(
        self, work: TaskWork, index: int, release_ps: int, info: TaskInfo, on_end: Callable[[Job], None]
    ) -> None:
        self.work, self.task, self.index = work, work.task.name, index
        self.release_ps, self.deadline_ps = release_ps, release_ps + info.deadline_ps
        self.period_ps, self.priority = info.period_ps, info.priority
        self.remaining = len(work.items)  # items
        self.on_end = on_end

    @property
    def label(self) -> str:
        """``task#index``."""
        if not self._label:
            self._label = f"{self.task}#{self.index}"
        return self._label

    @property
    def remaining_ps(self) -> int:
        """The least computing time that it still needs: along the longest way through what is not done."""
        items = self.items or [ItemRun(self, item) for item in self.work.items]
        tails_ps = [0] * len(items)
        for run in reversed(items):
            own_ps = 0
            if isinstance(run, StageRun) and run.work_ps:
                own_ps = run.left_ps
            elif run.done is None:
                own_ps = self.work.left_ps(run.item, run.finished_tiles)
            tails_ps[run.item.position] = own_ps + max((tails_ps[p] for p in run.item.readers), default=0)
        return max(tails_ps, default=0)

    def begin_op(self, op: Op) -> Op:
        """``op`` is now under way."""
        self.running = (*self.running, op)
        return op

    def end_op(self, op: Op, now_ps: int) -> None:
        """``op`` ends now."""
        op.end_ps = now_ps
        self.running = () if len(self.running) == 1 else tuple(other for other in self.running if other is not op)
        self.last_op = latest(self.last_op, op)

    def finished(self) -> JobEnd:
        """The fact that this job has finished, with its last operation."""
        segments = self.whole or tuple(chain(self.last_op, self.release_ps))
        finish_ps = segments[-1].end_ps if segments else self.release_ps
        return _new(
            JobEnd,
            (
                self.task, self.index, self.release_ps, self.deadline_ps, self.start_ps, finish_ps, "finished",
                segments, self.source,
            ),
        )  # fmt: skip

    @property
    def idle_since_ps(self) -> int:
        """When the last of its operations that are over ended, or its release."""
        last = latest(self.last_op, self.input_op)
        return last.end_ps if last is not None else self.release_ps

    def segments(self, now_ps: int, tail: tuple[Segment, ...]) -> tuple[Segment, ...]:
        """The chain up to ``now_ps`` of a job that has not finished; ``tail``: what it waited for last, if idle."""
        current = max(self.running, key=lambda op: (op.bucket == "compute", -op.start_ps, op.where), default=None)
        if current is not None:
            pieces = chain(current.before, self.release_ps)
            pieces += waited(current, self.release_ps)
            if current.parts:
                pieces += [p._replace(end_ps=min(p.end_ps, now_ps)) for p in current.parts if p.start_ps < now_ps]
                started_ps = max(p.end_ps for p in current.parts)
            else:
                started_ps = current.start_ps
            if now_ps > started_ps:
                pieces.append(Segment(current.bucket, started_ps, now_ps, current.where, "-"))
            return tuple(pieces)
        since_ps = self.idle_since_ps
        pieces = chain(latest(self.last_op, self.input_op), self.release_ps)
        pieces += [p._replace(start_ps=max(p.start_ps, since_ps)) for p in tail if p.end_ps > since_ps]
        return tuple(pieces)

    def end(self, status: str, finish_ps: int, segments: tuple[Segment, ...]) -> JobEnd:
        """The fact that this job is over."""
        return JobEnd(
            self.task, self.index, self.release_ps, self.deadline_ps, self.start_ps, finish_ps, status, segments,
            self.source,
        )  # fmt: skip
