"""The pipeline on one screen: descriptions → system → facts → judgement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlm3d.record.kept import parse_kept
from tlm3d.units import TIME, duration_ps, parse_quantity

if TYPE_CHECKING:
    from tlm3d.analysis.result import Result
    from tlm3d.model.system import Progress
    from tlm3d.spec.platform import PlatformSpec
    from tlm3d.spec.workload import WorkloadSpec


def simulate(
    platform: PlatformSpec,
    workload: WorkloadSpec,
    *,
    policy: str | None = None,
    horizon: str | int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    record: str = "full",
) -> Result:
    """Run ``workload`` on ``platform`` and judge what happened.

    ``horizon``: text with a unit (``"1 s"``) or integer picoseconds; default the workload's. ``policy``: a kind of
    tlm3d.policies; default the workload's. ``progress(done_ps, horizon_ps)`` is called now and then; when it returns
    something true, the window ends there. ``record``: the facts that ``result.recording`` keeps: ``"full"``,
    ``"totals"`` for none, so that memory does not grow with the run, or those of a window such as ``"900 ms..1 s"``;
    every other number of the result is the same. Raises SpecError, PluginError, ElaborationError, QuantityError
    (horizon, record).
    """
    from tlm3d.analysis.digest import Digest
    from tlm3d.model.system import System

    horizon_ps = duration_ps(parse_quantity(horizon, TIME)) if isinstance(horizon, str) else horizon
    kept = parse_kept(record)
    kept.check_inside(horizon_ps or workload.horizon_ps)
    system = System(platform, workload, policy or workload.policy, horizon_ps or workload.horizon_ps, seed)
    system.recording.kept = kept
    digest = Digest(system.recording)
    system.run(progress, None if system.recording.kept.everything else digest.fold)
    return digest.result()
