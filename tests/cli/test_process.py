"""What only a process of its own shows: signals, pipes, full disks."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TLM3D = (sys.executable, "-m", "tlm3d")
GOOD = (*TLM3D, "run", "good/platform.yaml", "good/workload.yaml")


# Output is buffered, as it is for users: what is lost at the last flush is what the pipes below are about.
ENVIRONMENT = os.environ | {"PYTHONPATH": str(HERE.parents[1]), "PYTHONUNBUFFERED": ""}


def start(*args: str, stdout: int) -> subprocess.Popen[str]:
    return subprocess.Popen(args, cwd=HERE, env=ENVIRONMENT, stdout=stdout, stderr=subprocess.PIPE, text=True)


def obey_interrupts() -> None:
    """In a child: a shell that started the tests in the background has them ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_of_a_long_run_reports_what_is_done_and_exits_with_130(number: signal.Signals) -> None:
    pty = pytest.importorskip("pty")
    terminal, its_other_end = pty.openpty()
    with subprocess.Popen(
        (*GOOD, "--horizon", "2000 s"), cwd=HERE, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=its_other_end,
        preexec_fn=obey_interrupts,
    ) as process:  # fmt: skip
        os.close(its_other_end)
        shown = b""
        while b"simulating" not in shown:  # the progress bar: the run is under way
            shown += os.read(terminal, 1000)
        process.send_signal(number)
        out, _ = process.communicate(timeout=30)
        while b"interrupted" not in shown:
            shown += os.read(terminal, 1000)
    os.close(terminal)
    assert process.returncode == 130
    first, second, *_ = out.splitlines()
    assert re.fullmatch(rb"RESULT: INTERRUPTED at [\d.]+ m?s of 2 ks; what follows is of the time simulated", first)
    assert second.startswith(b"so far: MET every deadline kept (")
    assert b"Traceback" not in shown


def test_a_horizon_of_years_says_how_long_it_would_take_and_can_be_interrupted() -> None:
    with subprocess.Popen(
        (*GOOD, "--horizon", "100000 day", "--json", "-"), cwd=HERE, env=ENVIRONMENT, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, preexec_fn=obey_interrupts,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        note = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert re.fullmatch(r"note: simulating: \S+ % in \d s, so about [\d,]+ (years|days) to go; an interrupt .*\n", note)
    assert (process.returncode, err) == (130, "interrupted\n")
    assert 0 < json.loads(out)["horizon_ps"] < 10**12 * 86400
    assert json.loads(out)["interrupted_of_ps"] == 100_000 * 86400 * 10**12


COMPARISON = ("compare", "good/platform.yaml", "good/platform.yaml", "good/workload.yaml")
SWEEP = ("sweep", "good/platform.yaml", "good/workload.yaml", "--param")


@pytest.mark.parametrize(
    ("doing", "command", "report"),
    [
        ("sweeping", (*SWEEP, "workload.tasks.look.deadline=9 ms"), "SWEEP: 0 of 1 points"),
        ("sweeping", (*SWEEP, "workload.tasks.look.deadline=9 ms, 8 ms", "--jobs", "2"), "SWEEP: 0 of 2 points"),
        ("comparing", (*COMPARISON, "--jobs", "1"), "COMPARE: 2 platforms: 2 not run"),
        ("comparing", (*COMPARISON, "--jobs", "2"), "COMPARE: 2 platforms: 2 not run"),
    ],
)
def test_a_long_point_says_how_long_it_would_take_and_can_be_interrupted(
    doing: str, command: tuple[str, ...], report: str
) -> None:
    began = time.monotonic()
    with subprocess.Popen(
        (*TLM3D, *command, "--horizon", "100000 day"), cwd=HERE, env=ENVIRONMENT, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, preexec_fn=obey_interrupts,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        note = process.stderr.readline()
        noted_s = time.monotonic() - began
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert re.fullmatch(rf"note: {doing}: \S+ % in \d s, so about [\d,]+ (years|days) to go; an interrupt .*\n", note)
    assert noted_s < 15
    assert (process.returncode, err) == (130, "")
    assert out.startswith(report)


def test_a_long_point_moves_the_bar_of_a_sweep() -> None:
    pty = pytest.importorskip("pty")
    terminal, its_other_end = pty.openpty()
    with subprocess.Popen(
        (*TLM3D, *SWEEP, "workload.tasks.look.deadline=9 ms", "--horizon", "2000 s"), cwd=HERE,
        env=ENVIRONMENT | {"TERM": "xterm"}, stdout=subprocess.PIPE, stderr=its_other_end, preexec_fn=obey_interrupts,
    ) as process:  # fmt: skip
        os.close(its_other_end)
        shown = b""
        while not re.search(rb"sweeping.* [1-9]\d* %", shown):
            shown += os.read(terminal, 1000)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    os.close(terminal)
    assert process.returncode == 130
    assert out.startswith(b"SWEEP: 0 of 1 points")


def without_note(err: str) -> str:
    """Standard error without the estimate, which a slow machine may have come to give."""
    return re.sub(r"\Anote: \w+: .* to go; an interrupt .*\n", "", err)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="no /proc to see the processes in")
def test_an_interrupt_of_a_comparison_ends_its_processes_and_exits_with_130() -> None:
    files = ("good/platform.yaml", "good/platform.yaml", "good/workload.yaml")
    command = (*TLM3D, "compare", *files, "--jobs", "2", "--horizon", "2000 s")  # would take minutes
    with start(*command, stdout=subprocess.PIPE) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        while len(children.read_text().split()) < 2:  # until both runs are under way
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, without_note(err)) == (130, "")
    assert out.startswith("COMPARE: 2 platforms: 2 not run\n")


