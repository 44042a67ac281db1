"""One direction of a link by itself: how long a burst occupies it, and what numbers it refuses."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tlm3d.errors import ElaborationError, PluginError
from tlm3d.tlm.channel import Channel


def test_a_burst_occupies_the_wire_for_payload_and_overhead() -> None:
    channel = Channel("tsv:a>b", Fraction(640 * 10**6), overhead_bits=32)
    assert channel.burst_ps(64) == 850_000  # 544 bit at 640 Mbit/s


def test_bits_are_padded_to_whole_lanes_and_time_up_to_a_picosecond() -> None:
    channel = Channel("tsv:a>b", Fraction(3 * 10**12), lanes=5)
    assert channel.burst_ps(1) == 4  # 8 bit on 5 lanes are 10 bit: 3.33 ps
    assert channel.burst_ps(5) == 14  # 40 bit fill the lanes: 13.33 ps


@pytest.mark.parametrize(("latency_ps", "covers"), [(15, True), (16, False)])
def test_four_buffers_cover_a_round_trip_of_three_bursts(latency_ps: int, covers: bool) -> None:
    channel = Channel("bond", Fraction(8 * 10**12), burst_bytes=10, latency_ps=latency_ps, buffer_bursts=4)
    assert channel.covers_round_trip is covers  # 10 + 2·15 = 4·10


def test_all_impossible_numbers_are_reported_at_once() -> None:
    with pytest.raises(ElaborationError) as caught:
        Channel("bond", Fraction(0), lanes=0, burst_bytes=0, overhead_bits=-1, latency_ps=0, buffer_bursts=0)
    assert caught.value.problems == (
        "bond: lanes must be at least 1, got 0",
        "bond: burst_bytes must be at least 1, got 0",
        "bond: latency_ps must be at least 1, got 0",
        "bond: buffer_bursts must be at least 1, got 0",
        "bond: rate_bps must be positive, got 0",
        "bond: overhead_bits must not be negative, got -1",
    )


def test_an_unknown_arbiter_gets_a_suggestion() -> None:
    with pytest.raises(PluginError, match="bond: unknown arbiter 'round-robbin'; did you mean 'round-robin'"):
        Channel("bond", Fraction(1), arbiter="round-robbin")
