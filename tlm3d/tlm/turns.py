"""One channel and the transfers that use nothing else: whole rounds at once, without visiting their bursts.

All bursts of such a transfer are there from its posting on and need no credit. So while nobody comes and nobody runs
out, the same initiators are eligible at every decision, the posting of each does not change, and the arbiter's choice
follows from who was served last. Go on from the first choice: when it comes back, the choices so far are a *turn*,
which repeats: all initiators in name order for ``round-robin``, those of the smallest number for ``priority``, a single
one for ``oldest``. The wire is never idle, so a turn of full bursts takes the sum of their wire times, and what starts
when in each of the rounds to follow is plain arithmetic. Rounds are skipped up to the last burst of anyone in the turn,
which may be shorter, up to the next posting, and up to the time until which decisions may be taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlm3d.tlm.timing import NEVER

if TYPE_CHECKING:
    from tlm3d.tlm.channel import Channel
    from tlm3d.tlm.hop import Hop


def take_turns(channel: Channel, until_ps: int) -> list[tuple[str, int]]:
    """Take every decision of ``channel`` before ``until_ps``, but none at or after the first finish found.

    Returns the initiators whose last burst has started, with its arrival.
    """
    finishing: list[tuple[str, int]] = []
    hops, sleep = channel.hops, channel.sleep
    while (now_ps := channel.decision_ps) < until_ps:
        if sleep is not None and now_ps > channel.busy_until_ps + sleep.after_ps:
            channel.wake_up(sleep, now_ps)
            continue
        eligible = [hop for hop in hops if hop.ready_ps <= now_ps]
        contested = len(eligible) > 1
        hop = channel.choose(eligible, channel.last_served) if contested else eligible[0]
        if hop.left > 1:
            turn = _turn(channel, eligible, hop)
            next_ps = until_ps
            if len(eligible) < len(hops):
                next_ps = min(next_ps, min([other.ready_ps for other in hops if other.ready_ps > now_ps]))
            if turn and _skip_rounds(channel, turn, now_ps, next_ps):
                continue
        if sleep is not None:
            hop.woken_ps += channel.waking_ps(max(hop.ready_ps, hop.last_start_ps), now_ps)
        arrive_ps = hop.start_burst(now_ps)
        if not hop.left:
            hops.remove(hop)
            finishing.append((hop.initiator, arrive_ps))
            if arrive_ps < until_ps:
                until_ps = arrive_ps
        if contested:
            channel.decision_ps = channel.busy_until_ps
        elif hops:
            channel.decision_ps = max(min([other.ready_ps for other in hops]), channel.busy_until_ps)
        else:
            channel.decision_ps = NEVER
    return finishing


def _turn(channel: Channel, eligible: list[Hop], first: Hop) -> list[Hop]:
    """Who is served from ``first`` on until it is served again; nobody if it never is."""
    turn = [first]
    for _ in eligible:
        hop = channel.choose(eligible, turn[-1].initiator)
        if hop is first:
            return turn
        turn.append(hop)
    return []


def _skip_rounds(channel: Channel, turn: list[Hop], now_ps: int, until_ps: int) -> bool:
    """Let ``turn`` repeat as often as it can from now on; says whether it can."""
    round_ps = sum([hop.full_ps for hop in turn])
    rounds = min(min([hop.left for hop in turn]) - 1, (until_ps - now_ps) // round_ps)
    if rounds < 1:
        return False
    before_last_ps = (rounds - 1) * round_ps
    at_ps = now_ps
    for hop in turn:
        if channel.naps:
            hop.woken_ps += channel.waking_ps(max(hop.ready_ps, hop.last_start_ps), at_ps)
        if hop.first_start_ps < 0:
            hop.first_start_ps = at_ps
        hop.left -= rounds
        hop.last_start_ps = at_ps + before_last_ps
        at_ps += hop.full_ps
    channel.last_served = turn[-1].initiator
    channel.busy_until_ps = channel.decision_ps = now_ps + rounds * round_ps
    return True
