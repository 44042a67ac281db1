"""The worst response on a server of which only this is known: it never idles while something is ready.

Whatever the order, a job is done when the busy period in which it came ends (Lehoczky, Sha & Ding, RTSS 1989, call it
the synchronous one: it is longest where all jobs come as early and as densely as they can).
"""

from __future__ import annotations

from collections.abc import Sequence

from tlm3d.bounds.busy import Steps, busy_ps
from tlm3d.bounds.claim import Claim, NoBound, beyond_one, overload


def response_ps(claims: Sequence[Claim], of: Claim) -> int | NoBound:
    """The longest time from the nominal arrival of a job of ``of`` to its finish, in ps, in any order of service.

    Pieces do not matter, as none of a claim given is begun before the busy period.
    """
    share = beyond_one(claims)
    if share is not None and share > 1:
        return overload(share)
    steps = Steps()
    length = busy_ps(of.blocked_ps, claims, share == 1, steps)
    if length is None:
        return NoBound("utilisation 1, and it may never idle") if steps.left >= 0 else steps.out()
    return length + of.late_ps