def test_an_interrupted_link_study_is_shown_and_written_as_far_as_it_came(tmp_path: Path) -> None:
    pty = pytest.importorskip("pty")
    row = "a,0,6400,tsv:logic>npu|npu.l2\nb,0,6400,tsv:logic>npu|npu.l2\n"
    (tmp_path / "traffic.csv").write_text(f"initiator,after_ps,bytes,route\n{row * 20_000}", encoding="utf-8")
    terminal, its_other_end = pty.openpty()
    command = (*TLM3D, "traffic", "good/platform.yaml", str(tmp_path / "traffic.csv"))
    with subprocess.Popen(
        (*command, "--out", str(tmp_path / "times.csv")),
        cwd=HERE,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=its_other_end,
        encoding="utf-8",
        preexec_fn=obey_interrupts,
    ) as process:
        os.close(its_other_end)
        shown = b""
        while b"playing" not in shown:
            shown += os.read(terminal, 1000)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    os.close(terminal)
    assert process.returncode == 130
    first, second, *_ = out.splitlines()
    done = int(first.split()[1])
    assert 0 < done < 40_000
    assert second.startswith("interrupted")
    assert len((tmp_path / "times.csv").read_text(encoding="utf-8").splitlines()) == done + 1


@pytest.mark.parametrize(
    ("command", "exit_code"),
    [
        (GOOD, 0),
        ((*GOOD, "--json", "-"), 0),
        ((*GOOD, "--set", "limits.0.limit=1 uW"), 1),
        ((*TLM3D, "check", "good/platform.yaml"), 0),  # so short that only the last flush meets the closed pipe
    ],
)
def test_a_reader_that_leaves_early_changes_no_verdict(command: tuple[str, ...], exit_code: int) -> None:
    reading, writing = os.pipe()
    os.close(reading)  # as `| head` that has seen enough
    with start(*command, stdout=writing) as process:
        os.close(writing)
        _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (exit_code, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_an_error_that_names_it() -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    with start(*GOOD, stdout=full) as process:
        os.close(full)
        _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (2, "error: standard output: cannot be written: No space left on device\n")


def cpu_ticks(pid: int) -> int:
    """CPU time that a process has used, in ticks of 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return int(fields[11]) + int(fields[12])


def busy_workers(process: subprocess.Popen[str]) -> set[int]:
    """The two processes of a sweep whose first point fails at once, when both are well inside a long point.

    The first point is done then: the process that had it was given another.
    """
    end = time.monotonic() + 60
    while time.monotonic() < end:
        tasks = Path(f"/proc/{process.pid}/task").iterdir()
        workers = {int(pid) for task in tasks for pid in (task / "children").read_text().split()}
        if len(workers) == 2 and all(cpu_ticks(pid) > 20 for pid in workers):
            return workers
        time.sleep(0.05)
    raise TimeoutError


LONG_SWEEP = (
    *(*TLM3D, "sweep", "good/platform.yaml", "good/workload.yaml", "--jobs", "2", "--horizon", "2000 s"),
    *("--param", "workload.tasks.look.deadline=soon, 9 ms, 8 ms"),
)
with_proc = pytest.mark.skipif(
    not Path(f"/proc/self/task/{os.getpid()}/children").exists(), reason="no such /proc here"
)


@with_proc
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_sweep_shows_and_writes_what_is_done_and_leaves_no_process(
    sent: signal.Signals, tmp_path: Path
) -> None:
    file = tmp_path / "sweep.csv"
    with start(*LONG_SWEEP, "--csv", str(file), stdout=subprocess.PIPE) as process:
        workers = busy_workers(process)
        process.send_signal(sent)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, without_note(err)) == (130, "")
    assert out.startswith("SWEEP: 1 of 3 points, 0 MET, 1 in error\ninterrupted: ")
    assert [line.partition(",")[0] for line in file.read_text().splitlines()[1:]] == ["soon"]
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)


@with_proc
def test_a_sweep_that_is_killed_leaves_no_process() -> None:
    with start(*LONG_SWEEP, stdout=subprocess.DEVNULL) as process:
        workers = busy_workers(process)
        process.kill()
    end = time.monotonic() + 30
    while any(Path(f"/proc/{pid}").exists() for pid in workers):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_an_interrupt_while_the_optimal_plan_is_looked_for_ends_the_command(tmp_path: Path) -> None:
    pytest.importorskip("ortools")
    platform, workload = tmp_path / "platform.yaml", tmp_path / "workload.yaml"
    blocks = "".join(f"      p{i}: {{kind: processor}}\n" for i in range(3))
    platform.write_text(f"name: three\ndies:\n  rack:\n    tier: 0\n    blocks:\n{blocks}", encoding="utf-8")
    stages = "".join(  # 90 stages, each after two before it: not proved in minutes
        f"      - {{name: s{i}, time: {1000 + i * 7919 % 29000} us, on: [p0, p1, p2],"
        f" after: [{', '.join(f's{k}' for k in sorted({i - 1 - i * 5 % 11, i - 1 - i * 7 % 12}) if k >= 0)}]}}\n"
        for i in range(90)
    )
    task = f"tasks:\n  graph:\n    period: 1000 ms\n    deadline: 900 ms\n    stages:\n{stages}"
    workload.write_text(f"name: large\nhorizon: 1 s\n{task}", encoding="utf-8")
    with subprocess.Popen(
        (*TLM3D, "plan", str(platform), str(workload), "--place", "optimal"), cwd=HERE, env=ENVIRONMENT,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=obey_interrupts,
    ) as process:  # fmt: skip
        time.sleep(4)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=55)
    assert (process.returncode, out, err) == (130, "", "interrupted\n")
    assert time.monotonic() - began < 20  # or else the search went on to its own limit
