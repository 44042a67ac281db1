"""Sockets add no time: a payload over channels is a transfer of the kernel, in either view and under competition."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import partial

import simpy
from hypothesis import given, settings
from hypothesis import strategies as st
from reference.parts import OK, PhasedPlayer, Player, Slow, SlowInPhases
from reference.per_burst import simulate
from reference.traffic_cases import Case, Process, channel_of, random_case, with_costly_wires

from tlm3d.tlm.carrier import Carrier
from tlm3d.tlm.channel import Channel
from tlm3d.tlm.fabric import Fabric
from tlm3d.tlm.interconnect import Interconnect
from tlm3d.tlm.memory_target import MemoryTarget
from tlm3d.tlm.module import Module, elaborate
from tlm3d.tlm.payload import Payload, Priority
from tlm3d.tlm.protocol_checker import ProtocolChecker

seeds = st.integers(0, 2**32)
Finishes = dict[str, list[int]]


def case_of(seed: int) -> Case:
    """A random case in which each initiator keeps to one route, as a socket does.

    Without faults: which bursts arrive wrong hangs on the name of the initiator, and a module's is its path.
    """
    case = with_costly_wires(random_case(seed), seed)
    traffic = {
        initiator: [replace(row, route=rows[0].route) for row in rows] for initiator, rows in case.traffic.items()
    }
    wires = [replace(wire, wrong_percent=0) for wire in case.wires]
    return Case(wires, traffic, None, case.typical_ps)


def channels_of(case: Case) -> dict[str, Channel]:
    return {wire.name: channel_of(wire) for wire in case.wires}


def through_sockets(case: Case, seed: int, phased: bool) -> Finishes:
    """Each initiator a module, each route an Interconnect with a memory behind; built in an order of ``seed``."""
    rng = random.Random(seed)
    env = simpy.Environment()
    carrier, channels, top = Carrier(env, Fabric(env)), channels_of(case), Module("top", env)
    players = {}
    order = list(case.traffic)
    rng.shuffle(order)
    for initiator in order:
        rows = case.traffic[initiator]
        plan = []
        for row in rows:
            payload = rng.choice([Payload.read, Payload.write])(0, row.n_bytes)
            payload.set_extension(Priority(row.priority))
            plan.append((row.after_ps, payload))
        here = Module(initiator, top)
        player = players[initiator] = (PhasedPlayer if phased else Player)("cpu", here, plan)
        route = [channels[name] for name in rows[0].route]
        way, memory = Interconnect("way", here, carrier, write=route, read=route), MemoryTarget("m", here, 10**6)
        ends = [player.out, way.target, way.initiator, memory.target]
        for number, (socket, target) in enumerate(zip(ends[::2], ends[1::2], strict=True)):
            if rng.random() < 0.5:
                checker = ProtocolChecker(f"checker_{number}", here)
                socket.bind(checker.target)
                socket = checker.initiator
            socket.bind(target)
    elaborate(top)
    env.run()
    assert all(status is OK for player in players.values() for _, status in player.responses)
    return {initiator: [at_ps for at_ps, _ in player.responses] for initiator, player in players.items()}


def posted(case: Case) -> Finishes:
    """The same bytes, posted to the Fabric without any socket."""
    env = simpy.Environment()
    fabric, channels = Fabric(env), channels_of(case)
    finishes: Finishes = {initiator: [] for initiator in case.traffic}

    def play(initiator: str) -> Process:
        for row in case.traffic[initiator]:
            yield env.timeout(row.after_ps)
            finished = env.event()
            route = tuple(channels[name] for name in row.route)
            fabric.post(initiator, route, row.n_bytes, partial(_succeed, finished), row.priority)
            yield finished
            finishes[initiator].append(int(env.now))

    for initiator in case.traffic:
        env.process(play(initiator))
    env.run()
    return finishes


def _succeed(finished: simpy.Event, _: object) -> None:
    finished.succeed()


@given(seeds)
@settings(max_examples=150, deadline=None)
def test_a_payload_over_channels_arrives_when_its_bytes_do(seed: int) -> None:
    case = case_of(seed)
    model = simulate(case.wires, case.traffic)
    by_hand = {initiator: [run.finish_ps for run in runs] for initiator, runs in model.runs.items()}
    assert through_sockets(case, seed, phased=False) == posted(case) == by_hand


@given(seeds)
@settings(max_examples=100, deadline=None)
def test_the_blocking_and_the_phased_view_give_the_same_times(seed: int) -> None:
    case = case_of(seed)
    assert through_sockets(case, seed, phased=False) == through_sockets(case, seed + 1, phased=True)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 20)), min_size=1, max_size=6), st.booleans())
def test_all_four_meetings_of_the_two_views_take_the_time_of_the_target(
    plan: list[tuple[int, int]], checked: bool
) -> None:
    def responses(initiator: type[Player] | type[PhasedPlayer], target: type[Slow] | type[SlowInPhases]) -> list[int]:
        top = Module("top", simpy.Environment())
        player = initiator("cpu", top, [(after_ps, Payload.read(latency_ps, 4)) for after_ps, latency_ps in plan])
        memory = target("memory", top)
        if checked:
            checker = ProtocolChecker("checker", top)
            player.out.bind(checker.target)
            checker.initiator.bind(memory.target)
        else:
            player.out.bind(memory.target)
        elaborate(top)
        top.env.run()
        return [at_ps for at_ps, _ in player.responses]

    at_ps = 0
    expected = [at_ps := at_ps + after_ps + latency_ps for after_ps, latency_ps in plan]
    for initiator in (Player, PhasedPlayer):
        for target in (Slow, SlowInPhases):
            assert responses(initiator, target) == expected
