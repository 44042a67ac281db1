"""Every number of the default pair acts: doubling it changes an integer of the result, or is refused.

Of a number given at corners each is doubled at its own corner.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest
from reference.default_pair import PLATFORM, WORKLOAD

from tlm3d.analysis.judge import judge
from tlm3d.errors import ElaborationError, SpecError
from tlm3d.model.system import System
from tlm3d.reporters.json import document
from tlm3d.spec.corners import CORNERS, TYPICAL
from tlm3d.spec.platform import platform_of
from tlm3d.spec.source import Where, dotted, override, read_source
from tlm3d.spec.workload import workload_of

# A job of every task is judged within it, and the limit's window of 100 ms lies inside.
HORIZON = "105 ms"
_NUMBER = re.compile(r"(\d+(?:\.\d+)?)(.*)")


@dataclass(frozen=True)
class Silent:
    """A number that doing twice as much of does nothing here: why, and a ``value`` that acts, where ``given`` holds."""

    why: str
    value: str
    given: dict[str, str] = field(default_factory=dict)


_BURST = Silent("transfers are cut by the smallest burst on their route", "128 B")
_FOR_DRONE = {"workload tasks.classify.input.mode": "dronet"}
_ON_CLUSTER = {"workload tasks.classify.map": "{default: cluster}"}
_BY_PRIORITY = {"workload policy": "fixed-priority", "platform dies.logic.blocks.cluster.clock": "20 MHz"}
SILENT = {
    "platform dies.pixel.blocks.camera.pixels.0": Silent("the modes in use read a window of the array", "3000"),
    "platform dies.pixel.blocks.camera.pixels.1": Silent("the modes in use read a window of the array", "3000"),
    "platform dies.pixel.blocks.camera.modes.dronet.bin": Silent("a mode of other workloads", "30", _FOR_DRONE),
    "platform dies.pixel.blocks.camera.adc.converters": Silent("a row in use has fewer samples", "90"),
    "platform dies.pixel.blocks.camera.fifo": Silent("rows hardly queue", "1 B"),
    "platform dies.logic.blocks.cluster.l1": Silent("the layers that run there fit", "8 KiB"),
    "platform dies.logic.blocks.cluster.elements_per_cycle.pool": Silent("no pool runs there", "1", _ON_CLUSTER),
    "platform dies.logic.blocks.cluster.elements_per_cycle.add": Silent("no add runs there", "1", _ON_CLUSTER),
    "platform dies.logic.blocks.l2.capacity": Silent("large enough", "1 B"),
    "platform dies.npu.blocks.l2.capacity": Silent("large enough", "1 B"),
    "platform dies.npu.tier": Silent("twice 0", "1"),
    "platform dies.logic.bus.burst": _BURST,
    "platform dies.logic.blocks.l2.burst": _BURST,
    "platform dies.logic.blocks.cluster.dma.burst": _BURST,
    "platform dies.npu.blocks.l2.burst": _BURST,
    "platform dies.npu.blocks.array.dma.burst": _BURST,
    "platform links.tsv.burst": _BURST,
    "workload tasks.attitude.priority": Silent("the policy is edf", "9", _BY_PRIORITY),
    "workload tasks.classify.priority": Silent("the policy is edf", "9", _BY_PRIORITY),
    "workload tasks.wake.priority": Silent("the policy is edf", "0", _BY_PRIORITY),
    "workload tasks.listen.priority": Silent("the policy is edf", "0", _BY_PRIORITY),
}

# Keys that the pair leaves at their defaults, and values that act.
_ARRAY, _CLUSTER = "platform dies.npu.blocks.array", "platform dies.logic.blocks.cluster"
ADDED = {
    f"{_ARRAY}.buffers": ("2", "1"),
    f"{_ARRAY}.layer_setup": ("0", "1000", "2000"),
    f"{_ARRAY}.weight_stage": ("", "npu.l2"),
}


def numbers(tree: Any, where: Where = ()) -> Iterator[tuple[Where, str]]:
    """Path and text of every number in ``tree``."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from numbers(value, (*where, key))
    elif isinstance(tree, list):
        for i, value in enumerate(tree):
            yield from numbers(value, (*where, i))
    elif _NUMBER.fullmatch(tree):
        yield where, tree


