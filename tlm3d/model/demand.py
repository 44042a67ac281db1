"""What a system asks for at worst, as plain data that bounds are computed from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

from tlm3d.blocks import ComputeSpec, SensorSpec
from tlm3d.blocks.processor import Processor
from tlm3d.bounds.arrival import Arrival, Periodic, Sporadic, Traced
from tlm3d.bounds.channels import Move
from tlm3d.bounds.claim import NoBound
from tlm3d.bounds.demand import (
    ChainDemand,
    Demand,
    Landing,
    ResourceDemand,
    Server,
    TaskDemand,
    Traffic,
)
from tlm3d.bounds.sensing import Landed
from tlm3d.model.job import Job
from tlm3d.model.moves import wire_of
from tlm3d.model.sensing_demand import SensorDemand, sensor_demand
from tlm3d.model.step_demand import MOST_WAYS, Steps, Stretch
from tlm3d.model.topology import Route
from tlm3d.model.work import TaskWork
from tlm3d.policies import Policy
from tlm3d.record.recording import Recording, TaskInfo
from tlm3d.spec.activation import InputSpec
from tlm3d.spec.binding import BlockName, TaskBinding
from tlm3d.spec.platform import PlatformSpec
from tlm3d.spec.workload import TaskSpec, WorkloadSpec
from tlm3d.tlm.channel import Channel
from tlm3d.units import PS_PER_S, ceil_div


class Elaborated(NamedTuple):
    """What a System knows."""

    platform: PlatformSpec
    workload: WorkloadSpec
    bindings: dict[str, TaskBinding]
    works: dict[str, TaskWork]
    policy: Policy
    policy_name: str
    recording: Recording
    pools: list[dict[BlockName, Processor]]
    channels: dict[str, Channel]
    frame_rates_hz: dict[str, Fraction]  # by task
    sensor_routes: dict[BlockName, Route]


def demand_of(made: Elaborated, stretch: Stretch | None = None) -> Demand:
    """The demand of ``made``; computing times of a task on a block times ``stretch``, rounded up."""
    return _Builder(made, stretch or {}).demand()


class _Builder:
    def __init__(self, made: Elaborated, stretch: Stretch) -> None:
        self._made = made
        self._server_of: dict[BlockName, str] = {}
        for pool in made.pools:
            self._server_of.update(dict.fromkeys(pool, "+".join(".".join(path) for path in pool)))
        for die, one in made.platform.dies.items():
            for name, block in one.blocks.items():
                if isinstance(block, ComputeSpec):
                    self._server_of[die, name] = f"{die}.{name}"
        self._steps = Steps(self._server_of, made.pools, stretch)
        self._levels = self._order()

    def demand(self) -> Demand:
        made = self._made
        policy = made.policy
        wires = {name: wire_of(channel) for name, channel in made.channels.items()}
        tasks = {name: self._task(name) for name in made.works}
        sensors = self._sensors()
        rivals: dict[str, dict[Move, None]] = {}
        moved = {name: Counter(move for step in task.steps for move in step.moves()) for name, task in tasks.items()}
        moves = [move for of_task in moved.values() for move in of_task]
        moves += [move for sensor in sensors.values() for move in sensor.moves.values()]
        for move in moves:
            for crossing in move.crossings:
                rivals.setdefault(crossing.wire, {})[move] = None
        by_wire = {wire: tuple(found) for wire, found in rivals.items()}
        traffic: dict[str, list[Traffic]] = {}
        for name, sensor in sensors.items():
            landed, alone = sensor.landings(by_wire, wires), sensor.landings({}, wires)
            for taker in sensor.camera.takers:
                tasks[taker.task] = replace(tasks[taker.task], landing=_landing(name, taker.task, landed, alone))
            for one in _frames(sensor, landed):
                traffic.setdefault(one.wire, []).append(one)
        for name, of_task in moved.items():
            for move, per_job in of_task.items():
                for crossing in move.crossings:
                    one = Traffic(
                        crossing.wire, per_job * crossing.busy_ps, per_job * crossing.bursts, tasks[name].priority,
                        move.initiator, name,
                    )  # fmt: skip
                    traffic.setdefault(crossing.wire, []).append(one)
        return Demand(
            platform=made.platform.name,
            workload=made.workload.name,
            policy=made.policy_name,
            corner=made.platform.corner,
            order="fixed" if policy.FIXED_TASKS else "dated" if policy.DATED else "any",
            tasks=tasks,
            servers=self._servers(),
            wires=wires,
            rivals=by_wire,
            traffic={wire: tuple(found) for wire, found in traffic.items()},
            resources=self._resources(),
            chains={
                name: ChainDemand(chain.tasks, chain.cascades, chain.deadline_ps, chain.max_age_ps)
                for name, chain in made.recording.chains.items()
            },
        )

    def _sensors(self) -> dict[str, SensorDemand]:
        """The sensors that anybody takes frames of."""
        made = self._made
        takers: dict[BlockName, dict[str, InputSpec]] = {}
        for name, binding in made.bindings.items():
            taken = made.workload.tasks[name].spec.input
            if binding.camera is not None and taken is not None:
                takers.setdefault(binding.camera, {})[name] = taken
        found = {}
        for path, taken_by in takers.items():
            spec = made.platform.dies[path[0]].blocks[path[1]]
            assert isinstance(spec, SensorSpec)
            found[".".join(path)] = sensor_demand(path, spec, made.sensor_routes[path].channels, taken_by)
        return found

    def _order(self) -> dict[str, int]:
        """The place of each task in the policy's order, where it is a fixed one."""
        made = self._made
        keys = sorted((made.policy.key(self._job(name, 0)), name) for name in made.works)
        return {name: place for place, (_, name) in enumerate(keys)}

    def _job(self, name: str, release_ps: int) -> Job:
        made = self._made
        return Job(made.works[name], 0, release_ps, made.recording.tasks[name], lambda _: None)

    # ------------------------------------------------------------ servers

    def _servers(self) -> dict[str, Server]:
        made = self._made
        found: dict[str, Server] = {}
        for pool in made.pools:
            specs = list(pool.values())
            name, first = self._server_of[min(pool)], specs[0]
            if len(pool) > 1:
                kinds = {spec.preemption for spec in specs}
                gated_one = next((".".join(path) for path, spec in pool.items() if spec.states.gated), None)
                reason = f": {gated_one} may have to wake up while others are free" if gated_one else ""
                unlike = self._unlike(pool)
                if unlike:
                    reason = f": {unlike} takes longer on some of them than on others"
                switch_ps = max(spec.context_switch_ps for spec in specs)
                preemption = first.preemption if len(kinds) == 1 else "tile"
                found[name] = Server(name, len(pool), preemption, None, switch_ps, 0, reason=reason)
                continue
            piece_ps = {"full": 0, "tile": first.tile_ps, "none": None}[first.preemption]
            gated = first.states.gated
            wake_ps = gated.wake_time_ps if gated else 0
            found[name] = Server(name, 1, first.preemption, piece_ps, first.context_switch_ps, wake_ps)
        for die, one in made.platform.dies.items():
            for name, block in one.blocks.items():
                if isinstance(block, ComputeSpec):
                    gated = block.states.gated
                    found[f"{die}.{name}"] = Server(
                        f"{die}.{name}", 0, block.preemption, None, block.context_switch_ps,
                        gated.wake_time_ps if gated else 0, block.buffers,
                    )  # fmt: skip
        return found

    def _unlike(self, pool: Collection[BlockName]) -> str | None:
        """A stage that takes longer on some processors of ``pool`` than on others."""
        for name, work in self._made.works.items():
            for item in work.items:
                times_ps = {item.plain[block].compute_ps for block in item.options if item.pooled and block in pool}
                if len(times_ps) > 1:
                    return f"{name}/{item.name}"
        return None

    def _resources(self) -> dict[str, ResourceDemand]:
        made = self._made
        users: dict[str, set[str]] = {name: set() for name in made.workload.resources}
        for name, work in made.works.items():
            for item in work.items:
                for resource in item.holds:
                    users[resource].add(name)
        return {
            name: ResourceDemand(spec.protocol, frozenset(users[name]))
            for name, spec in made.workload.resources.items()
        }

    # ------------------------------------------------------------ tasks

    def _task(self, name: str) -> TaskDemand:
        made = self._made
        work, info = made.works[name], made.recording.tasks[name]
        spec = work.task.spec
        arrival, most_apart_ps, first_ps = self._arrival(name, spec, info)
        steps = self._steps.of(name, work)
        reason = "" if steps else f"its layers may run on more than {MOST_WAYS} combinations of blocks"
        return TaskDemand(
            name=name,
            arrival=arrival,
            deadline_ps=info.deadline_ps,
            priority=spec.priority,
            level=self._levels[name],
            key_ps=made.policy.key(self._job(name, 0)),
            backlog=spec.backlog,
            aborts=spec.on_miss == "abort",
            gives_up=spec.on_miss != "continue",
            steps=steps,
            parent=spec.after.task if spec.after is not None else None,
            may_not_come=spec.after is not None and spec.after.probability < 1,
            most_apart_ps=most_apart_ps,
            first_ps=first_ps,
            reason=reason,
        )

    def _arrival(self, name: str, spec: TaskSpec, info: TaskInfo) -> tuple[Arrival, int | None, int]:
        """The releases of a task (of a cascade: its parent's), how far apart two may be, and when the first is."""
        tasks = self._made.workload.tasks
        if spec.after is not None:
            parent = tasks[spec.after.task].spec
            arrival, *_ = self._arrival(spec.after.task, parent, self._made.recording.tasks[spec.after.task])
            return arrival, None, 0
        if spec.sporadic is not None:
            mean_ps = spec.sporadic.mean_distance_ps or spec.sporadic.min_distance_ps
            fixed = mean_ps == spec.sporadic.min_distance_ps
            return Sporadic(spec.sporadic.min_distance_ps), mean_ps if fixed else None, spec.offset_ps
        if spec.trace is not None:
            return Traced(tasks[name].arrivals_ps), None, 0
        if spec.input is not None:
            rate_hz = self._made.frame_rates_hz[name]
            period = Fraction(PS_PER_S * spec.input.every) / rate_hz
            return Periodic(period), None if spec.input.event < 1 else ceil_div(period.numerator, period.denominator), 0
        rate_hz = spec.rate_hz or Fraction(PS_PER_S, spec.period_ps or 1)
        period = Fraction(PS_PER_S) / rate_hz
        longest_ps = ceil_div(period.numerator, period.denominator) + spec.jitter_ps
        return Periodic(period, spec.jitter_ps), longest_ps, spec.offset_ps + spec.jitter_ps


