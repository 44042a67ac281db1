"""Elaboration: frozen descriptions to a System, and its run to a Recording."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from itertools import pairwise
from time import monotonic
from typing import TYPE_CHECKING

from simpy import Environment

from tlm3d.blocks import ComputeSpec, SensorSpec
from tlm3d.blocks.memory import Memory
from tlm3d.blocks.processor import Processor
from tlm3d.errors import ElaborationError
from tlm3d.links import LinkSpec
from tlm3d.model.activations.arrivals import arrivals_of, deadline_ps, period_ps
from tlm3d.model.activations.chance import Chance
from tlm3d.model.camera import Camera, Subscription, check_frame_time
from tlm3d.model.carrier import Carrier
from tlm3d.model.context import Context, Owner
from tlm3d.model.dispatcher import Dispatcher
from tlm3d.model.gate import Powers, powers_of
from tlm3d.model.job import Job
from tlm3d.model.locks import Locks, Resource
from tlm3d.model.pipeline import Pipeline
from tlm3d.model.plan import residency_plan
from tlm3d.model.pool import Pool
from tlm3d.model.residency import Residency
from tlm3d.model.surroundings import Builder, build
from tlm3d.model.task_runner import TaskRunner
from tlm3d.model.topology import Route, Topology
from tlm3d.model.work import task_work
from tlm3d.plugins import kinds, load_kind
from tlm3d.record.recording import ChainInfo, Component, LimitInfo, Recording, StateInterval, SupplyInfo, TaskInfo
from tlm3d.spec.binding import BlockName, bind, frame_rates
from tlm3d.spec.platform import PlatformSpec, with_frame_rates
from tlm3d.spec.workload import WorkloadSpec
from tlm3d.tlm.fabric import Fabric

if TYPE_CHECKING:
    from tlm3d.bounds.demand import Demand
    from tlm3d.model.step_demand import Stretch


@contextmanager
def _collector_paused() -> Iterator[None]:
    """The record only grows and jobs free themselves: the cycle collector would walk it again and again for nothing."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


Progress = Callable[[int, int], object]  # (simulated ps so far, horizon ps); what is true ends the run there
Fold = Callable[[int, list[StateInterval]], None]
_FIRST_SLICE_PS = 10**10
_SLICE_S = 0.1  # progress is told about this often, in time of ours


