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
from tlm3d.spec.activation import WAYS, AfterSpec, InputSpec, SporadicSpec, parent_fault, read_arrivals
from tlm3d.spec.corners import TYPICAL, at_corner
from tlm3d.spec.network import network_of
from tlm3d.spec.quantities import Count, CountOrZero, DurationPs, FrequencyHz, Frozen, Names, TimePs, Title
from tlm3d.spec.source import Source, Where, read_source
from tlm3d.spec.stages import StageSpec, stage_faults
from tlm3d.spec.validate import Problems, expect_file
from tlm3d.units import PS_PER_S, QuantityError, clip

DEFAULT_HORIZON_PS = 10**12
DEFAULT_PRIORITY = 100
DEFAULT_QUANTUM_PS = 10**9


class ResourceSpec(Frozen):
    """What one job at a time may hold, and what becomes of the urgency of the one that holds it."""

    protocol: Literal["none", "inheritance", "ceiling"] = "inheritance"


class ChainSpec(Frozen):
    """A path through tasks that is observed from end to end: how long it takes, how old what comes out is."""

    tasks: list[str] = Field(min_length=1)
    deadline_ps: DurationPs | None = Field(alias="deadline", default=None)
    max_age_ps: DurationPs | None = Field(alias="max_age", default=None)

    @model_validator(mode="after")
    def _asks_something(self) -> ChainSpec:
        if self.deadline_ps is None and self.max_age_ps is None:
            raise ValueError("expected 'deadline', 'max_age' or both: what the chain is held to")
        return self


class TaskSpec(Frozen):
    """A task: stages and a network (one of them at least), and what activates it."""

    network: str | None = None
    stages: list[StageSpec] = []
    input: InputSpec | None = None
    rate_hz: FrequencyHz | None = Field(alias="rate", default=None)
    period_ps: DurationPs | None = Field(alias="period", default=None)
    sporadic: SporadicSpec | None = None
    after: AfterSpec | None = None
    trace: str | None = None
    offset_ps: TimePs = Field(alias="offset", default=0)
    jitter_ps: TimePs = Field(alias="jitter", default=0)
    deadline_ps: DurationPs | None = Field(alias="deadline", default=None)
    priority: CountOrZero = DEFAULT_PRIORITY
    map: dict[str, Names] = {}
    backlog: Count = 1
    on_miss: Literal["continue", "abort", "drop"] = "continue"
    firm: tuple[Count, Count] | None = None  # (m, k): of any k consecutive jobs at least m in time

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
        given = [f"'{way}'" for way in WAYS if getattr(self, _FIELDS.get(way, way)) is not None]
        if len(given) != 1:
            ways = [f"'{way}'" for way in WAYS]
            wanted = f"expected exactly one of {', '.join(ways[:-1])} and {ways[-1]}"
            raise ValueError(f"{wanted}, what activates the task; got {' and '.join(given) or 'none'}")
        if self.input is not None and (self.offset_ps or self.jitter_ps):
            raise ValueError("a task that a camera activates has no offset and no jitter: the frame clock decides")
        if self.jitter_ps and not self.is_periodic:
            raise ValueError("only a task with 'rate' or 'period' has a jitter")
        if self.offset_ps and not self.is_periodic and self.sporadic is None:
            raise ValueError("only a task with 'rate', 'period' or 'sporadic' has an offset")
        if self.trace is not None and self.deadline_ps is None:
            raise ValueError("a task with a 'trace' needs a 'deadline': it has no period that could be one")
        if self.firm is not None and self.firm[0] > self.firm[1]:
            raise ValueError("expected 'firm: [m, k]', at least m of any k jobs in time: m must not be above k")
        if self.network is not None and "default" not in self.map:
            raise ValueError("a network needs 'map: {default: <block>}': where its layers run")
        if self.network is None and self.map:
            raise ValueError("'map' places the layers of a network; stages say where they run with 'on'")
        return self

    @property
    def is_periodic(self) -> bool:
        """Whether a clock of its own activates it."""
        return self.rate_hz is not None or self.period_ps is not None


_FIELDS = {"rate": "rate_hz", "period": "period_ps"}


@dataclass(frozen=True, slots=True)
class Task:
    """A task with its network and its trace read in and its map resolved to block references by layer."""

    name: str
    spec: TaskSpec
    network: Network | None
    placement: dict[str, tuple[str, ...]]  # layer → block references as written, first the default
    arrivals_ps: tuple[int, ...] = ()  # of a trace


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
    quantum_ps: int = DEFAULT_QUANTUM_PS
    resources: dict[str, ResourceSpec] = field(default_factory=dict)  # by name, sorted
    chains: dict[str, ChainSpec] = field(default_factory=dict)  # by name, sorted


