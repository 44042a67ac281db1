"""Rounds of a group of channels that repeat: found by comparing states, and skipped at once.

Between two postings a group is a closed machine: what it does follows from its state, and times matter only relative to
its clock. So when the state relative to the clock is the same at two instants a period P apart, the group does the same
again and again, P later each time, and m periods may be passed by adding m·P to every time in it and taking m times the
bursts of a period from each transfer. The state, after all decisions before an instant and some at it, is

    of a channel   who was served last, and how long it is still busy (already free: 0, as nobody asks for how long; but
                   where it is gated when idle, how long it has been idle, and how often it has been gated so far)
    of a hop       whether bursts are left; how many have arrived and how many credits there are, with the time to go of
                   those still under way. Where the oldest goes first, the age of every one that has arrived.

What the state leaves out, and why the machine stays the same without it:

- How many bursts are left. Only the last one differs from the others, so no hop is brought below one burst.
- What is posted later than the instant. No decision sees it before then, so nothing is skipped beyond it.
- When transfers were posted, and so all their bursts arrived on the first hop: it stays while every other time moves.
  Two postings keep their order; a posting and an arrival do if the arrival is the later one, as it then always will be.
  So where the oldest goes first, every burst that has come from another channel must have arrived after all postings.

A transfer that does not move within a period has the same number of bursts behind each hop throughout, all of them here
already, and keeps all its times. One that moves does so on each hop by the same number of bursts.

States are compared whenever one chosen hop, the marker, starts a burst: with one that is kept, which is replaced at
growing distances (as in Brent's search), so that a period is found wherever it begins, and a group without one loses
little.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

from tlm3d.tlm.timing import NEVER

if TYPE_CHECKING:
    from tlm3d.tlm.channel import Channel
    from tlm3d.tlm.hop import Hop
    from tlm3d.tlm.transfer import Transfer

State = list[object]
_WORTH_WHILE = 8  # bursts that the marker has left at least when it is chosen


class Rounds:
    """The search for rounds in one group."""

    __slots__ = ("_busy_ps", "_left", "_looks", "_patience", "_since_ps", "_state", "is_seen", "marker")

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """The group has changed."""
        self.marker: Hop | None = None
        self.is_seen = False  # whether the marker has started a burst since this was last set to False

    def follow(self, hop: Hop) -> None:
        """Choose ``hop``, which has just started a burst, as the marker if it is worth while."""
        if hop.left >= _WORTH_WHILE:
            self.marker = hop
            self._busy_ps: list[int] = []
            self._state: State = []
            self._left: list[int] = []
            self._since_ps = 0
            self._looks, self._patience = 0, 1

    def look(self, channels: list[Channel], transfers: Iterable[Transfer], now_ps: int, until_ps: int) -> None:
        """The marker has started a burst at ``now_ps``: skip rounds that end before ``until_ps`` if there are any."""
        self.is_seen = True
        self._looks += 1
        busy_ps = [at_ps - now_ps if (at_ps := channel.busy_until_ps) > now_ps else 0 for channel in channels]
        may_be = busy_ps == self._busy_ps  # cheap, and rarely so by chance
        if not may_be and self._looks < self._patience:
            return
        present = [transfer for transfer in transfers if transfer.posted_ps <= now_ps]
        state = _state(channels, present, now_ps)
        if may_be and state == self._state:
            for transfer in transfers:
                if now_ps < transfer.posted_ps < until_ps:
                    until_ps = transfer.posted_ps
            now_ps += self._skip(channels, present, now_ps, until_ps)
            self._keep(busy_ps, state, present, now_ps)
        elif self._looks >= self._patience:
            self._patience += 1 + self._patience // 2
            self._keep(busy_ps, state, present, now_ps)

    def _keep(self, busy_ps: list[int], state: State, present: list[Transfer], now_ps: int) -> None:
        self._looks = 0
        self._busy_ps, self._state, self._since_ps = busy_ps, state, now_ps
        self._left = [hop.left for transfer in present for hop in transfer.hops]

    def _skip(self, channels: list[Channel], present: list[Transfer], now_ps: int, until_ps: int) -> int:
        """The state is that of ``_since_ps``; returns the time that was skipped."""
        period_ps = now_ps - self._since_ps
        hops = [hop for transfer in present for hop in transfer.hops]
        moved = [(hop, before - hop.left) for hop, before in zip(hops, self._left, strict=True) if before > hop.left]
        periods = min((hop.left - 1) // bursts for hop, bursts in moved)
        periods = min(periods, (until_ps - 1 - now_ps) // period_ps)
        if periods < 1 or not all(_keeps_order(channel, self._since_ps, period_ps) for channel in channels):
            return 0
        rounds_ps = periods * period_ps
        for hop, bursts in moved:
            hop.pass_time(rounds_ps, periods * bursts)
        for channel in {hop.channel: None for hop, _ in moved}:
            channel.busy_until_ps += rounds_ps
            ready_ps = min([hop.ready_ps for hop in channel.hops], default=NEVER)
            channel.decision_ps = max(ready_ps, channel.busy_until_ps)
        return rounds_ps


def _state(channels: list[Channel], present: list[Transfer], now_ps: int) -> State:
    """What the group will do follows from this, as far as it concerns ``present``. See above."""
    state: State = []
    add = state.append
    for channel in channels:
        add(channel.last_served)
        busy_ps = channel.busy_until_ps - now_ps
        if channel.sleep is not None:
            add(channel.nap_count)
            add(max(busy_ps, -channel.sleep.after_ps - 1))
        else:
            add(busy_ps if busy_ps > 0 else 0)
    for transfer in present:
        for hop in transfer.hops:
            add(hop.left > 0)
            if hop.previous is not None:
                arrivals = hop.arrivals
                if hop.channel.asks_for_age:
                    add([at_ps - now_ps for at_ps in arrivals])
                else:
                    add(len(arrivals))
                    add(_to_go(arrivals, now_ps))
            if hop.next is not None:
                add(len(hop.credits))
                add(_to_go(hop.credits, now_ps))
    return state


def _to_go(times_ps: deque[int], now_ps: int) -> list[int]:
    """How long until each of ``times_ps``, which are in order, of those that are still to come."""
    if times_ps and times_ps[-1] > now_ps:
        return [at_ps - now_ps for at_ps in times_ps if at_ps > now_ps]
    return []


def _keeps_order(channel: Channel, since_ps: int, period_ps: int) -> bool:
    """Whether every burst that had come from another channel by ``since_ps`` is younger than every posting here."""
    if not channel.asks_for_age:
        return True
    postings_ps = [hop.arrivals[0] for hop in channel.hops if hop.previous is None and hop.arrivals[0] <= since_ps]
    heads_ps = [hop.arrivals[0] for hop in channel.hops if hop.previous is not None and hop.arrivals]
    return not postings_ps or not heads_ps or min(heads_ps) - period_ps > max(postings_ps)
