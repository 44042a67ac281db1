"""Sockets: where modules meet. An initiator sends payloads through one, a target is served by the other."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from simpy.events import Event

from tlm3d.errors import ElaborationError, ModuleError
from tlm3d.tlm.adapters import BlockingOverPhases, PhasesOverBlocking
from tlm3d.tlm.module import Module
from tlm3d.tlm.nonblocking import Answer, NonblockingTransport, Phase, Sync
from tlm3d.tlm.payload import Payload

Transport = Generator[Event, Any, None]
BlockingTransport = Callable[[Payload], Generator[Event, Any, int | None] | int | None]


class Socket:
    """What initiator and target sockets have in common: a path, and what they are bound to and from."""

    def __init__(self, name: str, module: Module) -> None:
        self.name, self.module = name, module
        self.path = f"{module.path}.{name}"
        self.bound_to: list[Socket] = []
        self.bound_from: list[Socket] = []
        module.adopt(self)

    def bind(self, other: Socket) -> None:
        """Lead on to ``other``. What is impossible is said at elaboration, with everything else that is."""
        for socket in (self, other):
            if socket.module.is_elaborated:
                raise ElaborationError(f"{socket.path}: bound too late, {socket.module.top.path} has been elaborated")
        self.bound_to.append(other)
        other.bound_from.append(self)

    def problems(self) -> list[str]:
        """What is wrong with how it is bound, one sentence each."""
        found = []
        for way, others, cure in (("to", self.bound_to, self._fan_out), ("from", self.bound_from, self._fan_in)):
            if len(others) > 1:
                names = " and ".join(f"{way} {other.path}" for other in others)
                found.append(f"{self.path}: bound {_times(len(others))}, {names}; {cure}")
        top = self.module.top
        for other in (*self.bound_to, *self.bound_from):
            if other.module.top is not top:
                what = f"which is not inside {top.path}; put both under one top module"
                found.append(f"{self.path}: bound with {other.path}, {what}")
        return found

    _fan_out = "bind it once"
    _fan_in = "bind one of them"

    def connect(self) -> None:
        """Find the other end, through all levels of hierarchy."""

    def checked_delay(self, delay_ps: object, whose: str) -> int:
        """``delay_ps`` if it is a delay. Raises ModuleError."""
        if type(delay_ps) is not int or delay_ps < 0:
            what = f"{whose} gave a delay of {delay_ps!r}; a delay is a whole number of picoseconds from 0 up"
            raise ModuleError(self.module.now_ps, self.path, what)
        return delay_ps

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.path}>"


class InitiatorSocket(Socket):
    """Sends payloads. ``nb_transport_bw`` answers the phases that a target sends back, where phases are spoken.

    Bound to a target socket, or to an initiator socket of the module around its own, which passes it on.
    """

    _fan_out = "bind it once; a Router leads to several targets"
    _fan_in = "make one initiator socket for each"

    def __init__(self, name: str, module: Module, nb_transport_bw: NonblockingTransport | None = None) -> None:
        super().__init__(name, module)
        self._nb_transport_bw = nb_transport_bw
        self._target: TargetSocket | None = None
        self._phases = BlockingOverPhases(self)

    def problems(self) -> list[str]:
        found = super().problems()
        if not self.bound_to:
            found.append(f"{self.path}: is bound to nothing; bind it to the target socket it sends to")
        for other in self.bound_to:
            if isinstance(other, InitiatorSocket) and other.module is not self.module.parent:
                found.append(
                    f"{self.path}: bound to the initiator socket {other.path}, which is not of the module around it;"
                    " bind it to a target socket"
                )
        return found

    def connect(self) -> None:
        if self.bound_from:
            return  # what it passes on is connected from inside
        end: Socket = self
        while end.bound_to:
            end = end.bound_to[0]
        assert isinstance(end, TargetSocket)
        self._target, end.initiator = end, self

    @property
    def target(self) -> TargetSocket:
        """The target socket that serves what is sent here. Raises ModuleError where there is none."""
        if self._target is None:
            reason = "only passes on what is bound to it" if self.bound_from else "is used before elaborate(...)"
            raise ModuleError(self.module.now_ps, self.path, f"sent a payload, but {reason}")
        return self._target

    def b_transport(self, payload: Payload, delay_ps: int = 0) -> Transport:
        """Send ``payload`` ``delay_ps`` from now: ``yield from socket.b_transport(payload)``.

        When it returns, the time of the transaction has passed and ``payload.response`` says what came of it. Raises
        ModuleError for a payload that is wrong in itself, or still in flight.
        """
        target = self.target
        self._enter(payload, target)
        try:
            if self.checked_delay(delay_ps, "the caller"):
                yield self.module.env.timeout(delay_ps)
            if target.is_blocking:
                yield from target.serve(payload)
            else:
                yield from self._phases.transport(payload)
        finally:
            self._leave(payload, target)

    def nb_transport_fw(self, payload: Payload, phase: Phase, delay_ps: int = 0) -> Answer:
        """Tell the target that ``payload`` enters ``phase`` (BEGIN_REQ or END_RESP) ``delay_ps`` from now."""
        target = self.target
        self.checked_delay(delay_ps, "the caller")
        if self._nb_transport_bw is None:
            what = "sent a phase, but has no nb_transport_bw for the phases that come back"
            raise ModuleError(self.module.now_ps, self.path, what)
        if phase is Phase.BEGIN_REQ:
            self._enter(payload, target)
        answer = self.send_phase(payload, phase, delay_ps)
        if phase is Phase.END_RESP or answer.sync is Sync.TLM_COMPLETED:
            self._leave(payload, target)
        return answer

    def send_phase(self, payload: Payload, phase: Phase, delay_ps: int) -> Answer:
        """``nb_transport_fw`` for a payload whose way is kept track of elsewhere."""
        return self.target.receive(payload, phase, delay_ps)

    def receive(self, payload: Payload, phase: Phase, delay_ps: int) -> Answer:
        """A phase has come back from the target."""
        if self._phases.knows(payload):
            return self._phases.receive(payload, phase, delay_ps)
        if self._nb_transport_bw is None:
            what = f"was sent {phase.name} for a payload that it has not in flight"
            raise ModuleError(self.module.now_ps, self.path, what)
        answer = self._nb_transport_bw(payload, phase, delay_ps)
        if phase is Phase.BEGIN_RESP and answer.sync is not Sync.TLM_ACCEPTED:
            self._leave(payload, self.target)
        return answer

    def _enter(self, payload: Payload, target: TargetSocket) -> None:
        now_ps, problem, passing = self.module.now_ps, payload.problem(), payload._passing
        if problem:
            raise ModuleError(now_ps, self.path, f"sent a payload whose {problem}")
        if passing and not _is_forwarding(passing[-1], self):
            what = f"sent a payload that is in flight, sent by {passing[0]!r}; wait for its response, or take another"
            raise ModuleError(now_ps, self.path, what)
        passing += (self, target)

    def _leave(self, payload: Payload, target: TargetSocket) -> None:
        for socket in (self, target):
            if socket in payload._passing:
                payload._passing.remove(socket)


class TargetSocket(Socket):
    """Serves payloads by ``b_transport``, ``nb_transport_fw`` or both; the initiator chooses between them.

    ``b_transport(payload)`` sets the response. It is a generator in which time passes, or a plain function; what either
    returns is a delay in ps that passes as well (None: 0). Bound to a target socket of a child, it passes on to that.
    """

    _fan_out = "bind it once; a Router leads to several targets"
    _fan_in = "a Router joins several initiators, one at each of its inputs"

    def __init__(
        self,
        name: str,
        module: Module,
        b_transport: BlockingTransport | None = None,
        nb_transport_fw: NonblockingTransport | None = None,
    ) -> None:
        super().__init__(name, module)
        self._b_transport = b_transport
        self._nb_transport_fw = nb_transport_fw
        self._phases = PhasesOverBlocking(self)
        self.initiator: InitiatorSocket | None = None

    def problems(self) -> list[str]:
        found = super().problems()
        serves = self._b_transport is not None or self._nb_transport_fw is not None
        if not self.bound_from:
            found.append(f"{self.path}: nothing is bound to it; bind an initiator socket to it")
        if not serves and not self.bound_to:
            what = "give it a b_transport or an nb_transport_fw, or bind it to a target socket of a child"
            found.append(f"{self.path}: serves nothing; {what}")
        for other in self.bound_to:
            if not isinstance(other, TargetSocket) or other.module.parent is not self.module:
                what = f"which is no target socket of a child of {self.module.path}"
                found.append(f"{self.path}: bound to {other.path}, {what}")
            elif serves:
                found.append(f"{self.path}: serves payloads itself, and is bound to {other.path}; one of the two")
        return found

    @property
    def is_blocking(self) -> bool:
        """Whether a blocking call can be served as it is; else it is carried out in phases."""
        return self._b_transport is not None

    def serve(self, payload: Payload) -> Transport:
        """The target's b_transport, with all its time."""
        assert self._b_transport is not None
        outcome = self._b_transport(payload)
        if isinstance(outcome, Generator):
            outcome = yield from outcome
        if outcome is not None and self.checked_delay(outcome, "b_transport"):
            yield self.module.env.timeout(outcome)

    def receive(self, payload: Payload, phase: Phase, delay_ps: int) -> Answer:
        """A phase has come from the initiator."""
        if self._nb_transport_fw is not None:
            return self._nb_transport_fw(payload, phase, delay_ps)
        return self._phases.receive(payload, phase, delay_ps)

    def nb_transport_bw(self, payload: Payload, phase: Phase, delay_ps: int = 0) -> Answer:
        """Tell the initiator that ``payload`` enters ``phase`` (END_REQ or BEGIN_RESP) ``delay_ps`` from now."""
        self.checked_delay(delay_ps, "the caller")
        if self.initiator is None:
            raise ModuleError(self.module.now_ps, self.path, "sent a phase back, but nothing leads here")
        return self.initiator.receive(payload, phase, delay_ps)


def _is_forwarding(last: object, sender: Socket) -> bool:
    """Whether a payload that has come as far as ``last`` may go on from ``sender``: from inside the same module."""
    if not isinstance(last, TargetSocket):
        return False
    here, there = last.module, sender.module
    return f"{there.path}.".startswith(f"{here.path}.") or f"{here.path}.".startswith(f"{there.path}.")


def _times(count: int) -> str:
    return "twice" if count == 2 else f"{count} times"
