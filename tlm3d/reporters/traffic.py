"""A link study on a terminal, as JSON, and its rows' times as CSV. docs/traffic.md has the fields."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from rich.console import Console

import tlm3d
from tlm3d.analysis.traffic import ChannelTraffic, TrafficResult
from tlm3d.reporters.page import Cell, Column, Kind, Page
from tlm3d.reporters.share import percent
from tlm3d.units import show, show_aj, show_ps


def render(result: TrafficResult, console: Console) -> None:
    """One line for grep, then the channels, busiest first."""
    page = Page(console)
    page.line(f"TRAFFIC: {result.transfers} of {result.rows} transfers in {show_ps(result.last_ps)}")
    if not result.complete:
        page.line("interrupted: what follows is of the transfers that had finished")
    page.line(f"{result.platform} · {show_aj(result.total_aj)}")
    page.heading("Channels", "busiest first; queue: wait of a transfer for its first bit")
    used = sorted((c for c in result.channels.values() if c.transfers), key=lambda c: (-c.busy_ps, c.name))
    columns = [Column("channel", Kind.NAME), Column("role", Kind.NAME, optional=True), Column("busy %")]
    columns += [
        Column("", Kind.BAR, optional=True),
        *map(Column, ("transfers", "bits", "resent", "queue mean", "max", "energy")),
    ]
    if used:
        page.table(columns, [_row(channel, result.last_ps) for channel in used])
    unused = [c.name for c in result.channels.values() if not c.transfers]
    if unused:
        page.paragraph("unused: " + ", ".join(unused))
    for note in result.notes:
        page.paragraph(f"note: {note}")


def _row(channel: ChannelTraffic, last_ps: int) -> list[Cell]:
    bits = show(channel.bits, "bit") if channel.bits >= 1000 else f"{channel.bits} bit"
    waits = (show_ps(channel.queue_ps / channel.transfers), show_ps(channel.max_queue_ps))
    busy: list[Cell] = [percent(channel.busy_ps, last_ps), channel.busy_ps / last_ps]
    resent = str(channel.resent) if channel.resent else ""
    return [channel.name, channel.role, *busy, str(channel.transfers), bits, resent, *waits, show_aj(channel.energy_aj)]


def document(result: TrafficResult) -> dict[str, Any]:
    """The study as plain data; integers carry their unit in the name."""
    return {
        "version": tlm3d.__version__,
        "platform": result.platform,
        "rows": result.rows,
        "transfers": result.transfers,
        "last_ps": result.last_ps,
        "total_aj": result.total_aj,
        "channels": {channel.name: _channel(channel) for channel in result.channels.values()},
        "notes": list(result.notes),
    }


def _channel(channel: ChannelTraffic) -> dict[str, Any]:
    queue_ps = {
        "sum": channel.queue_ps,
        "mean": channel.queue_ps // channel.transfers if channel.transfers else None,
        "max": channel.max_queue_ps if channel.transfers else None,
    }
    return {
        "role": channel.role,
        "transfers": channel.transfers,
        "bits": channel.bits,
        "busy_ps": channel.busy_ps,
        "queue_ps": queue_ps,
        "resent": channel.resent,
        "energy_aj": channel.energy_aj,
    }


def dumps(result: TrafficResult) -> str:
    """The study as JSON text that ends with a newline."""
    return json.dumps(document(result), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def times(result: TrafficResult) -> Iterator[str]:
    """Lines of CSV: a row's number, its posting and its last arrival, in file order; rows that finished."""
    yield "row,start_ps,finish_ps\n"
    for row, (start_ps, finish_ps) in enumerate(zip(result.start_ps, result.finish_ps, strict=True)):
        if finish_ps >= 0:
            yield f"{row},{start_ps},{finish_ps}\n"
