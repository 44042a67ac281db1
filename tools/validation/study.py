"""One chip's rows, what of them was fitted, and whether all of it is within what it may be."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from statistics import fmean, median

from tlm3d.errors import Problem, SpecError, did_you_mean
from tlm3d.spec.fitted import Fitted, fitted_parameters
from tlm3d.spec.source import read_source
from validation.chip import ROOT, Chip
from validation.fit import Fit, fit
from validation.row import FITTED, IDENTITY, PREDICTED, Row, Rule, matches

MIN_ROWS = 2  # independent ones that a parameter is fitted to
KINDS = (FITTED, PREDICTED, IDENTITY)


@dataclass(frozen=True, slots=True)
class Judged:
    """A rule with what it came to."""

    rule: Rule
    rows: int
    value: float

    @property
    def ok(self) -> bool:
        if self.rule.figure == "within":
            return self.value >= (self.rule.count or 0)
        return abs(self.value) <= self.rule.at_most

    @property
    def shown(self) -> str:
        """``12 of 27`` or ``3.1 %``."""
        if self.rule.figure == "within":
            return f"{self.value:.0f} of {self.rows}"
        return f"{100 * self.value:.1f} %"

    @property
    def limit(self) -> str:
        """``at least 10 within 25 %`` or ``at most 10 %``."""
        if self.rule.figure == "within":
            return f"at least {self.rule.count} within {100 * self.rule.at_most:g} %"
        return f"at most {100 * self.rule.at_most:g} %"


@dataclass(frozen=True, slots=True)
class Study:
    """A chip held against its published figures. ``fit`` is None where nothing is fitted or it was not asked for."""

    chip: Chip
    rows: tuple[Row, ...]
    parameters: tuple[Fitted, ...]
    rules: tuple[Judged, ...]
    fit: Fit | None
    evaluations: int  # of the model for all rows

    @property
    def platform(self) -> str:
        """The platform file as seen from the top of the repository."""
        path = self.chip.platform
        return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else str(path)

    @property
    def ok(self) -> bool:
        """Whether every row and every rule is within its tolerance."""
        return all(row.ok is not False for row in self.rows) and all(rule.ok for rule in self.rules)

    def series(self) -> Iterable[tuple[str, list[Row]]]:
        """The rows by chip/set/quantity, in the order in which the chip gives them."""
        order = {series: i for i, series in enumerate(dict.fromkeys(row.series for row in self.rows))}
        found = groupby(sorted(self.rows, key=lambda row: order[row.series]), key=lambda row: row.series)
        return [(series, list(rows)) for series, rows in found]

    def left_out(self, row: Row) -> float | None:
        """The error of ``row`` when the parameters are fitted without it."""
        return self.fit.left_out.get(row.id) if self.fit else None


def study(chip: Chip, leave_out: bool = True) -> Study:
    """Run ``chip`` and judge it. Raises SpecError for rows, rules or fits that are no evidence."""
    source = read_source(chip.platform)
    parameters = fitted_parameters(source)
    given = chip.rows(())
    rows = [replace(row, kind=FITTED) if _is_fitted(row, parameters) else row for row in given]
    problems = [*_wrong_rows(chip, given, parameters), *_wrong_fits(source.file, rows, parameters)]
    if problems:
        raise SpecError(problems)
    rules = [_judged(chip, rule, rows) for rule in chip.rules]
    found = fit(chip, source, parameters, rows) if leave_out and parameters else None
    return Study(chip, tuple(rows), parameters, tuple(rules), found, 1 + (found.evaluations if found else 0))


def mape(rows: Sequence[Row], kind: str) -> float | None:
    """The mean absolute relative error of the rows of ``kind``; None where there are none."""
    errors = [abs(row.error) for row in rows if row.kind == kind]
    return fmean(errors) if errors else None


def counts(rows: Iterable[Row]) -> Counter[str]:
    """How many rows there are of each kind."""
    return Counter(row.kind for row in rows)


def _is_fitted(row: Row, parameters: Iterable[Fitted]) -> bool:
    return any(matches(parameter.rows, row.id) for parameter in parameters)


def _wrong_rows(chip: Chip, rows: Sequence[Row], parameters: Sequence[Fitted]) -> list[Problem]:
    module = f"tools/validation/{chip.name}.py"
    found = [] if rows else [Problem(module, 0, 0, "", "gives no rows")]
    ids = Counter(row.id for row in rows)
    for row in rows:
        wrong = ""
        parts = row.id.split("/")
        if len(parts) != 4 or parts[0] != chip.name or not all(parts) or not row.id.isprintable():
            wrong = f"expected an id '{chip.name}/set/quantity/row'"
        elif ids[row.id] > 1:
            wrong = "two rows have this id"
        elif row.kind not in KINDS:
            wrong = f"expected a kind of {', '.join(KINDS)}, got {row.kind!r}"
        elif not all(math.isfinite(value) and value > 0 for value in (row.published, row.modelled)):
            wrong = f"expected figures of more than zero, got {row.published} published and {row.modelled} modelled"
        elif row.kind == FITTED and not _is_fitted(row, parameters):
            wrong = "said to be fitted, but no parameter of the platform is '# fitted:' to it"
        if wrong:
            found.append(Problem(module, 0, 0, row.id, wrong))
    return found


def _wrong_fits(file: str, rows: Sequence[Row], parameters: Sequence[Fitted]) -> list[Problem]:
    found = []
    for one in parameters:
        wrong = [
            f"no row matches '{glob}'{did_you_mean(glob, [row.id for row in rows])}"
            for glob in one.rows
            if not any(matches([glob], row.id) for row in rows)
        ]
        count = sum(row.independent and matches(one.rows, row.id) for row in rows)
        if not wrong and count < MIN_ROWS:
            wrong = [f"fitted to {count} independent row{'s' * (count != 1)}, expected at least {MIN_ROWS}"]
        found += [Problem(file, one.line, 1, one.path, text) for text in wrong]
    independent = sum(row.independent and row.kind != IDENTITY for row in rows)
    if 2 * len(parameters) > independent:
        message = (
            f"{len(parameters)} fitted parameters for {independent} independent rows, expected at most half as many"
        )
        found.append(Problem(file, 0, 0, "", message))
    return found


def _judged(chip: Chip, rule: Rule, rows: Sequence[Row]) -> Judged:
    globs = [glob.strip() for glob in rule.rows.split(",")]
    held = [row for row in rows if matches(globs, row.id) and rule.group in ("", row.group)]
    held = [row for row in held if rule.where is None or rule.where(row)]
    wrong = ""
    if not held:
        wrong = f"no row matches '{rule.rows}'" + (f" in group '{rule.group}'" if rule.group else "")
    elif (rule.figure == "within") != (rule.count is not None):
        wrong = "expected a count for the figure 'within', and for no other"
    elif rule.figure == "total" and len({row.unit for row in held}) > 1:
        wrong = "a total of rows in different units"
    if wrong:
        raise SpecError([Problem(f"tools/validation/{chip.name}.py", 0, 0, rule.what, wrong)])
    errors = [abs(row.error) for row in held]
    if rule.figure == "median":
        value = median(errors)
    elif rule.figure == "mean":
        value = fmean(errors)
    elif rule.figure == "total":
        value = sum(row.modelled for row in held) / sum(row.published for row in held) - 1
    else:
        value = sum(error <= rule.at_most for error in errors)
    return Judged(rule, len(held), value)
