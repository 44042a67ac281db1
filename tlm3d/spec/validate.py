"""pydantic's error locations joined to the marks of the source: every problem gets its file:line:column."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from tlm3d.errors import Problem, SpecError, did_you_mean, one_of
from tlm3d.plugins import load_kind
from tlm3d.spec.source import Source, Where
from tlm3d.units import QuantityError, clip

Model = TypeVar("Model", bound=BaseModel)

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")

_FILES = {"platform": "dies", "workload": "tasks", "network": "layers", "plan": "planned"}  # what tells each apart


def file_kind(tree: Any) -> str | None:
    """platform, workload, network or plan, told by the keys; None when there is none of these."""
    return next((kind for kind, key in _FILES.items() if isinstance(tree, dict) and key in tree), None)


def expect_file(source: Source, wanted: str) -> None:
    """One SpecError instead of many when a file of another kind was given."""
    found = file_kind(source.tree)
    if found is not None and _FILES[wanted] not in source.tree:
        raise SpecError(
            [Problem(source.file, 1, 1, "", f"expected a {wanted} (key '{_FILES[wanted]}'), this is a {found}")]
        )


class Problems:
    """Collects everything wrong with one source; raises it together, in file order."""

    def __init__(self, source: Source, found: Iterable[Problem] = ()) -> None:
        self.source = source
        self.found: list[Problem] = [*found]

    def add(self, where: Where, message: str, at_key: bool = False) -> None:
        self.found.append(self.source.problem(where, message, at_key))

    def raise_any(self) -> None:
        if self.found:
            raise SpecError(sorted(set(self.found)))

    def mapping(self, tree: Any, where: Where, what: str) -> dict[str, Any]:
        """``tree`` if it is a mapping, else a problem and an empty one."""
        if isinstance(tree, dict):
            return tree
        self.add(where, f"expected a mapping of {what}, got {shape(tree)}")
        return {}

    def name(self, name: str, where: Where, dots: bool = False) -> None:
        """Names appear in paths, channel names and tables: letters, digits, ``_``, ``-``, and ``.`` where allowed."""
        if not NAME.fullmatch(name) or ("." in name and not dots):
            self.add(where, f"expected a name of letters, digits, '_' and '-', got {clip(name)}", at_key=not dots)

    def model(self, model: type[Model], tree: Any, where: Where) -> Model | None:
        """``tree`` validated by ``model``, which sees the corner; None and problems when it does not fit."""
        if not isinstance(tree, dict):
            keys = ", ".join(sorted(_keys(model))[:6])
            self.add(where, f"expected a mapping with keys such as {keys}, got {shape(tree)}")
            return None
        try:
            return model.model_validate(tree, context={"corner": self.source.corner})
        except ValidationError as error:
            found = error.errors(include_url=False)
            for item in found:
                self._translate(model, tree, where, item, found)
            return None

    def _translate(
        self,
        model: type[BaseModel],
        tree: Any,
        where: Where,
        item: Mapping[str, Any],
        found: Iterable[Mapping[str, Any]],
    ) -> None:
        loc: Where = tuple(item["loc"])
        place = (*where, *loc)
        match item["type"]:
            case "extra_forbidden":
                known = _known_keys(model, tree, loc[:-1])
                hint = did_you_mean(str(loc[-1]), known) or one_of(sorted(known))
                self.add(place, f"unknown key {clip(str(loc[-1]))}{hint}", at_key=True)
            case "missing" if isinstance(loc[-1], int):
                # Of a list that is too short each missing entry is one of the problems found, the last one too.
                last = max(one["loc"][-1] for one in found if one["type"] == "missing" and one["loc"][:-1] == loc[:-1])
                self.add(place[:-1], f"expected {last + 1} entries, got {len(item['input'])}")
            case "missing":
                self.add(place[:-1], f"missing key '{loc[-1]}'", at_key=True)
            case "value_error" if place in self.source.unscaled:
                pass  # why is told already
            case "value_error":
                # Of a mapping whose keys contradict each other the key is shown, of a value the value.
                contradiction = not isinstance(item["ctx"]["error"], QuantityError)
                self.add(place, str(item["ctx"]["error"]), at_key=contradiction)
            case "literal_error" | "enum":
                expected = item["ctx"]["expected"].replace(" or ", ", ").replace("'", "")
                text = item["input"] if isinstance(item["input"], str) else shape(item["input"])
                hint = did_you_mean(text, expected.split(", "))
                self.add(place, f"expected one of: {expected}; got {clip(text)}{hint}")
            case "string_type":
                self.add(place, f"expected text, got {shape(item['input'])}")
            case "too_short":
                self.add(place, "expected at least one entry, got none")
            case "too_long":
                self.add(place, f"expected {item['ctx']['max_length']} entries, got {len(item['input'])}")
            case _ if item["type"].endswith("_type"):
                wanted = (
                    item["type"]
                    .removesuffix("_type")
                    .replace("dict", "mapping")
                    .replace("tuple", "list")
                    .replace("_", " ")
                )
                wanted = "mapping" if wanted == "model" else wanted
                self.add(place, f"expected a {wanted}, got {shape(item['input'])}")
            case _:
                self.add(place, item["msg"][0].lower() + item["msg"][1:])


def _keys(model: type[BaseModel]) -> set[str]:
    return {info.alias or name for name, info in model.model_fields.items()}


def _known_keys(model: type[BaseModel], tree: Any, loc: Where) -> set[str]:
    """The keys known at ``loc`` inside ``model``, following nested models; ``tree`` says of which kind they are."""
    for part in loc:
        tree = tree[part]
        if isinstance(part, int):
            continue
        fields = {info.alias or name: info.annotation for name, info in model.model_fields.items()}
        nested = _model_in(fields.get(part))
        if nested is None:
            continue  # a key of a dict[str, Model]: the model was entered one step earlier
        slot = getattr(nested, "SLOT", None)
        model = nested if slot is None else load_kind(slot, tree["kind"])
    return _keys(model)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _model_in(inner)
        if found is not None:
            return found
    return None


def shape(tree: Any) -> str:
    """What a tree is, for "got …"."""
    if isinstance(tree, dict):
        return "a mapping"
    if isinstance(tree, list):
        return "a list"
    return clip(str(tree)) if tree else "nothing"
