"""The pipelines on one screen: descriptions → system → facts → judgement."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tlm3d.record.kept import parse_kept
from tlm3d.units import TIME, duration_ps, parse_quantity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from fractions import Fraction

    from tlm3d.analysis.explain import Explanation
    from tlm3d.analysis.plan import PlanSheet
    from tlm3d.analysis.result import Result
    from tlm3d.analysis.score import Score
    from tlm3d.analysis.traffic import TrafficResult
    from tlm3d.bounds.result import Bounds
    from tlm3d.cnn.network import Network
    from tlm3d.model.surroundings import Builder
    from tlm3d.model.system import Progress
    from tlm3d.record.recording import PlanInfo
    from tlm3d.spec.lone import Placement
    from tlm3d.spec.plan import Plan
    from tlm3d.spec.platform import PlatformSpec
    from tlm3d.spec.traffic import TrafficRow
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
    record: str = "full",
    plan: Plan | None = None,
) -> Result:
    """Run ``workload`` on ``platform`` and judge what happened.

    ``horizon``: text with a unit (``"1 s"``) or integer picoseconds; default the workload's. ``policy``: a kind of
    tlm3d.policies; default the workload's. ``progress(done_ps, horizon_ps)`` is called now and then; when it returns
    something true, the window ends there. ``modules``: functions that are given the Surroundings and build modules of
    your own beside the platform (docs/systemc.md). ``record``: the facts that ``result.recording`` keeps: ``"full"``,
    ``"totals"`` for none, so that memory does not grow with the run, or those of a window such as ``"900 ms..1 s"``;
    every other number of the result is the same. With ``modules`` facts are held until the end, whatever is kept then.
    ``plan``: every stage and layer runs on its planned block alone, and ``result.plan`` says how the plan held.
    Raises SpecError, PluginError, ElaborationError, QuantityError (horizon, record), ModuleError.
    """
    from tlm3d.analysis.digest import Digest
    from tlm3d.model.system import System

    horizon_ps = duration_ps(parse_quantity(horizon, TIME)) if isinstance(horizon, str) else horizon
    kept = parse_kept(record)
    kept.check_inside(horizon_ps or workload.horizon_ps)
    if plan is not None:
        workload = _planned(platform, workload, plan)
    system = System(platform, workload, policy or workload.policy, horizon_ps or workload.horizon_ps, seed)
    system.recording.kept = kept
    system.recording.plan = plan_info(plan)
    digest = Digest(system.recording)
    fold = None if modules else digest.fold  # a module of the user's may book what has long been
    system.run(progress, fold, modules)
    return digest.result()


def _planned(platform: PlatformSpec, workload: WorkloadSpec, plan: Plan) -> WorkloadSpec:
    from tlm3d.spec.plan import planned  # a run without one does without

    return planned(platform, workload, plan)


def plan(platform: PlatformSpec, workload: WorkloadSpec, *, place: str = "heft", policy: str | None = None) -> Plan:
    """Where each stage and layer of ``workload`` is to run on ``platform``, decided before the run.

    ``place``: a kind of tlm3d.plans; ``policy``: that of the run, default the workload's. Raises SpecError,
    PluginError, ElaborationError.
    """
    from tlm3d.model.planning import make_plan

    return make_plan(platform, workload, policy or workload.policy, place).plan


def plan_sheet(
    platform: PlatformSpec, workload: WorkloadSpec, *, place: str = "heft", policy: str | None = None
) -> tuple[Plan, PlanSheet]:
    """A plan as ``plan`` makes it, and all of it that a reader wants to see."""
    from tlm3d.analysis.plan import sheet
    from tlm3d.model.planning import make_plan

    planning = make_plan(platform, workload, policy or workload.policy, place)
    return planning.plan, sheet(planning.plan, planning.schedules, planning.deadlines_ps, planning.options)


def plan_info(plan: Plan | None) -> PlanInfo | None:
    """What the record of a run keeps of its plan."""
    from tlm3d.record.recording import Foreseen, PlanInfo

    if plan is None:
        return None
    tasks = {name: Foreseen(task.response_ps, task.energy_aj) for name, task in plan.tasks.items()}
    return PlanInfo(plan.method, plan.policy, plan.corner, tasks)


def score(
    platform: PlatformSpec,
    workload: WorkloadSpec,
    *,
    policy: str | None = None,
    horizon: str | int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Score:
    """Run ``workload``, and each of its network tasks alone, on ``platform``: XRBench's scores, ANTT, STP, fairness.

    The arguments are those of ``simulate``, but that ``progress`` is told of all runs as one, and ends none. A task
    alone has the same releases and draws. Raises what ``simulate`` does, SpecError for a workload without networks.
    """
    from tlm3d.analysis.score import score as scored
    from tlm3d.spec.lone import lone_tasks

    parts = lone_tasks(workload)
    done = 0

    def run(part: WorkloadSpec, record: str) -> Result:
        nonlocal done

        def told(done_ps: int, whole_ps: int) -> None:
            if progress:
                progress(done * whole_ps + done_ps, (1 + len(parts)) * whole_ps)

        result = simulate(platform, part, policy=policy, horizon=horizon, seed=seed, progress=told, record=record)
        done += 1
        return result

    together = run(workload, "full")  # scores are of single jobs
    return scored(together, {name: run(part, "totals") for name, part in parts.items()})


def bound(
    platform: PlatformSpec,
    workload: WorkloadSpec,
    policy: str | None = None,
    stretch: Mapping[tuple[str, str], Fraction] | None = None,
    plan: Plan | None = None,
) -> Bounds:
    """The largest response that each task of ``workload`` can have on ``platform``, whatever happens (docs/bounds.md).

    ``stretch``: by task and block path (``logic.cluster``), how much longer it computes there. ``plan``: every stage
    and layer runs on its planned block alone. Raises SpecError, PluginError, ElaborationError.
    """
    from tlm3d.bounds.compose import bounds_of
    from tlm3d.model.system import System

    if plan is not None:
        workload = _planned(platform, workload, plan)
    system = System(platform, workload, policy or workload.policy, workload.horizon_ps, 0)
    return bounds_of(system.demand(stretch))


def explain(
    platform: PlatformSpec, network: Network, on: str | None = None, mapped: Mapping[str, str] | None = None
) -> Explanation:
    """One inference of ``network`` alone on ``platform``, layer by layer.

    ``on``: the block to run it on (layers it does not run go to another one); default the fastest of those that run at
    least half of its layers. ``mapped``: layers that run on another block all the same, as layer → block. Raises
    SpecError, PluginError, ElaborationError.
    """
    from tlm3d.errors import ElaborationError
    from tlm3d.spec.lone import placements

    found: list[Explanation] = []
    refused: list[ElaborationError] = []
    for placement in placements(platform, network, on, mapped):
        try:
            found.append(_alone(platform, network, placement))
        except ElaborationError as error:
            refused.append(error)
    if not found:
        raise refused[0]
    fastest = min(found, key=lambda one: (one.response_ps, one.block))
    compared = () if on is not None else tuple(one.block for one in found)
    return replace(fastest, compared=compared, mapped=tuple(mapped or ()))


def _alone(platform: PlatformSpec, network: Network, placement: Placement) -> Explanation:
    from tlm3d.analysis.explain import explain as by_layer
    from tlm3d.model.layer_works import layer_works
    from tlm3d.model.system import System
    from tlm3d.spec.lone import TASK, lone_workload

    workload = lone_workload(network, placement, platform.corner)
    system = System(platform, workload, workload.policy, workload.horizon_ps, 0)
    works = layer_works(platform, workload, TASK)
    return by_layer(system.run(), works, placement.block, placement.elsewhere)


def load_study(
    platform_file: str | Path, traffic_file: str | Path, settings: Sequence[str] = (), corner: str = "typical"
) -> tuple[PlatformSpec, list[TrafficRow]]:
    """A platform with ``settings`` (``path=value``) applied, at ``corner``, and the rows of a traffic file for it.

    Raises SpecError, problems of both files.
    """
    from tlm3d.model.topology import Topology
    from tlm3d.spec.pair import Attempts, read_platform
    from tlm3d.spec.traffic import read_traffic

    attempt = Attempts()
    platform = attempt(lambda: read_platform(str(platform_file), settings, corner))
    rows = attempt(lambda: read_traffic(traffic_file, Topology(platform).channels if platform else None))
    attempt.raise_any()
    assert platform is not None  # else a problem was raised
    assert rows is not None
    return platform, rows


def play_traffic(
    platform: PlatformSpec, rows: Sequence[TrafficRow], *, seed: int = 0, progress: Progress | None = None
) -> TrafficResult:
    """Post ``rows`` to the channels of ``platform``; of an interrupted study what had finished is the answer.

    ``seed`` is that of bit errors. ``progress(done, rows)`` is called now and then. Raises ElaborationError.
    """
    from tlm3d.analysis.traffic import TrafficTotals
    from tlm3d.model.topology import Topology
    from tlm3d.model.traffic import play_rows

    topology = Topology(platform, seed)
    used = {name for row in rows for name in row.route}
    notes = tuple(warning for name, warning in topology.warnings.items() if name in used)
    totals = TrafficTotals(topology.infos, len(rows))
    with suppress(KeyboardInterrupt):
        play_rows(topology, rows, totals.add, progress)
    return totals.result(platform.name, notes)
