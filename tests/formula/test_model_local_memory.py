"""Less local memory: more tiles, more traffic, then an error that counts the bytes.

The layer: four rows of ten pixels, ten channels in and out, 1 x 1, no bias. Inputs and outputs are 400 B each, weights
100 B; a row of all ten inputs is 100 B and a row of one output channel 10 B, as are the weights of a channel.
"""

from __future__ import annotations

import re

import pytest
from reference.default_pair import default_system
from reference.systems import Case, tiles_of
from reference.tiny_chip import lone_job, platform

from tlm3d.errors import ElaborationError


def case(local_bytes: int, capacity: str = "64 KiB") -> Case:
    chip = platform("1 GHz", local_bytes, None)
    chip["dies"]["top"]["blocks"]["sram"]["capacity"] = capacity
    return lone_job(chip, [4, 10, 10], [10], 10**9)


@pytest.mark.parametrize(
    ("local_bytes", "tiles", "loaded_bytes"),
    [
        (1800, 1, 500),  # 2 x (400 + 100 + 400)
        (1799, 2, 500),  # two bands of two rows keep all weights: 2 x (200 + 100 + 200)
        (600, 4, 500),  # 2 x (100 + 100 + 100): a row a tile
        (240, 40, 800),  # 2 x (100 + 10 + 10): a row and a channel a tile, the weights again for every row
    ],
)
def test_less_local_memory_gives_more_tiles_and_more_traffic(local_bytes: int, tiles: int, loaded_bytes: int) -> None:
    recording = case(local_bytes).run()
    assert len(tiles_of(recording.spans, "array")) == tiles
    assert sum(leg.bytes for leg in recording.legs if leg.channel == "vias:top>bottom") == loaded_bytes
    assert sum(leg.bytes for leg in recording.legs if leg.channel == "vias:bottom>top") == 400


def test_a_byte_too_little_for_one_row_of_one_channel_is_an_error_that_counts_it() -> None:
    message = (
        "task job on bottom.array: layer conv0: its smallest tile needs 2 x 120 B = 240 B of local memory, "
        "1 B more than the 239 B there are"
    )
    with pytest.raises(ElaborationError, match=f"^{re.escape(message)}$"):
        case(239).system()


def test_a_memory_that_cannot_hold_what_must_lie_in_it_is_an_error_that_counts_the_bytes() -> None:
    case(1800, "900 B").system()  # 400 in, 400 out, 100 of weights
    message = (
        "top.sram holds 899 B, 900 B must lie in it, 1 B too many: feature maps of job 800 B, weights of net 100 B"
    )
    with pytest.raises(ElaborationError, match=f"^{re.escape(message)}$"):
        case(1800, "899 B").system()


def test_the_default_pair_needs_more_tiles_and_bytes_with_every_halving() -> None:
    found = []
    for kib in (96, 48, 24):
        recording = default_system(horizon_ps=30 * 10**9, platform={"dies.npu.blocks.array.local": f"{kib} KiB"}).run()
        loaded_bytes = sum(leg.bytes for leg in recording.legs if leg.initiator == "npu.array.load")
        found.append((len(tiles_of(recording.spans, "array")), loaded_bytes))
    assert found == sorted(set(found))
    with pytest.raises(ElaborationError, match=r"its smallest tile needs 2 x \d+ B = \d+ B of local memory"):
        default_system(platform={"dies.npu.blocks.array.local": "1 KiB"})
