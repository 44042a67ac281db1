"""From the power at the rail to the power at the battery, and the regulator's loss between the two.

The loss is booked like a state: constant between breakpoints, so that energy does not depend on how time is cut. Its
power is rounded up to 2^-40 nW, from a load that the screen (worst_power) knows to 2^-80 aJ/ps for each activity.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import ceil, lcm

from tlm3d.analysis.activities import Activity
from tlm3d.analysis.worst_power import ONE, Screen, Stretch, screen
from tlm3d.record.recording import SupplyInfo

WHAT = "regulator"  # the account of the loss
NAME = "supply"  # its component, on no die
_PARTS = 1 << 40  # of a nanowatt
_PER_PS = 1000 * _PARTS  # 1 nW is 1 aJ every 1000 ps


class Regulator:
    """The function from load to input power that ``info`` draws in straight lines."""

    def __init__(self, info: SupplyInfo) -> None:
        points = info.points
        self.rated_nw = info.rated_nw
        self._loads_nw = [load_nw for load_nw, _ in points]
        slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(points)] + [info.slope]
        self._lines = [
            (slope, input_nw - slope * load_nw) for slope, (load_nw, input_nw) in zip(slopes, points, strict=True)
        ]
        self.steepest = ceil(max(abs(slope - 1) for slope in slopes))  # of the loss by load
        # The same for the loss in integers: load in aJ/ps·2^-80, loss in nW·2^-40, over one denominator.
        self._starts = [ceil(load_nw * ONE / 1000) for load_nw in self._loads_nw]
        losses = [((slope - 1) * 1000 * _PARTS / ONE, input_nw * _PARTS) for slope, input_nw in self._lines]
        self._denominator = lcm(*(part.denominator for line in losses for part in line))
        self._losses = [(int(a * self._denominator), int(b * self._denominator)) for a, b in losses]

    def input_nw(self, load_nw: Fraction) -> Fraction:
        """What the battery gives for ``load_nw`` at the rail."""
        slope, start_nw = self._lines[bisect_right(self._loads_nw, load_nw) - 1]
        return slope * load_nw + start_nw

    def losses(self, lines: Screen, since_ps: int, until_ps: int) -> list[Activity]:
        """The loss over [since_ps, until_ps], which ``lines`` cover; equal ones that follow each other are one."""
        if since_ps >= until_ps:
            return []
        points_ps = lines.points_ps
        here = slice(bisect_right(points_ps, since_ps) - 1, bisect_left(points_ps, until_ps))
        loads = lines.slope[here]
        by_load = {load: self._loss(load) for load in set(loads)}  # work comes to the same loads again and again
        losing = [by_load[load] for load in loads]
        changes = [i for i, (before, loss) in enumerate(zip([-1, *losing], losing, strict=False)) if loss != before]
        points_ps = [since_ps, *points_ps[here][1:]]
        starts_ps = [points_ps[i] for i in changes]
        pieces = zip(changes, starts_ps, [*starts_ps[1:], until_ps], strict=True)
        return [Activity(losing[i], _PER_PS, 0, start_ps, end_ps) for i, start_ps, end_ps in pieces if losing[i]]

    def _loss(self, load: int) -> int:
        """The loss at a load in aJ/ps·2^-80, rounded up to 2^-40 nW."""
        slope, start = self._losses[bisect_right(self._starts, load) - 1]
        return -(-(slope * load + start) // self._denominator)


def losses(info: SupplyInfo, spending: Sequence[Activity], points_ps: list[int]) -> list[Activity]:
    """The loss for what is spent between the first and last of ``points_ps``, its breakpoints."""
    since_ps, until_ps = points_ps[0], points_ps[-1]
    lines = screen(Stretch(spending, points_ps, 0, len(points_ps), since_ps, until_ps))
    return Regulator(info).losses(lines, since_ps, until_ps)


def with_losses(lines: Screen, losses: Sequence[Activity]) -> Screen:
    """``lines`` with what ``losses`` spend beside; those follow one another, each of one power where it is cut."""
    points_ps, energy, slope = lines.points_ps, lines.energy.copy(), lines.slope.copy()
    i = lost = 0
    for amount, per_ps, _, start_ps, end_ps in losses:
        losing = amount * ONE // per_ps
        while (point_ps := points_ps[i]) < end_ps:
            energy[i] += lost
            if point_ps >= start_ps:
                energy[i] += losing * (point_ps - start_ps)
                slope[i] += losing
            i += 1
        lost += (amount * end_ps // per_ps - amount * start_ps // per_ps) * ONE
    energy = energy[:i] + [level + lost for level in energy[i:]]
    return Screen(points_ps, energy, slope, lines.most_active + 1)


def spent_aj(losses: Sequence[Activity]) -> int:
    """The energy of ``losses``."""
    return sum(one.amount_aj * one.end_ps // one.per_ps - one.amount_aj * one.start_ps // one.per_ps for one in losses)
