"""Whatever rivals do on its route, a transfer takes no longer than alone and what they can hold it up for at most."""

from __future__ import annotations

import os
import random
from collections.abc import Iterable, Mapping
from dataclasses import replace

import pytest
from reference.bench import Bench, wire
from reference.per_burst import Row, Wire
from reference.traffic_cases import ARBITERS, Case, channel_of, long_case, produced, random_case, with_costly_wires

from tlm3d.bounds.channels import Held, Move, held_up
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


def excesses(case: Case) -> list[int]:
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
    found = []
    for move, posted_ps, finish_ps in flights:
        held = held_up(move, rivals, wires)
        assert isinstance(held, Held) and finish_ps is not None
        urgent_ps = sum(
            held.urgent_ps(crossing)
            for other, from_ps, to_ps in flights
            if other.initiator != move.initiator and other.priority < move.priority
            if to_ps is not None and from_ps <= finish_ps and posted_ps <= to_ps
            for crossing in other.crossings
            if crossing.wire in held.by_rate
        )
        found.append(finish_ps - posted_ps - move.alone_ps - held.ps - urgent_ps)
    return found


def right(one: Wire) -> Wire:
    return replace(one, wrong_percent=0)


@pytest.mark.parametrize("make", [random_case, crowded_case, long_case], ids=["random", "crowded", "long"])
@pytest.mark.parametrize("costly", [False, True], ids=["plain", "gated"])
def test_no_transfer_is_held_up_for_longer_than_its_bound(make: object, costly: bool) -> None:
    assert callable(make)
    wrong = []
    for seed in range(1, 1 + (CASES if make is not long_case else CASES // 10)):
        case = make(seed)
        if costly:
            case = with_costly_wires(case, seed)
            case = replace(case, wires=[right(one) for one in case.wires])
        if max(excesses(case)) > 0:
            wrong.append(seed)
    assert wrong == []
