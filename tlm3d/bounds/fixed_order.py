"""The worst response on a server that serves by fixed levels: preemptive, in pieces, or not preemptive.

A level-i busy period holds jobs of level i and more urgent ones without an idle instant. All its jobs of the claim are
looked at, not only the first (Lehoczky, RTSS 1990), also where pieces are not interrupted (Davis, Burns, Bril &
Lukkien, Real-Time Systems 35, 2007, who refute the analysis of CAN that did not). Jitter as in Tindell & Clark,
Microprocessing and Microprogramming 40, 1994; the last piece as in Bril, Lukkien & Verhaegh, Real-Time Systems 42,
2009: what comes while it runs does not count. A piece that blocks began 1 ps before or earlier.
"""

from __future__ import annotations

from collections.abc import Sequence

from tlm3d.bounds.busy import Steps, busy_ps, cycle_ps, last_ps, longest_piece_ps, rivals, start_ps
from tlm3d.bounds.claim import Claim, NoBound, beyond_one, overload


def response_ps(claims: Sequence[Claim], of: Claim) -> int | NoBound:
    """The longest time from the nominal arrival of a job of ``of`` to its finish, in ps; ``of`` is one of ``claims``.

    Job q of a busy period begins its last piece at the least s = B + (q + 1)·C − last + Σ most_j(s + 1 + late_j)·C_j
    over claims of the same or a more urgent level, and came at least δ(q) after the first, itself late at most.

    Alone, no job of it meets another one: its busy period is that of the others, and its own last job may block them.
    With others of its own level only the latter: its last job may go before theirs, and they before this one.
    """
    urgent = [claim for claim in claims if claim is not of and claim.level <= of.level]
    later = [claim for claim in claims if claim.level > of.level]
    alone = of.alone and all(claim.level < of.level for claim in urgent)
    share = beyond_one(urgent if alone else [*urgent, of])
    if share is not None and share > 1:
        return overload(share)
    blocking = of.blocked_ps + longest_piece_ps([*later, of] if of.alone else later)
    steps = Steps()
    jobs = 1 if alone else _jobs(urgent, of, blocking, share == 1, steps)
    if jobs is None:
        return steps.out()
    others, last, worst, start = rivals(urgent), last_ps(of), 0, 0
    for q in range(jobs):
        found = start_ps(blocking + (q + 1) * of.work_ps - last, others, steps, start)
        if found is None:
            return steps.out()
        start = found
        worst = max(worst, start + last + of.late_ps - of.arrival.least_span_ps(q))
    return worst


def _jobs(urgent: Sequence[Claim], of: Claim, blocking_ps: int, full: bool, steps: Steps) -> int | None:
    """How many jobs of a busy period can have the worst response; None: too many.

    At a utilisation of 1 a period that does not end repeats itself: job q + N of a cycle of N jobs fares no worse than
    job q, since a cycle later there is at most a cycle's work more; unless jitter lets q come at once with the first.
    """
    length = busy_ps(blocking_ps, [*urgent, of], full, steps)
    if length is not None:
        return of.arrival.most(length)  # of a later one the response is at most ``late_ps``, which is that of none
    cycle = cycle_ps([*urgent, of]) if full else None
    if cycle is None:
        return None
    jobs = int(cycle * of.arrival.rate) + of.arrival.most(1)
    return jobs if jobs <= steps.left else None
