"""The passage of n bytes over a route that nobody else uses: how they are cut, and when each hop starts and ends.

Write f_i for the wire time of a full burst on hop i, L_i for its latency, D_i for its buffer, and S_i(j) for the time
burst j starts on hop i. The rules of the channel are three inequalities, and S is their smallest solution:

    wire     S_i(j) ≥ S_i(j-1) + f_i
    arrival  S_i(j) ≥ S_{i-1}(j) + f_{i-1} + L_{i-1}
    credit   S_i(j) ≥ S_{i+1}(j-D_i) + L_i            for j ≥ D_i, where there is a hop i+1

With A_i = Σ_{m<i} (f_m + L_m) and M_i = max_{m≤i} f_m the solution for full bursts is

    S_i(j) = max over p ≥ i of  A_p + Σ_{i≤m<p} L_m + (j − Σ_{i≤m<p} D_m) · M_p     where j ≥ Σ_{i≤m<p} D_m

(up to hop p, the pace set on the way, back down by credits). Each term is a chain of the inequalities, so S is no
smaller. The formula satisfies *wire* as M_p ≥ f_i, *credit* term by term, and *arrival* wherever the buffers cover the
round trip, f_i + 2 L_i ≤ D_i · M_{i+1}, or never fill: then it is S. The last burst, which may be shorter, gives no
time to any other, and follows from the inequalities directly. Where buffers do not cover, burst by
burst until the bursts repeat.
"""

from __future__ import annotations

from itertools import accumulate

from tlm3d.tlm.channel import Channel
from tlm3d.units import ceil_div


