"""Seeded random traffic, played on the production kernel and on the per-burst reference.

``python tests/reference/traffic_cases.py 20000`` plays that many cases (first seed as an optional second argument), on
plain channels and on channels that are gated, enter every burst anew or send whole flits. With ``long`` as a third
argument the cases are few transfers of many bursts, most of which the production kernel does not visit.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import pairwise
from pathlib import Path

import simpy

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))

from reference.per_burst import Hop, Row, Wire, simulate
from tlm3d.errors import SimulationError
from tlm3d.tlm.channel import Channel, Sleep
from tlm3d.tlm.fabric import Fabric
from tlm3d.tlm.faults import Faults
from tlm3d.tlm.transfer import Transfer

ARBITERS = ("round-robin", "oldest", "priority")
Process = Generator[simpy.Event, object, None]
# Initiator, posted, finish (None: not reached), facts by hop; or a channel that was gated, from when, to when, [].
Fate = tuple[str, int, int | None, list[Hop]]


@dataclass(frozen=True)
class Case:
    """Channels, rows by initiator, a horizon that cuts the run short (None: to the end), and a time typical of it."""

    wires: list[Wire]
    traffic: dict[str, list[Row]]
    until_ps: int | None
    typical_ps: int
    is_tie_heavy: bool = True


def _tie_heavy_wire(rng: random.Random, name: str) -> Wire:
    """A picosecond or so for a byte, so that nearly everything coincides."""
    rate_bps = Fraction(rng.choice([4, 8, 8, 16]) * 10**12)
    small = (
        rng.choice([1, 8]),
        rng.randint(1, 4),
        rng.choice([0, 0, 8]),
        rng.randint(1, 5),
        rng.choice([1, 1, 2, 3, 8]),
    )
    return Wire(name, rate_bps, *small, rng.choice(ARBITERS))


def _realistic_wire(rng: random.Random, name: str) -> Wire:
    lanes = rng.choice([1, 4, 32, 64, 48])
    rate_bps = rng.choice(
        [Fraction(320 * 10**6), Fraction(640 * 10**6), Fraction(128, 10) * 10**9, Fraction(10**10, 3)]
    )
    burst_bytes, overhead_bits = rng.choice([8, 16, 32, 64]), rng.choice([0, 8, 13, 32])
    return Wire(
        name,
        rate_bps,
        lanes,
        burst_bytes,
        overhead_bits,
        rng.randint(1, 9000),
        rng.randint(1, 12),
        rng.choice(ARBITERS),
    )


def random_case(seed: int) -> Case:
    """One to four hops in any order over a few channels, one to six initiators with up to five transfers each."""
    rng = random.Random(seed)
    ties = rng.random() < 0.6
    wires = [(_tie_heavy_wire if ties else _realistic_wire)(rng, f"c{i}") for i in range(rng.randint(1, 5))]
    names = [wire.name for wire in wires]
    max_bytes, max_after_ps = (rng.choice([6, 40]), 12) if ties else (rng.choice([100, 1500]), 10**6)
    longest = rng.choice([1, 2, 4, 4])  # short routes leave groups apart, until a later transfer joins them

    def some_route() -> tuple[str, ...]:
        return tuple(rng.sample(names, rng.randint(1, min(longest, len(names)))))

    usual = some_route()

    def row() -> Row:
        route = usual if rng.random() < 0.4 else some_route()
        after_ps = rng.choice([0, 0, rng.randint(0, max_after_ps)])
        return Row(after_ps, rng.randint(1, max_bytes), route, rng.randint(0, 2))

    initiators = rng.sample(["a", "b", "B", "dma0", "dma10", "dma2", "z", "é"], rng.randint(1, 6))
    traffic = {initiator: [row() for _ in range(rng.randint(1, 5))] for initiator in initiators}
    typical_ps = 20 if ties else 10**6
    until_ps = None if rng.random() < 0.7 else rng.randint(0, 4 * typical_ps)
    return Case(wires, traffic, until_ps, typical_ps, ties)


def long_case(seed: int) -> Case:
    """One to four hops, one to four initiators with one or two transfers of 30 to 1200 bursts each."""
    rng = random.Random(seed)
    ties = rng.random() < 0.5
    names = [f"c{i}" for i in range(rng.randint(1, 4))]
    wires = [(_tie_heavy_wire if ties else _realistic_wire)(rng, name) for name in names]
    if rng.random() < 0.4:
        wires = [replace(wires[0], name=name, arbiter=rng.choice(ARBITERS)) for name in names]
    wires = [replace(wire, buffer_bursts=rng.choice([1, 2, 3, 4, 8, 30])) for wire in wires]
    by_name = {wire.name: wire for wire in wires}
    usual = tuple(rng.sample(names, rng.randint(1, len(names))))
    burst_ps = max(wire.occupied_ps(wire.burst_bytes) for wire in wires)

    def row() -> Row:
        route = usual if rng.random() < 0.7 else tuple(rng.sample(names, rng.randint(1, len(names))))
        size = min(by_name[name].burst_bytes for name in route)
        bursts = int(30 * 40 ** rng.random())
        after_ps = rng.choice([0, 0, rng.randint(0, 5 * burst_ps), rng.randint(0, 400 * burst_ps)])
        return Row(after_ps, max(1, bursts * size - rng.choice([0, rng.randint(0, size)])), route, rng.randint(0, 2))

    initiators = rng.sample(["a", "b", "B", "dma10", "dma2"], rng.randint(1, 4))
    traffic = {initiator: [row() for _ in range(rng.choice([1, 1, 2]))] for initiator in initiators}
    until_ps = None if rng.random() < 0.85 else rng.randint(0, 500 * burst_ps)
    return Case(wires, traffic, until_ps, 100 * burst_ps, ties)


def with_costly_wires(case: Case, seed: int) -> Case:
    """``case`` some channels of it gated, entered for every burst, sending whole flits or losing bursts."""
    rng = random.Random(seed)

    def costly(wire: Wire) -> Wire:
        ties = case.is_tie_heavy
        after_ps, wake_ps = (rng.choice([0, 1, 3, 9]), rng.randint(1, 6)) if ties else rng.choice(_SLEEPS)
        return replace(
            wire,
            sleep=Sleep(after_ps, wake_ps) if rng.random() < 0.6 else None,
            entry_ps=rng.choice([0, 0, 1, 3] if ties else [0, 40_000]),
            flit_bits=rng.choice([0, 0, 8, 24, 512]),
            wrong_percent=rng.choice([0, 0, 10, 60]),
            turnaround_ps=rng.choice([0, 1, 7] if ties else [0, 30_000]),
        )

    return replace(case, wires=[costly(wire) for wire in case.wires])


_SLEEPS = [(0, 1000), (5000, 20_000), (200_000, 300_000)]


class _StatedFaults(Faults):
    """Bursts arrive wrong as ``wire`` says, not by draws."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(wire.name, Fraction(1, 2), wire.turnaround_ps, 0)
        self._wire = wire
        self._numbers: dict[str, int] = {}

    def strike(self, initiator: str, bits: int) -> bool:
        number = self._numbers.get(initiator, 0)
        self._numbers[initiator] = number + 1
        return self._wire.is_wrong(initiator, number)


