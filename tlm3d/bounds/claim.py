"""What a bound is asked about, and what is said where there is none."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class NoBound:
    """No sound bound is known, and why."""

    reason: str
