"""How long one burst waits for a wire at worst, by arbiter.

A burst is *ready* when it has arrived, has a credit, and the burst before it of the same transfer has left the wire.
From then on it is eligible at every decision (see ``tlm.arbiters``), and the wire does not fall asleep. So it waits for
what is on the wire when it becomes ready, and for whom the arbiter puts before it afterwards. Where the burst before it
has just left the wire, nobody else is on it, nor is it gated. What is under way when a burst becomes ready otherwise
began at least 1 ps before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple


class Wire(NamedTuple):
    """A channel. Idle for more than ``after_ps`` it is gated; when needed it wakes for ``wake_ps`` (0: never gated)."""

    name: str
    arbiter: str
    buffer_bursts: int
    latency_ps: int
    wake_ps: int = 0
    after_ps: int = 0
    faulty: bool = False


class Crossing(NamedTuple):
    """A transfer on one wire: its longest burst there, how many, and the wire time of all of them."""

    wire: str
    burst_ps: int
    bursts: int
    busy_ps: int


class Move(NamedTuple):
    """A transfer as it may be posted any number of times; ``alone_ps``: on an idle route that is awake."""

    initiator: str
    task: str
    priority: int
    crossings: tuple[Crossing, ...]
    alone_ps: int


class Rival(NamedTuple):
    """A move of another initiator on the wire in question.

    ``queued``: how many of its bursts may have arrived and not started there; None: all of them, as they are posted
    there. An initiator has one transfer in flight, so only one of its moves at a time is there.
    """

    initiator: str
    priority: int
    crossing: Crossing
    queued: int | None


class Wait(NamedTuple):
    """For ``ps`` in any case, and before that for what is on the wire: a burst or, where it is gated, its waking up."""

    ps: int = 0
    under_way_ps: int = 0

    def at_most_ps(self, wake_ps: int) -> int:
        """In all, where the wire takes ``wake_ps`` to wake up."""
        return self.ps + max(self.under_way_ps, wake_ps)


class Waits(NamedTuple):
    """What a burst of ours waits at most.

    ``first``: the first one, where the transfer is posted to this wire; ``next_ps``: one that is ready when the one
    before it leaves the wire; ``fresh``: any other. With ``by_rate`` there are rivals for whom this is not enough: each
    burst of a smaller number adds its wire time and ``again_ps``.
    """

    first: Wait = Wait()
    next_ps: int = 0
    fresh: Wait = Wait()
    by_rate: bool = False
    again_ps: int = 0


def round_robin(rivals: Sequence[Rival], priority: int, is_first_hop: bool) -> Waits:
    """One burst of every other initiator before each of ours.

    While ours is eligible the turn goes on in name order from whoever was served last, and does not pass ours. Whoever
    is on the wire when ours becomes ready was served last, so that his turn does not come again before ours.
    """
    turn_ps = _turn_ps(rivals)
    return Waits(Wait(turn_ps), turn_ps, Wait(turn_ps))


def priority(rivals: Sequence[Rival], priority: int, is_first_hop: bool) -> Waits:
    """One burst of a larger number if it is under way, one of every equal, and whatever has a smaller number.

    Equals take turns from whoever was served last, whatever his number: so after a burst of a smaller number their
    turn may start again before ours.
    """
    larger_ps = max((rival.crossing.burst_ps for rival in rivals if rival.priority > priority), default=0)
    turn_ps = _turn_ps(rival for rival in rivals if rival.priority == priority)
    wait = Wait(turn_ps, max(0, larger_ps - 1))
    urgent = any(rival.priority < priority for rival in rivals)
    return Waits(wait, turn_ps, wait, urgent, turn_ps)


def oldest(rivals: Sequence[Rival], priority: int, is_first_hop: bool) -> Waits:
    """What was there before it, and one burst that is under way.

    All bursts of a transfer come to its first hop at once. So there what is older is the same for all of ours, and is
    waited for once; what is younger only gets in when ours lack a credit.
    """
    queued: dict[str, int] = {}  # wire time of bursts older than ours, by initiator
    with_one_ps: dict[str, int] = {}  # the same with one more on the wire
    for initiator, _, crossing, count in rivals:
        older_ps = crossing.busy_ps if count is None else min(crossing.busy_ps, count * crossing.burst_ps)
        one_more_ps = 0 if count is None else min(crossing.busy_ps, (count + 1) * crossing.burst_ps) - 1
        queued[initiator] = max(queued.get(initiator, 0), older_ps)
        with_one_ps[initiator] = max(with_one_ps.get(initiator, 0), one_more_ps)
    older_ps = sum(queued.values())
    older = Wait(older_ps, max(max(0, with_one_ps[initiator] - ps) for initiator, ps in queued.items()))
    if is_first_hop:
        return Waits(older, 0, Wait(0, max(rival.crossing.burst_ps for rival in rivals) - 1))
    return Waits(older, older_ps, older)


def _turn_ps(rivals: Iterable[Rival]) -> int:
    """The longest burst of every initiator."""
    longest: dict[str, int] = {}
    for rival in rivals:
        longest[rival.initiator] = max(longest.get(rival.initiator, 0), rival.crossing.burst_ps)
    return sum(longest.values())


ARBITERS: Mapping[str, Callable[[Sequence[Rival], int, bool], Waits]] = {
    "round-robin": round_robin,
    "oldest": oldest,
    "priority": priority,
}
