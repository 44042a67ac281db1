"""The story of one job: what its response went on, in order of time, in a dozen lines that add up to it exactly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from tlm3d.analysis.deadlines import ENDED_WITHOUT_RESULT, end_ps, is_finished, is_judged
from tlm3d.analysis.result import JobBlame
from tlm3d.record.recording import JobEnd

MOST_BEATS = 10
_MANY = 200  # stretches from which on short neighbours are joined many at a time
_FEW = 5  # beats that are told however short they are
_TRIFLE = Fraction(1, 100)  # of the response: a beat shorter than that is told with a neighbour
_MAINLY = Fraction(3, 4)  # of a stretch is one cause: then it is mostly that


class Part(NamedTuple):
    """``time_ps`` spent on ``bucket`` at ``where``, held by ``holder`` (``-``: the job itself)."""

    bucket: str
    where: str
    holder: str
    time_ps: int


@dataclass(frozen=True, slots=True)
class Beat:
    """A stretch of the story: one cause, or several that alternate and are told together, the longest first."""

    start_ps: int
    end_ps: int
    parts: tuple[Part, ...]  # their times add up to it
    pieces: int  # how many stretches of one cause it was

    @property
    def time_ps(self) -> int:
        """How long it lasted."""
        return self.end_ps - self.start_ps


class _Stretch:
    """A beat in the making, between its neighbours."""

    __slots__ = ("end_ps", "pieces", "start_ps", "sums")

    def __init__(self, start_ps: int, end_ps: int, cause: tuple[str, str, str]) -> None:
        self.start_ps, self.end_ps, self.pieces = start_ps, end_ps, 1
        self.sums: Counter[tuple[str, str, str]] = Counter({cause: end_ps - start_ps})

    def absorb(self, after: _Stretch) -> None:
        """Go on to the end of ``after``, which begins where this one ends."""
        self.end_ps = after.end_ps
        if not (len(self.sums) == len(after.sums) == 1 and self.sums.keys() == after.sums.keys()):
            self.pieces += after.pieces
        self.sums += after.sums

    @property
    def time_ps(self) -> int:
        return self.end_ps - self.start_ps

    @property
    def main(self) -> tuple[str, str, str] | None:
        """The cause that most of it was; None where there is no such."""
        cause, time_ps = self.sums.most_common(1)[0]
        return cause if time_ps >= _MAINLY * self.time_ps else None

    def beat(self) -> Beat:
        parts = sorted(self.sums.items(), key=lambda item: (-item[1], item[0]))
        return Beat(self.start_ps, self.end_ps, tuple(Part(*cause, time_ps) for cause, time_ps in parts), self.pieces)


def story(blame: JobBlame, most: int = MOST_BEATS) -> tuple[Beat, ...]:
    """The response of a job in at most ``most`` beats, in order; their times sum to it.

    Neighbours of one cause are one beat. While there are too many, the shortest is told together with the shorter of
    its neighbours, so that what took long stands alone; and neighbours that are mostly one and the same cause then are
    one, too. What is less than a hundredth of it has no beat of its own, unless there are few anyway.
    """
    stop_ps = blame.job.release_ps + blame.response_ps
    told: list[_Stretch] = []
    for segment in blame.job.segments:
        end_ps = min(segment.end_ps, stop_ps)
        if end_ps <= segment.start_ps:
            continue
        stretch = _Stretch(segment.start_ps, end_ps, (segment.bucket, segment.where, segment.holder))
        if told and told[-1].sums.keys() == stretch.sums.keys():
            told[-1].absorb(stretch)
        else:
            told.append(stretch)
    short_ps = 1
    while len(told) > _MANY:
        told, short_ps = _folded(told, short_ps), 2 * short_ps
    while len(told) > max(most, 1) or (len(told) > _FEW and _has_trifle(told, blame.response_ps)):
        _fold_shortest(told)
    return tuple(stretch.beat() for stretch in told)


def _folded(told: list[_Stretch], short_ps: int) -> list[_Stretch]:
    """Neighbours that both are no longer than ``short_ps`` joined, in one pass."""
    found: list[_Stretch] = []
    for stretch in told:
        if found and max(found[-1].time_ps, stretch.time_ps) <= short_ps:
            found[-1].absorb(stretch)
        else:
            found.append(stretch)
    return found


def _has_trifle(told: list[_Stretch], response_ps: int) -> bool:
    """Whether one of them is too short to be worth a line."""
    return min(stretch.time_ps for stretch in told) < _TRIFLE * response_ps


def _fold_shortest(told: list[_Stretch]) -> None:
    """Join the shortest stretch with the shorter of its neighbours, of equals the one before."""
    lengths = [stretch.time_ps for stretch in told]
    i = lengths.index(min(lengths))
    before = i > 0 and (i == len(told) - 1 or lengths[i - 1] <= lengths[i + 1])
    first = i - 1 if before else i
    told[first].absorb(told.pop(first + 1))
    for at in (first, first - 1):
        if 0 <= at < len(told) - 1 and told[at].main is not None and told[at].main == told[at + 1].main:
            told[at].absorb(told.pop(at + 1))


@dataclass(frozen=True, slots=True)
class Change:
    """One thing made different: what it is in words, and how to get it.

    ``settings`` are as ``--set`` takes them; ``removed`` are keys of the platform that are not there any more, which
    no ``--set`` can say; ``without`` are tasks left out. Two of them are one change if they come to the same.
    """

    words: str
    settings: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    policy: str | None = None
    cause: str = field(default="policy", compare=False)  # what of the story it takes away: bucket and place

    @property
    def options(self) -> tuple[str, ...]:
        """The options of ``tlm3d run`` that do the same; none where there are none."""
        if self.removed or self.without:
            return ()
        return (*(() if self.policy is None else ("--policy", self.policy)), *_each("--set", self.settings))


def _each(option: str, values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for value in values for word in (option, value))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the job: ``response_ps`` and ``slack_ps`` are None where it has no result at all.

    Of one that had not finished when the run ended, the response is at least, the slack at most that.
    """

    status: str  # met, late, unfinished, open, dropped, aborted, input-lost; or "not released"
    release_ps: int | None = None
    response_ps: int | None = None
    slack_ps: int | None = None

    @property
    def met(self) -> bool:
        """Whether it was on time."""
        return self.status == "met"


