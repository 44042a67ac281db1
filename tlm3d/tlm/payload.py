"""What travels between sockets: the generic payload of TLM-2.0, and what may be hung onto it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import NamedTuple, TypeVar

Extension = TypeVar("Extension")


class Command(Enum):
    """Names as IEEE 1666; IGNORE asks for nothing, and carries what its extensions say."""

    TLM_READ_COMMAND = 0
    TLM_WRITE_COMMAND = 1
    TLM_IGNORE_COMMAND = 2


class ResponseStatus(IntEnum):
    """Names, meaning and numbers as IEEE 1666; negative ones are errors, INCOMPLETE: no target has done anything."""

    TLM_OK_RESPONSE = 1
    TLM_INCOMPLETE_RESPONSE = 0
    TLM_GENERIC_ERROR_RESPONSE = -1
    TLM_ADDRESS_ERROR_RESPONSE = -2
    TLM_COMMAND_ERROR_RESPONSE = -3
    TLM_BURST_ERROR_RESPONSE = -4
    TLM_BYTE_ENABLE_ERROR_RESPONSE = -5


class Account(NamedTuple):
    """Extension: the task and job that the payload's energy is booked to (``-`` and -1: nobody's)."""

    task: str
    index: int = -1  # type: ignore[assignment]  # shadows tuple.index, which nobody needs here


class Priority(NamedTuple):
    """Extension: the number that channels with the arbiter ``priority`` go by; smaller is more urgent."""

    number: int


@dataclass(slots=True, eq=False)
class Payload:
    """One transaction: ``length`` bytes at ``address``.

    ``data`` is there when the bytes themselves matter; where only time and energy do, it stays None. Byte k is enabled
    if ``byte_enables[k % len(byte_enables)]`` is 0xff and not if it is 0x00 (None: all are). With a ``streaming_width``
    below ``length`` byte k goes to ``address`` + k % ``streaming_width`` (None: it is ``length``). The initiator fills
    all this in, and leaves it alone until the response; the target sets ``response``.
    """

    command: Command
    address: int
    length: int
    data: bytearray | None = None
    byte_enables: bytes | None = None
    streaming_width: int | None = None
    response: ResponseStatus = ResponseStatus.TLM_INCOMPLETE_RESPONSE
    _extensions: dict[type, object] = field(default_factory=dict, repr=False)
    _passing: list[object] = field(default_factory=list, init=False, repr=False)  # sockets it has gone through so far

    @classmethod
    def read(cls, address: int, length: int, data: bytearray | None = None) -> Payload:
        return cls(Command.TLM_READ_COMMAND, address, length, data)

    @classmethod
    def write(cls, address: int, length: int, data: bytearray | None = None) -> Payload:
        return cls(Command.TLM_WRITE_COMMAND, address, length, data)

    @property
    def is_read(self) -> bool:
        return self.command is Command.TLM_READ_COMMAND

    @property
    def is_write(self) -> bool:
        return self.command is Command.TLM_WRITE_COMMAND

    @property
    def is_response_ok(self) -> bool:
        return self.response > 0

    @property
    def is_response_error(self) -> bool:
        """As in IEEE 1666, a payload that no target has served (INCOMPLETE) is in error too."""
        return self.response <= 0

    @property
    def width(self) -> int:
        """Bytes of address space that it touches: ``length``, or its streaming width where that is less."""
        return self.length if self.streaming_width is None else min(self.length, self.streaming_width)

    @property
    def is_in_flight(self) -> bool:
        """Whether it has been sent and its response has not come back: nobody else may send it then."""
        return bool(self._passing)

    def reset(self) -> None:
        """Make it ready to be sent again; attributes and extensions stay."""
        self.response = ResponseStatus.TLM_INCOMPLETE_RESPONSE

    def set_extension(self, extension: object) -> None:
        """Hang on ``extension``, in the place of one of the same class."""
        self._extensions[type(extension)] = extension

    def get_extension(self, kind: type[Extension]) -> Extension | None:
        """The extension of exactly class ``kind``, if there is one."""
        found = self._extensions.get(kind)
        assert found is None or isinstance(found, kind)
        return found

    def clear_extension(self, kind: type) -> None:
        """Take off the extension of class ``kind``; nothing happens where there is none."""
        self._extensions.pop(kind, None)

    def problem(self) -> str:
        """What is wrong with its attributes, "" for nothing."""
        for name, value, least in (("address", self.address, 0), ("length", self.length, 1)):
            if type(value) is not int or value < least:
                return f"{name} must be a whole number from {least} up, got {value!r}"
        if self.streaming_width is not None and self.streaming_width < 1:
            return f"streaming_width must be at least 1, got {self.streaming_width}"
        if self.data is not None and len(self.data) != self.length:
            return f"data has {len(self.data)} bytes, length is {self.length}"
        if self.byte_enables is not None and not self.byte_enables:
            return "byte_enables is empty; None enables every byte"
        return ""
