"""Who held a compute block while a job waited for it, told from the spans alone at every instant, against the blame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from reference.random_systems import crowded, systems
from reference.systems import Case, TileTimes, tiles_of

from tlm3d.errors import ElaborationError
from tlm3d.record.recording import JobEnd, Recording, Segment

_RELAXED = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
_BLOCKS = {"upper.c": "c", "lower.x": "x"}
_NEVER = 10**18

Interval = tuple[int, int, str]  # [start, end) and the job, as task#index


class _Block(NamedTuple):
    """Who held what of a block, by the spans."""

    load: list[Interval]  # from the first load of a tile to its last
    unit: list[Interval]
    store: list[Interval]
    stage: list[Interval]
    tiles: list[TileTimes]

    def holder(self, part: str, at_ps: int) -> str | None:
        held = {who for start_ps, end_ps, who in getattr(self, part) if start_ps <= at_ps < end_ps}
        assert len(held) <= 1, (part, at_ps, held)
        return next(iter(held), None)

    def first(self, parts: tuple[str, ...], at_ps: int, own: str) -> str | None:
        """Who holds the first of ``parts`` that anybody does; what ``own`` holds may be idle, then the next counts."""
        held = [self.holder(part, at_ps) for part in parts]
        return next((who for who in held if who not in (None, own)), None)

    def instants(self, start_ps: int, end_ps: int) -> Iterator[int]:
        """An instant of every stretch of [start, end) in which nothing begins or ends."""
        edges = {start_ps}
        for part in self[:4]:
            edges |= {edge for held in part for edge in held[:2] if start_ps < edge < end_ps}
        for tile in self.tiles:
            edges |= {edge for edge in (tile.loaded_ps, *tile.compute) if start_ps < edge < end_ps}
        yield from edges


def _block(recording: Recording, name: str) -> _Block:
    spans = [span for span in recording.spans if span.component.name == name]
    who = {span: f"{span.task}#{span.index}" for span in spans}
    loads: dict[tuple[str, int, str, int], Interval] = {}
    for span in spans:
        if span.what == "load":
            key = (span.task, span.index, span.layer, span.tile)
            start_ps = loads[key][0] if key in loads else span.start_ps
            loads[key] = (start_ps, span.end_ps, who[span])

    def of(*whats: str) -> list[Interval]:
        return [(span.start_ps, span.end_ps, who[span]) for span in spans if span.what in whats]

    tiles = tiles_of(recording.spans, name)
    return _Block([*loads.values()], of("compute", "overhead"), of("store"), of("stage"), tiles)


def _expected(block: _Block, own: str, at_ps: int) -> set[str | None]:
    """Who may be named: by whether a tile of the job has been loaded, or computed, and waits."""
    tiles = [tile for tile in block.tiles if f"{tile.key[0]}#{tile.key[1]}" == own]
    found = {block.first(("load", "unit", "store", "stage"), at_ps, own)}
    # When a stage, which loads nothing, was committed cannot be seen: it may wait for the unit already.
    if any(tile.compute[0] > at_ps and (not tile.loads or tile.loaded_ps <= at_ps) for tile in tiles):
        found.add(block.first(("unit", "store"), at_ps, own))
    if any(tile.compute[1] <= at_ps < (tile.store[0] if tile.store else _NEVER) for tile in tiles):
        found.add(block.first(("store",), at_ps, own))
    return found


def _urgency(case: Case, job: JobEnd) -> tuple[int, str, int]:
    priority = case.workload["tasks"][job.task]["priority"]
    key = {"edf": job.deadline_ps, "fixed-priority": priority, "fifo": job.release_ps}[case.policy]
    return (key, job.task, job.index)


def _waits(recording: Recording) -> Iterator[tuple[JobEnd, Segment]]:
    """Waits of jobs for a compute block; but for the end of a job that never got there."""
    for job in recording.jobs:
        for segment in job.segments if job.status == "finished" else job.segments[:-1]:
            if segment.bucket in ("np-block", "preempt") and segment.where in _BLOCKS:
                yield job, segment


@_RELAXED
@given(st.one_of(systems(), crowded()), st.sampled_from(["edf", "fixed-priority", "fifo"]))
def test_every_instant_of_a_wait_for_a_block_names_who_held_it_then(case: Case, policy: str) -> None:
    case = replace(case, policy=policy)
    try:
        recording = case.run()
    except ElaborationError:
        assume(False)
    blocks = {path: _block(recording, name) for path, name in _BLOCKS.items()}
    urgency = {f"{job.task}#{job.index}": _urgency(case, job) for job in recording.jobs}
    for job, wait in _waits(recording):
        own = f"{job.task}#{job.index}"
        assert wait.bucket == ("preempt" if urgency[wait.holder] < urgency[own] else "np-block")
        for at_ps in blocks[wait.where].instants(wait.start_ps, wait.end_ps):
            expected = _expected(blocks[wait.where], own, at_ps)
            assert wait.holder in expected, (own, wait, at_ps, expected)
            event(f"{wait.bucket}, {'one' if len(expected) == 1 else 'two'} may be named")
