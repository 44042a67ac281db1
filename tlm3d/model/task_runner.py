"""The life of a task: its jobs are released, run one at a time, wait in its backlog, and end."""

from __future__ import annotations

from collections import deque
from functools import partial

from tlm3d.model.activations import Arrivals
from tlm3d.model.activations.chance import Chance
from tlm3d.model.camera import Frame
from tlm3d.model.context import Context
from tlm3d.model.dispatcher import Dispatcher
from tlm3d.model.job import Job
from tlm3d.model.op import Op
from tlm3d.model.work import TaskWork
from tlm3d.record.recording import JobEnd, Segment, TaskInfo
from tlm3d.spec.workload import TaskSpec
from tlm3d.tlm.alarm import Alarm
from tlm3d.tlm.timing import NORMAL


class TaskRunner:
    """One task: releases jobs, runs one at a time, keeps at most ``backlog`` waiting."""

    def __init__(
        self, context: Context, dispatcher: Dispatcher, work: TaskWork, info: TaskInfo, arrivals: Arrivals | None
    ) -> None:
        self._context, self._dispatcher, self._work = context, dispatcher, work
        self._spec: TaskSpec = work.task.spec
        self._backlog = self._spec.backlog
        self._recording = context.recording
        self._name = work.task.name
        self._due_ps = 0  # the release that is next
        self._info = info
        self._arrivals = arrivals  # None: a camera or another task releases the jobs
        self._children: list[tuple[TaskRunner, Chance]] = []  # tasks that a finished job may release a job of
        self._index = 0
        self._active: Job | None = None
        self._predecessor: Job | None = None  # the last job that was active
        self._waiting: deque[Job] = deque()
        self._release_alarm = Alarm(context.env, self._release_next)
        self._horizon_ps = context.recording.horizon_ps  # nothing is released from there on
        self._guards = self._spec.on_miss != "continue"
        self._guarded: deque[Job] = deque()  # jobs that may have to end early
        # After its release a job is aborted, or dropped: when what it has to compute would end past its deadline.
        is_drop = self._spec.on_miss == "drop"
        self._guard_ps = max(0, info.deadline_ps - work.least_ps + 1) if is_drop else info.deadline_ps

    # ------------------------------------------------------------ release

    def start(self) -> None:
        """Schedule the first release of a task that is not released by others."""
        if self._arrivals is not None:
            self._schedule(0)

    def _schedule(self, now_ps: int) -> None:
        assert self._arrivals is not None
        self._due_ps = at_ps = self._arrivals.next_ps()
        if at_ps < self._horizon_ps:
            self._context.env.schedule(self._release_alarm, NORMAL, at_ps - now_ps)

    def _release_next(self) -> None:
        now_ps = self._due_ps
        self._schedule(now_ps)
        job = self._new_job(now_ps)
        if self._active is None:
            self._activate(job, now_ps)
        else:
            self._wait(job)

    def add_child(self, child: TaskRunner, chance: Chance) -> None:
        """Each finished job releases one of ``child``, by ``chance`` of its own index."""
        self._children.append((child, chance))

    def _release_after(self, source: int) -> None:
        """Job ``source`` of the parent has finished."""
        now_ps = self._context.now_ps
        if now_ps < self._horizon_ps:
            job = self._new_job(now_ps)
            job.source = source
            self._arrive(job, now_ps)

    def release_frame(self, frame: Frame) -> None:
        """A camera starts to read out a frame of this task."""
        now_ps = self._context.now_ps
        job = self._new_job(now_ps)
        job.frame = frame
        frame.on_end.append(partial(self._frame_ended, job))
        self._arrive(job, now_ps)

    def _new_job(self, now_ps: int) -> Job:
        job = Job(self._work, self._index, now_ps, self._info, self._finish)
        self._index += 1
        if self._guards:
            self._guarded.append(job)
            self._dispatcher.decide_in(self._guard_ps)
        return job

    def _arrive(self, job: Job, now_ps: int) -> None:
        if self._active is None:
            self._activate(job, now_ps)
        else:
            self._wait(job)

    def _wait(self, job: Job) -> None:
        self._waiting.append(job)
        if len(self._waiting) > self._backlog:
            self._dispatcher.decide_in(0)  # the active job may yet end at this instant

    # ------------------------------------------------------------ start

    def _activate(self, job: Job, now_ps: int) -> None:
        self._active = job
        job.active = True
        if job.frame is None and job.release_ps == now_ps:
            self._dispatcher.start_job(job)
        else:
            self._try_start(job, now_ps)
        self._predecessor = job

    def _frame_ended(self, job: Job, frame: Frame) -> None:
        if job.ended:
            return
        job.input_op = frame.landed
        if frame.lost:
            self._end_early(job, "input-lost", self.waiting_for(job, self._context.now_ps))
        elif job.active:
            self._try_start(job, self._context.now_ps)

    def _try_start(self, job: Job, now_ps: int) -> None:
        frame = job.frame
        if frame is not None and frame.landed is None:
            return
        arrived_ps = job.input_op.end_ps if job.input_op else job.release_ps
        if now_ps > arrived_ps:  # the task's job before this one was still running
            before = self._predecessor.label if self._predecessor is not None else "-"
            waits = (Segment("self-predecessor", arrived_ps, now_ps, self._name, before),)
            job.input_op = Op("overhead", self._name, now_ps, now_ps, job.input_op, waits)
        self._dispatcher.start_job(job)

    # ------------------------------------------------------------ end

    def _finish(self, job: Job) -> None:
        job.ended = True
        self._recording.jobs.append(job.finished())
        if self._waiting:
            self._next()
        else:
            self._active = None
        for child, chance in self._children:
            if chance.comes(job.index):
                child._release_after(job.index)

    def _next(self) -> None:
        self._active = self._waiting.popleft() if self._waiting else None
        if self._active is not None:
            self._activate(self._active, self._context.now_ps)

    def _end_early(self, job: Job, status: str, waiting: tuple[Segment, ...]) -> None:
        if job.items:
            self._dispatcher.withdraw(job)
        self._record(job, status, waiting)
        if job is self._active:
            self._next()
        else:
            self._waiting.remove(job)

    def overdue(self) -> list[Job]:
        """Jobs that end early, now: not finished by the deadline (abort), or not begun when that is too late (drop)."""
        found = []
        begun_by_ps = self._context.now_ps - self._guard_ps
        while self._guarded and self._guarded[0].release_ps <= begun_by_ps:
            job = self._guarded.popleft()
            if not job.ended and (self._spec.on_miss == "abort" or job.start_ps < 0):
                found.append(job)
        return found

    def end_at_deadline(self, job: Job, waiting: tuple[Segment, ...]) -> None:
        """End one of ``overdue``, which waited for ``waiting`` where it was not at work."""
        self._end_early(job, "aborted" if self._spec.on_miss == "abort" else "dropped", waiting)

    def trim_backlog(self) -> None:
        """Drop what the backlog bars, the oldest first."""
        while len(self._waiting) > self._backlog:
            job = self._waiting.popleft()
            self._record(job, "dropped", self.waiting_for(job, self._context.now_ps))

    def _record(self, job: Job, status: str, waiting: tuple[Segment, ...]) -> None:
        """``job`` has ended early, and waited for ``waiting`` where it was not at work."""
        job.ended = True
        self._recording.jobs.append(self._end_of(job, status, -1, self._context.now_ps, waiting))

    def _end_of(self, job: Job, status: str, finish_ps: int, now_ps: int, waiting: tuple[Segment, ...]) -> JobEnd:
        return job.end(status, finish_ps, job.segments(now_ps, waiting))

    def waiting_for(self, job: Job, now_ps: int) -> tuple[Segment, ...]:
        """What ``job`` has waited for up to now since its last operation, where it has nothing under way."""
        frame, since_ps = job.frame, job.idle_since_ps
        if frame is not None and frame.landed is None:
            what = ("sensing", self._spec.input.camera if self._spec.input else "-", "-")
        elif not job.active:
            what = ("self-predecessor", self._name, self._active.label if self._active else "-")
        else:
            return self._dispatcher.waiting_for(job, now_ps)
        return (Segment(what[0], since_ps, now_ps, *what[1:]),) if since_ps < now_ps else ()

    def close(self) -> None:
        """At the horizon: record the jobs that have not ended."""
        for job in [*([self._active] if self._active else []), *self._waiting]:
            horizon_ps = self._context.recording.horizon_ps
            self._recording.jobs.append(
                self._end_of(job, "unfinished", -1, horizon_ps, self.waiting_for(job, horizon_ps))
            )