def channel_of(wire: Wire) -> Channel:
    facts = {slot: getattr(wire, slot) for slot in Wire.__dataclass_fields__}
    del facts["wrong_percent"], facts["turnaround_ps"]
    return Channel(**facts, faults=_StatedFaults(wire) if wire.wrong_percent else None)


def expected(case: Case) -> list[Fate]:
    """What the plain model says, in order of initiators, then rows."""
    model = simulate(case.wires, case.traffic, case.until_ps)
    fates: list[Fate] = [
        (initiator, run.posted_ps, run.finish_ps, model.hops(run))
        for initiator in sorted(case.traffic)
        for run in model.runs[initiator]
    ]
    return fates + [(name, *gated, []) for name, site in model.sites.items() for gated in site.gated]


def produced(
    case: Case, seed: int = 0, beside: Callable[[simpy.Environment, Fabric, dict[str, Channel]], None] | None = None
) -> list[Fate]:
    """What the production kernel says. ``seed`` shuffles the order of posting and adds unrelated events (0: none).

    ``beside`` may schedule events of its own.
    """
    rng = random.Random(seed)
    env = simpy.Environment()
    fabric = Fabric(env)
    channels = {wire.name: channel_of(wire) for wire in case.wires}
    fates: dict[str, list[Transfer]] = {initiator: [] for initiator in case.traffic}

    def report(finished: simpy.Event, transfer: Transfer) -> None:
        finished.succeed(transfer)

    def initiator_process(initiator: str, rows: list[Row]) -> Process:
        for row in rows:
            yield env.timeout(row.after_ps)
            finished = env.event()
            route = tuple(channels[name] for name in row.route)
            transfer = fabric.post(initiator, route, row.n_bytes, partial(report, finished), row.priority)
            fates[initiator].append(transfer)
            assert (yield finished) is transfer
            assert transfer.finish_ps == env.now

    def passer_by(period_ps: int) -> Process:
        while any(len(fates[i]) < len(rows) for i, rows in case.traffic.items()) or fabric.in_flight():
            yield env.timeout(period_ps)

    order = list(case.traffic)
    rng.shuffle(order)
    for initiator in order:
        env.process(initiator_process(initiator, case.traffic[initiator]))
    if seed and rng.random() < 0.5:
        env.process(passer_by(max(1, case.typical_ps // rng.choice([3, 7, 20]))))
    if beside is not None:
        beside(env, fabric, channels)
    if case.until_ps is None:
        env.run()
        assert not fabric.in_flight()
    else:
        env.run(until=case.until_ps + 1)
        fabric.settle(case.until_ps)
    told: list[Fate] = [
        (initiator, t.posted_ps, t.finish_ps if t not in fabric.in_flight() else None, _facts(t))
        for initiator in sorted(fates)
        for t in fates[initiator]
    ]
    return told + [(name, *nap, []) for name, channel in channels.items() for nap in channel.naps]


def _facts(transfer: Transfer) -> list[Hop]:
    legs = transfer.legs()
    for leg, following in pairwise(legs):
        assert leg.start_ps < following.posted_ps <= following.start_ps
    return [Hop(leg.channel.name, *leg[1:]) for leg in legs]


def disagreements(first_seed: int, cases: int, make: Callable[[int], Case] = random_case) -> list[int]:
    """Seeds of cases on which the two models differ in any integer."""
    return [seed for seed in range(first_seed, first_seed + cases) if not agrees(make(seed), seed)]


def agrees(plain: Case, seed: int) -> bool:
    """Whether both models give the same integers for ``plain``, and for the same with costly wires."""
    try:
        return all(produced(case, seed) == expected(case) for case in (plain, with_costly_wires(plain, seed)))
    except SimulationError:
        return False


if __name__ == "__main__":
    which = long_case if sys.argv[3:] == ["long"] else random_case
    wrong = disagreements(int(sys.argv[2]) if len(sys.argv) > 2 else 1, int(sys.argv[1]), which)
    sys.exit(f"{len(wrong)} cases differ, by seed: {wrong[:20]}" if wrong else None)
