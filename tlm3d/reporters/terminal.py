"""The report for people: one line for grep, then tables that read without colour.

Everything here is arrangement. What is late, worst or over a limit was decided in tlm3d.analysis.
"""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console

from tlm3d.analysis.result import Delay, JobBlame, LimitResult, Result, TaskResult, Verdict
from tlm3d.analysis.troubles import clause
from tlm3d.reporters.bounds import missing
from tlm3d.reporters.job import Cause, causes, status
from tlm3d.reporters.page import Cell, Column, Kind, Page
from tlm3d.reporters.share import percent
from tlm3d.reporters.skyline import axis, skyline, slices
from tlm3d.units import PS_PER_S, show, show_aj, show_nw, show_ps

_COLOURS = {Verdict.MET: "bold green", Verdict.MISSED: "bold red", Verdict.UNJUDGED: "bold yellow"}
_REASONS = 3
_HOLDERS = 3  # places and holders named for one cause of a job
_UNDER_A_LIMIT = 9  # significant digits tried until a worst value reads differently from its limit


def render(result: Result, console: Console) -> None:
    """Write the whole report of ``result`` to ``console``."""
    page = Page(console)
    _headline(result, page)
    _troubles(result, page)
    _tasks(result, page)
    _chains(result, page)
    _plan(result, page)
    if result.worst is not None:
        _worst(result.worst, result.horizon_ps, page)
    else:
        _tightest(result, page)
    _power(result, page)
    _blocks(result, page)
    _channels(result, page)
    _energy(result, page)
    _efficiency(result, page)
    _over_time(result, page)
    _remarks(result, page)


def _headline(result: Result, page: Page) -> None:
    reasons = list(result.reasons) or [_all_kept(result)]
    if len(reasons) > _REASONS:
        reasons[_REASONS:] = [f"and {len(reasons) - _REASONS} more"]
    if result.interrupted_of_ps:
        done, asked = _instant(result.horizon_ps), _instant(result.interrupted_of_ps)
        page.line(
            ("RESULT: INTERRUPTED", "bold yellow"), f" at {done} of {asked}; what follows is of the time simulated"
        )
        page.line((f"so far: {result.verdict.name}", _COLOURS[result.verdict]), " " + "; ".join(reasons))
    else:
        page.line((f"RESULT: {result.verdict.name}", _COLOURS[result.verdict]), " " + "; ".join(reasons))
    about = (result.platform, result.workload, result.policy, _instant(result.horizon_ps), f"seed {result.seed}")
    page.line(" · ".join((*about, f"{result.corner} corner")))


def _troubles(result: Result, page: Page) -> None:
    if not result.troubles:
        return
    page.heading("Troubles", "overload: of the time in the window, by the jobs due in it")
    for trouble in result.troubles:
        page.paragraph(clause(trouble))


def _all_kept(result: Result) -> str:
    judged = sum(task.judged for task in result.tasks.values())
    missed = sum(task.missed for task in result.tasks.values())
    kept = sum(limit.met is True for limit in result.limits)
    limits = f", {kept} of {len(result.limits)} power limits kept" if result.limits else ""
    return f"{judged - missed} of {judged} judged jobs on time{limits}"


def _tasks(result: Result, page: Page) -> None:
    remark = "response from release to finish, over the judged jobs"
    if any(task.firm for task in result.tasks.values()):
        remark += "; firm: fewest in time of any k in a row, against m/k"
    if result.bounds is not None:
        remark += "; bound: none can be longer"
    page.heading("Tasks", remark)
    bounded = result.bounds is not None  # then something else must go where there is little room
    columns = [Column("task", Kind.NAME), *map(Column, ("jobs", "judged", "missed", "%"))]
    columns += [Column(name, of_detail=bounded) for name in ("min", "mean")]
    columns += [*(Column(name, of_detail=True) for name in ("p50", "p95")), *map(Column, ("p99", "max"))]
    columns += [Column("bound"), Column("max/bound", of_detail=True)]
    columns += [Column("jitter", of_detail=True), Column("deadline"), Column("slack", of_detail=True)]
    columns += [Column("firm"), Column("", Kind.VERDICT, optional=True)]
    page.table(columns, [_task_row(task, *_bound_cells(result, task)) for task in result.tasks.values()])
    if result.bounds is not None:
        bounds = [bound for name, bound in result.bounds.tasks.items() if name in result.tasks]
        for line in missing((bound.task, bound.reason) for bound in bounds if bound.bound_ps is None):
            page.paragraph(line)


