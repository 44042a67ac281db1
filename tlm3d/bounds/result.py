"""What bounds say of a system: plain numbers and, where there are none, why."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple


class Part(NamedTuple):
    """A stretch of a bound, in order: ``work_ps``, ``blocking_ps`` and ``interference_ps`` add up to ``ps``.

    ``what``: ``sensing``, ``self-predecessor`` or the name of the step; ``where``: its server, or ``-``.
    """

    what: str
    where: str
    ps: int
    work_ps: int
    blocking_ps: int = 0
    interference_ps: int = 0


@dataclass(frozen=True)
class TaskBound:
    """The largest response that a task can have, in ps; None where none is known, with the ``reason``."""

    task: str
    deadline_ps: int
    bound_ps: int | None
    reason: str = ""
    best_ps: int = 0  # no response is shorter
    parts: tuple[Part, ...] = ()  # of the bound: they add up to it
    drops: str = ""  # why jobs may be dropped although those that finish keep the bound

    @property
    def met(self) -> bool | None:
        """Whether every deadline is kept whatever happens; None: not known."""
        return None if self.bound_ps is None else self.bound_ps <= self.deadline_ps and not self.drops


@dataclass(frozen=True)
class ChainBound:
    """The largest reaction and data age of a chain, in ps, beside what it asks for; None where none is known."""

    chain: str
    reaction_ps: int | None
    age_ps: int | None
    reason: str = ""
    deadline_ps: int | None = None
    max_age_ps: int | None = None


class ServerDemand(NamedTuple):
    """Whether EDF keeps all deadlines on a processor by the demand of its tasks (Baruah, Rosier & Howell 1990).

    If not, ``at_ps`` is the length of an interval in which more is due than fits; None: the long run.
    """

    kept: bool
    at_ps: int | None


@dataclass(frozen=True)
class Bounds:
    """Of every task of a workload on a platform; ``servers``: utilisation at worst, by processor or block.

    ``demands``: of processors under EDF that do all of what their tasks do, whatever response each has.
    """

    platform: str
    workload: str
    policy: str
    corner: str
    tasks: dict[str, TaskBound]
    chains: dict[str, ChainBound] = field(default_factory=dict)
    servers: dict[str, Fraction] = field(default_factory=dict)
    demands: dict[str, ServerDemand] = field(default_factory=dict)

    @property
    def guaranteed(self) -> bool:
        """Whether every task keeps every deadline whatever happens."""
        return all(task.met for task in self.tasks.values())
