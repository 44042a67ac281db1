"""The run in the Trace Event Format, for ui.perfetto.dev and chrome://tracing. docs/traces.md has the events.

Written event by event: one process for the tasks and one a die, one track an activity of a block and a channel. A track
holds one slice at a time; slices that overlap (transfers that take turns on a channel) get tracks of their own.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from tlm3d import __version__
from tlm3d.analysis import timeline
from tlm3d.analysis.blame import blame
from tlm3d.analysis.deadlines import is_finished, is_judged, is_missed, jobs_by_task
from tlm3d.analysis.result import Result
from tlm3d.record.recording import Component, JobEnd, Span, TransferLeg
from tlm3d.reporters.job import status, within
from tlm3d.reporters.whole_file import whole_file

_PS_PER_US = 10**6  # six decimals
_NW_PER_MW = 10**6
_TASKS = 1  # the process of the tasks; the dies follow
_FIRST = ("stage", "load", "compute", "store")  # tracks of a block in the order of a tile; others come after them
_ROLES = ("memory", "dma", "bus", "link")  # the channels of a die, from the inside out
_Args = Mapping[str, Any]


_json = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


class _Place(NamedTuple):
    """Process, thread and instant: where an arrow begins or ends."""

    pid: int
    tid: int
    at_ps: int


class _Slice(NamedTuple):
    """Something that took [start_ps, end_ps). ``key`` is how its place is asked for later."""

    start_ps: int
    end_ps: int
    name: str
    category: str
    key: object
    args: _Args


_TileKey = tuple[Component, str, int, str, int]


def write(result: Result, path: Path) -> None:
    """Write the run to ``path``; it appears whole or not at all. Raises OSError."""
    with whole_file(path) as file:
        _Trace(result, file).write()


class _Trace:
    def __init__(self, result: Result, file: TextIO) -> None:
        self._result, self._recording = result, result.recording
        self._file = file
        self._separator = ""
        self._pids = {die: pid for pid, die in enumerate(self._recording.dies, start=_TASKS + 1)}
        self._last_tid = _TASKS + len(self._pids)  # a thread's number is nobody else's, no process's either
        self._places: dict[object, _Place] = {}
        named = {state.component for state in self._recording.states if state.what != timeline.ALWAYS}
        states = timeline.states(self._recording)
        self._states = {component: steps for component, steps in states.items() if component in named}

    def write(self) -> None:
        recording = self._recording
        about = {
            "version": __version__,
            "platform": recording.platform,
            "workload": recording.workload,
            "policy": recording.policy,
            "seed": recording.seed,
            "horizon_ps": recording.horizon_ps,
            "verdict": str(self._result.verdict),
        }
        self._file.write(f'{{"displayTimeUnit":"ns","otherData":{_json(about)},"traceEvents":[')
        self._process(_TASKS, "tasks")
        self._jobs()
        for die, pid in self._pids.items():
            self._process(pid, f"die {die}")
            self._die(die, pid)
        self._flows()
        for die, steps in timeline.die_power(recording).items():
            self._power(self._pids[die], steps)
        self._file.write("\n]}\n")

    # ------------------------------------------------------------ jobs

    def _jobs(self) -> None:
        horizon_ps = self._recording.horizon_ps
        for task, jobs in jobs_by_task(self._recording).items():
            tid = self._track(_TASKS, task, (self._job(job) for job in jobs), even_if_empty=True)
            for job in jobs:
                name = f"{job.task}#{job.index}"
                self._instant(tid, "release", name, job.release_ps)
                if is_judged(job, horizon_ps):
                    met = "missed" if is_missed(job, horizon_ps) else "met"
                    self._instant(tid, f"deadline {met}", name, job.deadline_ps)
                if is_finished(job, horizon_ps):
                    self._instant(tid, "finish", name, job.finish_ps)

    def _job(self, job: JobEnd) -> _Slice:
        horizon_ps = self._recording.horizon_ps
        args = {
            "status": status(job, horizon_ps),
            "release_ps": job.release_ps,
            "deadline_ps": job.deadline_ps,
            "buckets_ps": blame(job, horizon_ps).buckets,
        }
        finish_ps = within(job.finish_ps, horizon_ps)
        if finish_ps is not None:
            args["finish_ps"] = finish_ps
        over_ps = timeline.over_ps(job, horizon_ps)
        return _Slice(job.release_ps, over_ps, f"{job.task}#{job.index}", "job", None, args)

    def _instant(self, tid: int, name: str, job: str, at_ps: int) -> None:
        where = {"pid": _TASKS, "tid": tid, "s": "t"}
        self._event("i", f"{name} {job}", cat=name.partition(" ")[0], ts=_us(at_ps), **where)

    # ------------------------------------------------------------ dies

    def _die(self, die: str, pid: int) -> None:
        recording, horizon_ps = self._recording, self._recording.horizon_ps
        tracks: defaultdict[Component, defaultdict[str, list[Span]]] = defaultdict(lambda: defaultdict(list))
        for span in recording.spans:
            if span.component.die == die:
                tracks[span.component][span.what].append(span)
        states = {component: steps for component, steps in self._states.items() if component.die == die}
        for component in sorted({*tracks, *states}):
            kinds = tracks[component]
            for what in sorted(kinds, key=lambda what: (_rank(what, _FIRST), what)):
                self._track(pid, f"{die}.{component.name}.{what}", map(_span, kinds[what]))
            self._track(pid, f"{die}.{component.name}.state", _states(states.get(component, []), horizon_ps))
        legs: defaultdict[str, list[tuple[int, TransferLeg]]] = defaultdict(list)
        for number, leg in enumerate(recording.legs):
            legs[leg.channel].append((number, leg))
        own = [name for name, channel in recording.channels.items() if channel.component.die == die]
        for name in sorted(own, key=lambda name: (_rank(recording.channels[name].role, _ROLES), name)):
            self._track(pid, name, (_leg(number, leg) for number, leg in legs[name]))

    def _power(self, pid: int, steps: timeline.Steps[int]) -> None:
        for at_ps, power_nw in (*steps, (self._recording.horizon_ps, steps[-1][1])):
            milliwatts = Decimal(power_nw).scaleb(-6) if power_nw % _NW_PER_MW else Decimal(power_nw // _NW_PER_MW)
            self._event("C", "power", pid=pid, ts=_us(at_ps), args=_Raw(f'{{"mW":{milliwatts:f}}}'))

    # ------------------------------------------------------------ from transfers to what they were for

    def _flows(self) -> None:
        """An arrow from every load, over the channels of its route, to the computation of its tile."""
        recording = self._recording
        legs: defaultdict[str, list[tuple[int, int, int]]] = defaultdict(list)  # by initiator: posted, arrived, number
        for number, leg in enumerate(recording.legs):
            legs[leg.initiator].append((leg.posted_ps, leg.finish_ps, number))
        loads: defaultdict[str, list[Span]] = defaultdict(list)
        for span in recording.spans:
            if span.what == "load":
                loads[f"{span.component.die}.{span.component.name}.load"].append(span)
        arrows = 0
        for initiator in sorted(loads):
            # One transfer in flight an initiator: its loads and their legs follow one another.
            found = iter(sorted(legs[initiator]))
            move = next(found, None)
            for load in sorted(loads[initiator], key=lambda span: span.start_ps):
                route: list[_Place] = []
                while move is not None and move[1] <= load.end_ps:
                    place = self._places.get(move[2])
                    if place is not None:
                        route.append(place)
                    move = next(found, None)
                used = self._places.get(_tile(load))
                if route and used is not None:
                    arrows += 1
                    self._arrow(arrows, [*route, used])

    def _arrow(self, number: int, places: list[_Place]) -> None:
        for i, (pid, tid, at_ps) in enumerate(places):
            phase = "s" if i == 0 else "t" if i < len(places) - 1 else "f"
            binding = {"bp": "e"} if phase == "f" else {}  # to the slice around it, not to the next one
            self._event(phase, "load", cat="flow", id=number, pid=pid, tid=tid, ts=_us(at_ps), **binding)

    # ------------------------------------------------------------ events

    def _process(self, pid: int, name: str) -> None:
        self._event("M", "process_name", pid=pid, args={"name": name})
        self._event("M", "process_sort_index", pid=pid, args={"sort_index": pid})

    def _track(self, pid: int, name: str, slices: Iterable[_Slice], even_if_empty: bool = False) -> int:
        """Write ``slices``, cut to the window, on as few threads as hold them without overlap; the first one's tid."""
        horizon_ps = self._recording.horizon_ps
        free_ps: list[int] = []  # by thread: when its last slice ends
        tids: list[int] = []
        if even_if_empty:
            free_ps, tids = [0], [self._thread(pid, name)]
        for start_ps, end_ps, label, category, key, args in sorted(slices, key=lambda s: s[:4]):
            start_ps, end_ps = max(0, start_ps), min(end_ps, horizon_ps)
            if start_ps >= end_ps:
                continue
            lane = next((i for i, until_ps in enumerate(free_ps) if until_ps <= start_ps), len(free_ps))
            if lane == len(free_ps):
                free_ps.append(0)
                tids.append(self._thread(pid, f"{name} ({lane + 1})" if lane else name))
            free_ps[lane] = end_ps
            tid = tids[lane]
            if key is not None:
                self._places[key] = _Place(pid, tid, start_ps)
            times = {"ts": _us(start_ps), "dur": _us(end_ps - start_ps)}
            self._event("X", label, cat=category, pid=pid, tid=tid, **times, **({"args": args} if args else {}))
        return tids[0] if tids else -1

    def _thread(self, pid: int, name: str) -> int:
        self._last_tid += 1
        tid = self._last_tid
        self._event("M", "thread_name", pid=pid, tid=tid, args={"name": name})
        self._event("M", "thread_sort_index", pid=pid, tid=tid, args={"sort_index": tid})
        return tid

    def _event(self, phase: str, name: str, **fields: Any) -> None:
        members = [f'"ph":"{phase}","name":{_json(name)}']
        for key, value in fields.items():
            text = value.text if isinstance(value, _Raw) else str(value) if isinstance(value, int) else _json(value)
            members.append(f'"{key}":{text}')
        self._file.write(f"{self._separator}\n{{{','.join(members)}}}")
        self._separator = ","


