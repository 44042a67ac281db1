"""Scheduling policies: one a file, each with its class as ``KIND``.

Contract of the slot. A policy is pure: it sees the few facts below and remembers nothing.

- ``key(job)``, asked once when the job becomes ready, orders what waits: small first. Ties go to the task's name, then
  to the job's index. Where the order of two jobs changes while they wait, ``MOVES`` is true and ``key_at(job, now_ps)``
  is asked at every decision instead. ``FIXED_TASKS``: all jobs of a task have the same key, whenever they are released.
  ``DATED``: the key of a job is its release and a time that is the same for all jobs of its task.
- ``place(job, layer, options, now_ps)`` chooses the block where a layer may run on several.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, NamedTuple


class JobView:
    """What a policy may know of a job."""

    task: str
    index: int
    release_ps: int
    deadline_ps: int
    period_ps: int  # shortest distance between two releases of the task
    priority: int  # smaller is more urgent

    def __init__(
        self, task: str, index: int, release_ps: int, deadline_ps: int, period_ps: int, priority: int, left_ps: int = 0
    ) -> None:
        self.task, self.index, self.release_ps, self.deadline_ps = task, index, release_ps, deadline_ps
        self.period_ps, self.priority, self._left_ps = period_ps, priority, left_ps

    @property
    def remaining_ps(self) -> int:
        """The least computing time that it still needs."""
        return self._left_ps


class Option(NamedTuple):
    """A block where a layer could run, and when it would be done there, as far as is known now."""

    block: str
    finish_ps: int


class Policy(ABC):
    """Orders jobs and places layers."""

    FIXED_TASKS: ClassVar[bool] = False  # of two tasks it always prefers the same one
    DATED: ClassVar[bool] = False  # a job's key is its release and a constant of its task
    MOVES: ClassVar[bool] = False  # its order of two jobs may change with time

    @abstractmethod
    def key(self, job: JobView) -> int:
        """The urgency of ``job``: smaller goes first."""

    def key_at(self, job: JobView, now_ps: int) -> int:
        """The urgency of ``job`` at an instant, asked where ``MOVES``."""
        return self.key(job)

    def place(self, job: JobView, layer: str, options: Sequence[Option], now_ps: int) -> Option:
        """The block that would finish the layer soonest; ties by name."""
        return min(options, key=lambda option: (option.finish_ps, option.block))
