"""Random systems, small and quick to run, of every kind that bounds are made for; each is named by kind and seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from random import Random

from systems import processors, stacks
from systems.pair import Pair
from tlm3d.errors import ElaborationError
from tlm3d.model.system import System

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
    "graph": processors.graph,
    "overload": processors.overload,
    "lone-block": stacks.lone_block,
    "tiles": stacks.tiles,
    "weights": stacks.weights,
    "channels": stacks.channels,
    "gated": stacks.gated,
    "cameras": stacks.cameras,
    "sampled": stacks.sampled,
    "mixed": stacks.mixed,
}


def attempts(kind: str, seed: int) -> Iterator[Pair]:
    """Systems of that name: the first that can be built is the one."""
    return (KINDS[kind](Random(f"{kind}:{seed}:{attempt}")) for attempt in count())


def draw(kind: str, seed: int) -> Pair:
    """The system of that name, always the same one."""
    return next(pair for pair in attempts(kind, seed) if not pair.networks or can_be_built(pair))


def can_be_built(pair: Pair) -> bool:
    """Whether its networks fit its memories."""
    platform, workload = pair.read()
    try:
        System(platform, workload, workload.policy, workload.horizon_ps, pair.seed)
    except ElaborationError:
        return False
    return True
