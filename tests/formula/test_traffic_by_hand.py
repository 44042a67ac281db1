"""A link study of four transfers, worked by hand.

Vias of 1 byte a ns with 2 ns latency and 0.05 pJ/bit, one lane a bit of the byte; a memory above them of 10 bytes a ns
with 1 ns latency, 0.3 pJ/bit to read and 0.4 pJ/bit to write. All transfers are one burst.
"""

from __future__ import annotations

import pytest
from reference.systems import as_text

from tlm3d.analysis.traffic import TrafficResult
from tlm3d.simulation import play_traffic
from tlm3d.spec.platform import PlatformSpec, platform_of
from tlm3d.spec.source import Source
from tlm3d.spec.traffic import TrafficRow

NS = 1000  # ps
PJ = 10**6  # aJ
DOWN, UP, SRAM = "vias:top>bottom", "vias:bottom>top", "top.sram"


def platform(**changes: object) -> PlatformSpec:
    sram = {
        "kind": "memory", "capacity": "64 KiB", "rate": "80 Gbit/s", "latency": "1 ns", "burst": "64 B",
        "read": "0.3 pJ/bit", "write": "0.4 pJ/bit",
    }  # fmt: skip
    vias = {
        "kind": "tsv", "between": ["top", "bottom"], "lanes": 8, "rate": "1 Gbit/s", "latency": "2 ns",
        "burst": "64 B", "energy": "0.05 pJ/bit",
    }  # fmt: skip
    dies = {"top": {"tier": 1, "blocks": {"sram": sram}}, "bottom": {"tier": 0}}
    return platform_of(Source("platform", as_text({"name": "tiny", "dies": dies, "links": {"vias": vias | changes}})))


@pytest.fixture
def study() -> TrafficResult:
    rows = [
        TrafficRow("a", 0, 64, (SRAM, DOWN), 0),
        TrafficRow("b", 0, 64, (DOWN,), 0),
        TrafficRow("b", 1 * NS, 64, (DOWN,), 0),
        TrafficRow("c", 0, 10, (UP, SRAM), 0),
    ]
    return play_traffic(platform(), rows)


def test_a_row_is_posted_after_its_pause_and_ends_with_its_last_arrival(study: TrafficResult) -> None:
    # a: 6.4 ns on the port, at the vias at 7.4 ns, where b is on the wire until 64 ns; 64 ns more, and 2 ns to arrive.
    # b: arrives at 66 ns; again at 67 ns, on the wire from 128 ns on.  c: 10 ns and 2 ns, then 1 ns and 1 ns.
    assert study.start_ps == [0, 0, 67 * NS, 0]
    assert study.finish_ps == [130 * NS, 66 * NS, 194 * NS, 14 * NS]
    assert study.last_ps == 194 * NS


def test_a_transfer_queues_from_its_posting_at_a_channel_to_its_first_bit_there(study: TrafficResult) -> None:
    down = study.channels[DOWN]
    assert (down.transfers, down.bits, down.busy_ps) == (3, 3 * 512, 3 * 64 * NS)
    assert (down.queue_ps, down.max_queue_ps) == (56_600 + 61 * NS, 61 * NS)  # a from 7.4 to 64, b from 67 to 128
    assert study.channels[SRAM].queue_ps == 0


def test_a_memory_is_read_where_it_is_first_and_written_where_it_is_last(study: TrafficResult) -> None:
    assert study.channels[SRAM].energy_aj == 512 * 3 * PJ // 10 + 80 * 4 * PJ // 10
    assert study.channels[DOWN].energy_aj == 3 * 512 * PJ // 20
    assert study.channels[UP].energy_aj == 80 * PJ // 20
    assert study.total_aj == sum(channel.energy_aj for channel in study.channels.values())


def test_a_memory_alone_is_read_and_in_the_middle_of_a_route_written() -> None:
    alone = play_traffic(platform(), [TrafficRow("a", 0, 1, (SRAM,), 0)])
    between = play_traffic(platform(), [TrafficRow("a", 0, 1, (UP, SRAM, DOWN), 0)])
    assert alone.channels[SRAM].energy_aj == 8 * 3 * PJ // 10
    assert between.channels[SRAM].energy_aj == 8 * 4 * PJ // 10


def test_the_number_of_a_row_decides_at_a_priority_arbiter() -> None:
    first = TrafficRow("a", 0, 64, (DOWN,), 0)
    urgent, patient = TrafficRow("z", 1 * NS, 64, (DOWN,), 1), TrafficRow("b", 1 * NS, 64, (DOWN,), 2)
    by_number = play_traffic(platform(arbiter="priority"), [first, urgent, patient])
    assert by_number.finish_ps == [66 * NS, 130 * NS, 194 * NS]
    by_name = play_traffic(platform(), [first, urgent, patient])
    assert by_name.finish_ps == [66 * NS, 194 * NS, 130 * NS]


def test_many_short_transfers_add_up_like_one() -> None:
    """Beyond what is added up in one go."""
    rows = [TrafficRow("a", 0, 1, (DOWN,), 0)] * 10_000
    study = play_traffic(platform(), rows)
    down = study.channels[DOWN]
    assert (down.transfers, down.busy_ps, down.energy_aj) == (10_000, 10_000 * NS, 80_000 * PJ // 20)
    assert study.last_ps == study.finish_ps[-1] == 10_000 * 3 * NS
