"""The stack drawn in characters: a box a die, the top tier first; links between boxes, and rails past them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import NamedTuple

from rich.console import Console

from tlm3d.record.stack import BlockFacts, DieFacts, LinkFacts, Stack
from tlm3d.reporters.page import Page
from tlm3d.units import PS_PER_S, show, show_nw, show_ps, show_v

_GAP = 2  # between the columns inside a box
_MIN_FIGURES = 24  # room that figures have beside name and kind; with less they go below
_MIN_BOX = 24
_MAX_MARK = 16  # characters of a name beside its rail
_PREFIXES = ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))


class _Strokes(NamedTuple):
    """The characters that the drawing is made of."""

    level: str
    upright: str
    top_left: str
    top_right: str
    bottom_left: str
    bottom_right: str
    crossing: str
    rail_top: str
    rail_bottom: str
    into: str
    both: str
    down: str
    up: str


_LINES = _Strokes("─", "│", "┌", "┐", "└", "┘", "┼", "╮", "╯", "◀", "↕", "↓", "↑")
_ASCII = _Strokes("-", "|", "+", "+", "+", "+", "+", ".", "'", "<", "|", "v", "^")


class _Rail(NamedTuple):
    """A link that passes dies by, on its own column at the right: from the upper to the lower box it joins."""

    link: LinkFacts
    upper: str
    lower: str


@dataclass(slots=True)
class _Drawing:
    """Rows of text, and for each row of a box the ends of rails that meet it."""

    rows: list[tuple[str, str]] = field(default_factory=list)  # label at the left, text
    ends: dict[str, list[int]] = field(default_factory=dict)  # die → rows inside its box


def render(stack: Stack, console: Console) -> None:
    """Draw ``stack``: its dies, the links between them, and its power limits."""
    page = Page(console)
    blocks = sum(len(die.blocks) for die in stack.dies)
    counts = ((len(stack.dies), "die"), (blocks, "block"), (len(stack.links), "link"))
    page.line((stack.name, "bold"), *(f" · {_several(n, what)}" for n, what in counts))
    page.line()
    places = {die.name: i for i, die in enumerate(stack.dies)}
    beside = [link for link in stack.links if abs(places[link.ends[0]] - places[link.ends[1]]) == 1]
    rails = [_rail(link, places) for link in stack.links if link not in beside]
    rails.sort(key=lambda rail: (places[rail.lower] - places[rail.upper], rail.link.name))
    strokes = _ASCII if page.ascii else _LINES
    label = max(len(f"tier {die.tier}") for die in stack.dies) + 1
    drawing = _Drawing()
    marks = _marks(rails)
    margin = 2 * len(rails) + 2 + max(map(len, marks)) if rails else 0
    width = max(_MIN_BOX, page.width - label - margin)
    for i, die in enumerate(stack.dies):
        if i:
            above = stack.dies[i - 1]
            _between(drawing, [x for x in beside if set(x.ends) == {above.name, die.name}], die, width, strokes)
        _box(drawing, die, sum(die.name in (rail.upper, rail.lower) for rail in rails), width, strokes)
    for row, text in enumerate(_with_rails(drawing, rails, marks, width, strokes)):
        page.line(f"{drawing.rows[row][0]:<{label}}", text)
    if rails:
        page.heading("Links past a neighbour")
        for rail, mark in zip(rails, marks, strict=True):
            _listed(page, rail.link, mark)
    if stack.supply is not None:
        page.heading("Supply")
        page.paragraph(f"{stack.supply}, between the battery and the rail")
    if stack.limits:
        page.heading("Power limits")
        for limit in stack.limits:
            what = "at every instant"
            if limit.window_ps is not None:
                what = f"averaged over any {show_ps(limit.window_ps)}"
            elif limit.ewma_ps is not None:
                what = f"averaged exponentially over {show_ps(limit.ewma_ps)}"
            page.paragraph(f"{show_nw(limit.limit_nw)} {what}, at the {limit.at}")
    if stack.derived:
        page.heading("Derived numbers")
        for one in stack.derived:
            number, _, unit = one.value.partition(" ")
            by = "" if one.factor is None else f" × {one.factor:.4g}"
            page.paragraph(f"{one.path} = {float(number):.4g} {unit}: {one.given}{by} for {one.to}")


def _marks(rails: Sequence[_Rail]) -> list[str]:
    """What stands beside each rail: its link's name, or its number where names are long."""
    names = [rail.link.name for rail in rails]
    return names if max(map(len, names), default=0) <= _MAX_MARK else [str(i + 1) for i in range(len(rails))]