def doubled(text: str) -> str:
    match = _NUMBER.fullmatch(text)
    assert match is not None
    return f"{float(match[1]) * 2:.12g}{match[2]}"


def corner_of(path: str) -> str:
    """The corner at which the number at ``path`` counts."""
    last = path.rpartition(".")[2]
    return last if last in CORNERS else TYPICAL


def outcome(changes: Mapping[str, str], corner: str = TYPICAL) -> str:
    """All numbers of the default pair's result with ``changes`` by file and path, or what refuses them."""
    sources = {"platform": read_source(PLATFORM), "workload": read_source(WORKLOAD)}
    for path, text in {"workload horizon": HORIZON, **changes}.items():
        file, _, inside = path.partition(" ")
        override(sources[file], inside, text, "test")
    try:
        platform, workload = (
            platform_of(sources["platform"], corner),
            workload_of(sources["workload"], WORKLOAD.parent, corner),
        )
        system = System(platform, workload, workload.policy, workload.horizon_ps, 0)
    except (SpecError, ElaborationError) as error:
        return f"refused: {error}"
    numbers_only = document(judge(system.run()))
    del numbers_only["notes"], numbers_only["reasons"], numbers_only["residency"]
    return json.dumps(numbers_only)


PARAMETERS = {
    f"{file} {dotted(where)}": text
    for file, path in (("platform", PLATFORM), ("workload", WORKLOAD))
    for where, text in numbers(read_source(path).tree)
} | {"workload horizon": HORIZON}


@cache
def baseline(corner: str) -> str:
    return outcome({}, corner)


def test_the_files_have_numbers_to_double_and_the_silent_ones_are_among_them() -> None:
    assert len(PARAMETERS) > 100
    assert SILENT.keys() <= PARAMETERS.keys()


@pytest.mark.parametrize("path", PARAMETERS)
def test_doubling_a_number_changes_the_result(path: str) -> None:
    corner = corner_of(path)
    changed = outcome({path: doubled(PARAMETERS[path])}, corner) != baseline(corner)
    assert changed != (path in SILENT)


@pytest.mark.parametrize("path", ADDED)
def test_a_key_that_the_files_do_not_give_acts_but_at_its_default(path: str) -> None:
    default, *values = ADDED[path]
    assert path not in PARAMETERS
    assert not default or outcome({path: default}) == baseline(TYPICAL)
    found = {baseline(TYPICAL), *(outcome({path: value}) for value in values)}
    assert len(found) == 1 + len(values)
    assert not any(text.startswith("refused") for text in found)


def test_preemption_and_the_switch_back_act_where_jobs_meet_in_the_middle_of_a_layer() -> None:
    in_tiles = {**_ON_CLUSTER, f"{_CLUSTER}.l1": "24 KiB"}
    keys = [("preemption", "tile"), ("preemption", "none"), ("preemption", "full")]
    changes = [*keys, ("context_switch", "1 us"), ("context_switch", "2 us")]
    found = {outcome({**in_tiles, f"{_CLUSTER}.{key}": value}) for key, value in changes}
    assert len(found) == len(changes)


def test_less_room_for_staged_weights_changes_the_result() -> None:
    staged = {f"{_ARRAY}.weight_stage": "npu.l2"}
    found = [outcome({**staged, "platform dies.npu.blocks.l2.capacity": text}) for text in ("4 MiB", "110 KiB")]
    assert json.loads(found[0])["tasks"] != json.loads(found[1])["tasks"]


def test_a_number_of_another_corner_does_not_act() -> None:
    elsewhere = [path for path in PARAMETERS if corner_of(path) != TYPICAL]
    assert len(elsewhere) >= 8
    assert outcome({path: doubled(PARAMETERS[path]) for path in elsewhere}) == baseline(TYPICAL)


@pytest.mark.parametrize("path", SILENT)
def test_a_number_that_may_be_doubled_in_silence_acts_at_another_value(path: str) -> None:
    silent = SILENT[path]
    assert outcome({**silent.given, path: silent.value}) != outcome(silent.given)
