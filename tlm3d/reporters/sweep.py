"""A sweep on a terminal, as CSV and as JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Console

from tlm3d.analysis.sweep import Crossing, Row, Spread, spreads
from tlm3d.reporters.page import Cell, Column, Kind, Page
from tlm3d.units import show_aj, show_nw, show_ps

_PLOT_NAME = 26
_MARK = {True: ("#", "|"), False: ("█", "┊")}  # by ascii: bar, deadline


def render(
    paths: Sequence[str], rows: Sequence[Row], crossings: Sequence[Crossing], expected: int, console: Console
) -> None:
    """A table of ``rows`` with the knee marked, and the worst response against its deadline as a plot.

    ``expected``: how many points there were to run; fewer rows are an interrupted sweep.
    """
    page = Page(console)
    met = sum(row.verdict == "met" for row in rows)
    failed = sum(bool(row.error) for row in rows)
    page.line(f"SWEEP: {len(rows)} of {expected} points, {met} MET" + (f", {failed} in error" if failed else ""))
    if len(rows) < expected:
        page.line("interrupted: the points below are those that were done")
    _table(page, paths, rows, [one.knee for one in crossings if one.knee is not None])
    for row in rows:
        if row.error:
            page.paragraph(f"{_name(row, rows)}: {row.error}")
    if paths:
        _knee_lines(page, paths, rows, crossings)
    _spread(page, paths, rows)
    _plot(page, rows)


def _table(page: Page, paths: Sequence[str], rows: Sequence[Row], knees: Sequence[int]) -> None:
    networks = sorted({name for row in rows for name in row.uj_per_inference})
    over = "over: power limits not kept; " if any(row.limits_missed for row in rows) else ""
    batteries = "; battery: the average at the battery" if _have_battery(rows) else ""
    page.heading("Points", f"{over}average, uJ (each network's own energy an inference): at the rail{batteries}")
    columns = [
        *(Column(path, Kind.NAME) for path in paths),
        Column("corner", Kind.NAME),
        Column("verdict", Kind.NAME),
        Column("missed"),
        Column("over"),
        Column("worst", Kind.NAME),  # these two are read as one: "worst response", "wake 174 ms"
        Column("response"),
        Column("average"),
        Column("battery"),
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
        energy = [_uj(row.uj_per_inference[name]) if name in row.uj_per_inference else "-" for name in networks]
        missed = f"{row.missed} ({100 * row.missed / row.judged:.1f} %)" if row.judged else "-"
        over_limits = str(row.limits_missed) if over else ""
        worst = [row.worst_task, _worst_response(row)]
        outcome = [row.verdict.upper(), missed, over_limits, *worst, show_nw(row.average_nw), _battery(row, rows)]
        cells.append([*point, *outcome, *energy, knee])
    hidden = page.table(columns, cells)
    if hidden:
        page.paragraph(f"not shown for want of room: {', '.join(hidden)} (in --csv and --json)")


def _uj(energy: float) -> str:
    """Three digits, and all of those before the point: a column has one unit, and powers of ten do not compare."""
    return f"{energy:.0f}" if energy >= 999.5 else f"{energy:.3g}"


def _have_battery(rows: Sequence[Row]) -> bool:
    """Whether some platform has a supply."""
    return any(row.battery_aj is not None for row in rows)


def _battery(row: Row, rows: Sequence[Row]) -> str:
    """The average at the battery; nothing where no platform has a supply."""
    if row.battery_average_nw is None:
        return "-" if _have_battery(rows) else ""
    return show_nw(row.battery_average_nw)


def _worst_response(row: Row) -> str:
    """The largest response of the task nearest to its deadline, or beyond it most."""
    if row.worst_task == "-":
        return "-"
    return ("≥" if row.worst_is_bound else "") + show_ps(row.worst_response_ps)


def _knee_lines(page: Page, paths: Sequence[str], rows: Sequence[Row], crossings: Sequence[Crossing]) -> None:
    if not crossings:
        page.line(" no knee: nothing ran")
    # Knees in the order of the points, then where there are none.
    for one in sorted(crossings, key=lambda one: (one.knee is None, one.rows[0] if one.knee is None else one.knee)):
        row = rows[one.rows[0] if one.knee is None else one.knee]
        others = [i for i in range(len(paths)) if i != one.by]
        fixed = "".join(f" with {paths[i]} = {row.values[i]}" for i in others if _alike(rows, one, i))
        paired = "".join(f" with {paths[i]} = {row.values[i]}" for i in others if not _alike(rows, one, i))
        at = f" at the {row.corner} corner" if _tells_corners(rows) else ""
        if one.knee is None:
            page.paragraph(f"no knee{fixed}{at}: {one.why_none}")
        else:
            start = f"{paths[one.by]} = {row.values[one.by]}{paired}"
            page.paragraph(f"knee: from {start} up every tried value is MET{fixed}{at}")


def _alike(rows: Sequence[Row], crossing: Crossing, parameter: int) -> bool:
    """Whether all rows of ``crossing`` have the same value of ``parameter``: where values are paired they have not."""
    return len({rows[index].values[parameter] for index in crossing.rows}) == 1


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
            ("average power at the rail", spread.average_nw, show_nw),
            ("energy at the rail", spread.total_aj, show_aj),
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


def document(paths: Sequence[str], rows: Sequence[Row], crossings: Sequence[Crossing], expected: int) -> dict[str, Any]:
    """The sweep as plain data; integers carry their unit in the name."""
    return {
        "paths": list(paths),
        "points": expected,
        "knees": [
            {**dict(zip(paths, rows[index].values, strict=True)), "corner": rows[index].corner}
            for index in sorted(one.knee for one in crossings if one.knee is not None)
        ],
        "rows": [_row(paths, row) for row in rows],
        "spreads": [_spread_document(paths, spread) for spread in spreads(rows)],
    }


def dumps(paths: Sequence[str], rows: Sequence[Row], crossings: Sequence[Crossing], expected: int) -> str:
    """The sweep as JSON text that ends with a newline."""
    return json.dumps(document(paths, rows, crossings, expected), indent=2, allow_nan=False) + "\n"


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
        "worst_is_bound": row.worst_is_bound,
        "average_nw": row.average_nw,
        "total_aj": row.total_aj,
        "battery_average_nw": row.battery_average_nw,
        "battery_aj": row.battery_aj,
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
        "worst_is_bound",
        "average_nw",
        "total_aj",
    ]
    if _have_battery(rows):
        outcome += ["battery_average_nw", "battery_aj"]
    writer.writerow([*paths, "corner", *outcome, *(f"uj_per_inference_{name}" for name in networks), "error"])
    for row in rows:
        numbers: list[object] = [""] * (len(outcome) + len(networks))
        if not row.error:
            numbers = [getattr(row, name) for name in outcome]
            numbers[outcome.index("worst_is_bound")] = "true" if row.worst_is_bound else "false"
            numbers += [row.uj_per_inference.get(name, "") for name in networks]
        writer.writerow([*row.values, row.corner, *numbers, row.error])
    return out.getvalue()
