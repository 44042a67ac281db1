"""Random systems, small and quick to run, of every kind that bounds are made for; each is named by kind and seed."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from systems import processors
from systems.pair import Pair

KINDS: dict[str, Callable[[Random], Pair]] = {
    "fixed": processors.fixed,
    "fixed-loose": processors.fixed_loose,
    "edf": processors.edf,
    "fifo": processors.fifo,
    "laxity": processors.laxity,
    "distributed": processors.distributed,
    "cascade": processors.cascade,
    "resources": processors.resources,
    "shared-queue": processors.shared_queue,
    "overload": processors.overload,
}


def draw(kind: str, seed: int) -> Pair:
    """The system of that name, always the same one."""
    return KINDS[kind](Random(f"{kind}:{seed}"))
