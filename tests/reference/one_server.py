"""One server, tick by tick, written from the rules alone: jobs in pieces, and who is next wherever a piece ends.

It knows nothing of the model or of bounds. Whoever is preempted at once has pieces of a tick.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Job:
    """``pieces`` of ``task``, to be begun at ``ready`` or later, after its task's earlier jobs; least ``key`` first."""

    task: str
    ready: int
    key: tuple[int, ...]
    pieces: tuple[int, ...]


def pieces(work: int, tile: int) -> tuple[int, ...]:
    """Work in tiles, and what is left; a tile of 0 is no limit."""
    if not tile:
        return (work,)
    whole, rest = divmod(work, tile)
    return (tile,) * whole + ((rest,) if rest else ())


def finishes(jobs: Sequence[Job]) -> list[int]:
    """When jobs, each task's in the order given, finish."""
    left = [list(job.pieces) for job in jobs]
    finish: list[int | None] = [None] * len(jobs)
    queues: dict[str, list[int]] = {}
    for place, job in enumerate(jobs):
        queues.setdefault(job.task, []).append(place)
    now = min((job.ready for job in jobs), default=0)
    while any(queues.values()):
        heads = [queue[0] for queue in queues.values() if queue]
        ready = [place for place in heads if jobs[place].ready <= now]
        if not ready:
            now = min(jobs[place].ready for place in heads)
            continue
        chosen = min(ready, key=lambda place: (jobs[place].key, place))
        now += left[chosen].pop(0)
        if not left[chosen]:
            finish[chosen] = now
            queues[jobs[chosen].task].pop(0)
    return [at for at in finish if at is not None]
