"""The same system released otherwise: no bound depends on offsets, or on what is drawn in a run."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from random import Random

from systems.pair import Pair, chance, ps


def phased(pair: Pair, phase: int) -> Pair:
    """``pair`` with other offsets and draws, always the same ones; phase 0 is the pair itself."""
    if not phase:
        return pair
    r = Random(f"{phase} of {sorted(pair.workload['tasks'])}")
    workload = deepcopy(pair.workload)
    far = chance(r, 0.5)  # else some begin a picosecond before the others, and hold them up
    for task in workload["tasks"].values():
        if "period" in task or "rate" in task or "sporadic" in task:
            task["offset"] = ps(r.randrange(_about_ps(task)) if far else r.choice([0, 1]))
    return replace(pair, workload=workload, seed=pair.seed + phase)


def _about_ps(task: dict[str, object]) -> int:
    """Less than the distance of two releases."""
    events = task.get("sporadic")
    period = events["min_distance"] if isinstance(events, dict) else task.get("period")
    if period is None:
        return 10**15 // int(str(task["rate"]).split()[0])
    return int(str(period).split()[0])