@dataclass(frozen=True, slots=True)
class Rerun:
    """The same job, seed and releases with one change (or two): an exact run. ``error``: why there is none."""

    change: Change
    outcome: Outcome | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Why:
    """Why a job was late, and which single change would have kept its deadline."""

    platform: str
    workload: str
    policy: str
    seed: int
    corner: str
    horizon_ps: int
    named: bool  # whether it was asked for; else it is the worst, or the tightest of a run where nothing was missed
    blame: JobBlame
    outcome: Outcome
    beats: tuple[Beat, ...]
    reruns: tuple[Rerun, ...]  # those that meet it first, the most slack first
    both: Rerun | None = None  # the best two changes together, where no single one is enough
    fixed: tuple[str, ...] = ()  # causes for which there is nothing to be taken away, one sentence each
    asked: int = 0  # re-runs of single changes that were to be
    interrupted: bool = False  # re-runs are missing


def outcome_of(job: JobEnd | None, horizon_ps: int) -> Outcome:
    """What became of ``job`` in a run of [0, horizon]."""
    if job is None:
        return Outcome("not released")
    if job.status in ENDED_WITHOUT_RESULT:
        return Outcome(job.status, job.release_ps)
    end = end_ps(job, horizon_ps)
    times = (job.release_ps, end - job.release_ps, job.deadline_ps - end)
    if is_finished(job, horizon_ps):
        return Outcome("met" if times[2] >= 0 else "late", *times)
    return Outcome("unfinished" if is_judged(job, horizon_ps) else "open", *times)


def ranked(reruns: Iterable[Rerun]) -> tuple[Rerun, ...]:
    """Those that meet the deadline first, then by slack, the most first; those without a result last."""

    def rank(rerun: Rerun) -> tuple[bool, bool, int]:
        found = rerun.outcome
        slack_ps = found.slack_ps if found is not None else None
        return found is None or not found.met, slack_ps is None, -(slack_ps or 0)

    return tuple(sorted(reruns, key=rank))
