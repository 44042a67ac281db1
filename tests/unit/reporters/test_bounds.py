"""Bounds in the terminal and as JSON: what is guaranteed, what is not, and why there is none."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from fractions import Fraction
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from rich.cells import cell_len
from rich.console import Console

from tlm3d.bounds.result import Bounds, Part
from tlm3d.bounds.sensitivity import Edge, RateMargin, Sensitivity, TimeMargin
from tlm3d.reporters.bounds import document, dumps, render

MS = 10**9
SCHEMA, RESULT = (
    json.loads(files("tlm3d.reporters").joinpath(f"{name}.schema.json").read_text(encoding="utf-8"))
    for name in ("bounds", "result")
)
SENSITIVITY = Sensitivity(
    (
        TimeMargin("classify", "npu.array", 20 * MS, Edge(Fraction("0.41"), Fraction("0.411")), ("classify",)),
        TimeMargin("wake", "npu.array", 10 * MS, Edge(Fraction(1000))),
        TimeMargin("wake", "logic.cluster", 5 * MS, None),
    ),
    (
        RateMargin("bond", Fraction(10**7), False, None),
        RateMargin("tsv", Fraction(10**7), True, Edge(Fraction(12_300_000), Fraction(12_200_000)), ("wake", "steer")),
    ),
)


def text(bounds: Bounds, width: int = 80, sensitivity: Sensitivity | None = None) -> str:
    file = io.StringIO()
    render(bounds, sensitivity, Console(file=file, width=width))
    return file.getvalue()


def section(report: str, title: str) -> list[str]:
    """Its rows, blanks as one."""
    return [" ".join(line.split()) for line in report.split(f"\n{title}")[1].split("\n\n")[0].splitlines()]


def test_the_first_line_is_the_verdict_and_what_is_wrong(bounds: Bounds, guaranteed: Bounds) -> None:
    late = "BOUND: NOT GUARANTEED classify up to 45.0 ms > 33.0 ms; no bound of control"
    assert text(bounds).splitlines()[:2] == [late, "three-tier-vision · always-on-vision · edf · high corner"]
    kept = "BOUND: GUARANTEED every deadline of 1 task is kept, whatever happens"
    assert text(guaranteed).splitlines()[0] == kept
    unknown = replace(bounds, tasks={"control": bounds.tasks["control"]})
    assert text(unknown).splitlines()[0] == "BOUND: NO BOUND of control"


def test_many_tasks_without_a_bound_become_three_and_a_count(bounds: Bounds) -> None:
    control = bounds.tasks["control"]
    many = replace(bounds, tasks={name: replace(control, task=name) for name in "abcde"})
    assert text(many).splitlines()[0] == "BOUND: NO BOUND of a, b, c and 2 more"
    late = {name: replace(bounds.tasks["classify"], task=name) for name in "abcd"}
    first = text(replace(bounds, tasks=late)).splitlines()[0].split("; ")
    assert (len(first), first[-1]) == (4, "and 1 more")


def test_a_bound_just_beyond_its_deadline_is_shown_with_the_digits_that_tell(bounds: Bounds) -> None:
    classify = replace(bounds.tasks["classify"], bound_ps=33 * MS + 10**4)
    first = text(replace(bounds, tasks={"classify": classify})).splitlines()[0]
    assert first == "BOUND: NOT GUARANTEED classify up to 33.00001 ms > 33.00000 ms"


@pytest.mark.parametrize("width", [80, 100, 120])
def test_no_line_is_wider_than_the_page(bounds: Bounds, width: int) -> None:
    report = text(bounds, width, SENSITIVITY)
    assert max(map(cell_len, report.splitlines())) <= width
    for number in ("45.0 ms", "-12.0 ms", "136.4", "28.0 ms", "70.0", "12.3 Mbit/s"):
        assert number in report


def test_a_task_without_a_bound_says_none_and_why(bounds: Bounds) -> None:
    rows = section(text(bounds), "Tasks")
    assert rows[2:] == [
        "classify 20.0 ms 45.0 ms 33.0 ms -12.0 ms 136.4 OVER",
        "control 1.00 ms none 5.00 ms - -",
        "wake 30.0 ms 60.0 ms 75.0 ms 15.0 ms 80.0 ok",
        "no bound of control: bits of tsv may be sent again without end",
    ]


def test_tasks_that_lack_a_bound_for_one_reason_share_a_sentence(bounds: Bounds) -> None:
    control = bounds.tasks["control"]
    both = replace(bounds, tasks={"a": replace(control, task="a"), "control": control})
    assert section(text(both), "Tasks")[-1] == "no bound of a, control: bits of tsv may be sent again without end"


def test_a_task_whose_jobs_may_be_dropped_keeps_no_deadline_for_certain(guaranteed: Bounds) -> None:
    wake = replace(guaranteed.tasks["wake"], drops="up to 3 jobs at once, more than one and a backlog of 1")
    drops = replace(guaranteed, tasks={"wake": wake})
    assert text(drops).splitlines()[0] == "BOUND: NOT GUARANTEED jobs of wake may be dropped"
    assert section(text(drops), "Tasks")[2:] == [
        "wake 30.0 ms 60.0 ms 75.0 ms 15.0 ms 80.0 drops",
        "wake: up to 3 jobs at once, more than one and a backlog of 1",
    ]
    told = document(drops)["tasks"]["wake"]
    assert (told["met"], told["drops"]) == (False, wake.drops)


def test_the_parts_of_a_bound_at_one_place_are_one_row_and_add_up(bounds: Bounds) -> None:
    rows = section(text(bounds, 100), "What the bounds are made of")
    assert rows[3:7] == [
        "classify sensing - 7.00 ms 15.6 7.00 ms - -",
        "conv npu.array 28.0 ms 62.2 20.0 ms 5.00 ms 3.00 ms",
        "softmax logic.cluster 10.0 ms 22.2 4.00 ms - 6.00 ms",
        "wake net npu.array 60.0 ms 100 30.0 ms 30.0 ms -",
    ]


def test_of_many_parts_the_largest_stay_in_their_order(bounds: Bounds) -> None:
    parts = tuple(Part(f"step{i}", "npu.array", i * MS, i * MS) for i in (3, 1, 9, 2, 8, 7, 6))
    wake = replace(bounds.tasks["wake"], bound_ps=36 * MS, parts=parts)
    rows = section(text(replace(bounds, tasks={"wake": wake}), 100), "What the bounds are made of")
    assert [row.removeprefix("wake ").split()[0] for row in rows[3:]] == [
        "step3", "step9", "step8", "step7", "step6", "2",
    ]  # fmt: skip
    assert rows[-1] == "2 more 3.00 ms 8.3 3.00 ms - -"


def test_what_a_chain_asks_for_is_held_against_its_bound(bounds: Bounds, guaranteed: Bounds) -> None:
    rows = section(text(bounds, 120), "Chains")
    assert rows[2:] == [
        "steer reaction 70.0 ms 100 ms 30.0 ms 70.0 ok",
        "data age none - - -",
        "no bound of steer data age: control has no bound",
    ]
    late = text(replace(guaranteed, chains={"late": replace(guaranteed.chains["late"], deadline_ps=69 * MS)}))
    assert late.splitlines()[0] == "BOUND: NOT GUARANTEED late reaction up to 70.0 ms > 69.0 ms"


def test_servers_are_told_busiest_first_and_those_beyond_all_time_marked(bounds: Bounds) -> None:
    asked = replace(bounds, servers={"logic.cluster": Fraction(1, 4), "npu.array": Fraction(104, 100)})
    rows = section(text(asked), "Utilisation")
    assert rows[2].startswith("npu.array 104.0 ")
    assert rows[2].endswith(" OVER")
    assert rows[3].startswith("logic.cluster 25.0 ")


def test_sensitivity_says_how_far_or_what_would_be_needed(guaranteed: Bounds) -> None:
    report = text(guaranteed, 120, SENSITIVITY)
    assert section(report, "How much longer may it compute")[2:] == [
        "classify npu.array 20.0 ms 8.20 ms x0.410 classify",
        "wake npu.array 10.0 ms ≥10.0 s ≥x1000",
        "wake logic.cluster 5.00 ms none -",
        "none: nothing down to a 1000th of the time alone makes every bound kept",
    ]
    assert section(report, "How much slower may a link be")[2:] == [
        "bond 10.0 Mbit/s none -",
        "tsv 10.0 Mbit/s 12.3 Mbit/s x1.23 wake, steer",
        "none: nothing up to 1000 times the rate alone makes every bound kept",
    ]


# ------------------------------------------------------------ for programs


def _valid(told: Any) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    both = [(one["$id"], Resource.from_contents(one)) for one in (SCHEMA, RESULT)]
    Draft202012Validator(SCHEMA, registry=Registry().with_resources(both)).validate(told)


@pytest.mark.parametrize("sensitivity", [None, SENSITIVITY])
def test_the_document_obeys_its_schema(bounds: Bounds, guaranteed: Bounds, sensitivity: Sensitivity | None) -> None:
    for one in (bounds, guaranteed):
        told = dumps(one, sensitivity)
        assert told.isascii()
        assert told.endswith("}\n")
        _valid(json.loads(told))


def test_times_are_exact_and_what_is_not_known_is_null(bounds: Bounds) -> None:
    told = document(bounds)
    assert (told["verdict"], told["corner"]) == ("not-guaranteed", "high")
    classify, control = told["tasks"]["classify"], told["tasks"]["control"]
    assert (classify["bound_ps"], classify["slack_ps"], classify["met"]) == (45 * MS, -12 * MS, False)
    assert sum(part["time_ps"] for part in classify["parts"]) == classify["bound_ps"]
    assert (control["bound_ps"], control["slack_ps"], control["met"]) == (None, None, None)
    assert control["reason"] == "bits of tsv may be sent again without end"
    assert told["chains"]["steer"]["met"] is True  # what it asks for is; the data age it does not ask for
    assert told["servers"]["npu.array"] == {"utilisation": 0.7, "demand_kept": None, "demand_at_ps": None}


def test_margins_are_numbers_and_null_where_nothing_will_do(guaranteed: Bounds) -> None:
    told = json.loads(dumps(guaranteed, SENSITIVITY))["sensitivity"]
    assert [(one["factor"], one["beyond"], one["most_ps"]) for one in told["times"]] == [
        (0.41, 0.411, 8_200_000_000),
        (1000, None, 10**13),
        (None, None, None),
    ]
    assert [(one["least_bps"], one["beyond_bps"], one["first"]) for one in told["rates"]] == [
        (None, None, []),
        (12_300_000, 12_200_000, ["wake", "steer"]),
    ]


def test_every_key_is_in_the_page_of_documentation() -> None:
    page = (Path(__file__).parents[3] / "docs" / "json.md").read_text(encoding="utf-8")
    page = page.partition("## JSON of `tlm3d bound`")[2].partition("\n## ")[0]
    documented = set(re.findall(r"^\| `(.+?)`", page, re.M))
    assert set(_paths(SCHEMA, "")) == documented


def _paths(node: dict[str, Any], at: str) -> list[str]:
    """Every key of a schema as docs/json.md writes it."""
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        node = RESULT["$defs"]["bounds"]["properties"][name]
    found = [at] if at else []
    for name, part in node.get("properties", {}).items():
        found += _paths(part, f"{at}.{name}" if at else name)
    if isinstance(node.get("additionalProperties"), dict):
        found += _paths(node["additionalProperties"], f"{at}.*")
    if node.get("items", {}).get("type") == "object":
        found += _paths(node["items"], f"{at}[]")
    return found
