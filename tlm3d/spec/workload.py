"""Workload files: tasks, what starts them, what they run and where."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from tlm3d.cnn.network import Network
from tlm3d.errors import PluginError, Problem, SpecError, did_you_mean, one_of
from tlm3d.plugins import load_kind
from tlm3d.spec.corners import TYPICAL, at_corner
from tlm3d.spec.network import network_of
from tlm3d.spec.quantities import Count, CountOrZero, DurationPs, FrequencyHz, Frozen, Names, TimePs, Title
from tlm3d.spec.source import Source, read_source
from tlm3d.spec.validate import Problems, expect_file
from tlm3d.units import PS_PER_S, QuantityError, clip

DEFAULT_HORIZON_PS = 10**12
DEFAULT_PRIORITY = 100


class StageSpec(Frozen):
    """Plain work on one block: a number of clock cycles, of instructions, or a time."""

    on: str
    cycles: Count | None = None
    instructions: Count | None = None
    time_ps: DurationPs | None = Field(alias="time", default=None)

    @model_validator(mode="after")
    def _one_amount(self) -> StageSpec:
        if [self.cycles, self.instructions, self.time_ps].count(None) != 2:
            raise ValueError("expected one of 'cycles: <number>', 'instructions: <number>' and 'time: <time>'")
        return self


class InputSpec(Frozen):
    """Every ``every``-th frame of a camera in one of its modes."""

    camera: str
    mode: str = "full"
    every: Count = 1


class TaskSpec(Frozen):
    """A task: stages, then a network (one of them at least), activated by a camera or periodically."""

    network: str | None = None
    stages: list[StageSpec] = []
    input: InputSpec | None = None
    rate_hz: FrequencyHz | None = Field(alias="rate", default=None)
    period_ps: DurationPs | None = Field(alias="period", default=None)
    offset_ps: TimePs = Field(alias="offset", default=0)
    jitter_ps: TimePs = Field(alias="jitter", default=0)
    deadline_ps: DurationPs | None = Field(alias="deadline", default=None)
    priority: CountOrZero = DEFAULT_PRIORITY
    map: dict[str, Names] = {}
    backlog: Count = 1
    on_miss: Literal["continue", "abort", "drop"] = "continue"

    @field_validator("rate_hz")
    @classmethod
    def _at_most_one_job_a_picosecond(cls, rate_hz: Fraction | None) -> Fraction | None:
        if rate_hz is not None and rate_hz > PS_PER_S:
            raise QuantityError("expected at most one job a picosecond, the resolution of time: 1 THz")
        return rate_hz

    @model_validator(mode="after")
    def _consistent(self) -> TaskSpec:
        if self.network is None and not self.stages:
            raise ValueError("expected 'network: <name>' or 'stages: [...]': the task does nothing")
        ways = {"input": self.input, "rate": self.rate_hz, "period": self.period_ps}
        given = " and ".join(f"'{key}'" for key, way in ways.items() if way is not None)
        if given.count("'") != 2:
            wanted = "expected exactly one of 'input', 'rate' and 'period', what activates the task"
            raise ValueError(f"{wanted}; got {given or 'none'}")
        if self.input is not None and (self.offset_ps or self.jitter_ps):
            raise ValueError("a task that a camera activates has no offset and no jitter: the frame clock decides")
        if self.network is not None and "default" not in self.map:
            raise ValueError("a network needs 'map: {default: <block>}': where its layers run")
        if self.network is None and self.map:
            raise ValueError("'map' places the layers of a network; stages say where they run with 'on'")
        return self


@dataclass(frozen=True, slots=True)
class Task:
    """A task with its network read in and its map resolved to block references by layer."""

    name: str
    spec: TaskSpec
    network: Network | None
    placement: dict[str, tuple[str, ...]]  # layer → block references as written, first the default


@dataclass(frozen=True, slots=True)
class WorkloadSpec:
    """A workload as written; tasks in name order, so that the order of lines means nothing."""

    name: str
    policy: str
    horizon_ps: int
    tasks: dict[str, Task]
    source: Source
    frame_rates_hz: dict[str, Fraction] = field(default_factory=dict)  # by camera as written
    corner: str = TYPICAL  # which of its values at corners, and of its networks', it has


class WorkloadKeys(Frozen):
    """The keys of a workload file; its tasks are read one by one."""

    name: Title
    policy: str = "edf"
    horizon_ps: DurationPs = Field(alias="horizon", default=DEFAULT_HORIZON_PS)
    frame_rates_hz: dict[str, FrequencyHz] = Field(alias="frame_rates", default={})
    tasks: dict[str, Any] = Field(min_length=1)


def load_workload(path: str | Path, corner: str = TYPICAL) -> WorkloadSpec:
    """Read one workload file and the networks it names at ``corner``. Raises SpecError with every problem found."""
    return workload_of(read_source(path), Path(path).parent, corner)


def workload_of(source: Source, folder: Path, corner: str = TYPICAL) -> WorkloadSpec:
    """The workload described by ``source`` at ``corner`` (low, typical, high); networks are looked up in ``folder``.

    Raises SpecError.
    """
    expect_file(source, "workload")
    source, found = at_corner(source, corner)
    problems = Problems(source, found)
    keys = problems.model(WorkloadKeys, source.tree, ())
    if keys is not None:
        try:
            load_kind("policies", keys.policy)
        except PluginError as error:
            problems.add(("policy",), str(error))
    tree = source.tree.get("tasks") if isinstance(source.tree, dict) else None
    tasks: dict[str, Task] = {}
    elsewhere: list[Problem] = []
    networks: dict[str, Network | None] = {}
    for name, text in sorted(tree.items()) if isinstance(tree, dict) else ():
        problems.name(name, ("tasks", name))
        spec = problems.model(TaskSpec, text, ("tasks", name))
        if spec is None:
            continue
        network = None
        if spec.network is not None:
            if spec.network not in networks:
                networks[spec.network] = _network(problems, elsewhere, spec.network, folder, name, corner)
            network = networks[spec.network]
        tasks[name] = Task(name, spec, network, _placement(problems, name, spec, network))
    problems.found += elsewhere
    problems.raise_any()
    assert keys is not None  # else raise_any has raised
    return WorkloadSpec(keys.name, keys.policy, keys.horizon_ps, tasks, source, keys.frame_rates_hz, corner)


def _network(
    problems: Problems, elsewhere: list[Problem], name: str, folder: Path, task: str, corner: str
) -> Network | None:
    """The network ``name``: a path beside the workload, or ``networks/<name>.yaml`` there."""
    plain = "/" not in name and not name.endswith((".yaml", ".yml"))
    path = folder / "networks" / f"{name}.yaml" if plain else folder / name
    if len(name) > 200 or "\0" in name or not path.is_file():
        known = sorted(p.stem for p in (folder / "networks").glob("*.yaml"))
        hint = did_you_mean(name, known) or (one_of(known) if known else "")
        if not plain:
            hint = did_you_mean(path.name[:200], [p.name for p in path.parent.glob("*.y*ml")])
        problems.add(("tasks", task, "network"), f"no network {clip(name)}: {clip(str(path))} is no file{hint}")
        return None
    try:
        return network_of(read_source(path), corner)
    except SpecError as error:
        elsewhere += error.problems
        return None


def _placement(problems: Problems, task: str, spec: TaskSpec, network: Network | None) -> dict[str, tuple[str, ...]]:
    """Blocks by layer: the longest pattern that matches a layer's name wins (ties: the first by code point)."""
    if network is None:
        return {}
    layers = [layer.name for layer in network.layers]
    patterns = sorted((p for p in spec.map if p != "default"), key=lambda p: (-len(p), p))
    for pattern in patterns:
        if not any(fnmatchcase(layer, pattern) for layer in layers):
            stem = pattern.rstrip("*?[]")
            hint = (
                did_you_mean(stem, layers) or f"; its layers: {', '.join(layers[:8])}{', …' if len(layers) > 8 else ''}"
            )
            message = f"layer pattern {clip(pattern)} matches no layer of {network.name}{hint}"
            problems.add(("tasks", task, "map", pattern), message, at_key=True)
    chosen = {layer: next((p for p in patterns if fnmatchcase(layer, p)), "default") for layer in layers}
    return {layer: spec.map[pattern] for layer, pattern in chosen.items()}
