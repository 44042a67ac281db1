"""Parameters of a platform that were fitted to measurements, as the comments in its file say.

``# fitted: GLOBS`` stands behind the value on its line, or in the comment lines directly above it. GLOBS are ids of
rows (``chip/set/quantity/row``, see docs/validation.md), ``*`` and ``?`` standing for anything, separated by commas, up
to a semicolon or the end of the line. Other remarks of the comment stand before or behind, with a semicolon between.

A comment belongs to the whole line, so there must be exactly one number on it; a value at corners is one number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import yaml

from tlm3d.errors import Problem, SpecError
from tlm3d.spec.corners import TYPICAL, at_corner
from tlm3d.spec.source import Source, Tree, Where, dotted, parse
from tlm3d.units import begins_like_a_number, clip

_FITTED = re.compile(r"(?:^|;)\s*fitted:(?P<globs>[^;]*)")
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # what YAML counts lines by
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted parameter: its path, its value with unit as written, globs of the rows it was fitted to, its line."""

    path: str
    value: str
    rows: tuple[str, ...]
    line: int


class _Comment(NamedTuple):
    line: int
    column: int
    text: str
    is_alone: bool  # on its line


def fitted_parameters(source: Source, corner: str = TYPICAL) -> tuple[Fitted, ...]:
    """The fitted parameters of the file that ``source`` was read from, in its order, with their values at ``corner``.

    Values are those of ``source``, so what was set since shows. Raises SpecError for a comment that names no rows, or
    belongs to no number or to several.
    """
    if "fitted:" not in source.text:
        return ()
    picked, problems = at_corner(parse(source.text, source.file), corner)  # as the file has it, with its lines
    numbers: dict[int, list[tuple[Where, str]]] = {}
    for where, value in _numbers(picked.tree, ()):
        numbers.setdefault(picked.values[where][1], []).append((where, value))
    rows: dict[int, list[str]] = {}  # by the line of the number
    comments = {comment.line: comment for comment in _comments(source.text)}
    for comment in comments.values():
        line = comment.line
        while line in comments and comments[line].is_alone:
            line += 1
        if comment.text.count("fitted:") != len(_FITTED.findall(comment.text)):
            wrong = "expected 'fitted:' at the beginning of a comment or behind a semicolon"
            problems.append(Problem(source.file, comment.line, comment.column, "", wrong))
        for said in _FITTED.finditer(comment.text):
            globs = [glob.strip() for glob in said["globs"].split(",")]
            count = len(numbers.get(line, ()))
            if not all(re.fullmatch(r"\S+", glob) for glob in globs):
                wrong = f"expected ids of rows such as 'fitted: chip/set/*', got {clip(said[0].strip('; '))}"
            elif count != 1:
                wrong = f"'fitted' belongs to one number, and line {line} has {count or 'none'}"
            else:
                rows.setdefault(line, []).extend(globs)
                continue
            problems.append(Problem(source.file, comment.line, comment.column, "", wrong))
    if problems:
        raise SpecError(sorted(problems))
    now = dict(_numbers(at_corner(source, corner)[0].tree, ()))
    return tuple(
        Fitted(dotted(where), now.get(where, value), tuple(globs), line)
        for line, globs in sorted(rows.items())
        for where, value in numbers[line]
    )


def _numbers(tree: Tree, where: Where) -> Iterator[tuple[Where, str]]:
    """Path and text of every value that begins like a number."""
    if isinstance(tree, str):
        if begins_like_a_number(tree):
            yield where, tree
        return
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        yield from _numbers(value, (*where, key))


def _comments(text: str) -> Iterator[_Comment]:
    """The comments, which YAML's parser drops: what follows ``#`` behind the last token that ends on a line."""
    ends: dict[int, int] = {}  # line (from 0) → column behind its last token
    inside: set[int] = set()  # lines that a token goes on after, such as those of a block of text
    for token in yaml.scan(text, _LOADER):
        start, end = token.start_mark, token.end_mark
        if isinstance(token, yaml.ScalarToken):
            inside.update(range(start.line, end.line))
        if end.line == start.line or isinstance(token, yaml.ScalarToken):
            ends[end.line] = max(ends.get(end.line, 0), end.column)
    for number, line in enumerate(_BREAK.split(text)):
        behind = ends.get(number, 0)
        column = line.find("#", behind)
        if number not in inside and column >= 0 and not line[behind:column].strip():
            yield _Comment(number + 1, column + 1, line[column + 1 :].strip(), not behind)
