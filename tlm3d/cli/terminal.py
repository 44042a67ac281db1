"""What every command shares: the console, the progress bar, errors as sentences and exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from tlm3d.errors import Tlm3dError
    from tlm3d.model.system import Progress

INTERRUPTED = 130
_BUG = 3


def examples(*commands: str) -> str:
    """Examples for the end of a help page, one a line."""
    return "\n".join(("\b", "Examples:", *(f"  {command}" for command in commands)))


@contextmanager
def progress_bar(doing: str) -> Iterator[Progress | None]:
    """A progress bar on a terminal, once it has taken a second; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    from time import monotonic

    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(doing), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task(doing, total=1.0)
    began = monotonic()

    def tell(done: int, total: int) -> None:
        if not bar.live.is_started and monotonic() - began > 1.0:
            bar.start()
        bar.update(task, completed=done / total)

    try:
        yield tell
    finally:
        bar.stop()


def console() -> Any:
    """Standard output for reports."""
    from rich.console import Console as RichConsole

    class Console(RichConsole):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # rich would exit with 1, which is "missed" here

    found = Console(highlight=False)
    if not found.is_terminal and "COLUMNS" not in os.environ:
        found.width = 100  # piped: the full report, whatever the terminal was
    return found


@contextmanager
def output() -> Iterator[None]:
    """Standard output, flushed; a reader that has gone (`| head`) is no error and does not change the verdict."""
    from tlm3d.errors import Problem, SpecError

    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except OSError as error:
        # Else Python's own flush at exit would complain once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            message = f"cannot be written: {error.strerror}"
            raise SpecError([Problem("standard output", 0, 0, "", message)]) from None


@contextmanager
def terminated() -> Iterator[None]:
    """SIGTERM interrupts as SIGINT does, so that what is done is kept."""
    import signal

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def writing(target: str | Path) -> Iterator[None]:
    """A file being written: what the system refuses names it."""
    from tlm3d.errors import Problem, SpecError

    try:
        yield
    except OSError as error:
        raise SpecError([Problem(str(target), 0, 0, "", f"cannot be written: {error.strerror}")]) from None


@contextmanager
def errors(context: typer.Context) -> Iterator[None]:
    """Errors as one sentence a problem and an exit code; never a traceback without --debug."""
    from tlm3d.errors import Tlm3dError

    debug = bool((context.obj or {}).get("debug"))
    try:
        yield
    except Tlm3dError as error:
        if debug:
            raise
        complain(error)
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:
        if debug:
            raise
        print(f"error: {type(error).__name__}: {harmless(str(error))}", file=sys.stderr)
        print(
            "This is a bug of tlm3d. Please report it with the output of the same command under --debug.",
            file=sys.stderr,
        )
        raise typer.Exit(_BUG) from None


def complain(error: Tlm3dError) -> None:
    """Every problem of ``error``, one a line."""
    for line in str(error).splitlines():
        print(f"error: {harmless(line)}", file=sys.stderr)


def harmless(text: str) -> str:
    """``text`` without anything that a terminal obeys."""
    from tlm3d.units import harmless as escaped

    return escaped(text)
