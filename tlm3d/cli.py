"""The command line: the only place that prints, exits and configures logging."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

import tlm3d

if TYPE_CHECKING:
    from tlm3d.analysis.result import Result
    from tlm3d.errors import Tlm3dError
    from tlm3d.model.system import Progress

_T = TypeVar("_T")

_EXIT = {"met": 0, "missed": 1, "unjudged": 1}
_INTERRUPTED = 130
_BUG = 3


def _examples(*commands: str) -> str:
    """Examples for the end of a help page, one a line."""
    return "\n".join(("\b", "Examples:", *(f"  {command}" for command in commands)))


app = typer.Typer(
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,  # plain help: does not import rich
    pretty_exceptions_enable=False,
    help="Transaction-level model of 3D-stacked chips: are the deadlines met, inside the mW envelope, and where do "
    "the femtojoules go? Exit code: 0 all met, 1 a deadline or limit missed or not judged, 2 wrong input, 3 a bug of "
    "tlm3d, 130 interrupted.",
    epilog=_examples(
        "tlm3d run platforms/three_tier_vision.yaml workloads/always_on_vision.yaml",
        "tlm3d check platforms/*.yaml workloads/*.yaml workloads/networks/*.yaml",
    ),
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"tlm3d {tlm3d.__version__}")
        raise typer.Exit


@app.callback()
def _main(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    context.obj = {"debug": debug}


@app.command(
    short_help="Simulate, judge and report.",
    epilog=_examples(
        "tlm3d run platforms/three_tier_vision.yaml workloads/always_on_vision.yaml",
        'tlm3d run P.yaml W.yaml --set links.tsv.rate="1 Mbit/s"',
        'tlm3d run P.yaml W.yaml --set workload.tasks.wake.deadline="50 ms"',
        'tlm3d run P.yaml W.yaml --policy fixed-priority --horizon "10 s"',
        "tlm3d run P.yaml W.yaml --json - | jq .verdict",
    ),
)
def run(
    context: typer.Context,
    platform: Annotated[str, typer.Argument(help="Platform file (YAML).", show_default=False)],
    workload: Annotated[str, typer.Argument(help="Workload file (YAML).", show_default=False)],
    policy: Annotated[str | None, typer.Option(help="Scheduling policy, such as edf. Default: the workload's.")] = None,
    horizon: Annotated[
        str | None, typer.Option(help='Time to simulate, such as "1 s". Default: the workload\'s.')
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of every random draw (release jitter).")] = 0,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="PATH=VALUE",
            help="Change a value: a path in the platform, or workload.<path>. May be repeated.",
        ),
    ] = None,
    json: Annotated[
        str | None,
        typer.Option(metavar="FILE|-", help="Write the result as JSON; - is standard output, without the report."),
    ] = None,
    export: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write jobs.csv, spans.csv, transfers.csv, power.csv there.")
    ] = None,
) -> None:
    """Simulate WORKLOAD on PLATFORM and report deadlines, power and energy."""
    with _errors(context):
        result = _simulate(platform, workload, policy, horizon, seed, set_ or [])
        # The report first: a file that cannot be written must not cost a long run its result.
        with _output():
            if json == "-":
                from tlm3d.reporters.json import dumps

                sys.stdout.write(dumps(result))
            else:
                from tlm3d.reporters.terminal import render

                render(result, _console())
        if export is not None:
            from tlm3d.reporters import csv

            with _writing(export):
                csv.export(result, export)
        if json not in (None, "-"):
            from tlm3d.reporters.json import dumps

            with _writing(json):
                Path(json).write_text(dumps(result), encoding="utf-8")
        raise typer.Exit(_EXIT[result.verdict.value])


@app.command(
    short_help="Check files without running them.",
    epilog=_examples("tlm3d check platforms/*.yaml workloads/*.yaml workloads/networks/*.yaml"),
)
def check(
    context: typer.Context,
    files: Annotated[list[str], typer.Argument(help="Platform, workload and network files.", show_default=False)],
) -> None:
    """Check files; a platform given with workloads is also checked to be able to run each of them."""
    from tlm3d.errors import ElaborationError, SpecError
    from tlm3d.spec.any_file import describe, read_any
    from tlm3d.spec.platform import PlatformSpec
    from tlm3d.spec.workload import WorkloadSpec

    with _errors(context):
        failed = False
        with _output():
            platforms: list[tuple[str, PlatformSpec]] = []
            workloads: list[tuple[str, WorkloadSpec]] = []
            for file in files:
                try:
                    spec = read_any(file)
                except SpecError as error:
                    failed = True
                    _complain(error)
                    continue
                print(f"{_harmless(file)}: {describe(spec)}")
                if isinstance(spec, PlatformSpec):
                    platforms.append((file, spec))
                elif isinstance(spec, WorkloadSpec):
                    workloads.append((file, spec))
            for platform_file, platform in platforms:
                for workload_file, workload in workloads:
                    from tlm3d.model.system import System

                    pair = f"{_harmless(platform_file)} with {_harmless(workload_file)}"
                    try:
                        system = System(platform, workload, workload.policy, workload.horizon_ps, 0)
                    except (SpecError, ElaborationError) as error:
                        failed = True
                        print(f"{pair}:", file=sys.stderr)
                        _complain(error)
                        continue
                    for note in system.recording.notes:
                        print(f"{pair}: note: {note}")
                    print(f"{pair}: can run")
        raise typer.Exit(2 if failed else 0)


@app.command(
    short_help="Run many points and find the knee.",
    epilog=_examples(
        'tlm3d sweep P.yaml W.yaml --param links.tsv.rate="0.5..10 Mbit/s:log:8"',
        'tlm3d sweep P.yaml W.yaml --param links.tsv.lanes="8, 16, 32" --param workload.policy="edf, fifo"',
        'tlm3d sweep P.yaml W.yaml --param links.tsv.rate="1..9 Mbit/s:lin:5" --jobs 2 --csv sweep.csv',
    ),
)
def sweep(
    context: typer.Context,
    platform: Annotated[str, typer.Argument(help="Platform file (YAML).", show_default=False)],
    workload: Annotated[str, typer.Argument(help="Workload file (YAML).", show_default=False)],
    param: Annotated[
        list[str],
        typer.Option(
            metavar="PATH=VALUES",
            help="What to vary: a list, or LOW..HIGH UNIT:lin|log:COUNT. May be repeated: every combination is run.",
        ),
    ],
    zip_: Annotated[bool, typer.Option("--zip", help="Pair the values of several --param one by one.")] = False,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes. Default: one a processor.")] = None,
    policy: Annotated[str | None, typer.Option(help="Scheduling policy. Default: the workload's.")] = None,
    horizon: Annotated[str | None, typer.Option(help="Time to simulate a point. Default: the workload's.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of every random draw.")] = 0,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="Change a value in every point.")
    ] = None,
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Write one line a point.")] = None,
    json: Annotated[
        str | None, typer.Option(metavar="FILE|-", help="Write the rows as JSON; - is standard output.")
    ] = None,
) -> None:
    """Run WORKLOAD on PLATFORM at every combination of values: table, knee and plot.

    The knee is the least value from which all larger tried ones are MET. A point in error is a row; an interrupt shows
    and writes what is done.
    """
    from tlm3d.analysis.sweep import knees
    from tlm3d.reporters import sweep as reporter
    from tlm3d.sweeps.axis import magnitude, parse_axis, points
    from tlm3d.sweeps.point import Study, check_paths
    from tlm3d.sweeps.processes import sweep as run_points

    with _errors(context):
        if policy is not None:
            _check_policy(policy)
        horizon_ps = _horizon_ps(horizon) if horizon is not None else None
        axes = [parse_axis(text) for text in param]
        paths = [axis.path for axis in axes]
        expected = len(points(axes, zip_))
        study = Study(platform, workload, tuple(set_ or ()), policy, horizon_ps, seed)
        check_paths(study, axes)
        with _progress("sweeping") as progress:
            rows = run_points(study, axes, paired=zip_, jobs=jobs, done=progress)
        found = knees(rows, [magnitude(row.values[0]) for row in rows])
        with _output():
            if json == "-":
                sys.stdout.write(reporter.dumps(paths, rows, found, expected))
            else:
                reporter.render(paths, rows, found, expected, _console())
        if csv is not None:
            with _writing(csv):
                csv.write_text(reporter.csv_text(paths, rows), encoding="utf-8")
        if json is not None and json != "-":
            with _writing(json):
                Path(json).write_text(reporter.dumps(paths, rows, found, expected), encoding="utf-8")
        raise typer.Exit(_INTERRUPTED if len(rows) < expected else 0)


def _simulate(
    platform_file: str, workload_file: str, policy: str | None, horizon: str | None, seed: int, settings: list[str]
) -> Result:
    from tlm3d.errors import Problem, SpecError
    from tlm3d.simulation import simulate
    from tlm3d.spec.platform import platform_of
    from tlm3d.spec.settings import apply_settings
    from tlm3d.spec.source import read_source
    from tlm3d.spec.workload import workload_of

    found: list[Problem] = []

    def attempt(step: Callable[[], _T]) -> _T | None:
        """What ``step`` returns, or None and its problems kept, so that one go shows those of every file."""
        try:
            return step()
        except SpecError as error:
            found.extend(error.problems)
            return None

    if policy is not None:
        attempt(lambda: _check_policy(policy))
    horizon_ps = attempt(lambda: _horizon_ps(horizon)) if horizon is not None else None
    platform_source = attempt(lambda: read_source(platform_file))
    workload_source = attempt(lambda: read_source(workload_file))
    attempt(lambda: apply_settings(platform_source, workload_source, settings))
    platform = attempt(lambda: platform_of(platform_source)) if platform_source else None
    workload = attempt(lambda: workload_of(workload_source, Path(workload_file).parent)) if workload_source else None
    if found or platform is None or workload is None:
        raise SpecError(dict.fromkeys(found))
    with _progress("simulating") as progress:
        return simulate(platform, workload, policy=policy, horizon=horizon_ps, seed=seed, progress=progress)


def _check_policy(policy: str) -> None:
    from tlm3d.errors import PluginError, Problem, SpecError
    from tlm3d.plugins import load_kind

    try:
        load_kind("policies", policy)
    except PluginError as error:
        raise SpecError([Problem("--policy", 0, 0, "", str(error))]) from None


def _horizon_ps(horizon: str) -> int:
    from tlm3d.errors import Problem, SpecError
    from tlm3d.units import TIME, QuantityError, duration_ps, parse_quantity

    try:
        horizon_ps = duration_ps(parse_quantity(horizon, TIME))
        if horizon_ps < 1:
            raise QuantityError(f"expected a time of more than zero such as '1 s', got '{horizon}'")
    except QuantityError as error:
        raise SpecError([Problem("--horizon", 0, 0, "", str(error))]) from None
    return horizon_ps


@contextmanager
def _progress(doing: str) -> Iterator[Progress | None]:
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


def _console() -> Any:
    from rich.console import Console as RichConsole

    class Console(RichConsole):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # rich would exit with 1, which is "missed" here

    console = Console(highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = 100  # piped: the full report, whatever the terminal was
    return console


@contextmanager
def _output() -> Iterator[None]:
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
def _writing(target: str | Path) -> Iterator[None]:
    from tlm3d.errors import Problem, SpecError

    try:
        yield
    except OSError as error:
        raise SpecError([Problem(str(target), 0, 0, "", f"cannot be written: {error.strerror}")]) from None


@contextmanager
def _errors(context: typer.Context) -> Iterator[None]:
    """Errors as one sentence a problem and an exit code; never a traceback without --debug."""
    from tlm3d.errors import Tlm3dError

    debug = bool((context.obj or {}).get("debug"))
    try:
        yield
    except Tlm3dError as error:
        if debug:
            raise
        _complain(error)
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        raise typer.Exit(_INTERRUPTED) from None
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:
        if debug:
            raise
        print(f"error: {type(error).__name__}: {_harmless(str(error))}", file=sys.stderr)
        print(
            "This is a bug of tlm3d. Please report it with the output of the same command under --debug.",
            file=sys.stderr,
        )
        raise typer.Exit(_BUG) from None


def _complain(error: Tlm3dError) -> None:
    for line in str(error).splitlines():
        print(f"error: {_harmless(line)}", file=sys.stderr)


def _harmless(text: str) -> str:
    from tlm3d.units import harmless

    return harmless(text)


def main() -> None:
    """Entry point of the ``tlm3d`` command."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without block characters still gets its report
    app()
