"""What releases the jobs of a task, one way a file; times are whole picoseconds."""

from __future__ import annotations

from typing import Protocol


class Arrivals(Protocol):
    """Release times of a task that no camera and no other task releases."""

    def next_ps(self) -> int:
        """The next release time: the first, then each not before the one before; NEVER after the last."""
