"""(m,k)-firm deadlines against Hamdaoui and Ramanathan's rule: at least m of any k consecutive jobs in time."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from unit.analysis.made import job

from tlm3d.analysis.deadlines import Tally
from tlm3d.analysis.firm import Rows
from tlm3d.analysis.result import FirmResult, TaskResult, Verdict
from tlm3d.analysis.verdict import verdict

# "IEEE Transactions on Computers 44(12), 1995": m = 2 of k = 3, by which rows of met (1) and missed (0) jobs keep it.
TWO_OF_THREE = {"110110110": True, "101101101": True, "100110110": False, "111011001": False}
SHARED = Path(__file__).parents[4] / "shared/data/realtime/16_mk_firm.yaml"


def result_of(row: str, firm: tuple[int, int], horizon_ps: int = 10**6) -> TaskResult:
    tally = Tally("classify", 10, firm)
    tally.add(
        [job(20 * i, 20 * i + 10, 20 * i + (5 if c == "1" else 15), index=i) for i, c in enumerate(row)], horizon_ps
    )
    return tally.result()


@pytest.mark.parametrize(("row", "kept"), TWO_OF_THREE.items())
def test_two_of_any_three_in_time(row: str, kept: bool) -> None:
    assert result_of(row, (2, 3)).is_kept is kept


def test_the_rows_of_the_data_file_come_out() -> None:
    if not SHARED.exists():
        pytest.skip("the data file is not here")
    case = yaml.safe_load(SHARED.read_text())
    for row, kept in case["expected"].items():
        assert result_of(row, (case["m"], case["k"])).is_kept is kept


def test_misses_that_a_firm_task_tolerates_are_no_reason_against_the_verdict() -> None:
    word, reasons = verdict([result_of("110110110", (2, 3))], [])
    assert word is Verdict.MET
    assert reasons == (
        "classify missed 3 of 9 (33.3 %), in time 2 of the worst 3 in a row where 2 are needed, which is tolerated",
        "every other deadline kept (9 jobs judged)",
    )


def test_one_window_below_its_number_misses_the_verdict() -> None:
    word, reasons = verdict([result_of("100110110", (2, 3))], [])
    assert word is Verdict.MISSED
    assert reasons == ("classify missed 4 of 9 (44.4 %), in time 1 of the worst 3 in a row where 2 are needed",)


def test_of_fewer_jobs_than_a_window_the_rest_counts_as_in_time() -> None:
    assert result_of("01", (2, 4)).firm == FirmResult(needed=2, window=4, fewest=3)
    assert not result_of("000", (2, 4)).is_kept


def test_a_job_whose_deadline_is_beyond_the_window_stands_in_no_row() -> None:
    # Jobs at 0, 20, … 80; the deadline of the last is 90 and the window ends at 89.
    assert result_of("11100", (1, 2), horizon_ps=89).firm == FirmResult(needed=1, window=2, fewest=1)
    assert result_of("11100", (1, 2), horizon_ps=95).firm == FirmResult(needed=1, window=2, fewest=0)


@given(st.lists(st.sampled_from([True, False, None]), max_size=12), st.integers(1, 6), st.data())
def test_the_fewest_of_any_window_are_the_same_in_whatever_order_jobs_end(
    told: list[bool | None], window: int, data: st.DataObject
) -> None:
    rows = Rows(window)
    for index in data.draw(st.permutations(range(len(told)))):
        rows.add(index, told[index])
    judged = [outcome for outcome in told if outcome is not None]
    padded = judged + [True] * (window - len(judged))
    assert rows.fewest() == min(sum(padded[i : i + window]) for i in range(len(padded) - window + 1))


@given(st.integers(0, 40), st.integers(1, 40))
def test_what_is_held_of_jobs_does_not_grow_while_one_of_them_never_ends(stuck: int, window: int) -> None:
    rows = Rows(window)
    for index in range(200):
        if index != stuck:
            rows.add(index, index % 2 == 0)
    assert len(rows._rows) <= 2
    assert all(len(row.head) < window and len(row.tail) < window for row in rows._rows.values())


@given(st.lists(st.booleans(), min_size=1, max_size=30), st.integers(1, 8))
def test_a_rule_that_asks_for_less_is_kept_where_one_that_asks_for_more_is(row: list[bool], window: int) -> None:
    text = "".join("01"[outcome] for outcome in row)
    kept = [result_of(text, (needed, window)).is_kept for needed in range(1, window + 1)]
    assert all(less or not more for less, more in pairwise(kept))
    assert kept[-1] == all(row)
