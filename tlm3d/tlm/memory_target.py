"""A memory as a target: a range of addresses, with or without bytes in it."""

from __future__ import annotations

from collections.abc import Sequence

from tlm3d.tlm.carrier import Carrier, route_problems
from tlm3d.tlm.channel import Channel
from tlm3d.tlm.module import Module
from tlm3d.tlm.payload import Payload, ResponseStatus
from tlm3d.tlm.sockets import TargetSocket, Transport

_ENABLED, _DISABLED = 0xFF, 0x00


class MemoryTarget(Module):
    """``capacity_bytes`` from address 0; ``data`` backs them (shorter data leaves zeros behind it, None: no contents).

    With a ``carrier`` every access takes the channels of ``port``, one after the other; without it takes no time. Reads
    hand out what is there, and writes take effect, when the bytes have been moved. Answers: an access that reaches
    beyond the capacity TLM_ADDRESS_ERROR, a write to memory that is not ``writable`` TLM_COMMAND_ERROR, more than
    ``max_bytes`` TLM_BURST_ERROR, byte enables that are neither 0x00 nor 0xff TLM_BYTE_ENABLE_ERROR.
    """

    def __init__(
        self,
        name: str,
        within: Module,
        capacity_bytes: int,
        data: bytes | None = None,
        carrier: Carrier | None = None,
        port: Sequence[Channel] = (),
        writable: bool = True,
        max_bytes: int | None = None,
    ) -> None:
        super().__init__(name, within)
        self.target = TargetSocket("target", self, self._b_transport)
        self.capacity_bytes, self.writable, self.max_bytes = capacity_bytes, writable, max_bytes
        self.data = None if data is None else bytearray(data.ljust(max(0, capacity_bytes), b"\0"))
        self._carrier, self._port = carrier, tuple(port)

    def problems(self) -> list[str]:
        found = route_problems(self.path, "port", self._port)
        if self.capacity_bytes < 1:
            found.append(f"{self.path}: a memory has at least one byte, got {self.capacity_bytes}")
        elif self.data is not None and len(self.data) > self.capacity_bytes:
            found.append(f"{self.path}: {len(self.data)} bytes of data do not fit into {self.capacity_bytes}")
        if bool(self._port) != (self._carrier is not None):
            found.append(f"{self.path}: a carrier and the channels of a port belong together; give both or neither")
        return found

    def _b_transport(self, payload: Payload) -> Transport:
        refusal = self._refusal(payload)
        if refusal is not None:
            payload.response = refusal
            return
        if self._carrier is not None and (payload.is_read or payload.is_write):
            yield from self._carrier.carry(self.target.path, self._port, payload)
        if self.data is not None and payload.data is not None:
            self._access(self.data, payload, payload.data)
        payload.response = ResponseStatus.TLM_OK_RESPONSE

    def _refusal(self, payload: Payload) -> ResponseStatus | None:
        if payload.is_write and not self.writable:
            return ResponseStatus.TLM_COMMAND_ERROR_RESPONSE
        if payload.address + payload.width > self.capacity_bytes:
            return ResponseStatus.TLM_ADDRESS_ERROR_RESPONSE
        if self.max_bytes is not None and payload.length > self.max_bytes:
            return ResponseStatus.TLM_BURST_ERROR_RESPONSE
        if payload.byte_enables is not None and not set(payload.byte_enables) <= {_ENABLED, _DISABLED}:
            return ResponseStatus.TLM_BYTE_ENABLE_ERROR_RESPONSE
        return None

    def _access(self, memory: bytearray, payload: Payload, data: bytearray) -> None:
        base, width, enables = payload.address, payload.width, payload.byte_enables
        if enables is None and width == payload.length:
            if payload.is_read:
                data[:] = memory[base : base + width]
            elif payload.is_write:
                memory[base : base + width] = data
            return
        for k in range(payload.length):
            if enables is not None and enables[k % len(enables)] == _DISABLED:
                continue
            at = base + k % width
            if payload.is_read:
                data[k] = memory[at]
            elif payload.is_write:
                memory[at] = data[k]
