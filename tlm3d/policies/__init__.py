"""Scheduling policies: one a file, each with its class as ``KIND``.

Contract of the slot. A policy is pure: it sees the few facts below and remembers nothing.

- ``key(job)``, asked once when the job becomes ready, orders what waits: small first. Ties go to the task's name, then
  to the job's index.
- ``place(job, layer, options, now_ps)`` chooses the block where a layer may run on several.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple


@dataclass(frozen=True, slots=True)
class JobView:
    """What a policy may know of a job."""

    task: str
    index: int
    release_ps: int
    deadline_ps: int
    period_ps: int  # shortest distance between two releases of the task
    priority: int  # smaller is more urgent


class Option(NamedTuple):
    """A block where a layer could run, and when it would be done there, as far as is known now."""

    block: str
    finish_ps: int


class Policy(ABC):
    """Orders jobs and places layers."""

    FIXED_TASKS: ClassVar[bool] = False  # of two tasks it always prefers the same one
    MOVES: ClassVar[bool] = False  # its order of two jobs may change with time

    @abstractmethod
    def key(self, job: JobView) -> int:
        """The urgency of ``job``: smaller goes first."""

    def place(self, job: JobView, layer: str, options: Sequence[Option], now_ps: int) -> Option:
        """The block that would finish the layer soonest; ties by name."""
        return min(options, key=lambda option: (option.finish_ps, option.block))
