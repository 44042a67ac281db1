"""Random draws that depend on what they are for, and on nothing else."""

from __future__ import annotations

from fractions import Fraction
from hashlib import blake2b

STEPS = 1 << 64  # a draw is one of so many equal steps of [0, 1)


def draw_step(seed: int, kind: str, name: str, index: int) -> int:
    """A uniform draw from 0 to STEPS − 1 that depends on nothing but its arguments."""
    digest = blake2b(f"{seed}/{kind}/{name}/{index}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def draw(seed: int, kind: str, name: str, index: int) -> Fraction:
    """A uniform draw in [0, 1) that depends on nothing but its arguments."""
    return Fraction(draw_step(seed, kind, name, index), STEPS)
