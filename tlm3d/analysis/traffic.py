"""Traffic of a link study: what every channel carried, and when every row was posted and had arrived."""

from __future__ import annotations

from dataclasses import dataclass

from tlm3d.record.recording import ChannelInfo, TransferEnd

_FOLD_EVERY = 4096  # transfers
# Transfers, bits, busy_ps, queue_ps, max_queue_ps, energy_aj, resent.
_Totals = tuple[int, int, int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class ChannelTraffic:
    """What one channel carried. A transfer queues from its posting here to its first bit: sum and largest, ps."""

    name: str
    role: str
    transfers: int = 0
    bits: int = 0
    busy_ps: int = 0
    queue_ps: int = 0
    max_queue_ps: int = 0
    energy_aj: int = 0
    resent: int = 0  # bursts that arrived wrong and were sent again


@dataclass(frozen=True, slots=True)
class TrafficResult:
    """A whole study over [0, last_ps], the last arrival; of an interrupted one the transfers that had finished.

    ``start_ps`` and ``finish_ps`` have one entry a row: posting and last arrival, -1 for a row that has not finished.
    """

    platform: str
    rows: int
    transfers: int
    last_ps: int
    channels: dict[str, ChannelTraffic]  # in name order, those without traffic too
    start_ps: list[int]
    finish_ps: list[int]
    notes: tuple[str, ...]

    @property
    def complete(self) -> bool:
        return self.transfers == self.rows

    @property
    def total_aj(self) -> int:
        return sum(channel.energy_aj for channel in self.channels.values())


class TrafficTotals:
    """Adds up transfers as they finish; their legs are not kept.

    It may be interrupted anywhere: whatever has been added so far is replaced in one step, so that a transfer counts on
    all its channels or on none.
    """

    def __init__(self, channels: dict[str, ChannelInfo], rows: int) -> None:
        self._infos, self._rows = channels, rows
        self._state: tuple[dict[str, _Totals], list[TransferEnd]] = (dict.fromkeys(channels, (0, 0, 0, 0, 0, 0, 0)), [])
        self._start_ps, self._finish_ps = [-1] * rows, [-1] * rows

    def add(self, transfer: TransferEnd) -> None:
        """Count a finished transfer."""
        pending = self._state[1]
        pending.append(transfer)
        if len(pending) >= _FOLD_EVERY:
            self._fold()

    def _fold(self) -> None:
        totals, pending = self._state
        totals = dict(totals)
        for row, start_ps, finish_ps, legs in pending:
            self._start_ps[row], self._finish_ps[row] = start_ps, finish_ps
            for leg in legs:
                transfers, bits, busy_ps, queue_ps, max_queue_ps, energy_aj, resent = totals[leg.channel]
                waited_ps = leg.start_ps - leg.posted_ps
                totals[leg.channel] = (
                    transfers + 1, bits + leg.bits, busy_ps + leg.busy_ps, queue_ps + waited_ps,
                    waited_ps if waited_ps > max_queue_ps else max_queue_ps, energy_aj + leg.energy_aj,
                    resent + leg.resent,
                )  # fmt: skip
        self._state = (totals, [])

    def result(self, platform: str, notes: tuple[str, ...]) -> TrafficResult:
        """The study so far."""
        self._fold()
        channels = {
            name: ChannelTraffic(name, self._infos[name].role, *totals) for name, totals in self._state[0].items()
        }
        finished = [finish_ps for finish_ps in self._finish_ps if finish_ps >= 0]
        last_ps = max(finished, default=0)
        times = (list(self._start_ps), list(self._finish_ps))
        return TrafficResult(platform, self._rows, len(finished), last_ps, channels, *times, notes)
