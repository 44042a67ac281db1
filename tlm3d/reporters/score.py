"""Scores of a workload's networks, for people and for programs."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from rich.console import Console

from tlm3d.analysis.score import ModelScore, Score
from tlm3d.reporters.page import Cell, Column, Kind, Page
from tlm3d.units import show, show_ps


def render(score: Score, console: Console) -> None:
    """Write what the networks come to together, and a row for each."""
    page = Page(console)
    page.line((f"SCORE: {score.overall:.1f}", "bold"), f" of 100, {len(score.models)} networks of {score.workload}")
    about = (score.platform, score.workload, score.policy, show_ps(score.horizon_ps), f"seed {score.seed}")
    page.line(" · ".join((*about, f"{score.corner} corner")))
    page.heading("XRBench", "each from 0 to 1; score: QoE x mean of real-time x energy over all frames")
    columns = [Column("task", Kind.NAME), Column("network", Kind.NAME, optional=True)]
    columns += map(Column, ("frames", "completed", "energy/inf", "real-time", "energy", "QoE", "score"))
    rows = [_scores(model) for model in score.models]
    total = [_share(score.real_time), _share(score.energy), _share(score.quality), _share(score.overall / 100)]
    page.table(columns, [*rows, ["mean", "", "", "", "", *total]])
    page.heading("Sharing the chip", "mean response among the others, and of the network alone on it")
    columns = [Column("task", Kind.NAME), *map(Column, ("together", "alone", "NTT"))]
    page.table(columns, [_turnaround(model) for model in score.models])
    found = (("ANTT", score.antt), ("STP", score.stp), ("fairness", score.fairness))
    page.paragraph(" · ".join(f"{name} {_ratio(number)}" for name, number in found))


def _scores(model: ModelScore) -> list[Cell]:
    spent = "-" if model.mj_per_inference is None else show(model.mj_per_inference / 1000, "J")
    counts = [str(model.frames), str(model.completed), spent]
    return [
        model.task,
        model.network,
        *counts,
        *map(_share, (model.real_time, model.energy, model.quality, model.score)),
    ]


def _turnaround(model: ModelScore) -> list[Cell]:
    times = ["-" if time_ps is None else show_ps(time_ps) for time_ps in (model.together_ps, model.alone_ps)]
    return [model.task, *times, _ratio(model.normalised)]


def _share(number: float) -> str:
    return f"{number:.3f}"


def _ratio(number: float | None) -> str:
    return "-" if number is None else f"{number:.3f}"


def document(score: Score) -> dict[str, Any]:
    """``score`` as plain dicts, in the order of docs/json.md."""
    told = asdict(score)
    for written, model in zip(told["models"], score.models, strict=True):
        written["normalised"] = model.normalised
    return told


def dumps(score: Score) -> str:
    """``document(score)`` as indented ASCII JSON text that ends with a newline."""
    return json.dumps(document(score), indent=2, allow_nan=False) + "\n"
