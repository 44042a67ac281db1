"""Releases as a file lists them."""

from __future__ import annotations

from collections.abc import Sequence

from tlm3d.tlm.timing import NEVER


class Trace:
    """One release at each of ``arrivals_ps``, which do not fall."""

    def __init__(self, arrivals_ps: Sequence[int]) -> None:
        self._left = iter(arrivals_ps)

    def next_ps(self) -> int:
        """The next time in the file."""
        return next(self._left, NEVER)
