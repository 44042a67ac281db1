"""Values given as ``{low: V, typical: V, high: V}``: one of the three is picked before anything is validated."""

from __future__ import annotations

from typing import Any

from tlm3d.errors import Problem, SpecError, did_you_mean, one_of
from tlm3d.spec.scaling import is_scaled, scale
from tlm3d.spec.source import Source, Tree, Where
from tlm3d.units import begins_like_a_number, clip

CORNERS = ("low", "typical", "high")
TYPICAL = "typical"


def check_corner(corner: str) -> None:
    """Raise SpecError unless ``corner`` is one."""
    if corner not in CORNERS:
        message = f"no corner {clip(corner)}{did_you_mean(corner, CORNERS) or one_of(CORNERS)}"
        raise SpecError([Problem("--corner", 0, 0, "", message)])


def at_corner(source: Source, corner: str) -> tuple[Source, list[Problem]]:
    """``source`` with every mapping of corners replaced by its value at ``corner``, and what is wrong with them.

    A mapping of corners has keys of CORNERS and a number among its values, so that dies, blocks, modes and layers may
    still be called ``low`` or ``high``. The value keeps its own place in the file. ``source`` itself is not changed.
    Raises SpecError for an unknown corner.
    """
    check_corner(corner)
    picker = _Picker(source, corner)
    picker.picked.tree = picker.walk(source.tree, ())
    return picker.picked, picker.problems


class _Picker:
    def __init__(self, source: Source, corner: str) -> None:
        self.corner, self.problems = corner, list[Problem]()
        marks = (dict(source.values), dict(source.keys))
        self.picked = Source(source.file, None, *marks, text=source.text, corner=corner)

    def walk(self, tree: Tree, where: Where) -> Tree:
        if isinstance(tree, list):
            return [self.walk(value, (*where, i)) for i, value in enumerate(tree)]
        if not isinstance(tree, dict):
            return tree
        if is_scaled(tree):
            return self.scale(tree, where)
        tree = {key: self.scale(value, (*where, key)) if is_scaled(value) else value for key, value in tree.items()}
        if _has_corners(tree):
            return self.pick(tree, where)
        return {key: self.walk(value, (*where, key)) for key, value in tree.items()}

    def scale(self, tree: dict[str, Any], where: Where) -> str:
        """A scaled energy; what of it is at corners is picked first."""
        inner = {key: self.walk(value, (*where, key)) for key, value in tree.items()}
        text, problems = scale(self.picked, inner, where)
        self.problems += problems
        return text

    def pick(self, tree: dict[str, Any], where: Where) -> str:
        """The value at the corner; where it is missing or no plain value, one of the others, and a problem."""
        plain = {key: value for key, value in tree.items() if isinstance(value, str)}
        for key in tree.keys() - plain.keys():
            what = "a list" if isinstance(tree[key], list) else "a mapping"
            self.add((*where, key), f"expected one value for the corner {clip(key)}, got {what}")
        for key in tree.keys() - set(CORNERS):
            self.add((*where, key), f"unknown key {clip(key)}{_slip(key, tree)}", at_key=True)
        missing = [key for key in CORNERS if key not in tree]
        if missing and tree.keys() <= set(CORNERS):
            named = ("keys " if len(missing) > 1 else "key ") + " and ".join(f"'{key}'" for key in missing)
            self.add(
                where,
                f"missing {named}: a value at corners has 'low', 'typical' and 'high'",
            )
        chosen = next(key for key in (self.corner, TYPICAL, *plain) if key in plain)
        # A value that was scaled was taken from below its corner, and only the picked one counts as derived.
        scaled = {key: self.picked.derived.pop((*where, key), None) for key in tree}
        if (derived := scaled[chosen]) is not None:
            self.picked.derived[where] = derived
        if (*where, chosen) in self.picked.unscaled:
            self.picked.unscaled.add(where)
        below = self.picked.chosen.get((*where, chosen))
        self.picked.chosen[where] = chosen if below is None else f"{chosen}.{below}"
        self.picked.values[where] = self.picked.values.get((*where, chosen), (self.picked.file, 0, 0))
        return plain[chosen]

    def add(self, where: Where, message: str, at_key: bool = False) -> None:
        self.problems.append(self.picked.problem(where, message, at_key))


def _has_corners(tree: dict[str, Any]) -> bool:
    """Whether ``tree`` is a mapping of corners, perhaps with a slip of the keyboard in it."""
    if not any(isinstance(value, str) and begins_like_a_number(value) for value in tree.values()):
        return False
    return not tree.keys().isdisjoint(CORNERS) and all(key in CORNERS or _slip(key, tree) for key in tree)


def _slip(key: str, tree: dict[str, Any]) -> str:
    """``"; did you mean 'typical'?"`` where ``key`` is close to a corner that ``tree`` lacks."""
    return did_you_mean(key, set(CORNERS) - tree.keys())