class System:
    """A platform and a workload, elaborated: everything is resolved, nothing has happened yet.

    Raises SpecError (names that do not exist), ElaborationError (no route, does not fit, not at the same corner),
    PluginError (unknown policy).
    """

    def __init__(self, platform: PlatformSpec, workload: WorkloadSpec, policy: str, horizon_ps: int, seed: int) -> None:
        bindings = bind(platform, workload)
        platform = with_frame_rates(platform, frame_rates(platform, workload))
        self._platform, self._workload = platform, workload
        if platform.corner != workload.corner:
            message = f"the platform was read at its {platform.corner} corner, the workload at its {workload.corner}"
            raise ElaborationError(f"{message}: read both at the same")
        self._policy = load_kind("policies", policy)()
        self._check_ceilings(policy)
        self._topology = Topology(platform, seed)
        self._residency = Residency(platform, workload, bindings)
        self._works = {
            name: task_work(task, bindings[name], platform, self._topology, self._residency)
            for name, task in workload.tasks.items()
        }
        self._bindings = bindings
        self._check_cameras()
        self.recording = Recording(platform.name, workload.name, policy, seed, horizon_ps, platform.corner)
        self._describe()

    def _describe(self) -> None:
        """Fill in what a reader of the recording must know."""
        platform, recording = self._platform, self.recording
        order = sorted(platform.dies, key=lambda name: (-platform.dies[name].tier, name))
        recording.dies = tuple(order)
        recording.channels = self._topology.infos
        recording.limits = tuple(
            LimitInfo(
                limit.kind, limit.limit_nw, limit.window_ps or 0, limit.at, limit.ewma_ps or 0, limit.from_nw or 0
            )
            for limit in platform.limits
        )
        if platform.supply is not None:
            points, slope = platform.supply.curve()
            recording.supply = SupplyInfo(platform.supply.kind, points, slope, platform.supply.rated_nw)
        blocks = [Component(die, name) for die in order for name in platform.dies[die].blocks]
        links = {info.component for info in self._topology.infos.values()}
        recording.components = (*blocks, *sorted(links - set(blocks)))
        recording.boot_bytes = self._residency.boot_bytes
        recording.residency = residency_plan(platform, self._residency, self._works.values())
        recording.notes = tuple(self._topology.warnings.values())
        for name, chain in self._workload.chains.items():
            cascades = [
                later
                for task, later in pairwise(chain.tasks)
                if (after := self._workload.tasks[later].spec.after) is not None and after.task == task
            ]
            recording.chains[name] = ChainInfo(
                tuple(chain.tasks), chain.deadline_ps, chain.max_age_ps, frozenset(cascades)
            )
        tasks, rates_hz = self._workload.tasks, self._frame_rates_hz()
        for name, task in tasks.items():
            network = task.network
            recording.tasks[name] = TaskInfo(
                deadline_ps(tasks, name, rates_hz), task.spec.priority, 2 * network.macs if network else 0,
                network.name if network else "-", period_ps(tasks, name, rates_hz), task.spec.firm,
                self._works[name].demand_ps(),
            )  # fmt: skip

    def _check_cameras(self) -> None:
        for path, spec in self._blocks():
            if isinstance(spec, SensorSpec):
                takers = [self._workload.tasks[name] for name, b in self._bindings.items() if b.camera == path]
                check_frame_time(".".join(path), spec, {task.spec.input.mode for task in takers if task.spec.input})

    def _frame_rates_hz(self) -> dict[str, Fraction]:
        """The rate of the camera of each task that has one."""
        found = {}
        for name, binding in self._bindings.items():
            if binding.camera is not None:
                camera = self._platform.dies[binding.camera[0]].blocks[binding.camera[1]]
                assert isinstance(camera, SensorSpec)
                found[name] = camera.frame_rate_hz
        return found

    def _check_ceilings(self, policy: str) -> None:
        """A ceiling is the most urgent task that may hold a resource: that must not change while time goes on."""
        if self._policy.FIXED_TASKS:
            return
        ceilings = [name for name, resource in self._workload.resources.items() if resource.protocol == "ceiling"]
        if ceilings:
            fixed = ", ".join(name for name in kinds("policies") if load_kind("policies", name).FIXED_TASKS)
            message = f"resource {ceilings[0]} has a priority ceiling, but {policy} has no fixed order of tasks"
            raise ElaborationError(f"{message}: use 'protocol: inheritance', or a policy that has one: {fixed}")

    def demand(self, stretch: Stretch | None = None) -> Demand:
        """What the tasks ask for at worst, for bounds; computing times of a task on a block times ``stretch``."""
        from tlm3d.model.demand import Elaborated, demand_of  # a run does without

        made = Elaborated(
            self._platform, self._workload, self._bindings, self._works, self._policy, self.recording.policy,
            self.recording, self._pools(), self._topology.channels, self._frame_rates_hz(), self._sensor_routes(),
        )  # fmt: skip
        return demand_of(made, stretch)

    def run(
        self, progress: Progress | None = None, fold: Fold | None = None, modules: Sequence[Builder] = ()
    ) -> Recording:
        """Simulate [0, horizon], events at the horizon included. A System runs once.

        ``progress(done_ps, horizon_ps)`` is called now and then; when it returns something true, the run ends there,
        and the record is that of the window [0, done_ps]. ``fold(settled_ps, going_on)`` is called now and then, too:
        every fact that starts before ``settled_ps`` is recorded or, as a state, one of ``going_on``. It may take out
        of the recording what ends by then; what is still there at the end is what it left. ``modules``: each is called
        with the Surroundings before time begins, and returns the top of what it has built; that then runs beside the
        workload, on the same channels. Raises ElaborationError for modules that cannot be, ModuleError where one breaks
        a rule.
        """
        env = Environment()
        fabric = Fabric(env)
        context = Context(env, fabric, self.recording, self._topology)
        locks = Locks(self._resources(), self._policy, self.recording.deadlocks.append, lambda: context.now_ps)
        dispatcher = Dispatcher(context, self._policy, locks)
        for path, spec in self._blocks():
            if isinstance(spec, ComputeSpec):
                dispatcher.engines[path] = Pipeline(context, path, spec, locks, dispatcher.item_finished)
        for pool in self._pools():
            engine = Pool(context, pool, locks, self._workload.quantum_ps, dispatcher.item_finished)
            dispatcher.engines.update(dict.fromkeys(pool, engine))
            pooled = (item for work in self._works.values() for item in work.items if item.pooled)
            dispatcher.pools.update((item, engine) for item in pooled if item.options[0] in pool)
        engines = list(dict.fromkeys(dispatcher.engines.values()))
        locks.engines = engines
        seed = self.recording.seed
        runners = {
            name: TaskRunner(context, dispatcher, work, self.recording.tasks[name], arrivals_of(work.task, seed))
            for name, work in self._works.items()
        }
        for name, runner in runners.items():
            after = self._works[name].task.spec.after
            if after is not None:
                runners[after.task].add_child(runner, Chance(after.probability, seed, "cascade", name))
        cameras = self._cameras(context, runners, dispatcher)
        dispatcher.cameras, dispatcher.runners = cameras, list(runners.values())
        for runner in runners.values():
            runner.start()
        for camera in cameras:
            camera.start()
        build(modules, context)
        carriers = self._carriers(context)

        def settle(done_ps: int) -> None:
            """Record and hand over what is certain, all of [0, done_ps] having happened."""
            assert fold is not None
            late_ps = [transfer.posted_ps for transfer in fabric.in_flight()]  # booked when they finish
            late_ps += [engine.settled_ps for engine in engines]
            settled_ps = min([done_ps, *late_ps])
            parts = (*engines, *cameras, *carriers)
            fold(settled_ps, [state for part in parts for state in part.settle(settled_ps)])

        self._advance(env, progress, settle if fold else None)
        fabric.settle(self.recording.horizon_ps)
        for part in (*engines, *runners.values(), *cameras):
            part.close()
        for transfer in fabric.in_flight():
            if isinstance(transfer.owner, Owner):  # what a user's module posts to the fabric itself has none
                context.book_transfer(transfer, transfer.owner)
        for carrier in carriers:
            carrier.close()
        return self.recording

    def _blocks(self) -> list[tuple[BlockName, object]]:
        dies = self._platform.dies
        return [((die, name), spec) for die in dies for name, spec in dies[die].blocks.items()]

    def _resources(self) -> dict[str, Resource]:
        """What jobs may hold; the order of tasks is fixed where there are ceilings, so any job tells its task's."""
        ceilings: dict[str, list[tuple[int, str]]] = {name: [] for name in self._workload.resources}
        for name, work in self._works.items():
            level = (self._policy.key(Job(work, 0, 0, self.recording.tasks[name], lambda _: None)), name)
            for resource in {resource for item in work.items for resource in item.holds}:
                ceilings[resource].append(level)
        return {
            name: Resource(
                spec.protocol != "none", min(ceilings[name], default=None) if spec.protocol == "ceiling" else None
            )
            for name, spec in self._workload.resources.items()
        }

    def _pools(self) -> list[dict[BlockName, Processor]]:
        """The processors, those together that share stages, directly or not."""
        processors = {path: spec for path, spec in self._blocks() if isinstance(spec, Processor)}
        pool_of = {path: {path} for path in processors}
        for work in self._works.values():
            for item in work.items:
                if item.pooled:
                    together = set[BlockName]().union(*(pool_of[path] for path in item.options))
                    pool_of.update(dict.fromkeys(together, together))
        pools = {min(pool): pool for pool in pool_of.values()}
        return [{path: processors[path] for path in sorted(pool)} for _, pool in sorted(pools.items())]

    def _sensor_routes(self) -> dict[BlockName, Route]:
        return {
            path: self._topology.write_route(path, self._residency.home(path))
            for path, block in self._blocks()
            if isinstance(block, SensorSpec)
        }

    def _cameras(self, context: Context, runners: dict[str, TaskRunner], dispatcher: Dispatcher) -> list[Camera]:
        taken: dict[BlockName, list[Subscription]] = {}
        for name, binding in self._bindings.items():
            spec = self._workload.tasks[name].spec.input
            if binding.camera is not None and spec is not None:
                event = Chance(spec.event, self.recording.seed, "event", name)
                subscription = Subscription(name, spec.mode, spec.every, event, runners[name].release_frame)
                taken.setdefault(binding.camera, []).append(subscription)
        cameras = []
        routes = self._sensor_routes()
        for path, block in self._blocks():
            if isinstance(block, SensorSpec):
                route = routes[path]
                cameras.append(Camera(context, path, block, route, taken.get(path, []), dispatcher.decide_in))
        return cameras

    def _advance(self, env: Environment, progress: Progress | None, settle: Callable[[int], None] | None) -> None:
        """Simulate slice by slice up to the horizon, or to where ``progress`` ends the run and so the window."""
        horizon_ps = self.recording.horizon_ps
        sliced = progress is not None or settle is not None
        slice_ps, done_ps = max(1, min(_FIRST_SLICE_PS, horizon_ps // 64)) if sliced else horizon_ps, 0
        while done_ps < horizon_ps:
            began_s = monotonic()
            done_ps = min(done_ps + slice_ps, horizon_ps)
            with _collector_paused():
                env.run(until=done_ps + 1)  # what happens at the end of a slice belongs to it
                if settle and done_ps < horizon_ps:
                    settle(done_ps)
            took_s = max(monotonic() - began_s, _SLICE_S / 1000)
            slice_ps = max(1, min(2 * slice_ps, int(slice_ps * _SLICE_S / took_s)))
            if progress and progress(done_ps, horizon_ps) and done_ps < horizon_ps:
                self.recording.horizon_ps, self.recording.interrupted_of_ps = done_ps, horizon_ps
                return

    def _carriers(self, context: Context) -> list[Carrier]:
        """What is active while a channel carries a transfer; other blocks book their own states."""
        carriers = [
            Carrier(context, f"{die}.{name}", Component(die, name), powers_of(block), block)
            for (die, name), block in self._blocks()
            if isinstance(block, Memory)
        ]
        for name, link in self._platform.links.items():
            carriers += [
                Carrier(context, f"{name}:{a}>{b}", Component(a, name), _link_powers(link), link)
                for a, b in link.directions
            ]
        for die, spec in self._platform.dies.items():
            if spec.bus is not None:
                carriers.append(Carrier(context, f"{die}.bus", Component(die, "bus"), _link_powers(spec.bus), spec.bus))
        return carriers


def _link_powers(link: LinkSpec) -> Powers:
    gated_nw = link.gated.power_nw if link.gated else 0
    return Powers(link.active_nw, link.idle_nw, 0, gated_nw, link.awake_nw)
