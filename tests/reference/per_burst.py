"""The rules of the kernel, one event for everything that happens to every burst on every hop. Plain, slow, and alone.

Nothing is shared with the production kernel: own event heap, own channels, own arithmetic. ``simulate`` plays traffic
and returns every burst start.

    at equal times   first everything that happens (posting, arrival, credit, wire free), then all decisions
    channel          a burst of b bytes occupies it for ⌈(8b + o, up to whole lanes) · 10¹² / rate⌉ ps, arrives L later;
                     with flits 8b + o is that of whole flits, and an entry time passes first
    gate             gated at 0 and when idle for more than the stated time; a burst that could start wakes it; who
                     sends is decided when it is awake
    credit           D for each transfer on each channel with a next hop; back L after the next hop starts the burst
"""

from __future__ import annotations

import heapq
import math
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import count

HAPPENS, DECIDES = 0, 1


@dataclass(frozen=True)
class Wire:
    """A channel as a data sheet states it."""

    name: str
    rate_bps: Fraction
    lanes: int
    burst_bytes: int
    overhead_bits: int
    latency_ps: int
    buffer_bursts: int
    arbiter: str
    entry_ps: int = 0
    flit_bits: int = 0
    sleep: tuple[int, int] | None = None  # idle time after which it is gated, time to wake
    wrong_percent: int = 0  # of bursts that arrive wrong
    turnaround_ps: int = 0

    def is_wrong(self, initiator: str, number: int) -> bool:
        """By the name of the channel, the initiator and the number of its burst there: nothing else."""
        return zlib.crc32(f"{self.name}/{initiator}/{number}".encode()) % 100 < self.wrong_percent

    def sent_bits(self, n_bytes: int) -> int:
        if self.flit_bits:
            return math.ceil(Fraction(8 * n_bytes, self.flit_bits)) * (self.flit_bits + self.overhead_bits)
        return 8 * n_bytes + self.overhead_bits

    def occupied_ps(self, n_bytes: int) -> int:
        bits_with_padding = math.ceil(Fraction(self.sent_bits(n_bytes), self.lanes)) * self.lanes
        return self.entry_ps + math.ceil(bits_with_padding * 10**12 / self.rate_bps)


@dataclass(frozen=True)
class Row:
    """A transfer, posted ``after_ps`` after the previous one of its initiator has finished."""

    after_ps: int
    n_bytes: int
    route: tuple[str, ...]
    priority: int = 0


@dataclass
class Run:
    """What became of a row: start of every burst on every hop, and the finish (None when not reached)."""

    initiator: str
    row: Row
    sizes: list[int]
    posted_ps: int
    starts_ps: list[list[int]]
    queues: list[deque[tuple[int, int]]]  # by hop: (when it arrived here, burst number)
    credits: list[int]
    lost: list[list[tuple[int, int]]]  # by hop: (start, bytes) of bursts that arrived wrong
    again_ps: list[int]  # by hop: a burst that arrived wrong is not sent again before
    finish_ps: int | None = None


@dataclass(frozen=True)
class Hop:
    """Channel, when first offered, first start, last end, last arrival, busy time, bits, bursts."""

    channel: str
    posted_ps: int
    start_ps: int
    end_ps: int
    arrive_ps: int
    busy_ps: int
    bits: int
    bursts: int
    resent: int = 0


@dataclass
class Site:
    """A wire with what is going on at it."""

    wire: Wire
    busy: bool = False
    idle_since_ps: int | None = None  # None: gated from the start
    gated: list[tuple[int, int]] = field(default_factory=list)
    last_served: str | None = None
    sent: dict[str, int] = field(default_factory=dict)  # bursts by initiator
    waiting: dict[str, tuple[Run, int]] = field(default_factory=dict)  # by initiator: its run and hop number here
    decision_pending_at_ps: int = -1


