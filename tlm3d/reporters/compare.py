"""Several platforms side by side on a terminal and as JSON: what one workload comes to on each, and what differs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.cells import cell_len
from rich.console import Console

from tlm3d.analysis.compare import NOT_RUN, Inference, Outcome
from tlm3d.analysis.result import LimitResult, TaskResult, Verdict
from tlm3d.reporters.page import Cell, Column, Kind, Page
from tlm3d.units import show, show_aj, show_nw, show_ps

if TYPE_CHECKING:
    from tlm3d.spec.changes import Change, Changes

_LONGEST_LABEL = 17  # a longer platform name is a number in the heads of columns
_ROWS = 24  # of moved parts, and of changed values, shown of one platform
_NAMES = 8  # parts named in one line of what changed
_MET = {True: "ok", False: "OVER", None: "unjudged"}
_AJ_PER_UJ = 10**12


class _Number(NamedTuple):
    """What a cell says, and the size by which it is held against the first platform's (None: it is not)."""

    text: str
    size: float | None = None


class _Row(NamedTuple):
    name: str
    cells: list[_Number]


class _Section(NamedTuple):
    title: str
    remark: str
    rows: list[_Row]


_NOTHING = _Number("-")


def render(outcomes: Sequence[Outcome], changes: Sequence[Changes], console: Console) -> None:
    """Write the comparison of ``outcomes``; ``changes`` are those of each platform after the first."""
    page = Page(console)
    labels = [page.clean(label) for label in _labels(outcomes)]
    _headline(page, outcomes, labels)
    sections = [_deadlines(outcomes), _power(outcomes), _inferences(outcomes), _energy(outcomes), _efficiency(outcomes)]
    _tables(page, labels, [section for section in sections if section.rows])
    for label, changed in zip(labels[1:], changes, strict=True):
        _changes(page, labels[0], label, changed)


def _labels(outcomes: Sequence[Outcome]) -> list[str]:
    """The name of each platform, or its number where a name is long or two are the same."""
    names = [outcome.platform for outcome in outcomes]
    if len(set(names)) == len(names) and max(map(cell_len, names)) <= _LONGEST_LABEL:
        return names
    return [f"#{number}" for number in range(1, len(names) + 1)]


def _headline(page: Page, outcomes: Sequence[Outcome], labels: Sequence[str]) -> None:
    ran = [outcome for outcome in outcomes if not outcome.error]
    counts = [(verdict.name, sum(outcome.verdict == verdict.value for outcome in ran)) for verdict in Verdict]
    stopped = sum(outcome.error == NOT_RUN for outcome in outcomes)
    counts += [("in error", len(outcomes) - len(ran) - stopped), ("not run", stopped)]
    told = ", ".join(f"{count} {name}" for name, count in counts if count)
    page.line(f"COMPARE: {len(outcomes)} platforms: {told}")
    if ran:
        one = ran[0]
        page.line(" · ".join((one.workload, one.policy, show_ps(one.horizon_ps), f"seed {one.seed}")))
    page.heading("Platforms", "factors are against the first")
    rows: list[list[Cell]] = [
        [label, outcome.platform if outcome.platform != label else "", outcome.file]
        for label, outcome in zip(labels, outcomes, strict=True)
    ]
    page.table([Column("", Kind.NAME), Column("name", Kind.NAME), Column("file", Kind.NAME)], rows)
    for label, outcome in zip(labels, outcomes, strict=True):
        if outcome.error:
            page.paragraph(f"{label}: {'' if outcome.error == NOT_RUN else 'ERROR '}{outcome.error}")
        elif outcome.verdict != Verdict.MET.value:
            page.paragraph(f"{label}: {outcome.verdict.upper()} {'; '.join(outcome.reasons)}")


