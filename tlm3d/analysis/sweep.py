"""What a sweep comes to: a row a point, and the knee between missed and met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

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
    worst_share: float = 0.0  # that response over its deadline
    average_nw: float = 0.0
    total_aj: int = 0
    uj_per_inference: dict[str, float] = field(default_factory=dict)


def row_of(values: tuple[str, ...], result: Result) -> Row:
    """The outcome of a point, from its Result."""
    ran = [
        (task.response.max_ps / task.deadline_ps, name, task.response.max_ps)
        for name, task in result.tasks.items()
        if task.response is not None
    ]
    share, name, response_ps = max(ran, default=(0.0, "-", 0))
    return Row(
        values,
        corner=result.corner,
        verdict=result.verdict.value,
        judged=sum(task.judged for task in result.tasks.values()),
        missed=sum(task.missed for task in result.tasks.values()),
        limits_missed=sum(limit.met is False for limit in result.limits),
        worst_response_ps=response_ps,
        worst_task=name,
        worst_share=share,
        average_nw=result.average_nw,
        total_aj=result.total_aj,
        uj_per_inference=dict(result.efficiency.uj_per_inference),
    )


def knees(rows: Sequence[Row], magnitudes: Sequence[Fraction | None]) -> list[int]:
    """Indices of the knee rows: the least first value from which all larger tried ones are MET.

    ``magnitudes`` are the rows' first values as numbers (None: not a number, no knee). Rows that differ in their other
    values or in their corner each have a knee of their own; where every value is MET, or the largest is not, there is
    none.
    """
    groups: dict[tuple[str, ...], list[tuple[Fraction, int]]] = {}  # by the other values and the corner
    for index, (row, magnitude) in enumerate(zip(rows, magnitudes, strict=True)):
        if magnitude is not None:
            groups.setdefault((*row.values[1:], row.corner), []).append((magnitude, index))
    found = []
    for group in groups.values():
        knee = None
        for _, index in sorted(group, reverse=True):
            if rows[index].verdict != Verdict.MET.value:
                break
            knee = index
        else:
            knee = None  # met everywhere: the crossing lies below what was tried
        if knee is not None:
            found.append(knee)
    return sorted(found)


@dataclass(frozen=True, slots=True)
class Spread:
    """What one point came to by corner, in the order run; corners in error are left out."""

    values: tuple[str, ...]
    worst_response_ps: dict[str, int]  # without the corners at which no judged job ran
    average_nw: dict[str, float]
    total_aj: dict[str, int]


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
