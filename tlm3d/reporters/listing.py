"""Lists of kinds and networks, and one of them in full."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.console import Console

from tlm3d.cnn.network import Network
from tlm3d.reporters.page import Cell, Column, Kind, Page
from tlm3d.units import show


class KindRow(NamedTuple):
    """A kind: its name, what it is in a sentence, the distribution that it comes from."""

    name: str
    what: str
    distribution: str


class KeyRow(NamedTuple):
    """A key of a kind: its dotted name, default as written (or ``required``), meaning."""

    key: str
    default: str
    meaning: str


def render_kinds(rows: Sequence[KindRow], console: Console) -> None:
    """A table of kinds."""
    page = Page(console)
    page.table([Column("kind", Kind.NAME), Column("what it is", Kind.NAME), Column("from", Kind.NAME)], rows)


def render_kind(kind: KindRow, text: Sequence[str], keys: Sequence[KeyRow], console: Console) -> None:
    """One kind: its description, a string a paragraph, and its keys."""
    page = Page(console)
    page.line((kind.name, "bold"), f" · from {kind.distribution}")
    for paragraph in (kind.what, *text):
        page.paragraph(paragraph)
    if keys:
        page.heading("Keys")
        page.table([Column("key", Kind.NAME), Column("default", Kind.NAME), Column("meaning", Kind.NAME)], keys)
        page.line()
        page.paragraph("Any quantity, count or number may be given at corners: {low: V, typical: V, high: V}.")


def render_networks(networks: Sequence[tuple[str, Network]], console: Console) -> None:
    """A table of networks by the name they are called by."""
    rows: list[list[Cell]] = [
        [name, str(len(network.layers)), _count(network.macs), _bytes(network.weight_bytes), str(network.input_shape)]
        for name, network in networks
    ]
    columns = [Column("network", Kind.NAME), *map(Column, ("layers", "MAC", "weights", "input"))]
    Page(console).table(columns, rows)


def render_network(name: str, network: Network, console: Console) -> None:
    """One network, layer by layer."""
    page = Page(console)
    total = f"{_count(network.macs)} MAC · {_bytes(network.weight_bytes)} of weights"
    page.line((name, "bold"), f" · input {network.input_shape} · {len(network.layers)} layers · {total}")
    rows: list[list[Cell]] = [
        [
            layer.name,
            layer.kind,
            " ".join(layer.reads),
            str(layer.out_shape),
            _count(layer.macs),
            _bytes(layer.weight_bytes),
        ]
        for layer in network.layers
    ]
    columns = [*(Column(header, Kind.NAME) for header in ("layer", "op", "reads")), *map(Column, ("output", "MAC"))]
    page.table([*columns, Column("weights")], rows)


def _count(number: int) -> str:
    """A count with a prefix and no unit, from 1000 on to three digits: ``12.5 M``."""
    return str(number) if number < 1000 else show(number, "").strip()


def _bytes(number: int) -> str:
    return f"{number} B" if number < 1000 else show(number, "B")
