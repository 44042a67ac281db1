"""Regulators against numbers worked by hand."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from reference.systems import as_text
from unit.analysis.made import job, recording, span, state

from tlm3d.analysis.judge import judge
from tlm3d.analysis.supply import Regulator
from tlm3d.plugins import load_kind
from tlm3d.record.recording import LimitInfo, Recording, SupplyInfo

MS = 10**9
UW, MW = 10**3, 10**6


def info(**keys: Any) -> SupplyInfo:
    spec = load_kind("supplies", keys["kind"]).model_validate(as_text(keys))
    points, slope = spec.curve()
    return SupplyInfo(spec.kind, points, slope, spec.rated_nw)


def points(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"load": load, "efficiency": efficiency} for load, efficiency in pairs]


CONVERTER = info(
    kind="switching",
    quiescent="0.5 uW",
    points=points(("1 mW", "80 %"), ("10 uW", "62.5 %"), ("100 mW", "0.8")),
)


@pytest.mark.parametrize(
    ("load_nw", "input_nw"),
    [
        (0, 500),  # quiescent
        (10 * UW, 16 * UW),  # 10 / 0.625
        (5 * UW, 8250),  # half way from 0.5 to 16 uW
        (MW, 1250 * UW),
        (505 * UW, 633 * UW),  # half way from 16 to 1250 uW
        (100 * MW, 125 * MW),
        (200 * MW, 250 * MW),  # beyond the last point its efficiency
    ],
)
def test_a_converter_takes_a_straight_line_of_power_between_the_loads_measured_at(load_nw: int, input_nw: int) -> None:
    assert Regulator(CONVERTER).input_nw(Fraction(load_nw)) == input_nw


def test_an_ldo_takes_the_current_of_its_load_at_the_voltage_of_the_battery() -> None:
    # 3 V to 1.2 V: 2.5 times the power, 40 %; 1 uA of ground current at 3 V is 3 uW.
    ldo = info(kind="linear", input="3 V", output="1200 mV", quiescent="3 uW")
    assert Regulator(ldo).input_nw(Fraction(2 * MW)) == 5 * MW + 3 * UW
    assert Regulator(ldo).rated_nw is None


def day(power: list[tuple[int, int]]) -> Recording:
    """States one after the other: (until, nW)."""
    states, since_ps = [], 0
    for until_ps, nw in power:
        states.append(state(since_ps, until_ps, nw))
        since_ps = until_ps
    return recording(since_ps, states=states)


def test_a_duty_cycled_load_takes_more_than_its_average_would() -> None:
    # 1 ms at 1 mW and 9 ms at 10 uW: 1.25 uJ and 9 · 16 = 144 nJ at the battery, of 1 uJ and 90 nJ at the rail.
    made = replace(day([(MS, MW), (10 * MS, 10 * UW)]), supply=CONVERTER)
    result = judge(made)
    assert result.battery is not None
    assert result.total_aj == 1_090_000 * 10**6
    assert result.battery.total_aj == 1_394_000 * 10**6
    assert result.battery.loss_aj == 304_000 * 10**6
    assert result.average_nw == 109_000
    assert result.battery.average_nw == 139_400
    (lost,) = [account for account in result.accounts if account.what == "regulator"]
    assert (lost.die, lost.component, lost.task, lost.energy_aj) == ("-", "supply", "-", 304_000 * 10**6)
    assert result.notes == ()


def test_a_limit_says_whether_it_bounds_the_rail_or_the_battery() -> None:
    limits = tuple(
        LimitInfo(kind, nw, window_ps, at)
        for kind, window_ps, nw, at in (
            ("peak", 0, 1_249_999, "battery"),
            ("peak", 0, 1_250_000, "battery"),
            ("peak", 0, 1_000_000, "rail"),
            ("window", 2 * MS, 633_000, "battery"),  # (1250 + 16) / 2 uW
            ("window", 2 * MS, 632_999, "battery"),
            ("window", 2 * MS, 505_000, "rail"),
        )
    )
    result = judge(replace(day([(MS, MW), (10 * MS, 10 * UW)]), supply=CONVERTER, limits=limits))
    assert [limit.met for limit in result.limits] == [False, True, True, True, False, True]
    assert [limit.at_ps for limit in result.limits] == [0] * 6
    assert result.limits[1].definition == "instantaneous peak at the battery"
    assert result.limits[5].definition == "average over any 2 ms window at the rail"
    assert "1.25 mW > 1.249999 mW at the peak, at the battery" in result.reasons
    assert "633 uW > 632.999 uW over any 2 ms window at the battery" in result.reasons


def test_the_peak_of_thirds_at_the_battery_is_the_exact_input_rounded_up_once() -> None:
    # Three spans of 1/3 aJ/ps are 1000 nW; at 80 % 1250 nW, and not one more.
    third = info(kind="switching", points=points(("1 mW", "80 %")))
    made = recording(100, spans=[span(10, 13, 1)] * 3, limits=[LimitInfo("peak", 1250, 0, "battery")])
    (limit,) = judge(replace(made, supply=third)).limits
    assert (limit.worst_nw, limit.at_ps, limit.met) == (1250, 10, True)


def test_a_load_beyond_the_last_point_is_told() -> None:
    beyond = judge(replace(day([(MS, 200 * MW)]), supply=CONVERTER))
    assert beyond.battery is not None
    assert beyond.battery.average_nw == 250 * MW
    assert beyond.notes == (
        "supply: the load comes to 200 mW, beyond its last point at 100 mW, whose efficiency is kept",
    )
    assert judge(replace(day([(MS, 100 * MW)]), supply=CONVERTER)).notes == ()


def test_an_inference_at_the_battery_has_its_share_of_the_loss() -> None:
    # One inference of 1000 op: 10 uJ of its own within 10 ms on 0.5 mW of leakage, which is 1.5 mW and 1.875 at 80 %.
    flat = info(kind="switching", points=points(("1 W", "80 %")))
    made = recording(
        10 * MS,
        spans=[span(0, 10 * MS, 10 * 10**12)],
        states=[state(0, 10 * MS, MW // 2)],
        jobs=[job(0, 10 * MS, 10 * MS)],
    )
    result = judge(replace(made, supply=flat))
    assert result.efficiency.uj_per_inference == {"classify": 10}
    assert result.efficiency.uj_per_inference_with_share == {"classify": 15}
    assert result.battery is not None
    assert result.battery.uj_per_inference_with_share == {"classify": 18.75}
    assert result.efficiency.effective_fj_per_op == 15 * 10**9 / 1000
    assert result.battery.effective_fj_per_op == 18.75 * 10**9 / 1000
    assert judge(made).battery is None


@pytest.mark.parametrize(
    ("load", "efficiency"),
    # Horowitz and Hill's rule: an LDO's efficiency is output over input, whatever the load.
    [(1 * UW, Fraction(2, 3)), (50 * MW, Fraction(2, 3))],
)
def test_an_ldo_without_ground_current_has_one_efficiency(load: int, efficiency: Fraction) -> None:
    ldo = Regulator(info(kind="linear", input="1.8 V", output="1.2 V"))
    assert load / ldo.input_nw(Fraction(load)) == efficiency
