"""What activates a task: frames of a sensor, a clock, events by chance, the jobs of another task, a trace."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from fractions import Fraction
from pathlib import Path

from pydantic import Field, model_validator

from tlm3d.errors import Problem, SpecError, did_you_mean, one_of
from tlm3d.spec.quantities import Chance, Count, DurationPs, Frozen
from tlm3d.spec.source import decoded, reading
from tlm3d.units import TIME, QuantityError, clip, duration_ps, parse_quantity

WAYS = ("input", "rate", "period", "sporadic", "after", "trace")
MAX_TRACE_BYTES = 64 * 2**20
_MAX_SHOWN = 100  # problems of a trace shown one by one


class InputSpec(Frozen):
    """Every ``every``-th frame of a camera in one of its modes; of those, the ones with an event, seen by chance."""

    camera: str
    mode: str = "full"
    every: Count = 1
    event: Chance = Fraction(1)


class SporadicSpec(Frozen):
    """Events at least ``min_distance`` apart, on average ``mean_distance``; not given: exactly ``min_distance``."""

    min_distance_ps: DurationPs = Field(alias="min_distance")
    mean_distance_ps: DurationPs | None = Field(alias="mean_distance", default=None)

    @property
    def mean_wait_ps(self) -> int:
        """By how much the mean distance is longer than the smallest."""
        return (self.mean_distance_ps or self.min_distance_ps) - self.min_distance_ps

    @model_validator(mode="after")
    def _mean_is_not_below_the_least(self) -> SporadicSpec:
        if self.mean_wait_ps < 0:
            raise ValueError("'mean_distance' must not be shorter than 'min_distance'")
        return self


class AfterSpec(Frozen):
    """A finished job of ``task`` releases one, with this probability."""

    task: str
    probability: Chance = Fraction(1)


def read_arrivals(path: Path) -> tuple[int, ...]:
    """The release times of a trace, ps: one a line, ``#`` comments, not falling. Raises SpecError with all problems."""
    file = str(path)
    with reading(file, "text"):
        if path.stat().st_size > MAX_TRACE_BYTES:
            raise SpecError([Problem(file, 0, 0, "", f"larger than the {MAX_TRACE_BYTES // 2**20} MiB of a trace")])
        lines = decoded(path.read_bytes(), file).splitlines()
    arrivals_ps: list[int] = []
    found: list[Problem] = []
    latest_ps = 0
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0]
        if not text.strip():
            continue
        column = len(text) - len(text.lstrip()) + 1
        try:
            at_ps = duration_ps(parse_quantity(text.strip(), TIME))
        except QuantityError as error:
            found.append(Problem(file, number, column, "", str(error)))
            continue
        if at_ps < latest_ps:
            before = "earlier than the line before: release times must not fall"
            found.append(Problem(file, number, column, "", f"{clip(text.strip())} is {before}"))
        latest_ps = max(latest_ps, at_ps)
        arrivals_ps.append(at_ps)
    if not arrivals_ps and not found:
        found.append(Problem(file, 1, 1, "", f"expected release times such as '{TIME.example}', one a line, got none"))
    if len(found) > _MAX_SHOWN:
        more = len(found) - _MAX_SHOWN
        found = [*found[:_MAX_SHOWN], Problem(file, 0, 0, "", f"{more} more problems are not shown")]
    if found:
        raise SpecError(found)
    return tuple(arrivals_ps)


def parent_fault(task: str, parents: Mapping[str, str], tasks: Collection[str]) -> str | None:
    """What is wrong with the task that ``task`` comes after, by ``parents``, those of all tasks in a cascade."""
    parent = parents[task]
    if parent not in tasks:
        return f"no task {clip(parent)}{did_you_mean(parent, tasks) or one_of(sorted(tasks))}"
    path = [task]
    while (parent := parents.get(path[-1], "")) and parent not in path:
        path.append(parent)
    if parent == task:
        return f"a circle that nothing begins: {' after '.join([*path, task])}"
    return None
