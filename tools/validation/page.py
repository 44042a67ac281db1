"""docs/validation.md: what was published, what the model says, what of it was fitted, and where the model is weak."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from tlm3d.spec.fitted import Fitted
from validation.plot import BAND, SPAN
from validation.report import averages, cells, percent, rule_cells, several, summary
from validation.row import FITTED, IDENTITY, PREDICTED, Row
from validation.study import KINDS, Study, counts, mape

NO_BREAK = "\u00a0"
CLOSE = 0.05  # a row that is off by less is not named as weak
HEAD = """\
# The model against silicon

Published figures of chips, held against what the model says of them. `python tools/validate.py` runs the model for
every row, writes this page and [the plot](validation.svg), and fails where a row or a rule is out of its tolerance;
with `--check` (as in `.ci/run`) also where the page is not what it would write. `--chip NAME` shows one chip, `--json`
everything for programs.

Three kinds of rows, which are never mixed in an average:

- **fitted**: a parameter of the platform was fitted to this figure. Its comment in the platform file says so and names
  the rows: `# fitted: chip/set/quantity/*`. `tlm3d show PLATFORM --fitted` lists them.
- **predicted**: nothing was fitted to this figure; the model had to know it from mechanism and from other figures.
- **identity**: the figure follows from what the platform file states, such as a peak from array and clock, or an
  efficiency that the energy was taken from. It shows that units are counted right and predicts nothing; it counts in
  no average.

A fit is refused where a parameter is fitted to a single row, where there are more fitted parameters than half of the
independent rows (those that are no identity and no sum or ratio of others), where a parameter changes nothing of what
it is fitted to, or where rows cannot tell parameters apart.

**Left out** is the error of a fitted row when the fit is made without it: what the fit would have predicted. The model
is taken as linear in the logarithms of parameters and figures around the values in the file (sensitivities by a
difference of 1 %, one run of all rows a parameter), and the parameters are refitted by least squares without that row.
`python tools/validate.py --chip NAME --refit` makes the fit itself, by Gauss–Newton with the model run at every step.

Errors are (model − published) / published. MAPE is the mean of their absolute values.
"""


def page(studies: Sequence[Study]) -> str:
    """The text of the page."""
    return "\n".join([HEAD, *_overview(studies), *(line for study in studies for line in _chip(study))])


def _overview(studies: Sequence[Study]) -> Iterator[str]:
    yield "## All chips\n"
    heads = ("chip", "set and quantity", "unit", *KINDS, "MAPE fitted", "left out", "MAPE predicted", "worst")
    yield _line(heads)
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for study in studies:
        for series, rows in study.series():
            found = counts(rows)
            left_out = [abs(error) for row in rows if (error := study.left_out(row)) is not None]
            figures = [
                _share(mape(rows, FITTED)),
                _share(sum(left_out) / len(left_out) if left_out else None),
                _share(mape(rows, PREDICTED)),
                percent(max((row.error for row in rows), key=abs)),
            ]
            name = series.partition("/")[2]
            numbers = [str(found[kind] or "") for kind in KINDS]
            yield _line([f"[{study.chip.name}](#{study.chip.name})", name, rows[0].unit, *numbers, *figures])
    shown = sum(row.kind != IDENTITY for study in studies for row in study.rows)
    yield ""
    yield f"![{several(shown, 'figure')}, published against modelled, on the line where equal](validation.svg)\n"
    yield (
        f"Both axes are logarithmic; the band is a factor of {1 + BAND:g} around the line of equality, and below is the"
        f" ratio, with what is beyond a factor of {SPAN:g} on the edge."
        " Filled markers are predicted rows, outlined ones fitted. Identities are left out.\n"
    )


def _chip(study: Study) -> Iterator[str]:
    yield f"## {study.chip.name}\n"
    yield f"{study.chip.about}\n"
    yield (
        f"Platform: [{study.platform}](../{study.platform}). {summary(study).capitalize()}. To reproduce:"
        f" `python tools/validate.py --chip {study.chip.name}`, with `--refit` for the fit.\n"
    )
    if study.parameters:
        yield "| fitted parameter | value | least squares | fitted to | line |"
        yield "|---|---|---|---|---|"
        yield from (_parameter(study, one) for one in study.parameters)
        yield ""
    if study.rules:
        yield "| over several rows | is | may be | ok |"
        yield "|---|---|---|---|"
        yield from (_line(rule_cells(rule)) for rule in study.rules)
        yield ""
    yield f"**Where it is weak.** {' '.join(part for part in (_worst(study), study.chip.weak) if part)}\n"
    for series, rows in study.series():
        yield f"### {series}\n"
        if remark := averages(rows):
            yield f"In {rows[0].unit}. {remark}.\n"
        yield f"| row | network, layer | published, {rows[0].unit} | model | error | left out | kind | may be | ok |"
        yield "|---|---|---|---|---|---|---|---|---|"
        yield from (_line([f"`{row.id.rpartition('/')[2]}`", *cells(study, row)]) for row in rows)
        yield ""
        for source in dict.fromkeys(row.source for row in rows):
            yield f"Published in: {_plain(source)}.\n"


def _parameter(study: Study, one: Fitted) -> str:
    optimum = ""
    if study.fit:
        optimum = f"{study.fit.optimum[one.path]} ({percent(study.fit.moves[one.path])})"
    return _line([f"`{one.path}`", one.value, optimum, ", ".join(f"`{glob}`" for glob in one.rows), str(one.line)])


def _worst(study: Study) -> str:
    """The rows that are furthest off, identities apart."""
    rows = sorted((row for row in study.rows if row.kind != IDENTITY), key=lambda row: -abs(row.error))
    if not rows:
        return "All rows are identities: nothing here shows that the model predicts this chip."
    if not (rows := [row for row in rows if abs(row.error) > CLOSE]):
        return f"No row is off by more than {100 * CLOSE:g} %."
    return f"Furthest off: {', '.join(map(_named, rows[:3]))}."


def _named(row: Row) -> str:
    return f"`{row.id}` by {percent(row.error)} ({row.kind})"


def _line(parts: Sequence[str]) -> str:
    """A row of a table; a per cent sign does not leave its number, however narrow the page."""
    return f"| {' | '.join(_plain(part).replace(' %', NO_BREAK + '%') for part in parts)} |"


def _plain(text: str) -> str:
    """Text as Markdown shows it unchanged, in a table too; what stands between backquotes stays."""
    pieces = text.replace("|", r"\|").split("`")
    pieces[::2] = [piece.replace("<", "&lt;").replace("*", r"\*") for piece in pieces[::2]]
    return "`".join(pieces)


def _share(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f} %"


def same(path: Path, text: str) -> bool:
    """Whether the file has this text."""
    return path.is_file() and path.read_text(encoding="utf-8") == text
