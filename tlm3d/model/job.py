"""A job: one activation of a task, from its release to its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tlm3d.model.op import Op, chain, latest, waited
from tlm3d.model.work import Item, TaskWork, TileWork
from tlm3d.policies import JobView
from tlm3d.record.recording import JobEnd, Segment, TaskInfo
from tlm3d.spec.binding import BlockName

if TYPE_CHECKING:
    from tlm3d.model.camera import Frame

Urgency = tuple[int, str, int]  # policy key, task, index: a total order of jobs


class ItemRun:
    """One item of one job: where it runs, how far it is."""

    __slots__ = (
        "block",
        "done",
        "finished_tiles",
        "item",
        "job",
        "load_op",
        "missing",
        "next_tile",
        "queued",
        "ready_op",
        "tiles",
    )

    def __init__(self, job: Job, item: Item) -> None:
        self.job, self.item = job, item
        self.block: BlockName | None = item.options[0] if len(item.options) == 1 else None
        self.tiles: tuple[TileWork, ...] = ()
        self.missing = len(item.reads)  # items it reads that have not finished
        self.next_tile = 0  # tiles before this one are committed
        self.finished_tiles = 0
        self.load_op: Op | None = None  # its latest load
        self.queued = False  # stands in its block's queue, or has left it with its last tile
        self.done: Op | None = None  # the operation that finished it
        self.ready_op: Op | None = None  # of the job's own operations, the one that made its inputs complete

    @property
    def committed(self) -> bool:
        """Whether all its tiles have begun to load."""
        return bool(self.tiles) and self.next_tile == len(self.tiles)


class Job:
    """The k-th activation of a task."""

    __slots__ = (
        "active", "deadline_ps", "ended", "frame", "index", "input_op", "items", "label", "last_op", "on_end",
        "release_ps", "remaining", "running", "start_ps", "task", "urgency", "view", "work",
    )  # fmt: skip

    def __init__(
        self,
        work: TaskWork,
        index: int,
        release_ps: int,
        info: TaskInfo,
        on_end: Callable[[Job], None],
    ) -> None:
        self.work, self.task, self.index = work, work.task.name, index
        self.label = f"{self.task}#{index}"
        self.release_ps, self.deadline_ps = release_ps, release_ps + info.deadline_ps
        self.view = JobView(self.task, index, release_ps, self.deadline_ps, info.period_ps, info.priority)
        self.urgency: Urgency = (0, self.task, index)
        self.frame: Frame | None = None
        self.input_op: Op | None = None
        self.active = False  # the task's job in progress, not waiting for the one before
        self.ended = False
        self.start_ps = -1
        self.items: list[ItemRun] = []
        self.remaining = len(work.items)
        self.running: list[Op] = []  # operations begun and not ended
        self.last_op: Op | None = None  # of those ended, the one that ended last
        self.on_end = on_end

    def begin_op(self, op: Op) -> Op:
        """``op`` is now under way."""
        self.running.append(op)
        return op

    def end_op(self, op: Op, now_ps: int) -> None:
        """``op`` ends now."""
        op.end_ps = now_ps
        self.running.remove(op)
        self.last_op = latest(self.last_op, op)

    def segments(self, now_ps: int, waiting_for: tuple[str, str, str]) -> tuple[Segment, ...]:
        """The chain up to ``now_ps`` of a job that has not finished; an idle tail is a wait for ``waiting_for``."""
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
        last = latest(self.last_op, self.input_op)
        pieces = chain(last, self.release_ps)
        since_ps = last.end_ps if last else self.release_ps
        if now_ps > since_ps:
            pieces.append(Segment(waiting_for[0], since_ps, now_ps, *waiting_for[1:]))
        return tuple(pieces)

    def end(self, status: str, finish_ps: int, segments: tuple[Segment, ...]) -> JobEnd:
        """The fact that this job is over."""
        return JobEnd(
            self.task, self.index, self.release_ps, self.deadline_ps, self.start_ps, finish_ps, status, segments
        )
