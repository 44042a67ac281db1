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
from tlm3d.bounds.sensing import Camera as CameraData
from tlm3d.bounds.sensing import Landed, Taker, landings
from tlm3d.bounds.sensing import Row as Converted
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


# ------------------------------------------------------------ worked out by hand, in round picoseconds

THREE_ROWS = tuple(Converted(end_ps, 1) for end_ps in (10, 20, 30))
TWO_ROWS = tuple(Converted(end_ps, 2) for end_ps in (15, 30))


def eye(*takers: Taker, period_ps: int = 100, fifo_bytes: int = 99, at_once: bool = False) -> CameraData:
    modes = {mode: rows for mode, rows in (("a", THREE_ROWS), ("b", TWO_ROWS)) if mode in {t.mode for t in takers}}
    return CameraData("eye", period_ps, modes, at_once, 8 * fifo_bytes, takers)


def test_rows_that_are_sent_faster_than_they_come_land_a_transfer_after_the_last() -> None:
    assert landings(eye(Taker("t", "a", 1, True)), {1: 4}, {1: 9}) == {"t": Landed(34, 39, 34)}


def test_rows_that_are_sent_more_slowly_land_one_after_the_other() -> None:
    assert landings(eye(Taker("t", "a", 1, True)), {1: 4}, {1: 25}) == {"t": Landed(34, 10 + 3 * 25, 34)}


def test_what_an_earlier_frame_has_left_is_sent_first() -> None:
    """A frame lands 10 + 3 · 32 = 106 after its tick: with a frame in 96 its last row delays the next one's first."""
    assert landings(eye(Taker("t", "a", 1, True), period_ps=96), {1: 4}, {1: 32}) == {"t": Landed(34, 106, 34)}
    close = CameraData("eye", 60, {"a": (Converted(10, 1),), "b": TWO_ROWS}, False, 99 * 8, (
        Taker("t", "a", 1, True), Taker("u", "b", 2, True),
    ))  # fmt: skip
    # Tick 0: a has landed at 40, b at 70 and 100. Tick 1, counted from there: b takes until 40, so a until 70.
    assert landings(close, {1: 30, 2: 30}, {1: 30, 2: 30}) == {"t": Landed(40, 70, 70), "u": Landed(100, 100, 100)}


def test_there_is_no_bound_where_more_comes_than_can_be_sent() -> None:
    found = landings(eye(Taker("t", "a", 1, True), period_ps=95), {1: 4}, {1: 32})
    assert found == NoBound("rows of eye may come faster than its way to memory takes them at worst")
    assert not isinstance(landings(eye(Taker("t", "a", 2, True), period_ps=95), {1: 4}, {1: 32}), NoBound)


def test_a_row_is_lost_where_the_one_being_sent_and_those_behind_it_fill_the_fifo() -> None:
    """Of rows at 10, 20 and 30 that take 21 the second is there to 52, the first to 31: three of them meet at 30."""
    taker = Taker("t", "a", 1, True)
    found = landings(eye(taker, fifo_bytes=2), {1: 4}, {1: 21})
    assert found == NoBound("rows of eye may be lost: its fifo is full at worst in mode 'a'")
    assert landings(eye(taker, fifo_bytes=2), {1: 4}, {1: 20}) == {"t": Landed(34, 70, 34)}  # gone at 30: in time
    assert landings(eye(taker, fifo_bytes=3), {1: 4}, {1: 21}) == {"t": Landed(34, 73, 34)}


def test_a_mode_that_is_not_read_may_be_what_gave_the_fifo_time() -> None:
    """Rows of ``a`` come at 10 and 20 and land at 50 and 90. That of ``c`` comes at 130 behind ``b``, at 30 without."""
    rows = {"a": THREE_ROWS[:2], "b": (Converted(100, 1),), "c": THREE_ROWS[:1]}
    takers = [Taker(mode, mode, 1, True) for mode in rows]
    camera = CameraData("eye", 1000, rows, False, 8 * 2, tuple(takers))
    assert landings(camera, {1: 4}, {1: 40}) == {
        "a": Landed(24, 90, 24),
        "b": Landed(124, 160, 124),
        "c": Landed(134, 200, 134),
    }
    doubtful = tuple(taker._replace(certain=taker.task != "b") for taker in takers)
    lost = landings(replace(camera, takers=doubtful), {1: 4}, {1: 40})
    assert lost == NoBound("rows of eye may be lost: its fifo is full at worst in mode 'c'")


def test_modes_are_read_one_after_the_other_and_the_first_may_not_be_read_at_all() -> None:
    sure, unsure = Taker("t", "b", 1, True), Taker("u", "a", 1, False)
    times: tuple[dict[int, int], dict[int, int]] = {1: 4, 2: 5}, {1: 6, 2: 7}
    assert landings(eye(sure, unsure), *times) == {"t": Landed(35, 67, 65), "u": Landed(34, 36, 34)}
    assert landings(eye(sure, unsure._replace(certain=True)), *times) == {
        "t": Landed(65, 67, 65),
        "u": Landed(34, 36, 34),
    }
    seldom = unsure._replace(certain=True, every=2)
    assert landings(eye(sure, seldom), *times) == {"t": Landed(35, 67, 65), "u": Landed(34, 36, 34)}


def test_modes_at_once_share_the_way() -> None:
    takers = Taker("t", "a", 1, True), Taker("u", "b", 1, True)
    found = landings(eye(*takers, at_once=True), {1: 4, 2: 4}, {1: 10, 2: 10})
    # Sent a 10, b 20, a 30, a 40, b 50, each for 10 ps; alone a 10, b 15, a 20, a 30, b 34.
    assert found == {"t": Landed(34, 50, 34), "u": Landed(38, 60, 38)}


def test_many_odd_rates_count_as_all_at_once() -> None:
    """Frames every 97, 101 and 103 ticks meet once in a million ticks: no one looks that far."""
    takers = [Taker(f"t{every}", "a", every, True) for every in (97, 101, 103)]
    found = landings(eye(*takers), {1: 4}, {1: 9})
    assert found == {taker.task: Landed(34, 39, 34) for taker in takers}
