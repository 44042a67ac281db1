"""What happens at the same instant happens in this order: SimPy heap priorities, small first.

A decision taken at time T sees every request posted at or before T, because all posting is NORMAL and every decision
comes later. A decision may cause only later classes at its own instant, and every duration is at least a picosecond.
"""

from __future__ import annotations

from simpy.events import NORMAL, EventPriority

__all__ = ["ARBITRATE", "NEVER", "NORMAL", "PICK", "PLACE"]

PLACE = EventPriority(2)  # which block a layer runs on
PICK = EventPriority(3)  # which tile a block loads next
ARBITRATE = EventPriority(4)  # which burst a channel sends next

NEVER = 1 << 100  # a time in ps beyond any simulation; an integer, so that times stay integers
