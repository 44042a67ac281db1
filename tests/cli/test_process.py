"""What only a process of its own shows: signals, pipes, full disks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TLM3D = (sys.executable, "-m", "tlm3d")
GOOD = (*TLM3D, "run", "good/platform.yaml", "good/workload.yaml")


# Output is buffered, as it is for users: what is lost at the last flush is what the pipes below are about.
ENVIRONMENT = os.environ | {"PYTHONPATH": str(HERE.parents[1]), "PYTHONUNBUFFERED": ""}


def start(*args: str, stdout: int) -> subprocess.Popen[str]:
    return subprocess.Popen(args, cwd=HERE, env=ENVIRONMENT, stdout=stdout, stderr=subprocess.PIPE, text=True)


def test_an_interrupt_of_a_long_run_exits_with_130_and_no_traceback() -> None:
    pty = pytest.importorskip("pty")
    terminal, its_other_end = pty.openpty()
    with subprocess.Popen(
        (*GOOD, "--horizon", "2000 s"), cwd=HERE, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=its_other_end
    ) as process:
        os.close(its_other_end)
        shown = b""
        while b"simulating" not in shown:  # the progress bar: the run is under way
            shown += os.read(terminal, 1000)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
        while b"interrupted" not in shown:
            shown += os.read(terminal, 1000)
    os.close(terminal)
    assert (process.returncode, out) == (130, b"")
    assert b"Traceback" not in shown


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
