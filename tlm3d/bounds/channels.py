"""What rivals on its route add to one transfer, at most.

The start S_i(j) of burst j on hop i follows from three conditions and the wait W_i(j) from when they hold
(see ``tlm.passage``; f_i wire time of a burst, L_i latency, D_i buffer):

    S_i(j) = W_i(j) + max(S_i(j-1) + f_i,  S_{i-1}(j) + f_{i-1} + L_{i-1},  S_{i+1}(j-D_i) + L_i)

It grows with every W. So with what a burst waits at most after each of the three in the place of W it is a bound,
whatever rivals did to the bursts before, up or down the route: their waits are in the starts that it follows from.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import NamedTuple

from tlm3d.bounds.arbitration import ARBITERS, Crossing, Move, Rival, Waits, Wire
from tlm3d.bounds.claim import NoBound
from tlm3d.units import ceil_div

__all__ = ["Channels", "Crossing", "Held", "Move", "Wire", "held_up"]

_FOLLOWED = 128  # bursts times hops that are followed one by one


class Held(NamedTuple):
    """finish − posting ≤ ``alone_ps`` + ``ps`` + what the caller, who knows how much there is, adds for ``by_rate``.

    On each of these wires that is, of every transfer of another initiator that is in flight at any time in
    [posting, finish] (all that are posted in it and, of each initiator, the one that was in flight at its beginning)

    - ``urgent_ps`` of its crossing, where the arbiter is ``priority`` and its number smaller;
    - else ``busy_ps`` of its crossing, where its initiator was left out.

    That is enough: waits of one transfer for one wire follow one another, and rivals that are not counted burst by
    burst prolong them by their time on the wire. So it is along any chain of transfers and computations each of which
    waits for the one before: then [posting, finish] is all of the chain, and a transfer of a rival counts once a wire.
    """

    ps: int
    by_rate: frozenset[str] = frozenset()
    again_ps: Mapping[str, int] = MappingProxyType({})  # by wire, for each more urgent burst: equals have another turn

    def urgent_ps(self, crossing: Crossing) -> int:
        """What one transfer with a smaller number adds by this crossing of a wire in ``by_rate``."""
        return crossing.busy_ps + crossing.bursts * self.again_ps.get(crossing.wire, 0)


def held_up(
    move: Move, rivals: Mapping[str, Sequence[Move]], wires: Mapping[str, Wire], left_out: Collection[str] = ()
) -> Held | NoBound:
    """What rivals on its wires add to ``move``, and gates; ``rivals``, by wire: every move that may ever cross it.

    Initiators that are ``left_out`` are for the caller. Where they seldom send that is less than what is counted here,
    a burst of theirs before each of ours. With all left out any arbiter has a bound that leaves no wire idle.
    """
    return Channels(rivals, wires).held_up(move, left_out)


class Channels:
    """All wires, and the moves that may ever cross each. Answers for many of them: what is shared is found once."""

    def __init__(self, rivals: Mapping[str, Sequence[Move]], wires: Mapping[str, Wire]) -> None:
        self._rivals, self._wires = rivals, wires
        self._waits: dict[tuple[str, str, int, bool, frozenset[str]], Waits | NoBound] = {}

    def held_up(self, move: Move, left_out: Collection[str] = ()) -> Held | NoBound:
        """See ``held_up`` above."""
        route = [self._wires[crossing.wire] for crossing in move.crossings]
        waits: list[Waits] = []
        for hop, wire in enumerate(route):
            key = (wire.name, move.initiator, move.priority, hop == 0, frozenset(left_out))
            if key not in self._waits:
                self._waits[key] = self._find_waits(*key)
            found = self._waits[key]
            if isinstance(found, NoBound):
                return found
            waits.append(found)
        by_rate = {wire.name: wait.again_ps for wire, wait in zip(route, waits, strict=True) if wait.by_rate}
        finish_ps = _finish_ps(move, route, waits, [wire.wake_ps for wire in route])
        if not by_rate and any(wire.wake_ps for wire in route):
            awake_ps = _finish_ps(move, route, waits, [0] * len(route))
            finish_ps = _by_naps_ps(awake_ps, move, route, finish_ps)
        return Held(max(0, finish_ps - move.alone_ps), frozenset(by_rate), by_rate)

    def _find_waits(
        self, name: str, initiator: str, priority: int, is_first_hop: bool, left_out: frozenset[str]
    ) -> Waits | NoBound:
        wire = self._wires[name]
        if wire.faulty:
            return NoBound(f"bits of {name} may be sent again without end")
        others = [other for other in self._rivals.get(name, ()) if other.initiator != initiator]
        counted = [self._rival(other, name) for other in others if other.initiator not in left_out]
        if not counted:
            return Waits(by_rate=bool(others))
        if wire.arbiter not in ARBITERS:
            return NoBound(f"it is not known whom the arbiter '{wire.arbiter}' of {name} lets wait")
        waits = ARBITERS[wire.arbiter](counted, priority, is_first_hop)
        return waits._replace(by_rate=waits.by_rate or len(counted) < len(others))

    def _rival(self, move: Move, wire: str) -> Rival:
        hop = next(i for i, crossing in enumerate(move.crossings) if crossing.wire == wire)
        # Behind another hop no more than there is room for.
        queued = self._wires[move.crossings[hop - 1].wire].buffer_bursts if hop else None
        return Rival(move.initiator, move.priority, move.crossings[hop], queued)


def _by_naps_ps(awake_ps: int, move: Move, route: Sequence[Wire], at_most_ps: int) -> int:
    """The finish where naps are counted. ``awake_ps``: the finish if none were gated; ``at_most_ps``: a bound of it.

    A wake-up keeps one burst of ours at most from starting, so each adds ``wake_ps`` at most. On one wire they, the
    idle time before each but the first, and our bursts fit between posting, or the start of the first, and the finish.
    So the sooner that is, the fewer they are.
    """
    total_ps = at_most_ps
    while True:
        naps_ps = 0
        for crossing, wire in zip(move.crossings, route, strict=True):
            if wire.wake_ps:
                naps = 1 + max(0, total_ps - crossing.busy_ps) // (wire.wake_ps + wire.after_ps + 1)
                naps_ps += naps * wire.wake_ps
        if awake_ps + naps_ps >= total_ps:
            return total_ps
        total_ps = awake_ps + naps_ps


def _finish_ps(move: Move, route: Sequence[Wire], waits: Sequence[Waits], wakes_ps: Sequence[int]) -> int:
    """The finish if every burst waits as long as it can, from posting."""
    fresh_ps = [wait.fresh.at_most_ps(wake_ps) for wait, wake_ps in zip(waits, wakes_ps, strict=True)]
    first_ps = waits[0].first.at_most_ps(wakes_ps[0])
    steps = [
        _Step(
            crossing.burst_ps,
            crossing.busy_ps - (crossing.bursts - 1) * crossing.burst_ps,
            wire.latency_ps,
            wire.buffer_bursts,
            wait.next_ps,
            fresh,
        )
        for crossing, wire, wait, fresh in zip(move.crossings, route, waits, fresh_ps, strict=True)
    ]
    bursts = move.crossings[0].bursts
    follows = bursts == 1 or bursts * len(steps) <= _FOLLOWED
    last_start_ps = (_followed_ps if follows else _paced_ps)(steps, bursts, first_ps)
    return last_start_ps + steps[-1].last_ps + steps[-1].latency_ps


class _Step(NamedTuple):
    """One hop: a burst, the last one, latency, buffer; waits of a burst that follows the one before, and of others."""

    burst_ps: int
    last_ps: int
    latency_ps: int
    buffer_bursts: int
    next_ps: int
    fresh_ps: int


def _followed_ps(steps: Sequence[_Step], bursts: int, first_ps: int) -> int:
    """Start of the last burst on the last hop, burst by burst as the three conditions stand."""
    starts: list[list[int]] = [[] for _ in steps]
    for burst in range(bursts):
        arrival_ps = 0
        for hop, step in enumerate(steps):
            at_ps = arrival_ps + step.fresh_ps if hop else first_ps
            if burst:
                at_ps = max(at_ps, starts[hop][-1] + step.burst_ps + step.next_ps)
            if hop + 1 < len(steps) and burst >= step.buffer_bursts:
                credit_ps = starts[hop + 1][burst - step.buffer_bursts] + step.latency_ps
                at_ps = max(at_ps, credit_ps + step.fresh_ps)
            starts[hop].append(at_ps)
            arrival_ps = at_ps + (step.burst_ps if burst + 1 < bursts else step.last_ps) + step.latency_ps
    return starts[-1][-1]


def _paced_ps(steps: Sequence[_Step], bursts: int, first_ps: int) -> int:
    """No less than ``_followed_ps``, of two bursts or more, at once: they start at A_i + j · M at the latest.

    A_i is where the first one is. The pace M satisfies the condition on the wire if it is no less than a burst and its
    wait, and that on credits if D_i bursts at that pace are no less than a round trip.
    """
    firsts_ps = [first_ps]
    for step, following in pairwise(steps):
        firsts_ps.append(firsts_ps[-1] + step.burst_ps + step.latency_ps + following.fresh_ps)
    pace_ps = max(step.burst_ps + step.next_ps for step in steps)
    for step, following in pairwise(steps):
        if bursts > step.buffer_bursts:
            round_trip_ps = step.burst_ps + 2 * step.latency_ps + step.fresh_ps + following.fresh_ps
            pace_ps = max(pace_ps, ceil_div(round_trip_ps, step.buffer_bursts))
    last, at_ps, arrival_ps = bursts - 1, 0, 0
    for hop, step in enumerate(steps):  # the last burst, which may be shorter
        at_ps = firsts_ps[hop] + (last - 1) * pace_ps + step.burst_ps + step.next_ps
        if hop:
            at_ps = max(at_ps, arrival_ps + step.fresh_ps)
        if hop + 1 < len(steps) and last >= step.buffer_bursts:
            credit_ps = firsts_ps[hop + 1] + (last - step.buffer_bursts) * pace_ps + step.latency_ps
            at_ps = max(at_ps, credit_ps + step.fresh_ps)
        arrival_ps = at_ps + step.last_ps + step.latency_ps
    return at_ps
