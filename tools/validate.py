"""Hold the published figures of chips against the model, and write docs/validation.md and its plot.

    python tools/validate.py [--check] [--chip NAME] [--json] [--no-loo] [--refit]

Exit codes: 0 all within tolerance, 1 a row or rule is not (or a page is not up to date, with --check), 2 wrong input:
a file, a fit that is no evidence, an unknown chip. Pages are written where all chips are run with everything.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

from rich.console import Console

from tlm3d.errors import Problem, SpecError, Tlm3dError, did_you_mean, one_of
from tlm3d.reporters.page import Column, Kind, Page
from tlm3d.spec.fitted import fitted_parameters
from tlm3d.spec.source import read_source
from validation.chip import Chip, chips
from validation.fit import refit
from validation.page import page, same
from validation.plot import svg
from validation.report import dumps, percent, render, several
from validation.row import matches
from validation.study import Study, study

DOCS = Path(__file__).parents[1] / "docs"


def main(arguments: Sequence[str] | None = None, known: Sequence[Chip] | None = None, docs: Path = DOCS) -> int:
    """What the command line asks for, of the ``known`` chips (default: all there are), with pages in ``docs``."""
    asked = _parser().parse_args(arguments)
    try:
        chosen = _chosen(list(chips()) if known is None else known, asked.chip)
        if asked.refit:
            return _refitted(chosen)
        began = perf_counter()
        studies = [study(chip, not asked.no_loo) for chip in chosen]
        spent_s = perf_counter() - began
    except Tlm3dError as error:
        print("\n".join(f"error: {line}" for line in str(error).splitlines()), file=sys.stderr)
        return error.exit_code
    if asked.json:
        sys.stdout.write(dumps(studies))
    else:
        render(studies, _console())
        runs = sum(one.evaluations for one in studies)
        print(f"\n{several(len(studies), 'chip')}, rows modelled {several(runs, 'time')} in {spent_s:.1f} s")
    ok = _all_ok(studies)
    if asked.chip is None and not asked.no_loo and (asked.check or not asked.json):
        ok = _pages(studies, docs, asked.check) and ok
    return 0 if ok else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Hold the published figures of chips against the model.")
    parser.add_argument("--check", action="store_true", help="compare the pages with those on disk, write nothing")
    parser.add_argument("--chip", metavar="NAME", help="only this chip; no pages")
    parser.add_argument("--json", action="store_true", help="JSON on standard output; no tables, no pages")
    parser.add_argument("--no-loo", action="store_true", help="do not leave rows out: one run a chip; no pages")
    parser.add_argument("--refit", action="store_true", help="fit the fitted parameters anew from the file's values")
    return parser


def _console() -> Console:
    console = Console(highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = 100  # piped: the full tables, whatever the terminal was
    return console


def _chosen(known: Sequence[Chip], name: str | None) -> list[Chip]:
    names = [chip.name for chip in known]
    if name is not None and name not in names:
        raise SpecError([Problem("--chip", 0, 0, "", f"no chip '{name}'{did_you_mean(name, names) or one_of(names)}")])
    return [chip for chip in known if name in (None, chip.name)]


def _all_ok(studies: Sequence[Study]) -> bool:
    """Whether everything is within its tolerance; what is not is named."""
    for one in studies:
        for row in one.rows:
            if row.ok is False:
                print(f"out of tolerance: {row.id}: {percent(row.error)}", file=sys.stderr)
        for rule in one.rules:
            if not rule.ok:
                what = f"{one.chip.name}: {rule.rule.what}: {rule.shown}, may be {rule.limit}"
                print(f"out of tolerance: {what}", file=sys.stderr)
    return all(one.ok for one in studies)


def _pages(studies: Sequence[Study], docs: Path, check: bool) -> bool:
    """Write the pages, or with ``check`` whether they are up to date."""
    texts = {docs / "validation.md": page(studies), docs / "validation.svg": svg(studies)}
    if not check:
        for path, text in texts.items():
            path.write_text(text, encoding="utf-8")
        return True
    old = [path.name for path, text in texts.items() if not same(path, text)]
    for name in old:
        print(f"docs/{name} is not what tools/validate.py would write", file=sys.stderr)
    return not old


def _refitted(chosen: Sequence[Chip]) -> int:
    for chip in chosen:
        source = read_source(chip.platform)
        parameters = fitted_parameters(source)
        page = Page(_console())
        page.line((chip.name, "bold"), "" if parameters else " · no parameter is fitted")
        if not parameters:
            continue
        study(chip, leave_out=False)  # refuses fits that are no evidence
        before = {row.id: row for row in chip.rows(())}
        optimum, rows = refit(chip, source, parameters)
        page.table(
            [Column("parameter", Kind.NAME), Column("file"), Column("least squares"), Column("line")],
            [[one.path, one.value, optimum[one.path], str(one.line)] for one in parameters],
        )
        globs = [glob for one in parameters for glob in one.rows]
        held = [row for row in rows if row.independent and matches(globs, row.id)]
        means = [sum(abs(row.error) for row in some) / len(held) for some in ([before[row.id] for row in held], held)]
        page.line(f"MAPE of the {len(held)} rows: {100 * means[0]:.2f} % in the file, {100 * means[1]:.2f} % refitted")
    return 0


if __name__ == "__main__":
    sys.exit(main())
