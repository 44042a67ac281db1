"""A reader of the Trace Event Format that holds a file against its schema and against what its viewers need."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator


@dataclass(frozen=True)
class Slice:
    """A complete event on a named track; times in ps."""

    process: str
    track: str
    name: str
    start_ps: int
    end_ps: int
    category: str
    args: dict[str, Any]


@dataclass(frozen=True)
class Timeline:
    """A whole file, times in ps."""

    processes: tuple[str, ...]  # in the order they are to be shown
    slices: tuple[Slice, ...]
    instants: dict[str, int]
    counters: dict[str, list[tuple[int, Decimal]]]  # by process
    flows: dict[int, list[tuple[str, Slice]]]  # phase, and the slice it is bound to


@cache
def _validator() -> Draft202012Validator:
    schema = json.loads(Path(__file__).with_name("trace_event.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def _ps(microseconds: int | Decimal) -> int:
    exact = microseconds * 10**6
    assert exact == int(exact), f"{microseconds} us is no whole number of picoseconds"
    return int(exact)


def read_trace(text: str, horizon_ps: int, check_schema: bool = True) -> Timeline:
    """Raises an error for what breaks the schema or one of the laws."""
    if check_schema:
        _validator().validate(json.loads(text))
    events = json.loads(text, parse_float=Decimal)["traceEvents"]
    processes, threads = _names(events)
    slices: list[Slice] = []
    tracks: defaultdict[tuple[int, int], list[Slice]] = defaultdict(list)
    for event in events:
        if event["ph"] == "X":
            start_ps = _ps(event["ts"])
            made = Slice(
                processes[event["pid"]], threads[event["pid"], event["tid"]], event["name"], start_ps,
                start_ps + _ps(event["dur"]), event["cat"], event.get("args", {}),
            )  # fmt: skip
            slices.append(made)
            tracks[event["pid"], event["tid"]].append(made)
    _check_tracks(tracks, horizon_ps)
    instants, counters = {}, defaultdict(list)
    for event in events:
        if event["ph"] == "i":
            assert (event["pid"], event["tid"]) in threads
            assert event["name"] not in instants
            instants[event["name"]] = _ps(event["ts"])
        elif event["ph"] == "C":
            counters[processes[event["pid"]]].append((_ps(event["ts"]), Decimal(event["args"]["mW"])))
    assert all(0 <= at_ps <= horizon_ps for at_ps in instants.values())
    for name, values in counters.items():
        times_ps = [at_ps for at_ps, _ in values]
        assert times_ps == sorted(set(times_ps)), f"the counter of {name} is not in order"
        assert (times_ps[0], times_ps[-1]) == (0, horizon_ps)
    return Timeline(tuple(processes.values()), tuple(slices), instants, dict(counters), _flows(events, tracks))


def _names(events: list[dict[str, Any]]) -> tuple[dict[int, str], dict[tuple[int, int], str]]:
    processes: dict[int, str] = {}
    threads: dict[tuple[int, int], str] = {}
    order: dict[str, list[int]] = defaultdict(list)
    for event in events:
        if event["ph"] == "M" and event["name"] == "process_name":
            assert event["pid"] not in processes
            processes[event["pid"]] = event["args"]["name"]
        elif event["ph"] == "M" and event["name"] == "thread_name":
            assert (event["pid"], event["tid"]) not in threads
            threads[event["pid"], event["tid"]] = event["args"]["name"]
        elif event["ph"] == "M":
            order[event["name"]].append(event["args"]["sort_index"])
    assert len(set(threads.values())) == len(threads), "two tracks have the same name"
    tids = [tid for _, tid in threads]
    assert len({*tids, *processes}) == len(tids) + len(processes), "a number belongs to two threads or processes"
    for name, of in (("process_sort_index", processes), ("thread_sort_index", threads)):
        assert order[name] == sorted(set(order[name]))
        assert len(order[name]) == len(of)
    return processes, threads


def _check_tracks(tracks: dict[tuple[int, int], list[Slice]], horizon_ps: int) -> None:
    for of_track in tracks.values():
        until_ps = 0
        for made in of_track:
            assert until_ps <= made.start_ps < made.end_ps <= horizon_ps, f"{made} overlaps or leaves the window"
            until_ps = made.end_ps


def _flows(
    events: list[dict[str, Any]], tracks: dict[tuple[int, int], list[Slice]]
) -> dict[int, list[tuple[str, Slice]]]:
    starts = {place: {made.start_ps: made for made in of_track} for place, of_track in tracks.items()}
    flows: defaultdict[int, list[tuple[str, Slice]]] = defaultdict(list)
    for event in events:
        if event["ph"] in ("s", "t", "f"):
            bound = starts[event["pid"], event["tid"]][_ps(event["ts"])]
            flows[event["id"]].append((event["ph"], bound))
            assert (event["ph"] == "f") == ("bp" in event)
    for flow in flows.values():
        phases = "".join(phase for phase, _ in flow)
        assert phases == "s" + "t" * (len(flow) - 2) + "f", f"a flow goes {phases}"
        times_ps = [bound.start_ps for _, bound in flow]
        assert times_ps == sorted(times_ps)
    return dict(flows)
