"""Total = accounts = trace, integer for integer, and no dependence on how time is cut."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import ceil
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st
from unit.analysis.made import judge_limits, leg, recording, span, state

from tlm3d.analysis import meter
from tlm3d.analysis.activities import activities, breakpoints_ps, energy_by_aj
from tlm3d.analysis.energy import accounts, booked_aj
from tlm3d.analysis.judge import judge
from tlm3d.analysis.meter import Meter
from tlm3d.analysis.power import trace
from tlm3d.record.recording import LimitInfo, Recording
from tlm3d.units import ceil_div, spent_aj, state_energy_aj


@st.composite
def recordings(draw: st.DrawFn, longest_ps: int = 60, most_aj: int = 500, most_nw: int = 5000) -> Recording:
    """A few activities that overlap, reach over the window, coincide, and spend nothing at times."""
    horizon_ps = draw(st.integers(1, longest_ps))
    start = st.integers(-longest_ps // 4, longest_ps)
    duration = st.integers(1, longest_ps)
    energy = st.integers(0, most_aj)
    activity = st.tuples(start, duration, energy).map(lambda a: (a[0], a[0] + a[1], a[2]))
    interval = st.tuples(start, duration, st.integers(0, most_nw)).map(lambda a: (a[0], a[0] + a[1], a[2]))
    return recording(
        horizon_ps,
        spans=[span(*a, task=draw(st.sampled_from(["-", "classify"]))) for a in draw(st.lists(activity, max_size=5))],
        legs=[leg(*a) for a in draw(st.lists(activity, max_size=3))],
        states=[state(*a) for a in draw(st.lists(interval, max_size=4))],
    )


SMALL = recordings()
HUGE = recordings(longest_ps=10**17, most_aj=10**24, most_nw=10**12)


def spans_and_legs(made: Recording) -> list[tuple[int, int, int]]:
    """(energy_aj, start_ps, end_ps) of what spends by the activity, not by the state."""
    spans = [(fact.energy_aj, fact.start_ps, fact.end_ps) for fact in made.spans]
    return spans + [(fact.energy_aj, fact.start_ps, fact.end_ps) for fact in made.legs]


def spent_by_aj(made: Recording, at_ps: int) -> int:
    """E(at), straight from the functions that book energy."""
    total_aj = 0
    for energy_aj, start_ps, end_ps in spans_and_legs(made):
        total_aj += spent_aj(energy_aj, start_ps, end_ps, at_ps) - spent_aj(energy_aj, start_ps, end_ps, 0)
    for on in made.states:
        start_ps, end_ps = max(on.start_ps, 0), min(on.end_ps, at_ps)
        total_aj += state_energy_aj(on.power_nw, start_ps, end_ps) if start_ps < end_ps else 0
    return total_aj


@given(made=SMALL | HUGE)
def test_the_total_is_the_sum_of_accounts_and_of_the_trace(made: Recording) -> None:
    total_aj = spent_by_aj(made, made.horizon_ps)
    assert sum(account.energy_aj for account in accounts(booked_aj(made))) == total_aj
    assert sum(trace(made).energy_aj) == total_aj
    result = judge(made)
    assert result.total_aj == total_aj
    assert min(trace(made).energy_aj) >= 0


@given(made=SMALL | HUGE, data=st.data())
def test_energy_by_any_instant_is_what_the_booking_functions_say(made: Recording, data: st.DataObject) -> None:
    instants_ps = sorted(data.draw(st.sets(st.integers(0, made.horizon_ps), min_size=1, max_size=20)))
    assert energy_by_aj(activities(made), instants_ps) == [spent_by_aj(made, at_ps) for at_ps in instants_ps]


@given(made=SMALL | HUGE)
def test_an_interval_of_the_trace_holds_what_is_spent_between_its_ends(made: Recording) -> None:
    shown = trace(made)
    for start_ps, end_ps, energy_aj in zip(shown.start_ps, shown.end_ps, shown.energy_aj, strict=True):
        assert energy_aj == spent_by_aj(made, end_ps) - spent_by_aj(made, start_ps)


@given(
    start_ps=st.integers(0, 10**12),
    lengths_ps=st.tuples(st.integers(1, 10**12), st.integers(1, 10**12)),
    power_nw=st.integers(0, 10**12),
)
def test_cutting_a_state_in_two_changes_no_attojoule(start_ps: int, lengths_ps: tuple[int, int], power_nw: int) -> None:
    cut_ps, end_ps = start_ps + lengths_ps[0], start_ps + sum(lengths_ps)
    whole = recording(end_ps, states=[state(start_ps, end_ps, power_nw)])
    halves = recording(end_ps, states=[state(start_ps, cut_ps, power_nw), state(cut_ps, end_ps, power_nw)])
    points_ps = breakpoints_ps(activities(halves), end_ps)
    assert energy_by_aj(activities(whole), points_ps) == energy_by_aj(activities(halves), points_ps)
    assert accounts(booked_aj(whole)) == accounts(booked_aj(halves))


@given(
    start_ps=st.integers(0, 10**12),
    lengths_ps=st.tuples(st.integers(1, 10**12), st.integers(1, 10**12)),
    energy_aj=st.integers(0, 10**20),
)
def test_a_span_cut_in_two_by_its_own_floor_has_spent_the_same_by_every_breakpoint(
    start_ps: int, lengths_ps: tuple[int, int], energy_aj: int
) -> None:
    cut_ps, end_ps = start_ps + lengths_ps[0], start_ps + sum(lengths_ps)
    first_aj = spent_aj(energy_aj, start_ps, end_ps, cut_ps)
    whole = recording(end_ps, spans=[span(start_ps, end_ps, energy_aj)])
    halves = recording(end_ps, spans=[span(start_ps, cut_ps, first_aj), span(cut_ps, end_ps, energy_aj - first_aj)])
    points_ps = breakpoints_ps(activities(halves), end_ps)
    assert energy_by_aj(activities(whole), points_ps) == energy_by_aj(activities(halves), points_ps)
    # A window that ends on the cut sees the same energy on either side of it.
    assert booked_aj(replace(whole, horizon_ps=cut_ps)) == booked_aj(replace(halves, horizon_ps=cut_ps))


def worst_window_by_trying(made: Recording, window_ps: int) -> tuple[int, int]:
    """Power rounded up to a nW, and first start of a window that comes to it, over starts and ends at breakpoints."""
    points_ps = breakpoints_ps(activities(made), made.horizon_ps)
    shifted_ps = {point_ps + by_ps for point_ps in points_ps for by_ps in (0, -window_ps)}
    starts_ps = sorted(start_ps for start_ps in shifted_ps if 0 <= start_ps <= made.horizon_ps - window_ps)
    powers_nw = [
        ceil_div(1000 * (spent_by_aj(made, start_ps + window_ps) - spent_by_aj(made, start_ps)), window_ps)
        for start_ps in starts_ps
    ]
    worst_nw = max(powers_nw)
    return worst_nw, starts_ps[powers_nw.index(worst_nw)]


def worst_peak_by_trying(made: Recording) -> tuple[int, int]:
    """The exact sum of what runs, instant by breakpoint instant."""

    def nw(at_ps: int) -> int:
        powers = [Fraction(1000 * e, end - start) for e, start, end in spans_and_legs(made) if start <= at_ps < end]
        powers += [Fraction(on.power_nw) for on in made.states if on.start_ps <= at_ps < on.end_ps]
        return ceil(sum(powers, Fraction(0)))

    starts_ps = breakpoints_ps(activities(made), made.horizon_ps)[:-1]
    worst_nw = max(map(nw, starts_ps))
    return worst_nw, next(start_ps for start_ps in starts_ps if nw(start_ps) == worst_nw)


@settings(max_examples=200)
@given(made=SMALL | HUGE, data=st.data())
def test_the_worst_window_is_the_one_found_by_trying_them_all(made: Recording, data: st.DataObject) -> None:
    window_ps = data.draw(st.integers(1, made.horizon_ps))
    (found,) = judge_limits([LimitInfo("window", 0, window_ps)], activities(made), made.horizon_ps)
    assert (found.worst_nw, found.at_ps) == worst_window_by_trying(made, window_ps)


@settings(max_examples=200)
@given(made=SMALL | HUGE)
def test_the_worst_peak_is_the_one_found_by_trying_them_all(made: Recording) -> None:
    (found,) = judge_limits([LimitInfo("peak", 0, 0)], activities(made), made.horizon_ps)
    assert (found.worst_nw, found.at_ps) == worst_peak_by_trying(made)


@given(made=SMALL | HUGE, data=st.data())
def test_a_limit_of_exactly_the_worst_power_is_kept_and_one_nanowatt_less_is_not(
    made: Recording, data: st.DataObject
) -> None:
    window_ps = data.draw(st.integers(1, made.horizon_ps))
    for kind, length_ps in (("window", window_ps), ("peak", 0)):
        (found,) = judge_limits([LimitInfo(kind, 0, length_ps)], activities(made), made.horizon_ps)
        assert found.worst_nw is not None
        limits = [LimitInfo(kind, found.worst_nw, length_ps), LimitInfo(kind, found.worst_nw - 1, length_ps)]
        at, below = judge_limits(limits, activities(made), made.horizon_ps)
        assert (at.met, below.met) == (True, False)


@given(made=SMALL, data=st.data())
def test_no_window_anywhere_holds_more_than_the_worst_by_more_than_the_floors(
    made: Recording, data: st.DataObject
) -> None:
    window_ps = data.draw(st.integers(1, made.horizon_ps))
    (found,) = judge_limits([LimitInfo("window", 0, window_ps)], activities(made), made.horizon_ps)
    spent_aj_by = [spent_by_aj(made, at_ps) for at_ps in range(made.horizon_ps + 1)]
    most_aj = max(
        spent_aj_by[at_ps + window_ps] - spent_aj_by[at_ps] for at_ps in range(made.horizon_ps - window_ps + 1)
    )
    assert found.worst_nw is not None
    assert 1000 * (most_aj - 2 * len(activities(made))) <= found.worst_nw * window_ps


@given(made=SMALL)
def test_no_window_averages_more_than_the_peak_by_more_than_the_floors(made: Recording) -> None:
    limits = [LimitInfo("window", 0, made.horizon_ps), LimitInfo("peak", 0, 0)]
    average, peak = judge_limits(limits, activities(made), made.horizon_ps)
    assert average.worst_nw is not None
    assert peak.worst_nw is not None
    slack_aj = 2 * len(activities(made))
    assert (average.worst_nw - 1 - peak.worst_nw) * made.horizon_ps <= 1000 * slack_aj


def close_in_stretches(reading: Meter, made: Recording, cuts_ps: set[int]) -> None:
    """Have ``reading`` read ``made`` up to each of ``cuts_ps`` in turn, and then to its end."""
    left = activities(made)
    with patch.object(meter, "_BATCH", 0):
        for cut_ps in sorted(cuts_ps):
            running = [a._replace(end_ps=cut_ps) for a in left if a.start_ps < cut_ps < a.end_ps]
            reading.read([a for a in left if a.end_ps <= cut_ps], running, cut_ps)
            left = [a for a in left if a.end_ps > cut_ps]
    reading.close(left, made.horizon_ps)


@settings(max_examples=300)
@given(made=recordings(longest_ps=30, most_aj=40, most_nw=3000), data=st.data())
def test_power_read_in_stretches_is_power_read_at_once(made: Recording, data: st.DataObject) -> None:
    """Whatever the cuts: they are no breakpoints, and floors of single attojoules show where one is taken for one."""
    horizon_ps = made.horizon_ps
    windows_ps = data.draw(st.lists(st.integers(1, horizon_ps // 3 + 2), max_size=2))
    limits = [LimitInfo("peak", 0, 0), *(LimitInfo("window", 0, window_ps) for window_ps in windows_ps)]
    once, cut = Meter(limits), Meter(limits)
    once.close(activities(made), horizon_ps)
    close_in_stretches(cut, made, data.draw(st.sets(st.integers(1, horizon_ps), max_size=6)))
    assert cut.limits() == once.limits()
    assert cut.bins_nw() == once.bins_nw()
