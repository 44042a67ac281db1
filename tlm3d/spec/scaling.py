"""Energies given as ``{value: E, at: {node, voltage}, to: {node, voltage}}``: scaled before anything is validated."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from tlm3d.errors import Problem, did_you_mean, one_of
from tlm3d.spec.source import Derived, Source, Where
from tlm3d.technology.scaling import LOW_POWER, Place, check_place, check_process, energy_ratio
from tlm3d.units import (
    BEYOND,
    ENERGIES,
    NODE,
    VOLTAGE,
    Dimension,
    QuantityError,
    begins_like_a_number,
    clip,
    parse_quantity,
    scaled_text,
)

KEYS = ("value", "at", "to")
PLACE_KEYS = ("node", "voltage", "process")


def is_scaled(tree: Any) -> bool:
    """Whether ``tree`` is a number stated at one place and wanted at another.

    It has a mapping ``at`` or ``to``, and a ``value`` that is a number (or one at corners) or nothing but places in
    these, so that blocks, modes and layers may still be called ``value``, ``at`` or ``to``.
    """
    if not isinstance(tree, dict):
        return False
    places = [place for key in ("at", "to") if isinstance(place := tree.get(key), dict)]
    if not places:
        return False
    if any(places) and all(place.keys() <= set(PLACE_KEYS) for place in places):
        return True
    value = tree.get("value")
    numbers = value.values() if isinstance(value, dict) else [value]
    return all(isinstance(one, str) and begins_like_a_number(one) for one in numbers)


def scale(source: Source, tree: dict[str, Any], where: Where) -> tuple[str, list[Problem]]:
    """The scaled value as text, and what is wrong with ``tree``; what was done is kept in ``source.derived``.

    The value keeps its own place in the file. Where something is wrong it stays as it is, in ``source.unscaled``.
    """
    scaler = _Scaler(source)
    text = scaler.value(tree, where)
    below = source.chosen.get((*where, "value"))
    source.chosen[where] = "value" if below is None else f"value.{below}"
    source.values[where] = source.values.get((*where, "value"), (source.file, 0, 0))
    at = scaler.place(tree, where, "at", None)
    to = scaler.place(tree, where, "to", at)
    for key in tree.keys() - set(KEYS):
        scaler.add((*where, key), f"unknown key {clip(key)}{did_you_mean(key, KEYS) or one_of(KEYS)}", at_key=True)
    if scaler.problems or at is None or to is None:
        source.unscaled.add(where)
        return text, scaler.problems
    factor = energy_ratio(at, to)
    scaled = scaled_text(text, factor)
    source.derived[where] = Derived(scaled, text, str(at), str(to), factor)
    return scaled, []


class _Scaler:
    def __init__(self, source: Source) -> None:
        self.source, self.problems = source, list[Problem]()

    def value(self, tree: dict[str, Any], where: Where) -> str:
        if "value" not in tree:
            self._missing(where, "value")
            return "0"
        text = tree["value"]
        if not isinstance(text, str):
            self.add((*where, "value"), "expected an energy, got a mapping")
            return "0"
        for dimension in ENERGIES:
            try:
                parse_quantity(text, dimension)
            except QuantityError as error:
                if str(error).endswith(BEYOND):
                    self.add((*where, "value"), str(error))
                    return text
                continue
            return text
        what = "only energies follow from node and voltage"
        self.add((*where, "value"), f"expected an energy such as '0.23 pJ/MAC', got {clip(text)}: {what}")
        return text

    def place(self, tree: dict[str, Any], where: Where, key: str, base: Place | None) -> Place | None:
        """The place under ``key``; what it does not say is as in ``base``."""
        here = (*where, key)
        if key not in tree:
            self._missing(where, key)
            return None
        found = tree[key]
        if not isinstance(found, dict):
            self.add(here, f"expected a mapping with the keys {', '.join(PLACE_KEYS)}")
            return None
        if not found:
            self.add(here, f"expected at least one of the keys {', '.join(PLACE_KEYS)}")
            return None
        before = len(self.problems)
        for name in found.keys() - set(PLACE_KEYS):
            hint = did_you_mean(name, PLACE_KEYS) or one_of(PLACE_KEYS)
            self.add((*here, name), f"unknown key {clip(name)}{hint}", at_key=True)
        node = self._quantity(found, here, "node", NODE, base.node_nm if base else None)
        voltage = self._quantity(found, here, "voltage", VOLTAGE, base.voltage_v if base else None)
        process = self._process(found, here, base.process if base else LOW_POWER)
        if node is None or voltage is None or process is None or len(self.problems) > before:
            return None
        place = Place(node, voltage, process)
        try:
            check_place(place)
        except ValueError as error:
            self.add(here, str(error), at_key=True)
            return None
        return place

    def _missing(self, where: Where, key: str) -> None:
        self.add(where, f"missing key '{key}': a scaled energy has 'value', 'at' and 'to'", at_key=True)

    def _quantity(
        self, tree: dict[str, Any], where: Where, key: str, dimension: Dimension, default: Fraction | None
    ) -> Fraction | None:
        if key not in tree:
            if default is None and where[-1] == "at":
                self.add(where, f"missing key '{key}'", at_key=True)
            return default
        text = tree[key]
        try:
            if not isinstance(text, str):
                raise QuantityError(f"expected {dimension.name} such as '{dimension.example}', got a mapping")
            return parse_quantity(text, dimension)
        except QuantityError as error:
            self.add((*where, key), str(error))
            return None

    def _process(self, tree: dict[str, Any], where: Where, default: str) -> str | None:
        try:
            return check_process(str(tree.get("process", default)))
        except ValueError as error:
            self.add((*where, "process"), str(error))
            return None

    def add(self, where: Where, message: str, at_key: bool = False) -> None:
        self.problems.append(self.source.problem(where, message, at_key))
