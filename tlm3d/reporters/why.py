"""Why a job was late, as a story for people and as a document for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rich.console import Console

from tlm3d.analysis.why import Beat, Change, Outcome, Part, Rerun, Why
from tlm3d.reporters.job import status, within
from tlm3d.reporters.page import Cell, Column, Kind, Page
from tlm3d.reporters.share import percent
from tlm3d.units import PS_PER_S, show, show_ps

EXACT = "exact re-run"
_PARTS = 3  # causes named of a stretch in which several alternate
_GOOD_PART = 0.1  # share of a stretch from which on a cause of it is named
_HARDLY = 0.01  # share of the response: a change that wins less has no line of its own

_TOLD = {
    "sensing": "the frame was taken and sent by {where}",
    "compute": "computed on {where}",
    "throttle": "slowed down on {where}",
    "np-block": "stood behind {holder}, less urgent, which {where} had begun",
    "preempt": "gave way to {holder}, more urgent, on {where}",
    "resource": "waited for {where}, which {holder} held",
    "link-queue": "queued for {where} behind {holder}",
    "link-transfer": "moved data over {where}",
    "memory": "moved data through {where}",
    "wake-up": "waited for {where} to wake up",
    "input-late": "waited for its input from {where}",
    "self-predecessor": "waited for {holder}, the job before it, to end",
    "overhead": "switched and waited at {where}",
}


def render(why: Why, console: Console) -> None:
    """Write the story, then what would have helped."""
    page = Page(console)
    _headline(why, page)
    _story(why, page)
    _reruns(why, page)


def _headline(why: Why, page: Page) -> None:
    job, found = why.blame.job, why.outcome
    label = f"{job.task}#{job.index}"
    colour = "bold green" if found.met else "bold red"
    page.line((f"WHY: {label} {_became(found)}", colour))
    about = (why.platform, why.workload, why.policy, f"seed {why.seed}", f"{why.corner} corner")
    page.line(" · ".join(about))
    end = f" · finished {_instant(job.finish_ps)}" if found.status in ("met", "late") else ""
    page.paragraph(f"released {_instant(job.release_ps)} · due {_instant(job.deadline_ps)}{end}")
    chosen = "" if why.named else " · the tightest job: nothing was late" if found.met else " · the worst of the late"
    times = (_bounded(found, found.response_ps or why.blame.response_ps), show_ps(job.deadline_ps - job.release_ps))
    page.paragraph(f"response {times[0]} · deadline {times[1]}{chosen}")


def _became(found: Outcome) -> str:
    """``was LATE by 24.8 us``."""
    slack_ps = found.slack_ps
    if slack_ps is None:
        return {"input-lost": "lost its input"}.get(found.status, f"was {found.status}")
    if found.met:
        return f"was on time, with {show_ps(slack_ps)} to spare"
    if found.status == "open":
        return "had not finished at the horizon, before its deadline"
    at_least = "at least " if found.status == "unfinished" else ""
    return f"was LATE by {at_least}{show_ps(-slack_ps)}"


def _story(why: Why, page: Page) -> None:
    blame = why.blame
    if not why.beats:
        return
    page.heading("What happened", "in order, from its release; the times add up to its response exactly")
    rows: list[list[Cell]] = []
    for beat in why.beats:
        at = show_ps(beat.start_ps - blame.job.release_ps)
        name = beat.parts[0].bucket if len(beat.parts) == 1 else f"{beat.pieces} pieces"
        rows.append([at, show_ps(beat.time_ps), percent(beat.time_ps, blame.response_ps), name, told(beat)])
    rows.append(["response", show_ps(blame.response_ps), percent(1, 1), "", ""])
    columns = [
        Column("after"),
        Column("for"),
        Column("%"),
        Column("cause", Kind.NAME),
        Column("what it did", Kind.NAME),
    ]
    page.table(columns, rows)


def told(beat: Beat) -> str:
    """A beat in words; of several causes those that were a good part of it, each with its time."""
    if len(beat.parts) == 1:
        return _words(beat.parts[0])
    shown = [part for part in beat.parts[:_PARTS] if part.time_ps >= _GOOD_PART * beat.time_ps]
    rest = beat.parts[len(shown) :]
    words = [f"{show_ps(part.time_ps)} {_words(part)}" for part in shown]
    if len(shown) == 1:
        words = [f"mostly {_words(shown[0])}"]
    if rest:
        words.append(f"{show_ps(sum(part.time_ps for part in rest))} other")
    return ", ".join(words)


def _words(part: Part) -> str:
    holder = "another job" if part.holder == "-" else part.holder
    return _TOLD.get(part.bucket, f"{part.bucket} at {{where}}").format(where=part.where, holder=holder)


def _reruns(why: Why, page: Page) -> None:
    late = not why.outcome.met
    title = "What would have helped" if late else "What it would have been"
    page.heading(title, "one cause taken away at a time, the same job and seed")
    rows = [_row(rerun.change.words, [rerun]) for rerun in _alone(why)]
    rows += [_row(words, group) for words, group in _grouped(why)]
    if why.both is not None:
        rows.append(_row(f"two at once: {why.both.change.words}", [why.both]))
    columns = [Column("", Kind.NAME), Column("", Kind.VERDICT), Column("response"), Column("slack")]
    page.table([*columns, Column("change", Kind.NAME)], rows)
    for sentence in why.fixed:
        page.paragraph(sentence)
    if why.interrupted:
        page.paragraph(f"INTERRUPTED: {len(why.reruns)} of {why.asked} re-runs were done")
    elif late:
        _answer(why, page)


def _answer(why: Why, page: Page) -> None:
    met = [rerun for rerun in why.reruns if rerun.outcome is not None and rerun.outcome.met]
    if not met:
        both = why.both is not None and why.both.outcome is not None and why.both.outcome.met
        also = "" if why.both is None else ", the best two together do" if both else ", nor do the best two together"
        page.paragraph(f"No single change meets the deadline{also}.")
        met = [why.both] if both and why.both is not None else []
    elif len(met) == 1:
        page.paragraph(f"One single change of {why.asked} meets the deadline: {met[0].change.words}.")
    else:
        page.paragraph(f"{len(met)} single changes of {why.asked} meet the deadline; the most slack comes first.")
    for rerun in met:
        if rerun.change.settings and rerun.change.options:
            page.paragraph(f"with tlm3d run: {_shell(rerun.change)}")
    if met:
        page.paragraph("Judged here is this job alone; tlm3d run says what becomes of the others.")


def _shell(change: Change) -> str:
    """The options of a change, as a shell takes them."""
    words = []
    for word in change.options:
        path, equals, value = word.partition("=")
        words.append(f'{path}="{value}"' if equals and " " in value else word)
    return " ".join(words)


def _alone(why: Why) -> list[Rerun]:
    """Re-runs with a line of their own."""
    grouped = [rerun for _, group in _grouped(why) for rerun in group]
    return [rerun for rerun in why.reruns if rerun not in grouped]


def _grouped(why: Why) -> list[tuple[str, list[Rerun]]]:
    """Re-runs that share a line, and its words: what hardly makes a difference, and policies that do not help."""
    had_ps = why.outcome.slack_ps
    hardly: list[Rerun] = []
    policies: list[Rerun] = []
    none: list[Rerun] = []  # without a result, as before
    for rerun in why.reruns:
        found = rerun.outcome
        if found is None or (found.met and not why.outcome.met):
            continue
        if found.slack_ps is None or had_ps is None:
            none += [rerun] if found.status == why.outcome.status and had_ps is None else []
        elif rerun.change.policy is not None and (not found.met or found.slack_ps == had_ps):
            policies.append(rerun)
        elif rerun.change.policy is None and found.slack_ps - had_ps < _HARDLY * why.blame.response_ps:
            hardly.append(rerun)
    groups = [
        (f"hardly a difference, at best: {'; '.join(rerun.change.words for rerun in hardly)}", hardly),
        (f"the best of policies {', '.join(str(rerun.change.policy) for rerun in policies)}", policies),
        (f"not with any of: {'; '.join(rerun.change.words for rerun in none)}", none),
    ]
    return [(words, group) for words, group in groups if len(group) > 1]


def _row(words: str, group: Sequence[Rerun]) -> list[Cell]:
    """One line; of several re-runs that with the most slack, and what the others come to."""
    best = group[0]
    found = best.outcome
    if found is None:
        return [EXACT, "-", "-", "-", f"{words}: not possible: {best.error}"]
    if found.response_ps is None or found.slack_ps is None:
        return [EXACT, "-", "-", "-", f"{words}: {found.status}"]
    verdict = "ok" if found.met else "LATE"
    bound = "≤" if found.status in ("unfinished", "open") else ""
    if all(rerun.outcome == found for rerun in group):
        words = words.removeprefix("the best of ")
    return [EXACT, verdict, _bounded(found, found.response_ps), bound + show_ps(found.slack_ps), words]


def _bounded(found: Outcome, time_ps: int) -> str:
    return ("≥" if found.status in ("unfinished", "open") else "") + show_ps(time_ps)


def _instant(time_ps: int) -> str:
    """A moment, with the digits to find it in a trace."""
    number, unit = show(time_ps / PS_PER_S, "s", digits=6).split(" ")
    return f"{number.rstrip('0').rstrip('.') if '.' in number else number} {unit}"


# ------------------------------------------------------------ for programs


def dumps(why: Why) -> str:
    """The same as JSON text, all numbers exact."""
    return json.dumps(document(why), indent=2, allow_nan=False) + "\n"


def document(why: Why) -> dict[str, Any]:
    """The same as plain values."""
    job = why.blame.job
    return {
        "platform": why.platform,
        "workload": why.workload,
        "policy": why.policy,
        "seed": why.seed,
        "corner": why.corner,
        "horizon_ps": why.horizon_ps,
        "job": {
            "task": job.task,
            "index": job.index,
            "named": why.named,
            "status": status(job, why.horizon_ps),
            "release_ps": job.release_ps,
            "deadline_ps": job.deadline_ps,
            "finish_ps": within(job.finish_ps, why.horizon_ps),
            "response_ps": why.blame.response_ps,
            "slack_ps": why.outcome.slack_ps,
        },
        "story": [
            {
                "start_ps": beat.start_ps,
                "end_ps": beat.end_ps,
                "time_ps": beat.time_ps,
                "pieces": beat.pieces,
                "told": told(beat),
                "parts": [part._asdict() for part in beat.parts],
            }
            for beat in why.beats
        ],
        "reruns": [_rerun(rerun) for rerun in why.reruns],
        "two_changes": None if why.both is None else _rerun(why.both),
        "nothing_to_take_away": list(why.fixed),
        "interrupted": why.interrupted,
    }


def _rerun(rerun: Rerun) -> dict[str, Any]:
    change, found = rerun.change, rerun.outcome
    return {
        "change": change.words,
        "exact": found is not None,
        "settings": list(change.settings),
        "removed": list(change.removed),
        "without_tasks": list(change.without),
        "policy": change.policy,
        "options": list(change.options),
        "status": found.status if found is not None else "not possible",
        "release_ps": found.release_ps if found is not None else None,
        "response_ps": found.response_ps if found is not None else None,
        "slack_ps": found.slack_ps if found is not None else None,
        "error": rerun.error or None,
    }
