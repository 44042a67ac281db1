"""Power that an amplifier needs for its noise: the noise-efficiency factor.

Steyaert, Sansen: A micropower low-noise monolithic instrumentation amplifier for medical purposes, JSSC 1987:
NEF = v_ni,rms · √(2 · I / (π · U_T · 4kT · BW)), U_T = kT/q. A single bipolar transistor without other noise has 1,
good amplifiers have 2 to 4.
"""

from __future__ import annotations

from fractions import Fraction

BOLTZMANN_J_PER_K = Fraction("1.380649e-23")  # exact, SI of 2019
ELEMENTARY_CHARGE_C = Fraction("1.602176634e-19")  # exact, SI of 2019
PI = Fraction("3.14159265358979323846")
NW_PER_W = 10**9


def amplifier_nw(
    nef: Fraction, noise_v: Fraction, bandwidth_hz: Fraction, supply_v: Fraction, temperature_k: Fraction
) -> Fraction:
    """Power of one amplifier, nW: supply · (NEF / v_ni)² · π · U_T · 4kT · BW / 2; ``noise_v`` is rms at the input."""
    kt_j = BOLTZMANN_J_PER_K * temperature_k
    current_a = (nef / noise_v) ** 2 * PI * (kt_j / ELEMENTARY_CHARGE_C) * 4 * kt_j * bandwidth_hz / 2
    return supply_v * current_a * NW_PER_W
