"""The releases of a task, and how close they come, by what its description says."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise

from tlm3d.model.activations import Arrivals
from tlm3d.model.activations.periodic import Periodic
from tlm3d.model.activations.sporadic import Sporadic
from tlm3d.model.activations.trace import Trace
from tlm3d.spec.workload import Task
from tlm3d.units import PS_PER_S, ceil_div


def arrivals_of(task: Task, seed: int) -> Arrivals | None:
    """What releases the jobs of ``task``; None where a camera or another task does."""
    spec = task.spec
    if spec.rate_hz is not None or spec.period_ps is not None:
        rate_hz = spec.rate_hz or Fraction(PS_PER_S, spec.period_ps or 1)
        return Periodic(rate_hz, spec.offset_ps, spec.jitter_ps, seed, task.name)
    if spec.sporadic is not None:
        return Sporadic(spec.offset_ps, spec.sporadic.min_distance_ps, spec.sporadic.mean_wait_ps, seed, task.name)
    return Trace(task.arrivals_ps) if spec.trace is not None else None


def period_ps(tasks: Mapping[str, Task], name: str, frame_rates_hz: Mapping[str, Fraction]) -> int:
    """The shortest distance between two releases of task ``name``, rounded up; of a cascade, that of its parent.

    ``frame_rates_hz``: of the camera of each task that has one.
    """
    spec = tasks[name].spec
    if spec.after is not None:
        return period_ps(tasks, spec.after.task, frame_rates_hz)
    if spec.period_ps is not None:
        return spec.period_ps
    if spec.sporadic is not None:
        return spec.sporadic.min_distance_ps
    if spec.trace is not None:
        times_ps = tasks[name].arrivals_ps
        closest_ps = min((later - one for one, later in pairwise(times_ps)), default=spec.deadline_ps or 1)
        return max(1, closest_ps)
    every = 1 if spec.input is None else spec.input.every
    rate_hz = frame_rates_hz[name] if spec.rate_hz is None else spec.rate_hz
    return ceil_div(every * PS_PER_S * rate_hz.denominator, rate_hz.numerator)


def deadline_ps(tasks: Mapping[str, Task], name: str, frame_rates_hz: Mapping[str, Fraction]) -> int:
    """How long after its release a job of task ``name`` is due: as stated, else that of its parent, else its period."""
    spec = tasks[name].spec
    if spec.deadline_ps is not None:
        return spec.deadline_ps
    if spec.after is not None:
        return deadline_ps(tasks, spec.after.task, frame_rates_hz)
    return period_ps(tasks, name, frame_rates_hz)
