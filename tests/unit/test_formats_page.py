"""docs/formats.md against the schema: every key, its type and its default."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from pydantic import BaseModel, TypeAdapter, WithJsonSchema
from pydantic.fields import FieldInfo

from tlm3d import units
from tlm3d.blocks import BlockSpec, ComputeSpec, OperatedSpec, SensorSpec
from tlm3d.dataflows import Dataflow
from tlm3d.kernels import Kernels
from tlm3d.links import ChannelSpec, LinkSpec
from tlm3d.plugins import kinds, load_kind
from tlm3d.spec.network import LayerText, NetworkText
from tlm3d.spec.plan import PlanKeys, PlannedTask
from tlm3d.spec.platform import DieKeys, LimitSpec, PlatformKeys
from tlm3d.spec.points import ComputePointSpec, PointSpec
from tlm3d.spec.source import parse
from tlm3d.spec.stages import StageSpec
from tlm3d.spec.workload import TaskSpec, WorkloadKeys

PAGE = Path(__file__).parents[2] / "docs" / "formats.md"
SHARED: dict[str, type[BaseModel]] = {
    "Every block": BlockSpec,
    "Channel": ChannelSpec,
    "Compute block": ComputeSpec,
    "Operating points": OperatedSpec,
    "Every sensor": SensorSpec,
    "Every dataflow": Dataflow,
    "Every kernel library": Kernels,
    "Every link": LinkSpec,
}
MODELS: dict[str, type[BaseModel]] = SHARED | {
    "Platform: top level": PlatformKeys,
    "Limit": LimitSpec,
    "Operating point": ComputePointSpec,
    "Die": DieKeys,
    "Workload: top level": WorkloadKeys,
    "Task": TaskSpec,
    "Stage": StageSpec,
    "Network: top level": NetworkText,
    "Layer": LayerText,
    "Plan: top level": PlanKeys,
    "Planned task": PlannedTask,
}
TITLES = {
    "blocks": "Block kind",
    "dataflows": "Dataflow",
    "kernels": "Kernel library",
    "links": "Link kind",
    "supplies": "Supply kind",
}
for slot, title in TITLES.items():
    built_in = {name: model for name in kinds(slot) if (model := load_kind(slot, name)).__module__.startswith("tlm3d.")}
    MODELS |= {f"{title} `{name}`": model for name, model in built_in.items()}
OWN_SECTION = (
    LimitSpec,
    StageSpec,
    Dataflow,
    Kernels,
    PointSpec,
    ComputePointSpec,
)  # these are described in sections of their own
ROW = re.compile(r"\| `(?P<key>[^`]+)` \| (?P<type>[^|]+) \| (?P<default>[^|]+) \| (?P<meaning>[^|]+) \|")


def sections() -> dict[str, str]:
    parts = re.split(r"^##? (.+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


SECTIONS = sections()


def rows(section: str) -> dict[str, re.Match[str]]:
    found = [match for line in SECTIONS[section].splitlines() if (match := ROW.fullmatch(line))]
    assert len(found) == len({match["key"] for match in found}), f"{section}: a key stands there twice"
    return {match["key"]: match for match in found}


def nested(annotation: Any) -> tuple[type[BaseModel], bool] | None:
    """The model inside an annotation, and whether names lead to it (a dict)."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    for inner in get_args(annotation):
        found = nested(inner)
        if found is not None:
            return found[0], found[1] or getattr(annotation, "__origin__", None) is dict
    return None


Key = tuple[str, Any, FieldInfo, bool]  # dotted key, annotation with metadata, field, whether it is a mapping of keys


def keys_of(model: type[BaseModel], prefix: str = "") -> Iterator[Key]:
    hints = get_type_hints(model, include_extras=True)
    for name, info in model.model_fields.items():
        key = info.alias or name
        inside = nested(info.annotation)
        if inside and inside[0] in OWN_SECTION:
            inside = None
        named = getattr(info.annotation, "__origin__", None) is dict and get_args(info.annotation)[1] is not Any
        yield prefix + key, hints[name], info, inside is not None or named
        if inside is not None:
            yield from keys_of(inside[0], f"{prefix}{key}.*." if inside[1] else f"{prefix}{key}.")
        elif named:
            value = get_args(hints[name])[1]
            yield f"{prefix}{key}.*", value, FieldInfo(annotation=value, default=None), False


