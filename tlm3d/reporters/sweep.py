"""A sweep on a terminal, as CSV and as JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Console

from tlm3d.analysis.sweep import Row, Spread, spreads
from tlm3d.reporters.page import Cell, Column, Kind, Page
from tlm3d.units import show_aj, show_nw, show_ps

_PLOT_NAME = 26
_MARK = {True: ("#", "|"), False: ("█", "┊")}  # by ascii: bar, deadline


def render(paths: Sequence[str], rows: Sequence[Row], knees: Sequence[int], expected: int, console: Console) -> None:
    """A table of ``rows`` with the knee marked, and the worst response against its deadline as a plot.

    ``expected``: how many points there were to run; fewer rows are an interrupted sweep.
    """
    page = Page(console)
    met = sum(row.verdict == "met" for row in rows)
    failed = sum(bool(row.error) for row in rows)
    page.line(f"SWEEP: {len(rows)} of {expected} points, {met} MET" + (f", {failed} in error" if failed else ""))
    if len(rows) < expected:
        page.line("interrupted: the points below are those that were done")
    _table(page, paths, rows, knees)
    for row in rows:
        if row.error:
            page.paragraph(f"{_name(row, rows)}: {row.error}")
    if paths:
        _knee_lines(page, paths, rows, knees)
    _spread(page, paths, rows)
    _plot(page, rows)


def _table(page: Page, paths: Sequence[str], rows: Sequence[Row], knees: Sequence[int]) -> None:
    networks = sorted({name for row in rows for name in row.uj_per_inference})
    over = "over: power limits not kept; " if any(row.limits_missed for row in rows) else ""
    page.heading("Points", f"{over}uJ: each network's own energy an inference")
    columns = [
        *(Column(path, Kind.NAME) for path in paths),
        Column("corner", Kind.NAME),
        Column("verdict", Kind.NAME),
        Column("missed"),
        Column("%", optional=True),
        Column("over"),
        Column("worst response"),
        Column("of task", Kind.NAME, optional=True),
        Column("average"),
        *(Column(f"uJ {name}", optional=index > 0) for index, name in enumerate(networks)),
        Column("", Kind.NAME),
    ]
    cells: list[list[Cell]] = []
    for index, row in enumerate(rows):
        knee = "<- knee" if index in knees else ""
        point = [*row.values, row.corner if _tells_corners(rows) else ""]
        if row.error:
            cells.append([*point, "ERROR", *[""] * (6 + len(networks)), ""])
            continue
        energy = [f"{row.uj_per_inference[name]:.3g}" if name in row.uj_per_inference else "-" for name in networks]
        share = f"{100 * row.missed / row.judged:.1f}" if row.judged else "-"
        worst = show_ps(row.worst_response_ps) if row.worst_task != "-" else "-"
        missed = [row.verdict.upper(), str(row.missed), share, str(row.limits_missed) if over else ""]
        outcome = [*missed, worst, row.worst_task, show_nw(row.average_nw)]
        cells.append([*point, *outcome, *energy, knee])
    page.table(columns, cells)


def _knee_lines(page: Page, paths: Sequence[str], rows: Sequence[Row], knees: Sequence[int]) -> None:
    if not knees:
        page.line(" no knee: every tried value is MET, or the largest is not")
    for index in knees:
        at = f" at the {rows[index].corner} corner" if _tells_corners(rows) else ""
        rest = "".join(f" with {path} = {value}" for path, value in zip(paths[1:], rows[index].values[1:], strict=True))
        page.paragraph(f"knee: from {paths[0]} = {rows[index].values[0]} up every tried value is MET{rest}{at}")


def _tells_corners(rows: Sequence[Row]) -> bool:
    """Whether the corner of a row is worth saying: it is not where all are typical."""
    return any(row.corner != "typical" for row in rows)


def _name(row: Row, rows: Sequence[Row]) -> str:
    """A point in one line: its values, and its corner where ``rows`` have several."""
    return ", ".join([*row.values, row.corner] if _tells_corners(rows) or not row.values else row.values)


def _spread(page: Page, paths: Sequence[str], rows: Sequence[Row]) -> None:
    """The worst response, average power and energy of every point, a column a corner."""
    found = spreads(rows)
    if not found:
        return
    corners = list(dict.fromkeys(row.corner for row in rows))
    page.heading("Spread over the corners")
    cells: list[list[Cell]] = []
    for spread in found:
        names: Sequence[str] = spread.values
        quantities: tuple[tuple[str, Mapping[str, float], Callable[[float], str]], ...] = (
            ("worst response", spread.worst_response_ps, show_ps),
            ("average power", spread.average_nw, show_nw),
            ("energy", spread.total_aj, show_aj),
        )
        for what, by_corner, show in quantities:
            shown = [show(by_corner[corner]) if corner in by_corner else "-" for corner in corners]
            cells.append([*names, what, *shown, _ratio(by_corner.get(corners[0]), by_corner.get(corners[-1]))])
            names = [""] * len(paths)
    numbers = [Column(name) for name in (*corners, f"{corners[-1]}/{corners[0]}")]
    page.table([*(Column(path, Kind.NAME) for path in paths), Column("", Kind.NAME), *numbers], cells)


def _ratio(first: float | None, last: float | None) -> str:
    """``x1.25``: how many times ``first`` the ``last`` is."""
    return f"x{last / first:.2f}" if first and last is not None else "-"


def _plot(page: Page, rows: Sequence[Row]) -> None:
    """The largest response over its deadline, one bar a point; the mark is the deadline."""
    shares = [row.worst_share for row in rows if not row.error]
    if not shares or max(shares) <= 0:
        return
    bar, mark = _MARK[page.ascii]
    page.heading("Worst response over its deadline", f"{mark} is the deadline")
    width = page.width - _PLOT_NAME - 8
    top = max(1.0, *shares)
    at = min(width - 1, round(width / top))
    for row in rows:
        if row.error:
            continue
        filled = max(1, round(width * row.worst_share / top))
        cells = [bar if i < filled else " " for i in range(width)]
        if filled <= at:
            cells[at] = mark
        name = _name(row, rows)
        page.line(f" {name[:_PLOT_NAME]:{_PLOT_NAME}} {row.worst_share:5.2f} {''.join(cells)}")


def document(paths: Sequence[str], rows: Sequence[Row], knees: Sequence[int], expected: int) -> dict[str, Any]:
    """The sweep as plain data; integers carry their unit in the name."""
    return {
        "paths": list(paths),
        "points": expected,
        "knees": [
            {**dict(zip(paths, rows[index].values, strict=True)), "corner": rows[index].corner} for index in knees
        ],
        "rows": [_row(paths, row) for row in rows],
        "spreads": [_spread_document(paths, spread) for spread in spreads(rows)],
    }


def dumps(paths: Sequence[str], rows: Sequence[Row], knees: Sequence[int], expected: int) -> str:
    """The sweep as JSON text that ends with a newline."""
    return json.dumps(document(paths, rows, knees, expected), indent=2, allow_nan=False) + "\n"


def _spread_document(paths: Sequence[str], spread: Spread) -> dict[str, Any]:
    return {
        "values": dict(zip(paths, spread.values, strict=True)),
        "worst_response_ps": spread.worst_response_ps,
        "average_nw": spread.average_nw,
        "total_aj": spread.total_aj,
    }


def _row(paths: Sequence[str], row: Row) -> dict[str, Any]:
    values = {"values": dict(zip(paths, row.values, strict=True)), "corner": row.corner}
    if row.error:
        return values | {"error": row.error}
    return values | {
        "verdict": row.verdict,
        "judged": row.judged,
        "missed": row.missed,
        "limits_missed": row.limits_missed,
        "worst_response_ps": row.worst_response_ps,
        "worst_task": row.worst_task,
        "average_nw": row.average_nw,
        "total_aj": row.total_aj,
        "uj_per_inference": dict(sorted(row.uj_per_inference.items())),
    }


def csv_text(paths: Sequence[str], rows: Sequence[Row]) -> str:
    """One line a point; energy an inference has a column a network task."""
    networks = sorted({name for row in rows for name in row.uj_per_inference})
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    outcome = [
        "verdict",
        "judged",
        "missed",
        "limits_missed",
        "worst_response_ps",
        "worst_task",
        "average_nw",
        "total_aj",
    ]
    writer.writerow([*paths, "corner", *outcome, *(f"uj_per_inference_{name}" for name in networks), "error"])
    for row in rows:
        numbers: list[object] = [""] * (len(outcome) + len(networks))
        if not row.error:
            numbers = [getattr(row, name) for name in outcome]
            numbers += [row.uj_per_inference.get(name, "") for name in networks]
        writer.writerow([*row.values, row.corner, *numbers, row.error])
    return out.getvalue()
