"""When the last row of a frame has landed, counted from its tick, at best and at worst.

Rows are sent one after the other in the order in which their conversions end. Row k, converted at c_k, has landed at

    F_k = max(c_k, F_{k-1}) + R_k        alone ≤ R_k ≤ worst: what its transfer takes, whatever came before

which grows with every R, with every c, and with rows that come before. So it is latest where every transfer takes its
longest and all modes that may be read on a tick are read, and earliest where none takes longer than alone and nothing
is read but what must be. Ticks count as ⌊period⌋ apart; they are no closer.

What is left of earlier ticks is the most that any stretch of ticks up to now has brought beyond its time (Lindley,
Proc. Cambridge Phil. Soc. 48, 1952). Which modes may be read repeats with the least common multiple of all ``every``.
If what comes in such a cycle can be sent in it, a stretch shortened by one loses nothing. So two show the worst.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from math import lcm
from typing import NamedTuple

from tlm3d.bounds.claim import NoBound

_MOST_ROWS = 100_000  # of a cycle that are followed; beyond that every mode counts as read, or not, on every tick
_MOST_DOUBTFUL = 6  # modes of a tick that may be read or not, all combinations of which are looked at


class Row(NamedTuple):
    """Converted ``end_ps`` after the start of its readout, then sent."""

    end_ps: int
    bytes: int


class Taker(NamedTuple):
    """A task that takes every ``every``-th frame of ``mode``; of those only some where it is not ``certain``."""

    task: str
    mode: str
    every: int
    certain: bool

    def takes(self, tick: int) -> bool:
        """Whether it may take the frame of ``tick``."""
        return tick % self.every == 0


@dataclass(frozen=True)
class Camera:
    """A sensor. ``modes`` are read in this order, one after the other or ``at_once``; ``period_ps`` is rounded down."""

    name: str
    period_ps: int
    modes: Mapping[str, tuple[Row, ...]]
    at_once: bool
    fifo_bits: int
    takers: tuple[Taker, ...]

    def due(self, modes: Collection[str]) -> list[_Due]:
        """The rows of a tick on which ``modes`` are read, in the order in which they are sent."""
        offset_ps = 0
        found: list[_Due] = []
        for mode in (mode for mode in self.modes if mode in modes):
            rows = self.modes[mode]
            found += [_Due(offset_ps + row.end_ps, row.bytes, mode) for row in rows]
            offset_ps = 0 if self.at_once else offset_ps + rows[-1].end_ps
        return sorted(found, key=lambda row: row.converted_ps)

    def reads(self, tick: int) -> set[str]:
        """The modes that may be read on ``tick``."""
        return {taker.mode for taker in self.takers if taker.takes(tick)}

    def must_read(self, tick: int) -> set[str]:
        """The modes that are read on ``tick`` whatever happens."""
        return {taker.mode for taker in self.takers if taker.takes(tick) and taker.certain}

    def ways(self, tick: int) -> Iterator[set[str]]:
        """All sets of modes that may be read on ``tick``; of modes side by side the largest one stands for all."""
        must, may = self.must_read(tick), self.reads(tick)
        doubtful = sorted(may - must)
        for count in range(len(doubtful) if self.at_once else 0, len(doubtful) + 1):
            for some in combinations(doubtful, count):
                yield must | set(some)


class Landed(NamedTuple):
    """When the last row of a frame has landed, from its tick; ``alone_ps``: at the latest if nobody is in the way."""

    best_ps: int
    worst_ps: int
    alone_ps: int


class _Due(NamedTuple):
    converted_ps: int
    bytes: int
    mode: str


class _Sent(NamedTuple):
    landed_ps: int
    bytes: int


class _Tick(NamedTuple):
    """When the last row of each mode has landed, what has not by the last conversion, and the mode of a row lost."""

    ends_ps: dict[str, int]
    left: list[_Sent]
    loses: str | None


def landings(camera: Camera, alone_ps: Mapping[int, int], worst_ps: Mapping[int, int]) -> dict[str, Landed] | NoBound:
    """By task; ``alone_ps`` and ``worst_ps`` is what the transfer of a row takes, by its bytes."""
    cycle = lcm(*(taker.every for taker in camera.takers))
    if cycle * sum(map(len, camera.modes.values())) > _MOST_ROWS:
        camera = replace(camera, takers=tuple(taker._replace(every=1, certain=False) for taker in camera.takers))
        cycle = 1
    latest, alone = _latest_ps(camera, cycle, worst_ps), _latest_ps(camera, cycle, alone_ps)
    if isinstance(latest, NoBound):
        return latest
    assert not isinstance(alone, NoBound)  # no transfer takes longer than at worst
    earliest = _earliest_ps(camera, cycle, alone_ps)
    tasks = [taker.task for taker in camera.takers]
    return {task: Landed(earliest[task], latest[task], alone[task]) for task in tasks}


def _latest_ps(camera: Camera, cycle: int, worst_ps: Mapping[int, int]) -> dict[str, int] | NoBound:
    """When frames have landed at the latest, by task; no bound where one may be lost."""
    needed_ps = sum(
        worst_ps[row.bytes] for tick in range(cycle) for mode in camera.reads(tick) for row in camera.modes[mode]
    )
    if needed_ps > cycle * camera.period_ps:
        return NoBound(f"rows of {camera.name} may come faster than its way to memory takes them at worst")
    latest = dict.fromkeys((taker.task for taker in camera.takers), 0)
    left: list[_Sent] = []
    for tick in range(2 * cycle):
        may = camera.reads(tick)
        if not camera.at_once and len(may - camera.must_read(tick)) > _MOST_DOUBTFUL:
            return NoBound(f"{camera.name} may be read in more than {2**_MOST_DOUBTFUL} ways on one tick")
        sent = _Tick({}, left, None)
        for modes in camera.ways(tick):
            sent = _send(camera, modes, worst_ps, left)
            if sent.loses is not None:
                return NoBound(f"rows of {camera.name} may be lost: its fifo is full at worst in mode '{sent.loses}'")
        for taker in camera.takers:  # the last way was that of all modes
            if taker.takes(tick):
                latest[taker.task] = max(latest[taker.task], sent.ends_ps[taker.mode])
        left = [_Sent(row.landed_ps - camera.period_ps, row.bytes) for row in sent.left]
    return latest


def _earliest_ps(camera: Camera, cycle: int, alone_ps: Mapping[int, int]) -> dict[str, int]:
    """When frames have landed at the earliest, by task."""
    earliest: dict[str, int] = {}
    for tick in range(cycle):
        must = camera.must_read(tick)
        for taker in camera.takers:
            if taker.takes(tick):
                end_ps = _send(camera, must | {taker.mode}, alone_ps, []).ends_ps[taker.mode]
                earliest[taker.task] = min(earliest.get(taker.task, end_ps), end_ps)
    return earliest


def _send(camera: Camera, modes: Collection[str], takes_ps: Mapping[int, int], left: list[_Sent]) -> _Tick:
    """The rows of a tick on which ``modes`` are read, behind what is ``left`` of the ticks before."""
    fifo = deque(left)
    fifo_bytes = sum(row.bytes for row in fifo)
    ends_ps: dict[str, int] = {}
    loses: str | None = None
    for converted_ps, n_bytes, mode in camera.due(modes):
        free_ps = fifo[-1].landed_ps if fifo else converted_ps
        while fifo and fifo[0].landed_ps <= converted_ps:  # what lands now has made room
            fifo_bytes -= fifo.popleft().bytes
        fifo_bytes += n_bytes
        if loses is None and fifo_bytes * 8 > camera.fifo_bits:
            loses = mode
        ends_ps[mode] = max(converted_ps, free_ps) + takes_ps[n_bytes]
        fifo.append(_Sent(ends_ps[mode], n_bytes))
    return _Tick(ends_ps, list(fifo), loses)
