"""A part of a whole, for people."""

from __future__ import annotations


def percent(part: int, whole: int) -> str:
    """``10.0``; never 0.0 for something, nor 100 for less or more than everything."""
    if not whole or not part:
        return "0" if not part else "-"
    share = 100 * part / whole
    shown = f"{share:.1f}"
    if shown == "0.0":
        return "<0.1"
    if shown == "100.0":
        return "100" if part == whole else ">99.9" if part < whole else ">100"
    return shown
