"""Worst responses under EDF and FIFO, and what utilisation and processor demand say: worked by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import pytest

from tlm3d.bounds import dated, fixed_order
from tlm3d.bounds.arrival import Periodic, Sporadic, Traced
from tlm3d.bounds.claim import ALWAYS, Claim, NoBound
from tlm3d.bounds.demand_test import (
    Demand,
    demand_test,
    liu_layland_bound,
    within_hyperbolic,
    within_liu_layland,
)


def by_date(*rows: tuple[int, int, int], whole: bool = False) -> list[Claim]:
    """Claims (work, period, deadline); ``whole``: never interrupted."""
    return [
        Claim(f"t{i}", work, Sporadic(period), key_ps=due, piece_ps=work * whole, last_ps=work * whole)
        for i, (work, period, due) in enumerate(rows)
    ]


def responses(claims: Sequence[Claim]) -> list[int | NoBound]:
    return [dated.response_ps(claims, claim) for claim in claims]


def test_the_worst_case_of_edf_is_not_the_synchronous_one() -> None:
    """Work of 1 every 3, due after 5, and of 3 every 6, due then.

    At once: a 0–1, b 1–4, a (of 3, due at 8) 4–5, so 2 at worst. But of 1, due at 6 like b, a may go after it: 3–4.
    """
    assert responses(by_date((1, 3, 5), (3, 6, 6))) == [3, 4]


def test_a_later_deadline_holds_up_a_whole_job_that_is_not_interrupted() -> None:
    """b begins at −1, 1 before a, due at 3: b −1–1, a 1–2. b itself only waits for what is due before it."""
    assert responses(by_date((1, 3, 3), (2, 6, 6), whole=True)) == [2, 3]


def test_a_later_deadline_does_not_hold_up_what_is_due_later_still() -> None:
    """a, due after 4, comes 1 after b began, which takes 5. With deadlines of 5 that is the order of the dates."""
    for due in (5, 6, 40):
        assert responses(by_date((1, 90, 4), (5, 90, due), whole=True)) == [5, 6]
    assert responses(by_date((1, 90, 4), (5, 90, 5))) == [5, 6]  # both due at 5
    assert responses(by_date((1, 90, 4), (5, 90, 6))) == [4, 6]  # a comes 2 after b, both due at 6
    assert responses(by_date((1, 90, 4), (5, 90, 3), whole=True)) == [6, 5]


def test_lateness_lets_earlier_nominal_arrivals_go_first() -> None:
    """a may be 3 late. At 0 with a key of −3 + 10 it goes before b, due at 10: 3 + 2. Nominally at 0, after b: 5."""
    a, b = Claim("a", 2, Sporadic(20), late_ps=3, key_ps=10), Claim("b", 3, Sporadic(20), key_ps=10)
    assert responses([a, b]) == [5, 5]
    a = replace(a, key_ps=12)  # nominally at −2 and ready at 0 it may go after b, due at 10 like itself
    assert responses([a, b]) == [2 + 5, 5]


def test_fifo_takes_as_long_as_all_that_comes_at_once() -> None:
    """Work of 1, 2 and 3 every 20, 30 and 40."""
    claims = by_date((1, 20, 0), (2, 30, 0), (3, 40, 0))
    assert responses(claims) == [6, 6, 6]


def test_what_always_goes_first_counts_for_every_date() -> None:
    """Traffic of 1 in 4: work of 6 takes 8, with two pieces of it."""
    traffic = Claim("traffic", 1, Sporadic(4), key_ps=ALWAYS)
    own, other = by_date((6, 100, 50), (2, 100, 90))
    assert dated.response_ps([traffic, own], own) == 8
    assert dated.response_ps([traffic, own, other], other) == 11  # 6 + 2, and traffic at 0, 4 and 8
    assert dated.response_ps([own, traffic], traffic) == 1


def test_a_trace_can_be_served_by_dates() -> None:
    """Two jobs of 4, due after 10, come 1 apart, once, the second one at n; one of 2 comes at 0.

    Due at 11, 12 or 13 that goes before the second one up to n = 1, 2 or 3, and so the last of 10 is done at 10; after
    that nothing goes before the two, which take 7.
    """
    for due, expected in ((11, 9), (12, 8), (13, 7), (14, 7)):
        burst, below = Claim("a", 4, Traced([30, 0, 31]), key_ps=10), Claim("b", 2, Sporadic(50), key_ps=due)
        assert responses([burst, below]) == [expected, 10]


def test_a_full_server_keeps_implicit_deadlines() -> None:
    claims = by_date((1, 2, 2), (2, 8, 8), (2, 8, 8))
    assert responses(claims) == [2, 8, 8]
    assert demand_test(claims) == Demand(True)
    claims[0] = Claim("t0", 1, Periodic(Fraction(2), 2), key_ps=2)  # by 8, five of it may be due
    assert not demand_test(claims).kept
    claims[0] = Claim("t0", 1, Periodic(Fraction(2), 1), key_ps=2)  # with a jitter of 1 four, due at 2, 3, 5 and 7
    assert demand_test(claims) == Demand(True)
    assert demand_test(by_date((2, 3, 3), (2, 5, 5))) == Demand(False)
    assert dated.response_ps(by_date((2, 3, 3), (2, 5, 5)), claims[0]) == NoBound("utilisation 1.07")


def test_published_demand_of_deadlines_shorter_than_periods() -> None:
    """Buttazzo, Hard Real-Time Computing Systems, chapter 4: 2 in 6 due after 4, 2 in 8 after 5, 3 in 9 after 7.

    Asked for, as worked out anew: 2 by 4, 4 by 5, 7 by 7, 9 by 10, 11 by 13, 16 by 16, 18 by 21, 20 by 22.
    With a third task of 4, 8 are due by 7; with a second one of 3 due after 4, 5 by 4.
    """
    assert demand_test(by_date((2, 6, 4), (2, 8, 5), (3, 9, 7))) == Demand(True)
    assert responses(by_date((2, 6, 4), (2, 8, 5), (3, 9, 7))) == [4, 5, 7]
    assert demand_test(by_date((2, 6, 4), (3, 40, 4), (3, 40, 20))) == Demand(False, 4)
    assert demand_test(by_date((2, 20, 4), (2, 20, 5), (4, 20, 7))) == Demand(False, 7)


def test_a_whole_job_due_later_adds_to_the_demand() -> None:
    """Jeffay, Stanat & Martel, RTSS 1991: 3 every 10, due after 7 or 6, and 5 every 15: 4 + 3 by 7, not by 6."""
    assert demand_test(by_date((3, 10, 7), (5, 15, 15), whole=True)) == Demand(True)
    assert demand_test(by_date((3, 10, 6), (5, 15, 15), whole=True)) == Demand(False, 6)
    assert demand_test(by_date((3, 10, 6), (5, 15, 15))) == Demand(True)


def test_the_bounds_of_utilisation_are_the_published_ones() -> None:
    """Liu & Layland, J. ACM 20, 1973."""
    published = [1.0, 0.828427, 0.779763, 0.756828, 0.743492, 0.734772, 0.728627, 0.724062, 0.720538, 0.717735]
    assert [liu_layland_bound(n) for n in range(1, 11)] == pytest.approx(published, abs=5e-7)
    assert liu_layland_bound(10**6) == pytest.approx(0.693147, abs=1e-6)


def test_the_hyperbolic_bound_admits_more() -> None:
    """Bini & Buttazzo: 1/2 and 1/3 are 0.833 together, over 0.828, but 3/2 · 4/3 = 2. Responses: 2 and 4."""
    shares = [Fraction(1, 2), Fraction(1, 3)]
    assert not within_liu_layland(shares)
    assert within_hyperbolic(shares)
    assert not within_hyperbolic([Fraction(1, 2), Fraction(1, 3) + Fraction(1, 10**9)])
    assert within_liu_layland([Fraction(41, 100)] * 2)
    assert not within_liu_layland([Fraction(42, 100)] * 2)
    assert within_liu_layland([Fraction(1)])
    claims = [Claim("a", 2, Sporadic(4), level=0), Claim("b", 2, Sporadic(6), level=1)]
    assert [fixed_order.response_ps(claims, claim) for claim in claims] == [2, 4]
