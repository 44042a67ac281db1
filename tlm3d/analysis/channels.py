"""Traffic of every channel inside the window, idle channels too."""

from __future__ import annotations

from collections.abc import Mapping

from tlm3d.analysis.energy import in_window
from tlm3d.analysis.result import ChannelResult
from tlm3d.record.recording import Recording, TransferLeg


def channel_results(recording: Recording) -> dict[str, ChannelResult]:
    """Channels by name. A transfer counts, and has queued, where its first bit goes out in [0, H).

    Bits and busy time of a leg that reaches over a border of the window are shared out evenly over its
    [start, end), rounded down as its energy is.
    """
    horizon_ps = recording.horizon_ps
    by_channel: dict[str, list[TransferLeg]] = {name: [] for name in recording.channels}
    for leg in recording.legs:
        by_channel[leg.channel].append(leg)
    results = {}
    for name, legs in by_channel.items():
        started = [leg for leg in legs if 0 <= leg.start_ps < horizon_ps]
        results[name] = ChannelResult(
            name=name,
            role=recording.channels[name].role,
            transfers=len(started),
            bits=sum(in_window(leg.bits, leg.start_ps, leg.end_ps, horizon_ps) for leg in legs),
            busy_ps=sum(in_window(leg.busy_ps, leg.start_ps, leg.end_ps, horizon_ps) for leg in legs),
            energy_aj=sum(in_window(leg.energy_aj, leg.start_ps, leg.end_ps, horizon_ps) for leg in legs),
            queue_ps=sum(leg.start_ps - leg.posted_ps for leg in started),
            resent=sum(leg.resent for leg in started),
        )
    return results


def added(one: Mapping[str, ChannelResult], other: Mapping[str, ChannelResult]) -> dict[str, ChannelResult]:
    """The traffic of two parts of a run together, for the same channels."""
    return {
        name: ChannelResult(
            name=name,
            role=a.role,
            transfers=a.transfers + other[name].transfers,
            bits=a.bits + other[name].bits,
            busy_ps=a.busy_ps + other[name].busy_ps,
            energy_aj=a.energy_aj + other[name].energy_aj,
            queue_ps=a.queue_ps + other[name].queue_ps,
            resent=a.resent + other[name].resent,
        )
        for name, a in one.items()
    }
