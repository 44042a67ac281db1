"""One published figure beside the model's, and figures over several of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

FITTED, PREDICTED, IDENTITY = "fitted", "predicted", "identity"


@dataclass(frozen=True, slots=True)
class Row:
    """A published figure and what the model says. ``kind`` fitted is set by the framework, from the platform file."""

    id: str  # "gap8/mobilenet-1.0-128/time/DwConv1": chip/set/quantity/row
    what: str  # network or layer, as a reader would say it
    unit: str  # "ms", "uJ", "cycles", "GOPS", "TOPS/W"
    published: float
    modelled: float
    kind: str  # "fitted" (a parameter was fitted to it), "predicted", "identity" (it follows from what the file states)
    source: str  # where the published figure stands
    tolerance: float | None = None  # relative; None: shown only
    absolute: float | None = None  # absolute tolerance in `unit`, instead
    group: str = ""  # rows of one group may also have a group tolerance, see Rule
    independent: bool = True  # False: other rows add up to it, or it is a ratio of them; not counted against parameters

    @property
    def series(self) -> str:
        """chip/set/quantity: the rows that belong together."""
        return self.id.rpartition("/")[0]

    @property
    def error(self) -> float:
        """Of the model, relative to what was published."""
        return self.modelled / self.published - 1

    @property
    def ok(self) -> bool | None:
        """Whether the error is within the tolerance; None where there is none."""
        if self.absolute is not None:
            return abs(self.modelled - self.published) <= self.absolute
        return None if self.tolerance is None else abs(self.error) <= self.tolerance


@dataclass(frozen=True, slots=True)
class Rule:
    """A figure over the rows whose ids match ``rows``, and the most that it may be.

    median, mean: of the absolute relative errors (the mean is the MAPE). total: the error of the sum. within: at least
    ``count`` rows have an absolute relative error of ``at_most``.
    """

    what: str
    rows: str  # globs of row ids, separated by commas
    figure: Literal["median", "mean", "total", "within"]
    at_most: float
    count: int | None = None  # of `within`
    group: str = ""  # only the rows of this group
    where: Callable[[Row], bool] | None = None  # of those rows, the ones that count


def matches(globs: Sequence[str], name: str) -> bool:
    """Whether one of ``globs`` matches ``name`` as a whole; ``*`` also matches slashes."""
    return any(fnmatchcase(name, glob) for glob in globs)