class Passage:
    """``n_bytes`` over ``route``; times count from posting, tuples have one entry a hop.

    ``bursts`` of the smallest burst size on the route, the last with the rest: ``full_ps`` and ``last_ps`` on the wire,
    ``first_start_ps`` and ``last_start_ps`` of the first and last burst, ``duration_ps`` until all has arrived;
    ``sent`` (bits, bursts) and ``all_busy_ps`` of all bursts together.
    """

    __slots__ = (
        "all_busy_ps",
        "burst_bytes",
        "bursts",
        "duration_ps",
        "first_start_ps",
        "full_ps",
        "is_certain",
        "last_ps",
        "last_start_ps",
        "n_bytes",
        "route",
        "sent",
    )  # fmt: skip

    def __init__(self, route: tuple[Channel, ...], n_bytes: int) -> None:
        self.route, self.n_bytes = route, n_bytes
        # Else these times hold only while no channel is gated and no burst arrives wrong.
        self.is_certain = all(channel.sleep is None and channel.faults is None for channel in route)
        self.burst_bytes = min(channel.burst_bytes for channel in route)
        self.bursts = ceil_div(n_bytes, self.burst_bytes)
        rest = n_bytes - (self.bursts - 1) * self.burst_bytes
        self.full_ps = tuple(channel.burst_ps(self.burst_bytes) for channel in route)
        self.last_ps = tuple(channel.burst_ps(rest) for channel in route)
        first_ps = self.full_ps if self.bursts > 1 else self.last_ps
        steps = (ps + channel.latency_ps for ps, channel in zip(first_ps, route, strict=True))
        self.first_start_ps = tuple(accumulate(steps, initial=0))[:-1]
        self.last_start_ps = tuple(self._closed_form() if self._is_covered() else self._burst_by_burst())
        self.duration_ps = self.last_start_ps[-1] + self.last_ps[-1] + route[-1].latency_ps
        self.sent = [(self.bits(hop, self.bursts), self.bursts) for hop in range(len(route))]
        self.all_busy_ps = [self.busy_ps(hop, self.bursts) for hop in range(len(route))]

    def busy_ps(self, hop: int, started: int) -> int:
        """Wire time of the first ``started`` bursts on ``hop``."""
        busy_ps = started * self.full_ps[hop]
        return busy_ps if started < self.bursts else busy_ps - self.full_ps[hop] + self.last_ps[hop]

    def bits(self, hop: int, started: int) -> int:
        """Payload, overhead and padding of the first ``started`` bursts on ``hop``."""
        full_bits, last_bits = self.burst_bits(hop)
        return started * full_bits + (last_bits - full_bits if started == self.bursts else 0)

    def burst_bits(self, hop: int) -> tuple[int, int]:
        """Bits on the wire of a full burst and of the last one on ``hop``."""
        channel = self.route[hop]
        rest = self.n_bytes - (self.bursts - 1) * self.burst_bytes
        return channel.wire_bits(self.burst_bytes), channel.wire_bits(rest)

    def _is_covered(self) -> bool:
        pace_ps = tuple(accumulate(self.full_ps, max))
        return all(
            channel.buffer_bursts >= self.bursts - 1
            or self.full_ps[i] + 2 * channel.latency_ps <= channel.buffer_bursts * pace_ps[i + 1]
            for i, channel in enumerate(self.route[:-1])
        )

    def _closed_form(self) -> list[int]:
        """Start of the last burst on every hop, in O(hops²)."""
        if self.bursts == 1:
            return list(self.first_start_ps)
        route, full_ps, last = self.route, self.full_ps, self.bursts - 1
        start_ps = self._full_start_ps
        starts: list[int] = []
        arrival_ps = 0
        for hop, channel in enumerate(route):
            at_ps = max(arrival_ps, start_ps(hop, last - 1) + full_ps[hop])
            if hop + 1 < len(route) and last >= channel.buffer_bursts:
                at_ps = max(at_ps, start_ps(hop + 1, last - channel.buffer_bursts) + channel.latency_ps)
            starts.append(at_ps)
            arrival_ps = at_ps + self.last_ps[hop] + channel.latency_ps
        return starts

    def _full_start_ps(self, hop: int, burst: int) -> int:
        """Start of full burst number ``burst`` on ``hop``, where buffers cover the round trip."""
        route = self.route
        latest_ps = self.first_start_ps[hop] + burst * max(self.full_ps[: hop + 1])
        for p in range(hop + 1, len(route)):
            burst -= route[p - 1].buffer_bursts
            if burst < 0:
                break
            back_ps = sum(channel.latency_ps for channel in route[hop:p])
            latest_ps = max(latest_ps, self.first_start_ps[p] + back_ps + burst * max(self.full_ps[: p + 1]))
        return latest_ps

    def left_ps(self, hop: int, at_ps: int) -> tuple[int, int] | None:
        """Wire time on ``hop`` of the bursts that start ``at_ps`` after posting or later, and rest of the one on it.

        None where it cannot be told without going burst by burst.
        """
        if at_ps <= self.first_start_ps[hop]:
            return self.all_busy_ps[hop], 0
        if at_ps > self.last_start_ps[hop]:
            return 0, max(0, self.last_start_ps[hop] + self.last_ps[hop] - at_ps)
        if not self._is_covered():
            return None
        # Bursts before number ``low`` have started; the last one has not.
        low, high = 1, self.bursts - 1
        while low < high:
            middle = (low + high) // 2
            if self._full_start_ps(hop, middle) < at_ps:
                low = middle + 1
            else:
                high = middle
        on_wire_ps = max(0, self._full_start_ps(hop, low - 1) + self.full_ps[hop] - at_ps)
        return self.all_busy_ps[hop] - self.busy_ps(hop, low), on_wire_ps

    def _burst_by_burst(self) -> list[int]:
        """Start of the last burst on every hop, by the inequalities as they stand: O(hops) for every burst visited.

        The next starts of full bursts follow from the last ones, and only differences matter. So when those repeat, the
        same bursts follow again and again, and whole periods are skipped. The state kept for comparison is replaced at
        growing distances.
        """
        route, final, full_ps = self.route, len(self.route) - 1, self.full_ps
        starts: list[list[int]] = [[] for _ in route]  # of the bursts visited so far, as if no others had been
        state: list[int] = []
        kept, patience = -1, 1
        skipped = 0
        for visited in range(self.bursts):
            burst = visited + skipped
            is_last = burst + 1 == self.bursts
            wire_ps = self.last_ps if is_last else full_ps
            arrival_ps = 0
            for hop, channel in enumerate(route):
                at_ps = max(arrival_ps, starts[hop][-1] + full_ps[hop]) if visited else arrival_ps
                if hop < final and visited >= channel.buffer_bursts:
                    at_ps = max(at_ps, starts[hop + 1][visited - channel.buffer_bursts] + channel.latency_ps)
                starts[hop].append(at_ps)
                arrival_ps = at_ps + wire_ps[hop] + channel.latency_ps
            if is_last:
                break
            if not skipped and (now := self._differences(starts)) == state:
                period = visited - kept
                periods = (self.bursts - 2 - visited) // period
                passed_ps = periods * (starts[0][visited] - starts[0][kept])
                skipped = periods * period
                starts = [[at_ps + passed_ps for at_ps in of_hop] for of_hop in starts]
            elif not skipped and visited - kept >= patience:
                state, kept = now, visited
                patience += 1 + patience // 2
        return [of_hop[-1] for of_hop in starts]

    def _differences(self, starts: list[list[int]]) -> list[int]:
        """All that the starts of full bursts to come depend on, against the last start on the first hop."""
        since_ps = starts[0][-1]
        differences = [of_hop[-1] - since_ps for of_hop in starts]
        for channel, of_next in zip(self.route, starts[1:], strict=False):
            differences += [at_ps - since_ps for at_ps in of_next[-channel.buffer_bursts :]]
        return differences