def _landing(
    sensor: str, task: str, landed: dict[str, Landed] | NoBound, alone: dict[str, Landed] | NoBound
) -> Landing:
    if isinstance(landed, NoBound):
        best_ps = alone[task].best_ps if not isinstance(alone, NoBound) else 0
        return Landing(best_ps, None, sensor, reason=landed.reason)
    assert not isinstance(alone, NoBound)  # with rivals there is a bound
    return Landing(landed[task].best_ps, landed[task].worst_ps, sensor, alone[task].worst_ps)


def _frames(sensor: SensorDemand, landed: dict[str, Landed] | NoBound) -> Iterator[Traffic]:
    """The frames of a sensor as traffic on the wires of its way."""
    reason, late_ps = "", 0
    if isinstance(landed, NoBound):
        reason = landed.reason
    else:
        late_ps = max(one.worst_ps for one in landed.values())
    for frame in sensor.frames:
        totals: dict[str, tuple[int, int]] = {}
        for move, count in frame.moves:
            for crossing in move.crossings:
                ps, bursts = totals.get(crossing.wire, (0, 0))
                totals[crossing.wire] = ps + count * crossing.busy_ps, bursts + count * crossing.bursts
        for wire, (ps, bursts) in totals.items():
            yield Traffic(wire, ps, bursts, 0, sensor.camera.name, None, Periodic(frame.period), late_ps, reason)
