"""Every kind found in a slot obeys the slot's contract, whoever wrote it."""

from __future__ import annotations

from copy import deepcopy
from itertools import pairwise, permutations
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from tlm3d.blocks import BlockSpec, ComputeSpec
from tlm3d.cnn.layers import Layer, Op
from tlm3d.cnn.network import LayerRow, build_network
from tlm3d.cnn.tiling import tile_layer
from tlm3d.dataflows import Dataflow
from tlm3d.links import LinkSpec
from tlm3d.plugins import kinds, load_kind
from tlm3d.policies import JobView, Option, Policy
from tlm3d.supplies import SupplySpec

SLOTS = {
    "blocks": BlockSpec,
    "dataflows": Dataflow,
    "links": LinkSpec,
    "policies": Policy,
    "supplies": SupplySpec,
}
BLOCKS, DATAFLOWS, LINKS, POLICIES, SUPPLIES = (list(kinds(slot)) for slot in SLOTS)
DESCRIBED = [(slot, kind) for slot in ("blocks", "dataflows", "links", "supplies") for kind in kinds(slot)]
LAYER_KINDS = ("conv", "pointwise", "depthwise", "linear", "pool", "add", "softmax")


def example(schema: dict[str, Any], definitions: dict[str, Any], every_key: bool = True) -> Any:
    """Text that ``schema`` takes; mappings with their required keys, or with every key."""
    if "$ref" in schema:
        return example(definitions[schema["$ref"].rpartition("/")[2]], definitions, every_key)
    if "anyOf" in schema:
        return example(schema["anyOf"][0], definitions, every_key)
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    if "examples" in schema:
        return schema["examples"][0]
    kind = schema["type"]
    if "integer" in kind or "number" in kind:
        return "2"
    if "boolean" in kind:
        return "true"
    if kind == "array":
        return [example(entry, definitions, every_key) for entry in schema.get("prefixItems", [schema.get("items")])]
    if kind == "object" and "properties" in schema:
        required = schema.get("required", [])
        return {
            key: example(entry, definitions, every_key)
            for key, entry in schema["properties"].items()
            if every_key or key in required
        }
    if kind == "object":
        return {"one": example(schema["additionalProperties"], definitions, every_key)}
    return "name"


# Examples that contradict each other when every key is given: what stands in their place, None for nothing.
FITTING: dict[str, dict[tuple[str, ...], str | None]] = {
    "mixed-signal": {("adc", "energy"): None, ("modes", "one", "bin"): "1"},
    "sampled-sensor": {("adc", "energy"): None, ("frame_rate",): "1.75 MHz"},
}


def fit(tree: dict[str, Any], path: tuple[str, ...], value: str | None) -> None:
    for key in path[:-1]:
        tree = tree[key]
    del tree[path[-1]]
    if value is not None:
        tree[path[-1]] = value


def written(slot: str, kind: str, every_key: bool = True) -> dict[str, Any]:
    """A description of ``kind`` as a YAML file would hold it."""
    schema = load_kind(slot, kind).model_json_schema()
    tree: dict[str, Any] = example(schema, schema.get("$defs", {}), every_key)
    for path, value in FITTING.get(kind, {}).items() if every_key else ():
        fit(tree, path, value)
    return {**tree, "kind": kind}


def mappings(tree: Any) -> list[dict[str, Any]]:
    """Every mapping in ``tree`` whose keys the schema fixes."""
    if not isinstance(tree, dict):
        return []
    inner = [value.values() if key == "modes" else [value] for key, value in tree.items()]
    return [tree, *(found for values in inner for value in values for found in mappings(value))]


@pytest.mark.parametrize(("slot", "kind"), [*DESCRIBED, *(("policies", kind) for kind in POLICIES)])
def test_a_kind_says_what_it_is(slot: str, kind: str) -> None:
    found = load_kind(slot, kind)
    assert issubclass(found, SLOTS[slot])
    doc = found.__dict__.get("__doc__")  # its own, not its base's
    assert doc
    assert doc.strip().endswith(".")


@pytest.mark.parametrize(("slot", "kind"), DESCRIBED)
@pytest.mark.parametrize("every_key", [True, False])
def test_a_description_is_read_and_frozen(slot: str, kind: str, every_key: bool) -> None:
    spec: BaseModel = load_kind(slot, kind).model_validate(written(slot, kind, every_key))
    for name in type(spec).model_fields:
        with pytest.raises(ValidationError, match="frozen"):
            setattr(spec, name, getattr(spec, name))
    assert spec == load_kind(slot, kind).model_validate(written(slot, kind, every_key))


