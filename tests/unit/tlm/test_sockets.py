"""Sockets: bound exactly once, through any number of levels; blocking transport takes its time."""

from __future__ import annotations

from collections.abc import Callable, Generator
from itertools import pairwise

import pytest
import simpy
from reference.parts import OK, Caller, Player, Slow

from tlm3d.errors import ElaborationError, ModuleError
from tlm3d.tlm.module import Module, elaborate
from tlm3d.tlm.nonblocking import Phase
from tlm3d.tlm.payload import Command, Payload, ResponseStatus
from tlm3d.tlm.sockets import InitiatorSocket, TargetSocket


def bench() -> Module:
    return Module("top", simpy.Environment())


def problems(top: Module) -> tuple[str, ...]:
    with pytest.raises(ElaborationError) as raised:
        elaborate(top)
    return raised.value.problems


def test_what_is_bound_to_nothing_is_refused_on_both_sides_at_once() -> None:
    top = bench()
    Player("player", top, [])
    Slow("memory", top)
    assert problems(top) == (
        "top.memory.in_: nothing is bound to it; bind an initiator socket to it",
        "top.player.out: is bound to nothing; bind it to the target socket it sends to",
    )


def test_an_initiator_socket_leads_to_one_target() -> None:
    top = bench()
    player, a, b = Player("player", top, []), Slow("a", top), Slow("b", top)
    player.out.bind(a.target)
    player.out.bind(b.target)
    assert problems(top) == (
        "top.player.out: bound twice, to top.a.in_ and to top.b.in_; bind it once; a Router leads to several targets",
    )


def test_a_target_socket_has_one_initiator() -> None:
    top = bench()
    memory = Slow("memory", top)
    for name in ("a", "b", "c"):
        Player(name, top, []).out.bind(memory.target)
    assert problems(top) == (
        "top.memory.in_: bound 3 times, from top.a.out and from top.b.out and from top.c.out;"
        " a Router joins several initiators, one at each of its inputs",
    )


def test_a_target_socket_that_serves_nothing_is_refused() -> None:
    top = bench()
    player = Player("player", top, [])
    player.out.bind(TargetSocket("in_", Module("empty", top)))
    assert problems(top) == (
        "top.empty.in_: serves nothing; give it a b_transport or an nb_transport_fw,"
        " or bind it to a target socket of a child",
    )


def test_hierarchy_is_passed_through_level_by_level_only() -> None:
    top = bench()
    inner = Player("inner", Module("outer", top), [])
    inner.out.bind(InitiatorSocket("far", Module("elsewhere", top)))
    found = problems(top)
    assert found[1] == (
        "top.outer.inner.out: bound to the initiator socket top.elsewhere.far, which is not of the module around it;"
        " bind it to a target socket"
    )
    top = bench()
    player, shell = Player("player", top, []), Module("shell", top)
    door, memory = TargetSocket("door", shell), Slow("memory", top)
    player.out.bind(door)
    door.bind(memory.target)
    what = "which is no target socket of a child of top.shell"
    assert problems(top) == (f"top.shell.door: bound to top.memory.in_, {what}",)


def test_a_socket_serves_or_passes_on_but_not_both() -> None:
    top = bench()
    player, shell = Player("player", top, []), Module("shell", top)
    door, memory = TargetSocket("door", shell, lambda payload: 0), Slow("memory", shell)
    player.out.bind(door)
    door.bind(memory.target)
    assert problems(top) == (
        "top.shell.door: serves payloads itself, and is bound to top.shell.memory.in_; one of the two",
    )


def test_the_two_ends_are_under_one_top() -> None:
    top = bench()
    player = Player("player", top, [])
    player.out.bind(Slow("memory", Module("other", top.env)).target)
    assert problems(top) == (
        "top.player.out: bound with other.memory.in_, which is not inside top; put both under one top module",
    )


def test_a_payload_reaches_the_innermost_target_from_the_innermost_initiator() -> None:
    top = bench()
    die, shell = Module("die", top), Module("shell", top)
    block = Module("block", die)
    player = Player("dma", block, [(5, Payload.read(10, 4))])
    outwards = [InitiatorSocket("out", block), InitiatorSocket("out", die)]
    inwards = [TargetSocket("in_", shell), TargetSocket("in_", Module("bank", shell))]
    memory = Slow("cells", inwards[1].module)
    chain = [player.out, *outwards, *inwards, memory.target]
    for socket, following in pairwise(chain):
        socket.bind(following)
    elaborate(top)
    top.env.run()
    assert player.out.target is memory.target
    assert player.responses == [(15, OK)]
    with pytest.raises(ModuleError, match=r"in top\.die\.block\.out: sent a payload, but only passes on"):
        next(outwards[0].b_transport(Payload.read(0, 4)))


Serve = Callable[[Payload], Generator[simpy.Event, None, int | None] | int | None]


def finish_ps(serve: Serve, delay_ps: int = 0) -> int:
    """When b_transport returns, called at 100 ps."""
    top = bench()
    caller = Caller("caller", top)
    caller.out.bind(TargetSocket("in_", Module("target", top), serve))
    done: list[int] = []

    def run() -> Generator[simpy.Event, None, None]:
        yield top.env.timeout(100)
        yield from caller.out.b_transport(Payload.read(0, 4), delay_ps)
        done.append(caller.now_ps)

    caller.thread(run)
    elaborate(top)
    top.env.run()
    return done[0]


