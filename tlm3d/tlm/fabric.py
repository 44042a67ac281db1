"""All channels in motion: posts transfers, decides who sends when, and reports each finish at its picosecond."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from operator import attrgetter
from typing import NamedTuple

from simpy import Environment

from tlm3d.errors import SimulationError
from tlm3d.tlm.alarm import Alarm
from tlm3d.tlm.channel import Channel
from tlm3d.tlm.contention import Contention
from tlm3d.tlm.passage import Passage
from tlm3d.tlm.timing import ARBITRATE, NEVER, NORMAL
from tlm3d.tlm.transfer import Transfer

_MAX_PASSAGES = 4096  # remembered; a run of any length stays flat in memory


class Queued(NamedTuple):
    """A transfer on a channel: wire time of its bursts that have not started there, and of a full one."""

    initiator: str
    priority: int
    left_ps: int
    burst_ps: int


class Queue(NamedTuple):
    """``transfers`` with bursts to start on a channel, in name order; from when its wire is free; who had it."""

    transfers: tuple[Queued, ...]
    free_ps: int
    last_served: str


class Fabric:
    """Runs transfers on SimPy's clock of integer picoseconds, exact as if every burst were an event.

    A transfer that meets nobody on its channels has a known timetable and costs two events. When somebody else comes,
    both become a Contention, whose decisions are taken in a tight loop. The loop runs ahead of the clock up to SimPy's
    next event, so end a run by an event in SimPy's queue (``env.run(until=...)``), not by stepping.
    """

    def __init__(self, env: Environment) -> None:
        self._env = env
        self._passages: dict[tuple[tuple[Channel, ...], int], Passage] = {}
        self._in_flight: dict[str, Transfer] = {}
        self._pending: list[Transfer] = []  # posted at this instant, not yet admitted
        self._contentions: list[Contention] = []
        self._arbitration = Alarm(env, self._arbitrate)
        self._finishes: dict[str, Alarm] = {}  # by initiator, which has one transfer in flight

    def post(
        self,
        initiator: str,
        route: tuple[Channel, ...],
        n_bytes: int,
        done: Callable[[Transfer], None],
        priority: int = 0,
        owner: object = None,
    ) -> Transfer:
        """Offer ``n_bytes`` to the first channel of ``route`` now. ``done(transfer)`` is called at the finish.

        Posting belongs to the classes before ARBITRATE. Raises SimulationError when the initiator has a transfer in
        flight, for no bytes, and for a route that is empty or uses a channel twice.
        """
        now_ps: int = self._env.now  # type: ignore[assignment]  # every delay we schedule is an int
        if initiator in self._in_flight:
            raise SimulationError(now_ps, initiator, "posted a transfer while another one is in flight")
        passage = self._passages.get((route, n_bytes)) or self._passage(initiator, route, n_bytes)
        transfer = Transfer(initiator, passage, done, priority, owner, now_ps)
        self._in_flight[initiator] = transfer
        if len(route) == 1:
            contention = route[0].contention
            if contention is not None and contention.is_queue and contention.settled_ps <= now_ps:
                self._queue(transfer, route[0], contention, now_ps)
                return transfer
        if not self._pending:
            self._env.schedule(self._arbitration, ARBITRATE)
        self._pending.append(transfer)
        return transfer

    def in_flight(self) -> list[Transfer]:
        """Transfers that have been posted and have not finished, in name order of their initiators."""
        return [self._in_flight[initiator] for initiator in sorted(self._in_flight)]

    def queue(self, channel: Channel) -> Queue:
        """What is posted and not yet through ``channel``.

        Exact for what has been posted by now, and asking changes nothing. To be asked in the classes before ARBITRATE.
        """
        now_ps = self._now_ps()
        last_served, free_ps = channel.last_served, channel.busy_until_ps
        found: list[Queued] = []
        for transfer in list(channel.users.values()):
            if transfer.contention is None:  # alone here
                hop, passage = transfer.route.index(channel), transfer.passage
                left = passage.left_ps(hop, now_ps - transfer.posted_ps)
                if left is None:  # its bursts have to be followed
                    self._contend(transfer)
                    self._env.schedule(self._arbitration, ARBITRATE)
                    continue
                if left[0]:
                    found.append(Queued(transfer.initiator, transfer.priority, left[0], passage.full_ps[hop]))
                if left[0] < passage.all_busy_ps[hop]:
                    last_served, free_ps = transfer.initiator, now_ps + left[1]
        contention = channel.contention
        if contention is not None:
            if contention.settled_ps < now_ps:
                self._advance(contention, now_ps, now_ps)
            last_served, free_ps = channel.last_served, channel.busy_until_ps
            found += [
                Queued(hop.initiator, hop.priority, (hop.left - 1) * hop.full_ps + hop.last_ps, hop.full_ps)
                for hop in channel.hops
            ]
        for transfer in self._pending:  # posted at this very instant
            if channel in transfer.route:
                hop, passage = transfer.route.index(channel), transfer.passage
                busy_ps, full_ps = passage.all_busy_ps[hop], passage.full_ps[hop]
                found.append(Queued(transfer.initiator, transfer.priority, busy_ps, full_ps))
        return Queue(tuple(sorted(found)), free_ps, last_served)

    def queued_ps(self, channel: Channel) -> int:
        """Time for which what is posted and not yet through will occupy the wire of ``channel``."""
        queue = self.queue(channel)
        return sum(one.left_ps for one in queue.transfers) + max(0, queue.free_ps - self._now_ps())

    def flight(self, initiator: str) -> Transfer | None:
        """The transfer of ``initiator`` that is in flight."""
        return self._in_flight.get(initiator)

    def passage(self, route: tuple[Channel, ...], n_bytes: int) -> Passage:
        """How ``n_bytes`` pass ``route`` where nobody else uses it."""
        return self._passages.get((route, n_bytes)) or self._passage("fabric", route, n_bytes)

    def settle(self, now_ps: int) -> None:
        """Take every decision up to and including ``now_ps``, so that ``legs()`` of what is in flight is exact.

        Nothing may be posted at ``now_ps`` any more. Raises SimulationError when decisions beyond it have been taken.
        """
        self._admit()
        for transfer in self.in_flight():
            if transfer.contention is None:
                self._contend(transfer)
        for contention in self._contentions:
            if contention.settled_ps > now_ps + 1:
                raise SimulationError(now_ps, "fabric", f"has already decided up to {contention.settled_ps} ps")
            self._advance(contention, self._now_ps(), now_ps + 1)

    def _now_ps(self) -> int:
        return self._env.now  # type: ignore[return-value]  # every delay we schedule is an int

    def _passage(self, initiator: str, route: tuple[Channel, ...], n_bytes: int) -> Passage:
        if n_bytes < 1:
            raise SimulationError(self._now_ps(), initiator, f"posted a transfer of {n_bytes} bytes")
        if not route or len(set(route)) < len(route):
            raise SimulationError(self._now_ps(), initiator, f"posted to an impossible route {route}")
        if len(self._passages) >= _MAX_PASSAGES:
            self._passages.clear()
        passage = self._passages[route, n_bytes] = Passage(route, n_bytes)
        return passage

    def _arbitrate(self) -> None:
        """Everything posted by now is known: admit it, and let the contentions decide that are due."""
        if self._pending:
            self._admit()
        now_ps = self._now_ps()
        due = [contention for contention in self._contentions if contention.wake_ps <= now_ps]
        for contention in due:
            # Nothing is posted before SimPy's next event, nor before a finish that another one due now has yet to find.
            others_ps = min([other.earliest_finish_ps() for other in due if other is not contention], default=NEVER)
            self._advance(contention, now_ps, max(now_ps + 1, int(min(self._env.peek(), others_ps))))

    def _admit(self) -> None:
        """Bring the transfers posted at this instant onto their channels, all of them before any is judged alone."""
        newcomers, self._pending = self._pending, []
        if len(newcomers) > 1:
            newcomers.sort(key=attrgetter("initiator"))
        for transfer in newcomers:
            rivals: dict[str, Transfer] = {}
            for channel in transfer.passage.route:
                users = channel.users
                if users:
                    rivals |= users
                users[transfer.initiator] = transfer
            if rivals:
                transfer.meet(rivals.values())
        for transfer in newcomers:
            if transfer.is_rivalled or not transfer.passage.is_certain:
                self._contend(transfer)
            else:
                self._schedule_finish(transfer, transfer.posted_ps + transfer.alone_ps, self._now_ps())

    def _queue(self, transfer: Transfer, channel: Channel, contention: Contention, now_ps: int) -> None:
        """Admit a newcomer to those that share one channel: it is not alone, whoever else is posted at this instant.

        It finishes when all of it has passed a free wire at the earliest. Until then nothing need be decided for it.
        """
        transfer.meet(channel.users.values())
        channel.users[transfer.initiator] = transfer
        contention.queue(transfer)
        if not contention.waits_for_finish(now_ps):
            free_ps = max(channel.busy_until_ps, now_ps)
            self._wake(contention, now_ps, free_ps + transfer.passage.duration_ps - 1)

    def _contend(self, transfer: Transfer) -> None:
        """Make one contention of all that share a channel with ``transfer``."""
        users = [user for channel in transfer.route for user in channel.users.values()]
        contention = next((user.contention for user in users if user.contention is not None), None)
        if contention is None:
            contention = Contention()
            self._contentions.append(contention)
        for user in users:
            other = user.contention
            if other is None:
                contention.join(user)
            elif other is not contention:
                contention.absorb(other)
                self._contentions.remove(other)
        now_ps = self._now_ps()
        if contention.settled_ps > now_ps:
            raise SimulationError(now_ps, transfer.initiator, "posted after the channels had decided for this instant")
        contention.wake_ps = now_ps

    def _advance(self, contention: Contention, now_ps: int, until_ps: int) -> None:
        for initiator, finish_ps in contention.advance(until_ps):
            self._schedule_finish(self._in_flight[initiator], finish_ps, now_ps)
        contention.wake_ps = NEVER
        if not contention.waits_for_finish(now_ps):
            # A finish must be on SimPy's heap before its time has come.
            self._wake(contention, now_ps, contention.earliest_finish_ps() - 1)

    def _wake(self, contention: Contention, now_ps: int, at_ps: int) -> None:
        """Have ``contention`` advanced at ``at_ps`` at the latest; NEVER or later is not at all."""
        if at_ps < contention.wake_ps and at_ps < NEVER - 1:
            contention.wake_ps = at_ps
            self._env.schedule(self._arbitration, ARBITRATE, at_ps - now_ps)

    def _schedule_finish(self, transfer: Transfer, finish_ps: int, now_ps: int) -> None:
        initiator = transfer.initiator
        alarm = self._finishes.get(initiator)
        if alarm is None:
            alarm = self._finishes[initiator] = Alarm(self._env, partial(self._finish, initiator))
        transfer.finish_ps = finish_ps
        self._env.schedule(alarm, NORMAL, finish_ps - now_ps)

    def _finish(self, initiator: str) -> None:
        now_ps = self._now_ps()
        transfer = self._in_flight.get(initiator)
        if transfer is None or transfer.finish_ps != now_ps:
            return  # the timetable of a transfer that has since met a rival
        del self._in_flight[initiator]
        contention = transfer.contention
        for channel in transfer.passage.route:
            del channel.users[initiator]
            if contention is None:
                channel.last_served = initiator
        if contention is not None:
            contention.leave(transfer)
            if not contention.transfers:
                self._contentions.remove(contention)
            elif contention.is_queue:
                self._advance(contention, now_ps, now_ps)  # it may have waited for this
        transfer.done(transfer)
