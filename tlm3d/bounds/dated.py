"""The worst response on a server that serves by dates: key = nominal arrival + a constant of the task, least first.

With relative deadlines as keys that is EDF, with none FIFO. The worst case of EDF is not the synchronous one: every
phase of the job against the rest has to be looked at (Spuri, "Analysis of deadline scheduled real-time systems", INRIA
RR-2772, 1996, with jitter; not preemptive: George, Rivierre & Spuri, "Preemptive and non-preemptive real-time
uniprocessor scheduling", INRIA RR-2966, 1996). Pieces in between work the same way, with the start of the last piece.

A job with key K finishes in a busy period that begins, at 0, with the last instant at which no job with a key up to K
waited. In it are served only jobs with such keys that were ready at 0 or later, and what remains of one piece with a
later key, begun 1 ps before or earlier.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import merge

from tlm3d.bounds.busy import Steps, busy_ps, cycle_ps, last_ps, longest_piece_ps
from tlm3d.bounds.claim import ALWAYS, Claim, NoBound, beyond_one, overload


def response_ps(claims: Sequence[Claim], of: Claim) -> int | NoBound:
    """The longest time from the nominal arrival of a job of ``of``, one of ``claims``, to its finish, in ps."""
    found = responses_ps(claims, of)
    return found if isinstance(found, NoBound) else found[0]


def responses_ps(claims: Sequence[Claim], of: Claim) -> tuple[int, int] | NoBound:
    """The longest times from the nominal arrival of a job of ``of``, and from when it is ready, to its finish, in ps.

    A job that is ready later than nominally finishes no later than one that is nominally ready then.

    For every nominal arrival n from −late on that may be the worst, with K = n + key, the last piece starts at the
    least s = B(K) + own(n)·C − last + Σ most_j(min(s + 1, K − key_j + 1) + late_j)·C_j, and the response is
    s + last − n. That no two of its jobs meet (``alone``) does not help: an earlier one may go before others' jobs.
    """
    share = beyond_one(claims)
    if share is not None and share > 1:
        return overload(share)
    if not of.arrival.most(1):  # a trace without events
        return 0, 0
    others = [claim for claim in claims if claim is not of and claim.work_ps]
    steps = Steps()
    length = busy_ps(_blocking_ps(others, of, of.key_ps - of.late_ps), claims, share == 1, steps)
    if length is None:  # at a utilisation of 1; once all have come, a cycle later there is a cycle's work more
        cycle = cycle_ps(claims) if share == 1 and steps.left >= 0 else None
        if cycle is None:
            return steps.out()
        once_ps = max([-of.late_ps, *(j.key_ps - of.key_ps - j.late_ps for j in others)])
        phases = _phases(others, of, once_ps + cycle)
    else:
        phases = _phases(others, of, length, length)
    last, worst, from_ready, before, held, start = last_ps(of), 0, 0, None, -1, 0
    for n in phases:
        if n == before:
            continue
        if length is not None and length - n <= min(worst, from_ready):
            break  # every later one finishes by the end of the busy period too
        before, key = n, n + of.key_ps
        blocking = _blocking_ps(others, of, key)
        if blocking != held:
            held, start = blocking, 0  # elsewhere what comes later starts later
        own = blocking + of.arrival.most(n + of.late_ps + 1) * of.work_ps - last
        rivals = [(j.arrival.most, key - j.key_ps + 1, j.late_ps, j.work_ps) for j in others]
        start = max(start, own)
        while steps.take():
            after = own
            for most, dated, late, work in rivals:
                after += most((dated if dated <= start else start + 1) + late) * work
            if after <= start:
                break
            start = after
        else:
            return steps.out()
        worst = max(worst, start + last - n)
        from_ready = max(from_ready, start + last - max(0, n))
    return worst, from_ready


def _blocking_ps(others: Sequence[Claim], of: Claim, key: int) -> int:
    """How long later keys block ``key``: a piece begun at −1 at the latest, of a job that came no later than that."""
    return of.blocked_ps + longest_piece_ps(claim for claim in others if claim.key_ps - 1 > key)


def _phases(others: Sequence[Claim], of: Claim, until_ps: int, length_ps: int | None = None) -> Iterator[int]:
    """Nominal arrivals in [−late, until) at which a job more counts, in order: of its own or of another claim.

    Between two of them the finish stays, and so the response falls. In a busy period of a known length no job of
    another claim counts that comes at its end or later, whatever its key.
    """
    streams = [_steps(of, -of.late_ps, -of.late_ps, until_ps)]
    for j in others:
        ahead = j.key_ps - of.key_ps  # how much later than a job of j with the same key it comes
        if j.key_ps > ALWAYS // 2:
            until = until_ps if length_ps is None else min(until_ps, length_ps + ahead)
            streams.append(_steps(j, ahead - j.late_ps, -of.late_ps, until))
    return merge(*streams)


def _steps(claim: Claim, first_ps: int, from_ps: int, until_ps: int) -> Iterator[int]:
    """Where events of a stream can be that begins at ``first_ps``, in [from, until)."""
    n = claim.arrival.most(from_ps - first_ps)  # as many have a span less than that
    while (at := first_ps + claim.arrival.least_span_ps(n)) < until_ps:
        yield at
        n += 1