def _rail(link: LinkFacts, places: dict[str, int]) -> _Rail:
    upper, lower = sorted(link.ends, key=lambda die: places[die])
    return _Rail(link, upper, lower)


def _box(drawing: _Drawing, die: DieFacts, rail_ends: int, width: int, strokes: _Strokes) -> None:
    """One die: its bus, then its blocks, a line each, more where the figures need it."""
    parts = [] if die.bus is None else [("bus", die.bus.kind, _link_figures(die.bus))]
    parts += [(block.name, block.kind, _block_figures(block)) for block in die.blocks]
    lines = _aligned(parts, width - 4)
    name = die.name if die.package == "stack" else f"{die.name}, package {die.package}"
    title = f"{strokes.top_left}{strokes.level} {name} "
    if len(title) > width - 2:  # a long name goes inside
        title = strokes.top_left
        lines = [name[at : at + width - 4] for at in range(0, len(name), width - 4)] + lines
    drawing.rows.append((f"tier {die.tier}", title + strokes.level * (width - len(title) - 1) + strokes.top_right))
    inside = []
    for text in [*lines, *[""] * (max(rail_ends, 1) - len(lines))]:
        inside.append(len(drawing.rows))
        drawing.rows.append(("", f"{strokes.upright} {text:<{width - 4}} {strokes.upright}"))
    drawing.ends[die.name] = inside
    drawing.rows.append(("", strokes.bottom_left + strokes.level * (width - 2) + strokes.bottom_right))


def _between(drawing: _Drawing, links: Sequence[LinkFacts], lower: DieFacts, width: int, strokes: _Strokes) -> None:
    """The links from the box above to ``lower``; an empty row where there are none."""
    parts = []
    for link in links:
        way = strokes.both if link.both_ways else strokes.down if link.ends[1] == lower.name else strokes.up
        parts.append((f"{way} {link.name}", link.kind, _link_figures(link)))
    lines = _aligned(parts, width - 4)
    drawing.rows += [("", f"  {line}") for line in lines or [""]]


def _aligned(parts: Sequence[tuple[str, str, list[str]]], width: int) -> list[str]:
    """Name, kind and figures of each part in columns; figures that do not fit go on below."""
    if not parts:
        return []
    names = max(len(name) for name, *_ in parts) + _GAP
    kinds = max(len(kind) for _, kind, _ in parts) + _GAP
    below = width - names - kinds < _MIN_FIGURES
    indent = _GAP if below else names + kinds
    lines = []
    for name, kind, figures in parts:
        head = f"{name:<{names}}{kind:<{kinds}}"
        rest = _folded(figures, width - indent)
        if not below:
            lines.append(head + (rest[0] if rest else ""))
            lines += [" " * indent + line for line in rest[1:]]
        else:
            head = f"{name}{' ' * _GAP}{kind}"
            lines += [head[at : at + width] for at in range(0, len(head), width)]
            lines += [" " * indent + line for line in rest]
    return [line.rstrip() for line in lines]


def _folded(figures: Sequence[str], width: int) -> list[str]:
    """Figures joined by dots in lines of at most ``width``, none of them broken."""
    lines: list[str] = []
    for figure in figures:
        if lines and len(lines[-1]) + 3 + len(figure) <= width:
            lines[-1] += f" · {figure}"
        else:
            lines.append(figure)
    return lines


