"""A channel: one direction of a link, a bus, a memory port."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from tlm3d.errors import ElaborationError, PluginError, did_you_mean
from tlm3d.tlm.arbiters import ARBITERS
from tlm3d.tlm.timing import NEVER
from tlm3d.units import serialise_ps

if TYPE_CHECKING:
    from tlm3d.tlm.hop import Hop
    from tlm3d.tlm.transfer import Transfer


class Channel:
    """Carries one burst at a time; latency follows the wire and does not occupy it.

    ``rate_bps`` is that of all ``lanes`` together; ``overhead_bits`` go with every burst; ``buffer_bursts`` is the
    receive buffer kept for *each* initiator. Raises ElaborationError for impossible numbers, PluginError for an
    unknown arbiter. A channel belongs to one Fabric, which keeps the arbitration state below up to date.
    """

    __slots__ = (
        "_burst_ps", "arbiter", "buffer_bursts", "burst_bytes", "busy_until_ps", "choose", "decision_ps", "hops",
        "lanes", "last_served", "latency_ps", "name", "overhead_bits", "rate_bps", "users",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        rate_bps: Fraction,
        lanes: int = 1,
        burst_bytes: int = 64,
        overhead_bits: int = 0,
        latency_ps: int = 1,
        buffer_bursts: int = 4,
        arbiter: str = "round-robin",
    ) -> None:
        counts = {
            "lanes": lanes,
            "burst_bytes": burst_bytes,
            "latency_ps": latency_ps,
            "buffer_bursts": buffer_bursts,
        }
        problems = [f"{name}: {what} must be at least 1, got {count}" for what, count in counts.items() if count < 1]
        if rate_bps <= 0:
            problems.append(f"{name}: rate_bps must be positive, got {rate_bps}")
        if overhead_bits < 0:
            problems.append(f"{name}: overhead_bits must not be negative, got {overhead_bits}")
        if problems:
            raise ElaborationError(problems)
        if arbiter not in ARBITERS:
            raise PluginError(f"{name}: unknown arbiter '{arbiter}'{did_you_mean(arbiter, ARBITERS)}")
        self.name = name
        self.rate_bps = rate_bps
        self.lanes = lanes
        self.burst_bytes = burst_bytes
        self.overhead_bits = overhead_bits
        self.latency_ps = latency_ps
        self.buffer_bursts = buffer_bursts
        self.arbiter = arbiter
        self.choose = ARBITERS[arbiter]
        self._burst_ps: dict[int, int] = {}

        self.users: dict[str, Transfer] = {}  # in flight over this channel, by initiator
        self.hops: list[Hop] = []  # of contending transfers that have bursts left here, in name order
        self.last_served = ""
        self.busy_until_ps = 0
        self.decision_ps = NEVER  # when the next burst of ``hops`` starts, as far as known

    def burst_ps(self, n_bytes: int) -> int:
        """Time that a burst of ``n_bytes`` occupies the wire, overhead included."""
        known = self._burst_ps.get(n_bytes)
        if known is None:
            known = serialise_ps(8 * n_bytes + self.overhead_bits, self.lanes, self.rate_bps)
            self._burst_ps[n_bytes] = known
        return known

    @property
    def covers_round_trip(self) -> bool:
        """Whether the receive buffer keeps the wire busy until the first credit returns: D bursts ≥ burst + 2 L."""
        burst_ps = self.burst_ps(self.burst_bytes)
        return burst_ps + 2 * self.latency_ps <= self.buffer_bursts * burst_ps

    def __repr__(self) -> str:
        return f"<Channel {self.name}>"
