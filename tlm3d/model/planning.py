"""A plan for a whole workload, made before the run: task by task, the most urgent first.

Each task's job is placed as a graph of its own, against its own deadline. The order of tasks is that in which the
policy would serve jobs released together. A block's time is less by what the tasks placed before take of it: jobs a
second times what a job takes there alone. What is foreseen is then worked out anew for the workload as planned, whose
weights lie only where they are used.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from tlm3d.blocks import SensorSpec
from tlm3d.model.activations.arrivals import deadline_ps, period_ps
from tlm3d.model.alone import moved_aj, moved_ps
from tlm3d.model.plan_graph import JobGraph
from tlm3d.model.residency import Residency
from tlm3d.model.topology import Topology
from tlm3d.model.work import task_work
from tlm3d.plans import Planner
from tlm3d.plans.schedule import Schedule
from tlm3d.plugins import load_kind
from tlm3d.policies import JobView
from tlm3d.spec.activation import InputSpec
from tlm3d.spec.binding import BlockName, bind, frame_rates
from tlm3d.spec.plan import Plan, PlannedItem, PlannedTask, planned
from tlm3d.spec.platform import PlatformSpec, with_frame_rates
from tlm3d.spec.source import Source
from tlm3d.spec.workload import WorkloadSpec
from tlm3d.units import PS_PER_S

Load = dict[BlockName, Fraction]  # the share of a block's time that is taken


@dataclass(frozen=True, slots=True)
class Planning:
    """A plan, and by task what its planner was given and gave, before what is foreseen was worked out anew."""

    plan: Plan
    schedules: dict[str, Schedule]
    deadlines_ps: dict[str, int]
    options: dict[str, dict[str, int]]  # by stage or layer, how many blocks it may run on


def make_plan(platform: PlatformSpec, workload: WorkloadSpec, policy: str, method: str) -> Planning:
    """A plan for ``workload`` by ``method``, a kind of tlm3d.plans, to be run under ``policy``.

    Raises SpecError, ElaborationError, PluginError, and what the planner does where it cannot plan.
    """
    planner: Planner = load_kind("plans", method)()
    whole = _Elaborated(platform, workload)
    order = whole.order(policy)
    schedules: dict[str, Schedule] = {}
    load: Load = defaultdict(Fraction)
    for name in order:
        schedules[name] = planner.plan(whole.job(name, load).graph(), whole.deadline_ps(name))
        whole.add(name, schedules[name].places, load)
    tasks = {
        name: PlannedTask(items={item.name: PlannedItem(on=places[item.name]) for item in whole.works[name].items})
        for name in workload.tasks
        for places in (schedules[name].places,)
    }
    source = Source(f"plan by {method}", {})
    plan = Plan(method, platform.name, workload.name, policy, platform.corner, tasks, source)
    narrowed = _Elaborated(platform, planned(platform, workload, plan))
    tasks = dict(narrowed.foreseen(order, schedules))
    return Planning(
        Plan(method, platform.name, workload.name, policy, platform.corner, dict(sorted(tasks.items())), source),
        schedules,
        {name: whole.deadline_ps(name) for name in order},
        {name: {item.name: len(item.options) for item in work.items} for name, work in whole.works.items()},
    )


class _Elaborated:
    """A platform and a workload with every tile known."""

    def __init__(self, platform: PlatformSpec, workload: WorkloadSpec) -> None:
        bindings = bind(platform, workload)
        self._tasks, self._bindings = workload.tasks, bindings
        self._platform = platform = with_frame_rates(platform, frame_rates(platform, workload))
        self._topology = Topology(platform)
        self._residency = Residency(platform, workload, bindings)
        self.works = {
            name: task_work(task, bindings[name], platform, self._topology, self._residency)
            for name, task in workload.tasks.items()
        }
        cameras = {name: self._camera(name) for name in workload.tasks}
        self._frame_rates_hz = {name: spec.frame_rate_hz for name, spec in cameras.items() if spec is not None}

    def order(self, policy: str) -> list[str]:
        """The tasks as ``policy`` would serve jobs released together; ties by name."""
        kind = load_kind("policies", policy)()
        keys = {}
        for name, work in self.works.items():
            spec = work.task.spec
            distance_ps = period_ps(self._tasks, name, self._frame_rates_hz)
            keys[name] = kind.key(
                JobView(name, 0, 0, self.deadline_ps(name), distance_ps, spec.priority, work.least_ps)
            )
        return sorted(keys, key=lambda name: (keys[name], name))

    def deadline_ps(self, name: str) -> int:
        """How long after its release a job of task ``name`` is due."""
        return deadline_ps(self._tasks, name, self._frame_rates_hz)

    def job(self, name: str, load: Mapping[BlockName, Fraction]) -> JobGraph:
        """One job of task ``name`` beside ``load``."""
        ready_ps, _ = self._sensed(name)
        return JobGraph(self._platform, self._topology, self.works[name], ready_ps, load)

    def add(self, name: str, places: Mapping[str, str], load: Load) -> None:
        """Add to ``load`` what the jobs of task ``name`` take with its items on ``places``."""
        job, rate = self.job(name, {}), self._jobs_per_ps(name)
        for item in self.works[name].items:
            block = next(one for one in item.options if ".".join(one) == places[item.name])
            load[block] += rate * job.alone_ps(item, block)

    def foreseen(self, order: list[str], schedules: Mapping[str, Schedule]) -> Iterator[tuple[str, PlannedTask]]:
        """Every task as it is placed, its items in the order of the job."""
        load: Load = defaultdict(Fraction)
        for name in order:
            job, places = self.job(name, load), schedules[name].places
            graph = job.graph()
            times_ps = job.walk()
            items = {
                node: PlannedItem.model_construct(
                    on=places[node],
                    start_ps=times_ps[node][0],
                    finish_ps=times_ps[node][1],
                    energy_aj=graph.energy_aj[node, places[node]],
                )
                for node in graph.nodes
            }
            _, sensing_aj = self._sensed(name)
            response_ps = max(finish_ps for _, finish_ps in times_ps.values())
            energy_aj = graph.spent_aj(places) + sensing_aj
            yield name, PlannedTask.model_construct(response_ps=response_ps, energy_aj=energy_aj, items=items)
            self.add(name, places, load)

    def _camera(self, name: str) -> SensorSpec | None:
        camera = self._bindings[name].camera
        if camera is None:
            return None
        spec = self._platform.dies[camera[0]].blocks[camera[1]]
        assert isinstance(spec, SensorSpec)
        return spec

    def _sensed(self, name: str) -> tuple[int, int]:
        """When the last row of a frame is in memory, and what this task spends on it.

        Only frames of other modes that are always read before it, on the same tick, go before it on the way. A frame
        that several tasks take is booked to none of them.
        """
        spec, camera, given = self._camera(name), self._bindings[name].camera, self._tasks[name].spec.input
        if spec is None or camera is None or given is None:
            return 0, 0
        route = self._topology.write_route(camera, self._residency.home(camera))
        takers = [
            other
            for name, binding in self._bindings.items()
            if binding.camera == camera and (other := self._tasks[name].spec.input) is not None
        ]
        landed_ps = begin_ps = energy_aj = 0
        for mode in (*_read_before(spec, given, takers), given.mode):
            rows = spec.emits(mode)
            for row in rows:
                landed_ps = max(landed_ps, begin_ps + row.end_ps) + moved_ps(route, row.bytes)
            begin_ps += rows[-1].end_ps
        for row in spec.emits(given.mode):
            energy_aj += row.sensing_aj + row.conversion_aj + row.analog_aj + moved_aj(route, row.bytes)
        is_shared = sum(other.mode == given.mode for other in takers) > 1
        return landed_ps, 0 if is_shared else energy_aj

    def _jobs_per_ps(self, name: str) -> Fraction:
        """How many jobs of task ``name`` there are in the long run; of a trace, while it lasts."""
        task = self._tasks[name]
        spec = task.spec
        if spec.after is not None:
            return spec.after.probability * self._jobs_per_ps(spec.after.task)
        if spec.sporadic is not None:
            return Fraction(1, spec.sporadic.min_distance_ps + spec.sporadic.mean_wait_ps)
        if spec.trace is not None:
            return Fraction(len(task.arrivals_ps), max(1, *task.arrivals_ps))
        if spec.input is not None:
            return spec.input.event * self._frame_rates_hz[name] / spec.input.every / PS_PER_S
        if spec.period_ps is not None:
            return Fraction(1, spec.period_ps)
        assert spec.rate_hz is not None  # one of them is there
        return spec.rate_hz / PS_PER_S


def _read_before(spec: SensorSpec, given: InputSpec, takers: Iterable[InputSpec]) -> list[str]:
    """The modes that are always read on the ticks of ``given``, and before its own."""
    always = (other for other in takers if given.every % other.every == 0 and other.event == 1)
    return sorted({other.mode for other in always if other.mode < given.mode}) if not spec.MODES_AT_ONCE else []
