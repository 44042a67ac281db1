"""A transfer that meets nobody, worked by hand: 1 ps a byte, bursts of 10 bytes, latency 3 ps unless stated."""

from __future__ import annotations

import pytest
from reference.bench import Bench, wire

from tlm3d.errors import SimulationError
from tlm3d.tlm.channel import Channel


def test_the_last_burst_may_be_shorter() -> None:
    bench, link = Bench(), wire("link")
    bench.post(100, "dma", 25, link)
    assert bench.run() == {"dma": 128}  # 10 + 10 + 5 on the wire, then 3
    assert bench.transfers["dma"].legs() == [(link, 100, 100, 125, 128, 25, 200, 3, 0)]
    assert bench.transfers["dma"].alone_ps == 28


def test_latency_does_not_occupy_the_wire() -> None:
    bench, link = Bench(), wire("link", latency_ps=1000)
    bench.post(0, "dma", 30, link)
    assert bench.run() == {"dma": 1030}


def test_bursts_are_forwarded_one_by_one() -> None:
    bench, first, second = Bench(), wire("first"), wire("second")
    bench.post(0, "dma", 25, first, second)
    assert bench.run() == {"dma": 41}  # starts 0, 10, 20 then 13, 23, 33; 5 on the wire, then 3
    assert bench.transfers["dma"].legs() == [
        (first, 0, 0, 25, 28, 25, 200, 3, 0),
        (second, 13, 13, 38, 41, 25, 200, 3, 0),
    ]


def test_the_smallest_burst_of_the_route_is_used_on_every_hop() -> None:
    bench, small = Bench(), wire("small")
    large = Channel("large", small.rate_bps, burst_bytes=64, overhead_bits=8, latency_ps=3)
    bench.post(0, "dma", 20, large, small)
    assert bench.run() == {"dma": 38}  # large: 11 a burst, 0 and 11; small: 14 and 25, then 10 + 3
    assert bench.transfers["dma"].legs()[0] == (large, 0, 0, 22, 25, 22, 176, 2, 0)


def test_one_buffer_sends_one_burst_a_round_trip() -> None:
    bench, first, second = Bench(), wire("first", buffers=1), wire("second")
    bench.post(0, "dma", 30, first, second)
    # first 0, second 13, credit back 16; 16, 29, 32; 32, 45, then 10 + 3
    assert bench.run() == {"dma": 58}
    assert [(leg.start_ps, leg.end_ps) for leg in bench.transfers["dma"].legs()] == [(0, 42), (13, 55)]


def test_a_million_round_trips_take_a_million_times_as_long() -> None:
    bench, first, second = Bench(), wire("first", buffers=1), wire("second")
    bench.post(0, "dma", 10**7 - 4, first, second)
    assert bench.run() == {"dma": (10**6 - 1) * 16 + 6 + 3 + 6 + 3}  # the last burst is 6 bytes
    assert bench.transfers["dma"].legs()[0].end_ps == (10**6 - 1) * 16 + 6


@pytest.mark.parametrize(("buffers", "first_end_ps"), [(1, 46), (2, 30), (3, 30)])
def test_a_slow_hop_holds_back_the_hop_before_it(buffers: int, first_end_ps: int) -> None:
    bench, fast, slow = Bench(), wire("fast", buffers=buffers), wire("slow", ps_per_byte=2)
    bench.post(0, "dma", 30, fast, slow)
    assert bench.run() == {"dma": 76}  # slow: 13, 33, 53, then 20 + 3; fast with one buffer: 0, 13+3, 33+3
    assert bench.transfers["dma"].legs()[0].end_ps == first_end_ps


def test_a_slow_hop_holds_back_a_long_transfer_by_credits() -> None:
    bench, fast, slow = Bench(), wire("fast", buffers=2), wire("slow", ps_per_byte=2)
    bench.post(0, "dma", 100, fast, slow)
    bench.run()
    # burst 7 starts on the slow hop at 13 + 7·20; its credit, 3 later, is for burst 9, the last
    assert bench.transfers["dma"].legs()[0].end_ps == 13 + 140 + 3 + 10


def test_a_slow_last_hop_does_not_hide_too_small_a_buffer_before_it() -> None:
    bench, route = Bench(), (wire("first", buffers=1), wire("second"), wire("slow", ps_per_byte=2))
    bench.post(0, "dma", 50, *route)
    assert bench.run() == {"dma": 129}  # slow: 26 + 4·20, then 20 + 3
    ends_ps = [leg.end_ps for leg in bench.transfers["dma"].legs()]
    assert ends_ps == [74, 87, 126]  # first: one burst a round trip of 16, the fifth at 64; second 13 later


def test_a_lone_transfer_costs_two_events_however_long_it_is() -> None:
    bench, route = Bench(), (wire("first"), wire("second"))
    bench.fabric.post("dma", route, 10**6, lambda transfer: None)
    bench.env.step()
    bench.env.step()
    assert bench.env.peek() == float("inf")
    assert bench.fabric.in_flight() == []


def test_an_initiator_has_one_transfer_in_flight() -> None:
    bench, link = Bench(), wire("link")
    bench.post(0, "dma", 10, link)
    bench.post(12, "dma", 10, link)
    with pytest.raises(SimulationError, match="at 12 ps in dma: posted a transfer while another one is in flight"):
        bench.run()


def test_the_next_transfer_may_be_posted_when_the_last_has_finished() -> None:
    bench, link = Bench(), wire("link")
    bench.fabric.post("dma", (link,), 10, lambda transfer: bench.post_now("dma", 10, link))
    assert bench.run() == {"dma": 26}


LINK = wire("link")


@pytest.mark.parametrize(
    ("n_bytes", "route", "what"),
    [
        (0, (LINK,), "posted a transfer of 0 bytes"),
        (5, (), r"posted to an impossible route \(\)"),
        (5, (LINK, LINK), r"posted to an impossible route \(<Channel link>, <Channel link>\)"),
    ],
)
def test_impossible_transfers_are_refused(n_bytes: int, route: tuple[Channel, ...], what: str) -> None:
    with pytest.raises(SimulationError, match=what):
        Bench().fabric.post("dma", route, n_bytes, lambda transfer: None)
