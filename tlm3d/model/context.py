"""What every part of a running system shares: the clock, the channels, the record."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from simpy import Environment

from tlm3d.model.op import Op
from tlm3d.model.topology import Route, Topology
from tlm3d.record.recording import Recording, Segment, TransferLeg
from tlm3d.tlm.channel import Channel
from tlm3d.tlm.fabric import Fabric
from tlm3d.tlm.transfer import Transfer


class Owner:
    """Who a transfer works for: the task and job it is booked to, the operation it is, and its route's prices."""

    __slots__ = ("index", "label", "op", "route", "task")

    def __init__(self, task: str, index: int, label: str, route: Route, op: Op) -> None:
        self.task, self.index, self.label = task, index, label
        self.route, self.op = route, op


@dataclass(slots=True)
class Context:
    """Shared by the parts of one run."""

    env: Environment
    fabric: Fabric
    recording: Recording
    topology: Topology
    _buckets: dict[tuple[Channel, ...], tuple[str, str]] = field(default_factory=dict)  # by route
    carried: dict[str, list[tuple[int, int]]] = field(default_factory=dict)  # by channel watched, first to last bits

    @property
    def now_ps(self) -> int:
        """Simulated time."""
        return int(self.env.now)

    def book_transfer(self, transfer: Transfer, owner: Owner) -> None:
        """Record the legs of ``transfer`` as far as it has come."""
        append, leg_aj = self.recording.legs.append, owner.route.leg_aj
        who, task, index, n_bytes = transfer.initiator, owner.task, owner.index, transfer.passage.n_bytes
        for hop, leg in enumerate(transfer.legs()):
            channel, posted_ps, start_ps, end_ps, arrive_ps, busy_ps, bits, bursts, resent = leg
            energy_aj = leg_aj(hop, bits, bursts)
            when = (posted_ps, start_ps, end_ps, arrive_ps, busy_ps)
            append(TransferLeg(channel.name, who, task, index, n_bytes, bits, *when, energy_aj, resent))
            if channel.name in self.carried:
                self.carried[channel.name].append((start_ps, end_ps))

    def split_transfer(self, transfer: Transfer, op: Op) -> None:
        """Split a finished transfer into waking channels, queueing and moving; what it queued for is its rivals."""
        waited_ps = op.end_ps - op.start_ps - transfer.alone_ps
        if waited_ps > 0:
            labels = {rival.owner.label for rival in transfer.rivals if isinstance(rival.owner, Owner)}
            own = transfer.owner.label if isinstance(transfer.owner, Owner) else "-"  # its load meets its store
            holder = min(labels - {own}, default=own)
            woken_ps = op.start_ps + min(waited_ps, transfer.woken_ps)
            # What is sent again is moved twice.
            cut_ps = max(woken_ps, op.start_ps + waited_ps - transfer.resent_ps)
            pieces = (
                Segment("wake-up", op.start_ps, woken_ps, op.where, "-"),
                Segment("link-queue", woken_ps, cut_ps, op.where, holder),
                Segment(op.bucket, cut_ps, op.end_ps, op.where, "-"),
            )
            op.parts = tuple(piece for piece in pieces if piece.start_ps < piece.end_ps)

    def transfer_bucket(self, route: Route) -> tuple[str, str]:
        """(bucket, channel) that moving over ``route`` is spent on: its slowest channel, ties by name."""
        known = self._buckets.get(route.channels)
        if known is None:
            slowest = min(route.channels, key=lambda c: (c.rate_bps, c.name))
            is_link = self.topology.infos[slowest.name].role == "link"
            known = self._buckets[route.channels] = ("link-transfer" if is_link else "memory"), slowest.name
        return known


class Busy:
    """The time a component was busy: intervals that touch or overlap are joined."""

    __slots__ = ("intervals",)

    def __init__(self, intervals: Iterable[tuple[int, int]] = ()) -> None:
        self.intervals: list[tuple[int, int]] = list(intervals)

    def add(self, start_ps: int, end_ps: int) -> None:
        """Busy over [start, end); starts come in order."""
        if self.intervals and start_ps <= self.intervals[-1][1]:
            first_ps, last_ps = self.intervals[-1]
            self.intervals[-1] = (first_ps, max(last_ps, end_ps))
        else:
            self.intervals.append((start_ps, end_ps))

    def forget(self, until_ps: int) -> None:
        """Let go of what has ended before ``until_ps``; but for the last, which may yet be joined or cut."""
        self.intervals[:-1] = [interval for interval in self.intervals[:-1] if interval[1] >= until_ps]