def _bound_cells(result: Result, task: TaskResult) -> tuple[str, str]:
    """The bound of the response and the share of it that the largest one came to, in %; empty without bounds."""
    bound = None if result.bounds is None else result.bounds.tasks.get(task.name)
    if bound is None:
        return "", ""
    if bound.bound_ps is None:
        return "none", "-"
    if task.response is None:
        return show_ps(bound.bound_ps), "-"
    at_least = "≥" if task.response.max_is_bound else ""
    return show_ps(bound.bound_ps), f"{at_least}{percent(task.response.max_ps, bound.bound_ps)} %"


def _task_row(task: TaskResult, bound: str, tightness: str) -> list[Cell]:
    response, tardiness, firm = task.response, task.tardiness, task.firm
    times, jitter, slack = ["-"] * 6, "-", "-"
    if response is not None:
        middle = (response.p50_ps, response.p95_ps, response.p99_ps)
        times = [show_ps(t) for t in (response.min_ps, response.mean_ps, *middle, response.max_ps)]
        at_least = "≥" if response.max_is_bound else ""
        times[-1] = at_least + times[-1]
        jitter = at_least + show_ps(response.jitter_ps)
    if tardiness is not None:
        slack = ("≤" if tardiness.is_bound else "") + show_ps(tardiness.least_slack_ps)
    missed = percent(task.missed, task.judged) if task.judged else "-"
    rule = "" if firm is None else f"{firm.fewest}{'≥' if firm.met else '<'}{firm.needed}/{firm.window}"
    verdict = "unjudged" if not task.judged else "ok" if task.is_kept else "LATE"
    counts = [str(task.jobs), str(task.judged), str(task.missed), missed]
    return [
        task.name,
        *counts,
        *times,
        bound,
        tightness,
        jitter,
        show_ps(task.deadline_ps),
        slack,
        rule,
        verdict,
    ]


def _chains(result: Result, page: Page) -> None:
    if not result.chains:
        return
    page.heading("Chains", "reaction: release to the first output with its data or newer; age: until it is replaced")
    columns = [Column("chain", Kind.NAME), Column("through", Kind.NAME, optional=True), Column("", Kind.NAME)]
    columns += [*map(Column, ("judged", "lost", "mean", "worst", "bound")), Column("", Kind.VERDICT)]
    rows: list[list[Cell]] = []
    for chain in result.chains.values():
        through = " > ".join(chain.tasks)
        rows.append([chain.name, through, "reaction", *_delay_cells(chain.reaction, chain.deadline_ps)])
        rows.append(["", "", "data age", *_delay_cells(chain.age, chain.max_age_ps)])
    page.table(columns, rows)


def _delay_cells(delay: Delay | None, bound_ps: int | None) -> list[Cell]:
    bound = "-" if bound_ps is None else show_ps(bound_ps)
    if delay is None:
        return ["0", "-", "-", "-", bound, "" if bound_ps is None else "unjudged"]
    mean = "-" if delay.mean_ps is None else show_ps(delay.mean_ps)
    worst = ("≥" if delay.is_bound else "") + show_ps(delay.worst_ps)
    if bound_ps is None:
        return [str(delay.judged), "-", mean, worst, bound, ""]
    verdict = "unjudged" if not delay.judged else "LATE" if delay.lost else "ok"
    return [str(delay.judged), str(delay.lost), mean, worst, bound, verdict]


def _plan(result: Result, page: Page) -> None:
    plan = result.plan
    if plan is None:
        return
    made_for = f" for {plan.policy}" if plan.policy is not None else ""
    made = f"by {plan.method}{made_for} at the {plan.corner} corner"
    page.heading("Plan", f"{made}; x: simulated / planned; energy: a job's own")
    columns = [Column("task", Kind.NAME), *map(Column, ("planned", "min", "mean", "max", "x"))]
    columns += map(Column, ("energy", "simulated", "x"))
    rows: list[list[Cell]] = []
    for name, found in plan.tasks.items():
        response = result.tasks[name].response
        times = ["-"] * 3
        if response is not None:
            at_least = "≥" if response.max_is_bound else ""
            times = [show_ps(response.min_ps), show_ps(response.mean_ps), at_least + show_ps(response.max_ps)]
        planned = "-" if found.response_ps is None else show_ps(found.response_ps)
        energies = ["-" if energy is None else show_aj(energy) for energy in (found.energy_aj, found.spent_aj)]
        rows.append([name, planned, *times, _factor(found.response_ratio), *energies, _factor(found.energy_ratio)])
    page.table(columns, rows)


