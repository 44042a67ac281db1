"""YAML text as a tree of plain text with a mark on every node.

YAML scalars stay text (no YAML 1.1 surprises: ``on``, ``1:30``, ``010``); the schema types them. Duplicate keys,
aliases that multiply, absurd sizes and depths are refused before anything is built.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tlm3d.errors import Problem, SpecError, did_you_mean
from tlm3d.units import clip

MAX_BYTES = 4 * 2**20
MAX_NODES = 200_000
MAX_DEPTH = 50

Key = str | int
Where = tuple[Key, ...]
Tree = Any  # str, list of Tree or dict of str to Tree, as far as the schema has not seen it

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class Source:
    """One file's tree and where each of its values (and keys) stands: (file, line, column) by path."""

    file: str
    tree: Tree
    values: dict[Where, tuple[str, int, int]] = field(default_factory=dict)
    keys: dict[Where, tuple[str, int, int]] = field(default_factory=dict)

    def problem(self, where: Where, message: str, at_key: bool = False) -> Problem:
        """A problem at ``where``, or at the nearest enclosing place that stands in the file."""
        marks = self.keys if at_key and where in self.keys else self.values
        place = where
        while place and place not in marks:
            place = place[:-1]
        file, line, column = marks.get(place, (self.file, 0, 0))
        return Problem(file, line, column, dotted(where), message)


def dotted(where: Sequence[Key]) -> str:
    """``('tasks', 'wake', 'stages', 0)`` as ``tasks.wake.stages.0``, harmless to show."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in ".".join(str(part)[:80] for part in where))


def read_source(path: str | Path) -> Source:
    """Read and parse one YAML file. Raises SpecError."""
    shown = str(path)
    try:
        if Path(path).stat().st_size > MAX_BYTES:
            raise _error(shown, f"larger than the {MAX_BYTES // 2**20} MiB that a description may have")
        text = Path(path).read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise _error(shown, f"not UTF-8 text (byte {error.start})") from None
    except IsADirectoryError:
        raise _error(shown, "is a directory, expected a YAML file") from None
    except FileNotFoundError:
        raise _error(shown, "no such file" + _neighbour(Path(path))) from None
    except OSError as error:
        raise _error(shown, f"cannot be read: {error.strerror}") from None
    return parse(text, shown)


def parse(text: str, file: str) -> Source:
    """Parse YAML text; ``file`` is what problems name. Raises SpecError."""
    loader = _LOADER(text)
    try:
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        raise SpecError([Problem(file, line, column, "", f"not valid YAML: {error.problem}")]) from None
    except yaml.YAMLError as error:
        raise _error(file, f"not valid YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise _error(file, f"nested deeper than {MAX_DEPTH} levels") from None
    finally:
        loader.dispose()
    source = Source(file, None)
    if node is None:
        raise SpecError([Problem(file, 1, 1, "", "the file is empty, expected a YAML mapping")])
    builder = _Builder(source)
    source.tree = builder.build(node, ())
    if builder.problems:
        raise SpecError(builder.problems)
    return source


class _Builder:
    """Walks the node graph once; problems are collected, not raised, so that one go shows them all."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.problems: list[Problem] = []
        self.nodes = 0

    def build(self, node: yaml.Node, where: Where) -> Tree:
        mark = node.start_mark
        at = (self.source.file, mark.line + 1, mark.column + 1)
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise SpecError([Problem(*at, "", f"more than {MAX_NODES} values: aliases that multiply?")])
        if len(where) > MAX_DEPTH:
            raise SpecError([Problem(*at, "", f"nested deeper than {MAX_DEPTH} levels")])
        self.source.values[where] = at
        if isinstance(node, yaml.MappingNode):
            return dict(self._pairs(node, where))
        if isinstance(node, yaml.SequenceNode):
            return [self.build(child, (*where, i)) for i, child in enumerate(node.value)]
        return str(node.value)

    def _pairs(self, node: yaml.MappingNode, where: Where) -> Iterator[tuple[str, Tree]]:
        seen: dict[str, int] = {}
        for key_node, value_node in node.value:
            mark = key_node.start_mark
            at = (self.source.file, mark.line + 1, mark.column + 1)
            if not isinstance(key_node, yaml.ScalarNode):
                self.problems.append(Problem(*at, dotted(where), "expected a plain word as key"))
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
    parts = path.split(".")
    where: Where = ()
    here = source.tree
    for depth, part in enumerate(parts):
        last = depth == len(parts) - 1
        if isinstance(here, list):
            if not part.isdigit() or int(part) >= len(here):
                raise _error(option, f"{dotted(where)} has entries 0 to {len(here) - 1}, got {clip(part)}")
            step: Key = int(part)
        elif isinstance(here, dict):
            if part not in here and not last:
                raise _error(option, f"unknown path {clip(path)}: no {clip(part)}{did_you_mean(part, here)}")
            step = part
        else:
            raise _error(option, f"unknown path {clip(path)}: {dotted(where)} is a plain value")
        if last:
            fragment = parse(text, option) if text.strip() else Source(option, "")
            for old in [old for old in source.values if old[: depth + 1] == (*where, step)]:
                del source.values[old]
            here[step] = fragment.tree
            source.values.update({(*where, step, *inner): (option, 0, 0) for inner in (*fragment.values, ())})
            source.keys[(*where, step)] = (option, 0, 0)
        else:
            where, here = (*where, step), here[step]


def _neighbour(path: Path) -> str:
    try:
        names = [p.name for p in path.parent.iterdir()][:1000]
    except OSError:
        return ""
    return did_you_mean(path.name, names)


def _error(file: str, message: str) -> SpecError:
    return SpecError([Problem(file, 0, 0, "", message)])
