"""A plan, for people and for programs."""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import groupby
from typing import Any

from rich.console import Console

from tlm3d.analysis.plan import PlanSheet, PlanSheetTask, PlanStep
from tlm3d.reporters.page import Cell, Column, Kind, Page
from tlm3d.reporters.share import percent
from tlm3d.units import show_aj, show_ps


def render(sheet: PlanSheet, console: Console) -> None:
    """Write what is foreseen of each task, and which block runs which of its stages and layers."""
    page = Page(console)
    late = sum(not task.is_in_time for task in sheet.tasks)
    foreseen = f"{late} of {len(sheet.tasks)} tasks late" if late else "every task in time"
    page.line((f"PLAN: {sheet.method}", "bold"), f" foresees {foreseen}")
    page.line(" · ".join((sheet.platform, sheet.workload, sheet.policy, f"{sheet.corner} corner")))
    remark = "of one job, beside the load of tasks planned before; over: its schedule over what none goes below"
    page.heading("Tasks", remark)
    columns = [Column("task", Kind.NAME), *map(Column, ("stages, layers", "response", "deadline", "%", "energy"))]
    columns += [Column("over %", of_detail=True), Column("proved", Kind.NAME), Column("", Kind.VERDICT)]
    page.table(columns, [_task(task) for task in sheet.tasks])
    page.heading("Places", "in the order of the job; times from its release")
    columns = [Column("task", Kind.NAME), Column("stages, layers", Kind.NAME), Column("count", optional=True)]
    columns += [Column("block", Kind.NAME), *map(Column, ("start", "finish", "energy"))]
    columns.append(Column("chosen of", of_detail=True))
    page.table(columns, [row for task in sheet.tasks for row in _places(task)])


def _task(task: PlanSheetTask) -> list[Cell]:
    times = (task.response_ps, task.deadline_ps)
    share = percent(task.response_ps, task.deadline_ps)
    over = percent(task.makespan_ps - task.least_ps, task.least_ps) if task.least_ps else "-"
    seen = [over, "best" if task.is_optimal else ""]
    verdict = "ok" if task.is_in_time else "LATE"
    return [task.name, str(len(task.steps)), *map(show_ps, times), share, show_aj(task.energy_aj), *seen, verdict]


def _places(task: PlanSheetTask) -> list[list[Cell]]:
    """One row for steps that follow one another on one block."""
    rows: list[list[Cell]] = []
    for (block, _), run in groupby(task.steps, key=lambda step: (step.block, step.options)):
        rows.append([task.name if not rows else "", *_row(block, list(run))])
    return rows


def _row(block: str, steps: list[PlanStep]) -> list[Cell]:
    names = steps[0].name if len(steps) == 1 else f"{steps[0].name} .. {steps[-1].name}"
    times = (min(step.start_ps for step in steps), max(step.finish_ps for step in steps))
    energy = show_aj(sum(step.energy_aj for step in steps))
    return [names, str(len(steps)), block, *map(show_ps, times), energy, str(steps[0].options)]


def document(sheet: PlanSheet) -> dict[str, Any]:
    """``sheet`` as plain dicts, in the order of docs/json.md."""
    return asdict(sheet)


def dumps(sheet: PlanSheet) -> str:
    """``document(sheet)`` as indented ASCII JSON text that ends with a newline."""
    return json.dumps(document(sheet), indent=2, allow_nan=False) + "\n"
