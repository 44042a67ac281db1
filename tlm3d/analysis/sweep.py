"""What a sweep comes to: a row a point, and the knee between missed and met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import takewhile

from tlm3d.analysis.result import Result, Verdict


@dataclass(frozen=True, slots=True)
class Row:
    """A point's values and outcome; with ``error`` set there is no outcome."""

    values: tuple[str, ...]
    error: str = ""
    corner: str = "typical"
    verdict: str = ""
    judged: int = 0
    missed: int = 0
    limits_missed: int = 0  # power limits not kept
    worst_response_ps: int = 0
    worst_task: str = "-"  # the task whose largest response is the largest share of its deadline
    worst_is_bound: bool = False  # that response is of a job that had not finished: shown with ≥
    worst_share: float = 0.0  # that response over its deadline
    average_nw: float = 0.0  # at the rail
    total_aj: int = 0  # at the rail
    battery_average_nw: float | None = None  # None without a supply
    battery_aj: int | None = None
    uj_per_inference: dict[str, float] = field(default_factory=dict)


def row_of(values: tuple[str, ...], result: Result) -> Row:
    """The outcome of a point, from its Result."""
    ran = [
        (task.response.max_ps / task.deadline_ps, name, task.response.max_ps, task.response.max_is_bound)
        for name, task in result.tasks.items()
        if task.response is not None
    ]
    share, name, response_ps, is_bound = max(ran, default=(0.0, "-", 0, False))
    return Row(
        values,
        corner=result.corner,
        verdict=result.verdict.value,
        judged=sum(task.judged for task in result.tasks.values()),
        missed=sum(task.missed for task in result.tasks.values()),
        limits_missed=sum(limit.met is False for limit in result.limits),
        worst_response_ps=response_ps,
        worst_task=name,
        worst_is_bound=is_bound,
        worst_share=share,
        average_nw=result.average_nw,
        total_aj=result.total_aj,
        battery_average_nw=None if result.battery is None else result.battery.average_nw,
        battery_aj=None if result.battery is None else result.battery.total_aj,
        uj_per_inference=dict(result.efficiency.uj_per_inference),
    )


@dataclass(frozen=True, slots=True)
class Crossing:
    """Rows ordered by one parameter: the knee, which is the least value from which all larger tried ones are MET.

    Without a knee it says why there is none.
    """

    by: int  # index of the parameter
    rows: tuple[int, ...]  # indices, in the order run
    knee: int | None  # index of the row
    why_none: str = ""


def crossings(
    rows: Sequence[Row], magnitudes: Sequence[Fraction | None], *, by: int = 0, paired: bool = False
) -> list[Crossing]:
    """Where MET begins, by combination of the other values and corner, or by corner alone where values are ``paired``.

    ``magnitudes`` are the rows' values of parameter ``by`` as numbers. A row with None, whose value is no number, is
    left out; where all have None there is a crossing a corner, without a knee.
    """
    groups: dict[tuple[str, ...], list[int]] = {}
    ordered = any(magnitude is not None for magnitude in magnitudes)
    for index, (row, magnitude) in enumerate(zip(rows, magnitudes, strict=True)):
        if magnitude is not None or not ordered:
            others = () if paired or not ordered else (*row.values[:by], *row.values[by + 1 :])
            groups.setdefault((*others, row.corner), []).append(index)
    return [_crossing(rows, magnitudes, by, group) for group in groups.values()]


def _crossing(rows: Sequence[Row], magnitudes: Sequence[Fraction | None], by: int, group: Sequence[int]) -> Crossing:
    """The crossing of the rows whose indices are in ``group``."""

    def none(why: str) -> Crossing:
        return Crossing(by, tuple(group), None, why)

    def met(index: int) -> bool:
        return rows[index].verdict == Verdict.MET.value

    if all(rows[index].error for index in group):
        return none("nothing ran")
    if all(map(met, group)):
        return none("all tried values are MET")  # the crossing lies below them
    sized = [(magnitude, index) for index in group if (magnitude := magnitudes[index]) is not None]
    if not sized:
        return none("the values are texts, which have no order")
    # Of rows with the same value one that is not MET comes first, as then that value is none from which all are.
    falling = sorted(sized, key=lambda pair: (-pair[0], met(pair[1]), -pair[1]))
    kept = [index for _, index in takewhile(lambda pair: met(pair[1]), falling)]
    if not kept:
        return none(f"the largest tried value, {rows[falling[0][1]].values[by]}, is not MET")
    return Crossing(by, tuple(group), kept[-1])


def knees(
    rows: Sequence[Row], magnitudes: Sequence[Fraction | None], *, by: int = 0, paired: bool = False
) -> list[int]:
    """Indices of the knee rows of all ``crossings``."""
    return sorted(one.knee for one in crossings(rows, magnitudes, by=by, paired=paired) if one.knee is not None)


@dataclass(frozen=True, slots=True)
class Spread:
    """What one point came to by corner, in the order run; corners in error are left out."""

    values: tuple[str, ...]
    worst_response_ps: dict[str, int]  # without the corners at which no judged job ran
    average_nw: dict[str, float]  # at the rail
    total_aj: dict[str, int]  # at the rail


def spreads(rows: Sequence[Row]) -> list[Spread]:
    """The spread of every point that was run at more than one corner, in the order of the points."""
    points: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        points.setdefault(row.values, []).append(row)
    found = []
    for values, at_corners in points.items():
        if len(at_corners) < 2:
            continue
        ran = [row for row in at_corners if not row.error]
        found.append(
            Spread(
                values,
                {row.corner: row.worst_response_ps for row in ran if row.worst_task != "-"},
                {row.corner: row.average_nw for row in ran},
                {row.corner: row.total_aj for row in ran},
            )
        )
    return found
