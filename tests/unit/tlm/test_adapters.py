"""Blocking calls and phases meet: requests and responses one at a time, and no time added."""

from __future__ import annotations

from collections.abc import Generator

import pytest
import simpy
from reference.parts import OK, Caller, Phased, Scripted, Slow, SlowInPhases

from tlm3d.errors import ModuleError
from tlm3d.tlm.module import Module, elaborate
from tlm3d.tlm.nonblocking import Answer, Phase, Sync
from tlm3d.tlm.payload import Payload
from tlm3d.tlm.protocol_checker import ProtocolChecker

ACCEPTED, UPDATED, COMPLETED = Sync


def parallel_calls(target: type[Slow] | type[SlowInPhases], latencies: list[int], **options: int | None) -> list[int]:
    """When blocking calls that begin together, each of its own latency, return."""
    top = Module("top", simpy.Environment())
    caller, memory = Caller("cpu", top), target("memory", top, **options)
    checker = ProtocolChecker("checker", top)
    caller.out.bind(checker.target)
    checker.initiator.bind(memory.target)
    done: list[int] = []

    def send(latency_ps: int) -> Generator[simpy.Event, None, None]:
        payload = Payload.read(latency_ps, 4)
        yield from caller.out.b_transport(payload)
        assert payload.response is OK
        done.append(top.now_ps)

    for latency_ps in latencies:
        caller.thread(lambda latency_ps=latency_ps: send(latency_ps))  # type: ignore[misc]
    elaborate(top)
    top.env.run()
    assert checker.in_flight == 0
    return done


def test_a_target_that_accepts_at_once_serves_all_calls_at_a_time() -> None:
    assert parallel_calls(SlowInPhases, [30, 20, 25]) == parallel_calls(Slow, [30, 20, 25]) == [20, 25, 30]


def test_a_request_waits_until_the_one_before_it_has_been_accepted() -> None:
    # Requests begin at 0, 4 and 8 ps; each has its latency from there.
    assert parallel_calls(SlowInPhases, [30, 20, 25], accept_ps=4) == [24, 30, 33]
    # The first is over at 6 ps, while the request of the second is not: the third still waits for that.
    assert parallel_calls(SlowInPhases, [6, 20, 25], accept_ps=4) == [6, 24, 33]


def test_where_a_response_implies_the_end_of_the_request_calls_go_one_after_the_other() -> None:
    assert parallel_calls(SlowInPhases, [30, 20, 25], accept_ps=None) == [30, 50, 75]


def test_a_thousand_calls_that_complete_at_once_do_not_pile_up() -> None:
    top = Module("top", simpy.Environment())
    waiting: list[Payload] = []

    def act(payload: Payload, phase: Phase, delay_ps: int) -> Answer:
        if waiting:
            return Answer(COMPLETED, phase)
        waiting.append(payload)
        return Answer(ACCEPTED, phase)

    caller, memory = Caller("cpu", top), Scripted("memory", top, act)
    caller.out.bind(memory.target)
    for number in range(3000):
        caller.thread(lambda number=number: caller.out.b_transport(Payload.read(number, 4)))  # type: ignore[misc]
    elaborate(top)
    top.env.run(until=5)
    memory.target.nb_transport_bw(waiting[0], Phase.BEGIN_RESP)
    top.env.run()


@pytest.mark.parametrize(
    ("answer", "ended"),
    [
        (Answer(COMPLETED, Phase.BEGIN_REQ, 7), []),
        (Answer(UPDATED, Phase.BEGIN_RESP, 7), [(7, Phase.END_RESP)]),
    ],
)
def test_an_annotated_answer_takes_effect_after_its_delay(answer: Answer, ended: list[tuple[int, Phase]]) -> None:
    top = Module("top", simpy.Environment())
    told: list[tuple[int, Phase]] = []

    def act(payload: Payload, phase: Phase, delay_ps: int) -> Answer:
        told.append((top.now_ps, phase))
        payload.response = OK
        return answer if phase is Phase.BEGIN_REQ else Answer(COMPLETED, phase)

    caller, checker, memory = Caller("cpu", top), ProtocolChecker("checker", top), Scripted("memory", top, act)
    caller.out.bind(checker.target)
    checker.initiator.bind(memory.target)
    done: list[int] = []

    def run() -> Generator[simpy.Event, None, None]:
        yield from caller.out.b_transport(Payload.read(0, 4))
        done.append(top.now_ps)

    caller.thread(run)
    elaborate(top)
    top.env.run()
    assert done == [7]
    assert told == [(0, Phase.BEGIN_REQ), *ended]


def test_responses_of_a_blocking_target_go_out_one_at_a_time() -> None:
    top = Module("top", simpy.Environment())
    plan = [(0, Payload.read(30, 4)), (1, Payload.read(10, 4)), (2, Payload.read(12, 4))]
    phased, checker, memory = Phased("cpu", top, plan, end_after_ps=50), ProtocolChecker("checker", top), Slow("m", top)
    phased.out.bind(checker.target)
    checker.initiator.bind(memory.target)
    elaborate(top)
    top.env.run()
    # Ready at 30, 11 and 14 ps; each response holds the way back for 50 ps, in the order in which they are ready.
    assert phased.responses == [(11, OK), (61, OK), (111, OK)]
    assert checker.in_flight == 0


def test_phases_that_cannot_come_are_refused_without_a_checker_too() -> None:
    top = Module("top", simpy.Environment())
    caller, memory = Caller("cpu", top), Slow("memory", top)
    caller.out.bind(memory.target)
    elaborate(top)
    with pytest.raises(ModuleError, match=r"^at 0 ps in top\.memory\.in_: was sent END_RESP, which cannot come now"):
        caller.out.nb_transport_fw(Payload.read(0, 4), Phase.END_RESP)

    top = Module("top", simpy.Environment())
    caller, script = Caller("cpu", top), Scripted("memory", top, lambda *_: Answer(UPDATED, Phase.END_REQ))
    caller.out.bind(script.target)
    payload = Payload.read(0, 4)
    caller.thread(lambda: caller.out.b_transport(payload))
    elaborate(top)
    top.env.run(until=3)
    with pytest.raises(ModuleError, match=r"^at 3 ps in top\.memory\.in_: sent END_REQ after END_REQ$"):
        script.target.nb_transport_bw(payload, Phase.END_REQ)
