"""An address map: regions, what lies outside, and addresses that come back as they were."""

from __future__ import annotations

import pytest
import simpy
from reference.parts import Caller, Slow

from tlm3d.errors import ElaborationError
from tlm3d.tlm.memory_target import MemoryTarget
from tlm3d.tlm.module import Module, elaborate
from tlm3d.tlm.payload import Command, Payload, ResponseStatus
from tlm3d.tlm.protocol_checker import ProtocolChecker
from tlm3d.tlm.router import Router
from tlm3d.tlm.sockets import TargetSocket

OK, ADDRESS_ERROR = ResponseStatus.TLM_OK_RESPONSE, ResponseStatus.TLM_ADDRESS_ERROR_RESPONSE


def sent(payload: Payload) -> tuple[ResponseStatus, list[tuple[str, int]], int]:
    """Response, who was asked for which address, and the address after; a at [0x100, 0x140), b at [0x140, 0x150)."""
    asked: list[tuple[str, int]] = []

    def serve(name: str, payload: Payload) -> None:
        asked.append((name, payload.address))
        payload.response = OK

    top = Module("top", simpy.Environment())
    caller, router, checker = Caller("cpu", top), Router("map", top), ProtocolChecker("checker", top)
    caller.out.bind(checker.target)
    checker.initiator.bind(router.target)
    for name, base, size in (("b", 0x140, 0x10), ("a", 0x100, 0x40)):
        target = TargetSocket("in_", Module(f"of_{name}", top), lambda payload, name=name: serve(name, payload))
        router.map(name, base, size, target)
    caller.thread(lambda: caller.out.b_transport(payload))
    elaborate(top)
    top.env.run()
    return payload.response, asked, payload.address


@pytest.mark.parametrize(
    ("address", "length", "asked"),
    [
        (0x100, 1, [("a", 0)]),
        (0x13C, 4, [("a", 0x3C)]),
        (0x140, 16, [("b", 0)]),
        (0xFF, 1, []),
        (0x150, 1, []),
        (0x13D, 4, []),  # over the border from one region to the next
        (0x14F, 2, []),  # over the end
    ],
)
def test_an_address_leads_to_its_region_and_comes_back(address: int, length: int, asked: list[tuple[str, int]]) -> None:
    assert sent(Payload.read(address, length)) == (OK if asked else ADDRESS_ERROR, asked, address)


def test_a_stream_touches_only_its_width_of_addresses() -> None:
    payload = Payload(Command.TLM_WRITE_COMMAND, 0x14C, 64, streaming_width=4)
    assert sent(payload) == (OK, [("b", 12)], 0x14C)


def test_an_address_comes_back_from_a_target_that_fails() -> None:
    def fail(payload: Payload) -> None:
        raise ZeroDivisionError

    top = Module("top", simpy.Environment())
    caller, router, payload = Caller("cpu", top), Router("map", top), Payload.read(0x44, 4)
    caller.out.bind(router.target)
    router.map("a", 0x40, 16, TargetSocket("in_", Module("of_a", top), fail))
    caller.thread(lambda: caller.out.b_transport(payload))
    elaborate(top)
    with pytest.raises(ZeroDivisionError):
        top.env.run()
    assert payload.address == 0x44


def test_two_initiators_come_in_by_two_inputs() -> None:
    top = Module("top", simpy.Environment())
    router = Router("map", top, inputs=("cpu", "dma"))
    payloads = {name: Payload.read(address, 4) for name, address in (("cpu", 0), ("dma", 16))}
    for name, payload in payloads.items():
        caller = Caller(name, top)
        caller.out.bind(router.inputs[name])
        caller.thread(lambda caller=caller, payload=payload: caller.out.b_transport(payload))  # type: ignore[misc]
    router.map("rom", 0, 16).bind(MemoryTarget("rom", top, 16, writable=False).target)
    router.map("slow", 16, 16).bind(Slow("slow", top).target)
    with pytest.raises(ElaborationError, match=r"^top\.map: has the inputs cpu, dma; name one: \.inputs\[\.\.\.\]$"):
        _ = router.target
    elaborate(top)
    top.env.run()
    assert [payload.response for payload in payloads.values()] == [OK, OK]


def test_regions_that_overlap_are_refused_with_both_names() -> None:
    top = Module("top", simpy.Environment())
    caller, router = Caller("cpu", top), Router("map", top)
    caller.out.bind(router.target)
    for name, base, size in (("sram", 0x1000, 0x1001), ("rom", 0, 0x1000), ("uart", 0x2000, 16), ("none", 0x9000, 0)):
        router.map(name, base, size, Slow(f"of_{name}", top).target)
    with pytest.raises(ElaborationError) as raised:
        elaborate(top)
    assert raised.value.problems == (
        "top.map: region none at [0x9000, 0x9000) must begin at 0 or above and have at least one byte",
        "top.map: regions sram at [0x1000, 0x2001) and uart at [0x2000, 0x2010) overlap; move or shrink one of them",
    )


def test_a_region_around_another_overlaps_what_lies_beyond_that_one_too() -> None:
    top = Module("top", simpy.Environment())
    router = Router("map", top)
    Caller("cpu", top).out.bind(router.target)
    for name, base, size in (("all", 0, 100), ("low", 10, 10), ("high", 50, 10)):
        router.map(name, base, size, Slow(f"of_{name}", top).target)
    with pytest.raises(ElaborationError) as raised:
        elaborate(top)
    assert [problem.split(": ")[1] for problem in raised.value.problems] == [
        "regions all at [0x0, 0x64) and low at [0xa, 0x14) overlap; move or shrink one of them",
        "regions all at [0x0, 0x64) and high at [0x32, 0x3c) overlap; move or shrink one of them",
    ]


def test_a_map_without_regions_is_refused() -> None:
    top = Module("top", simpy.Environment())
    Caller("cpu", top).out.bind(Router("map", top).target)
    with pytest.raises(ElaborationError, match=r"^top\.map: has no regions; map\(\.\.\.\) at least one$"):
        elaborate(top)