class WorkloadKeys(Frozen):
    """The keys of a workload file; its tasks are read one by one."""

    name: Title
    policy: str = "edf"
    horizon_ps: DurationPs = Field(alias="horizon", default=DEFAULT_HORIZON_PS)
    quantum_ps: DurationPs = Field(alias="quantum", default=DEFAULT_QUANTUM_PS)
    frame_rates_hz: dict[str, FrequencyHz] = Field(alias="frame_rates", default={})
    resources: dict[str, ResourceSpec] = {}
    chains: dict[str, ChainSpec] = {}
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
    tree = source.tree if isinstance(source.tree, dict) else {}
    resources = _named(problems, tree, "resources")
    texts = _named(problems, tree, "tasks")
    tasks: dict[str, Task] = {}
    elsewhere: list[Problem] = []
    networks: dict[str, Network | None] = {}
    for name, text in texts.items():
        spec = problems.model(TaskSpec, text, ("tasks", name))
        if spec is None:
            continue
        network = None
        if spec.network is not None:
            if spec.network not in networks:
                networks[spec.network] = _network(problems, elsewhere, spec.network, folder, name, corner)
            network = networks[spec.network]
        _check_stages(problems, name, spec, network, resources)
        arrivals_ps = _arrivals(problems, elsewhere, spec.trace, folder, name) if spec.trace is not None else ()
        tasks[name] = Task(name, spec, network, _placement(problems, name, spec, network), arrivals_ps)
    _check_cascades(problems, tasks, texts)
    chains = keys.chains if keys is not None else {}
    _check_chains(problems, chains, texts)
    _named(problems, tree, "chains")
    problems.found += elsewhere
    problems.raise_any()
    assert keys is not None  # else raise_any has raised
    return WorkloadSpec(
        keys.name, keys.policy, keys.horizon_ps, tasks, source, keys.frame_rates_hz, corner, keys.quantum_ps,
        dict(sorted(keys.resources.items())), dict(sorted(chains.items())),
    )  # fmt: skip


def _named(problems: Problems, tree: dict[str, Any], key: str) -> dict[str, Any]:
    """What stands under ``key``, by names that may be shown, sorted."""
    found = tree.get(key)
    named = dict(sorted(found.items())) if isinstance(found, dict) else {}
    for name in named:
        problems.name(name, (key, name))
    return named


def _check_stages(
    problems: Problems, task: str, spec: TaskSpec, network: Network | None, resources: dict[str, Any]
) -> None:
    where: Where = ("tasks", task, "stages")
    for i, stage in enumerate(spec.stages):
        if stage.name is not None:
            problems.name(stage.name, (*where, i, "name"))
    layers = {layer.name for layer in network.layers} if network is not None else set()
    for i, key, message in stage_faults(spec.stages, layers, spec.network is not None, resources):
        problems.add((*where, i, key), message)


def _check_cascades(problems: Problems, tasks: dict[str, Task], known: dict[str, Any]) -> None:
    parents = {name: task.spec.after.task for name, task in tasks.items() if task.spec.after is not None}
    for name in parents:
        fault = parent_fault(name, parents, known)
        if fault is not None:
            problems.add(("tasks", name, "after", "task"), fault)


def _check_chains(problems: Problems, chains: dict[str, ChainSpec], known: dict[str, Any]) -> None:
    for name, chain in chains.items():
        for i, task in enumerate(chain.tasks):
            where: Where = ("chains", name, "tasks", i)
            if task not in known:
                hint = did_you_mean(task, known) or one_of(known)
                problems.add(where, f"no task {clip(task)} in this workload{hint}")
            elif task in chain.tasks[:i]:
                problems.add(where, f"{clip(task)} stands in the chain already: a path takes a task once")


def _arrivals(problems: Problems, elsewhere: list[Problem], name: str, folder: Path, task: str) -> tuple[int, ...]:
    """The release times of the trace ``name``, a path beside the workload."""
    path = folder / name
    if len(name) > 200 or "\0" in name or not path.is_file():
        close = did_you_mean(path.name[:200], [p.name for p in path.parent.glob("*.*")]) if "\0" not in name else ""
        problems.add(("tasks", task, "trace"), f"no trace {clip(name)}: {clip(str(path))} is no file{close}")
        return ()
    try:
        return read_arrivals(path)
    except SpecError as error:
        elsewhere += error.problems
        return ()


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