@pytest.mark.parametrize(("slot", "kind"), DESCRIBED)
def test_an_unknown_key_is_refused_at_every_depth(slot: str, kind: str) -> None:
    tree = written(slot, kind)
    for depth in range(len(mappings(tree))):
        changed = deepcopy(tree)
        mappings(changed)[depth]["wormhole"] = "1"
        with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
            load_kind(slot, kind).model_validate(changed)


@pytest.mark.parametrize(("slot", "kind"), DESCRIBED)
def test_a_number_without_its_unit_is_refused(slot: str, kind: str) -> None:
    schema = load_kind(slot, kind).model_json_schema()
    tree = written(slot, kind)
    quantities = [key for key, entry in schema["properties"].items() if isinstance(entry.get("examples"), list)]
    for key in quantities:
        with pytest.raises(ValidationError, match="without a unit"):
            load_kind(slot, kind).model_validate({**tree, key: "3"})


# ------------------------------------------------------------------ blocks


def all_layers() -> list[Layer]:
    """One layer of every kind."""
    rows = [
        LayerRow("conv", Op.CONV, channels=5, kernel=(3, 3), stride=(2, 2)),
        LayerRow("pointwise", Op.CONV, channels=7, kernel=(1, 1)),
        LayerRow("depthwise", Op.DEPTHWISE, kernel=(3, 3)),
        LayerRow("add", Op.ADD, reads=("pointwise", "depthwise")),
        LayerRow("pool", Op.POOL, kernel=(2, 2), stride=(2, 2)),
        LayerRow("linear", Op.LINEAR, channels=10),
        LayerRow("softmax", Op.SOFTMAX),
    ]
    return list(build_network("all", (9, 8, 3), rows).layers)


@pytest.mark.parametrize("kind", BLOCKS)
def test_a_block_has_one_role_and_the_answers_that_belong_to_it(kind: str) -> None:
    spec = load_kind("blocks", kind).model_validate(written("blocks", kind))
    assert spec.ROLE in ("compute", "lane", "sensor", "memory")
    assert isinstance(spec.leakage_nw, int)
    if spec.ROLE == "compute":
        assert isinstance(spec, ComputeSpec)
        assert isinstance(spec.local_bytes, int)
        assert {type(spec.supports(layer)) for layer in LAYER_KINDS} == {bool}
    elif spec.ROLE == "memory":
        assert spec.capacity_bytes * 8 <= spec.capacity_bits


def of_role(role: str) -> list[str]:
    return [kind for kind in BLOCKS if role == load_kind("blocks", kind).ROLE]


@pytest.mark.parametrize("kind", of_role("compute"))
@pytest.mark.parametrize("layer", all_layers(), ids=lambda layer: layer.name)
def test_a_tile_costs_whole_cycles_and_attojoules_and_always_the_same(kind: str, layer: Layer) -> None:
    tree = written("blocks", kind)
    spec, again = (load_kind("blocks", kind).model_validate(tree) for _ in range(2))
    if not spec.runs(layer):
        return
    tiles = tile_layer(layer, 2000)
    costs = [spec.cost(layer, tile) for tile in tiles]
    assert costs == [again.cost(layer, tile) for tile in reversed(tiles)][::-1]  # no memory of what it was asked
    for cost in costs:
        assert type(cost.cycles) is int
        assert cost.cycles >= 1
        assert type(cost.energy_aj) is int
        assert cost.energy_aj > 0  # the example states an energy


@pytest.mark.parametrize("kind", of_role("sensor"))
def test_a_sensor_emits_the_same_rows_one_after_the_other(kind: str) -> None:
    spec = load_kind("blocks", kind).model_validate(written("blocks", kind, every_key=False))
    for mode in spec.mode_names:
        rows = spec.emits(mode)
        assert rows == spec.emits(mode)
        assert rows[0].start_ps == 0
        assert all(before.end_ps == after.start_ps for before, after in pairwise(rows))
        assert all(row.end_ps > row.start_ps and row.bytes >= 1 for row in rows)
        assert {type(n) for row in rows for n in row} == {int}


# ------------------------------------------------------------------ dataflows

ARRAYS = [(1, 1), (2, 8), (5, 3), (32, 32)]


