"""Transfers that share channels, directly or through one another: the only ones simulated burst by burst."""

from __future__ import annotations

from bisect import insort
from itertools import pairwise
from operator import attrgetter

from tlm3d.tlm.channel import Channel
from tlm3d.tlm.hop import Hop
from tlm3d.tlm.timing import NEVER
from tlm3d.tlm.transfer import Transfer

_decision_ps = attrgetter("decision_ps")
_initiator = attrgetter("initiator")


class Contention:
    """A group of transfers and the channels they use.

    Everything that has been posted, and everything that follows from it, is a timestamp in a FIFO. So decisions need
    not be taken at their own simulated time: the group may lag behind SimPy's clock as long as no finish is overlooked,
    and run ahead of it up to SimPy's next event, as nothing can be posted before that.
    ``settled_ps``: every decision before it has been taken, and none at or after it.
    ``wake_ps``: when the group must be advanced again.
    """

    __slots__ = ("channels", "settled_ps", "transfers", "wake_ps")

    def __init__(self) -> None:
        self.transfers: dict[str, Transfer] = {}  # by initiator
        self.channels: list[Channel] = []
        self.settled_ps = 0
        self.wake_ps = NEVER

    def join(self, transfer: Transfer) -> None:
        """Take in a transfer from its posting on; the next ``advance`` replays what it has done alone since."""
        transfer.contention = self
        transfer.finish_ps = -1
        transfer.hops = tuple(Hop(transfer, index) for index in range(len(transfer.route)))
        for hop, following in pairwise(transfer.hops):
            hop.next, following.previous = following, hop
        for hop in transfer.hops:
            insort(hop.channel.hops, hop, key=_initiator)
            if hop.channel not in self.channels:
                self.channels.append(hop.channel)
        transfer.hops[0].look()
        self.transfers[transfer.initiator] = transfer

    def absorb(self, other: Contention) -> None:
        """Become one group with ``other``. Both may have taken decisions up to different times."""
        for transfer in other.transfers.values():
            transfer.contention = self
        self.transfers |= other.transfers
        self.channels += [channel for channel in other.channels if channel not in self.channels]
        self.settled_ps = max(self.settled_ps, other.settled_ps)

    def leave(self, transfer: Transfer) -> None:
        """Let a finished transfer go, and with it the channels that nobody else uses."""
        del self.transfers[transfer.initiator]
        for channel in transfer.route:
            if not channel.users:
                self.channels.remove(channel)
        for hop in transfer.hops:
            hop.next = hop.previous = None  # no reference cycles left to the garbage collector

    def advance(self, until_ps: int) -> list[Transfer]:
        """Take every decision before ``until_ps``, but none at or after the first finish found.

        Returns the transfers whose last burst started: their ``finish_ps`` is known. The order of decisions at one
        instant does not matter, as everything that follows from one lies at least a picosecond later.
        """
        finishing: list[Transfer] = []
        channels = self.channels
        while True:
            channel = min(channels, key=_decision_ps)
            now_ps = channel.decision_ps
            if now_ps >= until_ps:
                break
            sleep = channel.sleep
            if sleep is not None and now_ps > channel.busy_until_ps + sleep.after_ps:
                channel.wake_up(sleep, now_ps)
                continue
            hops = channel.hops
            eligible = [hop for hop in hops if hop.ready_ps <= now_ps]
            contested = len(eligible) > 1
            hop = channel.choose(eligible, channel.last_served) if contested else eligible[0]
            if sleep is not None:
                hop.woken_ps += channel.waking_ps(max(hop.ready_ps, hop.last_start_ps), now_ps)
            arrive_ps = hop.start_burst(now_ps)
            if not hop.left:
                hops.remove(hop)
                if hop.next is None:
                    transfer = self.transfers[hop.initiator]
                    transfer.finish_ps = arrive_ps
                    finishing.append(transfer)
                    until_ps = min(until_ps, arrive_ps)
            if contested:
                channel.decision_ps = channel.busy_until_ps
            else:
                ready_ps = min([other.ready_ps for other in hops], default=NEVER)
                channel.decision_ps = max(ready_ps, channel.busy_until_ps)
        self.settled_ps = max(self.settled_ps, until_ps)
        return finishing

    def earliest_finish_ps(self) -> int:
        """Before this, no transfer whose finish is not known yet can finish (NEVER if all are known)."""
        last_hops = [transfer.hops[-1] for transfer in self.transfers.values()]
        ways_ps = [(hop.left - 1) * hop.full_ps + hop.last_ps + hop.channel.latency_ps for hop in last_hops if hop.left]
        return min(map(_decision_ps, self.channels)) + min(ways_ps) if ways_ps else NEVER
