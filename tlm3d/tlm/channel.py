"""A channel: one direction of a link, a bus, a memory port."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from tlm3d.errors import ElaborationError, PluginError, did_you_mean
from tlm3d.tlm.arbiters import ARBITERS, ASK_FOR_AGE
from tlm3d.tlm.timing import NEVER
from tlm3d.units import ceil_div, serialise_ps

if TYPE_CHECKING:
    from tlm3d.tlm.contention import Contention
    from tlm3d.tlm.faults import Faults
    from tlm3d.tlm.hop import Hop
    from tlm3d.tlm.transfer import Transfer


class Sleep(NamedTuple):
    """A channel is gated once it has been idle for more than ``after_ps``; waking it takes ``wake_ps``."""

    after_ps: int
    wake_ps: int


class Nap(NamedTuple):
    """A channel was gated over [asleep_ps, woken_ps) and ready ``Sleep.wake_ps`` later."""

    asleep_ps: int
    woken_ps: int


class Channel:
    """Carries one burst at a time; latency follows the wire and does not occupy it.

    ``rate_bps`` is that of all ``lanes`` together; ``overhead_bits`` go with every burst, or with each of the flits of
    ``flit_bits`` payload that it is padded to (0: no flits); ``entry_ps`` passes before the bits of every burst;
    ``buffer_bursts`` is the receive buffer kept for *each* initiator. With ``sleep`` the channel is gated at 0 and
    after idling: the first burst that could start then wakes it, and who sends is decided when it is awake. With
    ``faults`` some bursts arrive wrong and are sent again. Raises ElaborationError for impossible numbers, PluginError
    for an unknown arbiter. A channel belongs to one Fabric, which keeps the arbitration state below up to date.
    """

    __slots__ = (
        "_burst_ps", "arbiter", "asks_for_age", "buffer_bursts", "burst_bytes", "busy_until_ps", "choose", "contention",
        "decision_ps", "entry_ps", "faults", "flit_bits", "hops", "lanes", "last_served", "latency_ps", "name",
        "nap_count", "naps", "overhead_bits", "rate_bps", "sleep", "users",
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
        entry_ps: int = 0,
        flit_bits: int = 0,
        sleep: Sleep | None = None,
        faults: Faults | None = None,
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
        if sleep is not None:
            counts = {"after_ps": sleep.after_ps, "wake_ps": sleep.wake_ps - 1}
            problems += [f"{name}: sleep.{what} is too short, got {sleep}" for what, ps in counts.items() if ps < 0]
        not_negative = {"overhead_bits": overhead_bits, "entry_ps": entry_ps, "flit_bits": flit_bits}
        problems += [f"{name}: {what} must not be negative, got {n}" for what, n in not_negative.items() if n < 0]
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
        self.entry_ps = entry_ps
        self.flit_bits = flit_bits
        self.sleep = sleep
        self.faults = faults
        self.choose = ARBITERS[arbiter]
        self.asks_for_age = arbiter in ASK_FOR_AGE
        self._burst_ps: dict[int, int] = {}

        self.users: dict[str, Transfer] = {}  # in flight over this channel, by initiator
        self.contention: Contention | None = None  # the group it belongs to
        self.hops: list[Hop] = []  # of contending transfers that have bursts left here, in name order
        self.last_served = ""
        self.busy_until_ps = 0 if sleep is None else -sleep.after_ps - 1
        self.decision_ps = NEVER  # when the next burst of ``hops`` starts, as far as known
        self.naps: list[Nap] = []  # that have ended; whoever has recorded them may take all but the last away
        self.nap_count = 0  # all that have ended

    def burst_ps(self, n_bytes: int) -> int:
        """Time that a burst of ``n_bytes`` occupies the wire, entry and overhead included."""
        known = self._burst_ps.get(n_bytes)
        if known is None:
            known = self.entry_ps + serialise_ps(self.wire_bits(n_bytes), self.lanes, self.rate_bps)
            self._burst_ps[n_bytes] = known
        return known

    def wire_bits(self, n_bytes: int) -> int:
        """Bits sent for a burst of ``n_bytes``: payload and overhead, in whole flits where there are flits."""
        if not self.flit_bits:
            return 8 * n_bytes + self.overhead_bits
        return ceil_div(8 * n_bytes, self.flit_bits) * (self.flit_bits + self.overhead_bits)

    def fall_asleep_ps(self) -> int:
        """When it is gated if no burst starts first (NEVER where it is not gated at all)."""
        return NEVER if self.sleep is None else self.busy_until_ps + self.sleep.after_ps

    def wake_up(self, sleep: Sleep, now_ps: int) -> None:
        """A burst could start and the channel is gated: it is occupied with waking up."""
        self.nap_count += 1
        self.naps.append(Nap(max(0, self.busy_until_ps + sleep.after_ps), now_ps))
        self.busy_until_ps = self.decision_ps = now_ps + sleep.wake_ps

    def waking_ps(self, since_ps: int, until_ps: int) -> int:
        """How much of [since, until), which reaches to now, the last wake-up took."""
        if not self.naps or self.sleep is None:
            return 0
        woken_ps = self.naps[-1].woken_ps
        return max(0, min(until_ps, woken_ps + self.sleep.wake_ps) - max(since_ps, woken_ps))

    @property
    def covers_round_trip(self) -> bool:
        """Whether the receive buffer keeps the wire busy until the first credit returns: D bursts ≥ burst + 2 L."""
        burst_ps = self.burst_ps(self.burst_bytes)
        return burst_ps + 2 * self.latency_ps <= self.buffer_bursts * burst_ps

    def __repr__(self) -> str:
        return f"<Channel {self.name}>"
