"""Quantities over time, as steps: what holds from each instant on, up to the horizon.

Steps begin at 0, their instants ascend and lie inside [0, H), and no value repeats the one before it. The last value
holds up to the horizon; what would change at that very instant is left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from heapq import heappop, heappush
from itertools import chain
from typing import TypeVar

from tlm3d.analysis.activities import activities
from tlm3d.analysis.deadlines import RAN, end_ps
from tlm3d.record.recording import Component, JobEnd, Recording, Span, TransferLeg

Value = TypeVar("Value", int, str)
Steps = list[tuple[int, Value]]

MOVES = ("stage", "load", "store")  # spans that wait for a transfer: the engine itself may do something else meanwhile
ALWAYS = "leakage"  # a state that is on beside the others
_FINE = 2**32  # parts of a nanowatt that powers are summed in: what rounding takes stays far below a nanowatt


def count(intervals: Iterable[tuple[int, int]], horizon_ps: int) -> Steps[int]:
    """How many of ``intervals`` [start, end) hold at each instant."""
    changes: defaultdict[int, int] = defaultdict(int)
    for start_ps, stop_ps in intervals:
        if start_ps < stop_ps:
            changes[max(0, start_ps)] += 1
            changes[max(0, stop_ps)] -= 1
    return _summed(changes, horizon_ps)


def whether(intervals: Iterable[tuple[int, int]], horizon_ps: int) -> Steps[int]:
    """1 while any of ``intervals`` holds, else 0."""
    return _without_repeats([(at_ps, min(1, holding)) for at_ps, holding in count(intervals, horizon_ps)])


def labels(intervals: Iterable[tuple[int, int, str]], rest: str, horizon_ps: int) -> Steps[str]:
    """The text of the interval that holds, ``rest`` where none does; of several the one that began last."""
    waiting = sorted((max(0, start_ps), stop_ps, text) for start_ps, stop_ps, text in intervals)
    instants = sorted({0, *(w[0] for w in waiting), *(w[1] for w in waiting)})
    waiting.reverse()
    on: list[tuple[int, str, int]] = []  # the latest first
    steps: Steps[str] = []
    for at_ps in instants:
        while waiting and waiting[-1][0] <= at_ps:
            start_ps, stop_ps, text = waiting.pop()
            heappush(on, (-start_ps, text, stop_ps))
        while on and on[0][2] <= at_ps:
            heappop(on)
        if 0 <= at_ps < horizon_ps:
            steps.append((at_ps, on[0][1] if on else rest))
    return _without_repeats(steps)


def queue(legs: Iterable[TransferLeg], horizon_ps: int) -> Steps[int]:
    """How many transfers have been posted to a channel, and their first bit has not gone out."""
    return count(((leg.posted_ps, leg.start_ps) for leg in legs), horizon_ps)


def carrying(legs: Iterable[TransferLeg], horizon_ps: int) -> Steps[int]:
    """1 while a channel is between the first and the last bit of a transfer, gaps between bursts included, else 0."""
    return whether(((leg.start_ps, leg.end_ps) for leg in legs), horizon_ps)


def jobs_active(jobs: Iterable[JobEnd], horizon_ps: int) -> Steps[int]:
    """How many jobs have been released and are not over."""
    return count(((job.release_ps, over_ps(job, horizon_ps)) for job in jobs), horizon_ps)


def over_ps(job: JobEnd, horizon_ps: int) -> int:
    """When a job finished, was dropped, aborted or lost its input; the horizon where that lies beyond it."""
    if job.status in RAN:
        return end_ps(job, horizon_ps)
    return min(horizon_ps, job.segments[-1].end_ps if job.segments else job.release_ps)


def die_power(recording: Recording) -> dict[str, Steps[int]]:
    """The power of every die in nW, rounded to the nearest; it changes at breakpoints of the power trace only.

    A link's direction belongs to the die that drives it, as in the accounts.
    """
    spans, legs, states = recording.spans, recording.legs, recording.states
    channels, horizon_ps = recording.channels, recording.horizon_ps
    powers: dict[str, Steps[int]] = {}
    for die in recording.dies:
        of_die = replace(
            recording,
            spans=[span for span in spans if span.component.die == die],
            legs=[leg for leg in legs if channels[leg.channel].component.die == die],
            states=[state for state in states if state.component.die == die],
        )
        changes: defaultdict[int, int] = defaultdict(int)
        for activity in activities(of_die):
            power = activity.amount_aj * 1000 * _FINE // activity.per_ps  # 1 aJ/ps is 1000 nW
            changes[activity.start_ps] += power
            changes[activity.end_ps] -= power
        steps = _summed(changes, horizon_ps)
        powers[die] = _without_repeats([(at_ps, (power + _FINE // 2) // _FINE) for at_ps, power in steps])
    return powers


def states(recording: Recording) -> dict[Component, Steps[str]]:
    """The state of every block, bus and link direction: idle, active, or what else the record names.

    States that draw no power are not in the record. Where a component draws power when idle, all the rest is active;
    where it does not, it is active while it works: runs a stage or a tile, reads out, carries a transfer.
    """
    horizon_ps = recording.horizon_ps
    named: defaultdict[Component, list[tuple[int, int, str]]] = defaultdict(list)
    for state in recording.states:
        if state.what != ALWAYS:
            named[state.component].append((state.start_ps, state.end_ps, state.what))
    work: defaultdict[Component, list[tuple[int, int, str]]] = defaultdict(list)
    for span in recording.spans:
        if is_work(span):
            work[span.component].append((span.start_ps, span.end_ps, "active"))
    for leg in recording.legs:
        channel = recording.channels[leg.channel]
        if channel.role != "dma":
            work[channel.component].append((leg.start_ps, leg.end_ps, "active"))
    found: dict[Component, Steps[str]] = {}
    for component in recording.components:
        known = named[component]
        draws_idle = any(what == "idle" for _, _, what in known)
        if draws_idle:
            found[component] = labels(known, "active", horizon_ps)
        else:
            found[component] = labels(chain(known, _gaps(known, work[component], horizon_ps)), "idle", horizon_ps)
    return found


def is_work(span: Span) -> bool:
    """Whether the engine of a block itself is at work, not one of its ports."""
    return span.what not in MOVES


def job_of(span: Span | TransferLeg) -> str:
    """``task#index``, or ``-`` where no job owns it."""
    return f"{span.task}#{span.index}" if span.index >= 0 else "-"


