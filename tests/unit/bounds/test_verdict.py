"""What bounds come to: guaranteed, not guaranteed, or not known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tlm3d.bounds.result import Bounds, ChainBound, TaskBound
from tlm3d.bounds.verdict import Verdict, lost, verdict

FITS = TaskBound("fits", 100, 100)
EXCEEDS = TaskBound("exceeds", 100, 101)
DROPS = TaskBound("drops", 100, 50, drops="up to 3 jobs at once")
UNKNOWN = TaskBound("unknown", 100, None, "utilisation 1.04 of logic.cpu")


def made(*tasks: TaskBound) -> Bounds:
    return Bounds("chip", "work", "edf", "typical", {task.task: task for task in tasks})


@pytest.mark.parametrize(
    ("tasks", "expected", "names"),
    [
        ((FITS,), Verdict.GUARANTEED, ()),
        ((FITS, EXCEEDS), Verdict.NOT_GUARANTEED, ("exceeds",)),
        ((FITS, UNKNOWN), Verdict.NO_BOUND, ("unknown",)),
        ((FITS, DROPS), Verdict.NOT_GUARANTEED, ("drops",)),
        ((UNKNOWN, EXCEEDS), Verdict.NOT_GUARANTEED, ("unknown", "exceeds")),
    ],
)
def test_a_bound_at_the_deadline_is_guaranteed_and_a_ps_later_it_is_not(
    tasks: tuple[TaskBound, ...], expected: Verdict, names: tuple[str, ...]
) -> None:
    assert (verdict(made(*tasks)), lost(made(*tasks))) == (expected, names)


@pytest.mark.parametrize(
    ("chain", "expected"),
    [
        (ChainBound("c", 70, 90), Verdict.GUARANTEED),  # it asks for nothing
        (ChainBound("c", None, None, "unknown"), Verdict.GUARANTEED),
        (ChainBound("c", 70, 90, "", 70, 90), Verdict.GUARANTEED),
        (ChainBound("c", 70, 90, "", 69, None), Verdict.NOT_GUARANTEED),
        (ChainBound("c", 70, 90, "", None, 89), Verdict.NOT_GUARANTEED),
        (ChainBound("c", 70, None, "unknown", 70, 90), Verdict.NO_BOUND),
    ],
)
def test_what_a_chain_asks_for_counts_as_a_deadline_does(chain: ChainBound, expected: Verdict) -> None:
    bounds = replace(made(FITS), chains={"c": chain})
    assert verdict(bounds) is expected
    assert lost(bounds) == (() if expected is Verdict.GUARANTEED else ("c",))
