"""The parameters of a platform that were fitted, and to which rows of published figures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from rich.console import Console

from tlm3d.reporters.page import Column, Kind, Page


class FittedRow(NamedTuple):
    """A fitted parameter: path, value with unit as written, globs of the rows it was fitted to, line of the file."""

    path: str
    value: str
    rows: tuple[str, ...]
    line: int


def render(platform: str, parameters: Sequence[FittedRow], console: Console) -> None:
    """A table of ``parameters``, or that there are none."""
    page = Page(console)
    count = f"{len(parameters)} fitted parameter{'' if len(parameters) == 1 else 's'}"
    page.line((platform, "bold"), f" · {count if parameters else 'no parameter is fitted'}")
    if parameters:
        page.line()
        columns = [Column("parameter", Kind.NAME), Column("value"), Column("fitted to", Kind.NAME), Column("line")]
        page.table(columns, [[one.path, one.value, ", ".join(one.rows), str(one.line)] for one in parameters])


def dumps(parameters: Sequence[FittedRow]) -> str:
    """The same as JSON text."""
    return json.dumps([one._asdict() for one in parameters], indent=2, ensure_ascii=False) + "\n"
