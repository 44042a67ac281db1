"""One inference, layer by layer, for people and for programs."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console

from tlm3d.analysis.explain import Explanation, LayerCost
from tlm3d.record.layer_work import LayerWork
from tlm3d.record.residency import ResidencyPlan
from tlm3d.reporters import residency
from tlm3d.reporters.page import Cell, Column, Kind, Page
from tlm3d.units import show, show_aj, show_ps

_WIDE = 100  # columns from which the channel that bounds a layer has room beside its row


def render(explanation: Explanation, console: Console) -> None:
    """Write the table of layers and what they come to."""
    page = Page(console)
    page.line((explanation.network, "bold"), " · ".join(("", explanation.platform, f"on {explanation.block}")))
    for note in _notes(explanation):
        page.paragraph(note)
    page.heading("Layers", "bytes and tiles as moved; time: from the finish of the layer before")
    wide = page.width >= _WIDE
    columns = [Column("layer", Kind.NAME), Column("op", Kind.NAME, optional=True)]
    columns += map(Column, ("MAC", "in B", "weights", "out B", "tiles"))
    columns += [*map(Column, ("MAC/cyc", "time", "%", "energy")), Column("bound by", Kind.NAME)]
    rows = [_row(layer, explanation.response_ps, wide) for layer in explanation.layers]
    page.table(columns, [*rows, _total(explanation)])
    _facts(explanation, page)
    response_ps = explanation.response_ps
    page.heading("Time", f"{show_ps(response_ps)} an inference, by cause")
    causes: list[list[Cell]] = [
        [bucket, show_ps(time_ps), _percent(time_ps, response_ps), time_ps / response_ps]
        for bucket, time_ps in explanation.buckets_ps.items()
    ]
    page.table([Column("cause", Kind.NAME), Column("time"), Column("%"), Column("", Kind.BAR)], causes)
    _residency(page, explanation.residency)
    unowned = f"{show_aj(explanation.unowned_aj)} of leakage and power states of the whole platform meanwhile"
    page.heading("Energy", f"{show_aj(explanation.energy_aj)} an inference at the rail; beside it {unowned}")
    if explanation.regulator_aj is not None:
        total_aj = explanation.energy_aj + explanation.unowned_aj + explanation.regulator_aj
        lost = f"the regulator loses {show_aj(explanation.regulator_aj)} meanwhile"
        page.paragraph(f"{lost}: {show_aj(total_aj)} for all of it at the battery")


def _facts(explanation: Explanation, page: Page) -> None:
    """What blocks say of their layers: one table a block, as its kind decides the columns."""
    told: dict[str, list[LayerWork]] = {}
    for layer in explanation.layers:
        if layer.work.facts:
            told.setdefault(layer.work.block, []).append(layer.work)
    for block, works in told.items():
        labels = list(dict.fromkeys(fact.label for work in works for fact in work.facts))
        page.heading("Layers there", f"what {block} says of them")
        rows: list[list[Cell]] = []
        for work in works:
            shown = {fact.label: fact.shown for fact in work.facts}
            rows.append([work.name, *(shown.get(label, "-") for label in labels)])
        page.table([Column("layer", Kind.NAME), *map(Column, labels)], rows)


def _residency(page: Page, plan: ResidencyPlan) -> None:
    """What has room in each memory, where weights are, what the inference moves."""
    page.heading("Residency", "bytes in each memory at most, then those an inference moves")
    uses: list[list[Cell]] = []
    for use in plan.memories:
        of = f"of {_count(use.capacity_bytes)}"
        rows = [(content.what, content.bytes) for content in use.contents]
        rows += [(f"passing {piece.what}", piece.bytes) for piece in use.passing]
        for what, n_bytes in rows or [("-", 0)]:
            uses.append([use.memory, what, _count(n_bytes), of, _percent(n_bytes, use.capacity_bytes)])
    columns = [Column("memory", Kind.NAME), Column("holds", Kind.NAME), Column("B"), Column("capacity"), Column("%")]
    page.table(columns, uses)
    moved: dict[tuple[str, str], dict[str, int]] = {}
    for move in plan.moves:
        moved.setdefault((move.source, move.target), {})[move.what] = move.bytes
    columns = [Column("from", Kind.NAME), Column("to", Kind.NAME), Column("weights"), Column("feature maps")]
    ways: list[list[Cell]] = [
        [source, target, *(_count(by_what.get(what, 0)) for what in ("weights", "feature maps"))]
        for (source, target), by_what in moved.items()
    ]
    page.table(columns, ways)
    for place in plan.weights:
        way = f"stay beside {place.block}"
        if place.store is not None:
            way = f"come from {place.store} into {place.block}"
            way += f", through {place.stage}" if place.stage is not None else ""
        page.paragraph(f"weights: {_count(place.bytes)} B {way}")


def _notes(explanation: Explanation) -> list[str]:
    """Why this block, what does not run there, and what was not to."""
    notes = []
    others = [block for block in explanation.compared if block != explanation.block]
    if others:
        notes.append(f"--on not given: {explanation.block} is the fastest, before {', '.join(others)}")
    by_block: dict[tuple[str, bool], list[str]] = {}
    for layer, block in explanation.elsewhere.items():
        by_block.setdefault((block, layer in explanation.mapped), []).append(layer)
    for (block, mapped), layers in sorted(by_block.items()):
        named = ", ".join(layers)
        notes.append(
            f"--map: {named} on {block}" if mapped else f"note: {explanation.block} does not run {named}: on {block}"
        )
    return notes


def _row(layer: LayerCost, response_ps: int, wide: bool) -> list[Cell]:
    work, rate = layer.work, layer.macs_per_cycle
    bound = f"{layer.bound} {layer.where}" if wide and layer.bound not in ("compute", "-") else layer.bound
    moved = [_count(n) for n in (work.input_bytes, work.weight_bytes, work.output_bytes)]
    numbers = [_count(work.macs), *moved, str(work.tiles), "-" if rate is None else f"{rate:.3g}"]
    taken = [show_ps(layer.time_ps), _percent(layer.time_ps, response_ps), show_aj(layer.energy_aj)]
    return [work.name, work.op, *numbers, *taken, bound]


def _total(explanation: Explanation) -> list[Cell]:
    works = [layer.work for layer in explanation.layers]
    moved = [_count(sum(getattr(work, f"{what}_bytes") for work in works)) for what in ("input", "weight", "output")]
    macs, cycles = sum(work.macs for work in works), sum(work.cycles for work in works)
    numbers = [_count(macs), *moved, str(sum(work.tiles for work in works)), f"{macs / cycles:.3g}" if macs else "-"]
    taken = [show_ps(explanation.response_ps), "100", show_aj(explanation.energy_aj)]
    return ["total", "", *numbers, *taken, ""]


def _count(number: int) -> str:
    """A count with a prefix and no unit, from 1000 on to three digits: ``442k``."""
    return str(number) if number < 1000 else show(number, "").replace(" ", "")


def _percent(part: int, whole: int) -> str:
    """``61.3``; never 0.0 for something."""
    percent = f"{100 * part / whole:.1f}"
    return "0" if not part else "100" if part == whole else "<0.1" if percent == "0.0" else percent


def dumps(explanation: Explanation) -> str:
    """The same as JSON text, all numbers exact."""
    return json.dumps(document(explanation), indent=2, ensure_ascii=False) + "\n"


def document(explanation: Explanation) -> dict[str, Any]:
    """The same as plain values."""
    return {
        "platform": explanation.platform,
        "network": explanation.network,
        "block": explanation.block,
        "elsewhere": explanation.elsewhere,
        "layers": [
            {
                **layer.work._asdict(),
                "facts": {fact.key: fact.value for fact in layer.work.facts},
                "time_ps": layer.time_ps,
                "compute_ps": layer.compute_ps,
                "energy_aj": layer.energy_aj,
                "unowned_aj": layer.unowned_aj,
                "bound": layer.bound,
                "where": layer.where,
            }
            for layer in explanation.layers
        ],
        "response_ps": explanation.response_ps,
        "buckets_ps": explanation.buckets_ps,
        "energy_aj": explanation.energy_aj,
        "unowned_aj": explanation.unowned_aj,
        "regulator_aj": explanation.regulator_aj,
        "boot_bytes": explanation.boot_bytes,
        "residency": residency.document(explanation.residency),
    }