def own_keys(section: str) -> dict[str, Key]:
    """The keys a section must list: those of its model without those of the shared sections it refers to."""
    model = MODELS[section]
    elsewhere: set[str] = set()
    for title, shared in SHARED.items():
        if model is not shared and issubclass(model, shared):
            assert refers(section, title), f"{section} does not refer to {title}"
            mine = {entry[0]: entry for entry in keys_of(model)}
            elsewhere |= {key for key, *_, info, _ in keys_of(shared) if default_of(mine[key][2]) == default_of(info)}
    if "dma" in (info.alias or name for name, info in model.model_fields.items()) and "dma" not in elsewhere:
        assert link("Channel") in rows(section)["dma"]["meaning"]
        elsewhere |= {f"dma.{key}" for key, *_ in keys_of(ChannelSpec)}
    return {entry[0]: entry for entry in keys_of(model) if entry[0] not in elsewhere}


def refers(section: str, title: str) -> bool:
    """Whether ``section`` links to ``title``, itself or by way of another shared section."""
    through = [other for other in SHARED if other != section and link(other) in SECTIONS[section]]
    return title in through or any(refers(other, title) for other in through if section not in SHARED)


def link(title: str) -> str:
    return f"(#{title.lower().replace(' ', '-')})"


def default_of(info: FieldInfo) -> Any:
    return info.get_default(call_default_factory=True)


def type_of(annotation: Any) -> dict[str, Any] | None:
    """The JSON Schema of a field type of tlm3d.spec.quantities, wherever it stands in ``annotation``."""
    if isinstance(annotation, WithJsonSchema):
        return annotation.json_schema
    inner = (*getattr(annotation, "__metadata__", ()), *get_args(annotation))
    return next((found for part in inner if (found := type_of(part)) is not None), None)


@pytest.mark.parametrize("section", MODELS)
def test_a_section_lists_every_key_of_its_part_and_no_other(section: str) -> None:
    assert set(rows(section)) == set(own_keys(section))


@pytest.mark.parametrize("section", MODELS)
def test_a_default_on_the_page_is_the_default_of_the_schema(section: str) -> None:
    written = rows(section)
    for key, (_, annotation, info, _) in own_keys(section).items():
        text = written[key]["default"].strip()
        default = default_of(info)
        if info.is_required():
            assert text == "required", key
        elif default is None:
            assert text == "–", key
        else:
            assert TypeAdapter(annotation).validate_python(parse(text.strip("`"), key).tree) == default, key


@pytest.mark.parametrize("section", MODELS)
def test_a_type_on_the_page_is_the_type_of_the_schema(section: str) -> None:
    written = rows(section)
    names = {"boolean": "flag", "string": "text", "integer": "count", "number": "number"}
    for key, (_, annotation, _, is_mapping) in own_keys(section).items():
        text = written[key]["type"].strip()
        schema = type_of(annotation)
        if is_mapping:
            assert text == ("list" if get_origin(annotation) is list else "mapping"), key
        elif annotation in (str, str | None):
            assert text == "text" or key == "name", key
        elif schema and "description" in schema:
            assert text == schema["description"].split(" ", 1)[1], key
        elif schema and "type" in schema:
            kind = schema["type"] if isinstance(schema["type"], str) else schema["type"][0]
            assert names[kind] in text.replace("counts", "count"), key


def test_every_unit_is_on_the_page() -> None:
    table = dict(re.findall(r"^\| ([a-zA-Z ]+) \| (.*) \|$", SECTIONS["Text and numbers"], flags=re.MULTILINE))
    dimensions = [value for value in vars(units).values() if isinstance(value, units.Dimension)]
    assert {d.name.split(" ", 1)[1] for d in dimensions} == set(table) - {"type"}
    for dimension in (units.TIME, units.POWER, units.ENERGY, units.DATA, units.FREQUENCY, units.VOLTAGE):
        listed = re.findall(r"`([^`]+)`", table[dimension.name.split(" ", 1)[1]])
        assert set(listed) == {unit.replace("µ", "u").replace("μ", "u") for unit in dimension.units}


def test_the_policies_on_the_page_are_those_there_are() -> None:
    built_in = {name for name in kinds("policies") if load_kind("policies", name).__module__.startswith("tlm3d.")}
    assert set(re.findall(r"^\| `([^`]+)` \|", SECTIONS["Policies"], flags=re.MULTILINE)) == built_in
