"""Transfers that meet, worked by hand: 1 ps a byte, bursts of 10 bytes, latency 3 ps unless stated."""

from __future__ import annotations

import pytest
from reference.bench import Bench, wire
from simpy.events import EventPriority

from tlm3d.errors import SimulationError
from tlm3d.tlm.alarm import Alarm
from tlm3d.tlm.timing import ARBITRATE


def test_round_robin_goes_by_name_whatever_the_order_of_posting() -> None:
    bench, link = Bench(), wire("link")
    for initiator in "cab":
        bench.post(0, initiator, 20, link)
    assert bench.run() == {"a": 43, "b": 53, "c": 63}  # a b c a b c
    assert {i: bench.transfers[i].legs()[0].start_ps for i in "abc"} == {"a": 0, "b": 10, "c": 20}


def test_round_robin_remembers_a_transfer_that_was_alone() -> None:
    bench, link = Bench(), wire("link")
    bench.post(0, "b", 10, link)
    bench.post(50, "a", 10, link)
    bench.post(50, "c", 10, link)
    assert bench.run() == {"b": 13, "c": 63, "a": 73}


@pytest.mark.parametrize(("posted_ps", "finish_ps"), [(9, 23), (10, 23), (11, 33)])
def test_a_decision_sees_what_is_posted_at_its_instant_and_nothing_later(posted_ps: int, finish_ps: int) -> None:
    bench, link = Bench(), wire("link")
    bench.post(0, "b", 30, link)
    bench.post(posted_ps, "a", 10, link)  # the wire is free again at 10
    assert bench.run() == {"a": finish_ps, "b": 43}


def test_a_competitor_delays_a_transfer_that_had_been_alone() -> None:
    bench, link = Bench(), wire("link")
    bench.post(0, "a", 40, link)
    bench.post(15, "b", 20, link)
    assert bench.run() == {"b": 53, "a": 63}  # a a b a b a
    assert bench.finished == [("b", 53), ("a", 63)]  # once each: nothing left of the finish a would have had alone
    assert bench.transfers["a"].alone_ps == 43
    assert bench.transfers["a"].legs() == [(link, 0, 0, 60, 63, 40, 320, 4, 0)]


def test_the_oldest_burst_goes_first_and_names_break_ties() -> None:
    bench, link = Bench(), wire("link", arbiter="oldest")
    bench.post(0, "z", 30, link)
    bench.post(5, "b", 10, link)
    bench.post(5, "a", 10, link)
    bench.post(4, "c", 10, link)
    assert bench.run() == {"z": 33, "c": 43, "a": 53, "b": 63}


def test_age_counts_from_arrival_at_this_channel() -> None:
    bench, first, second = Bench(), wire("first", ps_per_byte=2), wire("second", arbiter="oldest")
    bench.post(0, "a", 20, first, second)  # reaches the second channel at 23 and 43
    bench.post(15, "b", 10, second)  # 15 to 25
    bench.post(24, "c", 10, second)  # younger than the first burst of a
    assert bench.run() == {"b": 28, "a": 58, "c": 48}  # b 15, a 25, c 35, a 45


def test_the_smallest_priority_number_goes_first_round_robin_among_equals() -> None:
    bench, link = Bench(), wire("link", arbiter="priority")
    bench.post(0, "a", 20, link, priority=2)
    bench.post(0, "b", 20, link, priority=2)
    bench.post(5, "c", 10, link, priority=1)
    assert bench.run() == {"c": 23, "a": 33, "b": 53}  # a c a b b, as a follows c in the round


def test_buffers_are_kept_for_each_initiator() -> None:
    bench, first, second = Bench(), wire("first", buffers=1), wire("second")
    bench.post(0, "a", 20, first, second)
    bench.post(0, "b", 20, first, second)
    # first: a 0, b 10, a 20 (credit back at 13+3), b 30 (23+3); second: 13, 23, 33, 43
    assert bench.run() == {"a": 46, "b": 56}


