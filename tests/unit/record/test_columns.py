"""Facts as NumPy columns."""

from __future__ import annotations

import numpy as np
import pytest

from tlm3d.record.columns import columns
from tlm3d.record.recording import Component, Span, StateInterval

ARRAY = Component("npu", "array")


def span(start_ps: int, energy_aj: int) -> Span:
    return Span(ARRAY, "compute", "wake", 0, "conv0", 0, start_ps, start_ps + 10, energy_aj)


def test_times_and_energies_are_integer_columns() -> None:
    got = columns([span(5, 7), span(20, 9)])
    assert got["start_ps"].dtype == np.int64
    assert got["end_ps"].tolist() == [15, 30]
    assert int((got["end_ps"] - got["start_ps"]).sum()) == 20
    assert got["component"][1] is ARRAY


@pytest.mark.parametrize("energy_aj", [2**63, 10**30])
def test_an_energy_beyond_64_bits_stays_exact(energy_aj: int) -> None:
    got = columns([span(0, energy_aj), span(10, 1)])["energy_aj"]
    assert got.dtype == object
    assert got.sum() == energy_aj + 1


def test_no_facts_give_no_columns() -> None:
    nothing: list[StateInterval] = []
    assert columns(nothing) == {}
