"""Laws of preemption on compute blocks: one thing at a time, layers that run to their end, work that is not lost."""

from __future__ import annotations

from collections import defaultdict
from copy import deepcopy
from itertools import pairwise

from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from reference.random_systems import systems
from reference.systems import Case

from tlm3d.errors import ElaborationError
from tlm3d.record.recording import Recording, Span

_RELAXED = settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
_BLOCKS = ("c", "x")
_switches = st.sampled_from(["0 ps", "1 ps", "700 ns"])

Tile = tuple[str, str, str, int]  # block, task, layer, tile


def _with(case: Case, preemption: str, switch: str) -> Case:
    """``case`` with that preemption on its cluster, and on its array where that may."""
    changed = deepcopy(case)
    for die in changed.platform["dies"].values():
        for name in die["blocks"].keys() & _BLOCKS:
            die["blocks"][name] |= {"context_switch": switch}
            if preemption != "full" or name == "c":
                die["blocks"][name]["preemption"] = preemption
    return changed


def _run(case: Case) -> Recording:
    try:
        return case.run()
    except ElaborationError:
        assume(False)
        raise


def _computing(recording: Recording, block: str) -> list[Span]:
    """What the unit of ``block`` did, in order of time."""
    whats = ("compute", "overhead")
    spans = [s for s in recording.spans if s.component.name == block and s.what in whats]
    return sorted(spans, key=lambda span: (span.start_ps, span.end_ps))


@_RELAXED
@given(systems(), st.sampled_from(["tile", "none", "full"]), _switches)
def test_a_block_computes_one_thing_at_a_time(case: Case, preemption: str, switch: str) -> None:
    recording = _run(_with(case, preemption, switch))
    for block in _BLOCKS:
        spans = _computing(recording, block)
        for before, after in pairwise(spans):
            assert before.end_ps <= after.start_ps, (before, after)


@_RELAXED
@given(systems(), _switches)
def test_without_preemption_nothing_comes_between_two_tiles_of_a_layer(case: Case, switch: str) -> None:
    recording = _run(_with(case, "none", switch))
    for block in _BLOCKS:
        over: set[tuple[str, int, str]] = set()
        now = ("", -1, "")
        for span in _computing(recording, block):
            assert span.what == "compute"  # so there is never anything to get back
            layer = (span.task, span.index, span.layer)
            if layer != now:
                assert layer not in over, (layer, span)
                over.add(now)
                now = layer


def _spent(recording: Recording) -> dict[Tile, set[tuple[int, int]]]:
    """Time and energy of computing, by tile, of the jobs that finished."""
    finished = {(job.task, job.index) for job in recording.jobs if job.status == "finished"}
    by_job: dict[tuple[Tile, int], list[Span]] = defaultdict(list)
    for block in _BLOCKS:
        for span in _computing(recording, block):
            if span.what == "compute" and (span.task, span.index) in finished:
                by_job[(block, span.task, span.layer, span.tile), span.index].append(span)
    found: dict[Tile, set[tuple[int, int]]] = defaultdict(set)
    for (tile, _), spans in by_job.items():
        if len(spans) > 1:
            event("a tile in pieces")
        found[tile].add((sum(s.end_ps - s.start_ps for s in spans), sum(s.energy_aj for s in spans)))
    return found


@_RELAXED
@given(systems(), _switches)
def test_a_tile_in_pieces_computes_as_long_and_costs_as_much_as_in_one(case: Case, switch: str) -> None:
    whole, cut = _spent(_run(_with(case, "tile", switch))), _spent(_run(_with(case, "full", switch)))
    for found in (whole, cut):
        assert all(len(costs) == 1 for costs in found.values()), found
    for tile in whole.keys() & cut.keys():
        assert whole[tile] == cut[tile]


@_RELAXED
@given(systems(), st.sampled_from(["tile", "full"]), _switches)
def test_the_state_of_a_layer_is_got_back_when_another_job_has_computed_since_and_only_then(
    case: Case, preemption: str, switch: str
) -> None:
    recording = _run(_with(case, preemption, switch))
    for block in _BLOCKS:
        since: dict[tuple[str, int, str], bool] = {}  # by layer under way: another job has computed since
        switched = 0  # time spent on getting back since the last span of computing
        for span in _computing(recording, block):
            layer = (span.task, span.index, span.layer)
            if span.what == "overhead":
                assert since.get(layer), span
                switched += span.end_ps - span.start_ps
            else:
                owed = since.get(layer, False) and switch != "0 ps"
                assert (switched > 0) == owed, (span, switched)
                event("got back" if owed else "nothing to get back")
                switched = 0
                since[layer] = False
            for other in since:
                since[other] |= other[:2] != layer[:2]
            if span.what == "overhead":
                since[layer] = True
