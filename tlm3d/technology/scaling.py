"""Energy of digital CMOS by technology node and supply voltage: what a number measured on one is on another.

E(V) = a V² + b V + c of a gate at each node, fitted to circuit simulations with predictive transistor models: A.
Stillmaker, B. Baas, Scaling equations for the accurate prediction of CMOS device performance from 180 nm to 7 nm,
Integration 58, 2017. Only ratios mean anything. Between two nodes E is linear in the node at the same voltage.

Each fit is used where it says what a dynamic energy can say: it rises with V, E / V² is within a factor of 1.5 of that
at the nominal voltage, and V is at least 0.4 V and at most a fifth above the nominal one. From 45 nm down there are two
processes with fits of their own: ``low-power`` (high threshold) and ``high-performance``.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from tlm3d.errors import did_you_mean, one_of
from tlm3d.units import clip, show_v

LOW_POWER = "low-power"
PROCESSES = (LOW_POWER, "high-performance")


class Fit(NamedTuple):
    """a V² + b V + c, for voltages from ``low_v`` to ``high_v``."""

    a: Fraction
    b: Fraction
    c: Fraction
    low_v: Fraction
    high_v: Fraction

    def energy(self, voltage_v: Fraction) -> Fraction:
        """Relative energy of a gate at ``voltage_v``."""
        return (self.a * voltage_v + self.b) * voltage_v + self.c


class Place(NamedTuple):
    """Where a number was measured, or is wanted."""

    node_nm: Fraction
    voltage_v: Fraction
    process: str = LOW_POWER

    def __str__(self) -> str:
        shown = f"{float(self.node_nm):g} nm, {show_v(float(self.voltage_v))}"
        return shown if self.process == LOW_POWER else f"{shown}, {self.process}"


def _fits(rows: str) -> dict[int, Fit]:
    found = {}
    for row in rows.strip().splitlines():
        node, *numbers = row.split()
        found[int(node)] = Fit(*map(Fraction, numbers))
    return found


# node/nm, a, b, c of the paper's table; lowest and highest voltage/V by the rule above.
_ALL = _fits("""
    130  7.171   -6.709    2.904    0.50  1.55
     90  4.762   -4.781    2.092    0.55  1.40
     65  3.755   -4.398    1.975    0.60  1.30
""")
FITS: dict[str, dict[int, Fit]] = {
    LOW_POWER: _ALL | _fits("""
         45  1.103   -0.362    0.2767   0.50  1.30
         32  0.9559  -0.7823   0.471    0.60  1.20
         20  0.2632  -0.14     0.06841  0.50  1.05
         16  0.2139  -0.1187   0.05639  0.50  1.00
         14  0.1556  -0.06472  0.03066  0.45  0.95
         10  0.1261  -0.0518   0.02769  0.45  0.90
          7  0.09365 -0.03409  0.02043  0.45  0.80
    """),
    "high-performance": _ALL | _fits("""
         45  1.018   -0.3107   0.1539   0.40  1.20
         32  0.8367  -0.4341   0.1701   0.40  1.05
         20  0.373   -0.1582   0.04104  0.40  1.05
         16  0.2958  -0.1241   0.03024  0.40  1.00
         14  0.2363  -0.09675  0.02239  0.40  0.95
         10  0.2068  -0.09311  0.02375  0.40  0.90
          7  0.1776  -0.09097  0.02447  0.40  0.80
    """),
}  # fmt: skip


def energy_ratio(at: Place, to: Place) -> Fraction:
    """How much of an energy measured ``at`` one place is left ``to`` another. Raises ValueError beyond the fits."""
    return _energy(to) / _energy(at)


def check_process(process: str) -> str:
    """``process`` if there are fits of it, else ValueError."""
    if process not in PROCESSES:
        raise ValueError(f"no process {clip(process)}{did_you_mean(process, PROCESSES) or one_of(PROCESSES)}")
    return process


def check_place(place: Place) -> None:
    """Raise ValueError for a node or a voltage that the fits do not reach."""
    _around(place)


def _energy(place: Place) -> Fraction:
    (below_nm, below), (above_nm, above) = _around(place)
    low, high = below.energy(place.voltage_v), above.energy(place.voltage_v)
    if below_nm == above_nm:
        return low
    return low + (high - low) * (place.node_nm - below_nm) / (above_nm - below_nm)


def _around(place: Place) -> tuple[tuple[int, Fit], tuple[int, Fit]]:
    """The fits of the next smaller and larger node, or twice that of the node itself."""
    fits = FITS[place.process]
    smaller = [node for node in fits if node <= place.node_nm]
    larger = [node for node in fits if node >= place.node_nm]
    if not smaller or not larger:
        shown = f"{float(place.node_nm):g} nm"
        raise ValueError(f"expected a node from {min(fits)} nm to {max(fits)} nm, got {shown}: nothing is known there")
    below, above = max(smaller), min(larger)
    low_v = max(fits[below].low_v, fits[above].low_v)
    high_v = min(fits[below].high_v, fits[above].high_v)
    if not low_v <= place.voltage_v <= high_v:
        span = f"{show_v(float(low_v))} to {show_v(float(high_v))} at {float(place.node_nm):g} nm"
        raise ValueError(f"expected a voltage of {span}, got {show_v(float(place.voltage_v))}: the fit ends there")
    return (below, fits[below]), (above, fits[above])
