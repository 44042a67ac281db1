"""Power limits held against the worst power of the run, with their definitions in words."""

from __future__ import annotations

from collections.abc import Sequence

from tlm3d.analysis.exceeded import Exceeded
from tlm3d.analysis.result import LimitResult
from tlm3d.analysis.worst_power import Worst
from tlm3d.record.recording import LimitInfo

_TIME = ("ps", "ns", "us", "ms", "s")
_POWER = ("nW", "uW", "mW", "W", "kW")


def held(limit: LimitInfo, worst: Worst | None, exceeded: Exceeded) -> LimitResult:
    """A limit against the worst power of the run; a window longer than the run (no ``worst``) cannot be judged."""
    what = definition(limit)
    if worst is None:
        return LimitResult(limit.kind, what, limit.limit_nw, None, None, None, limit.at, None, None)
    met = limit.limit_nw >= worst.power_nw
    crossed_ps, exceeded_ps = (None, 0) if met else (exceeded.crossed_ps, exceeded.total_ps)
    if not met and limit.kind == "window":  # the worst may be above by the floors of attojoules only
        end_ps = worst.at_ps + limit.window_ps
        crossed_ps = end_ps if crossed_ps is None else min(crossed_ps, end_ps)
    return LimitResult(
        limit.kind, what, limit.limit_nw, worst.power_nw, worst.at_ps, met, limit.at, crossed_ps, exceeded_ps
    )


def definition(limit: LimitInfo) -> str:
    """What the limit bounds, e.g. ``average over any 100 ms window at the rail``."""
    if limit.kind == "peak":
        return f"instantaneous peak at the {limit.at}"
    if limit.kind == "window":
        return f"average over any {_exact(limit.window_ps, _TIME)} window at the {limit.at}"
    start = f" from {_exact(limit.from_nw, _POWER)}" if limit.from_nw else ""
    return f"exponential average of {_exact(limit.tau_ps, _TIME)}{start} at the {limit.at}"


def clause(limit: LimitResult) -> str:
    """Why a limit is not kept or not judged, e.g. ``12.1 mW > 10 mW over any 100 ms window at the rail``."""
    if limit.worst_nw is None:
        return f"{limit.definition}: longer than the run"
    if limit.kind == "peak":
        where = f"at the peak, at the {limit.at}"
    elif limit.kind == "window":
        where = limit.definition.removeprefix("average ")
    else:
        where = f"in the {limit.definition}"
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