def _with_rails(
    drawing: _Drawing, rails: Sequence[_Rail], marks: Sequence[str], width: int, strokes: _Strokes
) -> list[str]:
    """The rows with a column of each rail beside the boxes, the shortest rail next to them."""
    grid = [[" "] * (2 * len(rails) + 1) for _ in drawing.rows]
    names: dict[int, str] = {}
    free = {die: list(rows) for die, rows in drawing.ends.items()}
    for number, rail in enumerate(rails):
        column = 2 * number + 2
        # From the bottom of the upper box and the top of the lower one: rails of one box never share a row.
        first, last = free[rail.upper].pop(), free[rail.lower].pop(0)
        into_upper = rail.link.both_ways or rail.link.ends[1] == rail.upper
        into_lower = rail.link.both_ways or rail.link.ends[1] == rail.lower
        for row in range(first + 1, last):
            grid[row][column] = strokes.crossing if grid[row][column] == strokes.level else strokes.upright
        for row, into, corner in ((first, into_upper, strokes.rail_top), (last, into_lower, strokes.rail_bottom)):
            for at in range(column):
                grid[row][at] = strokes.crossing if grid[row][at] == strokes.upright else strokes.level
            grid[row][0] = strokes.into if into else strokes.level
            grid[row][column] = corner
        names[first] = marks[number]
    return [
        f"{text:<{width}}{''.join(cells)} {names.get(row, '')}" if rails else text
        for row, ((_, text), cells) in enumerate(zip(drawing.rows, grid, strict=True))
    ]


def _listed(page: Page, link: LinkFacts, mark: str) -> None:
    head = link.name if mark == link.name else f"{mark} {link.name}"
    way = f"{link.ends[0]} {'and' if link.both_ways else 'to'} {link.ends[1]}"
    first, *more = _folded([f"{head}: {link.kind}", way, *_link_figures(link)], page.width - 3)
    page.line(f" {first}")
    for line in more:
        page.line(f"   {line}")


def _link_figures(link: LinkFacts) -> list[str]:
    """Rate with all lanes, energy a bit, latency."""
    each = " each way" if link.both_ways else ""
    rate = f"{_fixed(link.rate_bps / 10**9, link.rate_bps, 'Gbit/s', 'bit/s')}{each}"
    energy = _fixed(link.pj_per_bit, link.pj_per_bit / 10**12, "pJ/bit", "J/bit")
    return [rate, energy, _fixed(link.latency_ps / 1000, link.latency_ps / PS_PER_S, "ns", "s"), *_gate(link.wake_ps)]


def _gate(wake_ps: int | None) -> list[str]:
    """How long a gated part takes to wake up."""
    return [] if wake_ps is None else [f"gated, wakes in {show_ps(wake_ps)}"]


def _block_figures(block: BlockFacts) -> list[str]:
    """The few numbers that matter, those that the block has."""
    figures = []
    if block.pixels:
        figures.append(" × ".join(map(str, block.pixels)) + " pixels")
    if block.sample_rate_hz is not None:
        figures.append(show(block.sample_rate_hz, "S/s"))
    if block.frame_rate_hz is not None:
        figures.append(f"{block.frame_rate_hz:.4g} fps")
    if block.bits is not None:
        figures.append(f"{block.bits} bit")
    if block.cores is not None:
        figures.append(_several(block.cores, "core"))
    if block.array:
        figures.append(" × ".join(map(str, block.array)) + " MAC")
    if block.clock_hz is not None:
        figures.append(show(block.clock_hz, "Hz"))
    if block.voltage_v is not None:
        figures.append(show_v(block.voltage_v))
    if block.local_bytes is not None:
        figures.append(f"{_bytes(block.local_bytes)} local")
    if block.capacity_bytes is not None:
        figures.append(_bytes(block.capacity_bytes))
    if block.rate_bps is not None:
        figures.append(_fixed(block.rate_bps / 10**9, block.rate_bps, "Gbit/s", "bit/s"))
    if len(block.modes) > 1:
        figures.append(f"{len(block.modes)} modes")
    figures += [f"{fact.shown} {fact.label}" for fact in block.facts]
    return figures + _gate(block.wake_ps)


def _fixed(scaled: float, value: float, unit: str, base: str) -> str:
    """``scaled`` in ``unit``, so that links compare at a glance; ``value`` with a prefix where that reads badly."""
    return f"{scaled:.3g} {unit}" if scaled == 0 or 0.001 <= scaled < 1000 else show(value, base)


def _bytes(number: int) -> str:
    """A size of memory: ``64 KiB`` where it is whole ones, else bytes."""
    for factor, unit in _PREFIXES:
        if number and number % factor == 0:
            return f"{number // factor} {unit}"
    return f"{number} B"


def _several(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def dumps(stack: Stack) -> str:
    """The same facts as JSON text."""
    document = asdict(stack)
    for die in document["dies"]:
        for block in die["blocks"]:
            block["facts"] = {fact.key: fact.value for fact in block["facts"]}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