def test_credits_still_under_way_do_not_help_the_next_transfer() -> None:
    bench, first, second = Bench(), wire("first", latency_ps=50, buffers=1), wire("second", latency_ps=1)
    bench.fabric.post("dma", (first, second), 10, lambda transfer: bench.post_now("dma", 20, first, second))
    # finish 0+10+50+10+1 = 71, credit of it back at 110; then 71, second 131, credit back 181, second 241, 11 more
    assert bench.run() == {"dma": 252}


def test_a_waiting_burst_blocks_its_initiator_but_not_the_others() -> None:
    bench, shared = Bench(), wire("shared", buffers=1)
    slow, free = wire("slow", ps_per_byte=10), wire("free")
    bench.post(0, "a", 20, shared, slow)  # slow: 13 to 113; the credit for the second burst is back at 16
    bench.post(0, "b", 20, shared, free)
    assert bench.run() == {"b": 56, "a": 216}  # shared: a 0, b 10, a 20, b 30


def test_who_shared_a_channel_is_a_rival_of_both() -> None:
    bench, one, two = Bench(), wire("one"), wire("two")
    bench.post(0, "a", 50, one, two)
    bench.post(5, "b", 10, two, one)
    bench.post(40, "c", 10, two)
    bench.post(500, "d", 10, two)
    bench.run()
    rivals = {i: [rival.initiator for rival in transfer.rivals] for i, transfer in bench.transfers.items()}
    assert rivals == {"a": ["b", "c"], "b": ["a"], "c": ["a"], "d": []}
    assert bench.transfers["b"].rivals[0].owner == "job of a"


def test_a_finish_in_one_group_can_reach_into_another_one_due_at_the_same_instant() -> None:
    bench, one, two = Bench(), wire("one"), wire("two")
    bench.post(0, "a", 1000, one)
    bench.post(0, "b", 1000, one)
    bench.post(0, "e", 1000, two)
    bench.fabric.post("d", (two,), 10, lambda transfer: bench.post_now("d", 10, one))
    # d finishes at 13; on channel one a went at 0, b at 10, a would at 20: d comes after b
    assert bench.run()["d"] == 33


def test_posting_after_the_decisions_of_an_instant_is_an_error() -> None:
    bench, link = Bench(), wire("link")
    bench.post(0, "a", 20, link)
    bench.post(0, "b", 20, link)
    late = Alarm(bench.env, lambda: bench.post_now("c", 10, link))
    bench.env.schedule(late, EventPriority(ARBITRATE + 1))
    with pytest.raises(SimulationError, match="at 0 ps in c: posted after the channels had decided for this instant"):
        bench.run()


def test_a_horizon_finds_every_transfer_as_far_as_it_has_come() -> None:
    bench, first, second = Bench(), wire("first"), wire("second")
    bench.post(0, "lone", 40, first, second)
    bench.env.run(until=21)
    bench.fabric.settle(20)
    (lone,) = bench.fabric.in_flight()
    assert lone.legs() == [(first, 0, 0, 30, 33, 30, 240, 3, 0), (second, 13, 13, 23, 26, 10, 80, 1, 0)]
    assert bench.run() == {"lone": 56}  # and looking has changed nothing


def test_a_burst_that_starts_at_the_horizon_has_started() -> None:
    bench, link = Bench(), wire("link")
    bench.post(0, "a", 20, link)
    bench.post(0, "b", 20, link)
    bench.post(0, "c", 20, link)
    bench.env.run(until=11)
    bench.fabric.settle(10)
    legs = {transfer.initiator: transfer.legs() for transfer in bench.fabric.in_flight()}
    assert legs == {"a": [(link, 0, 0, 10, 13, 10, 80, 1, 0)], "b": [(link, 0, 10, 20, 23, 10, 80, 1, 0)], "c": []}
    with pytest.raises(SimulationError, match="has already decided up to 11 ps"):
        bench.fabric.settle(9)


@pytest.mark.parametrize("order", ["abc", "cab", "bca"])
def test_rivals_are_listed_in_the_same_order_whatever_the_order_of_posting(order: str) -> None:
    bench, link = Bench(), wire("link")
    for initiator in order:
        bench.post(0, initiator, 20, link)
    bench.run()
    assert [rival.initiator for rival in bench.transfers["b"].rivals] == ["a", "c"]
