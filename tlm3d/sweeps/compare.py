"""One workload on several platforms, in parallel processes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from tlm3d.analysis.compare import NOT_RUN, Outcome, outcome_of
from tlm3d.errors import Tlm3dError
from tlm3d.spec.changes import Changes, changes
from tlm3d.spec.corners import TYPICAL, at_corner
from tlm3d.spec.pair import Attempts
from tlm3d.spec.platform import platform_of
from tlm3d.spec.settings import apply_settings, settings_by_platform
from tlm3d.spec.source import Source, read_source
from tlm3d.spec.workload import workload_of
from tlm3d.sweeps.point import Point, Study, run_result
from tlm3d.sweeps.processes import Told, run_all
from tlm3d.sweeps.workers import Share


@dataclass(frozen=True, slots=True)
class Candidate:
    """One platform of a comparison: its file, the settings that it has a place for, and its text with them applied."""

    file: str
    settings: tuple[str, ...]
    source: Source

    @property
    def name(self) -> str:
        """The name that the platform gives itself."""
        return str(self.source.tree["name"])


def read_candidates(
    platforms: Sequence[str],
    workload: str,
    settings: Sequence[str],
    checks: Sequence[Callable[[], object]] = (),
    corner: str = TYPICAL,
) -> tuple[Candidate, ...]:
    """Read all files; each of ``settings`` goes to every platform that has its path, or to the workload.

    ``checks`` are called first. Raises SpecError with every problem of them and of all files.
    """
    attempt = Attempts()
    for check in checks:
        attempt(check)
    read = [source for file in platforms if (source := attempt(partial(read_source, file)))]
    having = settings_by_platform(read, settings) if len(read) == len(platforms) else [()] * len(read)
    for source, own in zip(read, having, strict=True):
        attempt(partial(apply_settings, source, None, own))
        attempt(partial(platform_of, source, corner))
    work = attempt(partial(read_source, workload))
    if work is not None:
        attempt(partial(apply_settings, None, work, settings))
        attempt(partial(workload_of, work, Path(workload).parent, corner))
    attempt.raise_any()
    return tuple(map(Candidate, platforms, having, read))


def compare(
    candidates: Sequence[Candidate], study: Study, *, jobs: int | None = None, done: Told | None = None
) -> list[Outcome]:
    """Run the workload of ``study`` on every candidate; outcomes in their order.

    ``jobs`` and ``done`` are as for sweeps.processes.sweep. A platform that cannot run it has its error as outcome,
    and NOT_RUN is that of those which an interrupt has kept from finishing.
    """
    runs = [partial(_outcome, replace(study, platform=one.file, settings=one.settings), one.name) for one in candidates]

    def lost(index: int, error: str) -> Outcome:
        return Outcome(candidates[index].file, candidates[index].name, error=error)

    outcomes = run_all(runs, lost, jobs=jobs, done=done)
    return [outcomes.get(i, Outcome(one.file, one.name, error=NOT_RUN)) for i, one in enumerate(candidates)]


def changes_from_first(candidates: Sequence[Candidate], corner: str = TYPICAL) -> list[Changes]:
    """What every candidate after the first changes in it, at ``corner``."""
    first, *others = (at_corner(candidate.source, corner)[0] for candidate in candidates)
    return [changes(first, other) for other in others]


def _outcome(study: Study, name: str, told: Share) -> Outcome:
    try:
        return outcome_of(study.platform, run_result(study, Point((), (), study.corner), told))
    except Tlm3dError as error:
        return Outcome(study.platform, name, error="; ".join(str(error).splitlines()))
