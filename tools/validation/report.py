"""The comparison for a terminal, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console

from tlm3d.reporters.page import Column, Kind, Page
from validation.row import FITTED, IDENTITY, PREDICTED, Row
from validation.study import Judged, Study, counts, mape

COLUMNS = [
    Column("network, layer", Kind.NAME),
    Column("published"),
    Column("model"),
    Column("error"),
    Column("left out"),
    Column("kind", Kind.NAME),
    Column("may be"),
    Column("ok", Kind.VERDICT),
]


def render(studies: Iterable[Study], console: Console) -> None:
    """A table a chip, set and quantity; then the rules of the chip."""
    page = Page(console)
    for study in studies:
        page.line()
        page.line((study.chip.name, "bold"))
        page.paragraph(study.platform)
        page.paragraph(summary(study))
        for series, rows in study.series():
            page.heading(f"{series}, {rows[0].unit}", averages(rows))
            page.table(COLUMNS, [cells(study, row) for row in rows])
        if study.rules:
            page.heading("Over several rows")
            columns = [Column("figure", Kind.NAME), Column("is"), Column("may be"), Column("ok", Kind.VERDICT)]
            page.table(columns, [rule_cells(rule) for rule in study.rules])
        if study.parameters:
            page.heading("Fitted parameters")
            columns = [
                Column("parameter", Kind.NAME),
                Column("value"),
                Column("least squares"),
                Column("fitted to", Kind.NAME),
            ]
            optimum = study.fit.optimum if study.fit else {}
            page.table(
                columns,
                [[one.path, one.value, optimum.get(one.path, ""), ", ".join(one.rows)] for one in study.parameters],
            )


def summary(study: Study) -> str:
    """``3 fitted parameters, 12 fitted, 20 predicted rows, 2 identities``."""
    found = counts(study.rows)
    parts = [several(len(study.parameters), "fitted parameter")]
    parts += [f"{found[kind]} {kind}" for kind in (FITTED, PREDICTED) if found[kind]]
    if found[IDENTITY]:
        parts.append(f"{found[IDENTITY]} by identity")
    return ", ".join(parts)


def averages(rows: Sequence[Row]) -> str:
    """``MAPE: fitted 3.1 %, predicted 7.0 %``."""
    shown = [f"{kind} {100 * value:.1f} %" for kind in (FITTED, PREDICTED) if (value := mape(rows, kind)) is not None]
    return f"MAPE: {', '.join(shown)}" if shown else ""


def cells(study: Study, row: Row) -> list[str]:
    """The row of a table, in the order of COLUMNS."""
    left_out = study.left_out(row)
    return [
        row.what,
        f"{row.published:.4g}",
        f"{row.modelled:.4g}",
        percent(row.error),
        "" if left_out is None else percent(left_out),
        row.kind,
        tolerance(row),
        verdict(row.ok),
    ]


def tolerance(row: Row) -> str:
    """``±10 %`` or ``±0.5 ms``."""
    if row.absolute is not None:
        return f"±{row.absolute:g} {row.unit}"
    return "" if row.tolerance is None else f"±{100 * row.tolerance:.3g} %"


def percent(error: float) -> str:
    """``+3.1 %``; what rounds to nothing has no sign."""
    shown = f"{100 * error:+.1f}"
    return f"{'0.0' if float(shown) == 0 else shown} %"


def rule_cells(rule: Judged) -> list[str]:
    return [rule.rule.what, rule.shown, rule.limit, verdict(rule.ok)]


def verdict(ok: bool | None) -> str:
    """``ok``, ``OVER``, or nothing where there is no tolerance."""
    return "" if ok is None else "ok" if ok else "OVER"


def dumps(studies: Iterable[Study]) -> str:
    """Everything as JSON text."""
    return json.dumps([_document(study) for study in studies], indent=2, ensure_ascii=False) + "\n"


def _document(study: Study) -> dict[str, Any]:
    return {
        "chip": study.chip.name,
        "platform": study.platform,
        "ok": study.ok,
        "rows": [_row(study, row) for row in study.rows],
        "series": [
            {"series": series, "fitted_mape": mape(rows, FITTED), "predicted_mape": mape(rows, PREDICTED)}
            for series, rows in study.series()
        ],
        "rules": [
            {
                "what": one.rule.what,
                "rows": one.rule.rows,
                "figure": one.rule.figure,
                "value": one.value,
                "at_most": one.rule.at_most,
                "count": one.rule.count,
                "ok": one.ok,
            }
            for one in study.rules
        ],
        "parameters": [
            {
                "path": one.path,
                "value": one.value,
                "rows": list(one.rows),
                "line": one.line,
                "least_squares": study.fit.optimum[one.path] if study.fit else None,
            }
            for one in study.parameters
        ],
    }


def _row(study: Study, row: Row) -> dict[str, Any]:
    return {
        "id": row.id,
        "what": row.what,
        "unit": row.unit,
        "published": row.published,
        "modelled": row.modelled,
        "error": row.error,
        "error_left_out": study.left_out(row),
        "kind": row.kind,
        "independent": row.independent,
        "source": row.source,
        "tolerance": row.tolerance,
        "absolute": row.absolute,
        "group": row.group,
        "ok": row.ok,
    }


def several(number: int, what: str) -> str:
    """``1 chip``, ``2 chips``."""
    return f"{number} {what}{'' if number == 1 else 's'}"
