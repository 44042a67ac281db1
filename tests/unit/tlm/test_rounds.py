"""What repeats is not visited burst by burst, worked by hand: 1 ps a byte, bursts of 10 bytes, latency 3 ps."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from reference.bench import Bench, wire

from tlm3d.tlm.channel import Channel, Sleep
from tlm3d.tlm.hop import Hop
from tlm3d.tlm.transfer import Transfer


@pytest.fixture
def visits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Times of the burst starts that the kernel has visited one by one."""
    starts: list[int] = []
    start_burst: Callable[[Hop, int], int] = Hop.start_burst

    def counting(hop: Hop, now_ps: int) -> int:
        starts.append(now_ps)
        return start_burst(hop, now_ps)

    monkeypatch.setattr(Hop, "start_burst", counting)
    return starts


@pytest.mark.parametrize("bursts", [10, 100_000])
def test_on_one_channel_only_the_last_round_is_visited(bursts: int, visits: list[int]) -> None:
    bench, link = Bench(), wire("link")
    for initiator in "abcd":
        bench.post(0, initiator, 10 * bursts, link)
    last_ps = 40 * (bursts - 1)  # when the last round begins
    assert bench.run() == {who: last_ps + 13 + 10 * i for i, who in enumerate("abcd")}
    times_ps = (0, 20, last_ps + 30, last_ps + 33)
    assert bench.transfers["c"].legs() == [(link, *times_ps, 10 * bursts, 80 * bursts, bursts, 0)]
    assert visits == [last_ps, last_ps + 10, last_ps + 20, last_ps + 30]


def test_the_last_burst_of_a_transfer_in_turns_may_be_shorter(visits: list[int]) -> None:
    bench, link = Bench(), wire("link")
    bench.post(0, "a", 995, link)
    bench.post(0, "b", 1000, link)
    assert bench.run() == {"a": 1980 + 5 + 3, "b": 1985 + 10 + 3}
    assert len(visits) == 2


def test_rounds_end_where_somebody_new_comes_or_the_fewest_bursts_are_left(visits: list[int]) -> None:
    bench, link = Bench(), wire("link")
    bench.post(0, "a", 1000, link)
    bench.post(0, "b", 10_000, link)
    bench.post(495, "c", 200, link)  # a b … a(480) b(490), then c a b from 500 on
    # c starts its last burst at 500 + 19·30; at 1100 a has sent 25 + 20 and has 55 rounds of 20 to go, b all the rest
    assert bench.run() == {"c": 1070 + 13, "a": 1100 + 54 * 20 + 13, "b": 11_203}
    assert len(visits) < 12


def test_the_oldest_goes_first_to_its_last_burst(visits: list[int]) -> None:
    bench, link = Bench(), wire("link", arbiter="oldest")
    bench.post(0, "z", 1000, link)
    bench.post(1, "b", 1000, link)
    bench.post(1, "a", 1000, link)
    assert bench.run() == {"z": 1003, "a": 2003, "b": 3003}
    assert visits[-1] == 2990
    assert len(visits) <= 6


def test_turns_go_by_priority_and_the_rest_waits(visits: list[int]) -> None:
    bench, link = Bench(), wire("link", arbiter="priority")
    for who, number in (("a", 2), ("b", 1), ("c", 1)):
        bench.post(0, who, 1000, link, priority=number)
    assert bench.run() == {"b": 1993, "c": 2003, "a": 3003}
    assert len(visits) == 4


@pytest.mark.parametrize("arbiter", ["round-robin", "oldest", "priority"])
def test_over_two_hops_the_rounds_visited_do_not_depend_on_the_length(arbiter: str, visits: list[int]) -> None:
    visited = []
    for bursts in (200, 20_000):
        bench, route = Bench(), (wire("first", buffers=2), wire("second", ps_per_byte=2, arbiter=arbiter))
        bench.post(0, "a", 10 * bursts, *route)
        bench.post(0, "b", 10 * bursts, *route)
        visits.clear()
        # The second hop is never idle from 13 on, and a is always one burst ahead.
        assert bench.run() == {"a": 13 + 20 * (2 * bursts - 1) + 3, "b": 13 + 20 * 2 * bursts + 3}
        visited.append(len(visits))
    assert visited[0] == visited[1] < 60


