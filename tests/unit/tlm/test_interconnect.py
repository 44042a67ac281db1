"""Payloads over channels between sockets: what is moved, when, and who waits for whom."""

from __future__ import annotations

from collections.abc import Generator
from fractions import Fraction

import pytest
import simpy
from reference.parts import Caller

from tlm3d.errors import ElaborationError
from tlm3d.tlm.carrier import Carrier
from tlm3d.tlm.channel import Channel
from tlm3d.tlm.fabric import Fabric
from tlm3d.tlm.interconnect import Interconnect
from tlm3d.tlm.memory_target import MemoryTarget
from tlm3d.tlm.module import Module, elaborate
from tlm3d.tlm.payload import Command, Payload


def finishes(*payloads: Payload, inputs: tuple[str, ...] = ("target",)) -> list[int]:
    """When payloads that are sent together return, each by the input of its place; 1 ns a byte, 2 ns of latency."""
    env = simpy.Environment()
    top = Module("top", env)
    wire = Channel("wire", Fraction(8 * 10**9), burst_bytes=4, latency_ps=2000)
    way = Interconnect("way", top, Carrier(env, Fabric(env)), write=[wire], read=[wire], inputs=inputs)
    way.initiator.bind(MemoryTarget("memory", top, 64).target)
    callers = {name: Caller(f"cpu_{name}", top) for name in inputs}
    for name, caller in callers.items():
        caller.out.bind(way.inputs[name])
    done = [-1] * len(payloads)

    def send(number: int, payload: Payload) -> Generator[simpy.Event, None, None]:
        yield from callers[inputs[number % len(inputs)]].out.b_transport(payload)
        done[number] = top.now_ps

    elaborate(top)
    for number, payload in enumerate(payloads):
        env.process(send(number, payload))
    env.run()
    return done


def test_an_input_carries_one_payload_after_the_other() -> None:
    assert finishes(Payload.write(0, 8), Payload.write(0, 4)) == [10_000, 16_000]


def test_two_inputs_share_the_wire_burst_by_burst() -> None:
    assert finishes(Payload.write(0, 8), Payload.write(0, 4), inputs=("a", "b")) == [14_000, 10_000]


def test_only_a_read_that_is_served_brings_bytes_back() -> None:
    assert finishes(Payload.read(0, 8)) == [10_000]
    assert finishes(Payload.read(60, 8)) == [0]  # beyond the memory: its refusal comes at once
    assert finishes(Payload.write(60, 8)) == [10_000]  # the bytes had to travel to be refused
    assert finishes(Payload(Command.TLM_IGNORE_COMMAND, 0, 8)) == [0]


def test_several_inputs_are_named() -> None:
    env = simpy.Environment()
    way = Interconnect("way", Module("top", env), Carrier(env, Fabric(env)), inputs=("b", "a"))
    with pytest.raises(ElaborationError, match=r"^top\.way: has the inputs a, b; name one: \.inputs\[\.\.\.\]$"):
        _ = way.target