def _factor(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.2f}"


def _worst(blame: JobBlame, horizon_ps: int, page: Page) -> None:
    job = blame.job
    became = status(job, horizon_ps)
    ran = became in ("late", "unfinished")
    page.heading(f"{'Worst late' if ran else 'First missed'} job: {job.task}#{job.index}")
    end = f"finished {_instant(job.finish_ps)}" if became == "late" else became
    page.paragraph(f"released {_instant(job.release_ps)} · due {_instant(job.deadline_ps)} · {end}")
    if ran:
        bound = "≥" if became == "unfinished" else ""
        page.paragraph(
            f"response {bound}{show_ps(blame.response_ps)} · deadline {show_ps(job.deadline_ps - job.release_ps)}"
            f" · LATE by {bound}{show_ps(-blame.slack_ps)}"
        )
    if not blame.buckets:
        return
    rows: list[list[Cell]] = []
    found = causes(blame)
    for bucket, time_ps in blame.buckets.items():
        head: list[Cell] = [bucket, show_ps(time_ps), percent(time_ps, blame.response_ps)]
        head.append(time_ps / blame.response_ps)
        for i, tail in enumerate(_holders([cause for cause in found if cause.bucket == bucket])):
            rows.append([*(head if i == 0 else ["", "", "", ""]), *tail])
    total: list[Cell] = ["response", show_ps(blame.response_ps), percent(1, 1), "", "", "", ""]
    columns = [Column("cause", Kind.NAME), Column("time"), Column("%"), Column("", Kind.BAR)]
    columns += [Column("where", Kind.NAME), Column("waited for", Kind.NAME), Column("of which")]
    page.table(columns, [*rows, total])


def _holders(found: list[Cause]) -> list[list[Cell]]:
    """Where, waited for, of which: the largest few of one bucket; the rest in one row."""
    if len(found) <= 1:
        return [[found[0].where, found[0].holder, ""] if found else ["", "", ""]]
    shown = found if len(found) <= _HOLDERS + 1 else found[:_HOLDERS]
    rows: list[list[Cell]] = [[cause.where, cause.holder, show_ps(cause.time_ps)] for cause in shown]
    rest = found[len(shown) :]
    if rest:
        rows.append([f"{len(rest)} more", "", show_ps(sum(cause.time_ps for cause in rest))])
    return rows


def _tightest(result: Result, page: Page) -> None:
    if not result.tightest:
        return
    missed = any(task.missed for task in result.tasks.values())
    remark = "of those that ran" if missed else "nothing was late; this is the least slack of each task"
    page.heading("Tightest jobs", remark)
    rows: list[list[Cell]] = []
    for blame in result.tightest:
        allowed_ps = blame.job.deadline_ps - blame.job.release_ps
        largest = sorted(blame.buckets.items(), key=lambda item: (-item[1], item[0]))
        job, times = f"{blame.job.task}#{blame.job.index}", (blame.response_ps, allowed_ps, blame.slack_ps)
        slack = percent(blame.slack_ps, allowed_ps)
        rows.append([job, *map(show_ps, times), slack, _mostly(largest, blame.response_ps)])
    columns = [Column("job", Kind.NAME), *map(Column, ("response", "deadline", "slack", "%"))]
    page.table([*columns, Column("mostly", Kind.NAME)], rows)


def _power(result: Result, page: Page) -> None:
    average = f"average {show_nw(result.average_nw)} at the rail"
    if result.battery is not None:
        average += f", {show_nw(result.battery.average_nw)} at the battery"
    page.heading("Power", f"{average}, over the run")
    if not result.limits:
        page.paragraph("no limits stated")
        return
    columns = [Column("", Kind.VERDICT), Column("limit"), Column("worst"), Column("%"), Column("from")]
    columns.append(Column("at the", Kind.NAME))
    page.table([*columns, Column("definition", Kind.NAME)], [_limit_row(limit) for limit in result.limits])
    for limit in result.limits:
        if limit.crossed_ps is not None and limit.exceeded_ps is not None:
            since, long = _instant(limit.crossed_ps), show_ps(limit.exceeded_ps)
            page.paragraph(f"over {show_nw(limit.limit_nw)} first at {since}, for {long} in all: {limit.definition}")


