"""Between two sockets, a module that only watches: it raises where a rule of the base protocol is broken."""

from __future__ import annotations

from dataclasses import dataclass

from tlm3d.errors import ModuleError
from tlm3d.tlm.module import Module
from tlm3d.tlm.nonblocking import Answer, Phase, Sync
from tlm3d.tlm.payload import Payload, ResponseStatus
from tlm3d.tlm.sockets import InitiatorSocket, TargetSocket, Transport

_INCOMPLETE = ResponseStatus.TLM_INCOMPLETE_RESPONSE
# An interconnect on the way may change the address, and need not put it back.
_WATCHED = ("command", "length", "data", "byte_enables", "streaming_width")
# What a callee may answer to a phase, beside ACCEPTED: the phases it may move on to, and whether it may complete.
_MAY_FOLLOW: dict[Phase, tuple[tuple[Phase, ...], bool]] = {
    Phase.BEGIN_REQ: ((Phase.END_REQ, Phase.BEGIN_RESP), True),
    Phase.END_REQ: ((), False),
    Phase.BEGIN_RESP: ((Phase.END_RESP,), True),
    Phase.END_RESP: ((), True),
}


@dataclass
class _Flight:
    """A payload under way: its last phase, when that was to happen, and what it was filled with."""

    payload: Payload
    phase: Phase
    at_ps: int
    attributes: tuple[object, ...]
    response: ResponseStatus = _INCOMPLETE


