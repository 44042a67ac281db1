"""Traffic without a workload: rows of a traffic file, posted to the channels of a platform."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from simpy import Environment

from tlm3d.errors import ElaborationError
from tlm3d.model.system import Progress
from tlm3d.model.topology import Route, Topology
from tlm3d.record.recording import TransferEnd, TransferLeg
from tlm3d.spec.traffic import TrafficRow
from tlm3d.tlm.alarm import Alarm
from tlm3d.tlm.fabric import Fabric
from tlm3d.tlm.timing import NORMAL
from tlm3d.tlm.transfer import Transfer

_TOLD_EVERY = 64  # transfers

Sink = Callable[[TransferEnd], None]


def play_rows(topology: Topology, rows: Sequence[TrafficRow], finished: Sink, progress: Progress | None = None) -> None:
    """Post every row after_ps after its initiator's row before it has finished; tell ``finished`` of each in turn.

    Nothing is kept here, so that traffic of any length stays flat in memory. ``progress(done, rows)`` is called now and
    then. A topology serves once: its channels remember whom they served. Raises ElaborationError for traffic that takes
    longer than the kernel's clock counts.
    """
    _Player(topology, rows, finished, progress).play()


class _Player:
    """One initiator, one alarm: no process, no event a row beside those of the fabric."""

    def __init__(
        self, topology: Topology, rows: Sequence[TrafficRow], finished: Sink, progress: Progress | None
    ) -> None:
        self._topology, self._rows = topology, rows
        self._tell, self._progress = finished, progress
        self._env = Environment()
        self._fabric = Fabric(self._env)
        self._routes: dict[tuple[str, ...], Route] = {}
        self._waiting: dict[str, deque[int]] = {}  # rows by initiator, the one in flight first
        self._alarms: dict[str, Alarm] = {}
        self._done = 0

    def play(self) -> None:
        for number, row in enumerate(self._rows):
            self._waiting.setdefault(row.initiator, deque()).append(number)
        for initiator in self._waiting:
            self._alarms[initiator] = Alarm(self._env, partial(self._post, initiator))
            self._schedule(initiator)
        self._env.run()
        if self._done < len(self._rows):
            raise ElaborationError("the traffic takes longer than 2^100 ps, which is beyond the clock")

    def _schedule(self, initiator: str) -> None:
        row = self._rows[self._waiting[initiator][0]]
        self._env.schedule(self._alarms[initiator], NORMAL, row.after_ps)

    def _post(self, initiator: str) -> None:
        row = self._rows[self._waiting[initiator][0]]
        route = self._routes.get(row.route)
        if route is None:
            route = self._routes[row.route] = self._topology.named_route(row.route)
        self._fabric.post(initiator, route.channels, row.n_bytes, self._finished, row.priority, route)

    def _finished(self, transfer: Transfer) -> None:
        initiator, route = transfer.initiator, transfer.owner
        assert isinstance(route, Route)
        waiting = self._waiting[initiator]
        number = waiting.popleft()
        legs = tuple(
            TransferLeg(
                leg.channel.name, initiator, "-", number, transfer.n_bytes, leg.bits, leg.posted_ps, leg.start_ps,
                leg.end_ps, leg.arrive_ps, leg.busy_ps, route.leg_aj(hop, leg.bits, leg.bursts),
                leg.resent,
            )
            for hop, leg in enumerate(transfer.legs())
        )  # fmt: skip
        self._tell(TransferEnd(number, transfer.posted_ps, transfer.finish_ps, legs))
        for channel in route.channels:
            del channel.naps[:-1]  # nobody records them here
        self._done += 1
        if self._progress and self._done % _TOLD_EVERY == 0:
            self._progress(self._done, len(self._rows))
        if not waiting:
            return
        if self._rows[waiting[0]].after_ps:
            self._schedule(initiator)
        else:
            self._post(initiator)
