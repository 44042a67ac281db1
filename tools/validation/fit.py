"""How the fitted parameters of a chip answer to its rows: leaving a row out, and the fit itself.

Everything is relative: residuals are logarithms of published/modelled, sensitivities d log(modelled) / d log(parameter)
by a forward difference of 1 %. A parameter is moved by the rows that it is fitted to and by no others, so with S the
sensitivities and M the mask of what is fitted to what, (M·S)ᵀ S δ = (M·S)ᵀ r: ordinary least squares where all
parameters are fitted to the same rows. Nothing is regularised.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tlm3d.errors import Problem, SpecError
from tlm3d.spec.fitted import Fitted
from tlm3d.spec.pair import read_platform
from validation.chip import Chip
from validation.row import Row, matches

if TYPE_CHECKING:
    from tlm3d.spec.source import Source

STEP = 0.01  # of a parameter, for its sensitivity
MOVE = 0.5  # at most, of a logarithm, in one step of a refit
CLOSE = 1e-4  # a refit whose steps are smaller has arrived
ROUNDS = 10
_INFLUENCE = 1e-6  # sensitivities below that are none
_RANK = 1e-8  # as a share of the largest singular value
_QUANTITY = re.compile(r"\s*(?P<number>\+?(?:[\d_]+\.?[\d_]*|\.[\d_]+)(?:[eE][+-]?\d+)?)(?P<unit>.*)")


@dataclass(frozen=True, slots=True)
class Fit:
    """What refitting says. ``optimum``: by path, the least-squares value; ``left_out``: by row, its error."""

    optimum: dict[str, str]
    moves: dict[str, float]  # by path, how far that is from the file's value, relative
    left_out: dict[str, float]
    evaluations: int


@dataclass(frozen=True, slots=True)
class _Parameter:
    fitted: Fitted
    number: float
    unit: str
    is_whole: bool

    def at(self, number: float) -> str:
        """As it is written in a file with ``number`` for its value."""
        value = Decimal(round(number)) if self.is_whole else Decimal(f"{number:.10g}")
        return f"{value:f}{self.unit}"

    def setting(self, number: float) -> str:
        return f"{self.fitted.path}={self.at(number)}"


def fit(chip: Chip, source: Source, parameters: Sequence[Fitted], rows: Sequence[Row]) -> Fit:
    """Linear in the logarithms around the file's values: one evaluation of the model a parameter, however many rows."""
    known = [_parameter(chip, source, one) for one in parameters]
    held, mask = _held(known, rows)
    sensitivities = _sensitivities(chip, known, [one.number for one in known], held)
    _check_influence(source.file, known, sensitivities, mask)
    residuals = _residuals(held)
    step = _step(sensitivities, mask, residuals)
    left_out = {}
    for i, row in enumerate(held):
        without = mask.copy()
        without[i] = False
        moved = sensitivities[i] @ _step(sensitivities, without, residuals)
        left_out[row.id] = math.exp(moved - residuals[i]) - 1
    return Fit(
        {one.fitted.path: _short(one, one.number * math.exp(d)) for one, d in zip(known, step, strict=True)},
        {one.fitted.path: math.exp(d) - 1 for one, d in zip(known, step, strict=True)},
        left_out,
        len(known),
    )


def refit(chip: Chip, source: Source, parameters: Sequence[Fitted]) -> tuple[dict[str, str], list[Row]]:
    """Damped Gauss–Newton from the file's values: the optimum by path, as written, and the rows there."""
    known = [_parameter(chip, source, one) for one in parameters]
    numbers = [one.number for one in known]
    for _ in range(ROUNDS):
        settings = [one.setting(number) for one, number in zip(known, numbers, strict=True)]
        held, mask = _held(known, chip.rows(settings))
        sensitivities = _sensitivities(chip, known, numbers, held)
        _check_influence(source.file, known, sensitivities, mask)
        step = [max(-MOVE, min(MOVE, d)) for d in _step(sensitivities, mask, _residuals(held))]
        numbers = [number * math.exp(d) for number, d in zip(numbers, step, strict=True)]
        if max(map(abs, step)) < CLOSE:
            break
    found = {one.fitted.path: _short(one, number) for one, number in zip(known, numbers, strict=True)}
    return found, chip.rows([f"{path}={value}" for path, value in found.items()])


