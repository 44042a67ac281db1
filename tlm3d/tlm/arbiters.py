"""Who may send next. An arbiter sees the hops that could start a burst now, in name order of their initiators.

To add one: write a function of this signature and put it into ``ARBITERS``, and its name into ``ASK_FOR_AGE`` if it
looks at when bursts have arrived. It must go by nothing else than names and numbers of what is eligible, and
``last_served``.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tlm3d.tlm.hop import Hop

Arbiter = Callable[[list["Hop"], str], "Hop"]


def round_robin(eligible: list[Hop], last_served: str) -> Hop:
    """The first initiator after the last one served, cyclic in name order (``last_served`` is "" before the first)."""
    for hop in eligible:
        if hop.initiator > last_served:
            return hop
    return eligible[0]


def oldest(eligible: list[Hop], last_served: str) -> Hop:
    """The burst that was posted to this channel first; ties by name, as ``min`` keeps the first of equals."""
    return min(eligible, key=lambda hop: hop.arrivals[0])


def priority(eligible: list[Hop], last_served: str) -> Hop:
    """The smallest priority number; among equals the first after the last one served, whatever number that had."""
    most_urgent = min(map(attrgetter("priority"), eligible))
    return round_robin([hop for hop in eligible if hop.priority == most_urgent], last_served)


ARBITERS: dict[str, Arbiter] = {"round-robin": round_robin, "oldest": oldest, "priority": priority}
ASK_FOR_AGE = frozenset({"oldest"})
