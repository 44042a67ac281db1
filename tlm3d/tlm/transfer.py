"""A transfer: n bytes from an initiator over a route of channels."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from tlm3d.tlm.channel import Channel
from tlm3d.tlm.passage import Passage

if TYPE_CHECKING:
    from tlm3d.tlm.contention import Contention
    from tlm3d.tlm.hop import Hop, Lost


class Leg(NamedTuple):
    """What a transfer did on one channel: offered to it, first and last bit on the wire, all arrived behind it.

    ``busy_ps`` is the wire time of its ``bursts``, ``bits`` their payload, overhead and padding; ``resent`` of them
    arrived wrong.
    """

    channel: Channel
    posted_ps: int
    start_ps: int
    end_ps: int
    arrive_ps: int
    busy_ps: int
    bits: int
    bursts: int
    resent: int = 0


class Rival(NamedTuple):
    """Another transfer that was in flight over a common channel at the same time."""

    initiator: str
    owner: object


class Transfer:
    """In flight from posting until its last burst arrives at the end of its last hop.

    ``finish_ps`` is -1 until that is certain for the traffic posted so far. ``owner`` is the caller's own label.
    """

    __slots__ = (
        "_met", "contention", "done", "finish_ps", "hops", "initiator", "owner", "passage", "posted_ps", "priority",
    )  # fmt: skip

    def __init__(
        self,
        initiator: str,
        passage: Passage,
        done: Callable[[Transfer], None],
        priority: int,
        owner: object,
        posted_ps: int,
    ) -> None:
        self.initiator = initiator
        self.passage = passage
        self.done = done
        self.priority = priority
        self.owner = owner
        self.posted_ps = posted_ps
        self.finish_ps = -1
        self._met: list[tuple[str, object]] = []  # rivals; plain tuples, as there are many and few are looked at
        self.contention: Contention | None = None  # None while its timetable is that of an idle route
        self.hops: tuple[Hop, ...] = ()

    def meet(self, others: Iterable[Transfer]) -> None:
        """Become a rival of ``others``, and they of this one."""
        met, me = self._met, (self.initiator, self.owner)
        for other in others:
            other._met.append(me)
            met.append((other.initiator, other.owner))

    @property
    def rivals(self) -> list[Rival]:
        """One entry for each rival transfer, in name order of initiators, those of the same one in order of posting."""
        return [Rival(*met) for met in sorted(self._met, key=itemgetter(0))]

    @property
    def is_rivalled(self) -> bool:
        return bool(self._met)

    @property
    def route(self) -> tuple[Channel, ...]:
        return self.passage.route

    @property
    def n_bytes(self) -> int:
        return self.passage.n_bytes

    @property
    def alone_ps(self) -> int:
        """How long it would take on an idle route that is awake."""
        return self.passage.duration_ps

    @property
    def woken_ps(self) -> int:
        """How long its bursts have waited for channels to wake up."""
        return sum(hop.woken_ps for hop in self.hops)

    @property
    def resent_ps(self) -> int:
        """How long it has been delayed by bursts that arrived wrong."""
        return sum(hop.lost.delay_ps for hop in self.hops if hop.lost is not None)

    def sent(self) -> list[tuple[int, int]]:
        """(bits, bursts) of each channel after the finish: what its energy follows from, where times do not matter."""
        if self.passage.is_certain:
            return self.passage.sent
        lost = [(hop.lost.bits, hop.lost.bursts) if hop.lost is not None else (0, 0) for hop in self.hops]
        pairs = zip(self.passage.sent, lost, strict=True)
        return [(bits + again, bursts + resent) for (bits, bursts), (again, resent) in pairs]

    def legs(self) -> list[Leg]:
        """What it did on each channel, in route order.

        Before the finish (after ``Fabric.settle``): the bursts started so far; hops without one are left out.
        """
        passage, posted_ps = self.passage, self.posted_ps
        bursts, hops = passage.bursts, self.hops
        first_ps = passage.full_ps if bursts > 1 else passage.last_ps
        legs: list[Leg] = []
        for i, channel in enumerate(passage.route):
            busy_ps, (bits, started) = passage.all_busy_ps[i], passage.sent[i]
            wire_ps = passage.last_ps[i]
            if hops:
                hop = hops[i]
                start_ps, last_start_ps = hop.first_start_ps, hop.last_start_ps
                lost = hop.lost
                if hop.left:
                    started = bursts - hop.left
                    if not started and (lost is None or not lost.bursts):
                        break
                    busy_ps, bits = passage.busy_ps(i, started), passage.bits(i, started)
                    wire_ps = passage.full_ps[i]
                if lost is not None and lost.bursts:
                    posted_ps = self._leg_with_losses(legs, i, lost, posted_ps, started)
                    continue
            else:
                start_ps = self.posted_ps + passage.first_start_ps[i]
                last_start_ps = self.posted_ps + passage.last_start_ps[i]
            end_ps = last_start_ps + wire_ps
            latency_ps = channel.latency_ps
            legs.append(Leg(channel, posted_ps, start_ps, end_ps, end_ps + latency_ps, busy_ps, bits, started))
            posted_ps = start_ps + first_ps[i] + latency_ps
        return legs

    def _leg_with_losses(self, legs: list[Leg], index: int, lost: Lost, posted_ps: int, started: int) -> int:
        """Add the leg of a hop where bursts arrived wrong; ``started`` were right. When the next hop has its first."""
        passage, hop = self.passage, self.hops[index]
        last_wire_ps = (passage.full_ps if hop.left else passage.last_ps)[index]
        end_ps = lost.last_end_ps if hop.last_start_ps < lost.last_end_ps else hop.last_start_ps + last_wire_ps
        busy_ps, bits = passage.busy_ps(index, started) + lost.busy_ps, passage.bits(index, started) + lost.bits
        latency_ps = hop.channel.latency_ps
        facts = (busy_ps, bits, started + lost.bursts, lost.bursts)
        legs.append(Leg(hop.channel, posted_ps, hop.first_start_ps, end_ps, end_ps + latency_ps, *facts))
        first_ps = (passage.full_ps if passage.bursts > 1 else passage.last_ps)[index]
        return lost.first_right_ps + first_ps + latency_ps

    def __repr__(self) -> str:
        return f"<Transfer of {self.initiator}, {self.n_bytes} B posted at {self.posted_ps} ps>"
