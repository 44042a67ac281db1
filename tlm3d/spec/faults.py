"""Faults of links: bits that arrive wrong, and bursts that are sent again."""

from __future__ import annotations

from pydantic import Field

from tlm3d.spec.quantities import Frozen, Probability, TimePs


class FaultsSpec(Frozen):
    """Every bit on the wire, overhead and padding too, arrives wrong with ``bit_error_rate``, one apart from the other.

    The checksum finds every burst with a wrong bit (what it costs stands in ``overhead``); the burst is sent again
    ``turnaround`` after its last bit, before any later one of its transfer.
    """

    bit_error_rate: Probability
    turnaround_ps: TimePs = Field(alias="turnaround", default=0)
