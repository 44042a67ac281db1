"""Plan files: on which block each stage and layer of a workload runs, and what was foreseen of it.

A plan narrows a workload: every item keeps one of the blocks that its workload lets it run on. So whatever reads
workloads (the run, its residency, bounds) executes plans without knowing of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from tlm3d.errors import did_you_mean, one_of
from tlm3d.spec.binding import BlockName, TaskBinding, bind
from tlm3d.spec.platform import PlatformSpec, find_block
from tlm3d.spec.quantities import EnergyAj, Frozen, TimePs, Title
from tlm3d.spec.source import Source, Where, read_source
from tlm3d.spec.stages import Precedence
from tlm3d.spec.validate import Problems, expect_file
from tlm3d.spec.workload import Task, WorkloadSpec
from tlm3d.units import clip

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_NOT_TEXT = frozenset(("true", "false", "yes", "no", "on", "off", "null"))  # to other readers of YAML


class PlannedItem(Frozen):
    """A stage or a layer: its block, and what is foreseen of a job's; times count from the release."""

    on: str
    start_ps: TimePs | None = Field(alias="start", default=None)
    finish_ps: TimePs | None = Field(alias="finish", default=None)
    energy_aj: EnergyAj | None = Field(alias="energy", default=None)

    @model_validator(mode="after")
    def _forward(self) -> PlannedItem:
        if self.start_ps is not None and self.finish_ps is not None and self.finish_ps < self.start_ps:
            raise ValueError("expected 'finish' not before 'start'")
        return self


class PlannedTask(Frozen):
    """What is foreseen of a task's job: the time from its release to its finish, and what it spends."""

    response_ps: TimePs | None = Field(alias="response", default=None)
    energy_aj: EnergyAj | None = Field(alias="energy", default=None)
    items: dict[str, PlannedItem] = {}


