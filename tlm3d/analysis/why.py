"""The story of one job: what its response went on, in order of time, in a dozen lines that add up to it exactly."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from tlm3d.analysis.result import JobBlame

MOST_BEATS = 10


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

    def beat(self) -> Beat:
        parts = sorted(self.sums.items(), key=lambda item: (-item[1], item[0]))
        return Beat(self.start_ps, self.end_ps, tuple(Part(*cause, time_ps) for cause, time_ps in parts), self.pieces)


def story(blame: JobBlame, most: int = MOST_BEATS) -> tuple[Beat, ...]:
    """The response of a job in at most ``most`` beats, in order; their times sum to it.

    Neighbours of one cause are one beat. While there are too many, the shortest is told together with the shorter of
    its neighbours, so that what took long stands alone.
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
    while len(told) > max(most, 1):
        _fold_shortest(told)
    return tuple(stretch.beat() for stretch in told)


def _fold_shortest(told: list[_Stretch]) -> None:
    """Join the shortest stretch with the shorter of its neighbours, of equals the one before."""
    lengths = [stretch.end_ps - stretch.start_ps for stretch in told]
    i = lengths.index(min(lengths))
    before = i > 0 and (i == len(told) - 1 or lengths[i - 1] <= lengths[i + 1])
    first = i - 1 if before else i
    told[first].absorb(told.pop(first + 1))
