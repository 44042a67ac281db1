"""JSON Schema 2020-12 of the files, for editors: every key with its meaning, default and units, every kind there is.

The shapes are those of the models that read the files, so the two cannot drift; meanings and defaults are those of
docs/formats.md. What no schema can say (names that refer to each other, tiers, capacities) stays with ``tlm3d check``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from importlib.resources import files
from typing import Any

import yaml
from pydantic import BaseModel

from tlm3d.blocks import BlockSpec, ComputeSpec, OperatedSpec, SensorSpec
from tlm3d.cnn.layers import WEIGHTED_OPS, WINDOW_OPS, Op
from tlm3d.cnn.network import MAX_BITS
from tlm3d.dataflows import Dataflow
from tlm3d.kernels import Kernels
from tlm3d.links import ChannelSpec, LinkSpec
from tlm3d.plugins import kinds, load_kind, noun
from tlm3d.spec.activation import WAYS
from tlm3d.spec.corners import CORNERS
from tlm3d.spec.network import LayerText, NetworkText
from tlm3d.spec.plan import PlanKeys, PlannedTask
from tlm3d.spec.platform import DieKeys, LimitSpec, PlatformKeys
from tlm3d.spec.points import ComputePointSpec
from tlm3d.spec.stages import NETWORK, StageSpec
from tlm3d.spec.validate import NAME
from tlm3d.spec.workload import TaskSpec, WorkloadKeys

Schema = dict[str, Any]

FILES = ("platform", "workload", "network", "plan")
_KIND = "what it is: the other keys depend on it"
_OF_THE_KEY = ("description", "examples", "default")
_ENDS = ("between", "from", "to")
_SECTIONS: tuple[tuple[type[BaseModel], str], ...] = (
    (PlatformKeys, "Platform: top level"),
    (DieKeys, "Die"),
    (LimitSpec, "Limit"),
    (WorkloadKeys, "Workload: top level"),
    (TaskSpec, "Task"),
    (StageSpec, "Stage"),
    (NetworkText, "Network: top level"),
    (PlanKeys, "Plan: top level"),
    (PlannedTask, "Planned task"),
    (LayerText, "Layer"),
    (ComputePointSpec, "Operating point"),
    (ComputeSpec, "Compute block"),
    (OperatedSpec, "Operating points"),
    (SensorSpec, "Every sensor"),
    (BlockSpec, "Every block"),
    (Dataflow, "Every dataflow"),
    (Kernels, "Every kernel library"),
    (LinkSpec, "Every link"),
    (ChannelSpec, "Channel"),
)


def schema(file: str) -> Schema:
    """The JSON Schema of a ``platform``, ``workload``, ``network`` or ``plan``. Raises PluginError (broken kind)."""
    build: dict[str, Callable[[], Schema]] = {
        "platform": _platform, "workload": _workload, "network": _network, "plan": _plan,
    }  # fmt: skip
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": f"tlm3d {file}"}
    shapes: dict[str, Schema] = {}
    found: Schema = _with_shared(build[file](), shapes)
    defs = found.get("$defs", {}) | {f"value-{number}": shape for number, shape in enumerate(shapes.values(), 1)}
    return head | found | {"$defs": defs}


def _with_shared(node: Any, shapes: dict[str, Schema]) -> Any:
    """``node`` with every shape of a value written once, under ``$defs``: hundreds of keys have the same few units.

    ``shapes``: those found so far by their text; the n-th is ``value-n``.
    """
    if isinstance(node, list):
        return [_with_shared(entry, shapes) for entry in node]
    if not isinstance(node, dict):
        return node
    found = {key: _with_shared(value, shapes) for key, value in node.items()}
    keys = found.get("properties", {})
    if found.get("additionalProperties") is not False or not all(corner in keys for corner in CORNERS):
        return found
    shape = {key: value for key, value in found.items() if key not in _OF_THE_KEY}
    text = json.dumps(shape)
    shapes.setdefault(text, shape)
    reference = {"$ref": f"#/$defs/value-{list(shapes).index(text) + 1}"}
    return reference | {key: value for key, value in found.items() if key in _OF_THE_KEY}


def kind_schema(slot: str, name: str) -> Schema:
    """The keys of one kind of ``slot``. Raises PluginError."""
    title = noun(slot).capitalize()
    model = load_kind(slot, name)
    found = _object(model, f"{title} {name}")
    left_out: tuple[str, ...] = ("kind",)
    if getattr(model, "WITHIN_DIE", False):
        left_out += _ENDS  # a bus has no ends
    elif getattr(model, "ONE_WAY", False):
        left_out += ("between",)
        found["required"] = [*found["required"], "from", "to"]
    if issubclass(model, OperatedSpec) and "clock" in found["required"]:
        found["required"] = [key for key in found["required"] if key != "clock"]
        found["anyOf"] = [{"required": ["clock"]}, {"required": ["points", "voltage"]}]
    keys = {key: value for key, value in found["properties"].items() if key not in left_out}
    found["properties"] = {"kind": {"const": name, "description": _KIND}} | keys
    for field, info in model.model_fields.items():
        inner = getattr(info.annotation, "SLOT", None)
        if inner is not None:
            found["properties"][info.alias or field] |= _of_slot(inner)
    return found


def _of_slot(slot: str) -> Schema:
    """A kind of ``slot`` inside another one: its name, where it needs no key of its own, or a mapping."""
    alone = [name for name in kinds(slot) if set(kind_schema(slot, name).get("required", ())) <= {"kind"}]
    return {"anyOf": [{"enum": alone}, {"$ref": f"#/$defs/{slot}"}]}


# ------------------------------------------------------------ the files


def _platform() -> Schema:
    links = {name: kind_schema("links", name) for name in kinds("links")}
    within = [name for name in links if load_kind("links", name).WITHIN_DIE]
    defs: Schema = {f"block-{name}": kind_schema("blocks", name) for name in kinds("blocks")}
    for name, link in links.items():
        if name not in within:
            ends = [_given("from", "to", without=("between",))]
            if not load_kind("links", name).ONE_WAY:
                ends.append(_given("between", without=("from", "to")))
            link["oneOf"] = ends
    defs |= {f"link-{name}": link for name, link in links.items()}
    for slot in ("dataflows", "kernels"):
        defs |= {f"{slot}-{name}": kind_schema(slot, name) for name in kinds(slot)}
        defs[slot] = _by_kind(slot, kinds(slot))
    defs["block"] = _by_kind("block", kinds("blocks"))
    defs["link"] = _by_kind("link", [name for name in links if name not in within])
    defs["bus"] = _by_kind("link", within)
    defs |= {f"supply-{name}": kind_schema("supplies", name) for name in kinds("supplies")}
    defs["supply"] = _by_kind("supply", kinds("supplies"))
    die = _object(DieKeys)
    die["properties"]["blocks"] |= _named("block") | {"propertyNames": _name(but="bus")}
    die["properties"]["bus"] |= {"$ref": "#/$defs/bus"}
    defs["die"] = die
    defs["limit"] = _object(LimitSpec) | {
        "oneOf": [
            {"required": ["window"], "properties": {"from": False}},
            {"required": ["ewma"]},
            {"required": ["peak"], "properties": {"peak": {"enum": [True, "true"]}, "from": False}},
        ]
    }
    found = _object(PlatformKeys)
    found["properties"]["limits"] |= {"items": {"$ref": "#/$defs/limit"}}
    found["properties"]["supply"] |= {"$ref": "#/$defs/supply"}
    found["properties"]["dies"] |= _named("die") | {"minProperties": 1}
    found["properties"]["links"] |= _named("link")
    return found | {"$defs": defs}


def _workload() -> Schema:
    task = _object(TaskSpec)
    task["properties"]["stages"] |= {"items": {"$ref": "#/$defs/stage"}}
    task["properties"]["map"].pop("default")  # none: the key stands there with a network, and then says a block
    task["properties"]["map"] |= {"required": ["default"]}
    task["anyOf"] = [{"required": ["network"]}, {"required": ["stages"]}]
    task["oneOf"] = [{"required": [way]} for way in WAYS]
    task["dependentRequired"] = {"network": ["map"], "map": ["network"], "trace": ["deadline"]}
    stage = _object(StageSpec) | {"oneOf": [{"required": [amount]} for amount in ("cycles", "instructions", "time")]}
    found = _object(WorkloadKeys)
    found["properties"]["policy"] |= {"enum": list(kinds("policies"))}
    stage["properties"]["name"] |= _name(but=NETWORK)
    for key in ("resources", "chains"):
        found["properties"][key] |= {"propertyNames": _name()}
    chain = found["properties"]["chains"]["additionalProperties"]
    chain["anyOf"] = [{"required": ["deadline"]}, {"required": ["max_age"]}]
    found["properties"]["tasks"] |= _named("task") | {"minProperties": 1}
    return found | {"$defs": {"task": task, "stage": stage}}


def _network() -> Schema:
    layer = _object(LayerText)
    layer["properties"]["name"] |= _name(dots=True, but="input")
    layer["properties"]["weight_bits"] |= {"maximum": MAX_BITS}
    layer["allOf"] = [_of_op(op) for op in Op]
    found = _object(NetworkText)
    found["properties"]["activation_bits"] |= {"maximum": MAX_BITS}
    found["properties"]["layers"] |= {"items": {"$ref": "#/$defs/layer"}, "minItems": 1}
    return found | {"$defs": {"layer": layer}}


def _plan() -> Schema:
    found = _object(PlanKeys)
    found["properties"]["planned"] |= _named("task")
    return found | {"$defs": {"task": _object(PlannedTask)}}


def _of_op(op: Op) -> Schema:
    """What a layer of ``op`` must say and what has no meaning for it."""
    required = [] if op not in (Op.CONV, Op.LINEAR) else ["channels"]
    required += ["kernel"] if op in (Op.DEPTHWISE, Op.POOL) else []
    refused = [] if op in WINDOW_OPS else ["kernel", "stride", "padding"]
    refused += [] if op in WEIGHTED_OPS else ["weight_bits", "bias", "channels"]
    then: Schema = {"properties": dict.fromkeys(refused, False)}
    return {"if": _is("op", op.value), "then": then | ({"required": required} if required else {})}


# ------------------------------------------------------------ parts


def _is(key: str, value: str) -> Schema:
    return {"properties": {key: {"const": value}}, "required": [key]}


def _given(*keys: str, without: Iterable[str]) -> Schema:
    return {"required": list(keys), "not": {"anyOf": [{"required": [key]} for key in without]}}


def _by_kind(prefix: str, names: Iterable[str]) -> Schema:
    """A mapping whose ``kind`` says which other keys it has: a mistake is then told of the right kind."""
    names = list(names)
    return {
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"enum": names, "description": _KIND}},
        "allOf": [{"if": _is("kind", name), "then": {"$ref": f"#/$defs/{prefix}-{name}"}} for name in names],
    }


def _named(what: str) -> Schema:
    """A mapping from names to ``what``."""
    return {"type": "object", "propertyNames": _name(), "additionalProperties": {"$ref": f"#/$defs/{what}"}}


def _name(dots: bool = False, but: str = "") -> Schema:
    pattern = NAME.pattern if dots else NAME.pattern.replace(".", "")
    return {"pattern": f"^(?:{pattern})$"} | ({"not": {"const": but}} if but else {})


# ------------------------------------------------------------ models to schemas


def _object(model: type[BaseModel], section: str = "") -> Schema:
    """The schema of ``model`` in one piece, with meanings and defaults from the page of documentation."""
    raw = model.model_json_schema(by_alias=True)
    texts = _texts(model, section)
    found: Schema = _tidied(raw, raw.get("$defs", {}), texts, "")
    return found


def _texts(model: type[BaseModel], section: str) -> dict[str, dict[str, str]]:
    """Default and meaning by dotted key: of the kind's own section before those it shares."""
    page = json.loads((files("tlm3d.spec") / "key_texts.json").read_text(encoding="utf-8"))
    titles = [section, *(title for shared, title in _SECTIONS if issubclass(model, shared))]
    found: dict[str, dict[str, str]] = {}
    for title in reversed(titles):
        found |= page.get(title, {})
    channel, point = page["Channel"], page["Operating point"]
    entries = {f"points.{key}": text for key, text in point.items()}
    return {f"dma.{key}": text for key, text in channel.items()} | entries | found


