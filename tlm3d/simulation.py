"""The pipeline on one screen: descriptions → system → facts → judgement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlm3d.units import TIME, duration_ps, parse_quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tlm3d.analysis.result import Result
    from tlm3d.model.surroundings import Builder
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
    modules: Sequence[Builder] = (),
) -> Result:
    """Run ``workload`` on ``platform`` and judge what happened.

    ``horizon``: text with a unit (``"1 s"``) or integer picoseconds; default the workload's. ``policy``: a kind of
    tlm3d.policies; default the workload's. ``progress(done_ps, horizon_ps)`` is called now and then; when it returns
    something true, the window ends there. ``modules``: functions that are given the Surroundings and build modules of
    your own beside the platform (docs/systemc.md). Raises SpecError, PluginError, ElaborationError, QuantityError
    (horizon), ModuleError.
    """
    from tlm3d.analysis.judge import judge
    from tlm3d.model.system import System

    horizon_ps = duration_ps(parse_quantity(horizon, TIME)) if isinstance(horizon, str) else horizon
    system = System(platform, workload, policy or workload.policy, horizon_ps or workload.horizon_ps, seed)
    return judge(system.run(progress, modules))
