"""A quantity over time as a few rows of block characters."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor

from tlm3d.units import show_ps

_BLOCKS = " ▁▂▃▄▅▆▇█"
_ASCII = " .:#"
_ROWS = 4


def slices(values: Sequence[float], width: int) -> tuple[float, ...]:
    """``values`` of equal slices as at most ``width`` equal slices: means, weighted where an old slice is cut in two.

    Fewer values than half the width are repeated, so that a short list fills the page too.
    """
    count = len(values)
    if count <= width:
        return tuple(value for value in values for _ in range(max(1, width // count)))
    step = count / width
    means = []
    for column in range(width):
        start, end = column * step, (column + 1) * step
        total = 0.0
        for i in range(floor(start), min(count, floor(end) + 1)):
            total += values[i] * max(0.0, min(end, i + 1) - max(start, i))
        means.append(total / step)
    return tuple(means)


def skyline(values: Sequence[float], ascii_only: bool = False) -> list[str]:
    """Rows, top first, of columns as high as each value against the largest; above 0 is never shown as nothing."""
    glyphs = _ASCII if ascii_only else _BLOCKS
    levels = len(glyphs) - 1
    top = max(values, default=0.0)
    heights = [max(1, round(value / top * levels * _ROWS)) if value > 0 else 0 for value in values]
    return [
        "".join(glyphs[max(0, min(levels, height - row * levels))] for height in heights)
        for row in reversed(range(_ROWS))
    ]


def axis(width: int, horizon_ps: int) -> str:
    """Times from 0 to the horizon under ``width`` columns; the middle only where there is room."""
    left, middle, right = "0 s", show_ps(horizon_ps / 2), show_ps(horizon_ps)
    if width < len(left) + len(middle) + len(right) + 4:
        return left + right.rjust(width - len(left))
    half = (width - len(middle)) // 2
    return left.ljust(half) + middle + right.rjust(width - half - len(middle))
