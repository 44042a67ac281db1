"""What bounds come to together: are all deadlines, and what chains ask for, guaranteed?"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from tlm3d.bounds.result import Bounds, ChainBound


class Verdict(StrEnum):
    """NOT_GUARANTEED: a bound is beyond what is asked for, or jobs may be dropped. NO_BOUND: else, where one lacks."""

    GUARANTEED = "guaranteed"
    NOT_GUARANTEED = "not-guaranteed"
    NO_BOUND = "no-bound"


class Asked(NamedTuple):
    """A bound beside the most that is asked for; ``what``: ``response``, ``reaction`` or ``data age``.

    ``reason``: why there is no bound; ``drops``: why jobs may be dropped, whatever the bound of those that are not.
    """

    name: str
    what: str
    bound_ps: int | None
    most_ps: int
    reason: str
    drops: str = ""

    @property
    def met(self) -> bool | None:
        """Whether it is guaranteed; None where there is no bound."""
        return None if self.bound_ps is None else self.bound_ps <= self.most_ps and not self.drops


def asked(bounds: Bounds) -> tuple[Asked, ...]:
    """All that the workload asks for: the deadline of every task, and what its chains state."""
    tasks = [Asked(t.task, "response", t.bound_ps, t.deadline_ps, t.reason, t.drops) for t in bounds.tasks.values()]
    return (*tasks, *(one for chain in bounds.chains.values() for one in asked_of_chain(chain)))


def asked_of_chain(chain: ChainBound) -> Iterator[Asked]:
    """The reaction and the data age of a chain, as far as it states a limit of them."""
    if chain.deadline_ps is not None:
        yield Asked(chain.chain, "reaction", chain.reaction_ps, chain.deadline_ps, chain.reason)
    if chain.max_age_ps is not None:
        yield Asked(chain.chain, "data age", chain.age_ps, chain.max_age_ps, chain.reason)


def verdict(bounds: Bounds) -> Verdict:
    """The verdict over tasks and chains."""
    met = [one.met for one in asked(bounds)]
    if False in met:
        return Verdict.NOT_GUARANTEED
    return Verdict.NO_BOUND if None in met else Verdict.GUARANTEED


def lost(bounds: Bounds) -> tuple[str, ...]:
    """The tasks and chains of which something is not guaranteed, each once."""
    return tuple(dict.fromkeys(one.name for one in asked(bounds) if not one.met))