def _parameter(chip: Chip, source: Source, fitted: Fitted) -> _Parameter:
    parts = _QUANTITY.fullmatch(fitted.value)
    number = float(parts["number"]) if parts else 0.0
    if parts is None or number <= 0:
        message = f"a fitted parameter is a number of more than zero, got '{fitted.value}'"
        raise SpecError([Problem(source.file, fitted.line, 1, fitted.path, message)])
    smooth = _Parameter(fitted, number, parts["unit"], is_whole=False)
    if not number.is_integer():
        return smooth
    try:
        read_platform(str(chip.platform), [smooth.setting(number * 1.00123)])  # no whole number any more
    except SpecError:  # a count, such as the cycles of a set-up
        return _Parameter(fitted, number, parts["unit"], is_whole=True)
    return smooth


def _held(known: Sequence[_Parameter], rows: Sequence[Row]) -> tuple[list[Row], Any]:
    """The independent rows that something is fitted to, and which parameter (a column) is fitted to which."""
    import numpy as np

    held = [row for row in rows if row.independent and any(matches(one.fitted.rows, row.id) for one in known)]
    return held, np.array([[matches(one.fitted.rows, row.id) for one in known] for row in held], dtype=bool)


def _residuals(rows: Sequence[Row]) -> Any:
    import numpy as np

    return np.array([math.log(row.published / row.modelled) for row in rows])


def _sensitivities(chip: Chip, known: Sequence[_Parameter], numbers: Sequence[float], held: Sequence[Row]) -> Any:
    """d log(modelled) / d log(parameter), a row a line and a parameter a column, around ``numbers``."""
    import numpy as np

    settings = [one.setting(number) for one, number in zip(known, numbers, strict=True)]
    found = np.zeros((len(held), len(known)))
    for j, (one, number) in enumerate(zip(known, numbers, strict=True)):
        before = round(number) if one.is_whole else number
        change = max(1, round(before * STEP)) if one.is_whole else before * STEP
        try:
            after, rows = before + change, chip.rows([*settings[:j], one.setting(before + change), *settings[j + 1 :]])
        except SpecError:  # at the end of what is allowed, such as a share of 1
            after, rows = before - change, chip.rows([*settings[:j], one.setting(before - change), *settings[j + 1 :]])
        moved = {row.id: row.modelled for row in rows}
        for i, row in enumerate(held):
            found[i, j] = math.log(moved[row.id] / row.modelled) / math.log(after / before)
    return found


def _step(sensitivities: Any, mask: Any, residuals: Any) -> Any:
    """How far the logarithms of the parameters move to their least squares."""
    import numpy as np

    weights = (sensitivities * mask).T
    return np.linalg.lstsq(weights @ sensitivities, weights @ residuals, rcond=_RANK)[0]


def _check_influence(file: str, known: Sequence[_Parameter], sensitivities: Any, mask: Any) -> None:
    """Raise SpecError for parameters that the rows they are fitted to do not determine."""
    import numpy as np

    idle = [j for j in range(len(known)) if abs(sensitivities[:, j] * mask[:, j]).max() < _INFLUENCE]
    problems = [
        Problem(file, known[j].fitted.line, 1, known[j].fitted.path, "changes none of the rows that it is fitted to")
        for j in idle
    ]
    weights = (sensitivities * mask).T
    sizes = np.linalg.svd(weights @ sensitivities, compute_uv=False)
    rank = int((sizes > _RANK * sizes[0]).sum())
    if not problems and rank < len(known):
        message = f"the rows determine {rank} of the {len(known)} fitted parameters: some do the same to all of them"
        problems.append(Problem(file, 0, 0, "", message))
    if problems:
        raise SpecError(problems)


def _short(parameter: _Parameter, number: float) -> str:
    """To four digits, which is more than rows tell."""
    return parameter.at(number if parameter.is_whole else float(f"{number:.4g}"))
