"""One inference, layer by layer: what each layer added to the response, what it was bound by, what it spent.

A layer's time runs from the finish of the layer before it (in order of finishing) to its own, so that the times add up
to the response; what of it was computing and what moving is the job's blame, cut there. A layer's energy is that of its
tiles' computation and transfers, so that the energies add up to what the job owns.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from tlm3d.analysis.activities import activities, breakpoints_ps
from tlm3d.analysis.energy import UNOWNED, in_window
from tlm3d.errors import SimulationError
from tlm3d.record.layer_work import LayerWork
from tlm3d.record.recording import JobEnd, Recording, Segment, SupplyInfo
from tlm3d.record.residency import ResidencyPlan
from tlm3d.units import state_energy_aj

COMPUTE = "compute"


@dataclass(frozen=True, slots=True)
class LayerCost:
    """What a layer took. ``bound`` is compute, link or memory, ``where`` the block or channel; both - for no time.

    A layer is bound by compute when at least half of its time is, else by the channel that took most of it.
    """

    work: LayerWork
    time_ps: int
    compute_ps: int  # of the time, what the chain that decided the finish spent computing
    energy_aj: int
    unowned_aj: int  # what no task owns, of the whole platform over ``time_ps``
    bound: str
    where: str

    @property
    def macs_per_cycle(self) -> float | None:
        """MACs a busy cycle; None for a layer that does not multiply."""
        return self.work.macs / self.work.cycles if self.work.macs and self.work.cycles else None


@dataclass(frozen=True, slots=True)
class Explanation:
    """One inference of one network alone on a platform."""

    platform: str
    network: str
    block: str  # where its layers run, but for those of ``elsewhere``
    elsewhere: dict[str, str]  # layer → block
    layers: tuple[LayerCost, ...]  # in the order of the network
    response_ps: int
    energy_aj: int  # that the job owns, at the rail
    unowned_aj: int  # leakage, idle and active states of the whole platform meanwhile
    buckets_ps: dict[str, int]  # the response by cause, as in the report of a run
    boot_bytes: int
    residency: ResidencyPlan
    regulator_aj: int | None = None  # what the regulator loses meanwhile; None without a supply
    compared: tuple[str, ...] = ()  # the blocks that ``block`` is the fastest of; empty where it was asked for
    mapped: tuple[str, ...] = ()  # the layers that were asked to run where they do


def explain(
    recording: Recording,
    works: Sequence[LayerWork],
    block: str,
    elsewhere: dict[str, str],
) -> Explanation:
    """The first job of the only task of ``recording``, by layer. Raises SimulationError when it did not finish."""
    (job,) = [job for job in recording.jobs if job.index == 0]
    if job.status != "finished":
        raise SimulationError(recording.horizon_ps, f"{job.task}#0", f"one inference ended '{job.status}'")
    finishes = _finishes_ps(recording)
    spent_aj = _energy_aj(recording)
    ends = [(finishes[work.name], work.name) for work in works]
    pieces, unowned_aj = _pieces(job, ends), _unowned_by_layer_aj(recording, job, ends)
    roles = {name: info.role for name, info in recording.channels.items()}
    layers = [_cost(work, pieces[work.name], spent_aj[work.name], unowned_aj[work.name], roles) for work in works]
    buckets: Counter[str] = Counter()
    for segment in job.segments:
        buckets[segment.bucket] += segment.end_ps - segment.start_ps
    return Explanation(
        platform=recording.platform,
        network=recording.workload,
        block=block,
        elsewhere=elsewhere,
        layers=tuple(layers),
        response_ps=job.finish_ps - job.release_ps,
        energy_aj=sum(spent_aj.values()),
        unowned_aj=sum(unowned_aj.values()),
        buckets_ps=dict(sorted(buckets.items(), key=lambda item: (-item[1], item[0]))),
        boot_bytes=recording.boot_bytes,
        residency=recording.residency,
        regulator_aj=None if recording.supply is None else _loss_aj(recording, recording.supply, job.finish_ps),
    )


def _loss_aj(recording: Recording, info: SupplyInfo, until_ps: int) -> int:
    """The regulator's loss over [0, until_ps]."""
    from tlm3d.analysis import supply  # only a platform with a supply pays for the import

    spending = activities(recording, until_ps=until_ps)
    return supply.spent_aj(supply.losses(info, spending, breakpoints_ps(spending, until_ps)))


