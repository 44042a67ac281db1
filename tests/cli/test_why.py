"""`tlm3d why`: the story and the re-runs of a pair whose every number is computed by hand, to the letter."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rich.cells import cell_len

if TYPE_CHECKING:
    from cli.conftest import Command

PLATFORM = """\
name: one-core
dies:
  logic:
    tier: 0
    blocks:
      cpu: {kind: processor, preemption: none}
"""
# `urgent` comes at 1 ms, when `long` has run for 1 ms of its 4 and cannot be preempted: it starts at 4 ms.
WORKLOAD = """\
name: two-tasks
horizon: 20 ms
tasks:
  long: {stages: [{time: 4 ms, on: cpu}], period: 10 ms}
  urgent: {stages: [{time: 1 ms, on: cpu}], period: 5 ms, offset: 1 ms, deadline: 2 ms}
"""
TOLD = """\
WHY: urgent#0 was LATE by 2.00 ms
one-core · two-tasks · edf · seed 0 · typical corner
 released 1 ms · due 3 ms · finished 5 ms
 response 4.00 ms · deadline 2.00 ms · the worst of the late

What happened
 in order, from its release; the times add up to its response exactly
    after     for    % cause    what it did
      0 s 3.00 ms 75.0 np-block stood behind long#0, less urgent, which logic.
                                cpu had begun
  3.00 ms 1.00 ms 25.0 compute  computed on logic.cpu
 response 4.00 ms  100

What would have helped  one cause taken away at a time, the same job and seed
                   response    slack change
 exact re-run ok    1.00 ms  1.00 ms without long
 exact re-run ok    1.00 ms  1.00 ms logic.cpu with preemption: full, not none
 exact re-run LATE  4.00 ms -2.00 ms policies {others}
 compute at logic.cpu: the work itself, nothing to take away
 2 single changes of {asked} meet the deadline; the most slack comes first.
 with tlm3d run: --set dies.logic.blocks.cpu.preemption=full
 Judged here is this job alone; tlm3d run says what becomes of the others.
