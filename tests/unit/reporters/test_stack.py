"""The drawing of a stack: boxes, arrows, rails past dies; in any width and encoding."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from tlm3d.analysis.stack import stack
from tlm3d.record.stack import BlockFacts, DieFacts, LimitFacts, LinkFacts, Stack
from tlm3d.reporters.stack import render
from tlm3d.spec.pair import read_platform

ROOT = Path(__file__).parents[3]


def memory(name: str, capacity_bytes: int = 1024) -> BlockFacts:
    return BlockFacts(name, "memory", None, (), None, None, capacity_bytes, 1e9, (), None, None, ())


def die(name: str, tier: int, *blocks: BlockFacts, bus: LinkFacts | None = None) -> DieFacts:
    return DieFacts(name, tier, bus, blocks)


def link(name: str, *ends: str, both_ways: bool = True) -> LinkFacts:
    return LinkFacts(name, "tsv", ends, both_ways, 2.5e9, 0.05, 1500)


def drawn(dies: list[DieFacts], links: list[LinkFacts], width: int = 80, encoding: str = "utf-8") -> list[str]:
    raw = io.BytesIO()
    with io.TextIOWrapper(raw, encoding=encoding, newline="\n") as file:
        render(Stack("some", tuple(dies), tuple(links), (LimitFacts(10**6, None),)), Console(file=file, width=width))
        file.flush()
        return raw.getvalue().decode(encoding).splitlines()


TOWER = [die("top", 2, memory("a")), die("middle", 1, memory("b")), die("bottom", 0, memory("c"))]


def test_a_platform_of_one_die_is_one_box() -> None:
    lines = drawn([die("soc", 0, memory("m"), bus=link("bus", both_ways=False))], [])
    assert lines[0] == "some · 1 die · 1 block · 0 links"
    left = [line[:15] for line in lines[2:6]]
    assert left == ["tier 0 ┌─ soc ─", "       │ bus  t", "       │ m    m", "       └───────"]
    assert "2.5 Gbit/s · 0.05 pJ/bit · 1.5 ns" in lines[3]
    assert len(lines) == 9


def test_a_link_between_neighbours_stands_between_them_with_an_arrow_its_way() -> None:
    links = [link("up", "middle", "top", both_ways=False), link("down", "top", "middle", both_ways=False)]
    lines = drawn(TOWER, [*links, link("both", "bottom", "middle")])
    assert "  ".join(lines[5].split()[:2]) == "↑  up"
    assert "  ".join(lines[6].split()[:2]) == "↓  down"
    assert "↕ both  tsv  2.5 Gbit/s each way · 0.05 pJ/bit · 1.5 ns" in lines[10]
    assert "each way" not in lines[5]


def test_a_link_past_a_die_runs_on_a_rail_and_is_listed() -> None:
    lines = drawn(TOWER, [link("far", "top", "bottom", both_ways=False)])
    ends = [line.rstrip()[-7:] for line in lines[2:13]]
    assert ends[1] == "──╮ far"
    assert ends[-2].endswith("◀─╯")  # only the die that receives has an arrow
    assert all(end.endswith("│") for end in ends[2:-2])
    assert " far: tsv · top to bottom · 2.5 Gbit/s · 0.05 pJ/bit · 1.5 ns" in lines


def test_an_arrow_points_into_the_upper_die_where_that_receives() -> None:
    lines = drawn(TOWER, [link("far", "bottom", "top", both_ways=False)])
    assert sum("◀─╮ far" in line for line in lines) == 1
    assert not any("◀─╯" in line for line in lines)
    assert any("──╯" in line for line in lines)


def test_rails_that_meet_cross() -> None:
    dies = [*TOWER, die("cellar", 0, memory("d"))]
    lines = drawn(dies, [link("x", "top", "bottom"), link("y", "middle", "cellar")])
    assert sum("┼" in line for line in lines) == 1


def test_dies_of_one_tier_stand_below_each_other_with_their_tier() -> None:
    lines = drawn([die("left", 0, memory("a")), die("right", 0, memory("b"))], [link("flat", "left", "right")])
    assert [line.split()[2 if "┌─" in line else 0 : 4] for line in lines if "tier 0" in line] == [
        ["┌─", "left"], ["┌─", "right"],
    ]  # fmt: skip
    assert any("↕ flat" in line for line in lines)


def test_a_console_without_utf_8_gets_ascii_and_the_same_figures() -> None:
    links = [link("far", "top", "bottom"), link("near", "top", "middle")]
    plain, fancy = drawn(TOWER, links, encoding="ascii"), drawn(TOWER, links)
    in_ascii = str.maketrans("·─│┌┐└┘┼╮╯◀↕", "--|+++++.'<|")
    assert plain == [line.translate(in_ascii) for line in fancy]
    assert all(line.isascii() for line in plain)


NAMES = st.text("abc_-", min_size=1, max_size=64)


@given(st.lists(NAMES, min_size=1, max_size=5, unique=True), st.data(), st.sampled_from([60, 80, 120]))
def test_boxes_are_closed_and_no_figure_is_cut_whatever_the_names(
    names: list[str], data: st.DataObject, width: int
) -> None:
    dies = [die(name, len(names) - i, memory(f"m{i}", 1000 + i)) for i, name in enumerate(names)]
    pairs = st.lists(st.sampled_from(names), min_size=2, max_size=2, unique=True)
    ends = data.draw(st.lists(pairs, max_size=5 if len(names) > 1 else 0)) if len(names) > 1 else []
    lines = drawn(dies, [link(f"l{i}", *pair) for i, pair in enumerate(ends)], width)
    assert max(map(cell_len, lines)) <= min(width, 100)
    walls = {line.index("┐") for line in lines if "┐" in line}
    assert len(walls) == 1
    assert all(line[next(iter(walls))] == "┘" for line in lines if "┘" in line)
    text = " ".join(" ".join(lines).split())
    for i in range(len(names)):
        assert f"{1000 + i} B" in text
    assert text.count("2.5 Gbit/s each way") == len(ends)


@pytest.mark.parametrize(("rate_bps", "shown"), [(2.5e9, "2.5 Gbit/s"), (1e3, "1.00 kbit/s"), (4e12, "4.00 Tbit/s")])
def test_rates_are_in_gigabits_until_that_reads_badly(rate_bps: float, shown: str) -> None:
    one = LinkFacts("l", "tsv", ("top", "middle"), False, rate_bps, 0, 1000)
    assert any(f"tsv  {shown} · 0 pJ/bit · 1 ns" in line for line in drawn(TOWER, [one]))


def test_a_gated_part_says_how_long_it_takes_to_wake_and_a_die_its_package() -> None:
    sleepy = ["dies.logic.blocks.cluster.states={gated: {wake_time: 5 us}}", "links.tsv.gated={wake_time: 20 ns}"]
    found = stack(read_platform(str(ROOT / "platforms" / "two_chip_mipi.yaml"), sleepy))
    text = "\n".join(drawn(list(found.dies), list(found.links), 100))
    assert "64 KiB local · gated, wakes in 5.00 us" in text
    assert "2 ns · gated, wakes in 20.0 ns" in text
    assert "┌─ pixel, package sensor ─" in text
    assert "csi: mipi · pixel to logic · 0.5 Gbit/s · 12.5 pJ/bit · 10 ns" in text