def _finishes_ps(recording: Recording) -> dict[str, int]:
    """By layer, the end of its last computation or store."""
    found: dict[str, int] = {}
    for span in recording.spans:
        if span.task != UNOWNED and span.what in (COMPUTE, "store"):
            found[span.layer] = max(found.get(span.layer, 0), span.end_ps)
    return found


def _energy_aj(recording: Recording) -> Counter[str]:
    """By layer, the energy of its spans and of the transfers inside them."""
    spent: Counter[str] = Counter()
    moves: dict[str, list[tuple[int, str]]] = {}  # initiator → (start, layer) of its transfers, in order
    for span in recording.spans:
        if span.task == UNOWNED:
            continue
        spent[span.layer] += span.energy_aj
        moves.setdefault(f"{'.'.join(span.component)}.{span.what}", []).append((span.start_ps, span.layer))
    starts = {initiator: [start_ps for start_ps, _ in found] for initiator, found in moves.items()}
    for leg in recording.legs:
        if leg.task == UNOWNED:
            continue
        # An initiator has one transfer in flight, so the last one that began before a leg was posted is the leg's.
        position = bisect_right(starts[leg.initiator], leg.posted_ps) - 1
        spent[moves[leg.initiator][position][1]] += leg.energy_aj
    return spent


def _pieces(job: JobEnd, finishes: list[tuple[int, str]]) -> dict[str, list[Segment]]:
    """The job's segments cut at the finishes of its layers: by layer, those since the layer that finished before."""
    pieces: dict[str, list[Segment]] = {}
    since_ps = job.release_ps
    # Of layers that finish together the one that comes first in the network takes the time.
    for finish_ps, layer in sorted(finishes, key=lambda one: one[0]):
        cut = (s._replace(start_ps=max(s.start_ps, since_ps), end_ps=min(s.end_ps, finish_ps)) for s in job.segments)
        pieces[layer] = [segment for segment in cut if segment.start_ps < segment.end_ps]
        since_ps = finish_ps
    return pieces


def _cost(
    work: LayerWork, pieces: list[Segment], energy_aj: int, unowned_aj: int, roles: Mapping[str, str]
) -> LayerCost:
    time_ps = sum(piece.end_ps - piece.start_ps for piece in pieces)
    spent_ps: Counter[tuple[str, str]] = Counter()
    for piece in pieces:
        spent_ps[_bound(piece, roles), piece.where] += piece.end_ps - piece.start_ps
    compute_ps = sum(ps for (bound, _), ps in spent_ps.items() if bound == COMPUTE)
    bound, where = "-", "-"
    if 2 * compute_ps >= time_ps > 0:
        bound, where = COMPUTE, work.block
    elif time_ps:
        rest = [(key, ps) for key, ps in spent_ps.items() if key[0] != COMPUTE]
        (bound, where), _ = min(rest, key=lambda one: (-one[1], one[0]))
    return LayerCost(work, time_ps, compute_ps, energy_aj, unowned_aj, bound, where)


def _bound(piece: Segment, roles: Mapping[str, str]) -> str:
    """compute; link or memory by the channel the time went to; the bucket itself for a wait elsewhere."""
    if piece.bucket == COMPUTE or piece.where not in roles:
        return piece.bucket
    return "link" if roles[piece.where] == "link" else "memory"


def _unowned_by_layer_aj(recording: Recording, job: JobEnd, finishes: list[tuple[int, str]]) -> dict[str, int]:
    """By layer, what no task owns over its time, cut like the job's segments."""
    spans = ((s.energy_aj, s.start_ps, s.end_ps) for s in recording.spans if s.task == UNOWNED)
    legs = ((leg.energy_aj, leg.start_ps, leg.end_ps) for leg in recording.legs if leg.task == UNOWNED)
    activities = list(chain(spans, legs))

    def until_aj(until_ps: int) -> int:
        active_aj = sum(in_window(*activity, until_ps) for activity in activities)
        states = (s for s in recording.states if s.start_ps < until_ps)
        return active_aj + sum(state_energy_aj(s.power_nw, s.start_ps, min(s.end_ps, until_ps)) for s in states)

    found: dict[str, int] = {}
    so_far_aj = until_aj(job.release_ps)
    for finish_ps, layer in sorted(finishes, key=lambda one: one[0]):
        now_aj = until_aj(finish_ps)
        found[layer] = now_aj - so_far_aj
        so_far_aj = now_aj
    return found
