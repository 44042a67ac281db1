"""The worst response on processors that share a queue (global scheduling), where none idles while a job may run there.

While a job waits all processors that may run it work for others, so that it waits for no longer than their work in the
meantime, divided by the number of these processors; and no single other one works longer than it waits (Bertogna &
Cirinei, RTSS 2007). All others count with all jobs that had not finished when it became ready. Each may put it off its
processor once an entry, even where it goes on at once on another one: what a switch costs it pays whole.
"""

from __future__ import annotations

from collections.abc import Sequence

from tlm3d.bounds.busy import Steps
from tlm3d.bounds.claim import Claim, NoBound


def response_ps(others: Sequence[tuple[Claim, int]], of: Claim, processors: int, is_dated: bool) -> int | NoBound:
    """The longest time from the nominal arrival of a job of ``of`` to its finish, in ps.

    ``others``: all that may go before it, and what their entries cost whom they put off; ``late_ps`` is how long after
    its nominal arrival a job of theirs may still be at work. A claim does one thing at a time. ``is_dated``: of theirs
    only jobs with no later key count.
    """
    steps = Steps()
    window = of.work_ps
    while steps.take():
        waits_ps = window - of.work_ps
        work_ps = switches_ps = 0
        whole_ps: list[int] = []
        for other, entry_ps in others:
            until_ps = min(window, of.key_ps - other.key_ps + 1) if is_dated else window
            jobs = other.arrival.most(until_ps + other.late_ps) if until_ps + other.late_ps > 0 else 0
            whole_ps.append(jobs * (other.work_ps + entry_ps))
            work_ps += min(whole_ps[-1], waits_ps + 1)
            switches_ps += jobs * entry_ps
        after = of.work_ps + switches_ps + work_ps // processors
        # While as many others as there are processors have more to do than it waits, it waits longer: no step by step.
        after = max(after, of.work_ps + sorted((0, *whole_ps), reverse=True)[min(processors - 1, len(whole_ps))])
        if after <= window:
            return window + of.late_ps
        if after > (1 << 60):
            break
        window = after
    return NoBound("no time found by which others must have left room enough")
