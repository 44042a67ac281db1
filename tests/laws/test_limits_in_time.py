"""When a limit is crossed, how long it is exceeded, and what an exponential average is: picosecond by picosecond."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, localcontext
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from laws.test_energy_adds_up import HUGE, SMALL, close_in_stretches, recordings, spans_and_legs
from laws.test_supply import supplies
from unit.analysis.made import judge_limits, recording, span, state

from tlm3d.analysis.activities import activities
from tlm3d.analysis.ewma import after, crossing_ps
from tlm3d.analysis.meter import Meter
from tlm3d.analysis.result import LimitResult
from tlm3d.analysis.worst_power import ONE
from tlm3d.record.recording import LimitInfo, Recording, SupplyInfo

TINY = Decimal(10) ** -20


def held(made: Recording, *limits: LimitInfo) -> tuple[LimitResult, ...]:
    return judge_limits(limits, activities(made), made.horizon_ps)


def powers_nw(made: Recording) -> list[Fraction]:
    """The exact power of every picosecond of the run."""

    def nw(at_ps: int) -> Fraction:
        powers = [Fraction(1000 * e, end - start) for e, start, end in spans_and_legs(made) if start <= at_ps < end]
        return sum(powers, Fraction(sum(on.power_nw for on in made.states if on.start_ps <= at_ps < on.end_ps)))

    return [nw(at_ps) for at_ps in range(made.horizon_ps)]


def windows_nw(made: Recording, window_ps: int) -> dict[int, Fraction]:
    """By the end of every window inside the run that ends on a whole picosecond: its average."""
    powers = powers_nw(made)
    ends_ps = range(window_ps, made.horizon_ps + 1)
    return {end_ps: sum(powers[end_ps - window_ps : end_ps], Fraction(0)) / window_ps for end_ps in ends_ps}


def ewma_nw(made: Recording, tau_ps: int, from_nw: int) -> dict[int, Decimal]:
    """The average at every picosecond, each from the one before."""
    with localcontext() as context:
        context.prec = 60
        left = (Decimal(-1) / tau_ps).exp()
        averages = {0: Decimal(from_nw)}
        for at_ps, power in enumerate(powers_nw(made)):
            power_nw = Decimal(power.numerator) / power.denominator
            averages[at_ps + 1] = power_nw + (averages[at_ps] - power_nw) * left
        return averages


def over(averages: dict[int, Fraction] | dict[int, Decimal], limit_nw: int) -> tuple[int | None, int]:
    """The first picosecond above the limit, or that begins at it and ends above; and how many there are."""
    last_ps = max(averages)
    above = [
        at_ps
        for at_ps, average in averages.items()
        if average > limit_nw or (average == limit_nw and averages.get(at_ps + 1, average) > limit_nw)
    ]
    return min(above, default=None), sum(at_ps < last_ps for at_ps in above)


def around(values: Sequence[Fraction] | Sequence[Decimal]) -> st.SearchStrategy[int]:
    """Limits that matter: of all values, and about each of them."""
    whole = {ceil(value) + by for value in values for by in (-1, 0, 1)}
    return st.sampled_from(sorted(limit_nw for limit_nw in whole if limit_nw >= 0)) | st.integers(0, max(whole))


@settings(max_examples=200)
@given(made=SMALL, data=st.data())
def test_the_peak_is_over_a_limit_in_the_picoseconds_with_more_power(made: Recording, data: st.DataObject) -> None:
    powers = powers_nw(made)
    limit_nw = data.draw(around(powers))
    (found,) = held(made, LimitInfo("peak", limit_nw, 0))
    above = [at_ps for at_ps, power in enumerate(powers) if power > limit_nw]
    assert (found.crossed_ps, found.exceeded_ps) == (min(above, default=None), len(above))


@st.composite
def even(draw: st.DrawFn) -> Recording:
    """Powers of whole attojoules a picosecond, of which no floor takes anything."""
    made = recording(draw(st.integers(1, 60)))
    parts = st.tuples(st.integers(-10, 60), st.integers(1, 60), st.integers(0, 9))
    made.spans = [span(at, at + length, power * length) for at, length, power in draw(st.lists(parts, max_size=6))]
    return made


@settings(max_examples=300)
@given(made=even(), data=st.data())
def test_a_window_is_over_a_limit_when_those_that_end_there_are(made: Recording, data: st.DataObject) -> None:
    window_ps = data.draw(st.integers(1, made.horizon_ps))
    averages = windows_nw(made, window_ps)
    limit_nw = data.draw(around([*averages.values()]))
    (found,) = held(made, LimitInfo("window", limit_nw, window_ps))
    assert (found.crossed_ps, found.exceeded_ps) == over(averages, limit_nw)


@settings(max_examples=200)
@given(made=SMALL, data=st.data())
def test_floors_of_attojoules_move_a_window_that_is_over_its_limit_no_further_than_they_are(
    made: Recording, data: st.DataObject
) -> None:
    window_ps = data.draw(st.integers(1, made.horizon_ps))
    averages = windows_nw(made, window_ps)
    limit_nw = data.draw(around([*averages.values()]))
    (found,) = held(made, LimitInfo("window", limit_nw, window_ps))
    slack_nw = Fraction(2000 * len(activities(made)), window_ps)
    if found.met:
        assert max(averages.values()) <= limit_nw + slack_nw
    else:
        assert found.worst_nw is not None
        assert found.at_ps is not None
        crossed_ps, exceeded_ps = over(averages, limit_nw)
        end_ps = found.at_ps + window_ps
        assert found.crossed_ps == (end_ps if crossed_ps is None else min(crossed_ps, end_ps))
        assert found.exceeded_ps == exceeded_ps
        assert crossed_ps is not None or found.worst_nw - slack_nw <= limit_nw


@settings(max_examples=300)
@given(made=SMALL, tau_ps=st.integers(1, 200), from_nw=st.integers(0, 5000), data=st.data())
def test_an_ewma_is_what_it_is_from_picosecond_to_picosecond(
    made: Recording, tau_ps: int, from_nw: int, data: st.DataObject
) -> None:
    averages = ewma_nw(made, tau_ps, from_nw)
    worst_nw = max(averages.values())
    limit_nw = data.draw(around([*averages.values()]))
    (found,) = held(made, LimitInfo("ewma", limit_nw, 0, tau_ps=tau_ps, from_nw=from_nw))
    # Within what floats know of an exponential, and what slopes are cut by.
    slack_nw = Decimal(10) ** -12 * (1 + worst_nw)
    assert found.worst_nw in {ceil(worst_nw - slack_nw), ceil(worst_nw + slack_nw)}
    assert found.at_ps is not None
    assert ceil(averages[found.at_ps] + slack_nw) >= found.worst_nw
    if all(abs(average - limit_nw) > slack_nw for average in averages.values()):
        assert (found.crossed_ps, found.exceeded_ps) == over(averages, limit_nw)


@settings(max_examples=200)
@given(made=SMALL | HUGE, tau_ps=st.integers(1, 10**13), from_nw=st.integers(0, 10**6), data=st.data())
def test_a_limit_at_the_worst_is_never_crossed_and_one_a_nanowatt_lower_is(
    made: Recording, tau_ps: int, from_nw: int, data: st.DataObject
) -> None:
    window_ps = data.draw(st.integers(1, made.horizon_ps))
    kinds = [
        LimitInfo("ewma", 1, 0, tau_ps=tau_ps, from_nw=from_nw),
        LimitInfo("peak", 1, 0),
        LimitInfo("window", 1, window_ps),
    ]
    for limit, found in zip(kinds, held(made, *kinds), strict=True):
        assert found.worst_nw is not None
        at, below = held(made, limit._replace(limit_nw=found.worst_nw), limit._replace(limit_nw=found.worst_nw - 1))
        assert (at.met, at.crossed_ps, at.exceeded_ps) == (True, None, 0)
        assert below.met is False
        assert below.crossed_ps is not None
        assert below.at_ps is not None
        assert below.exceeded_ps is not None
        assert 0 <= below.exceeded_ps <= made.horizon_ps - below.crossed_ps
        assert below.crossed_ps <= below.at_ps + limit.window_ps


@given(made=SMALL | HUGE, tau_ps=st.integers(1, 10**13))
def test_an_ewma_from_nothing_never_comes_above_the_peak(made: Recording, tau_ps: int) -> None:
    average, peak = held(made, LimitInfo("ewma", 1, 0, tau_ps=tau_ps), LimitInfo("peak", 1, 0))
    assert average.worst_nw is not None
    assert peak.worst_nw is not None
    assert average.worst_nw <= peak.worst_nw


@given(made=SMALL)
def test_an_ewma_much_shorter_than_every_interval_is_the_peak(made: Recording) -> None:
    slow = recording(
        64 * made.horizon_ps,
        spans=[fact._replace(start_ps=64 * fact.start_ps, end_ps=64 * fact.end_ps) for fact in made.spans],
        states=[fact._replace(start_ps=64 * fact.start_ps, end_ps=64 * fact.end_ps) for fact in made.states],
    )
    average, peak = held(slow, LimitInfo("ewma", 1, 0, tau_ps=1), LimitInfo("peak", 1, 0))
    assert average.worst_nw == peak.worst_nw


@given(made=SMALL | HUGE, tau_ps=st.integers(1, 10**13), levels_nw=st.tuples(*[st.integers(0, 10**6)] * 2))
def test_an_ewma_that_starts_higher_is_never_lower(made: Recording, tau_ps: int, levels_nw: tuple[int, int]) -> None:
    low, high = held(made, *(LimitInfo("ewma", 1000, 0, tau_ps=tau_ps, from_nw=nw) for nw in sorted(levels_nw)))
    assert low.worst_nw is not None
    assert high.worst_nw is not None
    assert low.worst_nw <= high.worst_nw
    assert low.crossed_ps is None or (high.crossed_ps is not None and high.crossed_ps <= low.crossed_ps)


# Floors of attojoules show in the first; in the second they are so little that most cuts need no closer look.
CUT = recordings(longest_ps=30, most_aj=40, most_nw=3000) | recordings(longest_ps=30, most_aj=10**26, most_nw=10**28)


@settings(max_examples=400)
@given(made=CUT, info=st.none() | supplies(), data=st.data())
def test_where_a_run_is_cut_changes_neither_an_average_nor_a_crossing(
    made: Recording, info: SupplyInfo | None, data: st.DataObject
) -> None:
    """Whatever the limits: some are never, some always, and some narrowly exceeded."""
    horizon_ps = made.horizon_ps
    place = data.draw(st.sampled_from(["rail", "battery"])) if info else "rail"
    kinds = [
        LimitInfo("peak", 1, 0, place),
        LimitInfo("window", 1, data.draw(st.integers(1, horizon_ps)), place),
        LimitInfo("ewma", 1, 0, place, data.draw(st.integers(1, 100)), data.draw(st.integers(0, 5000))),
    ]
    first = Meter(kinds, info)
    first.close(activities(made), horizon_ps)
    shares = st.sampled_from([0, 500, 900, 990, 999, 1000, 1001])
    limits = [
        limit._replace(limit_nw=(found.worst_nw or 0) * data.draw(shares) // 1000)
        for limit, found in zip(kinds, first.limits(), strict=True)
    ]
    once, cut = Meter(limits, info), Meter(limits, info)
    once.close(activities(made), horizon_ps)
    close_in_stretches(cut, made, data.draw(st.sets(st.integers(1, horizon_ps), max_size=6)))
    assert cut.limits() == once.limits()


@given(
    level=st.integers(0, 10**9),
    power=st.integers(0, 10**9),
    limit_nw=st.integers(0, 10**9),
    tau_ps=st.integers(1, 10**12),
)
def test_the_average_is_at_the_limit_when_it_is_said_to_cross_it(
    level: int, power: int, limit_nw: int, tau_ps: int
) -> None:
    first, last = level * ONE // 1000, power * ONE // 1000
    wait_ps = crossing_ps(first, last, limit_nw, tau_ps)
    within = min(level, power) < limit_nw < max(level, power)
    if not within:
        assert wait_ps is None or limit_nw in (level, power)
        return
    assert wait_ps is not None
    at, before = (1000 * after(first, last, t, tau_ps) - limit_nw * ONE for t in (wait_ps, wait_ps - 1))
    rise = 1 if power > level else -1
    slack = ONE * max(level, power) >> 40
    assert rise * at >= -slack
    assert rise * before <= slack


def test_a_state_cut_in_two_is_one_to_an_average() -> None:
    """To the last of 30 digits, more than a float has."""
    power_nw, other_nw = 5 * 10**29, 10**28
    whole = recording(1000, states=[state(0, 700, power_nw), state(700, 1000, other_nw)])
    halves = recording(1000, states=[state(0, 333, power_nw), state(333, 700, power_nw), state(700, 1000, other_nw)])
    limit = LimitInfo("ewma", 10**29, 0, tau_ps=777)
    assert held(whole, limit) == held(halves, limit)


def test_a_window_longer_than_the_run_says_nothing_of_time() -> None:
    (found,) = held(recording(100, states=[state(0, 100, 5)]), LimitInfo("window", 1, 101))
    assert (found.met, found.crossed_ps, found.exceeded_ps) == (None, None, None)


@pytest.mark.parametrize(("tau_ps", "crossed_ps"), [(1000, 694), (10**9, 693_147_181)])
def test_half_of_a_constant_power_is_reached_after_tau_ln_2(tau_ps: int, crossed_ps: int) -> None:
    made = recording(10 * tau_ps, states=[state(0, 10 * tau_ps, 1000)])
    (found,) = held(made, LimitInfo("ewma", 500, 0, tau_ps=tau_ps))
    assert (found.crossed_ps, found.exceeded_ps) == (crossed_ps, 10 * tau_ps - crossed_ps)
