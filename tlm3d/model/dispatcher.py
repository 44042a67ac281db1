"""Hands ready items to blocks, and takes every decision of one instant in the order of jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlm3d.model.camera import Camera
from tlm3d.model.context import Context
from tlm3d.model.estimate import until_done_ps
from tlm3d.model.job import ItemRun, Job, StageRun
from tlm3d.model.locks import Locks
from tlm3d.model.op import Op, latest
from tlm3d.model.pipeline import Pipeline
from tlm3d.model.pool import Pool
from tlm3d.model.work import Item
from tlm3d.policies import Option, Policy
from tlm3d.record.recording import Segment
from tlm3d.spec.binding import BlockName
from tlm3d.tlm.alarm import Alarm
from tlm3d.tlm.timing import PLACE

if TYPE_CHECKING:
    from tlm3d.model.task_runner import TaskRunner

Engine = Pipeline | Pool


class Dispatcher:
    """The life of every job. Decisions of one instant are taken in the total order of jobs, never of creation."""

    def __init__(self, context: Context, policy: Policy, locks: Locks) -> None:
        self._context, self._policy, self._locks = context, policy, locks
        self.engines: dict[BlockName, Engine] = {}  # processors that share a queue have the same one
        self.cameras: list[Camera] = []
        self.runners: list[TaskRunner] = []
        self.pools: dict[Item, Pool] = {}  # of the stages that are not placed before they run
        self._key = policy.key
        self._to_place: list[ItemRun] = []
        self._decide_alarm = Alarm(context.env, self._decide)

    def decide_in(self, delay_ps: int) -> None:
        """Have everything decided that is due in ``delay_ps``, once all that happens at that instant is known."""
        self._context.env.schedule(self._decide_alarm, PLACE, delay_ps)

    def _decide(self) -> None:
        """Rows that find no room, jobs that are over, then who runs where; in name order."""
        for camera in self.cameras:
            camera.take_rows()
        now_ps = self._context.now_ps
        # What each of them waits for is asked before any of them lets go of it.
        overdue = [
            (runner, job, runner.waiting_for(job, now_ps)) for runner in self.runners for job in runner.overdue()
        ]
        for runner, job, waiting in overdue:
            runner.end_at_deadline(job, waiting)
        for runner in self.runners:
            runner.trim_backlog()
        self._locks.settle()
        if self._to_place:
            self._place()

    def start_job(self, job: Job) -> None:
        """``job``'s input is there and its task is free: its first items may run."""
        job.base = job.urgency = (self._key(job), job.task, job.index)
        work = job.work
        job.items = runs = [ItemRun(job, item) if item.stage is None else StageRun(job, item) for item in work.items]
        if not work.all_pooled:
            for run in runs:
                if run.block is not None and not run.item.pooled:
                    self._assign(run, run.block)
        for run in runs:
            if not run.missing:
                self._ready(run)

    def _assign(self, run: ItemRun, block: BlockName) -> None:
        """``run`` will run on ``block``; its tiles are those for the memories its tensors lie in."""
        run.block = block
        work, items = run.job.work, run.job.items
        makers = [None if read is None else items[read].block for read in run.item.layer_reads]
        if all(read is None or maker is not None for read, maker in zip(run.item.layer_reads, makers, strict=True)):
            sources = tuple(work.source(maker, block) for maker in makers)
            run.tiles = work.tiles(run.item, block, sources)

    def _ready(self, run: ItemRun) -> None:
        item = run.item
        pool = self.pools.get(item)
        if pool is not None:
            pool.enqueue(run)
            return
        if run.block is None:
            if not self._to_place:
                self.decide_in(0)
            self._to_place.append(run)
            return
        if not run.tiles:  # a tensor it reads was made where the policy chose
            self._assign(run, run.block)
        engine = self.engines[run.block]
        if run.queued:
            engine.inputs_complete(run)
        else:
            engine.enqueue(run)

    def _place(self) -> None:
        """Choose a block for each waiting item, the most urgent job first; each choice sees the ones before it."""
        waiting, self._to_place = self._to_place, []
        now_ps = self._context.now_ps
        for run in sorted(waiting, key=lambda r: (r.job.urgency, r.item.position)):
            if run.job.ended:
                continue
            options = []
            for block in run.item.options:
                self._assign(run, block)
                engine = self.engines[block]
                options.append(Option(".".join(block), now_ps + until_done_ps(self._context, engine, run)))
            chosen = self._policy.place(run.job, run.item.name, options, now_ps)
            self._assign(run, run.item.options[options.index(chosen)])
            self._ready(run)

    def item_finished(self, run: ItemRun, op: Op | None) -> None:
        """All tiles of ``run`` are stored: its readers may go on, or its job is over.

        ``op`` is the operation that finished it; where it is its job's whole chain there need not be one.
        """
        job = run.job
        if job.ended:
            return
        if run.item.frees:
            self._locks.give(job, run.item.frees)
            self.decide_in(0)
        job.remaining -= 1
        if not job.remaining:
            job.on_end(job)
            job.items = ()  # they refer back to the job: let both go without the cycle collector
            return
        for position in run.item.readers:
            reader = job.items[position]
            reader.missing -= 1
            reader.ready_op = latest(reader.ready_op, op)
            if not reader.missing:
                self._ready(reader)

    def withdraw(self, job: Job) -> None:
        """``job`` was ended early: nothing more of it is committed."""
        for run in job.items:
            if run.queued and run.done is None:
                self.engines[run.block or run.item.options[0]].withdraw(run)
        if job.held or self._locks.waits(job):
            self._locks.forget(job)
            self.decide_in(0)

    def waiting_for(self, job: Job, now_ps: int) -> tuple[Segment, ...]:
        """What an unfinished job with nothing under way has waited for since its last operation, piece by piece."""
        since_ps = job.idle_since_ps
        for run in job.items:
            if run.done is None and not run.missing and (run.queued or run.block is not None):
                return self.engines[run.block or run.item.options[0]].waited(run, since_ps, now_ps)
        return (Segment("overhead", since_ps, now_ps, "-", "-"),) if since_ps < now_ps else ()
