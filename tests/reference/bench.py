"""A test bench of channels on which a byte takes 1 ps and a burst of 10 bytes 10 ps, so that cases work by hand."""

from __future__ import annotations

from fractions import Fraction

import simpy

from tlm3d.tlm.channel import Channel
from tlm3d.tlm.fabric import Fabric
from tlm3d.tlm.transfer import Transfer


def wire(
    name: str, ps_per_byte: int = 1, latency_ps: int = 3, buffers: int = 8, arbiter: str = "round-robin"
) -> Channel:
    """A channel without overhead that sends bursts of 10 bytes."""
    rate_bps = Fraction(8 * 10**12, ps_per_byte)
    return Channel(name, rate_bps, burst_bytes=10, latency_ps=latency_ps, buffer_bursts=buffers, arbiter=arbiter)


class Bench:
    """Posts transfers at stated times; ``finished`` lists (initiator, time) as it happens."""

    def __init__(self) -> None:
        self.env = simpy.Environment()
        self.fabric = Fabric(self.env)
        self.finished: list[tuple[str, int]] = []
        self.transfers: dict[str, Transfer] = {}  # the last one of each initiator

    def post(self, at_ps: int, initiator: str, n_bytes: int, *route: Channel, priority: int = 0) -> None:
        """Arrange a posting at ``at_ps``."""
        timeout = self.env.timeout(at_ps - int(self.env.now))
        timeout.callbacks.append(lambda _: self.post_now(initiator, n_bytes, *route, priority=priority))

    def post_now(self, initiator: str, n_bytes: int, *route: Channel, priority: int = 0) -> None:
        owner = f"job of {initiator}"
        self.transfers[initiator] = self.fabric.post(initiator, route, n_bytes, self._done, priority, owner)

    def _done(self, transfer: Transfer) -> None:
        assert transfer.finish_ps == self.env.now
        self.finished.append((transfer.initiator, transfer.finish_ps))

    def run(self) -> dict[str, int]:
        """Run to the end; the last finish of each initiator."""
        self.env.run()
        return dict(self.finished)
