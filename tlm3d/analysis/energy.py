"""Energy by account, cut to the window [0, H], in whole attojoules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from tlm3d.analysis.result import Account
from tlm3d.record.recording import Recording
from tlm3d.units import spent_aj, state_energy_aj

UNOWNED = "-"  # the task of what no task owns


Key = tuple[str, str, str, str]  # die, component, what, task


def accounts(booked_aj: Mapping[Key, int]) -> tuple[Account, ...]:
    """Sorted; accounts that spent nothing are left out."""
    return tuple(Account(*key, energy_aj) for key, energy_aj in sorted(booked_aj.items()) if energy_aj)


def booked_aj(recording: Recording) -> Counter[Key]:
    """Energy by die · component · what · task; a Counter adds up those of several recordings."""
    horizon_ps = recording.horizon_ps
    booked: Counter[Key] = Counter()
    for (die, name), what, task, _, _, _, start_ps, end_ps, energy_aj in recording.spans:
        if energy_aj:
            booked[die, name, what, task] += in_window(energy_aj, start_ps, end_ps, horizon_ps)
    for leg in recording.legs:
        channel = recording.channels[leg.channel]
        die, name = channel.component
        booked[die, name, channel.account, leg.task] += in_window(leg.energy_aj, leg.start_ps, leg.end_ps, horizon_ps)
    for state in recording.states:
        start_ps, end_ps = max(state.start_ps, 0), min(state.end_ps, horizon_ps)
        if start_ps < end_ps:
            die, name = state.component
            booked[die, name, state.what, UNOWNED] += state_energy_aj(state.power_nw, start_ps, end_ps)
    return booked


def in_window(amount: int, start_ps: int, end_ps: int, until_ps: int, from_ps: int = 0) -> int:
    """What of ``amount`` (energy or bits) over [start, end) lies inside a window: spent by its end minus by its start.

    The window is [0, until] unless ``from_ps`` says otherwise.
    """
    if start_ps >= from_ps and end_ps <= until_ps:
        return amount
    return spent_aj(amount, start_ps, end_ps, until_ps) - spent_aj(amount, start_ps, end_ps, from_ps)
