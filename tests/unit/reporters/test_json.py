"""The JSON result: its shape, its schema, its exactness."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import tlm3d
from tlm3d.analysis.blame import BUCKETS
from tlm3d.analysis.result import ChainResult, Delay, FirmResult, Result
from tlm3d.bounds.result import Bounds
from tlm3d.reporters.json import document, dumps

SCHEMA = json.loads(files("tlm3d.reporters").joinpath("result.schema.json").read_text(encoding="utf-8"))


def test_both_results_obey_the_schema(missed: Result, met: Result) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    Draft202012Validator(SCHEMA).validate(json.loads(dumps(missed)))
    Draft202012Validator(SCHEMA).validate(json.loads(dumps(met)))


def test_the_schema_refuses_what_it_does_not_know(met: Result) -> None:
    assert not Draft202012Validator(SCHEMA).is_valid(document(met) | {"color": "red"})
    assert not Draft202012Validator(SCHEMA).is_valid(document(met) | {"horizon_ps": 1.5})


def test_the_buckets_of_the_schema_are_those_of_the_analysis() -> None:
    assert tuple(SCHEMA["$defs"]["job"]["properties"]["buckets_ps"]["properties"]) == BUCKETS


def test_every_key_of_the_schema_is_in_the_page_of_documentation() -> None:
    page = (Path(__file__).parents[3] / "docs" / "json.md").read_text(encoding="utf-8")
    documented = {name for row in re.findall(r"^\| `(.+?)`", page, re.M) for name in re.split(r"\W+", row)}
    job = SCHEMA["$defs"]["job"]
    assert _keys(SCHEMA) | _keys(job) <= documented


def _keys(node: dict[str, Any]) -> set[str]:
    keys: set[str] = set()
    for name, part in node.get("properties", {}).items():
        keys |= {name} | (_keys(part) if name != "buckets_ps" else set())
    for part in (node.get("additionalProperties"), node.get("items")):
        keys |= _keys(part) if isinstance(part, dict) else set()
    return keys


def test_integers_stand_beside_the_numbers_for_people(missed: Result) -> None:
    result = document(missed)
    assert result["verdict"] == "missed"
    assert result["version"] == tlm3d.__version__
    assert result["tasks"]["classify"] == {
        "jobs": 3, "judged": 2, "missed": 1, "miss_ratio": 0.5, "open": 1, "finished": 2, "deadline_ps": 33 * 10**9,
        "response_ps": {
            "min": 27 * 10**9, "mean": 34 * 10**9, "p50": 27 * 10**9, "p95": 41 * 10**9, "p99": 41 * 10**9,
            "max": 41 * 10**9, "jitter": 14 * 10**9, "max_is_bound": False,
        },
        "tardiness_ps": {"mean": 4 * 10**9, "max": 8 * 10**9, "is_bound": False},
        "least_slack_ps": -8 * 10**9, "firm": None, "computing_ps": 40 * 10**9,
    }  # fmt: skip
    assert result["tasks"]["control"]["response_ps"] is None
    assert result["power"]["average_mw"] == 1.4
    assert result["power"]["limits"][1] == {
        "kind": "peak", "definition": "instantaneous peak at the rail", "at": "rail",
        "limit_mw": 4.549999, "limit_nw": 4549999,
        "worst_mw": 4.55, "worst_nw": 4550000, "at_ps": 7 * 10**9, "met": False,
        "crossed_ps": 7 * 10**9, "exceeded_ps": 20 * 10**9,
    }  # fmt: skip
    assert result["energy"]["total_aj"] == sum(account["energy_aj"] for account in result["energy"]["accounts"])


def test_the_worst_job_splits_its_response_by_cause_and_holder(missed: Result) -> None:
    worst = document(missed)["worst_job"]
    assert (worst["status"], worst["response_ps"], worst["slack_ps"]) == ("late", 41 * 10**9, -8 * 10**9)
    assert sum(worst["buckets_ps"].values()) == worst["response_ps"]
    assert sum(cause["time_ps"] for cause in worst["causes"]) == worst["response_ps"]
    queue = {"bucket": "link-queue", "where": "tsv:logic>npu"}
    assert worst["causes"][2:4] == [
        queue | {"holder": "wake#0", "time_ps": 8 * 10**9},
        queue | {"holder": "control#14", "time_ps": 10**9},
    ]


def test_chains_and_firm_tasks_obey_the_schema_too(met: Result) -> None:
    delays = (Delay(74 * 10**9, None, 2, 2, is_bound=True), None)
    chain = ChainResult("steer", ("classify", "control"), 50 * 10**9, 60 * 10**9, *delays)
    firm = replace(met.tasks["classify"], firm=FirmResult(2, 3, 3))
    result = document(replace(met, chains={"steer": chain}, tasks={"classify": firm}))
    Draft202012Validator(SCHEMA).validate(result)
    assert result["chains"]["steer"]["reaction_ps"] == {
        "worst": 74 * 10**9, "mean": None, "judged": 2, "lost": 2, "worst_is_bound": True,
    }  # fmt: skip
    assert result["chains"]["steer"]["age_ps"] is None
    assert result["tasks"]["classify"]["firm"] == {"needed": 2, "window": 3, "fewest": 3, "met": True}


def test_the_time_of_blocks_is_told_by_task(missed: Result) -> None:
    assert document(missed)["blocks"] == {
        "npu.array": {"busy_ps": 40 * 10**9, "switching_ps": 0, "computing_ps": {"classify": 40 * 10**9}}
    }


def test_the_order_of_names_and_accounts_changes_no_byte(missed: Result) -> None:
    shuffled = replace(
        missed,
        tasks=dict(reversed(missed.tasks.items())),
        channels=dict(reversed(missed.channels.items())),
        accounts=tuple(reversed(missed.accounts)),
    )
    assert dumps(shuffled) == dumps(missed)


def test_the_text_is_ascii_and_ends_with_a_newline(missed: Result) -> None:
    text = dumps(replace(missed, platform="três\x1b"))
    assert text.isascii()
    assert text.endswith("}\n")
    assert "\x1b" not in text
    assert json.loads(text)["platform"] == "três\x1b"


def test_no_number_is_infinite_or_undefined(missed: Result) -> None:
    with pytest.raises(ValueError):
        dumps(replace(missed, average_nw=float("nan")))


def test_bounds_stand_in_the_result_where_they_were_asked_for(missed: Result, bounds: Bounds) -> None:
    assert document(missed)["bounds"] is None
    result = document(replace(missed, bounds=bounds))
    Draft202012Validator(SCHEMA).validate(result)
    assert result["bounds"]["tasks"]["wake"]["bound_ps"] == 60 * 10**9