class ProtocolChecker(Module):
    """Put it between two sockets: ``initiator.bind(checker.target)``, ``checker.initiator.bind(target)``.

    It takes no time and changes nothing. ModuleError says when, between which sockets, who did it, and which rule of
    the base protocol of IEEE 1666 was broken: phase order, request exclusion, response exclusion, phase after
    completion, payload reuse, response status, attributes, timing.
    """

    def __init__(self, name: str, within: Module) -> None:
        super().__init__(name, within)
        self.target = _Entry("target", self, self._b_transport, self._forward)
        self.initiator = InitiatorSocket("initiator", self, self._backward)
        self._flights: dict[int, _Flight] = {}  # by id of the payload, which the flight keeps alive
        self._requesting: _Flight | None = None
        self._responding: _Flight | None = None

    @property
    def in_flight(self) -> int:
        """How many payloads have been sent and not completed; at the end of a test it should be 0."""
        return len(self._flights)

    def _b_transport(self, payload: Payload) -> Transport:
        self._expect_incomplete(payload, "b_transport")
        flight = self._flights[id(payload)] = _Flight(payload, Phase.BEGIN_REQ, self.now_ps, _attributes(payload))
        try:
            yield from self.initiator.b_transport(payload)
            self._expect_unchanged(flight)
            self._expect_response(flight, "returned from b_transport")
        finally:
            del self._flights[id(payload)]

    def _forward(self, payload: Payload, phase: Phase, delay_ps: int) -> Answer:
        by = self._sender
        at_ps = self.now_ps + self._checked(delay_ps, by)
        if phase is Phase.BEGIN_REQ:
            flight = self._begin(payload, at_ps)
        elif phase is Phase.END_RESP:
            flight = self._known(payload, phase, by)
            self._advance(flight, phase, at_ps, by)
            self._end(flight)  # before the target is told, which may begin the next response from inside the call
        else:
            raise self._broken("phase order", f"{by} sent {phase.name}, which is for the target to send")
        answer = self.initiator.nb_transport_fw(payload, phase, delay_ps)
        self._check_answer(flight, phase, answer, self._server)
        return answer

    def _backward(self, payload: Payload, phase: Phase, delay_ps: int) -> Answer:
        by = self._server
        at_ps = self.now_ps + self._checked(delay_ps, by)
        if phase in (Phase.BEGIN_REQ, Phase.END_RESP):
            raise self._broken("phase order", f"{by} sent {phase.name}, which is for the initiator to send")
        flight = self._known(payload, phase, by)
        self._advance(flight, phase, at_ps, by)
        answer = self.target.nb_transport_bw(payload, phase, delay_ps)
        self._check_answer(flight, phase, answer, self._sender)
        return answer

    def _begin(self, payload: Payload, at_ps: int) -> _Flight:
        by, waiting = self._sender, self._requesting
        known = self._flights.get(id(payload))
        if known is not None:
            what = f"{by} sent BEGIN_REQ with a payload that is in flight (its last phase: {known.phase.name})"
            raise self._broken("payload reuse", what)
        if waiting is not None:
            what = f"{by} sent BEGIN_REQ before the END_REQ of its BEGIN_REQ at {waiting.at_ps} ps"
            raise self._broken("request exclusion", what)
        self._expect_incomplete(payload, "BEGIN_REQ")
        flight = self._flights[id(payload)] = _Flight(payload, Phase.BEGIN_REQ, at_ps, _attributes(payload))
        self._requesting = flight
        return flight

    def _check_answer(self, flight: _Flight, phase: Phase, answer: Answer, by: str) -> None:
        """What ``by`` answered when it was told ``phase``."""
        at_ps = self.now_ps + self._checked(answer.delay_ps, by)
        phases, may_complete = _MAY_FOLLOW[phase]
        if answer.sync is Sync.TLM_UPDATED:
            if answer.phase not in phases:
                raise self._broken("phase order", f"{by} answered {phase.name} with TLM_UPDATED to {answer.phase.name}")
            self._known(flight.payload, answer.phase, by)
            self._advance(flight, answer.phase, at_ps, by)
            if answer.phase is Phase.END_RESP:
                self._end(flight)
        elif answer.sync is Sync.TLM_COMPLETED:
            if not may_complete:
                raise self._broken("phase order", f"{by} answered {phase.name} with TLM_COMPLETED before a response")
            if phase is Phase.BEGIN_REQ:
                self._expect_response(flight, "answered BEGIN_REQ with TLM_COMPLETED")
            self._expect_unchanged(flight)
            self._end(flight)

    def _advance(self, flight: _Flight, phase: Phase, at_ps: int, by: str) -> None:
        """``by`` moves ``flight`` on to ``phase``."""
        before = (Phase.BEGIN_REQ, Phase.END_REQ) if phase is Phase.BEGIN_RESP else (Phase(phase.value - 1),)
        if flight.phase not in before:
            raise self._broken("phase order", f"{by} sent {phase.name} after {flight.phase.name}")
        if at_ps < flight.at_ps:
            what = f"{by} made {phase.name} happen at {at_ps} ps, before {flight.phase.name} at {flight.at_ps} ps"
            raise self._broken("timing", what)
        self._expect_unchanged(flight)
        if phase is Phase.BEGIN_RESP:
            if self._responding is not None:
                what = f"{by} sent BEGIN_RESP before the END_RESP of its BEGIN_RESP at {self._responding.at_ps} ps"
                raise self._broken("response exclusion", what)
            self._expect_response(flight, "sent BEGIN_RESP")
            self._responding = flight
        elif phase is Phase.END_RESP and flight.payload.response is not flight.response:
            what = f"{flight.response.name} of BEGIN_RESP had become {flight.payload.response.name} by END_RESP"
            raise self._broken("response status", what)
        flight.phase, flight.at_ps = phase, at_ps
        if self._requesting is flight:  # BEGIN_RESP without an END_REQ implies it
            self._requesting = None

    def _end(self, flight: _Flight) -> None:
        self._flights.pop(id(flight.payload), None)
        if self._requesting is flight:
            self._requesting = None
        if self._responding is flight:
            self._responding = None

    def _known(self, payload: Payload, phase: Phase, by: str) -> _Flight:
        flight = self._flights.get(id(payload))
        if flight is None:
            what = f"{by} sent {phase.name} of a payload that is not in flight: it is complete, or has never begun"
            raise self._broken("phase after completion", what)
        return flight

    def _expect_incomplete(self, payload: Payload, call: str) -> None:
        if payload.response is not _INCOMPLETE:
            what = f"{self._sender} sent {call} with {payload.response.name}; it must be {_INCOMPLETE.name} (reset())"
            raise self._broken("response status", what)

    def _expect_response(self, flight: _Flight, did: str) -> None:
        flight.response = flight.payload.response
        if flight.response is _INCOMPLETE:
            raise self._broken("response status", f"{self._server} {did} and left {_INCOMPLETE.name}")

    def _expect_unchanged(self, flight: _Flight) -> None:
        for name, before in zip(_WATCHED, flight.attributes, strict=True):
            now = getattr(flight.payload, name)
            if now is not before and (name == "data" or now != before):
                change = "was replaced" if name == "data" else f"became {now!r}, it was {before!r}"
                raise self._broken("attributes", f"{name} of a payload in flight {change}")

    def _checked(self, delay_ps: object, by: str) -> int:
        if type(delay_ps) is not int or delay_ps < 0:
            raise self._broken("timing", f"{by} gave a delay of {delay_ps!r}; it is whole picoseconds from 0 up")
        return delay_ps

    @property
    def _sender(self) -> str:
        return self.target.initiator.path if self.target.initiator is not None else self.target.path

    @property
    def _server(self) -> str:
        return self.initiator.target.path

    def _broken(self, rule: str, what: str) -> ModuleError:
        return ModuleError(self.now_ps, f"{self.path}, between {self._sender} and {self._server}", f"{rule}: {what}")


class _Entry(TargetSocket):
    """Takes the view that the target behind the checker has, so that the checker sees what it does."""

    @property
    def is_blocking(self) -> bool:
        assert isinstance(self.module, ProtocolChecker)
        return self.module.initiator.target.is_blocking


def _attributes(payload: Payload) -> tuple[object, ...]:
    return tuple(getattr(payload, name) for name in _WATCHED)
