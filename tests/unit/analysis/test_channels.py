"""Channel traffic worked out by hand."""

from __future__ import annotations

from unit.analysis.made import TSV, leg, recording

from tlm3d.analysis.channels import channel_results
from tlm3d.analysis.result import ChannelResult


def test_traffic_adds_up_and_queueing_is_start_minus_posted() -> None:
    made = recording(100, legs=[leg(10, 20, 7, posted_ps=10), leg(20, 50, 11, bits=240, posted_ps=12)])
    assert channel_results(made) == {TSV.name: ChannelResult(TSV.name, "link", 2, 320, 40, 18, 8)}


def test_a_transfer_on_the_wire_at_the_horizon_is_cut_there() -> None:
    result = channel_results(recording(100, legs=[leg(90, 120, 100, bits=80)]))[TSV.name]
    assert (result.transfers, result.bits, result.busy_ps, result.energy_aj) == (1, 26, 10, 33)


def test_a_transfer_that_starts_at_the_horizon_is_not_counted() -> None:
    result = channel_results(recording(100, legs=[leg(100, 120, 100, posted_ps=60)]))[TSV.name]
    assert result == ChannelResult(TSV.name, "link", 0, 0, 0, 0, 0)


def test_an_idle_channel_is_listed() -> None:
    assert channel_results(recording(100))[TSV.name].transfers == 0
