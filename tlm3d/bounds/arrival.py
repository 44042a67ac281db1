"""How densely events may come: the worst of a stream, whatever its phase. Whole picoseconds.

What a stream says of itself are its least spans δ(n), the shortest time in which n + 1 events can come, and their
inverse, the most events in a window (the arrival functions η⁺ and δ⁻ of Richter, "Compositional Scheduling Analysis
Using Standard Event Models", 2005; Gresser's event streams). Both are exact for whole picoseconds.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

NEVER_PS = 1 << 62  # as good as never, half a year of ps a thousand times over


class Arrival(ABC):
    """An event stream at its worst: nothing that it can do is denser than what it says."""

    @abstractmethod
    def most(self, window_ps: int) -> int:
        """The most events in any half-open window of this length; 0 for one of 0 or less."""

    @abstractmethod
    def least_span_ps(self, n: int) -> int:
        """The least time from an event to the n-th one after it, never decreasing; 0 for an ``n`` of 0 or less."""

    @property
    @abstractmethod
    def rate(self) -> Fraction:
        """Events a picosecond in the long run; 0 of a stream that ends."""

    @property
    @abstractmethod
    def ahead_ps(self) -> int:
        """How far events can run ahead of their rate: ``least_span_ps(n) ≥ n / rate − ahead``, where it is not 0."""

    @property
    @abstractmethod
    def cycle_ps(self) -> int | None:
        """A time after which the stream repeats: ``most(w + cycle) = most(w) + rate · cycle``, w > 0. None: never."""


@dataclass(frozen=True)
class Periodic(Arrival):
    """Events at o + ⌊k·period⌋ + u with 0 ≤ u ≤ jitter: whole picoseconds of a period that may be no whole number."""

    period: Fraction
    jitter_ps: int = 0
    _up: int = field(init=False, repr=False, compare=False)
    _down: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        period = Fraction(self.period)
        if period <= 0 or self.jitter_ps < 0:
            raise ValueError("a period must be above zero and a jitter at least zero")
        object.__setattr__(self, "_up", period.numerator)
        object.__setattr__(self, "_down", period.denominator)

    def most(self, window_ps: int) -> int:
        # n + 1 events fit if δ(n) < window: ⌊n·T⌋ − J < w, which is n·T < w + J, as the right side is whole
        return -(-(window_ps + self.jitter_ps) * self._down // self._up) if window_ps > 0 else 0

    def least_span_ps(self, n: int) -> int:
        # ⌊(m + n)·T⌋ − ⌊m·T⌋ ≥ ⌊n·T⌋, and it is that at m = 0
        return max(0, n * self._up // self._down - self.jitter_ps) if n > 0 else 0

    @property
    def rate(self) -> Fraction:
        return Fraction(self._down, self._up)

    @property
    def ahead_ps(self) -> int:
        return self.jitter_ps + (self._down > 1)

    @property
    def cycle_ps(self) -> int:
        return self._up


@dataclass(frozen=True)
class Sporadic(Arrival):
    """Events at least ``min_distance_ps`` apart."""

    min_distance_ps: int

    def __post_init__(self) -> None:
        if self.min_distance_ps <= 0:
            raise ValueError("a distance must be above zero")

    def most(self, window_ps: int) -> int:
        return -(-window_ps // self.min_distance_ps) if window_ps > 0 else 0

    def least_span_ps(self, n: int) -> int:
        return n * self.min_distance_ps if n > 0 else 0

    @property
    def rate(self) -> Fraction:
        return Fraction(1, self.min_distance_ps)

    @property
    def ahead_ps(self) -> int:
        return 0

    @property
    def cycle_ps(self) -> int:
        return self.min_distance_ps


@dataclass(frozen=True)
class Traced(Arrival):
    """Events at known times, in any order: exact in what it says of windows of any phase."""

    times_ps: Sequence[int]
    _spans: list[int] = field(init=False, repr=False, compare=False)  # δ(0), δ(1), …, as far as they were asked for
    _sorted: list[int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "times_ps", tuple(self.times_ps))  # so that claims can be keys
        object.__setattr__(self, "_sorted", sorted(self.times_ps))
        object.__setattr__(self, "_spans", [0])

    def most(self, window_ps: int) -> int:
        if window_ps <= 0 or not self._sorted:
            return 0
        while self._spans[-1] < window_ps:  # ends at the latest behind the last event, with NEVER_PS
            if self.least_span_ps(len(self._spans)) >= NEVER_PS:
                break
        return bisect_left(self._spans, window_ps)

    def least_span_ps(self, n: int) -> int:
        if n <= 0:
            return 0
        times, spans = self._sorted, self._spans
        if n >= len(times):
            return NEVER_PS
        while len(spans) <= n:
            step = len(spans)
            spans.append(min(late - early for early, late in zip(times, times[step:], strict=False)))
        return spans[n]

    @property
    def rate(self) -> Fraction:
        return Fraction(0)

    @property
    def ahead_ps(self) -> int:
        return 0

    @property
    def cycle_ps(self) -> None:
        return None


@dataclass(frozen=True)
class Delayed(Arrival):
    """The events of another stream, each up to ``late_ps`` later than there, and at least ``apart_ps`` from each other.

    They are apart where a job only comes when the one before has finished, which takes its least work.
    """

    of: Arrival
    late_ps: int
    apart_ps: int = 0

    def most(self, window_ps: int) -> int:
        if window_ps <= 0:
            return 0
        events = self.of.most(window_ps + self.late_ps)
        return min(events, -(-window_ps // self.apart_ps)) if self.apart_ps else events

    def least_span_ps(self, n: int) -> int:
        return max(0, self.of.least_span_ps(n) - self.late_ps, n * self.apart_ps)

    @property
    def rate(self) -> Fraction:
        return self.of.rate

    @property
    def ahead_ps(self) -> int:
        return self.of.ahead_ps + self.late_ps

    @property
    def cycle_ps(self) -> int | None:
        return None if self.apart_ps else self.of.cycle_ps
