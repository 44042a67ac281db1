"""Small modules to build test benches from: an initiator that plays a list, a target that takes its time."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any

import simpy

from tlm3d.tlm.module import Module
from tlm3d.tlm.nonblocking import Answer, Phase, Sync
from tlm3d.tlm.payload import Payload, ResponseStatus
from tlm3d.tlm.sockets import InitiatorSocket, TargetSocket

OK = ResponseStatus.TLM_OK_RESPONSE
Act = Callable[[Payload, Phase, int], Answer]


class Player(Module):
    """Sends its payloads one after the other by b_transport, each ``after_ps`` after the response before it."""

    def __init__(self, name: str, within: Module, plan: Sequence[tuple[int, Payload]]) -> None:
        super().__init__(name, within)
        self.out = InitiatorSocket("out", self)
        self.responses: list[tuple[int, ResponseStatus]] = []
        self._plan = plan
        self.thread(self._run)

    def _run(self) -> Generator[simpy.Event, Any, None]:
        for after_ps, payload in self._plan:
            yield self.env.timeout(after_ps)
            yield from self.out.b_transport(payload)
            self.responses.append((self.now_ps, payload.response))


class Phased(Module):
    """Sends its payloads in phases at stated times; ends each response ``end_after_ps`` later (0: by completing)."""

    def __init__(self, name: str, within: Module, plan: Sequence[tuple[int, Payload]], end_after_ps: int = 0) -> None:
        super().__init__(name, within)
        self.out = InitiatorSocket("out", self, self._back)
        self.responses: list[tuple[int, ResponseStatus]] = []
        self._plan, self._end_after_ps = plan, end_after_ps
        self._request_ended = self.env.event()
        self.thread(self._run)

    def _run(self) -> Generator[simpy.Event, Any, None]:
        for at_ps, payload in self._plan:
            yield self.env.timeout(max(0, at_ps - self.now_ps))
            self._request_ended = self.env.event()
            answer = self.out.nb_transport_fw(payload, Phase.BEGIN_REQ)
            if answer.sync is Sync.TLM_ACCEPTED:
                yield self._request_ended

    def _back(self, payload: Payload, phase: Phase, delay_ps: int) -> Answer:
        if not self._request_ended.triggered:
            self._request_ended.succeed()
        if phase is Phase.END_REQ:
            return Answer(Sync.TLM_ACCEPTED, phase)
        self.responses.append((self.now_ps + delay_ps, payload.response))
        if not self._end_after_ps:
            return Answer(Sync.TLM_COMPLETED, Phase.END_RESP, delay_ps)
        self.env.process(self._end(payload))
        return Answer(Sync.TLM_ACCEPTED, phase)

    def _end(self, payload: Payload) -> Generator[simpy.Event, Any, None]:
        yield self.env.timeout(self._end_after_ps)
        self.out.nb_transport_fw(payload, Phase.END_RESP)


class PhasedPlayer(Module):
    """Does what Player does, in phases: a response comes with BEGIN_RESP and is ended at once."""

    def __init__(self, name: str, within: Module, plan: Sequence[tuple[int, Payload]]) -> None:
        super().__init__(name, within)
        self.out = InitiatorSocket("out", self, self._back)
        self.responses: list[tuple[int, ResponseStatus]] = []
        self._plan = plan
        self._response = self.env.event()
        self.thread(self._run)

    def _run(self) -> Generator[simpy.Event, Any, None]:
        for after_ps, payload in self._plan:
            yield self.env.timeout(after_ps)
            self._response = self.env.event()
            answer = self.out.nb_transport_fw(payload, Phase.BEGIN_REQ)
            if answer.sync is Sync.TLM_COMPLETED:
                yield self.env.timeout(answer.delay_ps)
            else:
                yield self._response
            self.responses.append((self.now_ps, payload.response))

    def _back(self, payload: Payload, phase: Phase, delay_ps: int) -> Answer:
        if phase is Phase.END_REQ:
            return Answer(Sync.TLM_ACCEPTED, phase)
        self._response.succeed()
        return Answer(Sync.TLM_COMPLETED, Phase.END_RESP, delay_ps)


class Slow(Module):
    """Serves by b_transport; a payload takes as many ps as its address says, any number of them at a time."""

    def __init__(self, name: str, within: Module) -> None:
        super().__init__(name, within)
        self.target = TargetSocket("in_", self, self._b_transport)

    def _b_transport(self, payload: Payload) -> Generator[simpy.Event, Any, int]:
        yield self.env.timeout(payload.address // 2)
        payload.response = OK
        return payload.address - payload.address // 2


class SlowInPhases(Module):
    """The same target in phases; ``accept_ps`` passes before END_REQ (None: BEGIN_RESP implies it)."""

    def __init__(self, name: str, within: Module, accept_ps: int | None = 0) -> None:
        super().__init__(name, within)
        self.target = TargetSocket("in_", self, nb_transport_fw=self._forward)
        self._accept_ps = accept_ps

    def _forward(self, payload: Payload, phase: Phase, delay_ps: int) -> Answer:
        if phase is Phase.END_RESP:
            return Answer(Sync.TLM_COMPLETED, phase, delay_ps)
        self.env.process(self._serve(payload, delay_ps))
        if self._accept_ps == 0:
            return Answer(Sync.TLM_UPDATED, Phase.END_REQ, delay_ps)
        return Answer(Sync.TLM_ACCEPTED, phase)

    def _serve(self, payload: Payload, delay_ps: int) -> Generator[simpy.Event, Any, None]:
        yield self.env.timeout(delay_ps)
        left_ps = payload.address
        if self._accept_ps:
            yield self.env.timeout(self._accept_ps)
            self.target.nb_transport_bw(payload, Phase.END_REQ)
            left_ps -= self._accept_ps
        yield self.env.timeout(left_ps)
        payload.response = OK
        self.target.nb_transport_bw(payload, Phase.BEGIN_RESP)


class Scripted(Module):
    """A target that answers the forward path with ``act``; tests make it misbehave through its socket."""

    def __init__(self, name: str, within: Module, act: Act) -> None:
        super().__init__(name, within)
        self.target = TargetSocket("in_", self, nb_transport_fw=act)


class Caller(Module):
    """An initiator without a process; tests call through its socket. It answers the backward path with ``act``."""

    def __init__(self, name: str, within: Module, act: Act | None = None) -> None:
        super().__init__(name, within)
        self.out = InitiatorSocket("out", self, act or accept)


def accept(payload: Payload, phase: Phase, delay_ps: int) -> Answer:
    return Answer(Sync.TLM_ACCEPTED, phase, 0)
