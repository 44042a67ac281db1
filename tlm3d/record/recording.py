"""The record of one run.

A run only appends; what is final may be taken out while it goes on (see ``Recording.take``). Every fact is a tuple of
plain values, so that a run appends cheaply and analysis or export can turn columns into arrays. Times are ps, energies
aJ, powers nW. Facts may reach beyond the horizon (a job still running, a transfer on its way); analysis cuts them
there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import NamedTuple, Protocol, Self, SupportsIndex, TypeVar, overload

from tlm3d.errors import RecordError
from tlm3d.record.kept import FULL, TOTALS, Kept
from tlm3d.record.residency import ResidencyPlan


class Component(NamedTuple):
    """Something that spends energy: a block or a link direction. ``die`` of a link is the die that drives it."""

    die: str
    name: str


class Span(NamedTuple):
    """An activity of ``energy_aj`` over [start_ps, end_ps); ``task`` is ``-`` (and index -1) where no task owns it."""

    component: Component
    what: str  # energy account: compute, sensing, conversion, load, store, …
    task: str
    index: int  # type: ignore[assignment]  # shadows tuple.index, which nobody needs here
    layer: str
    tile: int
    start_ps: int
    end_ps: int
    energy_aj: int


class TransferLeg(NamedTuple):
    """One transfer on one channel of its route.

    ``posted_ps``: its first burst is offered to this channel; ``start_ps``: its first bit goes out; ``end_ps``: its
    last bit has left; ``finish_ps``: its last burst has arrived at the far end. ``energy_aj`` lies on
    [start_ps, end_ps). ``busy_ps`` is the time the wire was occupied, ``bits`` payload and overhead.
    """

    channel: str
    initiator: str
    task: str
    index: int  # type: ignore[assignment]  # shadows tuple.index, which nobody needs here
    bytes: int
    bits: int
    posted_ps: int
    start_ps: int
    end_ps: int
    finish_ps: int
    busy_ps: int
    energy_aj: int
    resent: int = 0  # bursts that arrived wrong and were sent again


class TransferEnd(NamedTuple):
    """The whole life of one transfer of a traffic file: row (from 0), posting, last arrival, and its legs in order."""

    row: int
    start_ps: int
    finish_ps: int
    legs: tuple[TransferLeg, ...]


class StateInterval(NamedTuple):
    """A component in a state of constant power over [start_ps, end_ps); ``what``: idle, leakage, active, …"""

    component: Component
    what: str
    power_nw: int
    start_ps: int
    end_ps: int


class Segment(NamedTuple):
    """A piece of the chain that decided a job's finish: [start_ps, end_ps) spent on ``bucket``, held by ``holder``."""

    bucket: str
    start_ps: int
    end_ps: int
    where: str  # block, channel or sensor the time was spent on or waited for
    holder: str  # who held it (task#index, or - for the job itself)


class JobEnd(NamedTuple):
    """The whole life of one job. ``segments`` partition [release, finish) (or [release, horizon) if unfinished).

    ``status``: finished, unfinished, dropped, aborted, input-lost. ``finish_ps`` and ``start_ps`` are -1 where there is
    none. ``late`` is not a status: it follows from finish and deadline.
    """

    task: str
    index: int  # type: ignore[assignment]  # shadows tuple.index, which nobody needs here
    release_ps: int
    deadline_ps: int
    start_ps: int
    finish_ps: int
    status: str
    segments: tuple[Segment, ...]
    source: int = -1  # index of the job that released it, for a cascade

    @property
    def end_ps(self) -> int:
        """Where its segments end: with it, or with the window."""
        return self.segments[-1].end_ps if self.segments else self.release_ps


class LockWait(NamedTuple):
    """``job`` waits for ``resource``, which ``holder`` has, or which what it has bars; jobs as task#index."""

    job: str
    resource: str
    holder: str


class Deadlock(NamedTuple):
    """Since ``at_ps`` each job waits for the next one, the last for the first: none of them will go on."""

    at_ps: int
    waits: tuple[LockWait, ...]


class ChannelInfo(NamedTuple):
    """What a reader of the record must know of a channel."""

    component: Component
    role: str  # link, memory, bus, dma
    account: str  # the energy account its traffic is booked to: link, memory, dma, bus
    rate_bps: float


class TaskInfo(NamedTuple):
    """What a reader of the record must know of a task."""

    deadline_ps: int
    priority: int
    dense_ops: int  # 2 x MACs of one inference as published; 0 for a task without a network
    network: str  # name of the network or -
    period_ps: int
    firm: tuple[int, int] | None = None  # (m, k): at least m of any k consecutive judged jobs in time
    demand_ps: tuple[tuple[str, int], ...] = ()  # least of a job, by blocks (``a+b``: any of them) or channel