def test_a_target_takes_time_in_any_of_four_ways() -> None:
    def waits(payload: Payload) -> Generator[simpy.Event, None, None]:
        yield sender(payload).module.env.timeout(7)

    def waits_and_annotates(payload: Payload) -> Generator[simpy.Event, None, int]:
        yield sender(payload).module.env.timeout(7)
        return 3

    assert finish_ps(lambda payload: None) == 100
    assert finish_ps(lambda payload: 10) == 110
    assert finish_ps(waits) == 107
    assert finish_ps(waits_and_annotates) == 110


def sender(payload: Payload) -> InitiatorSocket:
    socket = payload._passing[0]
    assert isinstance(socket, InitiatorSocket)
    return socket


def test_a_delay_handed_in_passes_before_the_target_is_called() -> None:
    seen: list[int] = []

    def serve(payload: Payload) -> int:
        seen.append(sender(payload).module.now_ps)
        return 4

    assert finish_ps(serve, delay_ps=25) == 129
    assert seen == [125]


@pytest.mark.parametrize("delay", [-1, 1.5, True, "1 ns"])
def test_a_delay_is_whole_picoseconds(delay: object) -> None:
    with pytest.raises(ModuleError, match=r"^at 100 ps in top\.target\.in_: b_transport gave a delay of"):
        finish_ps(lambda payload: delay)  # type: ignore[arg-type, return-value]
    with pytest.raises(ModuleError, match=r"^at 100 ps in top\.caller\.out: the caller gave a delay of"):
        finish_ps(lambda payload: None, delay)  # type: ignore[arg-type]


def test_a_target_that_does_nothing_leaves_the_payload_incomplete() -> None:
    top = bench()
    player = Player("player", top, [(0, Payload.read(0, 4))])
    player.out.bind(TargetSocket("in_", Module("target", top), lambda payload: None))
    elaborate(top)
    top.env.run()
    assert player.responses == [(0, ResponseStatus.TLM_INCOMPLETE_RESPONSE)]


def test_b_transport_may_be_called_again_while_a_call_is_under_way() -> None:
    top = bench()
    caller, memory = Caller("caller", top), Slow("memory", top)
    caller.out.bind(memory.target)
    done: list[tuple[int, int]] = []

    def send(address: int) -> Generator[simpy.Event, None, None]:
        yield from caller.out.b_transport(Payload.read(address, 4))
        done.append((address, caller.now_ps))

    for address in (30, 20):
        caller.thread(lambda address=address: send(address))  # type: ignore[misc]
    elaborate(top)
    top.env.run()
    assert done == [(20, 20), (30, 30)]


def test_a_payload_in_flight_cannot_be_sent_again_by_anybody() -> None:
    for second in ("a", "b"):
        top = bench()
        payload = Payload.read(10, 4)
        callers = {name: Caller(name, top) for name in ("a", "b")}
        for name, caller in callers.items():
            caller.out.bind(Slow(f"memory_of_{name}", top).target)

        def run(first: Caller, again: Caller, payload: Payload, env: simpy.Environment) -> Generator[simpy.Event]:
            env.process(first.out.b_transport(payload))
            yield env.timeout(3)
            assert payload.is_in_flight
            yield from again.out.b_transport(payload)

        top.env.process(run(callers["a"], callers[second], payload, top.env))
        elaborate(top)
        with pytest.raises(ModuleError) as raised:
            top.env.run()
        assert str(raised.value) == (
            f"at 3 ps in top.{second}.out: sent a payload that is in flight, sent by <InitiatorSocket top.a.out>;"
            " wait for its response, or take another"
        )


def test_a_payload_may_be_used_again_after_its_response_even_after_a_failure() -> None:
    top = bench()
    payload = Payload.read(10, 4)
    player = Player("player", top, [(0, payload), (0, payload)])
    player.out.bind(Slow("memory", top).target)
    elaborate(top)
    top.env.run()
    assert player.responses == [(10, OK), (20, OK)]
    assert not payload.is_in_flight

    def breaks(payload: Payload) -> None:
        raise ZeroDivisionError

    top = bench()
    player = Player("player", top, [(0, payload)])
    player.out.bind(TargetSocket("in_", Module("target", top), breaks))
    elaborate(top)
    with pytest.raises(ZeroDivisionError):
        top.env.run()
    assert not payload.is_in_flight


def test_a_payload_that_is_wrong_in_itself_is_not_sent() -> None:
    top = bench()
    player = Player("player", top, [(4, Payload(Command.TLM_WRITE_COMMAND, 0, 4, bytearray(3)))])
    player.out.bind(Slow("memory", top).target)
    elaborate(top)
    with pytest.raises(ModuleError, match=r"^at 4 ps in top\.player\.out: sent a payload whose data has 3 bytes"):
        top.env.run()


def test_phases_need_somebody_to_come_back_to() -> None:
    top = bench()
    player = Player("player", top, [])
    player.out.bind(Slow("memory", top).target)
    elaborate(top)
    with pytest.raises(ModuleError, match="sent a phase, but has no nb_transport_bw for the phases that come back"):
        player.out.nb_transport_fw(Payload.read(0, 4), Phase.BEGIN_REQ)


def test_nothing_is_sent_before_elaboration() -> None:
    top = bench()
    caller, memory = Caller("caller", top), Slow("memory", top)
    caller.out.bind(memory.target)
    with pytest.raises(ModuleError, match=r"in top\.caller\.out: sent a payload, but is used before elaborate"):
        next(caller.out.b_transport(Payload.read(0, 4)))
