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
    verdict: str = ""
    judged: int = 0
    missed: int = 0
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
        verdict=result.verdict.value,
        judged=sum(task.judged for task in result.tasks.values()),
        missed=sum(task.missed for task in result.tasks.values()),
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
    values each have a knee of their own; where every value is MET, or the largest is not, there is none.
    """
    groups: dict[tuple[str, ...], list[tuple[Fraction, int]]] = {}
    for index, (row, magnitude) in enumerate(zip(rows, magnitudes, strict=True)):
        if magnitude is not None:
            groups.setdefault(row.values[1:], []).append((magnitude, index))
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
