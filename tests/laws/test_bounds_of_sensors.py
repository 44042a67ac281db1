"""No frame lands after its bound or before the best case, whatever rivals do, and none is lost where none can be."""

from __future__ import annotations

import itertools
import os
import random
from collections import defaultdict
from collections.abc import Collection, Generator
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace
from typing import ClassVar, NamedTuple

import simpy
from reference.per_burst import Row as Post
from reference.traffic_cases import Case, channel_of, random_case, with_costly_wires

from tlm3d.blocks import Row, SensorSpec
from tlm3d.bounds.channels import Wire
from tlm3d.bounds.claim import NoBound
from tlm3d.model.activations.chance import Chance
from tlm3d.model.camera import Camera, Frame, Subscription
from tlm3d.model.context import Context
from tlm3d.model.moves import move_of, wire_of
from tlm3d.model.sensing_demand import SensorDemand, sensor_demand
from tlm3d.model.topology import Route
from tlm3d.record.recording import Recording
from tlm3d.spec.activation import InputSpec
from tlm3d.tlm.alarm import Alarm
from tlm3d.tlm.channel import Channel
from tlm3d.tlm.fabric import Fabric
from tlm3d.tlm.timing import PLACE
from tlm3d.units import ceil_div

CASES = int(os.environ.get("TLM3D_BOUND_CASES", "250"))


class Toy(SensorSpec):
    """A sensor whose rows are stated."""

    rows: ClassVar[dict[str, tuple[Row, ...]]] = {}

    def emits(self, mode: str) -> tuple[Row, ...]:
        return self.rows[mode]

    def frame_times_ps(self, modes: Collection[str]) -> dict[str, int]:
        return {}


class System(NamedTuple):
    """A sensor, who takes its frames, the wires to memory, and rivals on them."""

    spec: Toy
    takers: dict[str, InputSpec]
    case: Case
    route: tuple[str, ...]
    horizon_ps: int


def random_system(seed: int) -> System:
    """Rows that take about as long to convert as to send, one to three modes, up to four tasks."""
    rng = random.Random(seed)
    case = random_case(seed)
    case = replace(case, wires=[replace(one, arbiter=rng.choice([one.arbiter, "round-robin"])) for one in case.wires])
    if rng.random() < 0.4:
        costly = with_costly_wires(case, seed)
        case = replace(costly, wires=[replace(one, wrong_percent=0) for one in costly.wires])
    names = [one.name for one in case.wires]
    route = tuple(rng.sample(names, rng.randint(1, min(3, len(names)))))
    channels = {one.name: channel_of(one) for one in case.wires}
    sizes = [rng.randint(1, 3 * min(channels[name].burst_bytes for name in route)) for _ in range(2)]
    alone_ps = move_of("s", "-", 0, tuple(channels[name] for name in route), max(sizes)).alone_ps
    apart_ps = max(1, int(alone_ps * rng.choice([0.3, 1, 1.5, 3, 6, 12])))

    def rows() -> tuple[Row, ...]:
        ends, end_ps = [0], 0
        for _ in range(rng.randint(1, 6)):
            end_ps += rng.randint(1, 2 * apart_ps)
            ends.append(end_ps)
        pairs = itertools.pairwise(ends)
        return tuple(Row(start_ps, end_ps, rng.choice(sizes), 0, 0) for start_ps, end_ps in pairs)

    modes = {mode: rows() for mode in ["a", "b", "c"][: rng.randint(1, 3)]}
    at_once = rng.random() < 0.3

    class Some(Toy):
        MODES_AT_ONCE = at_once
        rows = modes

    takers = {
        task: InputSpec.model_construct(
            camera="s",
            mode=rng.choice(list(modes)),
            every=rng.randint(1, 3),
            event=rng.choice([Fraction(1), Fraction(1, 2)]),
        )
        for task in ["t", "u", "v", "w"][: rng.randint(1, 4)]
    }
    lengths_ps = [modes[mode][-1].end_ps for mode in {taker.mode for taker in takers.values()}]
    readout_ps = max(lengths_ps) if at_once else sum(lengths_ps)
    slack = rng.choice([0, rng.random(), 4 * rng.random(), 10 * rng.random()])
    frame_rate_hz = (
        Fraction(10**12, readout_ps + ceil_div(int(1000 * slack) * readout_ps, 1000)) - Fraction(rng.random()) / 7
    )
    text = {"kind": "toy", "bits": "8", "adc": {"rate": "1 MHz"}, "frame_rate": "1 Hz", "fifo": "8 bit"}
    fifo_bits = 8 * rng.choice([max(sizes), 2 * max(sizes), 3 * max(sizes), 8 * max(sizes), 100 * max(sizes)])
    spec = Some.model_validate(text).model_copy(update={"frame_rate_hz": frame_rate_hz, "fifo_bits": fifo_bits})
    return System(spec, takers, case, route, 14 * ceil_div(10**12 * frame_rate_hz.denominator, frame_rate_hz.numerator))