def _limit_row(limit: LimitResult) -> list[Cell]:
    verdict = {True: "ok", False: "OVER", None: "unjudged"}[limit.met]
    bound, worst, share = show_nw(limit.limit_nw), "-", "-"
    if limit.worst_nw is not None:
        worst, share = show_nw(limit.worst_nw), percent(limit.worst_nw, limit.limit_nw)
        digits = 3
        while bound == worst and limit.worst_nw != limit.limit_nw and digits < _UNDER_A_LIMIT:
            digits += 1
            bound, worst = (show(nw / 10**9, "W", digits) for nw in (limit.limit_nw, limit.worst_nw))
    when = "-" if limit.at_ps is None else _instant(limit.at_ps)
    definition = limit.definition.removesuffix(f" at the {limit.at}")
    return [verdict, bound, worst, share, when, limit.at, definition]


def _blocks(result: Result, page: Page) -> None:
    if not result.blocks:
        return
    page.heading("Blocks", "busiest first; busy: computing or switching between jobs, of the window")
    rows: list[list[Cell]] = []
    for name, use in sorted(result.blocks.items(), key=lambda item: (-item[1].busy_ps, item[0])):
        shares = sorted(use.computing_ps.items(), key=lambda item: (-item[1], item[0]))
        parts = [*shares, ("switching", use.switching_ps)] if use.switching_ps else shares
        told = ", ".join(f"{part} {percent(time_ps, result.horizon_ps)} %" for part, time_ps in parts)
        rows.append([name, percent(use.busy_ps, result.horizon_ps), use.busy_ps / result.horizon_ps, told])
    bar = Column("", Kind.BAR, optional=True)
    page.table([Column("block", Kind.NAME), Column("busy %"), bar, Column("for", Kind.NAME)], rows)


def _channels(result: Result, page: Page) -> None:
    if not result.channels:
        return
    page.heading("Channels", "busiest first; queue: mean wait of a transfer for its first bit")
    used = sorted((c for c in result.channels.values() if c.transfers), key=lambda c: (-c.busy_ps, c.name))
    rows: list[list[Cell]] = []
    for c in used:
        busy = percent(c.busy_ps, result.horizon_ps)
        queue = show_ps(c.queue_ps / c.transfers)
        share = c.busy_ps / result.horizon_ps
        traffic = [str(c.transfers), _bits(c.bits), str(c.resent) if c.resent else "", queue]
        rows.append([c.name, c.role, busy, share, *traffic, show_aj(c.energy_aj)])
    columns = [Column("channel", Kind.NAME), Column("role", Kind.NAME, optional=True), Column("busy %")]
    columns += [Column("", Kind.BAR, optional=True), *map(Column, ("transfers", "bits", "resent", "queue", "energy"))]
    if rows:
        page.table(columns, rows)
    unused = sorted(c.name for c in result.channels.values() if not c.transfers)
    if unused:
        page.paragraph("unused: " + ", ".join(unused))


def _energy(result: Result, page: Page) -> None:
    total = f"{show_aj(result.total_aj)} at the rail"
    if result.battery is not None:
        total += f", {show_aj(result.battery.total_aj)} at the battery"
    page.heading("Energy", f"{total}, in {show_ps(result.horizon_ps)}, by block")
    blocks: dict[tuple[str, str], dict[str, int]] = {}
    whats: dict[str, int] = {}
    for account in result.accounts:
        parts = blocks.setdefault((account.die, account.component), {})
        parts[account.what] = parts.get(account.what, 0) + account.energy_aj
        whats[account.what] = whats.get(account.what, 0) + account.energy_aj
    tiers = {die: place for place, die in enumerate(result.recording.dies)}
    order = sorted(blocks, key=lambda key: (tiers.get(key[0], len(tiers)), key[0], -sum(blocks[key].values()), key[1]))
    rows: list[list[Cell]] = []
    above = None
    for die, component in order:
        parts = blocks[die, component]
        largest = sorted(parts.items(), key=lambda item: (-item[1], item[0]))
        row = [die if die != above else "", component, *_energy_cells(sum(parts.values()), result)]
        rows.append([*row, _mostly(largest, sum(parts.values()))])
        above = die
    numbers = [Column("energy"), Column("average"), Column("%"), Column("", Kind.BAR)]
    names = [Column("die", Kind.NAME), Column("block or link", Kind.NAME)]
    page.table([*names, *numbers, Column("mostly", Kind.NAME)], rows)
    page.heading("Energy by what")
    by_size = sorted(whats.items(), key=lambda item: (-item[1], item[0]))
    page.table(
        [Column("what", Kind.NAME), *numbers],
        [[what, *_energy_cells(energy_aj, result)] for what, energy_aj in by_size],
    )


