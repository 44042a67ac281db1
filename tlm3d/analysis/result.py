"""What a run comes to: frozen, plain numbers that every reporter renders and a script reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from tlm3d.bounds.result import Bounds
from tlm3d.record.recording import JobEnd, LockWait, Recording


class Verdict(StrEnum):
    """MET: every judged job on time and every judged limit kept. UNJUDGED: something could not be judged."""

    MET = "met"
    MISSED = "missed"
    UNJUDGED = "unjudged"


@dataclass(frozen=True, slots=True)
class ResponseStats:
    """Response times of the judged jobs that ran (unfinished ones count with horizon − release).

    A percentile is that of the nearest rank: the ⌈p · n / 100⌉-th smallest of n.
    """

    min_ps: int
    mean_ps: int  # rounded down
    p50_ps: int
    p95_ps: int
    p99_ps: int
    max_ps: int
    max_is_bound: bool  # the largest belongs to a job that had not finished: shown with ≥

    @property
    def jitter_ps(self) -> int:
        """Response jitter, largest − smallest; at least so much where the largest is a bound."""
        return self.max_ps - self.min_ps


@dataclass(frozen=True, slots=True)
class Tardiness:
    """max(0, finish − deadline) of the judged jobs that ran, and the least of deadline − finish.

    A job that had not finished counts as if it did at the horizon: then tardiness is at least, slack at most so much.
    """

    mean_ps: int  # rounded down; jobs in time count with 0
    max_ps: int
    least_slack_ps: int
    is_bound: bool  # one of the jobs had not finished


@dataclass(frozen=True, slots=True)
class FirmResult:
    """(m,k)-firm: at least ``needed`` of any ``window`` consecutive judged jobs in time (Hamdaoui, Ramanathan 1995)."""

    needed: int
    window: int
    fewest: int  # in time, of any ``window`` in a row; where fewer were judged, the rest counts as in time

    @property
    def met(self) -> bool:
        """Whether every window had as many as it needs."""
        return self.fewest >= self.needed


@dataclass(frozen=True, slots=True)
class TaskResult:
    """One task's jobs: judged + open = jobs; missed = late, dropped, aborted, lost or unfinished past its deadline."""

    name: str
    deadline_ps: int
    jobs: int
    judged: int
    missed: int
    open: int
    finished: int  # completed inside the window
    response: ResponseStats | None  # None when no judged job ran
    tardiness: Tardiness | None = None  # None when no judged job ran
    firm: FirmResult | None = None  # None for a task without the rule

    @property
    def miss_ratio(self) -> float | None:
        """Missed of judged; None where none was judged."""
        return self.missed / self.judged if self.judged else None

    @property
    def is_kept(self) -> bool:
        """Whether the verdict has nothing against it: no miss, or what misses a firm task tolerates."""
        return self.firm.met if self.firm else not self.missed


@dataclass(frozen=True, slots=True)
class Delay:
    """One kind of delay along a chain: of the first task's jobs (reaction) or of the last one's outputs (data age)."""

    worst_ps: int
    mean_ps: int | None  # rounded down, over those known; None where none is
    judged: int  # those known, and those whose bound has passed without
    lost: int  # of these, beyond the bound; 0 without one
    is_bound: bool  # the worst belongs to a job that nothing had reacted to by the end: at least so much


@dataclass(frozen=True, slots=True)
class ChainResult:
    """End-to-end delay through ``tasks``; see tlm3d.analysis.chains for what is measured."""

    name: str
    tasks: tuple[str, ...]
    deadline_ps: int | None  # of the reaction
    max_age_ps: int | None
    reaction: Delay | None  # None where the first task had no job
    age: Delay | None  # None where the last task had no output


