"""From payloads to the kernel: the bytes of a payload as a transfer over channels."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import Protocol

from simpy import Environment
from simpy.events import Event

from tlm3d.tlm.channel import Channel
from tlm3d.tlm.fabric import Fabric
from tlm3d.tlm.payload import Payload, Priority
from tlm3d.tlm.sockets import Transport
from tlm3d.tlm.transfer import Transfer

Channels = tuple[Channel, ...]


class Ledger(Protocol):
    """Books what moving a payload costs. The kernel knows no energy; who builds the system does."""

    def owner(self, initiator: str, payload: Payload, route: Channels) -> object:
        """What the transfer is labelled with; called when its bytes are handed over."""

    def book(self, transfer: Transfer) -> None:
        """``transfer`` has arrived."""


class Carrier:
    """Hands payloads to a Fabric, burst by burst from there on: exact against all other traffic on the channels.

    One transfer in flight an initiator, as for every DMA; more are carried one after the other in the order of calling.
    """

    def __init__(self, env: Environment, fabric: Fabric, ledger: Ledger | None = None) -> None:
        self._env, self._fabric, self._ledger = env, fabric, ledger
        self._waiting: dict[str, deque[tuple[Channels, Payload, Event]]] = {}  # by initiator; the first is in flight

    def carry(self, initiator: str, route: Channels, payload: Payload) -> Transport:
        """Move the bytes of ``payload`` over ``route``; returns when the last one has arrived at its end."""
        arrived = self._env.event()
        waiting = self._waiting.setdefault(initiator, deque())
        waiting.append((route, payload, arrived))
        if len(waiting) == 1:
            self._post(initiator)
        yield arrived

    def _post(self, initiator: str) -> None:
        route, payload, _ = self._waiting[initiator][0]
        owner = None if self._ledger is None else self._ledger.owner(initiator, payload, route)
        priority = payload.get_extension(Priority)
        done = partial(self._done, initiator)
        self._fabric.post(initiator, route, payload.length, done, priority.number if priority else 0, owner)

    def _done(self, initiator: str, transfer: Transfer) -> None:
        waiting = self._waiting[initiator]
        _, _, arrived = waiting.popleft()
        if self._ledger is not None:
            self._ledger.book(transfer)
        arrived.succeed()
        if waiting:
            self._post(initiator)


def route_problems(path: str, what: str, route: Sequence[Channel]) -> list[str]:
    """Why nothing can be carried over ``route``."""
    names = [channel.name for channel in route]
    twice = sorted({name for name in names if names.count(name) > 1})
    return [f"{path}: the {what} route uses {name} twice" for name in twice]