class ChainInfo(NamedTuple):
    """A path through tasks whose delay is watched; a bound that is None is not judged."""

    tasks: tuple[str, ...]
    deadline_ps: int | None = None  # of the reaction
    max_age_ps: int | None = None
    cascades: frozenset[str] = frozenset()  # those of the tasks that the task before releases


class Foreseen(NamedTuple):
    """What a plan says of one job of a task; None where it says nothing."""

    response_ps: int | None
    energy_aj: int | None


class PlanInfo(NamedTuple):
    """The plan that a run executed: how it was made, and for what."""

    method: str
    policy: str | None
    corner: str
    tasks: dict[str, Foreseen]


class LimitInfo(NamedTuple):
    """A power limit: ``kind`` is ``peak``, ``window`` or ``ewma``; ``at`` is rail or battery.

    ``window_ps`` is 0 but for a window; an ewma has the time constant ``tau_ps`` and is ``from_nw`` at t = 0.
    """

    kind: str
    limit_nw: int
    window_ps: int
    at: str = "rail"
    tau_ps: int = 0
    from_nw: int = 0


class SupplyInfo(NamedTuple):
    """What the battery gives for what the rail draws: straight lines through ``points``, and on with ``slope``.

    A point is (load, input) in nW, the first at load 0; ``rated_nw`` is the load they hold up to, None for any.
    """

    kind: str
    points: tuple[tuple[Fraction, Fraction], ...]
    slope: Fraction
    rated_nw: Fraction | None


Fact = TypeVar("Fact")


class Facts(Protocol[Fact]):
    """Facts in the order they were recorded: a list, or Packed."""

    def append(self, fact: Fact, /) -> None:
        """Add one fact."""

    def __iadd__(self, facts: Iterable[Fact], /) -> Self:
        """Add facts in their order."""

    def __iter__(self) -> Iterator[Fact]: ...

    def __len__(self) -> int: ...

    @overload
    def __getitem__(self, at: SupportsIndex, /) -> Fact: ...
    @overload
    def __getitem__(self, at: slice, /) -> list[Fact]: ...


@dataclass(slots=True)
class Recording:
    """Facts of one run over [0, horizon_ps] with the few names needed to read them."""

    platform: str
    workload: str
    policy: str
    seed: int
    horizon_ps: int
    corner: str = "typical"  # low, typical, high: which of the values at corners the run had
    dies: tuple[str, ...] = ()  # names, top tier first
    tasks: dict[str, TaskInfo] = field(default_factory=dict)  # by name, sorted
    chains: dict[str, ChainInfo] = field(default_factory=dict)  # by name, sorted
    channels: dict[str, ChannelInfo] = field(default_factory=dict)  # by name, sorted
    components: tuple[Component, ...] = ()
    limits: tuple[LimitInfo, ...] = ()
    supply: SupplyInfo | None = None  # None: the rail is all there is
    boot_bytes: int = 0
    residency: ResidencyPlan = field(default_factory=ResidencyPlan)
    plan: PlanInfo | None = None  # None: where something runs was chosen in the run
    notes: tuple[str, ...] = ()  # warnings and remarks of elaboration
    spans: Facts[Span] = field(default_factory=list)
    legs: Facts[TransferLeg] = field(default_factory=list)
    states: Facts[StateInterval] = field(default_factory=list)  # each appended when it has ended
    jobs: Facts[JobEnd] = field(default_factory=list)
    deadlocks: list[Deadlock] = field(default_factory=list)
    interrupted_of_ps: int = 0  # the horizon that was asked for, where the run was interrupted before it; else 0
    macs_executed: int = 0  # by all tiles computed inside the window
    kept: Kept = FULL  # what the lists hold once the run is over

    @property
    def window_ps(self) -> tuple[int, int]:
        """Start and end of the part of [0, horizon_ps] whose facts are kept. Raises RecordError where none are."""
        if self.kept == TOTALS:
            raise RecordError("the run kept no facts, only totals; simulate(..., record='full') keeps them")
        end_ps = self.horizon_ps if self.kept.end_ps is None else min(self.kept.end_ps, self.horizon_ps)
        return min(self.kept.start_ps, end_ps), end_ps

    def take(self, settled_ps: int) -> Recording:
        """Take out what lies before ``settled_ps`` for good: facts that end by it, jobs whose deadline has come."""
        taken = replace(
            self,
            spans=[span for span in self.spans if span.end_ps <= settled_ps],
            legs=[leg for leg in self.legs if leg.end_ps <= settled_ps],
            states=[state for state in self.states if state.end_ps <= settled_ps],
            jobs=[job for job in self.jobs if job.deadline_ps <= settled_ps],
        )
        self.spans = [span for span in self.spans if span.end_ps > settled_ps]
        self.legs = [leg for leg in self.legs if leg.end_ps > settled_ps]
        self.states = [state for state in self.states if state.end_ps > settled_ps]
        self.jobs = [job for job in self.jobs if job.deadline_ps > settled_ps]
        return taken
