"""Whatever rivals do on its route, a transfer takes no longer than alone and what they can hold it up for at most."""

from __future__ import annotations

import os
import random
from collections.abc import Iterable, Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference.bench import Bench, wire
from reference.per_burst import Row, Wire
from reference.traffic_cases import ARBITERS, Case, channel_of, long_case, produced, random_case, with_costly_wires

from tlm3d.bounds.channels import Channels, Held, Move, _followed_ps, _paced_ps, _Step, held_up
from tlm3d.bounds.claim import NoBound
from tlm3d.model.moves import move_of, wire_of
from tlm3d.tlm.channel import Channel, Sleep

CASES = int(os.environ.get("TLM3D_BOUND_CASES", "250"))


def crowded_case(seed: int) -> Case:
    """One to three initiators whose transfers are followed, and rivals that post again and again at once."""
    rng = random.Random(seed)
    case = random_case(seed)
    wires = case.wires[: rng.randint(1, 3)]
    if rng.random() < 0.7:
        arbiter = rng.choice(ARBITERS)
        wires = [replace(one, arbiter=arbiter) for one in wires]
    names = [one.name for one in wires]
    size = min(one.burst_bytes for one in wires)

    def rows(count: int, bursts: int, pause_ps: int) -> list[Row]:
        route = tuple(rng.sample(names, rng.randint(1, len(names))))
        number = rng.randint(0, 2)
        return [Row(rng.choice([0, pause_ps]), max(1, size * bursts - rng.randint(0, size - 1)), route, number)] * count

    initiators = rng.sample(["a", "b", "c", "d", "e"], rng.randint(2, 5))
    pause_ps = rng.randint(0, case.typical_ps)
    traffic = {name: rows(rng.choice([1, 4, 40]), rng.choice([1, 1, 2, 5, 17]), pause_ps) for name in initiators}
    return Case(wires, traffic, None, case.typical_ps, case.is_tie_heavy)


def moves_of(case: Case, channels: Mapping[str, Channel]) -> dict[tuple[str, Row], Move]:
    return {
        (initiator, row): move_of(initiator, "-", row.priority, tuple(channels[n] for n in row.route), row.n_bytes)
        for initiator, rows in case.traffic.items()
        for row in rows
    }


def by_wire(moves: Iterable[Move]) -> dict[str, list[Move]]:
    found: dict[str, list[Move]] = {}
    for move in moves:
        for crossing in move.crossings:
            found.setdefault(crossing.wire, []).append(move)
    return found


def excesses(case: Case, leave_out: bool = False) -> list[int]:
    """By transfer, how far it is beyond its bound (below 0: how far it stays within it)."""
    channels = {one.name: channel_of(one) for one in case.wires}
    moves = moves_of(case, channels)
    wires, rivals = {name: wire_of(channel) for name, channel in channels.items()}, by_wire(moves.values())
    fates = iter(fate for fate in produced(replace(case, until_ps=None)) if fate[3])
    flights = [
        (moves[initiator, row], *next(fates)[1:3])
        for initiator in sorted(case.traffic)
        for row in case.traffic[initiator]
    ]
    left_out = set(list(case.traffic)[:: random.Random(len(flights)).choice([1, 2])]) if leave_out else set()
    found = []
    shared = Channels(rivals, wires)
    for move, posted_ps, finish_ps in flights:
        held = shared.held_up(move, left_out)
        assert isinstance(held, Held)
        assert finish_ps is not None
        found.append(finish_ps - posted_ps - move.alone_ps - held.ps)
        for other, from_ps, to_ps in flights:
            if other.initiator == move.initiator or to_ps is None or from_ps > finish_ps or to_ps < posted_ps:
                continue
            for crossing in other.crossings:
                if crossing.wire in held.by_rate:
                    if wires[crossing.wire].arbiter == "priority" and other.priority < move.priority:
                        found[-1] -= held.urgent_ps(crossing)
                    elif other.initiator in left_out:
                        found[-1] -= crossing.busy_ps
    return found


def right(one: Wire) -> Wire:
    return replace(one, wrong_percent=0)


