"""Jobs in a row: the fewest in time of any k consecutive ones, whatever order they are told in."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Row:
    """Jobs whose indices follow on each other: the outcomes at its two ends, and the fewest in time in between."""

    first: int
    last: int
    fewest: int  # in any full window inside
    head: list[bool] = field(default_factory=list)  # the first outcomes, at most k − 1
    tail: deque[bool] = field(default_factory=deque)  # the last ones, at most k − 1


class Rows:
    """The outcomes of one task's jobs by index.

    What is held is two ends a row; there are as many rows as there are gaps, and a gap is a job that has not ended.
    """

    def __init__(self, window: int) -> None:
        self.window = window
        self._judged = self._missed = 0
        self._rows: dict[int, _Row] = {}  # by first index
        self._firsts: dict[int, int] = {}  # of the row that ends at an index

    def add(self, index: int, in_time: bool | None) -> None:
        """The job ``index`` was in time or not; None: its deadline is not judged, and it stands in no window."""
        row = _Row(index, index, self.window)
        if in_time is not None:
            self._judged += 1
            self._missed += not in_time
            self._append(row, in_time)
        if index - 1 in self._firsts:
            row = self._join(self._rows.pop(self._firsts.pop(index - 1)), row)
        if index + 1 in self._rows:
            after = self._rows.pop(index + 1)
            row = self._join(row, after)
        self._rows[row.first] = row
        self._firsts[row.last] = row.first

    def fewest(self) -> int:
        """The fewest in time of any window; with fewer jobs than that, the rest of it counts as in time.

        Jobs that never came leave no gap.
        """
        if self._judged < self.window:
            return self.window - self._missed
        rows = [self._rows[first] for first in sorted(self._rows)]
        whole = _Row(rows[0].first, rows[0].last, rows[0].fewest, list(rows[0].head), deque(rows[0].tail))
        for row in rows[1:]:
            whole = self._join(whole, row)
        return whole.fewest

    def _append(self, row: _Row, in_time: bool) -> None:
        keep = self.window - 1
        if len(row.tail) == keep:  # a full window ends with this job
            row.fewest = min(row.fewest, sum(row.tail) + in_time)
        row.tail.append(in_time)
        if len(row.tail) > keep:
            row.tail.popleft()
        if len(row.head) < keep:
            row.head.append(in_time)

    def _join(self, before: _Row, after: _Row) -> _Row:
        """``before`` and what follows on it; windows across the seam are those that end in the head of ``after``."""
        for in_time in after.head:
            self._append(before, in_time)
        before.fewest = min(before.fewest, after.fewest)
        if len(after.head) == self.window - 1:
            before.tail = after.tail
        before.last = after.last
        return before