def test_a_long_transfer_alone_is_replayed_in_rounds_when_somebody_comes(visits: list[int]) -> None:
    bench, first, second = Bench(), wire("first"), wire("second")
    bench.post(0, "a", 100_000, first, second)
    bench.post(99_915, "b", 10, second)  # a starts on the second channel at 99 913, b at 99 923
    assert bench.run() == {"b": 99_936, "a": 100_026}  # alone 100 016
    assert len(visits) < 100


def test_a_horizon_within_skipped_rounds_finds_everything_where_it_is() -> None:
    bench, route = Bench(), (wire("first"), wire("second"))
    bench.post(0, "a", 100_000, *route)
    bench.post(0, "b", 100_000, *route)
    bench.env.run(until=50_006)
    bench.fabric.settle(50_005)
    a, b = (transfer.legs() for transfer in bench.fabric.in_flight())
    # first: a at 0, 20, … 50 000, b at 10, 30, … 49 990; second 13 later
    assert [(leg.start_ps, leg.end_ps, leg.bursts) for leg in a] == [(0, 50_010, 2501), (13, 50_003, 2500)]
    assert [(leg.start_ps, leg.end_ps, leg.bursts) for leg in b] == [(10, 50_000, 2500), (23, 50_013, 2500)]
    assert bench.run() == {"a": 199_993 + 13, "b": 200_003 + 13}


def test_a_gated_channel_that_falls_asleep_in_every_round_is_woken_in_every_round() -> None:
    slow = wire("slow", ps_per_byte=10)
    fast = Channel("fast", wire("any").rate_bps, burst_bytes=10, latency_ps=3, sleep=Sleep(after_ps=50, wake_ps=7))
    bench = Bench()
    bench.post(0, "a", 1000, slow, fast)
    assert bench.run() == {"a": 99 * 100 + 103 + 7 + 10 + 3}
    assert len(fast.naps) == 100
    assert bench.transfers["a"].woken_ps == 700


def test_all_who_take_turns_have_waited_for_the_wake_up_once() -> None:
    link = Channel("link", wire("any").rate_bps, burst_bytes=10, latency_ps=3, sleep=Sleep(after_ps=50, wake_ps=7))
    bench = Bench()
    bench.post(100, "a", 1000, link)
    bench.post(100, "b", 1000, link)
    bench.post(103, "c", 1000, link)  # while the channel wakes up
    bench.post(110, "d", 1000, link)
    assert bench.run()["d"] == 107 + 4000 + 3
    woken_ps = {who: transfer.woken_ps for who, transfer in bench.transfers.items()}
    assert woken_ps == {"a": 7, "b": 7, "c": 4, "d": 0}
    assert [(nap.asleep_ps, nap.woken_ps) for nap in link.naps] == [(0, 100)]


def test_a_newcomer_to_a_busy_channel_costs_one_event() -> None:
    bench, link = Bench(), wire("link")
    left = 200

    def again(transfer: Transfer) -> None:
        nonlocal left
        left -= 1
        if left > 0:
            bench.fabric.post(transfer.initiator, (link,), 10, again)

    for initiator in "abc":
        bench.fabric.post(initiator, (link,), 10, again)
    events = 0
    while bench.env.peek() < float("inf"):
        bench.env.step()
        events += 1
    assert bench.env.now == 10 * 202 + 3
    assert events <= 202 + 4


def test_both_sides_of_a_newcomer_hear_of_each_other() -> None:
    bench, link = Bench(), wire("link")
    for at_ps, who in ((0, "b"), (5, "c"), (7, "a"), (7, "d")):
        bench.post(at_ps, who, 100, link)
    bench.run()
    rivals = {who: [rival.initiator for rival in transfer.rivals] for who, transfer in bench.transfers.items()}
    assert rivals == {"a": ["b", "c", "d"], "b": ["a", "c", "d"], "c": ["a", "b", "d"], "d": ["a", "b", "c"]}


def test_who_queues_is_met_by_who_comes_over_another_channel_at_the_same_instant() -> None:
    bench, one, two = Bench(), wire("one"), wire("two")
    bench.post(0, "a", 100, one)
    bench.post(0, "b", 100, one)
    bench.post(5, "d", 30, two, one)
    bench.post(5, "c", 10, one)  # round robin on one: a b c a b d …
    assert bench.run()["c"] == 33
    assert "d" in [rival.initiator for rival in bench.transfers["c"].rivals]
