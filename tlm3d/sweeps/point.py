"""One point of a sweep, run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tlm3d.analysis.result import Result
from tlm3d.analysis.sweep import Row, row_of
from tlm3d.errors import Tlm3dError
from tlm3d.simulation import simulate
from tlm3d.spec.pair import read_pair
from tlm3d.spec.settings import apply_settings
from tlm3d.spec.source import read_source
from tlm3d.sweeps.axis import Axis


@dataclass(frozen=True, slots=True)
class Study:
    """What all points of a sweep have in common."""

    platform: str  # file
    workload: str  # file
    settings: tuple[str, ...] = ()  # as --set
    policy: str | None = None
    horizon_ps: int | None = None
    seed: int = 0


def check_paths(study: Study, axes: Sequence[Axis]) -> None:
    """Raise SpecError where the files cannot be read at all, or a swept path leads nowhere in them."""
    platform, workload = read_source(study.platform), read_source(study.workload)
    apply_settings(platform, workload, study.settings)
    apply_settings(platform, workload, [f"{axis.path}={axis.values[0]}" for axis in axes], option="--param")


def run_point(study: Study, paths: tuple[str, ...], values: tuple[str, ...]) -> Row:
    """Run ``study`` with ``paths`` set to ``values``, as ``run --set`` would; a Tlm3dError becomes the row's."""
    try:
        return row_of(values, run_result(study, paths, values))
    except Tlm3dError as error:
        return Row(values, error="; ".join(str(error).splitlines()))


def run_result(study: Study, paths: tuple[str, ...], values: tuple[str, ...]) -> Result:
    """The whole Result of one point. Raises Tlm3dError."""
    changes = [f"{path}={value}" for path, value in zip(paths, values, strict=True)]
    described = read_pair(study.platform, study.workload, [*study.settings, *changes])
    return simulate(*described, policy=study.policy, horizon=study.horizon_ps, seed=study.seed, record="totals")
