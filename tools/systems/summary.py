"""What came out for each kind of systems: a row each in a CSV file, and the table of docs/bounds.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from systems import KINDS
from systems.measure import Measured, Row

BEGIN, END = "<!-- tools/bound_tightness.py writes from here -->\n", "<!-- to here -->\n"
PERCENTS = (5, 25, 50, 75, 100)


class Summary(NamedTuple):
    """Of one kind. ``tasks``, of which ``bounded``; for ``reaction`` and ``age`` these are chains.

    ``contradicted``: simulated beyond the bound, or below the least. The rest: tightness in thousandths, rounded down,
    so that 1000 is a bound that was reached; -1 where there is none.
    """

    kind: str
    systems: int
    jobs: int
    tasks: int
    bounded: int
    contradicted: int
    p5: int
    p25: int
    p50: int
    p75: int
    p100: int


def nearest(ordered: Sequence[float], percent: int) -> float:
    """The quantile of the nearest rank."""
    return ordered[max(0, -(-percent * len(ordered) // 100) - 1)]


def summaries(by_kind: Mapping[str, Sequence[Measured]], one_processor: Sequence[str]) -> list[Summary]:
    """All kinds, then those of ``one_processor`` as one, then all as one, then what there is of chains."""
    everything = [system for systems in by_kind.values() for system in systems]
    few = [system for kind in one_processor for system in by_kind.get(kind, ())]
    found = [_summary(kind, systems) for kind, systems in by_kind.items()]
    found += [_summary("+".join(one_processor), few), _summary("all", everything)]
    return found + [_summary(what, everything, what) for what in ("reaction", "age")]


def _summary(kind: str, systems: Sequence[Measured], what: str = "response") -> Summary:
    rows = [row for system in systems for row in system.rows if row.what == what]
    ordered = sorted(map(_thousandths, (row for row in rows if row.tightness is not None)))
    return Summary(
        kind, len(systems), sum(system.jobs for system in systems), len(rows),
        sum(row.bound_ps is not None for row in rows), sum(len(row.violations()) for row in rows),
        *(int(nearest(ordered, percent)) if ordered else -1 for percent in PERCENTS),
    )  # fmt: skip


def _thousandths(row: Row) -> int:
    assert row.bound_ps
    return 1000 * row.longest_ps // row.bound_ps


def table(rows: Sequence[Summary]) -> str:
    """The table of the page, all of its figures from the data."""
    total = next(row for row in rows if row.kind == "all")
    lines = [
        f"Of {_grouped(total.systems)} systems, {_grouped(total.jobs)} simulated jobs:",
        "",
        "| kind | | systems | tasks | with a bound | contradicted | 5 % | 25 % | median | 75 % | largest |",
        "|---|---|" + "---:|" * 9,
    ]
    for row in rows:
        share = f"{100 * row.bounded // row.tasks} %" if row.tasks else "-"
        counts = [_grouped(row.systems), _grouped(row.tasks), share, _grouped(row.contradicted)]
        ratios = [f"{ratio / 1000:.3f}" if ratio >= 0 else "-" for ratio in row[-len(PERCENTS) :]]
        lines.append(f"| {' | '.join([_name(row.kind), _told(row.kind), *counts, *ratios])} |")
    return "\n".join(lines) + "\n"


def _grouped(number: int) -> str:
    return f"{number:,}".replace(",", " ")


def _name(kind: str) -> str:
    return " ".join(f"`{one}`" for one in kind.split("+")) if kind.split("+")[0] in KINDS else kind


def _told(kind: str) -> str:
    if kind in KINDS:
        return (KINDS[kind].__doc__ or "").partition("\n")[0].rstrip(".")
    return {"reaction": "of chains", "age": "of chains", "all": "every task"}.get(kind, "together")


def placed(page: str, text: str) -> str:
    """``page`` with ``text`` between its marks. Raises ValueError where they are not there."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("the page has no place for the table")
    return f"{before}{begin}\n{text}\n{end}{after}"
