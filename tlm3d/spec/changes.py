"""What differs between two platform files, as text: parts that came, went or moved, and values that are not the same.

A part is a block, the bus of a die, or a link. A part of one file is the same as a part of the other if it stands at
the same place; else if it is of the same kind and agrees with it in most of its values, which is a part that moved
(``logic.l2`` to ``soc.l2``). Values are the same if they are the same quantity: ``10 Mbit/s`` is ``0.01 Gbit/s``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from tlm3d.spec.source import Source, Tree, Where, dotted
from tlm3d.units import DIMENSIONS, QuantityError, harmless, parse_number, parse_quantity


@dataclass(frozen=True, slots=True)
class Part:
    """A block, bus or link: its dotted path and its kind."""

    path: str
    kind: str


@dataclass(frozen=True, slots=True)
class Move:
    """A part at ``before`` in one file and at ``after`` in the other."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Change:
    """One value: ``path`` where it stands, or would, in the second file; None is "not given"."""

    path: str
    before: str | None
    after: str | None
    ratio: float | None = None  # after / before where both are one dimension and above zero


@dataclass(frozen=True, slots=True)
class Changes:
    """All that differs, in the order of paths; dies are named, the parts on them are parts."""

    removed_dies: tuple[str, ...] = ()
    added_dies: tuple[str, ...] = ()
    removed: tuple[Part, ...] = ()
    added: tuple[Part, ...] = ()
    moved: tuple[Move, ...] = ()
    values: tuple[Change, ...] = ()

    def __bool__(self) -> bool:
        return any((self.removed_dies, self.added_dies, self.removed, self.added, self.moved, self.values))


_MOST = Fraction(1, 2)  # of the values of both: what a part that moved must share
_Leaves = dict[Where, str]


def changes(before: Source, after: Source) -> Changes:
    """What differs from ``before`` to ``after``, two platforms; their names do not count."""
    parts = _parts(before.tree), _parts(after.tree)
    same = [(where, where) for where in parts[0] if where in parts[1]]
    gone = [where for where in parts[0] if where not in parts[1]]
    come = [where for where in parts[1] if where not in parts[0]]
    moved = _moved({where: parts[0][where] for where in gone}, {where: parts[1][where] for where in come})
    values: list[Change] = []
    for old, new in [*same, *moved]:
        values += _values(_leaves(parts[0][old]), _leaves(parts[1][new]), new)
    dies = _dies(before.tree), _dies(after.tree)
    both = [die for die in dies[0] if die in dies[1]]
    values += _values(_frame(before.tree, after.tree, both), _frame(after.tree, before.tree, both), ())
    return Changes(
        removed_dies=tuple(sorted(harmless(die) for die in dies[0] if die not in dies[1])),
        added_dies=tuple(sorted(harmless(die) for die in dies[1] if die not in dies[0])),
        removed=_named(parts[0], [where for where in gone if where not in dict(moved)]),
        added=_named(parts[1], [where for where in come if where not in dict(moved).values()]),
        moved=tuple(sorted((Move(dotted(old), dotted(new)) for old, new in moved), key=lambda move: move.before)),
        values=tuple(sorted(values, key=lambda change: change.path)),
    )


def _dies(tree: Tree) -> dict[str, Tree]:
    return _map(_map(tree).get("dies"))


def _map(tree: Tree) -> dict[str, Tree]:
    return tree if isinstance(tree, dict) else {}


def _parts(tree: Tree) -> dict[Where, Tree]:
    """Every block, bus and link by its path."""
    parts: dict[Where, Tree] = {}
    for name, die in _dies(tree).items():
        if "bus" in _map(die):
            parts["dies", name, "bus"] = die["bus"]
        for block, text in _map(_map(die).get("blocks")).items():
            parts["dies", name, "blocks", block] = text
    for name, link in _map(_map(tree).get("links")).items():
        parts["links", name] = link
    return parts


