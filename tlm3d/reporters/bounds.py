"""Bounds of responses, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from rich.console import Console

from tlm3d import __version__
from tlm3d.bounds.result import Bounds, ChainBound, Part, ServerDemand, TaskBound
from tlm3d.bounds.sensitivity import LIMIT, Edge, RateMargin, Sensitivity, TimeMargin
from tlm3d.bounds.verdict import Asked, Verdict, asked, asked_of_chain, verdict
from tlm3d.reporters.page import Cell, Column, Kind, Page
from tlm3d.reporters.share import percent
from tlm3d.units import show, show_ps

_COLOURS = {
    Verdict.GUARANTEED: "bold green",
    Verdict.NOT_GUARANTEED: "bold red",
    Verdict.NO_BOUND: "bold yellow",
}
_REASONS = 3
_PARTS = 5  # parts of a bound with a row of their own


def render(bounds: Bounds, sensitivity: Sensitivity | None, console: Console) -> None:
    """Write the verdict, the bounds beside the deadlines, what they are made of, and how far things may go."""
    page = Page(console)
    _headline(bounds, page)
    _tasks(bounds, page)
    _chains(bounds, page)
    _parts(bounds, page)
    _servers(bounds, page)
    if sensitivity is not None:
        _times(sensitivity.times, page)
        _rates(sensitivity.rates, page)
    _advice(bounds, sensitivity, page)


def _headline(bounds: Bounds, page: Page) -> None:
    found, wanted = verdict(bounds), asked(bounds)
    told = [
        f"{_name(one)} up to {_apart(one.bound_ps, one.most_ps)}"
        for one in wanted
        if one.bound_ps is not None and one.bound_ps > one.most_ps
    ]
    if len(told) > _REASONS:
        told[_REASONS:] = [f"and {len(told) - _REASONS} more"]
    dropped, unknown = _listed([one for one in wanted if one.drops]), _listed([o for o in wanted if o.bound_ps is None])
    told += [f"jobs of {dropped} may be dropped"] if dropped else []
    if unknown:
        told.append(f"of {unknown}" if found is Verdict.NO_BOUND else f"no bound of {unknown}")
    if found is Verdict.GUARANTEED:
        told = [f"every deadline of {_counted(len(bounds.tasks), 'task')} is kept, whatever happens"]
    page.line((f"BOUND: {found.value.replace('-', ' ').upper()}", _COLOURS[found]), " " + "; ".join(told))
    page.line(" · ".join((bounds.platform, bounds.workload, bounds.policy, f"{bounds.corner} corner")))


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _name(one: Asked) -> str:
    return one.name if one.what == "response" else f"{one.name} {one.what}"


def _listed(some: Sequence[Asked]) -> str:
    """The names of the first few, and how many more there are."""
    names = [_name(one) for one in some]
    rest = f" and {len(names) - _REASONS} more" if len(names) > _REASONS else ""
    return ", ".join(names[:_REASONS]) + rest


def _apart(bound_ps: int, most_ps: int) -> str:
    """A bound and what it is beyond of, with as many digits as tell them apart."""
    for digits in range(3, 16):
        shown = [show(time_ps / 10**12, "s", digits) for time_ps in (bound_ps, most_ps)]
        if shown[0] != shown[1]:
            break
    return " > ".join(shown)


def _tasks(bounds: Bounds, page: Page) -> None:
    page.heading("Tasks", "bound: no response is longer; least: none is shorter; %: of the deadline")
    columns = [Column("task", Kind.NAME), Column("least", optional=True)]
    columns += [*map(Column, ("bound", "deadline", "slack", "%")), Column("", Kind.VERDICT)]
    page.table(columns, [_task_row(task) for task in bounds.tasks.values()])
    for line in missing((task.task, task.reason) for task in bounds.tasks.values() if task.bound_ps is None):
        page.paragraph(line)
    for task in bounds.tasks.values():
        if task.drops:
            page.paragraph(f"{task.task}: {task.drops}")


def _task_row(task: TaskBound) -> list[Cell]:
    head: list[Cell] = [task.task, show_ps(task.best_ps)]
    if task.bound_ps is None:
        return [*head, "none", show_ps(task.deadline_ps), "-", "-", ""]
    slack_ps = task.deadline_ps - task.bound_ps
    times = [show_ps(task.bound_ps), show_ps(task.deadline_ps), show_ps(slack_ps)]
    verdict_ = "OVER" if slack_ps < 0 else "drops" if task.drops else "ok"
    return [*head, *times, percent(task.bound_ps, task.deadline_ps), verdict_]


def missing(reasons: Iterable[tuple[str, str]]) -> list[str]:
    """Sentences on tasks or chains (the first of each pair) without a bound; those of one reason share one."""
    grouped: dict[str, list[str]] = {}
    for name, reason in reasons:
        grouped.setdefault(reason, []).append(name)
    return [f"no bound of {', '.join(names)}: {reason}" for reason, names in grouped.items()]


def _chains(bounds: Bounds, page: Page) -> None:
    if not bounds.chains:
        return
    page.heading("Chains", "reaction: release to the first output with its data or newer; age: until it is replaced")
    columns = [Column("chain", Kind.NAME), Column("", Kind.NAME)]
    columns += [*map(Column, ("bound", "asked for", "slack", "%")), Column("", Kind.VERDICT)]
    rows: list[list[Cell]] = []
    for chain in bounds.chains.values():
        rows.append([chain.chain, "reaction", *_delay_cells(chain.reaction_ps, chain.deadline_ps)])
        rows.append(["", "data age", *_delay_cells(chain.age_ps, chain.max_age_ps)])
    page.table(columns, rows)
    for line in missing(_unbounded(chain) for chain in bounds.chains.values() if chain.reason):
        page.paragraph(line)


def _unbounded(chain: ChainBound) -> tuple[str, str]:
    """What of a chain has no bound, and why."""
    what = "" if chain.reaction_ps is None else " data age"
    return chain.chain + what, chain.reason


def _delay_cells(bound_ps: int | None, most_ps: int | None) -> list[Cell]:
    shown = ["none" if bound_ps is None else show_ps(bound_ps), "-" if most_ps is None else show_ps(most_ps)]
    if bound_ps is None or most_ps is None:
        return [*shown, "-", "-", ""]
    return [*shown, show_ps(most_ps - bound_ps), percent(bound_ps, most_ps), "ok" if bound_ps <= most_ps else "OVER"]


def _parts(bounds: Bounds, page: Page) -> None:
    rows = [row for task in bounds.tasks.values() for row in _part_rows(task)]
    if not rows:
        return
    page.heading(
        "What the bounds are made of",
        "work: its own; blocking: less urgent work that had begun; interference: all else",
    )
    columns = [Column("task", Kind.NAME), Column("part", Kind.NAME), Column("where", Kind.NAME)]
    columns += [Column("time"), Column("%", of_detail=True)]
    page.table([*columns, *map(Column, ("work", "blocking", "interference"))], rows)


def _part_rows(task: TaskBound) -> list[list[Cell]]:
    """The largest parts of a bound, in their order; the rest in one row."""
    if not task.bound_ps:
        return []
    parts = [part for part in _merged(task.parts) if part.ps]
    if len(parts) > _PARTS + 1:
        largest = sorted(parts, key=lambda part: -part.ps)[:_PARTS]
        shown = [part for part in parts if part in largest]
        rest = [part for part in parts if part not in largest]
        parts = [*shown, _sum(f"{len(rest)} more", "", rest)]
    rows: list[list[Cell]] = []
    for part in parts:
        shares = (part.work_ps, part.blocking_ps, part.interference_ps)
        cells = [show_ps(part.ps), percent(part.ps, task.bound_ps), *("-" if not ps else show_ps(ps) for ps in shares)]
        rows.append(["" if rows else task.task, part.what, part.where, *cells])
    return rows


def _merged(parts: Sequence[Part]) -> list[Part]:
    """One part for all of the same name at the same place, where the first of them was."""
    grouped: dict[tuple[str, str], list[Part]] = {}
    for part in parts:
        grouped.setdefault((part.what, part.where), []).append(part)
    return [_sum(*key, group) for key, group in grouped.items()]


def _sum(what: str, where: str, parts: Sequence[Part]) -> Part:
    times = zip(*((part.ps, part.work_ps, part.blocking_ps, part.interference_ps) for part in parts), strict=True)
    return Part(what, where, *map(sum, times))


def _servers(bounds: Bounds, page: Page) -> None:
    if not bounds.servers:
        return
    page.heading("Utilisation", "of processors and blocks at worst, in the long run; busiest first")
    rows: list[list[Cell]] = []
    for name, share in sorted(bounds.servers.items(), key=lambda item: (-item[1], item[0])):
        verdict_ = "OVER" if share > 1 else ""
        row: list[Cell] = [name, percent(share.numerator, share.denominator), min(1.0, float(share)), verdict_]
        rows.append([*row, _demand(bounds.demands.get(name))] if bounds.demands else row)
    columns = [Column("server", Kind.NAME), Column("%"), Column("", Kind.BAR, optional=True), Column("", Kind.VERDICT)]
    page.table([*columns, Column("all deadlines, by demand", Kind.NAME)] if bounds.demands else columns, rows)


def _demand(found: ServerDemand | None) -> str:
    if found is None:
        return "-"
    if found.kept:
        return "kept"
    return "too much in the long run" if found.at_ps is None else f"too much due within {show_ps(found.at_ps)}"


def _times(times: Sequence[TimeMargin], page: Page) -> None:
    page.heading("How much longer may it compute", "one task on one block at a time, all bounds kept; of one job there")
    columns = [Column("task", Kind.NAME), Column("block", Kind.NAME), *map(Column, ("now", "at most", "factor"))]
    rows: list[list[Cell]] = []
    for margin in times:
        most = "none" if margin.most_ps is None else show_ps(margin.most_ps)
        if margin.edge is not None and margin.edge.beyond is None:
            most = "≥" + most
        factor = _factor(margin.edge, margin.edge.value if margin.edge else None, "≥")
        rows.append([margin.task, margin.block, show_ps(margin.time_ps), most, factor, ", ".join(margin.first)])
    page.table([*columns, Column("else no longer kept", Kind.NAME)], rows)
    _unmatched(any(margin.edge is None for margin in times), f"down to a {LIMIT}th of the time", page)


def _rates(rates: Sequence[RateMargin], page: Page) -> None:
    if not rates:
        return
    lane = "; of a lane, where a link has several" if any(margin.each_lane for margin in rates) else ""
    page.heading("How much slower may a link be", f"one at a time, all bounds kept{lane}")
    columns = [Column("link", Kind.NAME), *map(Column, ("now", "at least", "factor"))]
    rows: list[list[Cell]] = []
    for margin in rates:
        edge = margin.edge
        enough = "none" if edge is None else show(float(edge.value), "bit/s")
        if edge is not None and edge.beyond is None:
            enough = "≤" + enough
        factor = _factor(edge, edge.value / margin.rate_bps if edge else None, "≤")
        rows.append([margin.link, show(float(margin.rate_bps), "bit/s"), enough, factor, ", ".join(margin.first)])
    page.table([*columns, Column("else no longer kept", Kind.NAME)], rows)
    _unmatched(any(margin.edge is None for margin in rates), f"up to {LIMIT} times the rate", page)


def _advice(bounds: Bounds, sensitivity: Sensitivity | None, page: Page) -> None:
    """What can be done where not all is guaranteed."""
    if verdict(bounds) is Verdict.GUARANTEED:
        return
    page.heading("What to do")
    wanted = asked(bounds)
    full = [name for name, share in bounds.servers.items() if share > 1]
    if full:
        rest = f" and {len(full) - _REASONS} more" if len(full) > _REASONS else ""
        there = ", ".join(sorted(full)[:_REASONS]) + rest
        page.paragraph(f"- give {there} less to do: more is asked there at worst than there is time, in any order")
    if any(one.bound_ps is not None and one.bound_ps > one.most_ps for one in wanted):
        page.paragraph("- shorten the largest parts above; a bound that is beyond does not say that any job is late")
    if any(one.drops for one in wanted):
        page.paragraph("- let more jobs wait (backlog), or bring responses below the period")
    if any(one.bound_ps is None for one in wanted):
        page.paragraph("- docs/bounds.md explains each reason why there is no bound")
    if sensitivity is None:
        page.paragraph("- --sensitivity looks for the one computing time or rate that would do")
    page.paragraph("- tlm3d run --bounds shows how close a simulation comes")


def _factor(edge: Edge | None, factor: Fraction | None, limit: str) -> str:
    if edge is None or factor is None:
        return "-"
    shown = f"{float(factor):#.3g}".removesuffix(".") if factor < 1000 else f"{float(factor):.0f}"
    return f"{'' if edge.beyond else limit}x{shown}"


def _unmatched(is_any: bool, tried: str, page: Page) -> None:
    if is_any:
        page.paragraph(f"none: nothing {tried} alone makes every bound kept")


# ------------------------------------------------------------ for programs


def document(bounds: Bounds) -> dict[str, Any]:
    """``bounds`` as plain values, in the order of docs/json.md."""
    return {
        "verdict": str(verdict(bounds)),
        "platform": bounds.platform,
        "workload": bounds.workload,
        "policy": bounds.policy,
        "corner": bounds.corner,
        "tasks": {name: _task(task) for name, task in sorted(bounds.tasks.items())},
        "chains": {name: _chain(chain) for name, chain in sorted(bounds.chains.items())},
        "servers": {name: _server(bounds, name) for name in sorted(bounds.servers)},
    }


def _server(bounds: Bounds, name: str) -> dict[str, Any]:
    demand = bounds.demands.get(name)
    return {
        "utilisation": float(bounds.servers[name]),
        "demand_kept": None if demand is None else demand.kept,
        "demand_at_ps": None if demand is None else demand.at_ps,
    }


def dumps(bounds: Bounds, sensitivity: Sensitivity | None) -> str:
    """The bounds, and the margins where they were asked for, as indented ASCII JSON text that ends with a newline."""
    told = {"version": __version__, **document(bounds)}
    told["sensitivity"] = None if sensitivity is None else _sensitivity(sensitivity)
    return json.dumps(told, indent=2, allow_nan=False) + "\n"


def _task(task: TaskBound) -> dict[str, Any]:
    return {
        "deadline_ps": task.deadline_ps,
        "bound_ps": task.bound_ps,
        "slack_ps": None if task.bound_ps is None else task.deadline_ps - task.bound_ps,
        "met": task.met,
        "reason": task.reason or None,
        "drops": task.drops or None,
        "best_ps": task.best_ps,
        "parts": [
            {
                "what": part.what,
                "where": part.where,
                "time_ps": part.ps,
                "work_ps": part.work_ps,
                "blocking_ps": part.blocking_ps,
                "interference_ps": part.interference_ps,
            }
            for part in task.parts
        ],
    }


def _chain(chain: ChainBound) -> dict[str, Any]:
    met = [one.met for one in asked_of_chain(chain)]
    return {
        "reaction_ps": chain.reaction_ps,
        "deadline_ps": chain.deadline_ps,
        "age_ps": chain.age_ps,
        "max_age_ps": chain.max_age_ps,
        "met": False if False in met else None if None in met or not met else True,
        "reason": chain.reason or None,
    }


def _sensitivity(found: Sensitivity) -> dict[str, Any]:
    return {
        "limit": LIMIT,
        "times": [
            {
                "task": margin.task,
                "block": margin.block,
                "time_ps": margin.time_ps,
                "most_ps": margin.most_ps,
                "factor": _number(margin.edge.value if margin.edge else None),
                "beyond": _number(margin.edge.beyond if margin.edge else None),
                "first": list(margin.first),
            }
            for margin in found.times
        ],
        "rates": [
            {
                "link": margin.link,
                "each_lane": margin.each_lane,
                "rate_bps": _number(margin.rate_bps),
                "least_bps": _number(margin.edge.value if margin.edge else None),
                "beyond_bps": _number(margin.edge.beyond if margin.edge else None),
                "first": list(margin.first),
            }
            for margin in found.rates
        ],
    }


def _number(value: Fraction | None) -> int | float | None:
    """An integer where it is one."""
    return None if value is None else value.numerator if value.denominator == 1 else float(value)