@dataclass(frozen=True, slots=True)
class JobBlame:
    """One job with its response split by cause; the buckets sum to the response, picosecond for picosecond."""

    job: JobEnd
    response_ps: int
    slack_ps: int  # deadline − finish (or − horizon when unfinished); negative when late
    buckets: dict[str, int]  # in the order of analysis.blame.BUCKETS, zeros left out


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something wrong beyond single jobs; see analysis/troubles.py for when it is.

    ``where``: the blocks (joined by ``+`` where any of them will do), channel or resources. ``who``: the task that asks
    for most, the starved task, the first job of the circle.
    """

    kind: str  # overload, starvation, deadlock
    where: str
    who: str
    at_ps: int | None  # starvation: since when; deadlock: when it closed
    asked_ps: int = 0  # overload: time that the judged jobs need there
    capacity_ps: int = 0  # overload: time there is; starvation: from at_ps to the horizon
    shares: tuple[tuple[str, int], ...] = ()  # ps by task, largest first: of asked_ps; of holding what is waited for
    waits: tuple[LockWait, ...] = ()  # deadlock: each job waits for the next one

    @property
    def total_ps(self) -> int:
        """What the shares are parts of."""
        return sum(part_ps for _, part_ps in self.shares)


@dataclass(frozen=True, slots=True)
class LimitResult:
    """A power limit held against the power ``at`` the rail or battery.

    ``met`` is None where it is not judged: a window longer than the run.
    """

    kind: str  # peak, window, ewma
    definition: str  # e.g. "average over any 100 ms window at the rail", "instantaneous peak at the battery"
    limit_nw: int
    worst_nw: int | None  # rounded up to a nanowatt, so that limit_nw >= worst_nw exactly when met
    at_ps: int | None  # start of the worst interval or window; when an ewma is worst
    met: bool | None
    at: str = "rail"  # or battery
    crossed_ps: int | None = None  # when power, or its average up to then, first exceeds the limit
    exceeded_ps: int | None = 0  # how long it does in all; None where it is not judged


@dataclass(frozen=True, slots=True)
class Account:
    """Energy by die · component · what · task (``-`` where no task owns it)."""

    die: str
    component: str
    what: str
    task: str
    energy_aj: int


@dataclass(frozen=True, slots=True)
class ChannelResult:
    """Traffic of one channel inside the window; ``queue_ps``: sum over transfers of start − posted.

    ``resent``: bursts of these transfers that arrived wrong and were sent again.
    """

    name: str
    role: str
    transfers: int
    bits: int
    busy_ps: int
    energy_aj: int
    queue_ps: int
    resent: int = 0


@dataclass(frozen=True, slots=True)
class BlockUse:
    """What a block did inside the window."""

    die: str
    name: str
    computing_ps: dict[str, int]  # by task, sorted
    switching_ps: int  # from one job to another

    @property
    def busy_ps(self) -> int:
        """All of it; over the window this is the utilisation."""
        return sum(self.computing_ps.values()) + self.switching_ps


@dataclass(frozen=True, slots=True)
class Efficiency:
    """The three efficiencies, of energy at the rail. None where nothing was computed or completed. 1 MAC = 2 op."""

    core_fj_per_op: float | None  # compute accounts / operations executed
    effective_fj_per_op: float | None  # all energy / dense operations of inferences completed
    uj_per_inference: dict[str, float]  # by network task: its own accounts / inferences completed
    uj_per_inference_with_share: dict[str, float]  # plus its share, by busy time, of what no task owns
    unowned_uj: float  # energy that no task owns


@dataclass(frozen=True, slots=True)
class PowerTrace:
    """Energy per interval between breakpoints; the columns sum to the totals, integer for integer."""

    start_ps: tuple[int, ...]
    end_ps: tuple[int, ...]
    energy_aj: tuple[int, ...]  # at the rail
    battery_aj: tuple[int, ...] | None = None  # at the battery; None without a supply


@dataclass(frozen=True, slots=True)
class Battery:
    """What the run takes from the battery: all that is spent at the rail, and the loss of the regulator.

    The loss belongs to no task. It follows the power of the whole platform, so no part of it is an account's own; with
    the share of what no task owns a task gets its share of it.
    """

    total_aj: int
    average_nw: float
    loss_aj: int  # of the account "regulator"
    effective_fj_per_op: float | None  # as Efficiency has it, with the energy at the battery
    uj_per_inference_with_share: dict[str, float]


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One task's job as planned, and what its jobs came to; None where the plan says nothing, or no job tells."""

    response_ps: int | None
    energy_aj: int | None
    mean_ps: int | None  # response of the judged jobs, rounded down
    spent_aj: int | None  # own accounts at the rail / jobs finished, rounded down

    @property
    def response_ratio(self) -> float | None:
        """Mean response / foreseen response."""
        return self.mean_ps / self.response_ps if self.mean_ps is not None and self.response_ps else None

    @property
    def energy_ratio(self) -> float | None:
        """Energy a job / foreseen energy."""
        return self.spent_aj / self.energy_aj if self.spent_aj is not None and self.energy_aj else None


@dataclass(frozen=True, slots=True)
class PlanResult:
    """The plan that was run, and how it held, by task."""

    method: str
    policy: str | None  # that it was made for; None where it does not say
    corner: str
    tasks: dict[str, Foreseen]


@dataclass(frozen=True, slots=True)
class Result:
    """The whole answer of one run."""

    verdict: Verdict
    reasons: tuple[str, ...]  # one short clause each, e.g. "classify missed 3 of 30 (10.0 %)"
    platform: str
    workload: str
    policy: str
    seed: int
    horizon_ps: int
    corner: str  # low, typical, high: which of the values at corners the run had
    tasks: dict[str, TaskResult]
    worst: JobBlame | None  # the job with the largest lateness among the late ones
    tightest: tuple[JobBlame, ...]  # by task, the judged job with the least slack; tightest first
    limits: tuple[LimitResult, ...]
    total_aj: int  # at the rail
    average_nw: float  # at the rail
    accounts: tuple[Account, ...]  # sorted; with a supply they add up to the total at the battery, else to total_aj
    channels: dict[str, ChannelResult]
    efficiency: Efficiency
    power_bins_nw: tuple[
        float, ...
    ]  # average power at the rail in equal slices of the window, for the bar of characters
    boot_bytes: int
    notes: tuple[str, ...]
    recording: Recording
    interrupted_of_ps: int = 0  # the horizon that was asked for, where the run was interrupted before it; else 0
    battery: Battery | None = None  # None without a supply
    chains: dict[str, ChainResult] = field(default_factory=dict)  # by name
    blocks: dict[str, BlockUse] = field(default_factory=dict)  # those at work, as die.block
    troubles: tuple[Trouble, ...] = ()
    plan: PlanResult | None = None  # None where the run chose itself
    bounds: Bounds | None = None  # of the same platform, workload and policy; None where they were not asked for
