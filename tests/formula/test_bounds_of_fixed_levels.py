"""Worst responses under fixed levels: figures of the literature, and small sets worked by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import pytest

from tlm3d.bounds import any_order, fixed_order
from tlm3d.bounds.arrival import Arrival, Delayed, Periodic, Sporadic, Traced
from tlm3d.bounds.claim import ALWAYS, Claim, NoBound

MS = 10**9


def by_level(*rows: tuple[int, int | Arrival], whole: bool = False) -> list[Claim]:
    """Claims (work, period), the most urgent first; ``whole``: never interrupted."""
    return [
        Claim(
            f"t{i}", work, Periodic(Fraction(arrival)) if isinstance(arrival, int) else arrival,
            level=i, piece_ps=work * whole, last_ps=work * whole,
        )
        for i, (work, arrival) in enumerate(rows)
    ]  # fmt: skip


def responses(claims: Sequence[Claim]) -> list[int | NoBound]:
    return [fixed_order.response_ps(claims, claim) for claim in claims]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # Joseph & Pandya, The Computer Journal 29(5), 1986, as in Burns & Wellings, process set B
        ([(3, 7), (3, 12), (5, 20)], [3, 6, 20]),
        # Burns & Wellings, Real-Time Systems and Programming Languages, process set A: 52 is late at 50
        ([(10, 30), (10, 40), (12, 50)], [10, 20, 52]),
        # Buttazzo, Hard Real-Time Computing Systems, chapter 4, deadline monotonic
        ([(1, 4), (1, 5), (2, 6), (1, 11)], [1, 2, 4, 10]),
        # Sha & Goodenough, IEEE Computer 23(4), 1990
        ([(40, 100), (40, 150), (100, 350)], [40, 80, 300]),
        # Lehoczky, RTSS 1990: the fifth job of a busy period of seven fares worst, the first one takes 114
        ([(26, 70), (62, 100)], [26, 118]),
        # harmonic, without an idle instant
        ([(1, 2), (1, 4), (2, 8)], [1, 2, 8]),
    ],
)
def test_published_responses_of_preemptive_levels(rows: list[tuple[int, int | Arrival]], expected: list[int]) -> None:
    assert responses(by_level(*rows)) == expected


def test_the_second_instance_on_can_is_later_than_the_first() -> None:
    """Davis, Burns, Bril & Lukkien, Real-Time Systems 35, 2007: frames of 1 ms every 2.5, 3.5 and 3.5 ms.

    Their frames A and B take 2 and 3 ms, being held up by a whole frame; a frame begun 1 ps before holds up 1 ps less.
    C, which nothing holds up, takes 3.5 ms: its second frame, as the old analysis of CAN, with 3 ms, does not see.
    """
    claims = by_level((MS, MS * 5 // 2), (MS, MS * 7 // 2), (MS, MS * 7 // 2), whole=True)
    assert responses(claims) == [2 * MS - 1, 3 * MS - 1, MS * 7 // 2]


@pytest.mark.parametrize(("piece", "expected"), [(500, 699), (200, 399), (150, 349), (100, 299), (50, 249), (0, 200)])
def test_an_urgent_task_waits_for_a_piece_less_1_ps(piece: int, expected: int) -> None:
    control = Claim("control", 200, Sporadic(10**6), level=0)
    network = Claim("network", 1000, Sporadic(10**6), level=1, piece_ps=piece, last_ps=piece)
    assert fixed_order.response_ps([control, network], control) == expected


def test_the_spp_example_of_pycpa_comes_out() -> None:
    """IDA-TUBS/pycpa, examples/spp_test.py: 10, 13, 2 and 19, counted from when each of the four tasks is ready.

    Its second resource takes what the first one lets through, at least its shortest execution apart.
    """
    t11 = Claim("T11", 10, Periodic(Fraction(30), 5), level=1)
    t12 = Claim("T12", 3, Periodic(Fraction(15), 6), level=2)
    first = responses([t11, t12])
    assert first == [10, 13]
    t21 = Claim("T21", 2, Delayed(t11.arrival, 10 - 5, 5), level=1)
    t22 = Claim("T22", 9, Delayed(t12.arrival, 13 - 1, 1), level=2)
    assert responses([t21, t22]) == [2, 19]


def test_lateness_counted_from_nominal_arrivals_is_less_than_the_sum_of_both_worsts() -> None:
    """The same, counted from nominal arrivals 5 and 1 after the releases, as Tindell & Clark do.

    T22: w(0) = 9 + 2 = 11 and w(1) = 18 + 2 = 20; 11 + 12 − 0 = 20 + 12 − 9 = 23, with the second job 9 after the
    first. From its release it is done by 1 + 23 = 24, where 13 + 19 = 32 adds two worst cases up that never meet.
    """
    t21 = Claim("T21", 2, Periodic(Fraction(30), 5), late_ps=5, level=1)
    t22 = Claim("T22", 9, Periodic(Fraction(15), 6), late_ps=12, level=2)
    assert responses([t21, t22]) == [5 + 2, 23]


def test_what_comes_while_the_last_piece_runs_does_not_count() -> None:
    """Work of 6 from 0 on, an urgent one of 2 every 7 from 0 on: it runs 2–8 and gives way at 7 only if it may.

    Starting a last piece of 1 at 7 it meets the urgent job that is ready at 7; one of 2 starts at 6, ahead of it.
    """
    urgent = Claim("a", 2, Sporadic(7), level=0)
    for last, expected in ((0, 10), (1, 10), (2, 8), (6, 8)):
        tiled = Claim("b", 6, Sporadic(30), level=1, piece_ps=last, last_ps=last)
        assert fixed_order.response_ps([urgent, tiled], tiled) == expected


def test_equal_levels_may_go_first_either_way() -> None:
    pair = [Claim("a", 3, Sporadic(20)), Claim("b", 4, Sporadic(20))]
    assert responses(pair) == [7, 7]


def test_what_always_goes_first_counts_for_every_level() -> None:
    """Traffic of 1 in 4: work of 6 takes 8, with two pieces of it."""
    traffic = Claim("traffic", 1, Sporadic(4), level=ALWAYS)
    top = Claim("a", 6, Sporadic(100), level=-5)
    assert fixed_order.response_ps([traffic, top], top) == 8


def test_alone_its_own_last_job_may_still_hold_it_up_through_others() -> None:
    """Its last job runs a piece of 5 from −1 on; at 0 an urgent one of 3 comes, and it itself at 7: it ends at 12.

    At 4 the urgent one starts, to 7, so that a job ready at 0 would be done by 4 + 3 + 5 = 12.
    """
    urgent = Claim("a", 3, Sporadic(100), level=0)
    own = Claim("b", 5, Sporadic(6), level=1, piece_ps=5, last_ps=5, alone=True)
    assert fixed_order.response_ps([urgent, own], own) == 4 + 3 + 5
    own = replace(own, piece_ps=0, last_ps=0)
    assert fixed_order.response_ps([urgent, own], own) == 3 + 5


def test_a_full_server_has_bounds_and_an_overloaded_one_says_so() -> None:
    """(1, 2) and (1, 2) fill it; with a jitter of 1, the urgent jobs may come 1 apart, so that b has 3 instead of 2."""
    assert responses(by_level((1, 2), (1, 2))) == [1, 2]
    assert responses(by_level((1, Periodic(Fraction(2), 1)), (1, 2))) == [1, 3]
    assert responses(by_level((2, 3), (2, 5)))[1] == NoBound("utilisation 1.07")
    assert responses(by_level((10**9, 10**9), (1, 10**12)))[1] == NoBound("utilisation just above 1")


def test_a_busy_period_that_is_too_long_to_look_at_has_no_bound() -> None:
    """1 − 10⁻¹⁸ of a server are asked for, so that what holds it up for 1 ms is made up for after 10¹⁵ ms."""
    period = 10**9 + 7
    claims = by_level((period // 2, period), (period // 2, period), (1, period + 1))
    claims[2] = replace(claims[2], blocked_ps=10**9)
    assert responses(claims) == [
        period // 2,
        period - 1,
        NoBound("no end of the busy period in 100000 steps"),
    ]
    assert any_order.response_ps(claims, claims[2]) == NoBound("no end of the busy period in 100000 steps")


def test_a_trace_is_held_against_all_its_windows() -> None:
    """Two of three jobs come 1 apart, and more never: a fourth span does not exist."""
    burst = Claim("a", 4, Traced([30, 0, 31]), level=0)
    below = Claim("b", 2, Sporadic(50), level=1)
    assert responses([burst, below]) == [4 + 4 - 1, 10]


def test_in_an_unknown_order_all_of_a_busy_period_may_go_before() -> None:
    """2 in 5 and 2 in 9: all that comes at once, 4, is done before more comes. What holds it up for 2 reaches the next
    job of the first one, and 2 + 2·2 + 2 = 8 the second of the other only if that may be 2 late or more.
    """
    claims = [Claim("a", 2, Sporadic(5)), Claim("b", 2, Sporadic(9))]
    assert [any_order.response_ps(claims, claim) for claim in claims] == [4, 4]
    for late, length in ((0, 8), (1, 8), (2, 10)):
        held = replace(claims[1], blocked_ps=2, late_ps=late)
        assert any_order.response_ps([claims[0], held], held) == length + late
    assert any_order.response_ps(by_level((2, 3), (2, 5)), claims[0]) == NoBound("utilisation 1.07")
