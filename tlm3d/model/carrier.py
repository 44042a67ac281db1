"""The states of a memory, a link direction or a bus: active while its channel carries a transfer."""

from __future__ import annotations

from tlm3d.links import ChannelSpec
from tlm3d.model.context import Context
from tlm3d.model.gate import Interval, Powers, States, book_wake_up, joined, without
from tlm3d.record.recording import Component, StateInterval
from tlm3d.tlm.timing import NEVER


class Carrier:
    """Watches one channel."""

    def __init__(self, context: Context, name: str, component: Component, powers: Powers, spec: ChannelSpec) -> None:
        self._recording, self._component = context.recording, component
        self._channel, self._gating = context.topology.channels[name], spec.gating
        self._states = States(context.recording, component, powers)
        self._busy: list[Interval] = []
        if powers.active_nw or powers.idle_nw:  # it draws something else when active
            self._busy = context.carried.setdefault(name, [])
        self._gated: list[Interval] = []
        self._naps = 0  # of those that the channel remembers, how many are known here

    def settle(self, until_ps: int) -> list[StateInterval]:
        """Record the states that have ended before ``until_ps``; those that go on there."""
        going_on = self._states.settle(*self._intervals(), until_ps)
        self._busy[:] = [interval for interval in self._busy if interval[1] >= until_ps]
        self._gated = [interval for interval in self._gated if interval[1] >= until_ps]
        return going_on

    def close(self) -> None:
        """At the horizon: the states over the window."""
        self._states.close(*self._intervals())

    def _intervals(self) -> tuple[list[Interval], list[Interval]]:
        """When it is active, and when gated if nothing is sent any more."""
        self._busy[:] = joined(self._busy)
        if self._gating is None:
            return self._busy, []
        naps = self._channel.naps
        for nap in naps[self._naps :]:
            self._gated.append(nap)
            book_wake_up(self._recording, self._component, self._gating, nap.woken_ps)
        del naps[:-1]  # the channel itself asks for the last one only
        self._naps = len(naps)
        gated: list[Interval] = [*self._gated, (max(0, self._channel.fall_asleep_ps()), NEVER)]
        # Between the bursts of one transfer a channel may fall asleep; then it is not active.
        return without(self._busy, gated), gated
