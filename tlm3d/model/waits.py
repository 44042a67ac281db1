"""Who held the parts of a compute block when, and what a job that waited for one of them waited for."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tlm3d.model.job import Job, Urgency
from tlm3d.record.recording import Segment
from tlm3d.tlm.timing import NEVER

_new = tuple.__new__  # of named tuples, at a third of the cost
_FEW = 64  # holds that are kept without asking who may still need them


class Hold(NamedTuple):
    """A job held a part over [start, end), with the urgency it had then: what it did there, and where.

    No ``bucket``: it did nothing; a tile at the load port waits for its inputs.
    """

    start_ps: int
    end_ps: int
    label: str
    urgency: Urgency
    bucket: str
    where: str


class Part:
    """One part of a block: one job at a time holds it. Remembers all holds until told to forget."""

    __slots__ = ("_bucket", "_job", "_start_ps", "_urgency", "_where", "past")

    def __init__(self) -> None:
        self.past: list[Hold] = []  # in order of time, apart from each other
        self._job: Job | None = None  # who holds it now, since when, how
        self._start_ps = 0
        self._urgency: Urgency = (0, "", 0)
        self._bucket = self._where = ""

    def take(self, now_ps: int, job: Job, bucket: str = "", where: str = "") -> None:
        """``job`` holds it from now on, and nobody else."""
        if self._job is not None:
            self.free(now_ps)
        self._job, self._start_ps, self._urgency = job, now_ps, job.urgency
        self._bucket, self._where = bucket, where

    def free(self, now_ps: int) -> None:
        """Nobody holds it from now on."""
        job, start_ps, bucket = self._job, self._start_ps, self._bucket
        if job is None:
            return
        self._job = None
        if start_ps == now_ps:
            return
        if self.past and bucket == "compute":
            last = self.past[-1]
            if last[1] == start_ps and last[2:] == (job.label, self._urgency, bucket, self._where):
                self.past[-1] = last._replace(end_ps=now_ps)  # tile after tile of one job; a transfer is one by itself
                return
        self.past.append(_new(Hold, (start_ps, now_ps, job.label, self._urgency, bucket, self._where)))

    def _going_on(self) -> Hold | None:
        if self._job is None:
            return None
        return Hold(self._start_ps, NEVER, self._job.label, self._urgency, self._bucket, self._where)

    def over(self, since_ps: int, until_ps: int) -> Iterator[Hold]:
        """Who held it over [since, until), cut to that, in order of time."""
        first = bisect_right(self.past, since_ps, key=lambda hold: hold.end_ps)
        for at in range(first, len(self.past) + 1):
            hold = self.past[at] if at < len(self.past) else self._going_on()
            if hold is None or hold.start_ps >= until_ps:
                break
            yield hold._replace(start_ps=max(since_ps, hold.start_ps), end_ps=min(until_ps, hold.end_ps))

    def forget(self, until_ps: int) -> None:
        """Nobody will ask for what ended at ``until_ps`` or before."""
        del self.past[: bisect_right(self.past, until_ps, key=lambda hold: hold.end_ps)]


class Waits:
    """The history of a block's parts: its load, store and stage ports and its compute unit."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.load, self.unit, self.store, self.stage = Part(), Part(), Part(), Part()
        self._parts = (self.load, self.unit, self.store, self.stage)
        self._limit = _FEW

    def to_load(self, job: Job, since_ps: int, until_ps: int) -> tuple[Segment, ...]:
        """What ``job`` waited for to have a tile committed: the port, else a buffer, which is free when its tile is
        computed (of one, stored), else room in the memory that weights pass through."""
        return self._pieces(job, since_ps, until_ps, (self.load, self.unit, self.store, self.stage))

    def to_start(self, job: Job, since_ps: int, until_ps: int) -> tuple[Segment, ...]:
        """What a stage of ``job`` that needs no port waited for: the unit, else a layer of a more urgent job."""
        return self._pieces(job, since_ps, until_ps, (self.unit, self.load, self.store, self.stage))

    def to_compute(self, job: Job, since_ps: int, until_ps: int) -> tuple[Segment, ...]:
        """What a loaded tile of ``job`` waited for: the unit, else the store of a tile before."""
        return self._pieces(job, since_ps, until_ps, (self.unit, self.store))

    def to_store(self, job: Job, since_ps: int, until_ps: int) -> tuple[Segment, ...]:
        """What a computed tile of ``job`` waited for."""
        return self._pieces(job, since_ps, until_ps, (self.store,))

    def to_fetch_ahead(self, job: Job, since_ps: int, until_ps: int) -> tuple[Segment, ...]:
        """What staged weights of ``job`` waited for: others on their way, else room, which tiles under way take."""
        return self._pieces(job, since_ps, until_ps, (self.stage, self.load, self.unit, self.store))

    @property
    def many(self) -> bool:
        """Whether so much is remembered that it is worth asking what is still needed."""
        return sum(len(part.past) for part in self._parts) > self._limit

    def forget(self, until_ps: int) -> None:
        """Nobody will ask for what ended at ``until_ps`` or before."""
        for part in self._parts:
            part.forget(until_ps)
        self._limit = max(_FEW, 2 * sum(len(part.past) for part in self._parts))

    def _pieces(self, job: Job, since_ps: int, until_ps: int, parts: Sequence[Part]) -> tuple[Segment, ...]:
        """[since, until), each piece with whoever held the first of ``parts`` that anybody held then.

        Where ``job`` held it itself it is what it did there; while it did nothing, the next part counts.
        """
        pieces: list[Segment] = []
        gaps = [(since_ps, until_ps)] if since_ps < until_ps else []
        for part in parts:
            left: list[tuple[int, int]] = []
            for gap_start_ps, gap_end_ps in gaps:
                at_ps = gap_start_ps
                for hold in part.over(gap_start_ps, gap_end_ps):
                    if hold.label == job.label and not hold.bucket:
                        continue
                    if at_ps < hold.start_ps:
                        left.append((at_ps, hold.start_ps))
                    pieces.append(self._cause(job, hold))
                    at_ps = hold.end_ps
                if at_ps < gap_end_ps:
                    left.append((at_ps, gap_end_ps))
            gaps = left
        pieces += [Segment("overhead", start_ps, end_ps, self._path, "-") for start_ps, end_ps in gaps]
        return tuple(sorted(pieces, key=lambda piece: piece.start_ps))

    def _cause(self, job: Job, hold: Hold) -> Segment:
        """Why ``job`` waited during ``hold``. While a port moves another's data over a link, that is the link."""
        when = (hold.start_ps, hold.end_ps)
        if hold.label == job.label:
            return Segment(hold.bucket, *when, hold.where, "-")
        if hold.bucket == "link-transfer":
            return Segment("link-queue", *when, hold.where, hold.label)
        return Segment("preempt" if hold.urgency < job.urgency else "np-block", *when, self._path, hold.label)
