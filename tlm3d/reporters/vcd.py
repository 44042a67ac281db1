"""The run as a value change dump for GTKWave and Surfer: same run, same bytes. docs/traces.md has the signals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from heapq import merge
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from tlm3d import __version__
from tlm3d.analysis import timeline
from tlm3d.analysis.deadlines import jobs_by_task
from tlm3d.analysis.result import Result
from tlm3d.record.recording import Component, Recording, Span, TransferLeg
from tlm3d.reporters.whole_file import whole_file

if TYPE_CHECKING:
    from vcd.writer import Variable

_Scope = tuple[str, ...]


class _Signal(NamedTuple):
    """A variable of one module and its values over time. ``bits`` is 0 for text."""

    scope: _Scope
    name: str
    bits: int
    steps: timeline.Steps[int] | timeline.Steps[str]


def write(result: Result, path: Path) -> None:
    """Write the run to ``path``; it appears whole or not at all. Raises OSError."""
    with whole_file(path) as file:
        _write(result.recording, file)


def _write(recording: Recording, file: TextIO) -> None:
    from vcd import VCDWriter  # only those who want the file pay for the import

    writer = VCDWriter(
        file,
        timescale="1 ps",
        date="",  # the same run gives the same bytes
        version=f"tlm3d {__version__}",
        comment=f"{recording.workload} {recording.policy} seed {recording.seed}",
    )
    changes: list[Iterator[tuple[int, Variable[Any], int | str]]] = []
    for scope, name, bits, steps in _signals(recording):
        path = tuple(map(_identifier, scope))
        if bits:
            kind = "wire" if bits == 1 else "integer"
            variable: Variable[Any] = writer.register_var(path, name, kind, size=bits, init=steps[0][1])
        else:
            variable = writer.register_var(path, name, "string", init=steps[0][1])
        changes.append(_changes(variable, steps))
    for at_ps, variable, value in merge(*changes, key=itemgetter(0)):
        writer.change(variable, at_ps, value)
    writer.close(recording.horizon_ps)


def _changes(
    variable: Variable[Any], steps: timeline.Steps[int] | timeline.Steps[str]
) -> Iterator[tuple[int, Variable[Any], int | str]]:
    for at_ps, value in steps[1:]:
        yield at_ps, variable, value


def _signals(recording: Recording) -> Iterator[_Signal]:
    top, horizon_ps = recording.platform, recording.horizon_ps
    for die, power in timeline.die_power(recording).items():
        yield _Signal((top, die), "power_nw", 64, power)
    for task, jobs in jobs_by_task(recording).items():
        yield _Signal((top, "tasks", task), "jobs", 32, timeline.jobs_active(jobs, horizon_ps))
    yield from chain(_channels(recording), _components(recording))


def _channels(recording: Recording) -> Iterator[_Signal]:
    horizon_ps = recording.horizon_ps
    legs: defaultdict[str, list[TransferLeg]] = defaultdict(list)
    for leg in recording.legs:
        legs[leg.channel].append(leg)
    for name in recording.channels:
        scope = (recording.platform, *_channel_path(recording, name))
        yield _Signal(scope, "busy", 1, timeline.carrying(legs[name], horizon_ps))
        yield _Signal(scope, "queue", 32, timeline.queue(legs[name], horizon_ps))


def _components(recording: Recording) -> Iterator[_Signal]:
    horizon_ps = recording.horizon_ps
    modules = {info.component: _channel_path(recording, name) for name, info in recording.channels.items()
               if info.role == "link"}  # fmt: skip
    spans: defaultdict[Component, list[Span]] = defaultdict(list)
    for span in recording.spans:
        spans[span.component].append(span)
    for component, states in sorted(timeline.states(recording).items()):
        scope = (recording.platform, *modules.get(component, component))
        yield _Signal(scope, "state", 0, states)
        done = spans[component]
        if not done:
            continue
        work = [span for span in done if timeline.is_work(span)]
        jobs = ((span.start_ps, span.end_ps, timeline.job_of(span)) for span in work)
        layers = ((span.start_ps, span.end_ps, _layer(span)) for span in work)
        yield _Signal(scope, "task", 0, timeline.labels(jobs, "-", horizon_ps))
        yield _Signal(scope, "layer", 0, timeline.labels(layers, "-", horizon_ps))
        for what in sorted({span.what for span in done}):
            of_kind = ((span.start_ps, span.end_ps) for span in done if span.what == what)
            yield _Signal(scope, _identifier(what), 1, timeline.whether(of_kind, horizon_ps))


def _layer(span: Span) -> str:
    """``conv1/0``: layer and tile; the mode of a camera has no tile."""
    return f"{span.layer}/{span.tile}" if span.tile >= 0 else span.layer or "-"


def _channel_path(recording: Recording, name: str) -> _Scope:
    """Die, block and port of a channel; a link's direction lies in the die that drives it."""
    channel = recording.channels[name]
    die = channel.component.die
    if channel.role == "link":
        return (die, name)
    return (die, *name.removeprefix(f"{die}.").split("."))


def _identifier(name: str) -> str:
    """``name`` as a word of a VCD file, which ends at white space."""
    return "".join(c if c.isprintable() and not c.isspace() else "_" for c in name) or "_"
