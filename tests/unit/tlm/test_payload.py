"""The generic payload: what it is filled with, and what is hung onto it."""

from __future__ import annotations

import pytest

from tlm3d.tlm.payload import Account, Command, Payload, Priority, ResponseStatus


def test_a_new_payload_has_been_served_by_nobody() -> None:
    payload = Payload(Command.TLM_READ_COMMAND, 0x40, 8)
    assert payload.response is ResponseStatus.TLM_INCOMPLETE_RESPONSE
    assert payload.is_response_error
    assert not payload.is_response_ok
    assert not payload.is_in_flight


def test_the_statuses_have_the_numbers_of_ieee_1666() -> None:
    names = ["OK", "INCOMPLETE", "GENERIC_ERROR", "ADDRESS_ERROR", "COMMAND_ERROR", "BURST_ERROR", "BYTE_ENABLE_ERROR"]
    assert [(status.name, status.value) for status in ResponseStatus] == [
        (f"TLM_{name}_RESPONSE", 1 - number) for number, name in enumerate(names)
    ]


def test_only_ok_is_no_error() -> None:
    payload = Payload.write(0, 1)
    for payload.response in ResponseStatus:
        assert payload.is_response_ok == (payload.response is ResponseStatus.TLM_OK_RESPONSE)
        assert payload.is_response_error == (not payload.is_response_ok)
    payload.reset()
    assert payload.response is ResponseStatus.TLM_INCOMPLETE_RESPONSE


def test_an_extension_is_found_by_its_class_and_replaced_by_one_of_the_same_class() -> None:
    payload = Payload.read(0, 4)
    assert payload.get_extension(Account) is None
    payload.set_extension(Account("log", 3))
    payload.set_extension(Priority(1))
    payload.set_extension(Account("log", 4))
    assert payload.get_extension(Account) == Account("log", 4)
    assert payload.get_extension(Priority) == Priority(1)
    payload.clear_extension(Account)
    payload.clear_extension(Account)
    assert payload.get_extension(Account) is None
    assert payload.get_extension(Priority) == Priority(1)


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        (Payload.read(-1, 4), "address must be a whole number from 0 up, got -1"),
        (Payload.read(0, 0), "length must be a whole number from 1 up, got 0"),
        (Payload.read(0, 4.0), "length must be a whole number from 1 up, got 4.0"),  # type: ignore[arg-type]
        (Payload.write(0, 4, bytearray(3)), "data has 3 bytes, length is 4"),
        (
            Payload(Command.TLM_READ_COMMAND, 0, 4, streaming_width=0),
            "streaming_width must be at least 1, got 0",
        ),
        (
            Payload(Command.TLM_READ_COMMAND, 0, 4, byte_enables=b""),
            "byte_enables is empty; None enables every byte",
        ),
        (Payload.write(0, 4, bytearray(4)), ""),
    ],
)
def test_a_payload_says_what_is_wrong_with_it(payload: Payload, problem: str) -> None:
    assert payload.problem() == problem


def test_a_streaming_width_narrows_the_addresses_touched() -> None:
    assert Payload(Command.TLM_WRITE_COMMAND, 0, 8, streaming_width=2).width == 2
    assert Payload(Command.TLM_WRITE_COMMAND, 0, 8, streaming_width=16).width == 8
    assert Payload(Command.TLM_WRITE_COMMAND, 0, 8).width == 8