def _gaps(
    taken: Iterable[tuple[int, int, str]], wanted: Iterable[tuple[int, int, str]], horizon_ps: int
) -> list[tuple[int, int, str]]:
    """What of ``wanted`` lies in none of ``taken``."""
    free: list[tuple[int, int]] = []
    at_ps = 0
    for start_ps, stop_ps, _ in sorted(taken):
        if start_ps > at_ps:
            free.append((at_ps, start_ps))
        at_ps = max(at_ps, stop_ps)
    free.append((at_ps, horizon_ps))
    found: list[tuple[int, int, str]] = []
    first = 0
    for start_ps, stop_ps, what in sorted(wanted):
        while first < len(free) - 1 and free[first][1] <= start_ps:
            first += 1
        at = first
        while at < len(free) and free[at][0] < stop_ps:
            found.append((max(start_ps, free[at][0]), min(stop_ps, free[at][1]), what))
            at += 1
    return found


def _summed(changes: dict[int, int], horizon_ps: int) -> Steps[int]:
    level = 0
    steps = [(0, 0)]
    for at_ps in sorted(changes):
        if at_ps >= horizon_ps:
            break
        level += changes[at_ps]
        steps.append((at_ps, level))
    return _without_repeats(steps)


def _without_repeats(steps: Steps[Value]) -> Steps[Value]:
    """``steps`` with one value an instant, the last one, and only where it changes."""
    found: Steps[Value] = []
    for at_ps, value in dict(steps).items():
        if not found or found[-1][1] != value:
            found.append((at_ps, value))
    return found
