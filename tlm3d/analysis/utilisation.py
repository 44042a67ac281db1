"""How long every block was at work, and for whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tlm3d.analysis.energy import UNOWNED
from tlm3d.analysis.result import BlockUse
from tlm3d.record.recording import Component, Span

COMPUTING, SWITCHING = "compute", "overhead"
_AT_WORK = frozenset((COMPUTING, SWITCHING))
Use = tuple[Component, str, str]  # what (computing or switching) for which task


def used_ps(spans: Iterable[Span], horizon_ps: int) -> dict[Use, int]:
    """The time that blocks computed for tasks, and switched to them, inside [0, H]; a block does one thing at a time.

    A Counter adds up those of several parts of a run.
    """
    # One pass over plain integers: this is done for every span of a run.
    used: dict[Use, int] = {}
    for component, what, task, _, _, _, start_ps, end_ps, _ in spans:
        if what in _AT_WORK and start_ps < horizon_ps and task != UNOWNED:
            inside_ps = (end_ps if end_ps < horizon_ps else horizon_ps) - (start_ps if start_ps > 0 else 0)
            use = component, what, task
            used[use] = used.get(use, 0) + inside_ps
    return used


def blocks(used: Mapping[Use, int]) -> dict[str, BlockUse]:
    """By ``die.block``, sorted: every block that was at work."""
    found: dict[Component, BlockUse] = {}
    for (component, what, task), time_ps in sorted(used.items()):
        use = found.setdefault(component, BlockUse(component.die, component.name, {}, 0))
        if what == COMPUTING:
            use.computing_ps[task] = time_ps
        else:
            found[component] = BlockUse(use.die, use.name, use.computing_ps, use.switching_ps + time_ps)
    return {f"{use.die}.{use.name}": use for use in found.values()}


def by_task_ps(used: Mapping[Use, int]) -> dict[str, int]:
    """The time that all blocks together computed for each task."""
    times_ps: dict[str, int] = {}
    for (_, what, task), time_ps in used.items():
        if what == COMPUTING:
            times_ps[task] = times_ps.get(task, 0) + time_ps
    return times_ps
