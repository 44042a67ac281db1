"""A platform file and a workload file read together, with values changed: all problems of both in one go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from tlm3d.errors import Problem, SpecError
from tlm3d.spec.corners import CORNERS, TYPICAL, check_corner
from tlm3d.spec.platform import PlatformSpec, platform_of
from tlm3d.spec.settings import apply_settings
from tlm3d.spec.source import read_source
from tlm3d.spec.workload import WorkloadSpec, workload_of
from tlm3d.units import harmless

_T = TypeVar("_T")


class Attempts:
    """Steps that go on after one has failed, so that one go shows the problems of all."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def __call__(self, step: Callable[[], _T]) -> _T | None:
        """What ``step`` returns, or None and the problems of its SpecError kept."""
        try:
            return step()
        except SpecError as error:
            self._found += error.problems
            return None

    def raise_any(self) -> None:
        """Raise SpecError with every problem kept, each once."""
        if self._found:
            raise SpecError(dict.fromkeys(self._found))


def read_pair(
    platform_file: str,
    workload_file: str,
    settings: Sequence[str] = (),
    checks: Sequence[Callable[[], object]] = (),
    corner: str = TYPICAL,
) -> tuple[PlatformSpec, WorkloadSpec]:
    """The descriptions in both files with ``settings`` (``path=value``) applied, at ``corner`` (low, typical, high).

    ``checks`` are called first; what SpecError they raise is shown together with the problems of the files. Raises
    SpecError with every problem found.
    """
    attempt = Attempts()
    for check in (*checks, lambda: check_corner(corner)):
        attempt(check)
    known = corner if corner in CORNERS else TYPICAL  # an unknown one must not hide the problems of the files
    platform_source = attempt(lambda: read_source(platform_file))
    workload_source = attempt(lambda: read_source(workload_file))
    attempt(lambda: apply_settings(platform_source, workload_source, settings))
    platform = attempt(lambda: platform_of(platform_source, known)) if platform_source else None
    folder = Path(workload_file).parent
    workload = attempt(lambda: workload_of(workload_source, folder, known)) if workload_source else None
    attempt.raise_any()
    assert platform is not None  # else a problem was raised
    assert workload is not None
    return platform, workload


def read_platform(platform_file: str, settings: Sequence[str] = (), corner: str = TYPICAL) -> PlatformSpec:
    """The platform in a file with ``settings`` applied, at ``corner``. Raises SpecError, also for a workload's."""
    for setting in settings:
        path = setting.partition("=")[0].strip()
        if path.startswith("workload."):
            message = "there is no workload here, only a platform"
            raise SpecError([Problem(f"--set {harmless(path)}", 0, 0, "", message)])
    source = read_source(platform_file)
    apply_settings(source, None, settings)
    return platform_of(source, corner)
