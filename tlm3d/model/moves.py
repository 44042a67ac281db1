"""Channels and what crosses them, as bounds see them."""

from __future__ import annotations

from tlm3d.bounds.channels import Crossing, Move, Wire
from tlm3d.tlm.channel import Channel
from tlm3d.tlm.passage import Passage


def wire_of(channel: Channel) -> Wire:
    """What of ``channel`` decides how long rivals can hold a burst up."""
    sleep = channel.sleep
    return Wire(
        channel.name,
        channel.arbiter,
        channel.buffer_bursts,
        channel.latency_ps,
        sleep.wake_ps if sleep else 0,
        sleep.after_ps if sleep else 0,
        channel.faults is not None,
    )


def move_of(initiator: str, task: str, priority: int, route: tuple[Channel, ...], n_bytes: int) -> Move:
    """``n_bytes`` over ``route`` for a job of ``task``."""
    passage = Passage(route, n_bytes)
    crossings = tuple(
        Crossing(
            channel.name, passage.full_ps[hop] if passage.bursts > 1 else passage.last_ps[hop], passage.bursts, busy
        )
        for hop, (channel, busy) in enumerate(zip(route, passage.all_busy_ps, strict=True))
    )
    return Move(initiator, task, priority, crossings, passage.duration_ps)