def _energy_cells(energy_aj: int, result: Result) -> list[Cell]:
    total_aj = result.total_aj if result.battery is None else result.battery.total_aj
    share = energy_aj / total_aj if total_aj else 0.0
    average_nw = energy_aj * 1000 / result.horizon_ps
    return [show_aj(energy_aj), show_nw(average_nw), percent(energy_aj, total_aj), share]


def _efficiency(result: Result, page: Page) -> None:
    efficiency = result.efficiency
    page.heading("Efficiency", "1 MAC = 2 op; energy at the rail, unless it says the battery")
    core, effective = efficiency.core_fj_per_op, efficiency.effective_fj_per_op
    rows: list[list[Cell]] = [
        ["core", _fj_per_op(core), "compute accounts / operations executed"],
        ["effective", _fj_per_op(effective), "all energy / dense operations of the inferences completed"],
    ]
    if result.battery is not None:
        at_battery = result.battery.effective_fj_per_op
        rows.append(["effective", _fj_per_op(at_battery), "the same at the battery, the regulator's loss in it"])
    page.table([Column("", Kind.NAME), Column("energy"), Column("definition", Kind.NAME)], rows)
    page.heading(
        "Energy per inference",
        f"own; and with a share, by busy time, of {_show_uj(efficiency.unowned_uj)} unowned, at the rail",
    )
    shared = efficiency.uj_per_inference_with_share
    per_task: list[list[Cell]] = [
        [task, _show_uj(own), _show_uj(shared[task]) if task in shared else "-"]
        for task, own in efficiency.uj_per_inference.items()
    ]
    if per_task:
        columns = [Column("task", Kind.NAME), Column("own"), Column("with share")]
        if result.battery is not None:
            columns.append(Column("with share, at the battery"))
            for row in per_task:
                row.append(_show_uj(result.battery.uj_per_inference_with_share[str(row[0])]))
        page.table(columns, per_task)
    else:
        page.paragraph("no inference completed")


def _over_time(result: Result, page: Page) -> None:
    if not result.power_bins_nw:
        return
    label = max(len(show_nw(nw)) for nw in (*result.power_bins_nw, 0.0))
    bins = slices(result.power_bins_nw, page.width - label - 4)
    width_ps = result.horizon_ps / len(bins)
    page.heading("Power over time", f"at the rail; one column is {show_ps(width_ps)}")
    levels = (("min", min(bins)), ("average", result.average_nw), ("peak", max(bins)))
    page.paragraph(" · ".join(f"{name} {show_nw(nw)}" for name, nw in levels) + " of the columns")
    lines = skyline(bins, page.ascii)
    for i, row in enumerate(lines):
        scale = show_nw(max(bins)) if i == 0 else "0 W" if i == len(lines) - 1 else ""
        page.line("  ", (f"{scale:>{label}} │", "dim"), (row, "cyan"))
    page.line(" " * (label + 4), (axis(len(bins), result.horizon_ps), "dim"))


def _remarks(result: Result, page: Page) -> None:
    page.heading("Boot", f"{result.boot_bytes:,} bytes of weights are in place at t = 0")
    for note in result.notes:
        page.paragraph(f"note: {note}")


def _mostly(largest: Iterable[tuple[str, int]], whole: int) -> str:
    """The two largest parts of a whole, in words: ``compute 61 %, leakage 30 %``."""
    named = [f"{name} {100 * part / whole:.0f} %" for name, part in list(largest)[:2] if part and whole]
    return ", ".join(named)


def _instant(time_ps: int) -> str:
    """A moment, with the digits to find it in a trace."""
    number, unit = show(time_ps / PS_PER_S, "s", digits=6).split(" ")
    return f"{number.rstrip('0').rstrip('.') if '.' in number else number} {unit}"


def _bits(bits: int) -> str:
    return f"{bits} bit" if bits < 1000 else show(bits, "bit")


def _fj_per_op(value: float | None) -> str:
    return "-" if value is None else show(value * 1e-15, "J/op")


def _show_uj(value: float) -> str:
    return show(value * 1e-6, "J")
