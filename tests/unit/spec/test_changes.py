"""What differs between two platform files, and which settings go to which of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tlm3d.spec.changes import Change, Changes, Move, Part, changes
from tlm3d.spec.corners import at_corner
from tlm3d.spec.settings import settings_by_platform
from tlm3d.spec.source import Source, parse, read_source

PLATFORMS = Path(__file__).parents[3] / "platforms"
STACK = """
name: stack
limits:
  - {limit: 2 mW, window: 100 ms}
  - {limit: 40 mW, peak: true}
dies:
  top:
    tier: 1
    blocks:
      cpu: {kind: processor, clock: 100 MHz, home: l2, leakage: 1 uW}
      l2: {kind: memory, capacity: 1 MiB, rate: 1 Gbit/s, lanes: 8, latency: 2 ns}
  bottom:
    tier: 0
    blocks:
      l2: {kind: memory, capacity: 2 MiB, rate: 3 Gbit/s, lanes: 4, latency: 2 ns}
links:
  tsv: {kind: tsv, between: [top, bottom], rate: 10 Mbit/s}
"""


def source(*replaced: tuple[str, str]) -> Source:
    text = STACK
    for old, new in replaced:
        assert old in text
        text = text.replace(old, new)
    return parse(text, "platform.yaml")


def test_a_platform_differs_in_nothing_from_itself_but_for_its_name() -> None:
    assert changes(source(), source()) == Changes()
    assert not changes(source(), source(("name: stack", "name: other")))


def test_a_value_that_differs_is_named_by_its_path_with_both_texts_and_their_ratio() -> None:
    changed = changes(source(), source(("10 Mbit/s", "1 Mbit/s")))
    assert changed == Changes(values=(Change("links.tsv.rate", "10 Mbit/s", "1 Mbit/s", 0.1),))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("10 Mbit/s", "0.01 Gbit/s"),
        ("1 MiB", "1024 KiB"),
        ("lanes: 8", "lanes: 8.0"),
        ("1 uW", "1000 nW"),
        ("{limit: 2 mW,", "{limit: 2000 uW,"),
    ],
)
def test_the_same_quantity_in_other_words_is_no_change(old: str, new: str) -> None:
    assert not changes(source(), source((old, new)))


@pytest.mark.parametrize(("old", "new"), [("10 Mbit/s", "10 Mbyte/s"), ("2 ns}\n  bottom", "2.001 ns}\n  bottom")])
def test_a_near_miss_is_a_change(old: str, new: str) -> None:
    assert len(changes(source(), source((old, new))).values) == 1


def test_a_key_that_only_one_file_gives_is_a_change_without_a_ratio() -> None:
    added = changes(source(), source(("rate: 10 Mbit/s", "rate: 10 Mbit/s, lanes: 4")))
    assert added.values == (Change("links.tsv.lanes", None, "4"),)
    gone = changes(source((", leakage: 1 uW", ", leakage: 1 uW, states: {idle: 5 uW}")), source())
    assert gone.values == (Change("dies.top.blocks.cpu.states.idle", "5 uW", None),)


def test_a_list_of_numbers_is_one_value() -> None:
    changed = changes(source(), source(("[top, bottom]", "[bottom, top]")))
    assert changed.values == (Change("links.tsv.between", "[top, bottom]", "[bottom, top]"),)


def test_the_order_of_limits_and_keys_means_nothing() -> None:
    window, peak = "{limit: 2 mW, window: 100 ms}", "{limit: 40 mW, peak: true}"
    swapped = source(
        (window, "first"), (peak, "{window: 100 ms, limit: 2 mW}"), ("first", "{peak: true, limit: 40 mW}")
    )
    assert not changes(source(), swapped)


def test_a_limit_that_differs_is_named_by_its_place_in_the_list() -> None:
    changed = changes(source(), source(("limit: 40 mW", "limit: 60 mW")))
    assert changed.values == (Change("limits.1.limit", "40 mW", "60 mW", 1.5),)


def test_a_link_or_block_that_only_one_file_has_is_a_part_gone_or_new_and_no_list_of_values() -> None:
    bus = ("tier: 0", "tier: 0\n    bus: {kind: on-chip, rate: 1 Gbit/s}")
    assert changes(source(), source(bus)) == Changes(added=(Part("dies.bottom.bus", "on-chip"),))
    assert changes(source(bus), source()) == Changes(removed=(Part("dies.bottom.bus", "on-chip"),))


def test_a_die_that_only_one_file_has_is_a_die_gone_or_new() -> None:
    spare = ("links:\n", "  spare:\n    tier: 2\nlinks:\n")
    assert changes(source(), source(spare)) == Changes(added_dies=("spare",))
    assert changes(source(spare), source()) == Changes(removed_dies=("spare",))


def test_a_tier_that_differs_is_a_value_of_its_die() -> None:
    assert changes(source(), source(("tier: 1", "tier: 2"))).values == (Change("dies.top.tier", "1", "2", 2.0),)


def test_a_block_with_another_name_is_moved_and_only_its_new_values_differ() -> None:
    changed = changes(source(), source(("l2: {kind: memory, capacity: 2 MiB", "spare: {kind: memory, capacity: 3 MiB")))
    assert changed.moved == (Move("dies.bottom.blocks.l2", "dies.bottom.blocks.spare"),)
    assert changed.values == (Change("dies.bottom.blocks.spare.capacity", "2 MiB", "3 MiB", 1.5),)
    assert (changed.removed, changed.added) == ((), ())


def test_a_block_that_shares_no_more_than_half_its_values_is_another_block() -> None:
    l2 = "l2: {kind: memory, capacity: 2 MiB, rate: 3 Gbit/s, lanes: 4, latency: 2 ns}"
    spare = "spare: {kind: memory, capacity: 3 MiB, rate: 4 Gbit/s, lanes: 16, latency: 2 ns}"
    changed = changes(source(), source((l2, spare)))
    assert changed.removed == (Part("dies.bottom.blocks.l2", "memory"),)
    assert changed.added == (Part("dies.bottom.blocks.spare", "memory"),)
    assert changed.moved == changed.values == ()


def test_the_flat_chip_has_every_block_of_the_stack_and_one_long_bus() -> None:
    stacked, flat = (
        at_corner(read_source(PLATFORMS / f"{name}.yaml"), "typical")[0] for name in ("three_tier_vision", "flat_soc")
    )
    changed = changes(stacked, flat)
    assert {(move.before, move.after) for move in changed.moved} == {
        ("dies.pixel.blocks.camera", "dies.soc.blocks.camera"),
        ("dies.logic.blocks.cluster", "dies.soc.blocks.cluster"),
        ("dies.logic.blocks.l2", "dies.soc.blocks.l2"),
        ("dies.logic.bus", "dies.soc.bus"),
        ("dies.npu.blocks.array", "dies.soc.blocks.array"),
        ("dies.npu.blocks.l2", "dies.soc.blocks.npu_l2"),
    }
    assert [part.path for part in changed.removed] == ["links.bond", "links.tsv"]
    assert changed.added == ()
    # Beyond the names of memories, the wire alone is not the same silicon.
    numbers = [value for value in changed.values if value.path.rpartition(".")[2] not in ("home", "weight_store")]
    assert [value.path for value in numbers] == ["dies.soc.bus.energy", "dies.soc.bus.latency"]


def test_a_setting_goes_to_every_platform_that_has_its_path() -> None:
    with_links, without = source(), parse(STACK.partition("links:")[0], "flat.yaml")
    given = ["links.tsv.rate=1 Mbit/s", "limits.0.limit=1 mW", "workload.tasks.wake.deadline=1 ms"]
    assert settings_by_platform([with_links, without], given) == [tuple(given), tuple(given[1:])]
    assert settings_by_platform([without, with_links], given[:1]) == [(), tuple(given[:1])]


def test_a_setting_that_leads_nowhere_stays_with_the_platform_that_can_say_most_about_it() -> None:
    with_links, without = source(), parse(STACK.partition("links:")[0], "flat.yaml")
    assert settings_by_platform([without, with_links], ["links.tvs.rate=1"]) == [(), ("links.tvs.rate=1",)]
    assert settings_by_platform([without, with_links], ["limits.9.limit=1"]) == [("limits.9.limit=1",), ()]
