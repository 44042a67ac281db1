"""Tables of figures beside the tools: a name first, then whole numbers, under the names of their columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, TypeVar

Row = TypeVar("Row", bound=NamedTuple)


def read(path: Path, kind: type[Row]) -> list[Row]:
    """Raises OSError, or ValueError where it is no such table."""
    with path.open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    if tuple(head) != kind._fields:
        raise ValueError(f"{path.name}: expected the columns {', '.join(kind._fields)}")
    return [kind(name, *map(int, numbers)) for name, *numbers in rows]


def written(kind: type[Row], rows: Iterable[Row]) -> str:
    """As in the file."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([kind._fields, *rows])
    return text.getvalue()
