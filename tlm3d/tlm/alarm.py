"""A SimPy event that may be scheduled again and again, for hot paths."""

from __future__ import annotations

from collections.abc import Callable

from simpy import Environment
from simpy.events import Event


class Alarm(Event):
    """Calls ``ring()`` each time it is due. It may be due at several times at once, and cannot be cancelled.

    A plain Event serves once and costs its construction each time; this one is only pushed on SimPy's heap.
    """

    def __init__(self, env: Environment, ring: Callable[[], None]) -> None:
        super().__init__(env)
        self._ok, self._value = True, None
        self._ring = ring
        self._always: list[Callable[[Event], None]] = [self._due]
        self.callbacks = self._always

    def _due(self, _: Event) -> None:
        self.callbacks = self._always  # SimPy took them away to mark the event as processed
        self._ring()