class _Raw(NamedTuple):
    """JSON text: a decimal number that a float would not hold exactly."""

    text: str


def _us(time_ps: int) -> _Raw:
    """Microseconds with every picosecond."""
    whole, rest = divmod(time_ps, _PS_PER_US)
    return _Raw(f"{whole}.{rest:06d}".rstrip("0") if rest else str(whole))


def _rank(word: str, order: tuple[str, ...]) -> int:
    """The place of ``word`` in ``order``; what is not in it comes after."""
    return order.index(word) if word in order else len(order)


def _tile(span: Span) -> _TileKey:
    return span.component, span.task, span.index, span.layer, span.tile


def _span(span: Span) -> _Slice:
    job = timeline.job_of(span)
    layer = f"{span.layer}/{span.tile}" if span.tile >= 0 else span.layer
    args: dict[str, Any] = {"job": job, "layer": span.layer, "energy_aj": span.energy_aj}
    if span.tile >= 0:
        args["tile"] = span.tile
    key = _tile(span) if span.what == "compute" else None
    return _Slice(span.start_ps, span.end_ps, f"{job} {layer}".rstrip(), span.what, key, args)


def _states(steps: timeline.Steps[str], horizon_ps: int) -> Iterator[_Slice]:
    ends_ps = [*(at_ps for at_ps, _ in steps[1:]), horizon_ps]
    for (start_ps, what), end_ps in zip(steps, ends_ps, strict=False):
        yield _Slice(start_ps, end_ps, what, "state", None, {})


def _leg(number: int, leg: TransferLeg) -> _Slice:
    job = timeline.job_of(leg)
    args = {
        "job": job,
        "initiator": leg.initiator,
        "bytes": leg.bytes,
        "bits": leg.bits,
        "posted_ps": leg.posted_ps,
        "finish_ps": leg.finish_ps,
        "busy_ps": leg.busy_ps,
        "energy_aj": leg.energy_aj,
    }
    return _Slice(leg.start_ps, leg.end_ps, f"{job} {leg.bytes} B", "transfer", number, args)