"""
MS = 10**9


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    files = tmp_path / "platform.yaml", tmp_path / "workload.yaml"
    for file, text in zip(files, (PLATFORM, WORKLOAD), strict=True):
        file.write_text(text, encoding="utf-8")
    return files


def document(tlm3d: Command, *arguments: object) -> Any:
    result = tlm3d("why", *arguments, "--jobs", "1", "--json", "-")
    assert result.stderr == ""
    return json.loads(result.stdout)


def change(found: Any, words: str) -> Any:
    (one,) = [rerun for rerun in found["reruns"] if rerun["change"].startswith(words)]
    return one


def test_the_story_of_the_worst_late_job_to_the_letter(
    tlm3d: Command, pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    result = tlm3d("why", *pair)
    assert (result.exit_code, result.stderr) == (1, "")
    lines, told = result.stdout.splitlines(), TOLD.splitlines()
    # Which other policies there are is not this test's business: their row begins like the others and may fold.
    policies = next(i for i, line in enumerate(told) if "policies" in line)
    after = next(i for i, line in enumerate(lines) if line.startswith(" compute at"))
    assert lines[:policies] == told[:policies]
    assert lines[policies].startswith(told[policies].partition("{")[0])
    assert lines[after] == told[policies + 1]
    asked = len(document(tlm3d, *pair)["reruns"])
    assert lines[after + 1 :] == [line.format(asked=asked) for line in told[policies + 2 :]]


@pytest.mark.parametrize("columns", ["80", "120"])
def test_no_line_is_wider_than_the_terminal(
    tlm3d: Command, pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert max(map(cell_len, tlm3d("why", *pair).stdout.splitlines())) <= int(columns)


def test_every_number_in_the_document(tlm3d: Command, pair: tuple[Path, Path]) -> None:
    found = document(tlm3d, *pair)
    assert found["job"] == {
        "task": "urgent", "index": 0, "named": False, "status": "late", "release_ps": MS, "deadline_ps": 3 * MS,
        "finish_ps": 5 * MS, "response_ps": 4 * MS, "slack_ps": -2 * MS,
    }  # fmt: skip
    assert [(beat["time_ps"], beat["parts"][0]["bucket"]) for beat in found["story"]] == [
        (3 * MS, "np-block"),
        (MS, "compute"),
    ]
    alone = change(found, "without long")
    assert (alone["exact"], alone["status"], alone["response_ps"], alone["slack_ps"]) == (True, "met", MS, MS)
    assert (alone["without_tasks"], alone["options"]) == (["long"], [])
    full = change(found, "logic.cpu with preemption")
    assert full["options"] == ["--set", "dies.logic.blocks.cpu.preemption=full"]
    assert (full["status"], full["slack_ps"]) == ("met", MS)
    # No order of tasks changes what cannot be preempted.
    assert {change(found, f"policy {name}")["slack_ps"] for name in ("fifo", "fixed-priority")} == {-2 * MS}
    assert found["two_changes"] is None


def test_a_job_that_was_on_time_is_told_too(tlm3d: Command, pair: tuple[Path, Path]) -> None:
    result = tlm3d("why", *pair, "--job", "long#1")
    assert (result.exit_code, result.stderr) == (0, "")
    first, *lines = result.stdout.splitlines()
    assert first == "WHY: long#1 was on time, with 6.00 ms to spare"  # nothing runs from 10 to 14 ms
    assert not any("meets the deadline" in line for line in lines)


def test_where_nothing_is_late_the_tightest_is_told(tlm3d: Command, pair: tuple[Path, Path]) -> None:
    result = tlm3d("why", *pair, "--set", "dies.logic.blocks.cpu.preemption=full")
    assert result.exit_code == 0
    assert result.stdout.startswith("WHY: urgent#0 was on time, with 1.00 ms to spare\n")
    assert "the tightest job: nothing was late" in result.stdout


def test_two_changes_are_tried_where_one_is_not_enough(tlm3d: Command, tmp_path: Path) -> None:
    platform, workload = tmp_path / "platform.yaml", tmp_path / "workload.yaml"
    platform.write_text(PLATFORM + "      dsp: {kind: processor, preemption: none}\n", encoding="utf-8")
    workload.write_text(
        "name: w\nhorizon: 40 ms\ntasks:\n"
        "  long: {stages: [{time: 4 ms, on: cpu}], period: 40 ms}\n"
        "  other: {stages: [{time: 2 ms, on: dsp}], period: 4 ms, offset: 500 us}\n"
        "  urgent: {stages: [{time: 1 ms, on: cpu}, {time: 1 ms, on: dsp}], period: 40 ms, offset: 1 ms, "
        "deadline: 2 ms}\n",
        encoding="utf-8",
    )
    # cpu from 4 to 5 ms behind long, dsp from 6.5 to 7.5 behind other, which has it from 4.5.
    found = document(tlm3d, platform, workload, "--job", "urgent#0")
    assert found["job"]["response_ps"] == 6.5 * MS
    assert change(found, "without long")["response_ps"] == 2.5 * MS  # other has it from 0.5 to 2.5 ms
    assert change(found, "without other")["response_ps"] == 5 * MS
    # The best two alone are two ways to the same 2.5 ms: one of them goes with the best for the other cause.
    two = found["two_changes"]
    assert (two["status"], two["response_ps"], two["slack_ps"]) == ("met", 2 * MS, 0)
    assert two["change"] == "without long; and without other"
    text = tlm3d("why", platform, workload, "--job", "urgent#0").stdout
    assert " No single change meets the deadline, the best two together do.\n" in text


def test_the_cause_of_a_job_in_a_queue_is_that_of_the_one_before(tlm3d: Command, tmp_path: Path) -> None:
    platform, workload = tmp_path / "platform.yaml", tmp_path / "workload.yaml"
    platform.write_text(PLATFORM, encoding="utf-8")
    # `long` keeps t#0 until 7 ms, so that t#1 waits for it from 5 to 9 ms.
    workload.write_text(
        "name: w\nhorizon: 40 ms\ntasks:\n"
        "  long: {stages: [{time: 7 ms, on: cpu}], period: 40 ms}\n"
        "  t: {stages: [{time: 2 ms, on: cpu}], period: 5 ms, deadline: 4 ms}\n",
        encoding="utf-8",
    )
    found = document(tlm3d, platform, workload, "--policy", "fifo", "--job", "t#1")
    assert [beat["parts"][0]["bucket"] for beat in found["story"]] == ["self-predecessor", "compute"]
    assert change(found, "without long")["status"] == "met"


@pytest.mark.parametrize(
    ("job", "message"),
    [
        ("urgent", "expected TASK#NUMBER such as 'long#0', got 'urgent'; did you mean 'urgent#0'?"),
        ("urgent#-1", "expected TASK#NUMBER such as 'long#0', got 'urgent#-1'; did you mean 'urgent#0'?"),
        ("urgnt#1", "no task 'urgnt' in workload two-tasks; did you mean 'urgent'?"),
        ("x#1", "no task 'x' in workload two-tasks; expected one of: long, urgent"),
        ("urgent#4", "no job urgent#4 is released within 20.0 ms; the last one is urgent#3"),
    ],
)
def test_a_job_that_is_none_is_said(tlm3d: Command, pair: tuple[Path, Path], job: str, message: str) -> None:
    result = tlm3d("why", *pair, "--job", job)
    assert (result.exit_code, result.stderr) == (2, f"error: --job: {message}\n")


def test_a_run_too_short_to_judge_anything_is_said(tlm3d: Command, pair: tuple[Path, Path]) -> None:
    result = tlm3d("why", *pair, "--horizon", "1 ms")
    assert result.exit_code == 2
    assert result.stderr == "error: --horizon: no job has its deadline within 1.00 ms: nothing to tell\n"


def test_an_interrupt_shows_what_is_done(
    tlm3d: Command, pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tlm3d.sweeps.why.run_all", lambda *_, **__: {})
    result = tlm3d("why", *pair)
    assert result.exit_code == 130
    assert "INTERRUPTED: 0 of" in result.stdout
    assert result.stdout.startswith("WHY: urgent#0 was LATE by 2.00 ms\n")


def test_what_a_task_releases_goes_with_it_and_the_chains_through_it(tlm3d: Command, tmp_path: Path) -> None:
    platform, workload = tmp_path / "platform.yaml", tmp_path / "workload.yaml"
    platform.write_text(PLATFORM, encoding="utf-8")
    workload.write_text(
        "name: w\nhorizon: 40 ms\n"
        "chains: {loop: {tasks: [src, child], deadline: 30 ms}}\n"
        "tasks:\n"
        "  src: {stages: [{time: 4 ms, on: cpu}], period: 20 ms}\n"
        "  child: {stages: [{time: 1 ms, on: cpu}], after: {task: src}}\n"
        "  urgent: {stages: [{time: 1 ms, on: cpu}], period: 20 ms, offset: 1 ms, deadline: 2 ms}\n",
        encoding="utf-8",
    )
    found = document(tlm3d, platform, workload, "--job", "urgent#0")
    alone = change(found, "without src")
    assert alone["change"] == "without src and child, which it releases, nor the chain loop"
    assert alone["without_tasks"] == ["src", "child"]
    assert (alone["status"], alone["response_ps"]) == ("met", MS)


def test_who_holds_a_resource_is_told_and_left_out(tlm3d: Command, tmp_path: Path) -> None:
    platform, workload = tmp_path / "platform.yaml", tmp_path / "workload.yaml"
    platform.write_text(PLATFORM.replace("none", "full"), encoding="utf-8")
    # low has the resource from 0 to 4 ms; hi asks for it at 2.
    workload.write_text(
        "name: w\nhorizon: 20 ms\npolicy: fixed-priority\nresources: {bus: {}}\ntasks:\n"
        "  low: {stages: [{time: 4 ms, on: cpu, holds: bus}], period: 20 ms, priority: 9}\n"
        "  hi: {stages: [{time: 1 ms, on: cpu, holds: bus}], period: 20 ms, offset: 2 ms, deadline: 2 ms, priority: 1}\n",
        encoding="utf-8",
    )
    found = document(tlm3d, platform, workload)
    assert [(beat["told"], beat["time_ps"]) for beat in found["story"]] == [
        ("waited for bus, which low#0 held", 2 * MS),
        ("computed on logic.cpu", MS),
    ]
    assert (change(found, "without low")["status"], change(found, "without low")["slack_ps"]) == ("met", MS)