def _tables(page: Page, labels: Sequence[str], sections: Sequence[_Section]) -> None:
    """All sections with columns of one width; where not all platforms fit, in groups that begin with the first one."""
    texts = [[_factored(row) for row in section.rows] for section in sections]
    names = max(cell_len(row.name) for section in sections for row in section.rows)
    every = [row for rows in texts for row in rows]
    factors = [max(cell_len(row[i][1]) for row in every) for i in range(len(labels))]
    widths = [
        max(cell_len(label), max(cell_len(row[i][0]) for row in every) + (factors[i] + 1 if factors[i] else 0))
        for i, label in enumerate(labels)
    ]
    for group in _groups(widths, page.width - 2 - names):
        columns = [Column("", Kind.NAME), *(Column(" " * (widths[i] - cell_len(labels[i])) + labels[i]) for i in group)]
        for section, rows in zip(sections, texts, strict=True):
            page.heading(section.title, section.remark)
            cells: list[list[Cell]] = []
            for row, shown in zip(section.rows, rows, strict=True):
                cells.append([row.name.ljust(names), *(_padded(*shown[i], factors[i]) for i in group)])
            page.table(columns, cells)


def _padded(text: str, factor: str, width: int) -> str:
    return f"{text} {factor:{width}}" if width else text


def _groups(widths: Sequence[int], room: int) -> list[list[int]]:
    """Places of the columns of each table: the first in all of them, and as many others as ``room`` holds."""
    groups: list[list[int]] = []
    used = room + 1
    for i in range(1, len(widths)):
        if used + 1 + widths[i] > room:
            groups.append([0])
            used = widths[0] + 1
        groups[-1].append(i)
        used += 1 + widths[i]
    return groups


def _factored(row: _Row) -> list[tuple[str, str]]:
    """The cells of a row, each with its factor against the first one ("" where there is none)."""
    first = row.cells[0].size
    return [(cell.text, _factor(first, cell.size) if i else "") for i, cell in enumerate(row.cells)]


def _factor(base: float | None, size: float | None) -> str:
    """``×1.42``; ``=`` for the same number, and nothing where there is nothing to divide by."""
    if base is None or size is None:
        return ""
    if size == base:
        return "="
    if base <= 0 or size <= 0:
        return ""
    ratio = size / base
    if ratio < 0.005:
        return "×<0.01"
    return f"×{ratio:.2f}" if ratio < 9.995 else f"×{ratio:.1f}" if ratio < 99.95 else f"×{ratio:.0f}"


def _names(maps: Iterable[Mapping[str, object]]) -> list[str]:
    """The keys of all maps, in the order of the first that has each."""
    return list(dict.fromkeys(name for one in maps for name in one))


def _deadlines(outcomes: Sequence[Outcome]) -> _Section:
    rows = [_Row("verdict", [_verdict(one) for one in outcomes])]
    for name in _names(one.tasks for one in outcomes):
        tasks = [one.tasks.get(name) for one in outcomes]
        rows.append(_Row(name, [_worst(task) for task in tasks]))
        rows.append(_Row("  missed", [_missed(task) for task in tasks]))
    return _Section("Deadlines", "worst response, and jobs missed of those judged", rows)


def _verdict(outcome: Outcome) -> _Number:
    if outcome.error == NOT_RUN:
        return _NOTHING
    return _Number("ERROR" if outcome.error else outcome.verdict.upper())


def _worst(task: TaskResult | None) -> _Number:
    if task is None or task.response is None:
        return _NOTHING
    bound = "≥" if task.response.max_is_bound else ""
    return _Number(bound + show_ps(task.response.max_ps), task.response.max_ps)


def _missed(task: TaskResult | None) -> _Number:
    return _NOTHING if task is None else _Number(f"{task.missed} of {task.judged}")


def _power(outcomes: Sequence[Outcome]) -> _Section:
    if all(one.error for one in outcomes):
        return _Section("Power", "", [])
    average = [_NOTHING if one.error else _Number(show_nw(one.average_nw), one.average_nw) for one in outcomes]
    rows = [_Row("average at the rail", average)]
    if any(one.battery_nw is not None for one in outcomes):
        rows.append(_Row("average at the battery", [_or_nothing(one.battery_nw, show_nw) for one in outcomes]))
    held = [_by_definition(one.limits) for one in outcomes]
    for definition in _names(held):
        limits = [of_platform.get(definition) for of_platform in held]
        rows.append(_Row(definition, [_worst_power(limit) for limit in limits]))
        rows.append(_Row("  limit", [_bound(limit) for limit in limits]))
    return _Section("Power", "worst over the run, and the limit", rows)


def _or_nothing(value: float | None, show: Callable[[float], str]) -> _Number:
    return _NOTHING if value is None else _Number(show(value), value)