@pytest.mark.parametrize("kind", DATAFLOWS)
def test_an_accelerator_runs_what_its_dataflow_runs(kind: str) -> None:
    text = written("dataflows", kind)
    spec = load_kind("blocks", "cnn-accelerator").model_validate(
        {**written("blocks", "cnn-accelerator", every_key=False), "dataflow": text}
    )
    assert spec.dataflow == load_kind("dataflows", kind).model_validate(text)
    assert [spec.supports(layer) for layer in LAYER_KINDS] == [spec.dataflow.supports(layer) for layer in LAYER_KINDS]
    assert any(map(spec.supports, LAYER_KINDS))
    layers = all_layers()
    assert [spec.runs(layer) for layer in layers] == [spec.dataflow.runs(layer) for layer in layers]
    assert all(spec.supports(layer.kind) for layer in layers if spec.runs(layer))


@pytest.mark.parametrize("every_key", [True, False])
@pytest.mark.parametrize("array", ARRAYS)
@pytest.mark.parametrize("layer", all_layers(), ids=lambda layer: layer.name)
@pytest.mark.parametrize("kind", DATAFLOWS)
def test_a_tile_takes_whole_cycles_and_no_more_units_than_there_are(
    kind: str, layer: Layer, array: tuple[int, int], every_key: bool
) -> None:
    text = written("dataflows", kind, every_key)
    dataflow, again = (load_kind("dataflows", kind).model_validate(text) for _ in range(2))
    if not dataflow.runs(layer):
        return
    peak = dataflow.macs_per_cycle(array)
    assert type(peak) is int
    tiles = tile_layer(layer, 2000)
    cycles = [dataflow.cycles(array, layer, tile) for tile in tiles]
    assert cycles == [again.cycles(array, layer, tile) for tile in reversed(tiles)][::-1]
    for tile, count in zip(tiles, cycles, strict=True):
        assert type(count) is int
        assert count >= 1
        assert count * peak >= tile.macs


@pytest.mark.parametrize("array", ARRAYS)
@pytest.mark.parametrize("layer", all_layers(), ids=lambda layer: layer.name)
@pytest.mark.parametrize("kind", DATAFLOWS)
def test_a_layer_gets_no_faster_by_being_cut(kind: str, layer: Layer, array: tuple[int, int]) -> None:
    dataflow = load_kind("dataflows", kind).model_validate(written("dataflows", kind))
    if not dataflow.runs(layer):
        return
    whole, *cut = [
        sum(dataflow.cycles(array, layer, tile) for tile in tile_layer(layer, local_bytes))
        for local_bytes in (10**6, 2000, 1500)
    ]
    assert all(whole <= count for count in cut)


# ------------------------------------------------------------------ links


@pytest.mark.parametrize("kind", LINKS)
def test_a_link_says_what_a_channel_is_and_what_it_joins(kind: str) -> None:
    found = load_kind("links", kind)
    spec = found.model_validate({"kind": kind, "rate": "3 Mbit/s", "lanes": "5", "between": ["a", "b"]})
    assert spec.total_bps == 15 * 10**6
    assert spec.directions == (("a", "b"), ("b", "a"))
    assert spec.latency_ps >= 1
    assert not (found.ADJACENT_TIERS and found.WITHIN_DIE)
    one_way = found.model_validate({"kind": kind, "rate": "3 Mbit/s", "from": "a", "to": "b"})
    assert one_way.directions == (("a", "b"),)


# ------------------------------------------------------------------ policies

JOBS = [
    JobView(task, index, release_ps, release_ps + deadline_ps, period_ps, priority)
    for task, period_ps, deadline_ps, priority in (("a", 50, 30, 2), ("b", 20, 40, 1), ("c", 90, 10, 3))
    for index, release_ps in ((0, 0), (1, period_ps))
]


@pytest.mark.parametrize("kind", POLICIES)
def test_a_policy_remembers_nothing(kind: str) -> None:
    policy, other = load_kind("policies", kind)(), load_kind("policies", kind)()
    keys = [policy.key(job) for job in JOBS]
    assert keys == [policy.key(job) for job in reversed(JOBS)][::-1] == [other.key(job) for job in JOBS]
    assert all(isinstance(key, int) for key in keys)
    assert vars(policy) == vars(other)


@pytest.mark.parametrize("kind", POLICIES)
def test_a_policy_places_by_the_options_and_not_by_their_order(kind: str) -> None:
    policy = load_kind("policies", kind)()
    options = [Option("d.x", 300), Option("d.y", 200), Option("d.a", 200)]
    chosen = {policy.place(JOBS[0], "conv", list(order), 100) for order in permutations(options)}
    assert len(chosen) == 1
    assert chosen <= set(options)
