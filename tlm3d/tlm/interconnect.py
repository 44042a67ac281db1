"""What lies between a module and a far target: channels, shared with everybody else who uses them."""

from __future__ import annotations

from collections.abc import Sequence

from tlm3d.tlm.carrier import Carrier, route_problems
from tlm3d.tlm.channel import Channel
from tlm3d.tlm.module import Module
from tlm3d.tlm.payload import Payload
from tlm3d.tlm.router import only_input
from tlm3d.tlm.sockets import InitiatorSocket, TargetSocket, Transport


class Interconnect(Module):
    """Carries payloads from its inputs to the target bound to ``initiator``, over kernel channels.

    A write goes over the channels of ``write`` and then to the target. A read goes to the target, and what it read
    comes back over the channels of ``read``, unless the target refused. Requests and acknowledgements take no time. An
    empty route moves nothing. Each of the ``inputs`` is an initiator of its own to the arbiters, under its path.
    """

    def __init__(
        self,
        name: str,
        within: Module,
        carrier: Carrier,
        write: Sequence[Channel] = (),
        read: Sequence[Channel] = (),
        inputs: Sequence[str] = ("target",),
    ) -> None:
        super().__init__(name, within)
        self._carrier = carrier
        self._write, self._read = tuple(write), tuple(read)
        self.inputs = {socket: _Input(socket, self) for socket in inputs}
        self.initiator = InitiatorSocket("initiator", self)

    @property
    def target(self) -> TargetSocket:
        """The only input, where there is one."""
        return only_input(self, dict(self.inputs))

    def problems(self) -> list[str]:
        found = route_problems(self.path, "write", self._write) + route_problems(self.path, "read", self._read)
        if not self._write and not self._read:
            found.append(f"{self.path}: has neither a write nor a read route; give it the channels of one")
        return found

    def pass_through(self, source: str, payload: Payload) -> Transport:
        """The whole way of ``payload``, its bytes posted under the name ``source``."""
        if payload.is_write and self._write:
            yield from self._carrier.carry(source, self._write, payload)
        yield from self.initiator.b_transport(payload)
        if payload.is_read and self._read and payload.is_response_ok:
            yield from self._carrier.carry(source, self._read, payload)


class _Input(TargetSocket):
    """One of the inputs: it knows its own path, which is its name on the channels."""

    def __init__(self, name: str, interconnect: Interconnect) -> None:
        super().__init__(name, interconnect, lambda payload: interconnect.pass_through(self.path, payload))
