"""What a placement goes by: an estimate that is the truth where nobody else comes, and no order of lines."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from reference.placement_cases import Chooser, outcomes, played, random_case, study
from reference.systems import Case

seeds = st.integers(0, 2**32)
US = 10**6


def _alone(seed: int) -> Case:
    """The first layer of the first task of a random case, once, by itself."""
    case = random_case(seed)
    name = next(iter(case.networks))
    networks = {name: {**case.networks[name], "layers": case.networks[name]["layers"][:1]}}
    task = {**case.workload["tasks"][name], "map": {"default": ["x", "y"]}}
    return replace(case, workload={"name": "alone", "tasks": {name: task}}, networks=networks, horizon_ps=390 * US)


def _unforeseen_ps(case: Case, block: str) -> int:
    """Wire time of the stores that are under way on a channel at the same time as a load; and all waking of links."""
    system = case.system()
    system._policy = Chooser(0, block)
    recording = system.run()
    legs = recording.legs
    wake_ups_ps = sum(span.end_ps - span.start_ps for span in recording.spans if span.what == "wake-up")
    stores = [leg for leg in legs if leg.initiator == f"{block}.store"]
    loads = [leg for leg in legs if leg.initiator == f"{block}.load"]
    return wake_ups_ps + sum(
        store.busy_ps
        for store in stores
        if any(
            load.channel == store.channel and load.posted_ps < store.end_ps and store.posted_ps < load.end_ps
            for load in loads
        )
    )


@given(seeds)
@settings(max_examples=100, deadline=None)
def test_an_item_by_itself_takes_as_long_as_estimated_where_its_loads_and_stores_do_not_meet(seed: int) -> None:
    """Where they meet it takes longer, by no more than those stores occupy the wire. A gated link costs less than
    estimated where the bursts that have waited for it then go faster than they come, and more where it falls asleep
    between them."""
    case = _alone(seed)
    chooser = Chooser()
    played(case, chooser)
    decision = chooser.decisions[0]
    ends_ps = outcomes(case, 0, decision)
    gated = case.platform["links"]["tsv"].get("gated")
    for option in decision.options:
        late_ps = ends_ps[option.block] - option.finish_ps
        assert late_ps <= _unforeseen_ps(case, option.block)
        if gated is None:
            assert late_ps >= 0


@given(seeds, st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_choices_do_not_depend_on_the_order_of_the_files(seed: int, order: int) -> None:
    case = replace(random_case(seed), horizon_ps=390 * US)
    chooser, other = Chooser(), Chooser()
    assert played(case, chooser) == played(case.shuffled(order), other)
    assert chooser.decisions == other.decisions


def test_nearly_all_choices_are_those_that_a_run_of_each_shows_to_be_better() -> None:
    """Of 1406 choices in 600 systems that made a difference 19 were wrong, mostly for what nobody could know yet; of
    those by computing time alone 86 were, and they lost four times as much time."""
    found = study(range(60))
    assert found.right + found.wrong > 100
    assert found.wrong <= 0.03 * found.right
    assert found.lost_ps <= 0.03 * found.best_ps
