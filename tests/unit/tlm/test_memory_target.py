"""A memory behind a socket: what it holds, what it refuses, and the time its port takes."""

from __future__ import annotations

from fractions import Fraction

import pytest
import simpy
from reference.parts import Player

from tlm3d.errors import ElaborationError
from tlm3d.tlm.carrier import Carrier
from tlm3d.tlm.channel import Channel
from tlm3d.tlm.fabric import Fabric
from tlm3d.tlm.memory_target import MemoryTarget
from tlm3d.tlm.module import Module, elaborate
from tlm3d.tlm.payload import Command, Payload, ResponseStatus

READ, WRITE, IGNORE = Command


def access(*payloads: Payload, **memory: object) -> tuple[list[str], MemoryTarget]:
    """Responses without their TLM_ and _RESPONSE; a memory of 16 bytes that hold 0 to 15, unless told otherwise."""
    top = Module("top", simpy.Environment())
    target = MemoryTarget("memory", top, **({"capacity_bytes": 16, "data": bytes(range(16))} | memory))  # type: ignore[arg-type]
    player = Player("player", top, [(0, payload) for payload in payloads])
    player.out.bind(target.target)
    elaborate(top)
    top.env.run()
    return [status.name[4:-9] for _, status in player.responses], target


def test_what_is_written_is_read() -> None:
    back = Payload.read(5, 4, bytearray(4))
    assert access(Payload.write(4, 4, bytearray(b"abcd")), back)[0] == ["OK", "OK"]
    assert back.data == b"bcd\x08"


def test_disabled_bytes_stay_as_they_are_on_both_sides() -> None:
    write = Payload(WRITE, 0, 6, bytearray(b"abcdef"), byte_enables=b"\xff\x00")
    read = Payload(READ, 0, 6, bytearray(b"......"), byte_enables=b"\x00\xff\xff")
    _, memory = access(write, read)
    assert memory.data is not None
    assert memory.data[:6] == b"a\x01c\x03e\x05"
    assert read.data == b".\x01c.e\x05"


def test_a_stream_goes_to_the_same_few_addresses_again_and_again() -> None:
    write = Payload(WRITE, 8, 5, bytearray(b"abcde"), streaming_width=2)
    read = Payload(READ, 8, 5, bytearray(5), streaming_width=2)
    _, memory = access(write, read)
    assert memory.data is not None
    assert memory.data[8:11] == b"ed\x0a"
    assert read.data == b"edede"


def test_a_payload_without_data_and_a_memory_without_contents_move_no_bytes() -> None:
    assert access(Payload.write(0, 16), Payload.read(0, 16))[0] == ["OK", "OK"]
    back = Payload.read(0, 2, bytearray(b"xy"))
    assert access(back, data=None)[0] == ["OK"]
    assert back.data == b"xy"


@pytest.mark.parametrize(
    ("payload", "memory", "status"),
    [
        (Payload.read(12, 4), {}, "OK"),
        (Payload.read(13, 4), {}, "ADDRESS_ERROR"),
        (Payload(WRITE, 14, 8, streaming_width=2), {}, "OK"),
        (Payload(WRITE, 15, 8, streaming_width=2), {}, "ADDRESS_ERROR"),
        (Payload.write(0, 4), {"writable": False}, "COMMAND_ERROR"),
        (Payload.read(0, 4), {"writable": False}, "OK"),
        (Payload.read(0, 8), {"max_bytes": 8}, "OK"),
        (Payload.read(0, 9), {"max_bytes": 8}, "BURST_ERROR"),
        (Payload(READ, 0, 4, byte_enables=b"\xff\x01"), {}, "BYTE_ENABLE_ERROR"),
        (Payload(IGNORE, 0, 4), {"writable": False}, "OK"),
    ],
)
def test_a_memory_answers_with_the_status_that_names_the_reason(
    payload: Payload, memory: dict[str, object], status: str
) -> None:
    before = bytes(range(16))
    statuses, target = access(payload, **memory)
    assert statuses == [status]
    assert target.data == before


def test_a_port_takes_its_time_and_a_refusal_none() -> None:
    env = simpy.Environment()
    top = Module("top", env)
    # 8 Gbit/s: 1000 ps a byte; 3000 ps of latency.
    port, carrier = Channel("port", Fraction(8 * 10**9), latency_ps=3000), Carrier(env, Fabric(env))
    plan = [(0, Payload.write(0, 10)), (500, Payload.read(0, 4)), (0, Payload.read(0, 99)), (0, Payload(IGNORE, 0, 9))]
    player = Player("player", top, plan)
    player.out.bind(MemoryTarget("memory", top, 64, carrier=carrier, port=[port]).target)
    elaborate(top)
    env.run()
    assert [at_ps for at_ps, _ in player.responses] == [13_000, 20_500, 20_500, 20_500]
    assert player.responses[2][1] is ResponseStatus.TLM_ADDRESS_ERROR_RESPONSE


def test_what_cannot_be_a_memory_is_refused() -> None:
    def problem(**memory: object) -> str:
        with pytest.raises(ElaborationError) as raised:
            access(**memory)
        return str(raised.value)

    env = simpy.Environment()
    assert problem(capacity_bytes=0) == "top.memory: a memory has at least one byte, got 0"
    assert problem(capacity_bytes=15) == "top.memory: 16 bytes of data do not fit into 15"
    assert problem(carrier=Carrier(env, Fabric(env))) == (
        "top.memory: a carrier and the channels of a port belong together; give both or neither"
    )
    port = Channel("port", Fraction(10**9))
    assert problem(carrier=Carrier(env, Fabric(env)), port=[port, port]) == "top.memory: the port route uses port twice"
