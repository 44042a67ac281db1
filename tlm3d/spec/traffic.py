"""Traffic files: transfers without a workload, one a line of CSV, so that links can be studied alone.

The first line names the columns, in any order: initiator, after_ps, bytes, route and, where wanted, priority.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from tlm3d.errors import Problem, SpecError, did_you_mean, one_of
from tlm3d.spec.source import decoded, reading
from tlm3d.units import clip

REQUIRED = ("initiator", "after_ps", "bytes", "route")
COLUMNS = (*REQUIRED, "priority")
MAX_FILE_BYTES = 256 * 2**20
MAX_LINE_BYTES = 2**16
MAX_ROWS = 1_000_000
MAX_SHOWN = 100  # problems shown one by one
_MAX_NAMED = 30  # channels listed for an unknown name that is close to none
_BOUNDS = {"after_ps": (0, 10**18), "bytes": (1, 2**26), "priority": (0, 10**9)}
_MAX_NAME = 200
_CELL = re.compile(r'[ \t]*"((?:[^"]|"")*)"[ \t]*(?=,|$)|([^,]*)')


class TrafficRow(NamedTuple):
    """One transfer: posted ``after_ps`` after the previous one of its initiator has finished (the first: after 0)."""

    initiator: str
    after_ps: int
    n_bytes: int
    route: tuple[str, ...]
    priority: int


def read_traffic(path: str | Path, channels: Collection[str] | None) -> list[TrafficRow]:
    """The rows of a traffic file, in file order.

    ``channels`` are the names that a route may use; None where they are not known, and any name passes. Raises
    SpecError with every problem found; of more than 100 the rest is counted.
    """
    shown = str(path) or "''"
    with reading(path, "CSV"):
        if Path(path).stat().st_size > MAX_FILE_BYTES:
            message = f"larger than the {MAX_FILE_BYTES // 2**20} MiB that traffic may have"
            raise SpecError([Problem(shown, 0, 0, "", message)])
        with Path(path).open("rb") as file:
            return _Reader(shown, channels).rows(file)


class _Reader:
    """Goes through a file once, line by line; problems are collected, so that one go shows them all."""

    def __init__(self, file: str, channels: Collection[str] | None) -> None:
        self._file = file
        self._channels = channels
        self._found: list[Problem] = []
        self._more = 0
        self._routes: dict[str, tuple[str, ...]] = {}  # good ones, by their text: they repeat from row to row
        self._unknown: dict[str, str] = {}  # hints for unknown channels, by name
        self._line = 0
        self._text = ""

    def rows(self, file: BinaryIO) -> list[TrafficRow]:
        """All rows. Raises SpecError."""
        lines = self._lines(file)
        if next(lines, None) is None:
            raise SpecError(self._found or [Problem(self._file, 1, 1, "", _empty())])
        places = self._header()
        initiator_at, after_at, bytes_at, route_at = (places[name] for name in REQUIRED)
        priority_at = places.get("priority")
        rows: list[TrafficRow] = []
        for line in lines:
            cells = _cells(line)
            if len(cells) != len(places):
                self._count(cells, len(places))
                continue
            if len(rows) == MAX_ROWS:
                self._problem(0, "", f"more than {MAX_ROWS} rows")
                break
            rows.append(
                TrafficRow(
                    self._initiator(cells[initiator_at], initiator_at),
                    self._number(cells[after_at], after_at, "after_ps"),
                    self._number(cells[bytes_at], bytes_at, "bytes"),
                    self._routes.get(cells[route_at]) or self._route(cells[route_at], route_at),
                    0 if priority_at is None else self._priority(cells[priority_at], priority_at),
                )
            )
        if not rows and not self._found:
            self._found.append(Problem(self._file, self._line, 1, "", "expected at least one row below the header"))
        if self._more:
            self._found.append(Problem(self._file, 0, 0, "", f"{self._more} more problems"))
        if self._found:
            raise SpecError(self._found)
        return rows

    def _lines(self, file: BinaryIO) -> Iterator[str]:
        """Lines that are not blank; a line that is no text is a problem and is passed over."""
        size = 0
        while raw := file.readline(MAX_LINE_BYTES + 1):
            self._line += 1
            size += len(raw)
            if len(raw) > MAX_LINE_BYTES or size > MAX_FILE_BYTES:  # the latter: a pipe does not say its size before
                long = (
                    f"a line of more than {MAX_LINE_BYTES} bytes" if size <= MAX_FILE_BYTES else "the file is too large"
                )
                self._problem(0, "", long)
                return
            try:
                self._text = decoded(raw, self._file, self._line).rstrip("\r\n")
            except SpecError as error:
                self._add(error.problems[0])
                continue
            if self._text and not self._text.isspace():
                yield self._text

    def _header(self) -> dict[str, int]:
        """The place of every column. Raises SpecError: without columns no row can be read."""
        places: dict[str, int] = {}
        for place, name in enumerate(map(str.strip, _cells(self._text))):
            if name in places:
                self._problem(place, "", f"the column {clip(name)} stands twice")
            elif name not in COLUMNS:
                hint = did_you_mean(name, COLUMNS) or one_of(COLUMNS)
                self._problem(place, "", f"unknown column {clip(name)}{hint}")
            else:
                places[name] = place
        for name in REQUIRED:
            if name not in places:
                self._add(Problem(self._file, self._line, 1, "", f"missing column '{name}'"))
        if self._found:
            raise SpecError(sorted(self._found))
        return places

    def _count(self, cells: list[str], expected: int) -> None:
        place = min(expected, len(cells) - 1)
        self._problem(place, "", f"expected {expected} values, got {len(cells)}")

    def _initiator(self, cell: str, place: int) -> str:
        name = cell.strip()
        if not name:
            self._problem(place, "initiator", "expected a name, got nothing")
        elif len(name) > _MAX_NAME:
            self._problem(place, "initiator", f"expected a name of at most {_MAX_NAME} characters, got {clip(name)}")
        return name

    def _priority(self, cell: str, place: int) -> int:
        return self._number(cell, place, "priority") if cell.strip() else 0

    def _number(self, cell: str, place: int, column: str) -> int:
        text = cell.strip()
        least, most = _BOUNDS[column]
        if text.isascii() and text.isdigit():
            value = int(text) if len(text) < 20 else most + 1
            if least <= value <= most:
                return value
            bound = f"at least {least}" if value < least else f"at most {most}"
        else:
            bound = f"at least {least}"
        got = clip(text) if text else "nothing"
        self._problem(place, column, f"expected a whole number of {bound}, got {got}")
        return least

    def _route(self, cell: str, place: int) -> tuple[str, ...]:
        """The channels in ``cell``; remembered when it has no problems."""
        names = tuple(name.strip() for name in cell.split("|"))
        wrong = ""
        if not any(names):
            wrong = "expected names of channels joined by '|', got nothing"
        elif not all(names):
            wrong = f"expected names of channels joined by '|', got an empty one in {clip(cell.strip())}"
        if wrong:
            self._problem(place, "route", wrong)
            return names
        good = True
        for i, name in enumerate(names):
            if name in names[:i]:
                good = self._problem(place, "route", f"the channel {clip(name)} stands twice on the route")
            elif self._channels is not None and name not in self._channels:
                good = self._problem(place, "route", f"unknown channel {clip(name)}{self._hint(name)}")
        if good:
            self._routes[cell] = names
        return names

    def _hint(self, name: str) -> str:
        if name not in self._unknown:
            known = sorted(self._channels or ())
            hint = did_you_mean(name, known)
            self._unknown[name] = hint or (one_of(known) if len(known) <= _MAX_NAMED else "")
        return self._unknown[name]

    def _problem(self, place: int, column: str, message: str) -> bool:
        """Note a problem of the cell at ``place`` of the line being read. Always False."""
        self._add(Problem(self._file, self._line, _column(self._text, place), column, message))
        return False

    def _add(self, problem: Problem) -> None:
        if len(self._found) < MAX_SHOWN:
            self._found.append(problem)
        else:
            self._more += 1


def _empty() -> str:
    return f"the file is empty, expected a line with the columns {','.join(REQUIRED)}"


def _cells(line: str) -> list[str]:
    """The values of one line; a quoted one may hold commas, and a quote that is doubled."""
    if '"' not in line:
        return line.split(",")
    return [match[2] if match[1] is None else match[1].replace('""', '"') for match in _matches(line)]


def _column(line: str, place: int) -> int:
    """Where value number ``place`` of ``line`` begins, from 1, blanks left out."""
    start = next((match.start() for i, match in enumerate(_matches(line)) if i == place), 0)
    rest = line[start:]
    return start + 1 + len(rest) - len(rest.lstrip(" \t"))


def _matches(line: str) -> Iterator[re.Match[str]]:
    at = 0
    while at <= len(line):
        match = _CELL.match(line, at)
        assert match is not None  # an empty value matches too
        yield match
        at = match.end() + 1
