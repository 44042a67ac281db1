"""Every rule of the base protocol, broken once on purpose: the checker says which, when, where and by whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
import simpy
from reference.parts import OK, Caller, Scripted, accept

from tlm3d.errors import ModuleError
from tlm3d.tlm.module import Module, elaborate
from tlm3d.tlm.nonblocking import Answer, Phase, Sync
from tlm3d.tlm.payload import Payload, ResponseStatus
from tlm3d.tlm.protocol_checker import ProtocolChecker
from tlm3d.tlm.sockets import TargetSocket

ACCEPTED, UPDATED, COMPLETED = Sync.TLM_ACCEPTED, Sync.TLM_UPDATED, Sync.TLM_COMPLETED
BEGIN_REQ, END_REQ, BEGIN_RESP, END_RESP = Phase
WHERE = "in top.checker, between top.cpu.out and top.memory.in_"


@dataclass
class Bench:
    """An initiator and a target with a checker between them; both answer what ``fw`` and ``bw`` say, else ACCEPTED."""

    fw: dict[Phase, Answer] = field(default_factory=dict)
    bw: dict[Phase, Answer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.env = simpy.Environment()
        top = Module("top", self.env)
        self.cpu = Caller("cpu", top, lambda payload, phase, delay: self.bw.get(phase) or accept(payload, phase, delay))
        self.memory = Scripted("memory", top, lambda payload, phase, delay: self._served(payload, phase, delay))
        self.checker = ProtocolChecker("checker", top)
        self.cpu.out.bind(self.checker.target)
        self.checker.initiator.bind(self.memory.target)
        self.response = OK
        elaborate(top)

    def _served(self, payload: Payload, phase: Phase, delay_ps: int) -> Answer:
        answer = self.fw.get(phase) or accept(payload, phase, delay_ps)
        if answer.sync is COMPLETED or (answer.sync is UPDATED and answer.phase is BEGIN_RESP):
            payload.response = self.response
        return answer

    def at(self, time_ps: int) -> Bench:
        self.env.run(until=time_ps)
        return self

    def sends(self, payload: Payload, phase: Phase, delay_ps: int = 0) -> Answer:
        return self.cpu.out.nb_transport_fw(payload, phase, delay_ps)

    def returns(self, payload: Payload, phase: Phase, delay_ps: int = 0) -> Answer:
        if phase is BEGIN_RESP and payload.response is ResponseStatus.TLM_INCOMPLETE_RESPONSE:
            payload.response = self.response
        return self.memory.target.nb_transport_bw(payload, phase, delay_ps)


def broken(action: Callable[[], object]) -> str:
    with pytest.raises(ModuleError) as raised:
        action()
    return str(raised.value)


def test_the_four_phases_pass_and_take_no_time() -> None:
    bench, payload = Bench(), Payload.read(0, 4)
    for time_ps, step in ((5, BEGIN_REQ), (7, END_REQ), (9, BEGIN_RESP), (11, END_RESP)):
        (bench.sends if step in (BEGIN_REQ, END_RESP) else bench.returns)(payload, step)
        assert bench.checker.in_flight == (step is not END_RESP)
        bench.at(time_ps)
    assert not payload.is_in_flight


@pytest.mark.parametrize(
    ("fw", "bw", "steps"),
    [
        ({BEGIN_REQ: Answer(COMPLETED, BEGIN_REQ)}, {}, []),
        ({BEGIN_REQ: Answer(UPDATED, BEGIN_RESP)}, {}, [END_RESP]),
        ({BEGIN_REQ: Answer(UPDATED, END_REQ)}, {}, [BEGIN_RESP, END_RESP]),
        ({BEGIN_REQ: Answer(UPDATED, END_REQ)}, {BEGIN_RESP: Answer(UPDATED, END_RESP)}, [BEGIN_RESP]),
        ({}, {BEGIN_RESP: Answer(COMPLETED, END_RESP)}, [BEGIN_RESP]),
        ({END_RESP: Answer(COMPLETED, END_RESP)}, {}, [END_REQ, BEGIN_RESP, END_RESP]),
    ],
)
def test_every_shortcut_of_the_standard_passes(
    fw: dict[Phase, Answer], bw: dict[Phase, Answer], steps: list[Phase]
) -> None:
    bench, payload = Bench(fw, bw), Payload.read(0, 4)
    for _ in range(2):  # and leaves nothing behind that would hinder the next one
        payload.reset()
        bench.sends(payload, BEGIN_REQ)
        for phase in steps:
            (bench.sends if phase is END_RESP else bench.returns)(payload, phase)
        assert bench.checker.in_flight == 0


def test_request_exclusion() -> None:
    bench = Bench()
    bench.at(10).sends(Payload.read(0, 4), BEGIN_REQ)
    bench.at(30)
    assert broken(lambda: bench.sends(Payload.read(4, 4), BEGIN_REQ)) == (
        f"at 30 ps {WHERE}: request exclusion: top.cpu.out sent BEGIN_REQ before the END_REQ of its BEGIN_REQ at 10 ps"
    )


@pytest.mark.parametrize("end", [END_REQ, BEGIN_RESP])
def test_a_request_phase_ends_with_end_req_or_a_response(end: Phase) -> None:
    bench, first = Bench(), Payload.read(0, 4)
    bench.sends(first, BEGIN_REQ)
    bench.returns(first, end)
    bench.sends(Payload.read(4, 4), BEGIN_REQ)
    assert bench.checker.in_flight == 2


def test_response_exclusion() -> None:
    bench = Bench(fw={BEGIN_REQ: Answer(UPDATED, END_REQ)})
    payloads = [Payload.read(0, 4), Payload.read(4, 4)]
    for payload in payloads:
        bench.sends(payload, BEGIN_REQ)
    bench.at(20).returns(payloads[1], BEGIN_RESP)
    bench.at(25)
    assert broken(lambda: bench.returns(payloads[0], BEGIN_RESP)) == (
        f"at 25 ps {WHERE}: response exclusion:"
        " top.memory.in_ sent BEGIN_RESP before the END_RESP of its BEGIN_RESP at 20 ps"
    )


@pytest.mark.parametrize("twice", [END_REQ, BEGIN_RESP])
def test_no_phase_comes_twice(twice: Phase) -> None:
    bench, payload = Bench(), Payload.read(0, 4)
    bench.sends(payload, BEGIN_REQ)
    bench.returns(payload, twice)
    assert broken(lambda: bench.returns(payload, twice)) == (
        f"at 0 ps {WHERE}: phase order: top.memory.in_ sent {twice.name} after {twice.name}"
    )


def test_a_request_does_not_end_after_its_response_has_begun() -> None:
    bench, payload = Bench(), Payload.read(0, 4)
    bench.sends(payload, BEGIN_REQ)
    bench.returns(payload, BEGIN_RESP)
    message = broken(lambda: bench.returns(payload, END_REQ))
    assert message == f"at 0 ps {WHERE}: phase order: top.memory.in_ sent END_REQ after BEGIN_RESP"


def test_a_response_does_not_end_before_it_begins() -> None:
    bench, payload = Bench(), Payload.read(0, 4)
    bench.sends(payload, BEGIN_REQ)
    message = broken(lambda: bench.sends(payload, END_RESP))
    assert message == f"at 0 ps {WHERE}: phase order: top.cpu.out sent END_RESP after BEGIN_REQ"


@pytest.mark.parametrize("phase", [END_REQ, BEGIN_RESP])
def test_the_initiator_does_not_send_the_phases_of_the_target(phase: Phase) -> None:
    bench, payload = Bench(), Payload.read(0, 4)
    bench.sends(payload, BEGIN_REQ)
    assert broken(lambda: bench.sends(payload, phase)) == (
        f"at 0 ps {WHERE}: phase order: top.cpu.out sent {phase.name}, which is for the target to send"
    )


@pytest.mark.parametrize("phase", [BEGIN_REQ, END_RESP])
def test_the_target_does_not_send_the_phases_of_the_initiator(phase: Phase) -> None:
    bench, payload = Bench(), Payload.read(0, 4)
    bench.sends(payload, BEGIN_REQ)
    assert broken(lambda: bench.returns(payload, phase)) == (
        f"at 0 ps {WHERE}: phase order: top.memory.in_ sent {phase.name}, which is for the initiator to send"
    )


@pytest.mark.parametrize("phase", [BEGIN_REQ, END_RESP])
def test_the_target_does_not_move_a_request_on_to_a_phase_of_the_initiator(phase: Phase) -> None:
    bench = Bench(fw={BEGIN_REQ: Answer(UPDATED, phase)})
    assert broken(lambda: bench.sends(Payload.read(0, 4), BEGIN_REQ)) == (
        f"at 0 ps {WHERE}: phase order: top.memory.in_ answered BEGIN_REQ with TLM_UPDATED to {phase.name}"
    )


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (Answer(UPDATED, BEGIN_RESP), "top.cpu.out answered END_REQ with TLM_UPDATED to BEGIN_RESP"),
        (Answer(COMPLETED, END_REQ), "top.cpu.out answered END_REQ with TLM_COMPLETED before a response"),
    ],
)
def test_the_end_of_a_request_is_only_taken_note_of(answer: Answer, what: str) -> None:
    bench, payload = Bench(bw={END_REQ: answer}), Payload.read(0, 4)
    bench.sends(payload, BEGIN_REQ)
    assert broken(lambda: bench.returns(payload, END_REQ)) == f"at 0 ps {WHERE}: phase order: {what}"


def test_nothing_follows_the_end_of_a_response() -> None:
    bench, payload = Bench(fw={END_RESP: Answer(UPDATED, BEGIN_RESP)}), Payload.read(0, 4)
    bench.sends(payload, BEGIN_REQ)
    bench.returns(payload, BEGIN_RESP)
    assert broken(lambda: bench.sends(payload, END_RESP)) == (
        f"at 0 ps {WHERE}: phase order: top.memory.in_ answered END_RESP with TLM_UPDATED to BEGIN_RESP"
    )


def test_no_phase_comes_after_completion() -> None:
    bench, payload = Bench(fw={BEGIN_REQ: Answer(COMPLETED, BEGIN_REQ)}), Payload.read(0, 4)
    bench.sends(payload, BEGIN_REQ)
    bench.at(40)
    assert broken(lambda: bench.returns(payload, BEGIN_RESP)) == (
        f"at 40 ps {WHERE}: phase after completion:"
        " top.memory.in_ sent BEGIN_RESP of a payload that is not in flight: it is complete, or has never begun"
    )
    assert "phase after completion: top.cpu.out sent END_RESP" in broken(lambda: bench.sends(payload, END_RESP))


def test_a_payload_in_flight_is_not_used_for_another_request() -> None:
    bench, payload = Bench(fw={BEGIN_REQ: Answer(UPDATED, END_REQ)}), Payload.read(0, 4)
    bench.sends(payload, BEGIN_REQ)
    payload._passing.clear()  # past the check of the socket itself
    assert broken(lambda: bench.sends(payload, BEGIN_REQ)) == (
        f"at 0 ps {WHERE}: payload reuse:"
        " top.cpu.out sent BEGIN_REQ with a payload that is in flight (its last phase: END_REQ)"
    )


def test_a_request_begins_without_a_response() -> None:
    bench, payload = Bench(), Payload.read(0, 4)
    payload.response = OK
    assert broken(lambda: bench.sends(payload, BEGIN_REQ)) == (
        f"at 0 ps {WHERE}: response status: top.cpu.out sent BEGIN_REQ with TLM_OK_RESPONSE;"
        " it must be TLM_INCOMPLETE_RESPONSE (reset())"
    )


@pytest.mark.parametrize("answer", [Answer(COMPLETED, BEGIN_REQ), Answer(UPDATED, BEGIN_RESP), None])
def test_a_response_says_what_came_of_the_request(answer: Answer | None) -> None:
    bench, payload = Bench(fw={BEGIN_REQ: answer} if answer else {}), Payload.read(0, 4)
    bench.response = ResponseStatus.TLM_INCOMPLETE_RESPONSE
    did = "answered BEGIN_REQ with TLM_COMPLETED" if answer and answer.sync is COMPLETED else "sent BEGIN_RESP"

    def run() -> None:
        bench.sends(payload, BEGIN_REQ)
        bench.returns(payload, BEGIN_RESP)

    assert broken(run) == (f"at 0 ps {WHERE}: response status: top.memory.in_ {did} and left TLM_INCOMPLETE_RESPONSE")


def test_a_response_stays_as_it_is() -> None:
    bench, payload = Bench(), Payload.read(0, 4)
    bench.sends(payload, BEGIN_REQ)
    bench.returns(payload, BEGIN_RESP)
    payload.response = ResponseStatus.TLM_GENERIC_ERROR_RESPONSE
    assert broken(lambda: bench.sends(payload, END_RESP)) == (
        f"at 0 ps {WHERE}: response status:"
        " TLM_OK_RESPONSE of BEGIN_RESP had become TLM_GENERIC_ERROR_RESPONSE by END_RESP"
    )


@pytest.mark.parametrize(
    ("name", "value", "what"),
    [
        ("length", 8, "length of a payload in flight became 8, it was 4"),
        ("data", bytearray(4), "data of a payload in flight was replaced"),
        ("byte_enables", b"\xff", "byte_enables of a payload in flight became b'\\xff', it was None"),
        ("streaming_width", 2, "streaming_width of a payload in flight became 2, it was None"),
    ],
)
def test_what_the_initiator_filled_in_stays_until_the_response(name: str, value: object, what: str) -> None:
    bench, payload = Bench(), Payload.write(0, 4, bytearray(4))
    bench.sends(payload, BEGIN_REQ)
    setattr(payload, name, value)
    assert broken(lambda: bench.returns(payload, END_REQ)) == f"at 0 ps {WHERE}: attributes: {what}"


def test_bytes_may_be_filled_into_the_data_of_a_payload_in_flight() -> None:
    bench, payload = Bench(), Payload.read(0, 4, bytearray(4))
    bench.sends(payload, BEGIN_REQ)
    payload.data[:] = b"tlm3"  # type: ignore[index]
    bench.returns(payload, BEGIN_RESP)


def test_the_phases_of_a_payload_do_not_go_back_in_time() -> None:
    bench, payload = Bench(), Payload.read(0, 4)
    bench.at(10).sends(payload, BEGIN_REQ, 50)
    bench.at(30)
    assert broken(lambda: bench.returns(payload, END_REQ, 29)) == (
        f"at 30 ps {WHERE}: timing: top.memory.in_ made END_REQ happen at 59 ps, before BEGIN_REQ at 60 ps"
    )
    bench, payload = Bench(), Payload.read(0, 4)
    bench.at(10).sends(payload, BEGIN_REQ, 50)
    bench.at(30).returns(payload, END_REQ, 30)


def test_an_answer_gives_a_delay_of_whole_picoseconds() -> None:
    bench = Bench(fw={BEGIN_REQ: Answer(UPDATED, END_REQ, -1)})
    assert broken(lambda: bench.sends(Payload.read(0, 4), BEGIN_REQ)) == (
        f"at 0 ps {WHERE}: timing: top.memory.in_ gave a delay of -1; it is whole picoseconds from 0 up"
    )


def blocking(serve: Callable[[Payload], int | None], payload: Payload) -> ProtocolChecker:
    """Send ``payload`` by b_transport to a target that serves so, with a checker between."""
    top = Module("top", simpy.Environment())
    cpu, checker = Caller("cpu", top), ProtocolChecker("checker", top)
    cpu.out.bind(checker.target)
    checker.initiator.bind(TargetSocket("in_", Module("memory", top), serve))
    cpu.thread(lambda: cpu.out.b_transport(payload))
    elaborate(top)
    top.env.run()
    return checker


def test_a_blocking_call_is_held_to_the_same_response_and_attributes() -> None:
    def good(payload: Payload) -> int:
        payload.response = OK
        return 5

    def moves(payload: Payload) -> int:
        payload.length += 4
        return good(payload)

    def decodes(payload: Payload) -> int:
        payload.address &= 0xFFF
        return good(payload)

    assert blocking(good, Payload.read(0, 4)).in_flight == 0
    assert blocking(decodes, Payload.read(0x1004, 4)).in_flight == 0  # as an interconnect may
    assert "response status: top.memory.in_ returned from b_transport and left" in broken(
        lambda: blocking(lambda payload: 5, Payload.read(0, 4))
    )
    assert "at 5 ps" in broken(lambda: blocking(moves, Payload.read(0, 4)))
    assert "attributes: length of a payload in flight became 8" in broken(lambda: blocking(moves, Payload.read(0, 4)))
    used = Payload.read(0, 4)
    used.response = OK
    assert "response status: top.cpu.out sent b_transport with TLM_OK_RESPONSE" in broken(lambda: blocking(good, used))


def test_a_blocking_call_shows_the_phases_of_a_target_that_speaks_them() -> None:
    bench = Bench()

    def run() -> None:
        payload = Payload.read(0, 4)
        bench.env.process(bench.cpu.out.b_transport(payload))
        bench.at(10).returns(payload, END_REQ)
        bench.returns(payload, END_REQ)

    assert broken(run) == f"at 10 ps {WHERE}: phase order: top.memory.in_ sent END_REQ after END_REQ"
