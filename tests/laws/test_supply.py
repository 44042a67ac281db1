"""Between the battery and the rail: never a gain, nothing lost where nothing is to lose, no dependence on cuts."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from math import ceil

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from laws.test_energy_adds_up import HUGE, SMALL, close_in_stretches, recordings
from laws.test_recording_kept import exported_aj, numbers, run, sliced
from reference.random_systems import systems
from reference.systems import Case
from unit.analysis.made import recording, state

from tlm3d.analysis.activities import activities, breakpoints_ps, energy_by_aj
from tlm3d.analysis.judge import judge
from tlm3d.analysis.meter import Meter
from tlm3d.analysis.power import trace
from tlm3d.analysis.supply import Regulator
from tlm3d.analysis.worst_power import powers_at
from tlm3d.errors import ElaborationError
from tlm3d.record.kept import FULL, TOTALS, Kept
from tlm3d.record.recording import LimitInfo, Recording, SupplyInfo
from tlm3d.units import ceil_div

LOSSLESS = SupplyInfo("linear", ((Fraction(0), Fraction(0)),), Fraction(1), None)


@st.composite
def supplies(draw: st.DrawFn) -> SupplyInfo:
    """Input that never falls as load rises and is never less than it; loads about those of the recordings."""
    loads_nw = sorted(draw(st.sets(st.integers(1, 3_000_000), max_size=4)))
    vertices = [(Fraction(0), Fraction(draw(st.integers(0, 500))))]
    for load_nw in loads_nw:
        least = max(vertices[-1][1], Fraction(load_nw))
        vertices.append((Fraction(load_nw), least + draw(st.fractions(0, 10_000, max_denominator=97))))
    slope = 1 / draw(st.fractions(Fraction(1, 10), 1, max_denominator=100))
    last_nw, input_nw = vertices[-1]
    return SupplyInfo("switching", tuple(vertices), slope, last_nw if input_nw else None)


def input_by_hand_nw(info: SupplyInfo, load_nw: Fraction) -> Fraction:
    """Straight between the two points around the load, by their weights."""
    for (low, taken_low), (high, taken_high) in pairwise(info.points):
        if low <= load_nw <= high:
            return (taken_low * (high - load_nw) + taken_high * (load_nw - low)) / (high - low)
    last, taken = info.points[-1]
    return taken + (load_nw - last) * info.slope


def loads_nw(made: Recording) -> tuple[list[int], list[Fraction]]:
    """Breakpoints, and the exact power at the rail from each of them on but the last."""
    spending = activities(made)
    points_ps = breakpoints_ps(spending, made.horizon_ps)
    return points_ps, [1000 * load for load in powers_at(spending, points_ps[:-1])]


@given(info=supplies(), load_nw=st.fractions(0, 10**7, max_denominator=10**6))
def test_input_is_on_the_line_between_the_points_and_never_less_than_the_load(
    info: SupplyInfo, load_nw: Fraction
) -> None:
    taken_nw = Regulator(info).input_nw(load_nw)
    assert taken_nw == input_by_hand_nw(info, load_nw)
    assert taken_nw >= load_nw


@given(made=SMALL | HUGE, info=supplies())
def test_energy_at_the_battery_is_what_the_breakpoints_come_to_and_the_accounts_add_up_to_it(
    made: Recording, info: SupplyInfo
) -> None:
    made.supply = info
    result = judge(made)
    assert result.battery is not None
    assert result.battery.total_aj >= result.total_aj
    assert sum(account.energy_aj for account in result.accounts) == result.battery.total_aj
    assert result.total_aj + result.battery.loss_aj == result.battery.total_aj
    power = trace(made)
    assert power.battery_aj is not None
    assert sum(power.battery_aj) == result.battery.total_aj
    assert all(battery >= rail for battery, rail in zip(power.battery_aj, power.energy_aj, strict=True))
    points_ps, powers_nw = loads_nw(made)
    spans = [later - sooner for sooner, later in pairwise(points_ps)]
    lost = [(input_by_hand_nw(info, p) - p) * t / 1000 for p, t in zip(powers_nw, spans, strict=True)]
    # A floor at either end of each interval, and 2^-40 nW of rounding up.
    slack = len(lost) + Fraction(made.horizon_ps, 1000 * 2**40)
    assert abs(result.battery.loss_aj - sum(lost)) <= slack


@given(made=SMALL | HUGE)
def test_a_supply_that_loses_nothing_changes_no_number(made: Recording) -> None:
    made.limits = (LimitInfo("peak", 0, 0), LimitInfo("window", 0, max(1, made.horizon_ps // 3)))
    bare = judge(replace(made))
    result = judge(replace(made, supply=LOSSLESS))
    assert result.battery is not None
    assert (result.battery.total_aj, result.battery.average_nw) == (bare.total_aj, bare.average_nw)
    assert (result.accounts, result.limits) == (bare.accounts, bare.limits)
    at_battery = judge(replace(made, supply=LOSSLESS, limits=tuple(x._replace(at="battery") for x in made.limits)))
    assert [(x.worst_nw, x.at_ps) for x in at_battery.limits] == [(x.worst_nw, x.at_ps) for x in bare.limits]


@given(made=SMALL | HUGE, info=supplies(), more_nw=st.integers(1, 10**6))
def test_more_quiescent_power_takes_no_less_energy(made: Recording, info: SupplyInfo, more_nw: int) -> None:
    (_, quiescent_nw), *points = info.points
    quiescent_nw = min(quiescent_nw + more_nw, points[0][1]) if points else quiescent_nw + more_nw
    hungrier = info._replace(points=((Fraction(0), quiescent_nw), *points))
    less, more = judge(replace(made, supply=info)).battery, judge(replace(made, supply=hungrier)).battery
    assert less is not None
    assert more is not None
    intervals = len(breakpoints_ps(activities(made), made.horizon_ps)) - 1
    assert more.total_aj >= less.total_aj - intervals  # the floors of each


def test_a_nanowatt_of_quiescent_power_is_a_nanojoule_a_second() -> None:
    made = recording(10**12, states=[state(0, 10**12, 5000)])
    lost = []
    for quiescent_nw in (700, 701):
        made.supply = SupplyInfo("linear", ((Fraction(0), Fraction(quiescent_nw)),), Fraction(1), None)
        battery = judge(made).battery
        assert battery is not None
        lost.append(battery.loss_aj)
    assert lost == [700 * 10**9, 701 * 10**9]


@given(made=SMALL, info=supplies())
def test_the_peak_at_the_battery_is_the_largest_input_rounded_up_and_a_nanowatt_less_is_missed(
    made: Recording, info: SupplyInfo
) -> None:
    _, powers_nw = loads_nw(made)
    inputs_nw = [ceil(input_by_hand_nw(info, load_nw)) for load_nw in powers_nw]
    worst_nw = max(inputs_nw)
    found = held(made, info, LimitInfo("peak", worst_nw, 0, "battery"))
    assert (found.worst_nw, found.met) == (worst_nw, True)
    assert found.at_ps == loads_nw(made)[0][inputs_nw.index(worst_nw)]
    assert held(made, info, LimitInfo("peak", worst_nw - 1, 0, "battery")).met is False


@given(made=SMALL, info=supplies(), data=st.data())
def test_the_worst_window_at_the_battery_is_that_found_by_trying_and_a_nanowatt_less_is_missed(
    made: Recording, info: SupplyInfo, data: st.DataObject
) -> None:
    window_ps = data.draw(st.integers(1, made.horizon_ps))
    rail = activities(made)
    points_ps = breakpoints_ps(rail, made.horizon_ps)
    power = Regulator(info)
    grid = 2**40
    # A state a interval: by the exact power, rounded up to the grid.
    levels = [ceil((power.input_nw(load) - load) * grid) for load in loads_nw(made)[1]]

    def spent_by_aj(at_ps: int) -> int:
        lost = 0
        for level, (start_ps, end_ps) in zip(levels, pairwise(points_ps), strict=True):
            end_ps = min(end_ps, at_ps)
            lost += level * end_ps // (1000 * grid) - level * start_ps // (1000 * grid) if start_ps < end_ps else 0
        return energy_by_aj(rail, [at_ps])[0] + lost

    shifted_ps = {point_ps + by_ps for point_ps in points_ps for by_ps in (0, -window_ps)}
    starts_ps = sorted(start_ps for start_ps in shifted_ps if 0 <= start_ps <= made.horizon_ps - window_ps)
    most = [ceil_div(1000 * (spent_by_aj(s + window_ps) - spent_by_aj(s)), window_ps) for s in starts_ps]
    worst_nw = max(most)
    found = held(made, info, LimitInfo("window", worst_nw, window_ps, "battery"))
    assert (found.worst_nw, found.at_ps, found.met) == (worst_nw, starts_ps[most.index(worst_nw)], True)
    assert held(made, info, LimitInfo("window", worst_nw - 1, window_ps, "battery")).met is False


def held(made: Recording, info: SupplyInfo, limit: LimitInfo):  # type: ignore[no-untyped-def]
    (found,) = judge(replace(made, supply=info, limits=(limit,))).limits
    return found


@settings(max_examples=300)
@given(made=recordings(longest_ps=30, most_aj=40, most_nw=3000), info=supplies(), data=st.data())
def test_a_loss_read_in_stretches_is_the_loss_read_at_once(
    made: Recording, info: SupplyInfo, data: st.DataObject
) -> None:
    horizon_ps = made.horizon_ps
    windows_ps = data.draw(st.lists(st.integers(1, horizon_ps // 3 + 2), max_size=2))
    places = st.sampled_from(["rail", "battery"])
    limits = [LimitInfo("window", 0, window_ps, data.draw(places)) for window_ps in windows_ps]
    limits += [LimitInfo("peak", 0, 0, "battery")] * data.draw(st.integers(0, 1))
    once, cut = Meter(limits, info), Meter(limits, info)
    once.close(activities(made), horizon_ps)
    close_in_stretches(cut, made, data.draw(st.sets(st.integers(1, horizon_ps), max_size=6)))
    assert cut.loss_aj == once.loss_aj
    assert cut.limits() == once.limits()
    assert cut.beyond_nw() == once.beyond_nw()


TREE = {
    "kind": "switching",
    "quiescent": "3 uW",
    "points": [{"load": "20 uW", "efficiency": "60 %"}, {"load": "2 mW", "efficiency": "0.85"}],
}
LIMITS = [
    {"limit": "1 mW", "window": "3 us", "at": "battery"},
    {"limit": "2 mW", "peak": "true", "at": "battery"},
    {"limit": "1 mW", "window": "3 us"},
    {"limit": "100 uW", "ewma": "2 us", "at": "battery"},
    {"limit": "1 mW", "ewma": "500 ns", "from": "2 mW"},
]


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(systems(), st.sampled_from([(211_000, 1), (781_250, 1)]), st.none() | st.integers(1, 49_000_000))
def test_a_run_with_a_supply_comes_to_the_same_whatever_is_kept_interrupted_or_not(
    case: Case, slices: tuple[int, int], stop_ps: int | None
) -> None:
    fed = replace(case, platform={**case.platform, "supply": TREE, "limits": LIMITS})
    try:
        system = fed.system()
    except ElaborationError:
        assume(False)
    with sliced(*slices):
        totals = run(system, TOTALS, stop_ps)
        full = run(fed.system(), FULL, stop_ps)
        end_ps = full.horizon_ps
        parts = [run(fed.system(), Kept("window", *w), stop_ps) for w in ((0, end_ps // 3), (end_ps // 3, end_ps))]
    assert full.battery is not None
    assert full.battery.loss_aj > 0
    assert numbers(totals, full) == full
    power = trace(full.recording).battery_aj
    assert power is not None
    assert sum(power) == full.battery.total_aj
    lost = [trace(part.recording).battery_aj for part in parts]
    assert sum(sum(one) for one in lost if one is not None) == full.battery.total_aj
    assert exported_aj(full)[0]["power"] == full.total_aj
