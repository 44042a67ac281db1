"""YAML text as a tree of plain text with a mark on every node.

YAML scalars stay text (no YAML 1.1 surprises: ``on``, ``1:30``, ``010``); the schema types them. Duplicate keys,
aliases that multiply, absurd sizes and depths are refused before anything is built.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml

from tlm3d.errors import Problem, SpecError, did_you_mean
from tlm3d.units import clip, harmless

MAX_BYTES = 4 * 2**20
MAX_NODES = 200_000
MAX_DEPTH = 50

Key = str | int
Where = tuple[Key, ...]
Tree = Any  # str, list of Tree or dict of str to Tree, as far as the schema has not seen it

# Characters that YAML 1.2 (section 5.1) does not allow, unescaped.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_TAGS = {
    f"tag:yaml.org,2002:{name}"
    for name in ("map", "seq", "str", "int", "float", "bool", "null", "timestamp", "merge", "value")
}
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Derived:
    """A ``value`` that no file states: ``given`` does, for the node and voltage ``at``; scaled ``to`` others."""

    value: str
    given: str
    at: str
    to: str
    factor: Fraction


@dataclass(slots=True)
class Source:
    """One file's tree and where each of its values (and keys) stands: (file, line, column) by path.

    ``text`` is what was parsed, for what is no part of the tree: its comments.
    """

    file: str
    tree: Tree
    values: dict[Where, tuple[str, int, int]] = field(default_factory=dict)
    keys: dict[Where, tuple[str, int, int]] = field(default_factory=dict)
    text: str = field(default="", repr=False)
    chosen: dict[Where, str] = field(default_factory=dict)  # below its path, the key that a value was taken from
    derived: dict[Where, Derived] = field(default_factory=dict)  # values that were scaled
    unscaled: set[Where] = field(default_factory=set)  # values that could not be scaled: their problems are told
    corner: str = "typical"  # at which its values at corners were picked

    def problem(self, where: Where, message: str, at_key: bool = False) -> Problem:
        """A problem at ``where``, or at the nearest enclosing place that stands in the file."""
        marks = self.keys if at_key and where in self.keys else self.values
        place = where
        while place and place not in marks:
            place = place[:-1]
        file, line, column = marks.get(place, (self.file, 0, 0))
        path = dotted((*where, self.chosen[where]) if where in self.chosen and not at_key else where)
        return Problem(file, line, column, "" if not line and file.endswith(path) else path, message)


def dotted(where: Sequence[Key]) -> str:
    """``('tasks', 'wake', 'stages', 0)`` as ``tasks.wake.stages.0``, harmless to show."""
    return harmless(".".join(str(part)[:80] for part in where))


def read_source(path: str | Path) -> Source:
    """Read and parse one YAML file. Raises SpecError."""
    shown = str(path) or "''"
    with reading(path, "YAML"):
        if Path(path).stat().st_size > MAX_BYTES:
            raise _error(shown, f"larger than the {MAX_BYTES // 2**20} MiB that a description may have")
        text = decoded(Path(path).read_bytes(), shown)
    return parse(text, shown)


@contextmanager
def reading(path: str | Path, expected: str) -> Iterator[None]:
    """A file of kind ``expected`` being read: what the system refuses is a SpecError that names it."""
    shown = str(path) or "''"
    if not str(path):
        raise _error(shown, f"the file name is empty, expected a {expected} file")
    try:
        yield
    except IsADirectoryError:
        raise _error(shown, f"is a directory, expected a {expected} file") from None
    except FileNotFoundError:
        raise _error(shown, "no such file" + _neighbour(Path(path))) from None
    except OSError as error:
        raise _error(shown, f"cannot be read: {error.strerror}") from None


def decoded(raw: bytes, file: str, line: int = 1) -> str:
    """``raw``, which begins at ``line`` of ``file``, as text without its byte order mark. Raises SpecError."""
    try:
        return raw.decode("utf-8-sig" if line == 1 else "utf-8")
    except UnicodeDecodeError as error:
        down, column = _line_column(error.object[: error.start].decode("utf-8"))
        wrong = f"not UTF-8 text: byte 0x{error.object[error.start]:02x}"
        raise SpecError([Problem(file, line + down - 1, column, "", wrong)]) from None


def parse(text: str, file: str) -> Source:
    """Parse YAML text; ``file`` is what problems name. Raises SpecError."""
    forbidden = _FORBIDDEN.search(text)
    if forbidden:
        message = f"not valid YAML: the character {clip(forbidden[0])} is not allowed"
        raise SpecError([Problem(file, *_line_column(text[: forbidden.start()]), "", message)])
    loader = _LOADER(text)
    try:
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        raise SpecError([_syntax_problem(error, file)]) from None
    except RecursionError:
        raise _error(file, f"nested deeper than {MAX_DEPTH} levels") from None
    finally:
        loader.dispose()
    source = Source(file, None, text=text)
    if node is None:
        raise SpecError([Problem(file, 1, 1, "", "the file is empty, expected a YAML mapping")])
    builder = _Builder(source)
    source.tree = builder.build(node, ())
    if builder.problems:
        raise SpecError(builder.problems)
    return source


def _line_column(before: str) -> tuple[int, int]:
    """Where the character after the text ``before`` stands, from 1."""
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def _syntax_problem(error: yaml.MarkedYAMLError, file: str) -> Problem:
    """What PyYAML could not parse, where, and where the thing around it began."""
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    if "exceeded maximum nesting depth" in (error.problem or ""):  # PyYAML 6.0.4's own bound, beyond ours
        return Problem(file, line, column, "", f"nested deeper than {MAX_DEPTH} levels")
    message = f"not valid YAML: {(error.problem or '').removeprefix('but ')}"
    if "tab character" in message or "'\\t'" in message:
        message += "; indent with spaces"
    elif error.context and error.context_mark and error.context_mark is not mark:
        around = error.context_mark
        message += f" ({error.context}, from line {around.line + 1}, column {around.column + 1})"
    return Problem(file, line, column, "", message)


class _Builder:
    """Walks the node graph once; problems are collected, not raised, so that one go shows them all."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.problems: list[Problem] = []
        self.nodes = 0
        self.open: set[int] = set()  # ids of the nodes we are inside of

    def build(self, node: yaml.Node, where: Where) -> Tree:
        mark = node.start_mark
        at = (self.source.file, mark.line + 1, mark.column + 1)
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise SpecError([Problem(*at, "", f"more than {MAX_NODES} values, counting what aliases repeat")])
        if id(node) in self.open:
            raise SpecError([Problem(*at, dotted(where), "contains an alias of itself")])
        if len(where) > MAX_DEPTH:
            raise SpecError([Problem(*at, "", f"nested deeper than {MAX_DEPTH} levels")])
        self.source.values[where] = at
        if node.tag not in _TAGS:
            name = node.tag.replace("tag:yaml.org,2002:", "!!")
            self.problems.append(Problem(*at, dotted(where), f"the YAML tag {clip(name)} means nothing here"))
        if isinstance(node, yaml.ScalarNode):
            return str(node.value)
        self.open.add(id(node))
        tree: Tree
        if isinstance(node, yaml.MappingNode):
            tree = dict(self._pairs(node, where))
        else:
            tree = [self.build(child, (*where, i)) for i, child in enumerate(node.value)]
        self.open.remove(id(node))
        return tree

    def _pairs(self, node: yaml.MappingNode, where: Where) -> Iterator[tuple[str, Tree]]:
        seen: dict[str, int] = {}
        for key_node, value_node in node.value:
            mark = key_node.start_mark
            at = (self.source.file, mark.line + 1, mark.column + 1)
            if not isinstance(key_node, yaml.ScalarNode):
                self.problems.append(Problem(*at, dotted(where), "expected a word as key, got a list or mapping"))
                continue
            key = str(key_node.value)
            if key in seen:
                message = f"duplicate key {clip(key)}, first given on line {seen[key]}"
                self.problems.append(Problem(*at, dotted((*where, key)), message))
                continue
            seen[key] = mark.line + 1
            self.source.keys[(*where, key)] = at
            yield key, self.build(value_node, (*where, key))


