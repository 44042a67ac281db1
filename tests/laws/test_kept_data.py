"""What layers keep in the buffers of a block, replayed tile by tile from the order in which they were committed."""

from __future__ import annotations

from collections import Counter

from hypothesis import HealthCheck, assume, event, given, settings
from reference.random_systems import crowded
from reference.systems import Case

from tlm3d.errors import ElaborationError
from tlm3d.record.recording import Recording

_RELAXED = settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.too_slow])

Layer = tuple[str, int, str]  # task, index, layer


def _tiles(recording: Recording) -> list[tuple[Layer, int, int]]:
    """Layer, tile and number of loads of each tile, in the order of their computation; loads over, none cut off."""
    counts = Counter(
        ((s.task, s.index, s.layer), s.tile) for s in recording.spans if s.component.name == "x" and s.what == "load"
    )
    computed = [s for s in recording.spans if s.component.name == "x" and s.what == "compute"]
    keys = [((s.task, s.index, s.layer), s.tile) for s in sorted(computed, key=lambda s: s.start_ps)]
    return [(*key, counts[key]) for key in keys]


def _alone(case: Case) -> dict[tuple[str, int], int]:
    """How many loads the tiles of each task's layer have when no other is there."""
    found: dict[tuple[str, int], int] = {}
    for task, spec in case.workload["tasks"].items():
        lone = {**spec, "period": "1 s", "offset": "0 us"}
        workload = {**case.workload, "tasks": {task: lone}}
        tiles = _tiles(Case(case.platform, workload, case.networks, case.policy, 10**12).run())
        found |= {(task, tile): loads for _, tile, loads in tiles}
    return found


@_RELAXED
@given(crowded())
def test_a_tile_loads_again_what_it_kept_exactly_where_a_buffer_was_taken(case: Case) -> None:
    try:
        alone, recording = _alone(case), case.run()
    except ElaborationError:
        assume(False)
    array = case.platform["dies"]["lower"]["blocks"]["x"]
    count = array.get("buffers", 2)
    holders: list[Layer | None] = [None] * count  # of a buffer: whose tile took it last
    lies: dict[Layer, int] = {}  # of a layer: the buffer of what it loaded last and keeps
    for number, (layer, tile, loads) in enumerate(_tiles(recording)):
        buffer = number % count
        kept = 2 - alone[layer[0], tile]  # weights or inputs that it does not load anyway
        again = 1 if kept and holders[lies[layer]] != layer else 0
        assert loads == alone[layer[0], tile] + again, (layer, tile)
        event("loaded again" if again else "kept" if kept else "nothing kept")
        holders[buffer] = layer
        if again or not kept:
            lies[layer] = buffer
