"""Between the two views: a blocking call to a target that speaks phases, and phases to a target that only blocks.

Neither adds time: what takes t in one view takes t in the other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from simpy import Environment
from simpy.events import Event

from tlm3d.errors import ModuleError
from tlm3d.tlm.nonblocking import Answer, Phase, Sync
from tlm3d.tlm.payload import Payload

if TYPE_CHECKING:
    from tlm3d.tlm.module import Process
    from tlm3d.tlm.sockets import InitiatorSocket, TargetSocket, Transport


class _Call:
    """A blocking call that is carried out in phases."""

    def __init__(self, payload: Payload, done: Event) -> None:
        self.payload, self.done = payload, done
        self.phase: Phase | None = None


class BlockingOverPhases:
    """The initiator's side of b_transport, where the target has no b_transport.

    Requests go out one at a time, in the order of the calls; the caller goes on when BEGIN_RESP comes.
    """

    def __init__(self, socket: InitiatorSocket) -> None:
        self._socket = socket
        self._calls: dict[int, _Call] = {}  # by id of the payload, which the call keeps alive
        self._waiting: deque[_Call] = deque()
        self._requesting: _Call | None = None
        self._is_sending = False

    def knows(self, payload: Payload) -> bool:
        return id(payload) in self._calls

    def transport(self, payload: Payload) -> Transport:
        call = _Call(payload, self._socket.module.env.event())
        self._calls[id(payload)] = call
        self._waiting.append(call)
        self._begin_request()
        yield call.done

    def receive(self, payload: Payload, phase: Phase, delay_ps: int) -> Answer:
        call = self._calls[id(payload)]
        self._move(call, phase, delay_ps)
        if phase is Phase.END_REQ:
            return Answer(Sync.TLM_ACCEPTED, phase, delay_ps)
        return Answer(Sync.TLM_COMPLETED, Phase.END_RESP, delay_ps)

    def _begin_request(self) -> None:
        if self._is_sending:
            return  # from inside a call below, whose loop goes on
        self._is_sending = True
        while self._requesting is None and self._waiting:
            call = self._requesting = self._waiting.popleft()
            call.phase = Phase.BEGIN_REQ
            answer = self._socket.send_phase(call.payload, Phase.BEGIN_REQ, 0)
            if answer.sync is Sync.TLM_COMPLETED:
                self._after(answer.delay_ps, partial(self._finish, call))
            elif answer.sync is Sync.TLM_UPDATED:
                self._move(call, answer.phase, answer.delay_ps)
                if answer.phase is Phase.BEGIN_RESP:
                    self._after(answer.delay_ps, partial(self._end_response, call))
        self._is_sending = False

    def _move(self, call: _Call, phase: Phase, delay_ps: int) -> None:
        """The target has moved on to ``phase``."""
        before = call.phase
        if phase is Phase.END_REQ and before is Phase.BEGIN_REQ:
            self._after(delay_ps, partial(self._end_request, call))
        elif phase is Phase.BEGIN_RESP and before in (Phase.BEGIN_REQ, Phase.END_REQ):
            self._after(delay_ps, partial(self._finish, call))
        else:
            socket, said = self._socket, before.name if before else "nothing"
            raise ModuleError(socket.module.now_ps, socket.target.path, f"sent {phase.name} after {said}")
        call.phase = phase

    def _after(self, delay_ps: int, action: Callable[[], None]) -> None:
        _after(self._socket.module.env, self._socket.checked_delay(delay_ps, self._socket.target.path), action)

    def _end_request(self, call: _Call) -> None:
        if self._requesting is call:
            self._requesting = None
            self._begin_request()

    def _end_response(self, call: _Call) -> None:
        self._socket.send_phase(call.payload, Phase.END_RESP, 0)

    def _finish(self, call: _Call) -> None:
        del self._calls[id(call.payload)]
        call.done.succeed()
        self._end_request(call)


class PhasesOverBlocking:
    """The target's side of the phases, where the target has a b_transport only.

    Each request is accepted at once and served by a process of its own, as blocking calls are; responses go out one at
    a time, in the order in which they are ready.
    """

    def __init__(self, socket: TargetSocket) -> None:
        self._socket = socket
        self._served: dict[int, Payload] = {}  # by its id, until END_RESP
        self._ready: deque[Payload] = deque()
        self._responding: Payload | None = None
        self._is_sending = False

    def receive(self, payload: Payload, phase: Phase, delay_ps: int) -> Answer:
        socket = self._socket
        if phase is Phase.BEGIN_REQ and id(payload) not in self._served:
            self._served[id(payload)] = payload
            socket.module.env.process(self._serve(payload, delay_ps))
            return Answer(Sync.TLM_UPDATED, Phase.END_REQ, delay_ps)
        if phase is Phase.END_RESP and payload is self._responding:
            _after(socket.module.env, delay_ps, self._end_response)
            return Answer(Sync.TLM_COMPLETED, phase, delay_ps)
        what = f"was sent {phase.name}, which cannot come now; put a ProtocolChecker in front of it to see why"
        raise ModuleError(socket.module.now_ps, socket.path, what)

    def _serve(self, payload: Payload, delay_ps: int) -> Process:
        if delay_ps:
            yield self._socket.module.env.timeout(delay_ps)
        yield from self._socket.serve(payload)
        self._ready.append(payload)
        self._begin_response()

    def _begin_response(self) -> None:
        if self._is_sending:
            return  # from inside the call below, whose loop goes on
        self._is_sending = True
        while self._responding is None and self._ready:
            payload = self._responding = self._ready.popleft()
            answer = self._socket.nb_transport_bw(payload, Phase.BEGIN_RESP, 0)
            if answer.sync is not Sync.TLM_ACCEPTED:
                delay_ps = self._socket.checked_delay(answer.delay_ps, "nb_transport_bw")
                _after(self._socket.module.env, delay_ps, self._end_response)
        self._is_sending = False

    def _end_response(self) -> None:
        if self._responding is not None:
            del self._served[id(self._responding)]
        self._responding = None
        self._begin_response()


def _after(env: Environment, delay_ps: int, action: Callable[[], None]) -> None:
    """``action()`` in ``delay_ps``; now, if that is 0."""
    if not delay_ps:
        action()
        return
    due = env.timeout(delay_ps)
    assert due.callbacks is not None
    due.callbacks.append(lambda _: action())