def override(source: Source, path: str, text: str, option: str) -> None:
    """Set the value at dotted ``path`` to ``text`` (a YAML value) in place. ``option`` names it in problems.

    The parent must exist; the last key may be new (the schema then says whether it is known). Raises SpecError.
    """
    fragment = _fragment(text, option)
    parts = path.split(".")
    where: Where = ()
    here = source.tree
    for depth, part in enumerate(parts):
        last = depth == len(parts) - 1
        if isinstance(here, list):
            numbers = [str(i) for i in range(len(here))]
            if part not in numbers:
                there = (
                    f"{dotted(where)} has the entries {numbers[0]} to {numbers[-1]}" if here else "the list is empty"
                )
                raise _error(option, f"no entry {clip(part)}: {there}")
            step: Key = int(part)
        elif isinstance(here, dict):
            if part not in here and not last:
                raise _error(
                    option, f"no {clip(part)} in {dotted(where) or source.file}{_meant(source, path, part, here)}"
                )
            step = part
        else:
            raise _error(option, f"{dotted(where)} is a plain value: there is no {clip(part)} in it")
        if last:
            for marks in (source.values, source.keys):
                for old in [old for old in marks if old[: depth + 1] == (*where, step)]:
                    del marks[old]
            here[step] = fragment.tree
            source.values.update({(*where, step, *inner): (option, 0, 0) for inner in (*fragment.values, ())})
            source.keys.update({(*where, step, *inner): (option, 0, 0) for inner in (*fragment.keys, ())})
        else:
            where, here = (*where, step), here[step]


def steps(source: Source, path: str) -> int:
    """How many parts of the dotted ``path`` lead somewhere: all of them where ``override`` would find its place."""
    here = source.tree
    parts = path.split(".")
    for depth, part in enumerate(parts):
        if isinstance(here, dict) and (part in here or depth == len(parts) - 1):
            here = here.get(part)
        elif isinstance(here, list) and part in map(str, range(len(here))):
            here = here[int(part)]
        else:
            return depth
    return len(parts)


def _fragment(text: str, option: str) -> Source:
    """The YAML value of an option; its problems have no line."""
    if not text.strip():
        return Source(option, "")
    try:
        return parse(text, option)
    except SpecError as error:
        message, _, _ = error.problems[0].message.partition(" (")  # where in the file means nothing here
        raise _error(option, message) from None


def _meant(source: Source, path: str, part: str, here: dict[str, Tree]) -> str:
    """A hint for an unknown step: the one full path that ends like this, a close name, or what there is."""
    full = [shown for where in source.values if (shown := dotted(where)).endswith(f".{path}")]
    if len(full) == 1:
        return f"; did you mean '{full[0]}'?"
    return did_you_mean(part, here) or f"; there are: {', '.join(map(harmless, here))}"


def _neighbour(path: Path) -> str:
    try:
        names = [p.name for p in path.parent.iterdir()][:1000]
    except OSError:
        return ""
    return did_you_mean(path.name, names)


def _error(file: str, message: str) -> SpecError:
    return SpecError([Problem(file, 0, 0, "", message)])
