"""Transfers that share channels, directly or through one another: the only ones whose decisions are visited."""

from __future__ import annotations

from bisect import insort
from itertools import pairwise, repeat
from operator import attrgetter

from tlm3d.tlm.channel import Channel
from tlm3d.tlm.hop import Hop
from tlm3d.tlm.rounds import Rounds
from tlm3d.tlm.timing import NEVER
from tlm3d.tlm.transfer import Transfer
from tlm3d.tlm.turns import take_turns

_decision_ps = attrgetter("decision_ps")
_initiator = attrgetter("initiator")

_PATIENCE = 1024  # decisions without one for the marker of the rounds, until another one is chosen


class Contention:
    """A group of transfers and the channels they use.

    Everything that has been posted, and everything that follows from it, is a timestamp in a FIFO. So decisions need
    not be taken at their own simulated time: the group may lag behind SimPy's clock as long as no finish is overlooked,
    and run ahead of it up to SimPy's next event, as nothing can be posted before that. Nor need each be visited: what
    repeats is skipped in whole rounds, see ``turns`` for a group of one channel and ``rounds`` for others.
    ``settled_ps``: every decision before it has been taken, and none at or after it.
    ``wake_ps``: when the group must be advanced again. ``last_finish_ps``: the last finish found so far.
    ``is_queue``: all share a single channel, on which nothing goes wrong, and use no other.
    """

    __slots__ = ("channels", "is_queue", "last_finish_ps", "rounds", "settled_ps", "transfers", "wake_ps")

    def __init__(self) -> None:
        self.transfers: dict[str, Transfer] = {}  # by initiator
        self.channels: list[Channel] = []
        self.is_queue = False
        self.rounds = Rounds()
        self.settled_ps = 0
        self.wake_ps = NEVER
        self.last_finish_ps = -1

    def join(self, transfer: Transfer) -> None:
        """Take in a transfer from its posting on; the next ``advance`` replays what it has done alone since."""
        transfer.contention = self
        transfer.finish_ps = -1
        transfer.hops = tuple([Hop(transfer, index) for index in range(len(transfer.route))])
        for hop, following in pairwise(transfer.hops):
            hop.next, following.previous = following, hop
        for hop in transfer.hops:
            channel = hop.channel
            insort(channel.hops, hop, key=_initiator)
            if channel.contention is None:
                channel.contention = self
                self.channels.append(channel)
        transfer.hops[0].look()
        self.transfers[transfer.initiator] = transfer
        self._changed()

    def queue(self, transfer: Transfer) -> None:
        """``join`` for a transfer that uses nothing but the single channel of this group."""
        transfer.contention = self
        hop = Hop(transfer, 0)
        transfer.hops = (hop,)
        channel = self.channels[0]
        insort(channel.hops, hop, key=_initiator)
        if hop.ready_ps < channel.decision_ps:
            channel.decision_ps = max(hop.ready_ps, channel.busy_until_ps)
        self.transfers[transfer.initiator] = transfer

    def absorb(self, other: Contention) -> None:
        """Become one group with ``other``. Both may have taken decisions up to different times."""
        for transfer in other.transfers.values():
            transfer.contention = self
        for channel in other.channels:
            channel.contention = self
        self.transfers |= other.transfers
        self.channels += other.channels
        self.settled_ps = max(self.settled_ps, other.settled_ps)
        self.last_finish_ps = max(self.last_finish_ps, other.last_finish_ps)
        self._changed()

    def leave(self, transfer: Transfer) -> None:
        """Let a finished transfer go, and with it the channels that nobody else uses."""
        del self.transfers[transfer.initiator]
        if self.is_queue and self.transfers:
            return
        for hop in transfer.hops:
            hop.next = hop.previous = None  # no reference cycles left to the garbage collector
            channel = hop.channel
            if not channel.users:
                channel.contention = None
                self.channels.remove(channel)
        self._changed()

    def _changed(self) -> None:
        self.is_queue = len(self.channels) == 1 and self.channels[0].faults is None
        self.rounds.forget()

    def advance(self, until_ps: int) -> list[tuple[str, int]]:
        """Take every decision before ``until_ps``, but none at or after the first finish found.

        Returns the initiators whose last burst has started, and when it arrives: that is their finish.
        """
        finds = take_turns(self.channels[0], until_ps) if self.is_queue else self._visit(until_ps)
        for _, finish_ps in finds:
            if finish_ps < until_ps:
                until_ps = finish_ps
            if finish_ps > self.last_finish_ps:
                self.last_finish_ps = finish_ps
        if until_ps > self.settled_ps:
            self.settled_ps = until_ps
        return finds

    def _visit(self, until_ps: int) -> list[tuple[str, int]]:
        """Visit every decision that is not within a round skipped; returns initiators and their finishes.

        The order of decisions at one instant does not matter, as all that follows from one is at least 1 ps later.
        """
        finds: list[tuple[str, int]] = []
        channels, rounds = self.channels, self.rounds
        repeats = all(channel.faults is None for channel in channels)
        while True:
            for _ in repeat(None, _PATIENCE):
                channel = min(channels, key=_decision_ps)
                now_ps = channel.decision_ps
                if now_ps >= until_ps:
                    return finds
                sleep = channel.sleep
                if sleep is not None and now_ps > channel.busy_until_ps + sleep.after_ps:
                    channel.wake_up(sleep, now_ps)
                    continue
                hops = channel.hops
                contested = False
                if len(hops) == 1:  # very often; what is decided now can start now
                    hop = hops[0]
                else:
                    eligible = [hop for hop in hops if hop.ready_ps <= now_ps]
                    contested = len(eligible) > 1
                    hop = channel.choose(eligible, channel.last_served) if contested else eligible[0]
                if sleep is not None:
                    hop.woken_ps += channel.waking_ps(max(hop.ready_ps, hop.last_start_ps), now_ps)
                lost = hop.lost
                if lost is None or channel.faults is None:
                    arrive_ps = hop.start_burst(now_ps)
                else:
                    arrive_ps = hop.try_burst(channel.faults, lost, now_ps)
                if not hop.left:
                    hops.remove(hop)
                    if hop.next is None:
                        finds.append((hop.initiator, arrive_ps))
                        if arrive_ps < until_ps:
                            until_ps = arrive_ps
                if contested:
                    channel.decision_ps = channel.busy_until_ps
                elif hops:
                    ready_ps = hop.ready_ps if len(hops) == 1 and hop.left else min([one.ready_ps for one in hops])
                    free_ps = channel.busy_until_ps
                    channel.decision_ps = ready_ps if ready_ps > free_ps else free_ps
                else:
                    channel.decision_ps = NEVER
                if hop is rounds.marker:
                    rounds.look(channels, self.transfers.values(), now_ps, until_ps)
                elif rounds.marker is None and repeats:
                    rounds.follow(hop)
            if not rounds.is_seen:
                rounds.forget()
            rounds.is_seen = False

    def waits_for_finish(self, now_ps: int) -> bool:
        """Whether a finish is due that comes before any that is not known yet, so that it is time enough to go on then.

        On one channel bursts arrive in the order they start, and those whose finish is known have started.
        """
        return self.is_queue and self.last_finish_ps > now_ps

    def earliest_finish_ps(self) -> int:
        """Before this, no transfer whose finish is not known yet can finish (NEVER if all are known)."""
        last_hops = [transfer.hops[-1] for transfer in self.transfers.values()]
        ways_ps = [(hop.left - 1) * hop.full_ps + hop.last_ps + hop.channel.latency_ps for hop in last_hops if hop.left]
        return min(map(_decision_ps, self.channels)) + min(ways_ps) if ways_ps else NEVER
