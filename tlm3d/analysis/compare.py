"""What a comparison comes to: the outcome of one workload on each of several platforms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tlm3d.analysis.energy import UNOWNED
from tlm3d.analysis.result import Account, LimitResult, Result, TaskResult
from tlm3d.record.recording import Component

NOT_RUN = "not run: interrupted"  # the error of a platform that an interrupt has kept from finishing
BUS = "bus"  # what of the account "link" is spent on the buses of dies


@dataclass(frozen=True, slots=True)
class Inference:
    """A network task's own energy by account, over all that it finished in the window."""

    finished: int
    energy_aj: dict[str, int]  # by account, the largest first

    @property
    def total_aj(self) -> int:
        """All own accounts, aJ."""
        return sum(self.energy_aj.values())


@dataclass(frozen=True, slots=True)
class Outcome:
    """One platform's column; with ``error`` set there is nothing else."""

    file: str
    platform: str
    error: str = ""
    verdict: str = ""
    reasons: tuple[str, ...] = ()
    workload: str = ""
    policy: str = ""
    seed: int = 0
    horizon_ps: int = 0
    tasks: dict[str, TaskResult] = field(default_factory=dict)
    average_nw: float = 0.0  # at the rail
    battery_nw: float | None = None  # the average at the battery; None without a supply
    limits: tuple[LimitResult, ...] = ()
    total_aj: int = 0  # at the rail
    battery_aj: int | None = None  # the total at the battery; None without a supply
    energy_aj: dict[str, int] = field(default_factory=dict)  # by account, the largest first
    inferences: dict[str, Inference] = field(default_factory=dict)  # by network task that finished any
    core_fj_per_op: float | None = None
    effective_fj_per_op: float | None = None  # at the rail
    battery_effective_fj_per_op: float | None = None


def outcome_of(file: str, result: Result) -> Outcome:
    """The column of the platform in ``file``, from its Result."""
    buses = {channel.component for channel in result.recording.channels.values() if channel.role == BUS}
    own: dict[str, list[Account]] = {name: [] for name in result.efficiency.uj_per_inference}
    for account in result.accounts:
        if account.task != UNOWNED and account.task in own:
            own[account.task].append(account)
    return Outcome(
        file,
        result.platform,
        verdict=result.verdict.value,
        reasons=result.reasons,
        workload=result.workload,
        policy=result.policy,
        seed=result.seed,
        horizon_ps=result.horizon_ps,
        tasks=dict(result.tasks),
        average_nw=result.average_nw,
        limits=result.limits,
        battery_nw=None if result.battery is None else result.battery.average_nw,
        total_aj=result.total_aj,
        battery_aj=None if result.battery is None else result.battery.total_aj,
        energy_aj=_by_what(result.accounts, buses),
        inferences={
            name: Inference(result.tasks[name].finished, _by_what(accounts, buses))
            for name, accounts in sorted(own.items())
        },
        core_fj_per_op=result.efficiency.core_fj_per_op,
        effective_fj_per_op=result.efficiency.effective_fj_per_op,
        battery_effective_fj_per_op=None if result.battery is None else result.battery.effective_fj_per_op,
    )


def _by_what(accounts: Sequence[Account], buses: set[Component]) -> dict[str, int]:
    """Energy by account, the largest first; that of ``buses`` apart from that of links between dies."""
    sums: dict[str, int] = {}
    for account in accounts:
        on_bus = account.what == "link" and Component(account.die, account.component) in buses
        what = BUS if on_bus else account.what
        sums[what] = sums.get(what, 0) + account.energy_aj
    return dict(sorted(sums.items(), key=lambda item: (-item[1], item[0])))
