"""A contending transfer on one channel of its route, burst by burst."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from tlm3d.tlm.timing import NEVER

if TYPE_CHECKING:
    from tlm3d.tlm.faults import Faults
    from tlm3d.tlm.transfer import Transfer


class Lost:
    """What the bursts of a hop that arrived wrong have cost: their number, bits, wire time, and delay in all."""

    __slots__ = (
        "bits", "bursts", "busy_ps", "delay_ps", "first_right_ps", "full_bits", "last_bits", "last_end_ps",
    )  # fmt: skip

    def __init__(self, full_bits: int, last_bits: int) -> None:
        self.full_bits, self.last_bits = full_bits, last_bits  # of a burst on the wire
        self.bursts = self.bits = self.busy_ps = self.delay_ps = 0
        self.last_end_ps = -1  # of the last one that arrived wrong
        self.first_right_ps = -1  # when the first one started that arrived right


class Hop:
    """Two FIFOs of timestamps say when each burst may start: its ``arrivals`` here, and its ``credits``.

    A credit is a free place in the receive buffer behind this channel. On the first hop ``arrivals`` is the posting,
    which stays, as all bursts are posted at once; on the last hop ``credits`` is, as the end of a route always accepts.
    ``ready_ps`` is when the next burst may start (NEVER while one of the two is missing, and when no burst is left).
    """

    __slots__ = (
        "arrivals", "channel", "credits", "first_start_ps", "full_ps", "initiator", "last_ps", "last_start_ps", "left",
        "lost", "next", "previous", "priority", "ready_ps", "woken_ps",
    )  # fmt: skip

    def __init__(self, transfer: Transfer, index: int) -> None:
        passage, posted_ps = transfer.passage, transfer.posted_ps
        self.channel = channel = passage.route[index]
        self.initiator = transfer.initiator
        self.priority = transfer.priority
        self.full_ps, self.last_ps = passage.full_ps[index], passage.last_ps[index]
        self.left = passage.bursts
        # Nothing is ever taken from or added to this one, and a tuple costs a fraction of a deque.
        posting: deque[int] = (posted_ps,)  # type: ignore[assignment]
        self.arrivals = posting if index == 0 else deque()
        self.credits = posting if index + 1 == len(passage.route) else deque(posting) * channel.buffer_bursts
        self.ready_ps = posted_ps if index == 0 else NEVER
        self.previous: Hop | None = None
        self.next: Hop | None = None
        self.first_start_ps = self.last_start_ps = -1
        self.woken_ps = 0  # how long its bursts have waited for the channel to wake up
        self.lost = Lost(*passage.burst_bits(index)) if channel.faults is not None else None

    def start_burst(self, now_ps: int) -> int:
        """Put the next burst on the wire; returns when it arrives. All consequences lie after ``now_ps``."""
        channel = self.channel
        self.left = left = self.left - 1
        channel.last_served = self.initiator
        channel.busy_until_ps = free_ps = now_ps + (self.full_ps if left else self.last_ps)
        arrive_ps = free_ps + channel.latency_ps
        if self.first_start_ps < 0:
            self.first_start_ps = now_ps
        self.last_start_ps = now_ps

        following = self.next
        if following is not None:
            self.credits.popleft()
            following.arrivals.append(arrive_ps)
            if following.ready_ps == NEVER:
                following.look()
        previous = self.previous
        if previous is not None:
            self.arrivals.popleft()
            previous.credits.append(now_ps + previous.channel.latency_ps)
            if previous.ready_ps == NEVER:
                previous.look()
        if left and self.arrivals and self.credits:
            arrival_ps, credit_ps = self.arrivals[0], self.credits[0]
            self.ready_ps = arrival_ps if arrival_ps > credit_ps else credit_ps
        else:
            self.ready_ps = NEVER
        return arrive_ps

    def try_burst(self, faults: Faults, lost: Lost, now_ps: int) -> int:
        """``start_burst`` where the burst may arrive wrong: then NEVER, it keeps its place, and starts again later."""
        bits, wire_ps = (lost.full_bits, self.full_ps) if self.left > 1 else (lost.last_bits, self.last_ps)
        if not faults.strike(self.initiator, bits):
            if lost.first_right_ps < 0:
                lost.first_right_ps = now_ps
            return self.start_burst(now_ps)
        channel = self.channel
        channel.last_served = self.initiator
        channel.busy_until_ps = free_ps = now_ps + wire_ps
        self.ready_ps = free_ps + faults.turnaround_ps
        if self.first_start_ps < 0:
            self.first_start_ps = now_ps
        self.last_start_ps = now_ps
        lost.bursts += 1
        lost.bits += bits
        lost.busy_ps += wire_ps
        lost.delay_ps += wire_ps + faults.turnaround_ps
        lost.last_end_ps = free_ps
        return NEVER

    def look(self) -> None:
        """An arrival or a credit has come to a hop that lacked one: tell the channel when it may start."""
        if self.left and self.arrivals and self.credits:
            self.ready_ps = start_ps = max(self.arrivals[0], self.credits[0])
            channel = self.channel
            if start_ps < channel.busy_until_ps:
                start_ps = channel.busy_until_ps
            if start_ps < channel.decision_ps:
                channel.decision_ps = start_ps

    def pass_time(self, rounds_ps: int, bursts: int) -> None:
        """``bursts`` more have started, and everything about it is as it was ``rounds_ps`` earlier."""
        self.left -= bursts
        self.last_start_ps += rounds_ps
        if self.previous is not None:
            self.arrivals = deque([at_ps + rounds_ps for at_ps in self.arrivals])
        if self.next is not None:
            self.credits = deque([at_ps + rounds_ps for at_ps in self.credits])
        if self.ready_ps != NEVER:
            self.ready_ps = max(self.arrivals[0], self.credits[0])
