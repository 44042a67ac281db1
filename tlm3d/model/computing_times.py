"""How long a job of each task computes on each block that it may use."""

from __future__ import annotations

from tlm3d.model.residency import Residency
from tlm3d.model.topology import Topology
from tlm3d.model.work import task_work
from tlm3d.spec.binding import bind
from tlm3d.spec.platform import PlatformSpec
from tlm3d.spec.workload import WorkloadSpec


def computing_times(platform: PlatformSpec, workload: WorkloadSpec) -> dict[tuple[str, str], int]:
    """ps by task and block (die.block), in the order of the workload: all that may run there does.

    A layer or stage that may run on several blocks counts at each of them. Raises SpecError, ElaborationError.
    """
    bindings = bind(platform, workload)
    residency, topology = Residency(platform, workload, bindings), Topology(platform)
    times_ps: dict[tuple[str, str], int] = {}
    for name, task in workload.tasks.items():
        work = task_work(task, bindings[name], platform, topology, residency)
        for item in work.items:
            for block in item.options:
                tiles = work.tiles(item, block, work.default_sources(item, block))
                key = (name, ".".join(block))
                times_ps[key] = times_ps.get(key, 0) + sum(tile.compute_ps for tile in tiles)
    return times_ps