class PlanKeys(Frozen):
    """The keys of a plan file."""

    method: Title = "by hand"
    platform: Title
    workload: Title
    policy: str | None = None
    corner: Literal["low", "typical", "high"] = "typical"
    planned: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan as written, or as it would be: ``tasks`` by name, their items in the order of the job.

    ``policy`` and ``corner``: those that it was made for.
    """

    method: str
    platform: str
    workload: str
    policy: str | None
    corner: str
    tasks: dict[str, PlannedTask]
    source: Source


def load_plan(path: str | Path) -> Plan:
    """Read one plan file. Raises SpecError with every problem found."""
    return plan_of(read_source(path))


def plan_of(source: Source) -> Plan:
    """The plan described by ``source``. Raises SpecError."""
    expect_file(source, "plan")
    problems = Problems(source)
    keys = problems.model(PlanKeys, source.tree, ())
    tree = source.tree.get("planned") if isinstance(source.tree, dict) else None
    tasks: dict[str, PlannedTask] = {}
    for name, text in tree.items() if isinstance(tree, dict) else ():
        task = problems.model(PlannedTask, text, ("planned", name))
        if task is not None:
            tasks[name] = task
    problems.raise_any()
    assert keys is not None  # else raise_any has raised
    return Plan(keys.method, keys.platform, keys.workload, keys.policy, keys.corner, tasks, source)


# ------------------------------------------------------------ a workload with its choices made


def options_of(task: Task, binding: TaskBinding) -> dict[str, tuple[BlockName, ...]]:
    """The blocks where each stage and layer of ``task`` may run, by its name."""
    stages = zip(Precedence(task.spec.stages).names, binding.stages, strict=True)
    return {**dict(stages), **binding.layers}


def planned(platform: PlatformSpec, workload: WorkloadSpec, plan: Plan) -> WorkloadSpec:
    """``workload`` with every stage and layer on its planned block alone; one that has no choice need not be planned.

    Raises SpecError, with every problem of the plan that does not fit.
    """
    bindings = bind(platform, workload)
    problems = Problems(plan.source)
    for what, meant, given in (("platform", plan.platform, platform.name), ("workload", plan.workload, workload.name)):
        if meant != given:
            problems.add((what,), f"the plan is one for {what} {clip(meant)}, this is {clip(given)}")
    for name in plan.tasks.keys() - workload.tasks.keys():
        hint = did_you_mean(name, workload.tasks) or one_of(workload.tasks)
        problems.add(("planned", name), f"no task {clip(name)} in workload {workload.name}{hint}", at_key=True)
    fitter = _Fitter(platform, problems)
    tasks = {}
    for name, task in workload.tasks.items():
        choice = fitter.choice(name, options_of(task, bindings[name]), plan.tasks.get(name))
        tasks[name] = _narrowed(task, bindings[name], choice)
    problems.raise_any()
    return replace(workload, tasks=tasks)


class _Fitter:
    """What a plan says, held against what a platform and a workload let be."""

    def __init__(self, platform: PlatformSpec, problems: Problems) -> None:
        self._dies, self._problems = platform.dies, problems

    def choice(
        self, task: str, options: Mapping[str, tuple[BlockName, ...]], plan: PlannedTask | None
    ) -> dict[str, BlockName]:
        """The block of every item; where there is a problem, one that it may run on."""
        items = plan.items if plan is not None else {}
        at: Where = ("planned", task, "items")
        for item in items.keys() - options.keys():
            hint = did_you_mean(item, options) or one_of(options)
            self._problems.add((*at, item), f"no stage or layer {clip(item)} in task {task}{hint}", at_key=True)
        chosen = {}
        for item, blocks in options.items():
            chosen[item] = blocks[0]
            if item in items:
                chosen[item] = self._block(items[item].on, blocks, (*at, item, "on"), item) or blocks[0]
        missing = [item for item, blocks in options.items() if len(blocks) > 1 and item not in items]
        if missing:
            either = _either(".".join(block) for block in options[missing[0]])
            more = f" and {len(missing) - 1} more" if missing[1:] else ""
            what = f"{missing[0]}{more} of task {task}"
            message = f"nothing is planned for {what}; {missing[0]} may run on {either}"
            self._problems.add(at, message, at_key=True)
        return chosen

    def _block(self, reference: str, options: Sequence[BlockName], where: Where, item: str) -> BlockName | None:
        found = find_block(self._dies, reference, None)
        if found in options:
            return found
        several = [".".join(block) for block in options if block[1] == reference]
        names = [".".join(block) for block in options]
        if found is None and len(several) > 1:
            self._problems.add(where, f"{clip(reference)} is on several dies: say {_either(several)}")
        else:
            hint = did_you_mean(reference, [*names, *(block[1] for block in options)])
            self._problems.add(where, f"{item} may run on {_either(names)}, not on {clip(reference)}{hint}")
        return None


def _either(names: Iterable[str]) -> str:
    return " or ".join(names)


def _narrowed(task: Task, binding: TaskBinding, choice: Mapping[str, BlockName]) -> Task:
    """``task`` with one block an item: of a layer's references the one that means it."""
    placement: dict[str, tuple[str, ...]] = {
        layer: (references[binding.layers[layer].index(choice[layer])],) for layer, references in task.placement.items()
    }
    names = Precedence(task.spec.stages).names
    stages = [
        stage.model_copy(update={"on": (".".join(choice[name]),)})
        for stage, name in zip(task.spec.stages, names, strict=True)
    ]
    return replace(task, spec=task.spec.model_copy(update={"stages": stages}), placement=placement)


# ------------------------------------------------------------ a plan as text


def plan_text(plan: Plan, comment: str = "") -> str:
    """``plan`` as a file, times and energies to the picosecond and the attojoule; ``comment`` is its first line."""
    return "\n".join([*([f"# {comment}"] if comment else []), *_lines(plan)]) + "\n"


def _lines(plan: Plan) -> Iterator[str]:
    yield f"method: {_word(plan.method)}"
    yield f"platform: {_word(plan.platform)}"
    yield f"workload: {_word(plan.workload)}"
    if plan.policy is not None:
        yield f"policy: {_word(plan.policy)}"
    yield f"corner: {plan.corner}"
    yield "planned:"
    for name, task in plan.tasks.items():
        yield f"  {_word(name)}:"
        yield from (f"    {key}" for key in _foreseen(("response", task.response_ps, "ps"), _energy(task)))
        yield "    items:"
        for item, found in task.items.items():
            times = (("start", found.start_ps, "ps"), ("finish", found.finish_ps, "ps"), _energy(found))
            yield f"      {_word(item)}: {{{', '.join([f'on: {_word(found.on)}', *_foreseen(*times)])}}}"


def _energy(found: PlannedTask | PlannedItem) -> tuple[str, int | None, str]:
    return "energy", found.energy_aj, "aJ"


def _foreseen(*keys: tuple[str, int | None, str]) -> Iterator[str]:
    return (f"{key}: {value} {unit}" for key, value, unit in keys if value is not None)


def _word(text: str) -> str:
    """``text`` as a YAML scalar, in quotes where it is more than a word."""
    if _PLAIN.fullmatch(text) and text.lower() not in _NOT_TEXT:
        return text
    return "'" + text.replace("'", "''") + "'"
