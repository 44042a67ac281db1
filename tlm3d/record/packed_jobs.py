"""Jobs in columns, their segments laid end to end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import sub
from typing import Any

from tlm3d.record.packed import Column, Names, Packed, whole
from tlm3d.record.recording import JobEnd, Segment

_RELEASE, _SEGMENTS = (JobEnd._fields.index(field) for field in ("release_ps", "segments"))


class PackedJobs(Packed[JobEnd]):
    """JobEnds. Of a segment the start is kept as its distance from the end of the one before, the holder in parts."""

    def __init__(self, names: Names, facts: Sequence[JobEnd] = ()) -> None:
        super().__init__(JobEnd, names)
        self._numeric[_SEGMENTS] = True  # how many there are
        self.extend(facts)

    def _packed(self, facts: Sequence[JobEnd]) -> tuple[Column, ...]:
        columns: list[Sequence[Any]] = list(zip(*facts, strict=True))
        counts = columns[_SEGMENTS] = [len(segments) for segments in columns[_SEGMENTS]]
        flat = [segment for fact in facts for segment in fact.segments]
        buckets, starts, ends, wheres, holders = zip(*flat, strict=True) if flat else ((),) * 5
        gaps = list(map(sub, starts, (0, *ends)))
        first = 0
        for release_ps, count in zip(columns[_RELEASE], counts, strict=True):
            if count:
                gaps[first] = starts[first] - release_ps
                first += count
        tasks, indices = _parts(holders)
        return (
            *self._columns(columns),
            whole(gaps),
            whole(list(map(sub, ends, starts))),
            self._names.column(buckets),
            self._names.column(wheres),
            self._names.column(tasks),
            whole(indices),
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


def _parts(holders: Sequence[str]) -> tuple[list[str], list[int]]:
    """Of each ``task#index`` the two; of anything else itself and -1."""
    tasks, indices = [], []
    for holder in holders:
        task, index = holder, -1
        if holder != "-":
            name, mark, number = holder.rpartition("#")
            if mark and number.isdecimal() and (number[0] != "0" or number == "0"):
                task, index = name, int(number)
        tasks.append(task)
        indices.append(index)
    return tasks, indices
