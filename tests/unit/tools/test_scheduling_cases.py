"""The tool that runs the task sets of the literature: it notices a difference, and its page is up to date."""

from __future__ import annotations

from pathlib import Path

import pytest

import scheduling_cases
from scheduling_cases import DATA, PAGE, main, ms, ps, runs


def test_times_are_written_as_they_are_read() -> None:
    for text in ("0", "3", "5.01", "0.000000001", "205"):
        assert ms(ps(text)) == text
    assert ms(-1) == "-"


def test_every_task_set_belongs_to_a_case_and_every_case_has_a_source() -> None:
    used = {run.workload for run in runs()}
    assert used == set((scheduling_cases.ROOT / "workloads" / "textbook").glob("*.yaml"))
    assert all(run.source and run.numbers in ("published", "ours") and run.written["schedule"] for run in runs())


def test_a_case_that_comes_out_as_expected_is_success(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--case", "horn"]) == 0
    assert "j1 1; j2 5; j3 4; j4 9; j5 8" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("was", "wrong"),
    [
        (
            "finish: {j1: [1], j2: [5], j3: [4], j4: [9], j5: [8]}",
            "finish: {j1: [1], j2: [5], j3: [4], j4: [9], j5: [9]}",
        ),
        ("finish: {j1: [1], j2: [5], j3: [4],", "missed: {j2: 1}\n      finish: {j1: [1], j2: [5], j3: [4],"),
    ],
)
def test_a_case_that_comes_out_differently_fails(
    was: str, wrong: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = DATA.read_text(encoding="utf-8")
    assert was in text
    monkeypatch.setattr(scheduling_cases, "DATA", tmp_path / "cases.yaml")
    (tmp_path / "cases.yaml").write_text(text.replace(was, wrong), encoding="utf-8")
    assert main(["--case", "horn"]) == 1
    assert "DIFFERS: horn, as written" in capsys.readouterr().out


def test_an_unknown_case_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--case", "dhal-edf"]) == 2
    assert "no case 'dhal-edf'; did you mean 'dhall-edf'?" in capsys.readouterr().err


def test_the_page_is_up_to_date(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    verdicts = [scheduling_cases.judged(run) for run in runs()]
    assert scheduling_cases.page(verdicts) == PAGE.read_text(encoding="utf-8")
    old = tmp_path / "page.md"
    old.write_text("another\n", encoding="utf-8")
    assert main(["--check"], old) == 1
    assert "is not up to date" in capsys.readouterr().err
    assert old.read_text(encoding="utf-8") == "another\n"
