"""Jobs in columns, their segments laid end to end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tlm3d.record.packed import Column, Names, Packed, whole
from tlm3d.record.recording import JobEnd, Segment

_SEGMENTS = JobEnd._fields.index("segments")


class PackedJobs(Packed[JobEnd]):
    """JobEnds. Of a segment the start is kept as its distance from the end of the one before, the holder in parts."""

    def __init__(self, names: Names, facts: Sequence[JobEnd] = ()) -> None:
        super().__init__(JobEnd, names, facts)

    def _packed(self, facts: Sequence[JobEnd]) -> tuple[Column, ...]:
        counted = [fact._replace(segments=len(fact.segments)) for fact in facts]  # type: ignore[arg-type]
        flat = [segment for fact in facts for segment in fact.segments]
        gaps = []
        for fact in facts:
            at_ps = fact.release_ps
            for segment in fact.segments:
                gaps.append(segment.start_ps - at_ps)
                at_ps = segment.end_ps
        holders = [_parts(segment.holder) for segment in flat]
        return (
            *super()._packed(counted),
            whole(gaps),
            whole([segment.end_ps - segment.start_ps for segment in flat]),
            self._names.column([segment.bucket for segment in flat]),
            self._names.column([segment.where for segment in flat]),
            self._names.column([task for task, _ in holders]),
            whole([index for _, index in holders]),
        )

    def _unpacked(self, block: tuple[Column, ...]) -> Iterator[JobEnd]:
        facts, (gaps, times, *rest, indices) = block[: len(JobEnd._fields)], block[len(JobEnd._fields) :]
        buckets, wheres, tasks = map(self._names.values, rest)
        segments = zip(gaps, times, buckets, wheres, tasks, indices, strict=True)
        for fact in super()._unpacked(facts):
            at_ps = fact.release_ps
            found = []
            for _ in range(fact[_SEGMENTS]):  # type: ignore[arg-type]  # how many there are
                gap_ps, time_ps, bucket, where, task, index = next(segments)
                start_ps = at_ps + gap_ps
                at_ps = start_ps + time_ps
                found.append(Segment(bucket, start_ps, at_ps, where, task if index < 0 else f"{task}#{index}"))
            yield fact._replace(segments=tuple(found))


def _parts(holder: str) -> tuple[str, int]:
    """``task#index`` as the two; anything else with -1."""
    task, mark, index = holder.rpartition("#")
    if mark and index.isdecimal() and index == str(int(index)):
        return task, int(index)
    return holder, -1
