"""What every command shares: the console, the progress bar, errors as sentences and exit codes."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from tlm3d.errors import Tlm3dError

INTERRUPTED = 130
_BUG = 3
_NOTED_AFTER_S, _LONG_S = 3.0, 60.0  # an estimate is told then, where that much is left


def examples(*commands: str) -> str:
    """Examples for the end of a help page, one a line."""
    return "\n".join(("\b", "Examples:", *(f"  {command}" for command in commands)))


@contextmanager
def stoppable() -> Iterator[Callable[[], bool]]:
    """While it lasts the first interrupt only asks to stop: what is yielded says whether. The second one is obeyed."""
    asked: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def ask(number: int, frame: object) -> None:
        asked.append(number)
        for other, handler in before.items():
            signal.signal(other, handler)

    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, ask)
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def progress_bar(doing: str, keeps: bool = True) -> Iterator[Callable[[float, int], None]]:
    """A progress bar on a terminal, once it has taken a second; a note, anywhere, of how long a long one will take.

    ``keeps``: an interrupt reports what was done by then.
    """
    began = monotonic()
    tell = _Bar(doing, began) if sys.stderr.isatty() else None
    noted = False

    def told(done: float, total: int) -> None:
        nonlocal noted
        if tell is not None:
            tell.update(done, total)
        spent_s = monotonic() - began
        left_s = spent_s * (total - done) / done if done else 0.0
        if not noted and spent_s > _NOTED_AFTER_S and left_s > _LONG_S:
            noted = True
            share = f"{100 * done / total:.2g} % in {spent_s:.0f} s, so about {_duration(left_s)} to go"
            ends = "ends it and reports what is done" if keeps else "ends it"
            print(f"note: {doing}: {share}; an interrupt (Ctrl-C) {ends}", file=sys.stderr)

    try:
        yield told
    finally:
        if tell is not None:
            tell.stop()


def _duration(seconds: float) -> str:
    """A time of ours in words: ``45 days``."""
    for unit, length_s in (("years", 365.25 * 86400), ("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length_s:
            count = seconds / length_s
            return f"{count:,.0f} {unit}" if count < 1e6 else f"{count:.0e} {unit}"
    return f"{seconds:.0f} seconds"


class _Bar:
    """Rich's progress bar, drawn once the work has taken a second."""

    def __init__(self, doing: str, began: float) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn(doing), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeRemainingColumn())
        self._progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._progress.add_task(doing, total=1.0)
        self._began = began

    def update(self, done: float, total: int) -> None:
        if not self._progress.live.is_started and monotonic() - self._began > 1.0:
            self._progress.start()
        self._progress.update(self._task, completed=done / total)

    def stop(self) -> None:
        self._progress.stop()


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


def tell(json: str | None, dumps: Callable[[], str], render: Callable[[Any], None]) -> None:
    """The report, or with ``--json -`` the document in its place; then the document in a file, where one is named.

    The report first: a file that cannot be written must not cost a long run its result.
    """
    with output():
        if json == "-":
            sys.stdout.write(dumps())
        else:
            render(console())
    if json is not None and json != "-":
        with writing(json):
            Path(json).write_text(dumps(), encoding="utf-8")


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
