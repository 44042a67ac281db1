"""A workload's names held against a platform: every block, camera and mode it speaks of exists and can do it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from tlm3d.blocks import ComputeSpec, ProgrammableSpec, SensorSpec
from tlm3d.blocks.processor import Processor
from tlm3d.cnn.layers import shape_of
from tlm3d.cnn.network import Network
from tlm3d.errors import did_you_mean, one_of
from tlm3d.spec.platform import PlatformSpec, block_names, find_block
from tlm3d.spec.source import Where
from tlm3d.spec.stages import Precedence, StageSpec
from tlm3d.spec.validate import Problems
from tlm3d.spec.workload import Task, WorkloadSpec
from tlm3d.units import clip, release_ps, show

BlockName = tuple[str, str]  # (die, block)


@dataclass(frozen=True, slots=True)
class TaskBinding:
    """Where a task's stages and layers may run, and which camera feeds it.

    ``feeder``: without a camera, the first block of the last stage before the network, which makes its input.
    """

    stages: tuple[tuple[BlockName, ...], ...]
    layers: dict[str, tuple[BlockName, ...]]
    camera: BlockName | None
    feeder: BlockName | None = None


def bind(platform: PlatformSpec, workload: WorkloadSpec) -> dict[str, TaskBinding]:
    """Resolve every name of ``workload`` in ``platform``, by task. Raises SpecError with every problem found."""
    binder = _Binder(platform, Problems(workload.source), workload.frame_rates_hz)
    bindings = {name: binder.task(task) for name, task in workload.tasks.items()}
    binder.problems.raise_any()
    return bindings


def frame_rates(platform: PlatformSpec, workload: WorkloadSpec) -> dict[BlockName, Fraction]:
    """The frame clocks that ``workload`` sets, Hz, by camera. Raises SpecError for what is no camera or too fast."""
    binder = _Binder(platform, Problems(workload.source), {})
    rates_hz = {}
    for reference, rate_hz in sorted(workload.frame_rates_hz.items()):
        where: Where = ("frame_rates", reference)
        found = binder.block(reference, where, ("sensor",), "takes no frames")
        block = binder.spec(found) if found else None
        if found is not None and isinstance(block, SensorSpec):
            rates_hz[found] = rate_hz
            if rate_hz > block.frame_rate_hz:
                fastest = show(float(block.frame_rate_hz), "Hz")
                binder.problems.add(where, f"the frame clock of {reference} goes up to {fastest}, its frame_rate")
            elif (fault := block.clock_fault(rate_hz)) is not None:
                binder.problems.add(where, fault)
    binder.problems.raise_any()
    return rates_hz


class _Binder:
    def __init__(self, platform: PlatformSpec, problems: Problems, rates_hz: dict[str, Fraction]) -> None:
        self.platform, self.problems = platform, problems
        found = {find_block(platform.dies, reference, None): rate_hz for reference, rate_hz in rates_hz.items()}
        self.rates_hz = {name: rate_hz for name, rate_hz in found.items() if name is not None}

    def task(self, task: Task) -> TaskBinding:
        where: Where = ("tasks", task.name)
        stages = tuple(self._stage(stage, (*where, "stages", i)) for i, stage in enumerate(task.spec.stages))
        layers: dict[str, tuple[BlockName, ...]] = {}
        if task.network is not None:
            resolved = self._map(task, where)
            layers = {layer: tuple(b for r in refs if (b := resolved.get(r))) for layer, refs in task.placement.items()}
            self._check_support(task.network, layers, where)
        camera = self._camera(task, where)
        self._check_jitter(task, where)
        early = Precedence(task.spec.stages).early
        feeder = stages[max(early)][0] if early and stages[max(early)] else None
        return TaskBinding(stages, layers, camera, feeder)

    def _stage(self, stage: StageSpec, at: Where) -> tuple[BlockName, ...]:
        """The blocks where ``stage`` may run, in the order written; all that can run it for ``any``, by name."""
        if stage.anywhere:
            dies = self.platform.dies
            every = [(die, name) for die in sorted(dies) for name in sorted(dies[die].blocks)]
            able = [name for name in every if self._is_engine(name) and self._fault(stage, name) is None]
            if not able:
                self.problems.add((*at, "on"), f"no block of platform {self.platform.name} can run the stage")
            return tuple(able)
        found: list[BlockName] = []
        for reference in stage.on:
            name = self.block(reference, (*at, "on"), ("compute", "lane"), "runs no stages")
            if name is None:
                continue
            if name in found:
                self.problems.add((*at, "on"), f"{clip(reference)} stands there already")
                continue
            found.append(name)
            fault = self._fault(stage, name)
            if fault is not None:
                amount = "cycles" if stage.cycles is not None else "instructions"
                self.problems.add((*at, amount), f"{reference} {fault}")
        return tuple(found)

    def _is_engine(self, name: BlockName) -> bool:
        return isinstance(self.spec(name), ComputeSpec | Processor)

    def _fault(self, stage: StageSpec, name: BlockName) -> str | None:
        """Why the block ``name`` cannot run the amount that ``stage`` states."""
        block = self.spec(name)
        if stage.time_ps is None and isinstance(block, Processor) and block.clock_hz is None:
            amount = "cycles" if stage.cycles is not None else "instructions"
            return f"has no clock, so {amount} take no known time: use 'time'"
        if stage.instructions is not None and not isinstance(block, ProgrammableSpec):
            return "runs no instructions: use 'cycles' or 'time'"
        return None

    def spec(self, name: BlockName) -> object:
        return self.platform.dies[name[0]].blocks[name[1]]

    def block(self, reference: str, where: Where, roles: tuple[str, ...], unfit: str) -> BlockName | None:
        """The block of one of ``roles`` that ``reference`` names; ``unfit`` says what others lack."""
        dies = self.platform.dies
        found = find_block(dies, reference, None)
        usable = sorted({n for role in roles for n in block_names(dies, role)})
        if found is None:
            several = [d for d, die in dies.items() if reference in die.blocks]
            if len(several) > 1:
                choice = " or ".join(f"{d}.{reference}" for d in several)
                self.problems.add(where, f"{clip(reference)} is on several dies: say {choice}")
            else:
                hint = did_you_mean(reference, usable) or one_of(usable)
                self.problems.add(where, f"no block {clip(reference)} in platform {self.platform.name}{hint}")
            return None
        spec = dies[found[0]].blocks[found[1]]
        if spec.ROLE not in roles:
            self.problems.add(where, f"{clip(reference)} is a {spec.kind} and {unfit}{one_of(usable)}")
            return None
        return found

    def _map(self, task: Task, where: Where) -> dict[str, BlockName]:
        resolved: dict[str, BlockName] = {}
        for pattern, references in sorted(task.spec.map.items()):
            for reference in references:
                found = self.block(reference, (*where, "map", pattern), ("compute",), "runs no layers")
                if found is not None:
                    resolved[reference] = found
        return resolved

    def _check_support(self, network: Network, layers: dict[str, tuple[BlockName, ...]], where: Where) -> None:
        for layer in network.layers:
            for name in layers[layer.name]:
                block = self.spec(name)
                if isinstance(block, ComputeSpec) and not block.runs(layer):
                    what = f"{layer.kind} layers" if not block.supports(layer.kind) else f"a {shape_of(layer)}"
                    message = f"{'.'.join(name)} ({block.kind}) does not run {what}: map {layer.name} elsewhere"
                    self.problems.add((*where, "map"), message, at_key=True)

    def _camera(self, task: Task, where: Where) -> BlockName | None:
        spec = task.spec.input
        if spec is None:
            return None
        found = self.block(spec.camera, (*where, "input", "camera"), ("sensor",), "takes no frames")
        block = self.spec(found) if found else None
        if not isinstance(block, SensorSpec):
            return None
        at = (*where, "input", "mode")
        if spec.mode not in block.mode_names:
            hint = did_you_mean(spec.mode, block.mode_names) or one_of(sorted(block.mode_names))
            self.problems.add(at, f"{spec.camera} has no mode {clip(spec.mode)}{hint}")
            return None
        rate_hz = self.rates_hz.get(found) if found else None
        if rate_hz is not None and block.clock_fault(rate_hz) is None:
            block = block.model_copy(update={"frame_rate_hz": rate_hz})
        gap = block.gap_fault(spec.mode, spec.every)
        if gap is not None:
            self.problems.add((*where, "input", "every"), gap)
        elif spec.event < 1 and block.gap_fault(spec.mode, 2) is not None:
            overlap = "overlap, so that every one must be taken: 'event' would leave some out"
            self.problems.add((*where, "input", "event"), f"frames of mode {clip(spec.mode)} {overlap}")
        if task.network is not None:
            frame = block.frame_bytes(spec.mode)
            need = task.network.input_bytes
            if frame < need:
                given, shape = ("x".join(map(str, s)) for s in (block.frame_shape(spec.mode), task.network.input_shape))
                gives = f"mode {clip(spec.mode)} gives {frame} B a frame ({given})"
                self.problems.add(at, f"{gives}, {task.network.name} reads {need} B ({shape})")
        return found

    def _check_jitter(self, task: Task, where: Where) -> None:
        spec = task.spec
        # The shortest distance between two nominal releases of a rate is its period rounded down.
        period_ps = spec.period_ps or (release_ps(1, spec.rate_hz) if spec.rate_hz else 0)
        if spec.jitter_ps > period_ps:
            self.problems.add(
                (*where, "jitter"), "must not be longer than the period: releases would overtake each other"
            )
