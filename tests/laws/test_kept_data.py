"""What layers keep in the buffers of a block, replayed tile by tile from the order in which they were committed."""

from __future__ import annotations

from collections import Counter

from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from reference.random_systems import network, preempt, systems
from reference.systems import Case, Tree

from tlm3d.errors import ElaborationError
from tlm3d.record.recording import Recording

_RELAXED = settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.too_slow])

Layer = tuple[str, int, str]  # task, index, layer


@st.composite
def _crowded(draw: st.DrawFn) -> Case:
    """Two to four networks of weighted layers in many tiles that meet on the array, whose weights are fetched."""
    case = draw(systems(fixed=True))
    array = case.platform["dies"]["lower"]["blocks"]["x"]
    array |= {"local": f"{draw(st.sampled_from([60, 100, 180]))} B", "weight_memory": "0 B"}
    tasks: Tree = {}
    networks: dict[str, Tree] = {}
    for name in draw(st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=2, max_size=4, unique=True)):
        row = {"name": "conv", "op": "conv", "kernel": [1, 1], "channels": draw(st.integers(1, 9))}
        networks[name] = network([row], (draw(st.integers(1, 5)), 2, draw(st.integers(1, 4))), name)
        tasks[name] = {
            "network": name, "map": {"default": "x"}, "period": f"{draw(st.sampled_from([9, 25, 40]))} us",
            "offset": f"{draw(st.integers(0, 9))} us", "deadline": "60 us", "priority": draw(st.integers(1, 3)),
        }  # fmt: skip
    platform = preempt(draw, case.platform)
    return Case(platform, {"name": "crowded", "tasks": tasks}, networks, "fixed-priority", case.horizon_ps)


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
@given(_crowded())
def test_a_tile_loads_again_what_it_kept_exactly_where_a_buffer_was_taken(case: Case) -> None:
    try:
        alone, recording = _alone(case), case.run()
    except ElaborationError:
        assume(False)
    array = case.platform["dies"]["lower"]["blocks"]["x"]
    count = array.get("buffers", 2)
    holders: list[tuple[Layer, int] | None] = [None] * count  # of a buffer: whose it is, since which tile of all
    lies: dict[Layer, list[tuple[int, int]]] = {}  # of a layer: (buffer, since) of what it loaded last and keeps
    for number, (layer, tile, loads) in enumerate(_tiles(recording)):
        buffer = number % count
        kept = 2 - alone[layer[0], tile]  # weights and inputs, but for those that it loads anyway
        place = lies.get(layer, [])
        again = sum(holders[b] != (layer, since) for b, since in place) if kept else 0
        assert loads == alone[layer[0], tile] + again, (layer, tile)
        event("loaded again" if again else "kept" if kept else "nothing kept")
        held = holders[buffer]
        if held is None or held[0] != layer:
            holders[buffer] = (layer, number)
        now = holders[buffer]
        assert now is not None
        if loads == 2 or not kept:  # it has all it needs in its own buffer, what the next may keep among it
            lies[layer] = [(buffer, now[1])]
