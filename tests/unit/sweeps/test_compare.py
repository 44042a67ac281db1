"""One workload on several platforms."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tlm3d.analysis.compare import NOT_RUN, Outcome
from tlm3d.analysis.result import Result
from tlm3d.errors import SpecError
from tlm3d.record.kept import TOTALS
from tlm3d.simulation import simulate
from tlm3d.spec.pair import read_pair
from tlm3d.sweeps.compare import changes_from_first, compare, read_candidates
from tlm3d.sweeps.point import Point, Study, run_result

ROOT = Path(__file__).resolve().parents[3]
STACK, FLAT = (str(ROOT / "platforms" / name) for name in ("three_tier_vision.yaml", "flat_soc.yaml"))
WORKLOAD = str(ROOT / "workloads" / "always_on_vision.yaml")
STUDY = Study("", WORKLOAD, horizon_ps=120 * 10**9)


def run(platform: str, *settings: str) -> Result:
    return simulate(*read_pair(platform, WORKLOAD, settings), horizon=STUDY.horizon_ps)


def assert_equal(outcome: Outcome, result: Result) -> None:
    """Every number of ``outcome`` is that of ``result``, integer for integer."""
    assert (outcome.platform, outcome.verdict, outcome.reasons) == (result.platform, result.verdict, result.reasons)
    assert (outcome.tasks, outcome.limits) == (result.tasks, result.limits)
    assert (outcome.total_aj, outcome.average_nw) == (result.total_aj, result.average_nw)
    efficiency = result.efficiency
    assert (outcome.core_fj_per_op, outcome.effective_fj_per_op) == (
        efficiency.core_fj_per_op,
        efficiency.effective_fj_per_op,
    )
    assert sum(outcome.energy_aj.values()) == result.total_aj
    assert set(outcome.inferences) == set(efficiency.uj_per_inference)
    for name, one in outcome.inferences.items():
        assert one.finished == result.tasks[name].finished
        own_aj = sum(account.energy_aj for account in result.accounts if account.task == name)
        assert one.total_aj == own_aj
        assert one.total_aj / one.finished / 10**12 == efficiency.uj_per_inference[name]
    # The buses of dies are told apart by their channels; what is left of the account "link" is links between dies.
    moved_aj = {
        role: sum(one.energy_aj for one in result.channels.values() if one.role == role) for role in ("bus", "link")
    }
    assert {what: outcome.energy_aj.get(what, 0) for what in ("bus", "link")} == moved_aj
    for what in {account.what for account in result.accounts} - {"link"}:
        assert outcome.energy_aj[what] == sum(one.energy_aj for one in result.accounts if one.what == what)


def test_every_number_of_a_column_is_that_of_a_run_on_that_platform_alone() -> None:
    stack, flat = compare(read_candidates([STACK, FLAT], WORKLOAD, []), STUDY, jobs=2)
    assert_equal(stack, run(STACK))
    assert_equal(flat, run(FLAT))


def test_the_number_of_processes_changes_nothing() -> None:
    candidates = read_candidates([FLAT, STACK], WORKLOAD, [])
    assert compare(candidates, STUDY, jobs=1) == compare(candidates, STUDY, jobs=2)


def test_a_platform_held_against_itself_has_equal_numbers_and_no_change() -> None:
    candidates = read_candidates([FLAT, FLAT], WORKLOAD, [])
    one, other = compare(candidates, STUDY, jobs=2)
    assert one == other
    assert not any(changes_from_first(candidates))


def test_settings_are_applied_where_they_have_a_place_and_are_changes_too() -> None:
    settings = ["links.tsv.rate=2 Mbit/s", "workload.tasks.wake.deadline=50 ms", "limits.0.limit=1 mW"]
    candidates = read_candidates([STACK, FLAT, STACK], WORKLOAD, settings)
    stack, flat, again = compare(candidates, STUDY, jobs=2)
    assert_equal(stack, run(STACK, *settings))
    assert_equal(flat, run(FLAT, *settings[1:]))
    assert again == stack
    assert {one.limits[1].limit_nw for one in (stack, flat)} == {10**6}
    assert not changes_from_first(candidates)[1]


def test_a_platform_that_cannot_run_the_workload_has_its_error_and_the_others_run(tmp_path: Path) -> None:
    small = tmp_path / "small.yaml"
    text = Path(STACK).read_text(encoding="utf-8")
    small.write_text(text.replace("capacity: 2 MiB", "capacity: 1 KiB"), encoding="utf-8")
    bad, good = compare(read_candidates([str(small), FLAT], WORKLOAD, []), STUDY, jobs=2)
    assert bad.error.startswith("logic.l2 holds 1024 B")
    assert (bad.platform, bad.verdict, bad.tasks) == ("three-tier-vision", "", {})
    assert (good.error, good.verdict) == ("", "missed")


def test_all_mistakes_of_all_files_come_in_one_go() -> None:
    settings = ["links.tvs.rate=1", "workload.tasks.wak.deadline=1 ms"]
    with pytest.raises(SpecError) as caught:
        read_candidates([FLAT, STACK], WORKLOAD, settings)
    assert [problem.file for problem in caught.value.problems] == [
        "--set links.tvs.rate",
        "--set workload.tasks.wak.deadline",
    ]


def test_an_interrupt_keeps_the_platforms_that_are_done() -> None:
    def interrupt(done: float, total: int) -> None:
        if done >= 1:
            raise KeyboardInterrupt

    candidates = read_candidates([STACK, FLAT], WORKLOAD, [])
    done, missing = compare(candidates, STUDY, jobs=1, done=interrupt)
    assert_equal(done, run(STACK))
    assert (missing.error, missing.platform) == (NOT_RUN, "flat-soc")


def test_policy_horizon_and_seed_are_those_of_the_study() -> None:
    study = replace(STUDY, policy="fifo", seed=7, horizon_ps=40 * 10**9)
    outcomes = compare(read_candidates([STACK, FLAT], WORKLOAD, []), study, jobs=1)
    assert {(one.policy, one.seed, one.horizon_ps) for one in outcomes} == {("fifo", 7, 40 * 10**9)}


def test_a_point_records_no_facts() -> None:
    recording = run_result(replace(STUDY, platform=STACK, horizon_ps=10**9), Point((), (), "typical")).recording
    assert recording.kept == TOTALS
    assert not recording.spans
