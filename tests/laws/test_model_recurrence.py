"""The recurrences of two buffers and of one, and the pick rule, replayed from what a run recorded.

Only the duration of each load, computation and store is taken from the record; when each of them starts, and which tile
is next, must follow from these durations alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import HealthCheck, assume, event, given, settings
from reference.random_systems import lone_networks, systems
from reference.systems import Case, TileTimes, tiles_of

from tlm3d.errors import ElaborationError
from tlm3d.record.recording import JobEnd, Recording

_RELAXED = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
_WEIGHTED = ("conv", "depthwise", "linear")


# ------------------------------------------------------------------ one network alone


@_RELAXED
@given(lone_networks())
def test_a_lone_network_obeys_the_recurrence_to_the_picosecond(case: Case) -> None:
    try:
        recording = case.run()
    except ElaborationError:
        assume(False)
    tiles = tiles_of(recording.spans, "x")
    block = case.platform["dies"]["lower"]["blocks"]["x"]
    is_double = block.get("buffers", 2) == 2
    ahead = {span.layer: (span.start_ps, span.end_ps) for span in recording.spans if span.what == "stage"}
    rows = {row["name"]: row for row in case.networks["net"]["layers"]}
    names = list(rows)
    done_ps: dict[str, int] = {"input": 0}
    begun_ps: dict[str, int] = {"input": 0}
    committed_ps: dict[str, int] = {"input": 0}
    L, C, S = [0, 0], [0, 0], [0, 0]  # noqa: N806  # of tile i at index i + 2, as in the formula
    for i, tile in enumerate(tiles, start=2):
        name, number = tile.key[2], tile.key[3]
        before = names[names.index(name) - 1] if names.index(name) else "input"
        reads = rows[name].get("reads", [before])
        inputs_ps = max(done_ps[read] for read in reads)
        is_weighted = rows[name]["op"] in _WEIGHTED
        fetches_weights = is_weighted and len(tile.loads) >= 2
        known_ps = max(committed_ps[read] for read in reads) if fetches_weights else inputs_ps
        free_ps = max(L[i - 1], C[i - 2]) if is_double else S[i - 1]
        at_ps = max(free_ps, known_ps if number == 0 else 0)
        committed_ps[name] = at_ps
        if number == 0:
            begun_ps[name] = at_ps
            is_staged = "weight_stage" in block and fetches_weights
            # There is room for all: each layer's weights come when the layer before begins, one after the other; the
            # first layer has to wait for its own.
            assert (name in ahead) == (is_staged and before != "input")
            assert (len(tile.loads) == 3) == (is_staged and before == "input")
            if name in ahead:
                assert ahead[name][0] == max(begun_ps[before], ahead.get(before, (0, 0))[1])
                at_ps = max(at_ps, ahead[name][1])
        for one, (start_ps, end_ps) in enumerate(tile.loads, start=1):
            is_weights = is_weighted and one < len(tile.loads)
            if number == 0 and not is_weights:
                at_ps = max(at_ps, inputs_ps)
            assert start_ps == at_ps
            at_ps = end_ps
        L.append(at_ps)
        assert tile.compute[0] == max(L[i], C[i - 1], S[i - 2])
        C.append(tile.compute[1])
        assert tile.store is not None
        assert tile.store[0] == max(C[i], S[i - 1])
        S.append(tile.store[1])
        done_ps[name] = tile.store[1]
    event("staged" if ahead else "not staged")
    event(f"{'two buffers' if is_double else 'one buffer'}")
    event(f"{'many' if len(tiles) > len(names) else 'few'} tiles")
    (job,) = recording.jobs
    assert job.finish_ps == (S[-1] if job.status == "finished" else -1)


# ------------------------------------------------------------------ many jobs on one block


@dataclass
class _Run:
    """A layer or stage of one job on one block: its urgency, when its next tile may be committed, how far it is."""

    urgency: tuple[int, str, int]
    position: int
    from_ps: int
    tiles: int
    committed: int = 0


@dataclass
class _Replay:
    """Who waited for a block when, worked out from the record of a ``fixed`` system."""

    case: Case
    recording: Recording
    block: str
    tiles: list[TileTimes]
    runs: dict[tuple[str, int, str], _Run] = field(default_factory=dict)
    counts: dict[tuple[str, str], int] = field(default_factory=dict)  # tiles of a layer
    fetching: set[tuple[str, str]] = field(default_factory=set)  # layers that begin with their weights

    def __post_init__(self) -> None:
        for tile in self.tiles:
            task, _, layer, number = tile.key
            self.counts[task, layer] = max(self.counts.get((task, layer), 0), number + 1)
            if number == 0 and len(tile.loads) == 2 and layer.startswith(_WEIGHTED_NAMES):
                self.fetching.add((task, layer))

    def items(self, task: str) -> list[tuple[str, str, tuple[int, ...]]]:
        """(name, block, positions it reads) of every item of ``task``."""
        tree = self.case.workload["tasks"][task]
        found: list[tuple[str, str, tuple[int, ...]]] = []
        for i, stage in enumerate(tree.get("stages", [])):
            found.append((f"stage{i}", stage["on"], (i - 1,) if i else ()))
        rows = self.case.networks[task]["layers"] if task in self.case.networks else []
        first = len(found)
        names = [row["name"] for row in rows]
        for i, row in enumerate(rows):
            block = tree["map"].get(row["name"], tree["map"]["default"])
            reads = [first + names.index(read) for read in row.get("reads", [])]
            here = tuple(reads) if reads else ((first + i - 1,) if first + i else ())
            found.append((row["name"], block[0] if isinstance(block, list) else block, here))
        return found


_WEIGHTED_NAMES = ("conv", "depthwise", "fc")


def _urgency(case: Case, job: JobEnd) -> tuple[int, str, int]:
    key = job.deadline_ps if case.policy == "edf" else case.workload["tasks"][job.task]["priority"]
    return (key, job.task, job.index)


def _item_ends(recording: Recording) -> dict[tuple[str, int, str], dict[int, int]]:
    """End of every tile (stage) that ended inside the window, by (task, index, item) and tile, over all blocks."""
    ends: dict[tuple[str, int, str], dict[int, int]] = {}
    for block in ("c", "x"):
        for tile in tiles_of(recording.spans, block):
            stored = tile.store is not None or tile.key[2].startswith("stage")
            if stored and tile.done_ps <= recording.horizon_ps:
                ends.setdefault(tile.key[:3], {})[tile.key[3]] = tile.done_ps
    return ends


def _processor_ends(case: Case, recording: Recording) -> dict[tuple[str, int, str], int]:
    """End of every stage that the processor (10 MHz) has completed."""
    ends: dict[tuple[str, int, str], int] = {}
    worked_ps: dict[tuple[str, int, str], int] = {}
    for span in recording.spans:
        if span.component.name == "p" and span.what == "compute":
            key = (span.task, span.index, span.layer)
            worked_ps[key] = worked_ps.get(key, 0) + span.end_ps - span.start_ps
            stage = case.workload["tasks"][span.task]["stages"][int(span.layer.removeprefix("stage"))]
            if worked_ps[key] == (stage["cycles"] * 100_000 if "cycles" in stage else 3_000_000):
                ends[key] = span.end_ps
    return ends


def _check_pipeline(case: Case, recording: Recording, block: str) -> None:
    tiles = tiles_of(recording.spans, block)
    _check_overlap(tiles, _is_double(case, block))
    _check_picks(case, recording, block, tiles)


def _is_double(case: Case, block: str) -> bool:
    (spec,) = (die["blocks"][block] for die in case.platform["dies"].values() if block in die["blocks"])
    return bool(spec.get("buffers", 2) == 2)


def _check_overlap(tiles: list[TileTimes], is_double: bool) -> None:
    """C and S of the recurrence over the tiles of all jobs."""
    before: TileTimes | None = None
    L: list[int] = []  # noqa: N806
    C: list[int] = []  # noqa: N806
    stores: list[int | None] = []  # ends of the stores so far, None while under way
    for tile in tiles:
        load_ps = max([tile.begin_ps, *L[-1:], *C[-2:-1]]) if tile.loads else 0
        assert is_double or before is None or tile.begin_ps >= before.done_ps
        before = tile
        assert not tile.loads or tile.begin_ps == load_ps  # never before the port and a buffer are free
        for (_, end_ps), (start_ps, _) in zip(tile.loads, tile.loads[1:], strict=False):
            assert start_ps >= end_ps
        gates = [*C[-1:], *stores[-2:-1], *([tile.loaded_ps] if tile.loads else [])]
        assert None not in gates
        if tile.loads:
            assert tile.compute[0] == max(g for g in gates if g is not None)
        else:
            assert tile.compute[0] >= max([0, *(g for g in gates if g is not None)])
        C.append(tile.compute[1])
        L.append(tile.loaded_ps if tile.loads else max([0, *L[-1:]]))
        if tile.store is not None:
            assert tile.store[0] == max([tile.compute[1], *(s for s in stores[-1:] if s is not None)])
            stores.append(tile.store[1])
        elif not tile.key[2].startswith("stage"):
            stores.append(None)  # under way at the horizon


def _check_picks(case: Case, recording: Recording, block: str, tiles: list[TileTimes]) -> None:
    """The port never idles while a tile is pickable, and the most urgent pickable tile goes first."""
    replay = _Replay(case, recording, block, tiles)
    runs = _runs(replay)
    loaded_ps, computed_ps = [0, 0], [0, 0]
    is_double, done_ps = _is_double(case, block), 0
    for tile in tiles:
        free_ps = max(loaded_ps[-1], computed_ps[-2]) if is_double else done_ps
        waiting = {key: run for key, run in runs.items() if run.committed < run.tiles}
        earliest_ps = min(run.from_ps for run in waiting.values())
        commit_ps = max(free_ps, earliest_ps)
        if tile.loads:
            assert tile.begin_ps == commit_ps, (tile, free_ps, earliest_ps)
        pickable = [(run.urgency, run.position, key) for key, run in waiting.items() if run.from_ps <= commit_ps]
        assert min(pickable)[2] == tile.key[:3]
        runs[tile.key[:3]].committed += 1
        loaded_ps.append(tile.loads[-1][1] if tile.loads else commit_ps)
        computed_ps.append(tile.compute[1])
        done_ps = tile.done_ps


def _runs(replay: _Replay) -> dict[tuple[str, int, str], _Run]:
    """Every layer or stage that came to wait for the block, and since when."""
    recording, block = replay.recording, replay.block
    ends, processor = _item_ends(recording), _processor_ends(replay.case, recording)
    committed = {tile.key: tile.begin_ps for tile in replay.tiles}
    runs: dict[tuple[str, int, str], _Run] = {}
    free_ps: dict[str, int] = {}  # by task: when its job before ended
    for job in sorted(recording.jobs, key=lambda job: job.index):
        if job.status == "dropped":
            continue
        ready_ps = max(job.release_ps, free_ps.get(job.task, 0))
        free_ps[job.task] = job.finish_ps if job.status == "finished" else recording.horizon_ps + 1
        items = replay.items(job.task)
        for position, (name, where, reads) in enumerate(items):
            key = (job.task, job.index, name)
            count = replay.counts.get((job.task, name), 0)
            if where != block or not count:
                continue
            known: list[int | None] = [ready_ps]
            for read in reads:
                other, its_block, _ = items[read]
                of_read = (job.task, job.index, other)
                last = (*of_read, replay.counts.get((job.task, other), 0) - 1)
                if its_block == "p":
                    stage_ps = processor.get(of_read)
                    known.append(stage_ps)
                elif its_block == block and (job.task, name) in replay.fetching and not other.startswith("stage"):
                    known.append(committed.get(last))
                else:
                    its_ends = ends.get(of_read, {})
                    count_of_read = _count(recording, job.task, other, its_block)
                    known.append(max(its_ends.values()) if len(its_ends) == count_of_read else None)
            if None not in known:
                from_ps = max(k for k in known if k is not None)
                runs[key] = _Run(_urgency(replay.case, job), position, from_ps, count)
    return runs


def _count(recording: Recording, task: str, layer: str, block: str) -> int:
    keys = [tile.key for tile in tiles_of(recording.spans, block) if (tile.key[0], tile.key[2]) == (task, layer)]
    return max((key[3] for key in keys), default=-1) + 1


@_RELAXED
@given(systems(fixed=True))
def test_every_tile_starts_when_the_recurrence_says_and_the_most_urgent_is_picked(case: Case) -> None:
    try:
        recording = case.run()
    except ElaborationError:
        assume(False)
    for block in ("c", "x"):
        _check_pipeline(case, recording, block)
