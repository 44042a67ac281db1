"""An address map: one memory space, several targets behind it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

from tlm3d.errors import ElaborationError
from tlm3d.tlm.module import Module
from tlm3d.tlm.payload import Payload, ResponseStatus
from tlm3d.tlm.sockets import InitiatorSocket, TargetSocket, Transport


class Region(NamedTuple):
    """Addresses [base, base + size) lead through ``socket``."""

    base: int
    size: int
    socket: InitiatorSocket

    @property
    def end(self) -> int:
        return self.base + self.size

    def __str__(self) -> str:
        return f"{self.socket.name} at [{self.base:#x}, {self.end:#x})"


class Router(Module):
    """Sends a payload on to the region it lies in, at the address relative to its base; takes no time.

    ``inputs``: names of its target sockets, one for each initiator. A payload that lies in no region, or not in one
    region as a whole, gets TLM_ADDRESS_ERROR_RESPONSE. Overlapping regions are refused at elaboration.
    """

    def __init__(self, name: str, within: Module, inputs: Sequence[str] = ("target",)) -> None:
        super().__init__(name, within)
        self.inputs = {socket: TargetSocket(socket, self, self._b_transport) for socket in inputs}
        self.regions: list[Region] = []

    @property
    def target(self) -> TargetSocket:
        """The only input, where there is one."""
        return only_input(self, self.inputs)

    def map(self, name: str, base: int, size: int, to: TargetSocket | None = None) -> InitiatorSocket:
        """Let [base, base + size) lead to ``to``, through a new socket ``name``; where it is None, bind that later."""
        socket = InitiatorSocket(name, self)
        self.regions.append(Region(base, size, socket))
        if to is not None:
            socket.bind(to)
        return socket

    def problems(self) -> list[str]:
        found = [
            f"{self.path}: region {region} must begin at 0 or above and have at least one byte"
            for region in self.regions
            if region.base < 0 or region.size < 1
        ]
        order = sorted(self.regions, key=lambda region: (region.base, region.socket.name))
        for below, above in combinations([region for region in order if region.size > 0], 2):
            if below.end > above.base:
                found.append(f"{self.path}: regions {below} and {above} overlap; move or shrink one of them")
        if not self.regions:
            found.append(f"{self.path}: has no regions; map(...) at least one")
        return found

    def _b_transport(self, payload: Payload) -> Transport:
        address = payload.address
        region = next((region for region in self.regions if region.base <= address < region.end), None)
        if region is None or address + payload.width > region.end:
            payload.response = ResponseStatus.TLM_ADDRESS_ERROR_RESPONSE
            return
        payload.address = address - region.base
        try:
            yield from region.socket.b_transport(payload)
        finally:
            payload.address = address


def only_input(module: Module, inputs: dict[str, TargetSocket]) -> TargetSocket:
    """The one input of ``module``. Raises ElaborationError where there are more to choose from."""
    if len(inputs) != 1:
        raise ElaborationError(f"{module.path}: has the inputs {', '.join(sorted(inputs))}; name one: .inputs[...]")
    return next(iter(inputs.values()))