@dataclass
class Clock:
    """Time, and what is still to come."""

    now_ps: int = 0
    _agenda: list[tuple[int, int, int, Callable[[], None]]] = field(default_factory=list)
    _number: count[int] = field(default_factory=count)

    def at(self, time_ps: int, phase: int, action: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (time_ps, phase, next(self._number), action))

    def run(self, until_ps: int | None) -> None:
        while self._agenda and (until_ps is None or self._agenda[0][0] <= until_ps):
            self.now_ps, _, _, action = heapq.heappop(self._agenda)
            action()


class Model:
    """Plays ``traffic`` (rows by initiator) over ``wires``."""

    def __init__(self, wires: list[Wire], traffic: dict[str, list[Row]]) -> None:
        self.clock = Clock()
        self.sites = {wire.name: Site(wire) for wire in wires}
        self.traffic = traffic
        self.runs: dict[str, list[Run]] = {initiator: [] for initiator in traffic}
        for initiator in traffic:
            self._next_row(initiator)

    def _next_row(self, initiator: str) -> None:
        rows, done = self.traffic[initiator], len(self.runs[initiator])
        if done < len(rows):
            row = rows[done]
            self.clock.at(self.clock.now_ps + row.after_ps, HAPPENS, lambda: self._post(initiator, row))

    def _post(self, initiator: str, row: Row) -> None:
        hops = len(row.route)
        size = min(self.sites[name].wire.burst_bytes for name in row.route)
        sizes = [size] * (row.n_bytes // size) + ([row.n_bytes % size] if row.n_bytes % size else [])
        credits = [self.sites[name].wire.buffer_bursts for name in row.route]
        queues: list[deque[tuple[int, int]]] = [deque() for _ in range(hops)]
        starts: list[list[int]] = [[] for _ in range(hops)]
        lost: list[list[tuple[int, int]]] = [[] for _ in range(hops)]
        run = Run(initiator, row, sizes, self.clock.now_ps, starts, queues, credits, lost, [0] * hops)
        self.runs[initiator].append(run)
        for hop, name in enumerate(row.route):
            self.sites[name].waiting[initiator] = (run, hop)
        for burst in range(len(sizes)):
            self._arrive(run, 0, burst)

    def _arrive(self, run: Run, hop: int, burst: int) -> None:
        if hop < len(run.row.route):
            run.queues[hop].append((self.clock.now_ps, burst))
            self._call_decision(self.sites[run.row.route[hop]])
        elif burst == len(run.sizes) - 1:
            run.finish_ps = self.clock.now_ps
            for name in run.row.route:
                del self.sites[name].waiting[run.initiator]
            self._next_row(run.initiator)

    def _credit(self, run: Run, hop: int) -> None:
        run.credits[hop] += 1  # a later transfer of this initiator has its own counters: what is under way is void
        self._call_decision(self.sites[run.row.route[hop]])

    def _free(self, site: Site) -> None:
        site.busy = False
        site.idle_since_ps = self.clock.now_ps
        self._call_decision(site)

    def _call_decision(self, site: Site) -> None:
        if site.decision_pending_at_ps != self.clock.now_ps:
            site.decision_pending_at_ps = self.clock.now_ps
            self.clock.at(self.clock.now_ps, DECIDES, lambda: self._decide(site))

    def _decide(self, site: Site) -> None:
        eligible = [
            initiator
            for initiator, (run, hop) in sorted(site.waiting.items())
            if run.queues[hop]
            and (hop == len(run.row.route) - 1 or run.credits[hop] > 0)
            and self.clock.now_ps >= run.again_ps[hop]
        ]
        if not eligible or site.busy:
            return
        if self._is_gated(site):
            self._wake(site)
        else:
            self._start(site, *site.waiting[self._choose(site, eligible)])

    def _is_gated(self, site: Site) -> bool:
        if site.wire.sleep is None:
            return False
        return site.idle_since_ps is None or self.clock.now_ps - site.idle_since_ps > site.wire.sleep[0]

    def _wake(self, site: Site) -> None:
        assert site.wire.sleep is not None
        after_ps, wake_ps = site.wire.sleep
        since_ps = 0 if site.idle_since_ps is None else site.idle_since_ps + after_ps
        site.gated.append((since_ps, self.clock.now_ps))
        site.busy = True
        self.clock.at(self.clock.now_ps + wake_ps, HAPPENS, lambda: self._free(site))

    def _choose(self, site: Site, eligible: list[str]) -> str:
        def age(initiator: str) -> tuple[int, str]:
            run, hop = site.waiting[initiator]
            return run.queues[hop][0][0], initiator

        if site.wire.arbiter == "oldest":
            return min(eligible, key=age)
        if site.wire.arbiter == "priority":
            smallest = min(site.waiting[initiator][0].row.priority for initiator in eligible)
            eligible = [initiator for initiator in eligible if site.waiting[initiator][0].row.priority == smallest]
        behind = [initiator for initiator in eligible if site.last_served is None or initiator > site.last_served]
        return behind[0] if behind else eligible[0]

    def _start(self, site: Site, run: Run, hop: int) -> None:
        now_ps, wire = self.clock.now_ps, site.wire
        number = site.sent.get(run.initiator, 0)
        site.sent[run.initiator] = number + 1
        if wire.is_wrong(run.initiator, number):
            _, burst = run.queues[hop][0]
            run.lost[hop].append((now_ps, run.sizes[burst]))
            site.busy, site.last_served = True, run.initiator
            free_ps = now_ps + wire.occupied_ps(run.sizes[burst])
            run.again_ps[hop] = free_ps + wire.turnaround_ps
            self.clock.at(free_ps, HAPPENS, lambda: self._free(site))
            self.clock.at(run.again_ps[hop], HAPPENS, lambda: self._call_decision(site))
            return
        _, burst = run.queues[hop].popleft()
        run.starts_ps[hop].append(now_ps)
        run.credits[hop] -= 1
        site.busy, site.last_served = True, run.initiator
        free_ps = now_ps + wire.occupied_ps(run.sizes[burst])
        self.clock.at(free_ps, HAPPENS, lambda: self._free(site))
        self.clock.at(free_ps + wire.latency_ps, HAPPENS, lambda: self._arrive(run, hop + 1, burst))
        if hop > 0:
            back_ps = now_ps + self.sites[run.row.route[hop - 1]].wire.latency_ps
            self.clock.at(back_ps, HAPPENS, lambda: self._credit(run, hop - 1))

    def hops(self, run: Run) -> list[Hop]:
        """Facts by hop, of the bursts started."""
        facts: list[Hop] = []
        posted_ps = run.posted_ps
        for name, starts_ps, lost in zip(run.row.route, run.starts_ps, run.lost, strict=True):
            right = list(zip(starts_ps, run.sizes[: len(starts_ps)], strict=True))
            tries = sorted(right + lost)
            if not tries:
                break
            wire = self.sites[name].wire
            end_ps = tries[-1][0] + wire.occupied_ps(tries[-1][1])
            busy_ps = sum(wire.occupied_ps(size) for _, size in tries)
            bits = sum(wire.sent_bits(size) for _, size in tries)
            times = (posted_ps, tries[0][0], end_ps, end_ps + wire.latency_ps)
            facts.append(Hop(name, *times, busy_ps, bits, len(tries), len(lost)))
            if not right:
                break
            posted_ps = right[0][0] + wire.occupied_ps(right[0][1]) + wire.latency_ps
        return facts


def simulate(wires: list[Wire], traffic: dict[str, list[Row]], until_ps: int | None = None) -> Model:
    """Play ``traffic`` to its end, or everything up to and including ``until_ps``."""
    model = Model(wires, traffic)
    model.clock.run(until_ps)
    return model