def _frame(tree: Tree, other: Tree, dies: list[str]) -> _Leaves:
    """What is no part: limits that the other has not got, wherever in its list, and what ``dies`` say themselves."""
    frame = {key: value for key, value in _map(tree).items() if key not in ("name", "dies", "links", "limits")}
    leaves = _leaves(frame) if frame else {}
    limits, others = _map(tree).get("limits", []), _map(other).get("limits", [])
    for i, limit in enumerate(limits):
        if _text(limit) not in map(_text, others):
            leaves |= {("limits", i, *where): text for where, text in _leaves(limit).items()}
    for name in dies:
        own = {key: value for key, value in _map(_dies(tree)[name]).items() if key not in ("bus", "blocks")}
        leaves |= {("dies", name, *where): text for where, text in _leaves(own).items()}
    return leaves


def _moved(gone: dict[Where, Tree], come: dict[Where, Tree]) -> list[tuple[Where, Where]]:
    """Pairs of parts that are one part at two places: the most alike first, each part once."""
    ranked = []
    for old, a in gone.items():
        for new, b in come.items():
            if old[0] != new[0] or _kind(a) != _kind(b):
                continue
            mine, theirs = _leaves(a), _leaves(b)
            shared = sum(1 for where in mine if where in theirs and _equal(mine[where], theirs[where]))
            alike = Fraction(shared, max(len(mine), len(theirs), 1))
            if alike > _MOST:
                ranked.append((-alike, old[-1] != new[-1], dotted(old), dotted(new), old, new))
    found: list[tuple[Where, Where]] = []
    for *_, old, new in sorted(ranked, key=lambda entry: entry[:4]):
        if all(old != used and new != taken for used, taken in found):
            found.append((old, new))
    return found


def _kind(part: Tree) -> str:
    kind = _map(part).get("kind")
    return harmless(kind) if isinstance(kind, str) else "-"


def _named(parts: dict[Where, Tree], wheres: list[Where]) -> tuple[Part, ...]:
    return tuple(sorted((Part(dotted(where), _kind(parts[where])) for where in wheres), key=lambda part: part.path))


def _leaves(tree: Tree) -> _Leaves:
    """Plain values by path; a list without mappings is one value."""
    return dict(_walk(tree, ()))


def _walk(tree: Tree, where: Where) -> Iterator[tuple[Where, str]]:
    if isinstance(tree, dict) and tree:
        for key, value in tree.items():
            yield from _walk(value, (*where, key))
    elif isinstance(tree, list) and any(isinstance(entry, dict) for entry in tree):
        for i, entry in enumerate(tree):
            yield from _walk(entry, (*where, i))
    else:
        yield where, _text(tree)


def _text(tree: Tree) -> str:
    """A value as one would write it on a line."""
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{harmless(key)}: {_text(tree[key])}" for key in sorted(tree)) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(map(_text, tree)) + "]"
    return harmless(tree)


def _values(before: _Leaves, after: _Leaves, at: Where) -> list[Change]:
    found = []
    for where in {**before, **after}:
        old, new = before.get(where), after.get(where)
        if old is None or new is None or not _equal(old, new):
            found.append(Change(dotted((*at, *where)), old, new, _ratio(old, new)))
    return found


def _equal(a: str, b: str) -> bool:
    return a == b or any(x == y for x, y in _read(a, b))


def _ratio(before: str | None, after: str | None) -> float | None:
    if before is None or after is None:
        return None
    return next((float(b / a) for a, b in _read(before, after) if a > 0 and b > 0), None)


def _read(a: str, b: str) -> Iterator[tuple[Fraction, Fraction]]:
    """Both texts as exact numbers, in every dimension that both are of."""
    for dimension in (None, *DIMENSIONS):
        try:
            if dimension is None:
                yield parse_number(a), parse_number(b)
            else:
                yield parse_quantity(a, dimension), parse_quantity(b, dimension)
        except QuantityError:
            continue
