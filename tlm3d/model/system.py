"""Elaboration: frozen descriptions to a System, and its run to a Recording."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain

from simpy import Environment

from tlm3d.blocks import ComputeSpec
from tlm3d.blocks.memory import Memory
from tlm3d.blocks.mixed_signal import MixedSignal
from tlm3d.blocks.processor import Processor
from tlm3d.model.camera import Camera, Subscription, check_frame_time
from tlm3d.model.context import Context, Owner
from tlm3d.model.dispatcher import Dispatcher, TaskRunner, task_rate
from tlm3d.model.lane import Lane
from tlm3d.model.pipeline import Pipeline
from tlm3d.model.residency import Residency
from tlm3d.model.topology import Topology
from tlm3d.model.work import period_ps, task_work
from tlm3d.plugins import load_kind
from tlm3d.record.recording import Component, LimitInfo, Recording, StateInterval, TaskInfo
from tlm3d.spec.binding import BlockName, bind
from tlm3d.spec.platform import PlatformSpec
from tlm3d.spec.workload import WorkloadSpec
from tlm3d.tlm.fabric import Fabric


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


Progress = Callable[[int, int], None]  # (simulated ps so far, horizon ps)
_SLICE_PS = 10**11  # progress is told this often, in simulated time


class System:
    """A platform and a workload, elaborated: everything is resolved, nothing has happened yet.

    Raises SpecError (names that do not exist), ElaborationError (no route, does not fit), PluginError (unknown policy).
    """

    def __init__(self, platform: PlatformSpec, workload: WorkloadSpec, policy: str, horizon_ps: int, seed: int) -> None:
        self._platform, self._workload = platform, workload
        self._policy = load_kind("policies", policy)()
        bindings = bind(platform, workload)
        self._topology = Topology(platform)
        self._residency = Residency(platform, workload, bindings)
        self._works = {
            name: task_work(task, bindings[name], platform, self._topology, self._residency)
            for name, task in workload.tasks.items()
        }
        self._bindings = bindings
        self._check_cameras()
        self.recording = Recording(platform.name, workload.name, policy, seed, horizon_ps)
        self._describe()

    def _describe(self) -> None:
        """Fill in what a reader of the recording must know."""
        platform, recording = self._platform, self.recording
        order = sorted(platform.dies, key=lambda name: (-platform.dies[name].tier, name))
        recording.dies = tuple(order)
        recording.channels = self._topology.infos
        recording.limits = tuple(
            LimitInfo("peak" if limit.peak else "window", limit.limit_nw, limit.window_ps or 0)
            for limit in platform.limits
        )
        blocks = [Component(die, name) for die in order for name in platform.dies[die].blocks]
        links = {info.component for info in self._topology.infos.values()}
        recording.components = (*blocks, *sorted(links - set(blocks)))
        recording.boot_bytes = self._residency.boot_bytes
        recording.notes = tuple(self._topology.warnings.values())
        for name, task in self._workload.tasks.items():
            network = task.network
            recording.tasks[name] = TaskInfo(
                self._deadline_ps(name), task.spec.priority, 2 * network.macs if network else 0,
                network.name if network else "-", self._period_ps(name),
            )  # fmt: skip

    def _check_cameras(self) -> None:
        for path, spec in self._blocks():
            if isinstance(spec, MixedSignal):
                takers = [self._workload.tasks[name] for name, b in self._bindings.items() if b.camera == path]
                check_frame_time(".".join(path), spec, {task.spec.input.mode for task in takers if task.spec.input})

    def _camera_spec(self, name: str) -> MixedSignal | None:
        camera = self._bindings[name].camera
        if camera is None:
            return None
        spec = self._platform.dies[camera[0]].blocks[camera[1]]
        assert isinstance(spec, MixedSignal)
        return spec

    def _period_ps(self, name: str) -> int:
        camera = self._camera_spec(name)
        rate = (camera.frame_rate_hz.numerator, camera.frame_rate_hz.denominator) if camera else None
        return period_ps(self._workload.tasks[name], rate)

    def _deadline_ps(self, name: str) -> int:
        return self._workload.tasks[name].spec.deadline_ps or self._period_ps(name)

    def run(self, progress: Progress | None = None) -> Recording:
        """Simulate [0, horizon], events at the horizon included. A System runs once."""
        env = Environment()
        fabric = Fabric(env)
        context = Context(env, fabric, self.recording, self._topology)
        dispatcher = Dispatcher(context, self._policy)
        for path, spec in self._blocks():
            if isinstance(spec, ComputeSpec):
                dispatcher.engines[path] = Pipeline(context, path, spec, dispatcher.item_finished)
            elif isinstance(spec, Processor):
                dispatcher.engines[path] = Lane(context, path, spec, dispatcher.item_finished)
        runners = {
            name: TaskRunner(context, dispatcher, work, self.recording.tasks[name], task_rate(work.task.spec))
            for name, work in self._works.items()
        }
        cameras = self._cameras(context, runners, dispatcher)
        dispatcher.cameras, dispatcher.runners = cameras, list(runners.values())
        for runner in runners.values():
            runner.start()
        for camera in cameras:
            camera.start()
        self._advance(env, progress)
        fabric.settle(self.recording.horizon_ps)
        for part in (*dispatcher.engines.values(), *runners.values(), *cameras):
            part.close()
        for transfer in fabric.in_flight():
            assert isinstance(transfer.owner, Owner)
            context.book_transfer(transfer, transfer.owner)
        self._book_static(context)
        return self.recording

    def _blocks(self) -> list[tuple[BlockName, object]]:
        dies = self._platform.dies
        return [((die, name), spec) for die in dies for name, spec in dies[die].blocks.items()]

    def _cameras(self, context: Context, runners: dict[str, TaskRunner], dispatcher: Dispatcher) -> list[Camera]:
        taken: dict[BlockName, list[Subscription]] = {}
        for name, binding in self._bindings.items():
            spec = self._workload.tasks[name].spec.input
            if binding.camera is not None and spec is not None:
                subscription = Subscription(name, spec.mode, spec.every, runners[name].release_frame)
                taken.setdefault(binding.camera, []).append(subscription)
        cameras = []
        for path, block in self._blocks():
            if isinstance(block, MixedSignal):
                route = self._topology.write_route(path, self._residency.home(path))
                cameras.append(Camera(context, path, block, route, taken.get(path, []), dispatcher.decide_in))
        return cameras

    def _advance(self, env: Environment, progress: Progress | None) -> None:
        horizon_ps = self.recording.horizon_ps
        slice_ps = _SLICE_PS if progress else horizon_ps
        for end_ps in chain(range(slice_ps, horizon_ps, slice_ps), (horizon_ps,)):
            until_ps = end_ps + 1  # what happens at the end of a slice belongs to it
            if until_ps > env.now:
                with _collector_paused():
                    env.run(until=until_ps)
            if progress:
                progress(end_ps, horizon_ps)

    def _book_static(self, context: Context) -> None:
        """Leakage of every block, idle power of memories and links, over the whole window."""
        horizon_ps, states = self.recording.horizon_ps, self.recording.states
        for (die, name), block in self._blocks():
            leakage_nw = getattr(block, "leakage_nw", 0)
            if leakage_nw:
                states.append(StateInterval(Component(die, name), "leakage", leakage_nw, 0, horizon_ps))
            if isinstance(block, Memory):
                port = f"{die}.{name}"
                self._book_wires(context, {port}, Component(die, name), block.states.active_nw, block.states.idle_nw)
        dies, links = self._platform.dies, self._platform.links
        for name, link in links.items():
            for a, b in link.directions:
                self._book_wires(context, {f"{name}:{a}>{b}"}, Component(a, name), 0, link.idle_nw)
        for die, spec in dies.items():
            if spec.bus is not None:
                self._book_wires(context, {f"{die}.bus"}, Component(die, "bus"), 0, spec.bus.idle_nw)

    def _book_wires(
        self, context: Context, channels: set[str], component: Component, active_nw: int, idle_nw: int
    ) -> None:
        """States of something that is active while any of ``channels`` carries a transfer."""
        if not active_nw and not idle_nw:
            return
        spans = sorted((leg.start_ps, leg.end_ps) for leg in self.recording.legs if leg.channel in channels)
        joined: list[tuple[int, int]] = []
        for start_ps, end_ps in spans:
            if joined and start_ps <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(joined[-1][1], end_ps))
            else:
                joined.append((start_ps, end_ps))
        context.book_states(component, joined, active_nw, idle_nw)