class Outcome(NamedTuple):
    landed: dict[str, list[int]]  # from the tick, by task
    lost: bool


def play(system: System, seed: int) -> tuple[SensorDemand, Outcome, dict[str, Channel]]:
    """The sensor and its rivals in the kernel."""
    rng = random.Random(seed)
    env = simpy.Environment()
    fabric = Fabric(env)
    channels = {one.name: channel_of(one) for one in system.case.wires}
    recording = Recording("p", "w", "edf", seed, system.horizon_ps)
    role = SimpleNamespace(role="link")
    topology = SimpleNamespace(infos=defaultdict(lambda: role))
    context = Context(env, fabric, recording, topology)  # type: ignore[arg-type]
    outcome: dict[str, list[int]] = {task: [] for task in system.takers}
    lost = []

    def subscription(task: str, taken: InputSpec) -> Subscription:
        def ended(frame: Frame) -> None:
            if frame.lost:
                lost.append(frame)
            else:
                outcome[task].append(int(env.now) - frame.tick_ps)

        return Subscription(
            task, taken.mode, taken.every, Chance(taken.event, seed, "event", task), lambda f: f.on_end.append(ended)
        )

    route = Route(tuple(channels[name] for name in system.route), ((0, 1, 0),) * len(system.route))
    alarm = Alarm(env, lambda: camera.take_rows())
    taken = [subscription(*taker) for taker in system.takers.items()]
    camera = Camera(
        context, ("d", "s"), system.spec, route, taken, lambda delay_ps: env.schedule(alarm, PLACE, delay_ps)
    )
    camera.start()

    def rival(initiator: str, posts: list[Post]) -> Generator[simpy.Event, object, None]:
        while True:
            for post in posts:
                if post.after_ps:
                    yield env.timeout(rng.randint(0, 2 * post.after_ps))
                done = env.event()
                way = tuple(channels[name] for name in post.route)
                fabric.post(initiator, way, post.n_bytes, lambda _, done=done: done.succeed(), post.priority)
                yield done

    for initiator, posts in system.case.traffic.items():
        env.process(rival(initiator, posts))
    env.run(until=system.horizon_ps + 1)
    demand = sensor_demand(("d", "s"), system.spec, route.channels, system.takers)
    return demand, Outcome(outcome, bool(lost)), channels


def wires_and_rivals(system: System, channels: dict[str, Channel]) -> tuple[dict[str, Wire], dict[str, list[object]]]:
    rivals: dict[str, list[object]] = defaultdict(list)
    for initiator, posts in system.case.traffic.items():
        for post in posts:
            way = tuple(channels[name] for name in post.route)
            for name in post.route:
                rivals[name].append(move_of(initiator, "-", post.priority, way, post.n_bytes))
    return {name: wire_of(channel) for name, channel in channels.items()}, rivals


def verdict(seed: int) -> str:
    """What became of the bound in this case: broken, kept, reached, or none and why."""
    system = random_system(seed)
    demand, outcome, channels = play(system, seed)
    wires, rivals = wires_and_rivals(system, channels)
    bounds = demand.landings(rivals, wires)  # type: ignore[arg-type]
    if isinstance(bounds, NoBound):
        return "lost" if outcome.lost else "none"
    if outcome.lost:
        return "broken: a frame was lost"
    for task, landed_ps in outcome.landed.items():
        if any(not bounds[task].best_ps <= ps <= bounds[task].worst_ps for ps in landed_ps):
            return f"broken: {bounds[task]}, {task} landed after {landed_ps}"
    reached = any(bounds[task].worst_ps in landed for task, landed in outcome.landed.items())
    return "reached" if reached and any(system.case.traffic.values()) else "kept"


def test_frames_land_within_their_bounds_and_none_is_lost_where_none_can_be() -> None:
    verdicts = {seed: verdict(seed) for seed in range(1, CASES + 1)}
    assert [(seed, what) for seed, what in verdicts.items() if what.startswith("broken")] == []
    found = list(verdicts.values())
    assert found.count("kept") + found.count("reached") > CASES / 8
    assert {"lost", "none", "kept", "reached"} <= set(found)