def _tidied(node: Any, defs: Schema, texts: dict[str, dict[str, str]], path: str) -> Any:
    """``node`` with references filled in, no nulls and no titles, and the texts of every key from ``path`` down."""
    if not isinstance(node, dict):
        return node
    node = _without_null(node, defs)
    found = {key: value for key, value in node.items() if key not in ("$defs", "title", "default", "properties")}
    for key in ("items", "additionalProperties"):
        if key in found:
            found[key] = _tidied(found[key], defs, texts, f"{path}*." if key == "additionalProperties" else path)
    for key in ("prefixItems", "anyOf"):
        if key in found:
            found[key] = [_tidied(entry, defs, texts, path) for entry in found[key]]
    if "description" in found:
        found["description"] = found["description"].replace("``", "")
    if "properties" in node:
        found["properties"] = {key: _key(value, defs, texts, path + key) for key, value in node["properties"].items()}
    return found


def _key(node: Schema, defs: Schema, texts: dict[str, dict[str, str]], path: str) -> Schema:
    """The schema of one key, with what the page says of it."""
    found: Schema = _tidied(node, defs, texts, f"{path}.")
    text = texts.get(path, {})
    if "meaning" in text:
        of = f" ({found['description']})" if "examples" in found else ""
        found["description"] = text["meaning"] + of
    if "default" in text:
        found["default"] = yaml.safe_load(text["default"])
    elif "examples" not in found and node.get("default") is not None:
        found["default"] = node["default"]  # of a quantity it would be the number that is booked
    return found


def _without_null(node: Schema, defs: Schema) -> Schema:
    """``node`` with its reference filled in; None means "not written" to a model, and nothing to a file."""
    if "$ref" in node:
        node = defs[node["$ref"].rpartition("/")[2]] | {key: value for key, value in node.items() if key != "$ref"}
    alternatives = [one for one in node.get("anyOf", ()) if one != {"type": "null"}]
    if len(alternatives) == 1:
        rest = {key: value for key, value in node.items() if key != "anyOf"}
        return _without_null(alternatives[0] | rest, defs)
    return node | ({"anyOf": alternatives} if alternatives else {})
