"""Operations of a job and the chain that decided its finish."""

from __future__ import annotations

from tlm3d.record.recording import Segment


class Op:
    """Something a job did over [start, end): a load, a computation, a store, a row on its way.

    ``before`` is the job's own operation whose end decided the start; what lies between the two is partitioned by
    ``waits``. ``parts`` splits the operation itself where it is not all ``bucket``.
    """

    __slots__ = ("before", "bucket", "end_ps", "parts", "start_ps", "waits", "where")

    def __init__(
        self,
        bucket: str,
        where: str,
        start_ps: int,
        end_ps: int,
        before: Op | None = None,
        waits: tuple[Segment, ...] = (),
    ) -> None:
        self.bucket, self.where = bucket, where
        self.start_ps, self.end_ps = start_ps, end_ps
        self.before, self.waits = before, waits
        self.parts: tuple[Segment, ...] = ()


def latest(*ops: Op | None) -> Op | None:
    """The operation that ended last: compute before others, then by place."""
    last: Op | None = None
    for op in ops:
        if op is None:
            continue
        if (
            last is None
            or op.end_ps > last.end_ps
            or (
                op.end_ps == last.end_ps and (op.bucket == "compute", op.where) > (last.bucket == "compute", last.where)
            )
        ):
            last = op
    return last


def chain(op: Op | None, release_ps: int) -> list[Segment]:
    """The segments that partition [release, end of ``op``), in order of time, walked backwards from ``op``."""
    segments: list[Segment] = []
    while op is not None:
        if op.parts:
            segments.extend(reversed(op.parts))
        elif op.end_ps > op.start_ps:
            segments.append(Segment(op.bucket, op.start_ps, op.end_ps, op.where, "-"))
        segments.extend(reversed(waited(op, release_ps)))
        op = op.before
    segments.reverse()
    return segments


def waited(op: Op, release_ps: int) -> tuple[Segment, ...]:
    """The segments between the end of what came before ``op`` (or the release) and its start."""
    ready_ps = op.before.end_ps if op.before is not None else release_ps
    if op.waits or op.start_ps == ready_ps:
        return op.waits
    return (Segment("overhead", ready_ps, op.start_ps, op.where, "-"),)