@pytest.mark.parametrize("make", [random_case, crowded_case, long_case], ids=["random", "crowded", "long"])
@pytest.mark.parametrize("costly", [False, True], ids=["plain", "gated"])
@pytest.mark.parametrize("leave_out", [False, True], ids=["burst by burst", "some by rate"])
def test_no_transfer_is_held_up_for_longer_than_its_bound(make: object, costly: bool, leave_out: bool) -> None:
    assert callable(make)
    wrong = []
    for seed in range(1, 1 + (CASES if make is not long_case else CASES // 10)):
        case = make(seed)
        if costly:
            case = with_costly_wires(case, seed)
            case = replace(case, wires=[right(one) for one in case.wires])
        if max(excesses(case, leave_out)) > 0:
            wrong.append(seed)
    assert wrong == []


# By hop: burst, last burst, latency, buffer, waits.
STEPS = st.lists(
    st.tuples(*(st.integers(1, most) for most in (90, 90, 60, 6)), st.integers(0, 90), st.integers(0, 99)),
    min_size=1,
    max_size=4,
)


@given(STEPS, st.integers(2, 60))
def test_bursts_in_pace_are_no_sooner_than_those_that_are_followed(hops: list[tuple[int, ...]], bursts: int) -> None:
    steps = [_Step(burst, min(burst, last), *rest) for burst, last, *rest in hops]
    first_ps = steps[0].fresh_ps
    followed_ps, paced_ps = _followed_ps(steps, bursts, first_ps), _paced_ps(steps, bursts, first_ps)
    assert followed_ps <= paced_ps
    if len(steps) == 1:
        assert followed_ps == paced_ps


# ------------------------------------------------------------ cases in which a bound is reached, worked out by hand
# On these wires a byte takes 1 ps and a burst of 10 bytes 10 ps; then it is under way for 3 ps.


def held(bench: Bench, ours: str, *rivals: Move) -> Held:
    """What the last transfer of ``ours`` may be held up for by ``rivals``."""
    transfer = bench.transfers[ours]
    move = move_of(ours, "-", transfer.priority, transfer.route, transfer.n_bytes)
    wires = {channel.name: wire_of(channel) for channel in transfer.route}
    found = held_up(move, by_wire(rivals), wires)
    assert isinstance(found, Held)
    return found


def lateness(bench: Bench, ours: str) -> int:
    transfer = bench.transfers[ours]
    return bench.run()[ours] - transfer.posted_ps - transfer.alone_ps


def test_in_turns_every_rival_sends_a_burst_before_each_of_ours() -> None:
    bus, bench = wire("bus"), Bench()
    rivals = [move_of(name, "-", 0, (bus,), n) for name, n in (("a", 50), ("b", 37))]
    bench.post_now("z", 40, bus)
    bench.post_now("a", 50, bus)
    bench.post_now("b", 37, bus)
    found = held(bench, "z", *rivals)
    # a b z, four times: of b the last burst has 7 bytes, which the bound does not know of.
    assert found == Held(4 * (10 + 10))
    assert lateness(bench, "z") == 80 - 3


def test_in_turns_the_bound_is_reached_where_all_bursts_are_full() -> None:
    bus, bench = wire("bus"), Bench()
    for name, n_bytes in (("z", 40), ("a", 50), ("b", 40)):
        bench.post_now(name, n_bytes, bus)
    found = held(bench, "z", *(move_of(name, "-", 0, (bus,), 40) for name in "ab"))
    assert lateness(bench, "z") == found.ps == 80


def test_only_one_less_urgent_burst_goes_first_and_it_has_begun_a_picosecond_before() -> None:
    bus, bench = wire("bus", arbiter="priority"), Bench()
    bench.post_now("low", 100, bus, priority=2)
    bench.post(1, "z", 40, bus, priority=1)
    bench.env.run(until=2)
    found = held(bench, "z", move_of("low", "-", 2, (bus,), 100))
    assert lateness(bench, "z") == found.ps == 10 - 1


def test_more_urgent_bursts_come_on_top_and_equals_have_another_turn_after_each() -> None:
    bus, bench = wire("bus", arbiter="priority"), Bench()
    bench.post(0, "low", 10, bus, priority=2)
    bench.post(1, "c", 10, bus, priority=1)  # ours
    bench.post(1, "b", 40, bus, priority=1)
    bench.post(15, "a", 10, bus)  # at 20 a goes, after which it is b's turn again before c's
    bench.env.run(until=2)
    urgent = move_of("a", "-", 0, (bus,), 10)
    found = held(bench, "c", move_of("low", "-", 2, (bus,), 10), move_of("b", "-", 1, (bus,), 40), urgent)
    assert found == Held(10 - 1 + 10, frozenset({"bus"}), {"bus": 10})
    # low to 10, b to 20, a to 30, b again to 40, then c: 39 ps after it was posted.
    assert lateness(bench, "c") == found.ps + found.urgent_ps(urgent.crossings[0]) == 39


def test_where_the_oldest_goes_first_all_of_an_older_transfer_does_once() -> None:
    bus, bench = wire("bus", arbiter="oldest"), Bench()
    bench.post_now("a", 70, bus)
    bench.post_now("b", 30, bus)  # b posts as much again when it is done, which is younger than ours
    bench.post_now("z", 40, bus)
    bench.post(113, "b", 30, bus)
    bench.env.run(until=1)
    found = held(bench, "z", move_of("a", "-", 0, (bus,), 70), move_of("b", "-", 0, (bus,), 30))
    assert lateness(bench, "z") == found.ps == 70 + 30


def test_of_a_rival_that_comes_from_another_wire_no_more_is_older_than_there_is_room_for() -> None:
    """And one burst that is on the wire: three of its five bursts wait behind a slow one when ours come."""
    first, bus, bench = wire("first", buffers=2), wire("bus", ps_per_byte=9, arbiter="oldest"), Bench()
    bench.post_now("a", 100, first, bus)
    bench.post(110, "z", 10, bus)
    bench.env.run(until=111)
    move = move_of("z", "-", 0, (bus,), 10)
    wires = {channel.name: wire_of(channel) for channel in (first, bus)}
    found = held_up(move, by_wire([move_of("a", "-", 0, (first, bus), 100)]), wires)
    assert found == Held(2 * 90 + 90 - 1)
    # Bursts are on the bus from 13, 103 …; that of 103 has freed the place for one that comes at 106 + 13 = 119.
    assert lateness(bench, "z") == 193 - 110 + 90


def test_on_the_way_a_delay_at_one_wire_adds_to_that_at_the_next() -> None:
    one, two, bench = wire("one"), wire("two"), Bench()
    bench.post_now("z", 10, one, two)
    bench.post_now("a", 10, one)
    bench.post(22, "b", 10, two)
    bench.post(23, "c", 10, two)
    bench.env.run(until=24)
    rivals = [move_of("a", "-", 0, (one,), 10), move_of("b", "-", 0, (two,), 10), move_of("c", "-", 0, (two,), 10)]
    found = held(bench, "z", *rivals)
    # a to 10, z to 20 and there at 23; b is on wire two from 22 to 32, c to 42: one burst each but for 1 ps.
    assert found.ps == 30
    assert lateness(bench, "z") == 29


def test_a_wire_that_sleeps_at_once_is_woken_for_each_burst_that_comes_alone() -> None:
    slow = wire("slow", ps_per_byte=5)
    gated = Channel("gated", slow.rate_bps * 5, burst_bytes=10, latency_ps=3, buffer_bursts=8, sleep=Sleep(0, 100))
    bench = Bench()
    bench.post_now("z", 30, slow, gated)
    found = held(bench, "z")
    # Woken at 53 for 100 ps all three bursts follow each other: 153 to 183, instead of 153 to 163 alone.
    assert lateness(bench, "z") == 20
    assert found.ps == 100


def test_a_wire_that_stays_awake_between_bursts_is_woken_once() -> None:
    gated = Channel("g", wire("x").rate_bps, burst_bytes=10, latency_ps=3, buffer_bursts=1, sleep=Sleep(70, 7))
    after, bench = wire("after"), Bench()
    bench.post_now("z", 50, gated, after)
    assert lateness(bench, "z") == held(bench, "z").ps == 7


def test_what_nobody_shares_is_not_held_up_whatever_its_arbiter() -> None:
    bus = wire("bus", arbiter="oldest")
    move = move_of("z", "-", 0, (bus,), 95)
    odd = wire_of(bus)._replace(arbiter="lottery")
    assert held_up(move, {"bus": [move]}, {"bus": odd}) == Held(0)
    refused = held_up(move, {"bus": [move_of("a", "-", 0, (bus,), 10)]}, {"bus": odd})
    assert refused == NoBound("it is not known whom the arbiter 'lottery' of bus lets wait")


def test_there_is_no_bound_where_bits_may_be_sent_again() -> None:
    bus = wire("bus")
    faulty = wire_of(bus)._replace(faulty=True)
    found = held_up(move_of("z", "-", 0, (bus,), 95), {}, {"bus": faulty})
    assert found == NoBound("bits of bus may be sent again without end")