def _by_definition(limits: Sequence[LimitResult]) -> dict[str, LimitResult]:
    """Limits by what they bound; a second one of the same definition is counted."""
    found: dict[str, LimitResult] = {}
    for limit in limits:
        short = limit.definition.removeprefix("average over ").removeprefix("instantaneous ")
        name, again = short, 2
        while name in found:
            name, again = f"{short} ({again})", again + 1
        found[name] = limit
    return found


def _worst_power(limit: LimitResult | None) -> _Number:
    return _NOTHING if limit is None or limit.worst_nw is None else _Number(show_nw(limit.worst_nw), limit.worst_nw)


def _bound(limit: LimitResult | None) -> _Number:
    return _NOTHING if limit is None else _Number(f"{_MET[limit.met]} {show_nw(limit.limit_nw)}", limit.limit_nw)


def _inferences(outcomes: Sequence[Outcome]) -> _Section:
    rows = []
    for task in _names(one.inferences for one in outcomes):
        found = [one.inferences.get(task) for one in outcomes]
        rows.append(_Row(task, [_NOTHING if one is None else _per_inference(one, one.total_aj) for one in found]))
        for what in _names(one.energy_aj for one in found if one is not None):
            cells = [_NOTHING if one is None else _per_inference(one, one.energy_aj.get(what, 0)) for one in found]
            rows.append(_Row(f"  {what}", cells))
        if len({one.finished for one in found if one is not None}) > 1:
            counts = [_NOTHING if one is None else _Number(str(one.finished), one.finished) for one in found]
            rows.append(_Row("  inferences", counts))
    return _Section("Energy an inference", "own accounts at the rail / inferences completed", rows)


def _per_inference(inference: Inference, energy_aj: int) -> _Number:
    each_aj = energy_aj / inference.finished
    return _Number(show_aj(each_aj), each_aj)


def _energy(outcomes: Sequence[Outcome]) -> _Section:
    ran = [one for one in outcomes if not one.error]
    totals = [_NOTHING if one.error else _Number(show_aj(one.total_aj), one.total_aj) for one in outcomes]
    rows = [_Row("total at the rail", totals)] if ran else []
    if any(one.battery_aj is not None for one in ran):
        rows.append(_Row("total at the battery", [_or_nothing(one.battery_aj, show_aj) for one in outcomes]))
    for what in _names(one.energy_aj for one in ran):
        sums = [one.energy_aj.get(what, 0) for one in outcomes]
        cells = [
            _NOTHING if one.error else _Number(show_aj(energy_aj), energy_aj)
            for one, energy_aj in zip(outcomes, sums, strict=True)
        ]
        rows.append(_Row(f"  {what}", cells))
    return _Section("Energy", "of the whole run, by account", rows)


def _efficiency(outcomes: Sequence[Outcome]) -> _Section:
    if all(one.error for one in outcomes):
        return _Section("Efficiency", "", [])
    rows = [
        _Row("core", [_per_op(one.core_fj_per_op) for one in outcomes]),
        _Row("effective", [_per_op(one.effective_fj_per_op) for one in outcomes]),
    ]
    if any(one.battery_effective_fj_per_op is not None for one in outcomes):
        rows.append(_Row("effective at the battery", [_per_op(one.battery_effective_fj_per_op) for one in outcomes]))
    return _Section("Efficiency", "1 MAC = 2 op; at the rail, unless it says the battery", rows)


def _per_op(value: float | None) -> _Number:
    return _NOTHING if value is None else _Number(show(value * 1e-15, "J/op"), value)


def _changes(page: Page, first: str, label: str, changed: Changes) -> None:
    page.heading(f"What changed in {label}", f"against {first}")
    if not changed:
        page.paragraph("nothing, beyond the names and the files")
        return
    _list(page, "dies gone", changed.removed_dies)
    _list(page, "dies new", changed.added_dies)
    _list(page, "parts gone", [f"{_short(part.path)} ({part.kind})" for part in changed.removed])
    _list(page, "parts new", [f"{_short(part.path)} ({part.kind})" for part in changed.added])
    if changed.moved:
        moves: list[list[Cell]] = [["", _short(move.before), _short(move.after)] for move in changed.moved]
        moves[0][0] = "parts moved"
        page.table([Column("", Kind.NAME), Column(first, Kind.NAME), Column(label, Kind.NAME)], moves[:_ROWS])
        _more(page, len(moves))
    if changed.values:
        rows: list[list[Cell]] = [_value(change) for change in changed.values[:_ROWS]]
        page.table([Column("value", Kind.NAME), Column(first, Kind.NAME), Column(label, Kind.NAME), Column("")], rows)
        _more(page, len(changed.values))


