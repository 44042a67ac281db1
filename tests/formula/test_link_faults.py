"""Bursts that arrive wrong, lanes that have failed: by hand, and by the law of independent errors."""

from __future__ import annotations

import math
import re
from fractions import Fraction

import pytest
from reference.systems import Case, Tree
from reference.tiny_chip import NS, lone_job, platform

from tlm3d.errors import ElaborationError
from tlm3d.record.recording import Recording, TransferLeg
from tlm3d.tlm.faults import Faults

BURSTS = 20_000


@pytest.mark.parametrize(("rate", "bits"), [("1e-4", 2048), ("1e-3", 552), ("0.01", 32), ("1e-5", 2048)])
def test_a_burst_is_wrong_as_often_as_one_of_its_bits_is(rate: str, bits: int) -> None:
    faults = Faults("tsv:a>b", Fraction(rate), 0, seed=7)
    wrong = sum(faults.strike("dma", bits) for _ in range(BURSTS))
    expected = -math.expm1(bits * math.log1p(-float(rate)))
    assert abs(wrong / BURSTS - expected) < 5 * math.sqrt(expected * (1 - expected) / BURSTS)


def test_what_happens_to_a_burst_depends_on_channel_initiator_number_and_seed_alone() -> None:
    def fate(faults: Faults, others: int) -> list[bool]:
        for _ in range(others):
            faults.strike("another", 512)
        return [faults.strike("dma", 512) for _ in range(200)]

    half = Fraction(1, 700)
    first = fate(Faults("tsv:a>b", half, 0, seed=1), 0)
    assert fate(Faults("tsv:a>b", half, 99, seed=1), 17) == first
    assert 20 < sum(first) < 180
    assert fate(Faults("tsv:a>b", half, 0, seed=2), 0) != first
    assert fate(Faults("tsv:b>a", half, 0, seed=1), 0) != first


# One job on the tiny chip: 100 B down and 100 B up, each a burst of 100 ns on the vias (8 lanes, 8 bit a ns).


def faulty(rate: str, turnaround: str = "0 s", seed: int = 0, **vias: object) -> Case:
    chip = platform("1 GHz", 4096, "1 KiB")
    chip["links"]["vias"] |= {"faults": {"bit_error_rate": rate, "turnaround": turnaround}, **vias}
    case = lone_job(chip, [1, 10, 10], [10], 900 * NS)
    return Case(case.platform, case.workload, case.networks, case.policy, case.horizon_ps, seed)


def down(recording: Recording) -> TransferLeg:
    (leg,) = [leg for leg in recording.legs if leg.channel == "vias:top>bottom"]
    return leg


def seed_with(resent: int) -> int:
    return next(seed for seed in range(500) if down(faulty("2e-3", seed=seed).run()).resent == resent)


@pytest.mark.parametrize("resent", [0, 1, 3])
def test_every_burst_that_is_sent_again_costs_its_wire_its_turnaround_and_its_energy(resent: int) -> None:
    seed = seed_with(resent)
    priced: Tree = {"energy": "1 pJ/bit"}
    leg = down(faulty("2e-3", "30 ns", seed, **priced).run())
    assert leg.resent == resent
    assert leg.start_ps == 11 * NS  # out of the memory
    assert leg.end_ps == leg.start_ps + (100 + resent * 130) * NS
    assert leg.busy_ps == (1 + resent) * 100 * NS
    assert leg.bits == (1 + resent) * 800
    assert leg.energy_aj == leg.bits * 10**6


def test_a_burst_sent_again_is_moving_not_queueing() -> None:
    (job,) = faulty("2e-3", "30 ns", seed_with(1)).run().jobs
    spent = {segment.bucket for segment in job.segments}
    assert spent == {"link-transfer", "compute"}


@pytest.mark.parametrize(
    ("failed", "spare", "wire_ns"), [(0, 0, 100), (2, 2, 100), (3, 2, 115), (4, 0, 200), (7, 0, 800)]
)
def test_spares_replace_failed_lanes_and_beyond_them_the_link_is_slower(failed: int, spare: int, wire_ns: int) -> None:
    chip = platform("1 GHz", 4096, "1 KiB")
    chip["links"]["vias"] |= {"failed_lanes": failed, "spare_lanes": spare}
    leg = down(lone_job(chip, [1, 10, 10], [10], 9000 * NS).run())
    # 800 bit over the lanes left, a bit a nanosecond each: padded to 805 over seven.
    assert leg.busy_ps == wire_ns * NS


def test_what_was_sent_again_is_counted_in_the_report_of_its_channel() -> None:
    result = faulty("2e-3", "30 ns", seed_with(3)).judge()
    again = {name: channel.resent for name, channel in result.channels.items()}
    assert again["vias:top>bottom"] == 3
    assert again["top.sram"] == 0
    assert sum(again.values()) == sum(leg.resent for leg in result.recording.legs)


def test_failed_lanes_are_noted_in_the_report() -> None:
    chip = platform("1 GHz", 4096, "1 KiB")
    chip["links"]["vias"] |= {"failed_lanes": 3, "spare_lanes": 2}
    notes = lone_job(chip, [1, 10, 10], [10], 9000 * NS).judge().notes
    assert notes[0] == "vias:top>bottom: 3 lanes have failed, 2 spares: 7 of 8 lanes carry"


def test_a_link_on_which_hardly_a_burst_arrives_right_is_refused() -> None:
    # (1 - 0.01)^2048, of bursts of 256 B.
    message = "vias:top>bottom: of its bursts of 2048 bit only a share of 1.2e-09 arrives right, less than 0.01"
    with pytest.raises(ElaborationError, match=re.escape(message)):
        faulty("0.01").system()
