"""Staged weights: pieces add up and fit, whoever runs; what is told to be moved is what a run moves."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from reference.default_pair import ROOT
from reference.random_systems import lone_networks
from reference.systems import Case

from tlm3d.cnn.layers import Layer
from tlm3d.cnn.tiling import TileError, tile_layer
from tlm3d.errors import ElaborationError
from tlm3d.model.layer_works import layer_works
from tlm3d.model.system import System
from tlm3d.model.work import Piece, TileWork, staged_pieces
from tlm3d.record.recording import Recording
from tlm3d.record.residency import ResidencyPlan
from tlm3d.spec.lone import TASK, lone_workload, placements
from tlm3d.spec.network import load_network
from tlm3d.spec.platform import PlatformSpec, load_platform

_RELAXED = settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
NETWORKS = {path.stem: load_network(path) for path in sorted((ROOT / "workloads" / "networks").glob("*.yaml"))}
LAYERS = [layer for network in NETWORKS.values() for layer in network.layers if layer.weight_bytes]


@_RELAXED
@given(st.sampled_from(LAYERS), st.integers(1, 128), st.integers(0, 600_000))
def test_pieces_are_all_the_tiles_load_and_fit_unless_a_tile_does_not(layer: Layer, local_kib: int, room: int) -> None:
    try:
        tiles = tile_layer(layer, local_kib * 1024)
    except TileError:
        assume(False)
    pieces = staged_pieces(tiles, layer.weight_bytes, room)
    assert sum(count for count, _ in pieces) == len(tiles)
    event("one piece" if len(pieces) == 1 else "pieces")
    if layer.weight_bytes <= room:
        assert pieces == [(len(tiles), layer.weight_bytes)]  # however often the block loads them from there
        return
    first = 0
    for count, n_bytes in pieces:
        loads = [tile.weight_bytes for tile in tiles[first : first + count]]
        assert sum(loads) == n_bytes
        assert loads[0] > 0
        assert n_bytes <= room or sum(load > 0 for load in loads) == 1
        first += count
    for (_, n_bytes), (count, _), at in zip(pieces, pieces[1:], range(1, len(pieces)), strict=False):
        opens = tiles[sum(many for many, _ in pieces[:at])].weight_bytes
        assert count
        assert n_bytes + opens > room  # none could have been larger


# ------------------------------------------------------------------ a run


def _tiles(system: System) -> dict[str, tuple[TileWork, ...]]:
    (work,) = system._works.values()
    runs = [item for item in work.items if item.layer is not None]
    return {item.name: work.tiles(item, item.options[0], work.default_sources(item, item.options[0])) for item in runs}


def _lives(recording: Recording, tiles: dict[str, tuple[TileWork, ...]]) -> list[tuple[int, int, Piece]]:
    """(fetch begins, last tile has computed, piece) of every piece that was fetched."""
    lives = []
    for name, works in tiles.items():
        spans = [span for span in recording.spans if span.layer == name]
        ends = {span.tile: span.end_ps for span in spans if span.what == "compute"}
        ahead = [span.start_ps for span in spans if span.what == "stage"]
        number = -1
        for at, work in enumerate(works):
            if work.piece is None or not work.loads_weights or work.piece.number == number:
                continue
            number = work.piece.number
            loads = sorted(span.start_ps for span in spans if span.what == "load" and span.tile == at)
            begin_ps = ahead[0] if ahead and not number else loads[0]
            lives.append((begin_ps, ends[work.piece.last_tile], work.piece))
    return lives


@_RELAXED
@given(lone_networks(("1 MiB", "400 B", "250 B", "150 B", "80 B")))
def test_pieces_lie_side_by_side_only_where_there_is_room_and_are_fetched_once(case: Case) -> None:
    try:
        system = case.system()
    except ElaborationError:
        assume(False)
    tiles, recording = _tiles(system), system.run()
    lives = _lives(recording, tiles)
    for begin_ps, _, _ in lives:
        there = [piece for start_ps, end_ps, piece in lives if start_ps <= begin_ps < end_ps]
        room = min(piece.room for piece in there)
        assert len(there) == 1 or sum(piece.bytes for piece in there) <= room
        event(f"{len(there)} pieces side by side")
    check_moves(recording, recording.residency)


def check_moves(recording: Recording, plan: ResidencyPlan) -> None:
    """What went through the port of each memory is what leaves it or comes to it."""
    assert [job.status for job in recording.jobs if job.index == 0] == ["finished"]
    ports = {use.memory for use in plan.memories} & recording.channels.keys()
    moved: Counter[str] = Counter()
    for move in plan.moves:
        moved.update({place: move.bytes for place in (move.source, move.target) if place in ports})
    carried: Counter[str] = Counter()
    for leg in recording.legs:
        if leg.channel in ports and leg.index == 0:
            carried[leg.channel] += leg.bytes
    assert +carried == +moved


STAGED = load_platform(ROOT / "platforms" / "silicon" / "gap8.yaml")
DIRECT = load_platform(ROOT / "platforms" / "three_tier_vision.yaml")


_L2_BYTES = 2 * 2**20  # of DIRECT, where the weights lie
CASES = [(STAGED, name) for name in NETWORKS]
CASES += [(DIRECT, name) for name, network in NETWORKS.items() if network.weight_bytes <= _L2_BYTES]


@pytest.mark.parametrize(("platform", "name"), CASES, ids=lambda value: getattr(value, "name", value))
def test_the_residency_and_the_layers_say_what_an_inference_moves(platform: PlatformSpec, name: str) -> None:
    network = NETWORKS[name]
    (placement, *_) = placements(platform, network, "cluster" if platform is STAGED else "array")
    workload = lone_workload(network, placement, platform.corner)
    recording = System(platform, workload, workload.policy, workload.horizon_ps, 0).run()
    plan = recording.residency
    check_moves(recording, plan)
    works = layer_works(platform, workload, TASK)
    weights = Counter({move.target: move.bytes for move in plan.moves if move.what == "weights" and move.task == TASK})
    assert sum(weights.values()) == sum(work.weight_bytes + work.staged_bytes for work in works)
    assert sum(place.bytes for place in plan.weights) == sum(layer.weight_bytes for layer in network.layers)
    for use in plan.memories:
        assert use.bytes <= use.capacity_bytes
        assert all(content.bytes > 0 for content in (*use.contents, *use.passing))
        assert all(piece.bytes <= use.capacity_bytes for piece in use.passing)