def _more(page: Page, count: int) -> None:
    if count > _ROWS:
        page.paragraph(f"and {count - _ROWS} more: --json has all of them")


def _list(page: Page, title: str, names: Sequence[str]) -> None:
    if not names:
        return
    more = f", and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    page.paragraph(f"{title}: {', '.join(names[:_NAMES])}{more}")


def _short(path: str) -> str:
    """A part as workloads and reports name it: ``logic.l2``, ``logic.bus``, ``tsv``."""
    return path.removeprefix("dies.").removeprefix("links.").replace(".blocks.", ".")


def _value(change: Change) -> list[Cell]:
    texts = ["not given" if text is None else text for text in (change.before, change.after)]
    return [change.path, *texts, "" if change.ratio is None else _factor(1.0, change.ratio)]


def document(outcomes: Sequence[Outcome], changes: Sequence[Changes]) -> dict[str, Any]:
    """The comparison as plain data; integers carry their unit in the name."""
    return {
        "platforms": [_outcome(outcome) for outcome in outcomes],
        "changes": [
            {"from": outcomes[0].file, "to": outcome.file, **_changed(changed)}
            for outcome, changed in zip(outcomes[1:], changes, strict=True)
        ],
    }


def dumps(outcomes: Sequence[Outcome], changes: Sequence[Changes]) -> str:
    """The comparison as JSON text that ends with a newline."""
    return json.dumps(document(outcomes, changes), indent=2, allow_nan=False) + "\n"


def _outcome(outcome: Outcome) -> dict[str, Any]:
    named: dict[str, Any] = {"file": outcome.file, "platform": outcome.platform}
    if outcome.error:
        return named | {"error": outcome.error}
    return named | {
        "verdict": outcome.verdict,
        "reasons": list(outcome.reasons),
        "workload": outcome.workload,
        "policy": outcome.policy,
        "seed": outcome.seed,
        "horizon_ps": outcome.horizon_ps,
        "tasks": {
            name: {
                "deadline_ps": task.deadline_ps,
                "judged": task.judged,
                "missed": task.missed,
                "finished": task.finished,
                "worst_response_ps": None if task.response is None else task.response.max_ps,
                "worst_is_bound": False if task.response is None else task.response.max_is_bound,
            }
            for name, task in sorted(outcome.tasks.items())
        },
        "average_nw": outcome.average_nw,
        "battery_average_nw": outcome.battery_nw,
        "limits": [
            {
                "definition": one.definition,
                "at": one.at,
                "limit_nw": one.limit_nw,
                "worst_nw": one.worst_nw,
                "met": one.met,
            }
            for one in outcome.limits
        ],
        "total_aj": outcome.total_aj,
        "battery_aj": outcome.battery_aj,
        "energy_aj": dict(sorted(outcome.energy_aj.items())),
        "inferences": {
            name: {
                "finished": one.finished,
                "energy_aj": dict(sorted(one.energy_aj.items())),
                "uj_per_inference": one.total_aj / one.finished / _AJ_PER_UJ,
            }
            for name, one in sorted(outcome.inferences.items())
        },
        "core_fj_per_op": outcome.core_fj_per_op,
        "effective_fj_per_op": outcome.effective_fj_per_op,
        "battery_effective_fj_per_op": outcome.battery_effective_fj_per_op,
    }


def _changed(changed: Changes) -> dict[str, Any]:
    return {
        "removed_dies": list(changed.removed_dies),
        "added_dies": list(changed.added_dies),
        "removed": [{"path": part.path, "kind": part.kind} for part in changed.removed],
        "added": [{"path": part.path, "kind": part.kind} for part in changed.added],
        "moved": [{"from": move.before, "to": move.after} for move in changed.moved],
        "values": [{"path": one.path, "from": one.before, "to": one.after} for one in changed.values],
    }
