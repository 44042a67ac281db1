"""One point of a sweep, run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic

# Imported here, before processes are forked, and not by each of them when it first simulates.
import tlm3d.analysis.judge
import tlm3d.model.system  # noqa: F401
from tlm3d.analysis.result import Result
from tlm3d.analysis.sweep import Row, row_of
from tlm3d.errors import Problem, SpecError, Tlm3dError
from tlm3d.simulation import plan, simulate
from tlm3d.spec.corners import TYPICAL
from tlm3d.spec.pair import read_pair
from tlm3d.spec.platform import platform_of
from tlm3d.spec.settings import apply_settings
from tlm3d.spec.source import read_source
from tlm3d.spec.workload import workload_of
from tlm3d.sweeps.axis import Axis
from tlm3d.sweeps.workers import Share

_TOLD_EVERY_S = 0.5  # a point that takes less than that in our time tells no share


@dataclass(frozen=True, slots=True)
class Study:
    """What all points of a sweep have in common."""

    platform: str  # file
    workload: str  # file
    settings: tuple[str, ...] = ()  # as --set
    policy: str | None = None
    horizon_ps: int | None = None
    seed: int = 0
    corner: str = TYPICAL
    place: str | None = None  # the planner; None: the policy places in the run


@dataclass(frozen=True, slots=True)
class Point:
    """What one point has of its own: values of the swept paths, and a corner."""

    paths: tuple[str, ...]
    values: tuple[str, ...]
    corner: str

    @property
    def row(self) -> Row:
        """Its row, without an outcome."""
        return Row(self.values, corner=self.corner)


def check_paths(study: Study, axes: Sequence[Axis]) -> None:
    """Raise SpecError where the files cannot be read at all, or a swept path is none that a file can have."""
    platform, workload = read_source(study.platform), read_source(study.workload)
    apply_settings(platform, workload, study.settings)
    apply_settings(platform, workload, [f"{axis.path}={axis.values[0]}" for axis in axes], option="--param")
    # Other problems may be those of one value; a key that does not exist is one of every point.
    unknown: list[Problem] = []
    reads: tuple[Callable[[], object], ...] = (
        lambda: platform_of(platform),
        lambda: workload_of(workload, Path(study.workload).parent),
    )
    for read in reads:
        try:
            read()
        except SpecError as error:
            found = [one for one in error.problems if one.file.startswith("--param ")]
            unknown += [one for one in found if one.message.startswith("unknown key ")]
    if unknown:
        raise SpecError(unknown)


def run_point(study: Study, point: Point, told: Share | None = None) -> Row:
    """Run ``study`` at ``point``, as ``run --corner --set`` would; a Tlm3dError becomes the row's.

    ``told`` is called now and then with the share that is simulated.
    """
    try:
        return row_of(point.values, run_result(study, point, told))
    except Tlm3dError as error:
        return replace(point.row, error="; ".join(str(error).splitlines()))


def run_result(study: Study, point: Point, told: Share | None = None) -> Result:
    """The whole Result of one point; ``told`` as for run_point. Raises Tlm3dError."""
    changes = [f"{path}={value}" for path, value in zip(point.paths, point.values, strict=True)]
    described = read_pair(study.platform, study.workload, [*study.settings, *changes], corner=point.corner)
    planned = plan(*described, place=study.place, policy=study.policy) if study.place is not None else None
    progress = _now_and_then(told) if told else None
    return simulate(
        *described,
        policy=study.policy,
        horizon=study.horizon_ps,
        seed=study.seed,
        progress=progress,
        record="totals",
        plan=planned,
    )


def _now_and_then(told: Share) -> Callable[[int, int], None]:
    """Progress of a run, passed on to ``told`` as a share, but not oftener than a reader can follow."""
    last_s = monotonic()

    def progress(done_ps: int, horizon_ps: int) -> None:
        nonlocal last_s
        if monotonic() - last_s >= _TOLD_EVERY_S:
            told(done_ps / horizon_ps)
            last_s = monotonic()

    return progress
