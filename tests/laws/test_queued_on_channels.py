"""What is queued on a channel is exact to the burst, and to ask for it changes nothing."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import simpy
from hypothesis import given, settings
from hypothesis import strategies as st
from reference.per_burst import simulate
from reference.traffic_cases import Case, long_case, produced, random_case, with_costly_wires

from tlm3d.tlm.alarm import Alarm
from tlm3d.tlm.channel import Channel
from tlm3d.tlm.fabric import Fabric
from tlm3d.tlm.timing import PLACE

seeds = st.integers(0, 2**32)
Answers = dict[tuple[int, str], int]  # by instant and channel


def _ask(
    answers: Answers, times_ps: list[int], env: simpy.Environment, fabric: Fabric, channels: dict[str, Channel]
) -> None:
    def ask() -> None:
        for name, channel in channels.items():
            answers[int(env.now), name] = fabric.queued_ps(channel)

    for time_ps in times_ps:
        env.schedule(Alarm(env, ask), PLACE, time_ps)


def _times_ps(case: Case, shares: list[float]) -> list[int]:
    """Instants while there is traffic: shares of all of it."""
    runs = [run for runs in simulate(case.wires, case.traffic).runs.values() for run in runs]
    last_ps = max(run.finish_ps or 0 for run in runs)
    return sorted({int(share * last_ps) for share in shares})


def _left_ps(case: Case, time_ps: int, name: str) -> int:
    """By the plain model: wire time after ``time_ps`` of all that has been posted by then."""
    wire = next(wire for wire in case.wires if wire.name == name)
    left_ps = 0
    for runs in simulate(case.wires, case.traffic).runs.values():
        for run in runs:
            if run.posted_ps <= time_ps and name in run.row.route:
                starts_ps = run.starts_ps[run.row.route.index(name)]
                for start_ps, size in zip(starts_ps, run.sizes, strict=True):
                    end_ps = start_ps + wire.occupied_ps(size)
                    left_ps += max(0, end_ps - max(start_ps, time_ps))
    return left_ps


@given(seeds, st.booleans(), st.lists(st.floats(0, 1), min_size=1, max_size=4))
@settings(max_examples=150, deadline=None)
def test_what_is_queued_is_what_every_burst_still_takes(seed: int, is_long: bool, shares: list[float]) -> None:
    case = replace((long_case if is_long else random_case)(seed), until_ps=None)
    answers: Answers = {}
    produced(case, 0, partial(_ask, answers, _times_ps(case, shares)))
    assert answers
    assert answers == {(time_ps, name): _left_ps(case, time_ps, name) for time_ps, name in answers}


@given(seeds, st.booleans(), st.lists(st.floats(0, 1), min_size=1, max_size=4))
@settings(max_examples=150, deadline=None)
def test_asking_changes_nothing(seed: int, is_costly: bool, shares: list[float]) -> None:
    plain = replace(random_case(seed), until_ps=None)
    case = with_costly_wires(plain, seed) if is_costly else plain
    assert produced(case, 0, partial(_ask, {}, _times_ps(case, shares))) == produced(case)
