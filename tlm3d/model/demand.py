"""What a system asks for at worst, as plain data that bounds are computed from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import NamedTuple

from tlm3d.blocks import ComputeSpec
from tlm3d.blocks.processor import Processor
from tlm3d.bounds.arrival import Arrival, Periodic, Sporadic, Traced
from tlm3d.bounds.channels import Crossing, Move, Wire
from tlm3d.bounds.demand import (
    ChainDemand,
    Demand,
    Hold,
    Landing,
    Load,
    Part,
    ResourceDemand,
    Server,
    Step,
    TaskDemand,
    Tile,
    Traffic,
)
from tlm3d.model.job import Job
from tlm3d.model.topology import Route
from tlm3d.model.work import Item, TaskWork, TileWork
from tlm3d.policies import Policy
from tlm3d.record.recording import Recording, TaskInfo
from tlm3d.spec.binding import BlockName, TaskBinding
from tlm3d.spec.platform import PlatformSpec
from tlm3d.spec.workload import TaskSpec, WorkloadSpec
from tlm3d.tlm.channel import Channel
from tlm3d.tlm.passage import Passage
from tlm3d.units import PS_PER_S, ceil_div

Stretch = Mapping[tuple[str, str], Fraction]  # by task and block path: how much longer its computing takes


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
    frame_rates_hz: dict[str, Fraction]


def demand_of(made: Elaborated, stretch: Stretch | None = None) -> Demand:
    """The demand of ``made``; computing times of a task on a block times ``stretch``, rounded up."""
    return _Builder(made, stretch or {}).demand()


class _Builder:
    def __init__(self, made: Elaborated, stretch: Stretch) -> None:
        self._made, self._stretch = made, stretch
        self._moves: dict[tuple[str, str, tuple[Channel, ...], int], Move] = {}
        self._levels = self._order()

    def demand(self) -> Demand:
        made = self._made
        policy = made.policy
        tasks = {name: self._task(name) for name in made.works}
        rivals: dict[str, dict[Move, None]] = {}
        traffic: dict[str, list[Traffic]] = {}
        for task in tasks.values():
            for move, per_job in _moves_of(task):
                for crossing in move.crossings:
                    rivals.setdefault(crossing.wire, {})[move] = None
                    one = Traffic(
                        crossing.wire, per_job * crossing.busy_ps, per_job * crossing.bursts, task.priority,
                        move.initiator, task.name,
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
            wires={name: _wire(channel) for name, channel in made.channels.items()},
            rivals={wire: tuple(moves) for wire, moves in rivals.items()},
            traffic={wire: tuple(found) for wire, found in traffic.items()},
            resources=self._resources(),
            chains={
                name: ChainDemand(chain.tasks, chain.cascades, chain.deadline_ps, chain.max_age_ps)
                for name, chain in made.recording.chains.items()
            },
        )

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
            shared = f"shares a queue with {len(pool) - 1} more: global scheduling" if len(pool) > 1 else ""
            for path, spec in pool.items():
                piece_ps = {"full": 0, "tile": spec.tile_ps, "none": None}[spec.preemption]
                gated = spec.states.gated
                found[".".join(path)] = Server(
                    ".".join(path), True, spec.preemption, piece_ps, spec.context_switch_ps,
                    gated.wake_time_ps if gated else 0, reason=shared,
                )  # fmt: skip
        for die, one in made.platform.dies.items():
            for name, block in one.blocks.items():
                if isinstance(block, ComputeSpec):
                    gated = block.states.gated
                    found[f"{die}.{name}"] = Server(
                        f"{die}.{name}", False, block.preemption, None, block.context_switch_ps,
                        gated.wake_time_ps if gated else 0, block.buffers,
                    )  # fmt: skip
        return found

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
        arrival, most_apart_ps = self._arrival(name, spec, info)
        steps: tuple[Step, ...] = ()
        reason = ""
        if any(item.only is None for item in work.items):
            first = next(item.name for item in work.items if item.only is None)
            reason = f"{first} is placed while it runs"
        else:
            steps = self._steps(name, work)
        return TaskDemand(
            name=name,
            arrival=arrival,
            deadline_ps=info.deadline_ps,
            priority=spec.priority,
            level=self._levels[name],
            key_ps=made.policy.key(self._job(name, 0)),
            backlog=spec.backlog,
            aborts=spec.on_miss == "abort",
            steps=steps,
            landing=None if spec.input is None else Landing(0, None, spec.input.camera, reason="sensors"),
            parent=spec.after.task if spec.after is not None else None,
            may_not_come=spec.after is not None and spec.after.probability < 1,
            most_apart_ps=most_apart_ps,
            reason=reason,
        )

    def _arrival(self, name: str, spec: TaskSpec, info: TaskInfo) -> tuple[Arrival, int | None]:
        """The releases of a task (of a cascade: those of its parent), and how far apart two of them may be."""
        tasks = self._made.workload.tasks
        if spec.after is not None:
            parent = tasks[spec.after.task].spec
            arrival, _ = self._arrival(spec.after.task, parent, self._made.recording.tasks[spec.after.task])
            return arrival, None
        if spec.sporadic is not None:
            mean_ps = spec.sporadic.mean_distance_ps or spec.sporadic.min_distance_ps
            fixed = mean_ps == spec.sporadic.min_distance_ps
            return Sporadic(spec.sporadic.min_distance_ps), mean_ps if fixed else None
        if spec.trace is not None:
            return Traced(tasks[name].arrivals_ps), None
        if spec.input is not None:
            rate_hz = self._made.frame_rates_hz[name]
            period = Fraction(PS_PER_S * spec.input.every) / rate_hz
            return Periodic(period), None if spec.input.event < 1 else ceil_div(period.numerator, period.denominator)
        rate_hz = spec.rate_hz or Fraction(PS_PER_S, spec.period_ps or 1)
        period = Fraction(PS_PER_S) / rate_hz
        longest_ps = ceil_div(period.numerator, period.denominator) + spec.jitter_ps
        return Periodic(period, spec.jitter_ps), longest_ps

    def _steps(self, task: str, work: TaskWork) -> tuple[Step, ...]:
        """Items that follow one another on the same server make a step."""
        groups: list[list[Item]] = []
        for item in work.items:
            if groups and groups[-1][0].only == item.only:
                groups[-1].append(item)
            else:
                groups.append([item])
        step_of = {item.position: number for number, group in enumerate(groups) for item in group}
        steps = []
        for number, group in enumerate(groups):
            block = group[0].only
            assert block is not None
            place = {item.position: at for at, item in enumerate(group)}
            parts = tuple(
                Part(
                    item.name,
                    self._tiles(task, work, item, block),
                    tuple(place[read] for read in item.reads if read in place),
                    not item.reads or any(read not in place for read in item.reads),
                    item.stage is not None,
                    self._ahead(task, work, item, block),
                )
                for item in group
            )
            after = sorted({step_of[read] for item in group for read in item.reads} - {number})
            name = group[0].name if len(group) == 1 else f"{group[0].name}..{group[-1].name}"
            steps.append(Step(name, ".".join(block), parts, tuple(after), _holds(group, parts)))
        return tuple(steps)

    def _tiles(self, task: str, work: TaskWork, item: Item, block: BlockName) -> tuple[Tile, ...]:
        path, priority = ".".join(block), work.task.spec.priority
        factor = self._stretch.get((task, path))
        found, kept = [], _Kept()
        for tile in work.tiles(item, block, work.default_sources(item, block)):
            least = tuple(
                Load(self._move(f"{path}.load", task, priority, load.route, load.bytes), load.is_input)
                for load in self._loads(tile)
            )
            compute_ps = tile.compute_ps
            if factor is not None:
                exact = compute_ps * factor
                compute_ps = ceil_div(exact.numerator, exact.denominator)
            store = None
            if tile.store is not None:
                store = self._move(f"{path}.store", task, priority, *tile.store)
            found.append(Tile(compute_ps, kept.all_of(least), store, least))
        return tuple(found)

    def _ahead(self, task: str, work: TaskWork, item: Item, block: BlockName) -> Move | None:
        first = work.tiles(item, block, work.default_sources(item, block))[0]
        if first.piece is None or not first.loads_weights or not first.piece.bytes:
            return None
        initiator, priority = f"{'.'.join(block)}.stage", work.task.spec.priority
        return self._move(initiator, task, priority, first.piece.route, first.piece.bytes)

    @staticmethod
    def _loads(tile: TileWork) -> Iterable[_Loading]:
        """Those of ``tile``, the fetching of its piece of staged weights first: it may have to be brought again."""
        if tile.piece is not None and tile.loads_weights and tile.piece.bytes:
            yield _Loading(tile.piece.route, tile.piece.bytes, False)
        for load in tile.loads:
            yield _Loading(load.route, load.bytes, load.is_input)

    def _move(self, initiator: str, task: str, priority: int, route: Route, n_bytes: int) -> Move:
        key = (initiator, task, route.channels, n_bytes)
        if key not in self._moves:
            passage = Passage(route.channels, n_bytes)
            crossings = tuple(
                Crossing(channel.name, full_ps if passage.bursts > 1 else last_ps, passage.bursts, busy_ps)
                for channel, full_ps, last_ps, busy_ps in zip(
                    route.channels, passage.full_ps, passage.last_ps, passage.all_busy_ps, strict=True
                )
            )
            self._moves[key] = Move(initiator, task, priority, crossings, passage.duration_ps)
        return self._moves[key]


class _Loading(NamedTuple):
    route: Route
    bytes: int
    is_input: bool


class _Kept:
    """The weights and inputs of the last tile that loaded any: the next tiles may have to load them again."""

    def __init__(self) -> None:
        self._last: dict[bool, tuple[Load, ...]] = {False: (), True: ()}

    def all_of(self, loads: tuple[Load, ...]) -> tuple[Load, ...]:
        """``loads`` and what a tile with them would have kept."""
        whole: list[Load] = []
        for is_input in (False, True):
            own = tuple(load for load in loads if load.is_input is is_input)
            if own:
                self._last[is_input] = own
            whole += own or self._last[is_input]
        return tuple(whole)


def _holds(group: list[Item], parts: tuple[Part, ...]) -> tuple[Hold, ...]:
    """How long each resource is had at most, in computing time of the step: from its first holder to its last."""
    found = []
    for resource in sorted({name for item in group for name in item.holds}):
        places = [at for at, item in enumerate(group) if resource in item.holds]
        span = parts[places[0] : places[-1] + 1]
        ps = sum(tile.compute_ps for part in span for tile in part.tiles)
        found.append(Hold(resource, ps, places[0], places[-1]))
    return tuple(found)


def _moves_of(task: TaskDemand) -> list[tuple[Move, int]]:
    """The moves of one job of ``task``, and how often each is made at most."""
    counts: dict[Move, int] = {}
    for step in task.steps:
        for part in step.parts:
            if part.ahead is not None:
                counts[part.ahead] = counts.get(part.ahead, 0) + len(part.tiles)
            for tile in part.tiles:
                for load in tile.loads:
                    counts[load.move] = counts.get(load.move, 0) + 1
                if tile.store is not None:
                    counts[tile.store] = counts.get(tile.store, 0) + 1
    return list(counts.items())


def _wire(channel: Channel) -> Wire:
    sleep = channel.sleep
    return Wire(
        channel.name, channel.arbiter, channel.buffer_bursts, channel.latency_ps, sleep.wake_ps if sleep else 0,
        sleep.after_ps if sleep else 0, channel.faults is not None,
    )  # fmt: skip
