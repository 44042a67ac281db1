"""Power limits held against the worst power of the run, with their definitions in words."""

from __future__ import annotations

from collections.abc import Sequence

from tlm3d.analysis.result import LimitResult
from tlm3d.analysis.worst_power import Worst
from tlm3d.record.recording import LimitInfo

_TIME = ("ps", "ns", "us", "ms", "s")
_POWER = ("nW", "uW", "mW", "W", "kW")


def held(limit: LimitInfo, worst: Worst | None) -> LimitResult:
    """A limit against the worst power of the run; a window longer than the run (no ``worst``) cannot be judged."""
    if worst is None:
        return LimitResult(limit.kind, definition(limit), limit.limit_nw, None, None, None, limit.at)
    met = limit.limit_nw >= worst.power_nw
    return LimitResult(limit.kind, definition(limit), limit.limit_nw, worst.power_nw, worst.at_ps, met, limit.at)


def definition(limit: LimitInfo) -> str:
    """What the limit bounds, e.g. ``average over any 100 ms window at the rail``."""
    window = f"average over any {_exact(limit.window_ps, _TIME)} window"
    return f"{'instantaneous peak' if limit.kind == 'peak' else window} at the {limit.at}"


def clause(limit: LimitResult) -> str:
    """Why a limit is not kept or not judged, e.g. ``12.1 mW > 10 mW over any 100 ms window at the rail``."""
    if limit.worst_nw is None:
        return f"{limit.definition}: longer than the run"
    where = limit.definition.removeprefix("average ") if limit.kind == "window" else f"at the peak, at the {limit.at}"
    shown_nw = _three_digits(limit.worst_nw)
    if shown_nw <= limit.limit_nw:  # an excess too small for three digits
        shown_nw = limit.worst_nw
    return f"{_exact(shown_nw, _POWER)} > {_exact(limit.limit_nw, _POWER)} {where}"


def _three_digits(value: int) -> int:
    """``value`` rounded to three significant digits, halves up."""
    step: int = 10 ** max(0, len(str(value)) - 3)
    return (2 * value + step) // (2 * step) * step


def _exact(value: int, units: Sequence[str]) -> str:
    """``value`` of the first unit, without loss or trailing zeros, in the largest unit that leaves a whole part."""
    power = min((len(str(value)) - 1) // 3, len(units) - 1)
    whole, rest = divmod(value, 1000**power)
    decimals = f"{rest:0{3 * power}d}".rstrip("0") if rest else ""
    return f"{whole}.{decimals} {units[power]}" if decimals else f"{whole} {units[power]}"
