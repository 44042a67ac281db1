"""Modules of a user's own beside the platform: they compete with its work, and their energy is in the accounts."""

from __future__ import annotations

from collections.abc import Callable, Generator
from fractions import Fraction
from typing import Any

import pytest
import simpy
from reference.systems import Case
from reference.tiny_chip import NS, lone_job, platform

from tlm3d.analysis.judge import judge
from tlm3d.analysis.power import trace
from tlm3d.analysis.result import Result
from tlm3d.errors import ElaborationError, ModuleError
from tlm3d.model.surroundings import Consumer, Surroundings
from tlm3d.tlm.carrier import Carrier
from tlm3d.tlm.channel import Channel
from tlm3d.tlm.fabric import Fabric
from tlm3d.tlm.interconnect import Interconnect
from tlm3d.tlm.memory_target import MemoryTarget
from tlm3d.tlm.module import Module
from tlm3d.tlm.payload import Account, Payload
from tlm3d.tlm.sockets import InitiatorSocket

US = 1000 * NS


def chip(energies: bool = True) -> Case:
    """A tile down the vias, 10 us of window; vias and memory cost energy."""
    tree = platform("100 MHz", 4096, None)
    if energies:
        tree["links"]["vias"]["energy"] = "0.05 pJ/bit"
        tree["dies"]["top"]["blocks"]["sram"] |= {"read": "0.25 pJ/bit", "write": "0.5 pJ/bit"}
    return lone_job(tree, [1, 1, 10], [10], 9 * US)


class Sender(Module):
    """Sends payloads over a route, each at its time or after the one before it."""

    def __init__(
        self, surroundings: Surroundings, plan: list[tuple[int, Payload]], route: tuple[str, ...], name: str = "own"
    ) -> None:
        super().__init__(name, surroundings.env)
        self.out = InitiatorSocket("out", self)
        channels = surroundings.route(*route)
        way = Interconnect("way", self, surroundings.carrier, write=channels, read=channels)
        self.out.bind(way.target)
        way.initiator.bind(MemoryTarget("far", self, 1 << 20).target)
        self.finishes: list[int] = []
        self._plan = plan
        self.thread(self._run)

    def _run(self) -> Generator[simpy.Event, Any, None]:
        for at_ps, payload in self._plan:
            yield self.env.timeout(max(0, at_ps - self.now_ps))
            yield from self.out.b_transport(payload)
            self.finishes.append(self.now_ps)


def of(payload: Payload, task: str, index: int = -1) -> Payload:
    payload.set_extension(Account(task, index))
    return payload


def run(*builders: Callable[[Surroundings], Module], case: Case | None = None) -> Result:
    return judge((case or chip()).system().run(modules=builders))


def test_a_payload_beside_an_idle_platform_takes_the_time_worked_by_hand() -> None:
    made: list[Sender] = []

    def build(surroundings: Surroundings) -> Module:
        made.append(Sender(surroundings, [(5 * US, Payload.write(0, 100))], ("vias:top>bottom",)))
        return made[0]

    run(build)
    assert made[0].finishes == [5 * US + 102 * NS]  # 100 B at 1 ns each, and 2 ns of latency


def test_a_module_and_the_job_queue_for_the_same_vias() -> None:
    """The job's weights reach the vias at 11 ns, 100 B of somebody else hold them from 0 to 100 ns."""

    def build(surroundings: Surroundings) -> Module:
        return Sender(surroundings, [(0, of(Payload.write(0, 100), "log", 7))], ("vias:top>bottom",))

    alone, beside = run(case=chip()), run(build)
    response = [result.tasks["job"].response for result in (alone, beside)]
    assert response[0] is not None
    assert response[1] is not None
    assert response[1].max_ps == response[0].max_ps + 89 * NS
    waits = [s for s in beside.recording.jobs[0].segments if s.bucket == "link-queue"]
    assert {segment.holder for segment in waits} == {"log#7"}


def test_the_energy_of_a_payload_is_booked_to_its_account() -> None:
    def build(surroundings: Surroundings) -> Module:
        plan = [(5 * US, of(Payload.write(0, 100), "log")), (6 * US, of(Payload.read(0, 50), "log", 3))]
        return Sender(surroundings, plan, ("top.sram", "vias:top>bottom"))

    result = run(build)
    booked = {(a.die, a.component, a.what): a.energy_aj for a in result.accounts if a.task == "log"}
    assert booked == {
        ("top", "vias", "link"): 150 * 8 * 50_000,
        ("top", "sram", "memory"): 100 * 8 * 500_000 + 50 * 8 * 250_000,  # written, and read
    }
    legs = [leg for leg in result.recording.legs if leg.task == "log"]
    assert [(leg.initiator, leg.channel, leg.index) for leg in legs] == [
        ("own.way.target", channel, index) for index in (-1, 3) for channel in ("top.sram", "vias:top>bottom")
    ]
    assert result.total_aj == sum(a.energy_aj for a in result.accounts)
    assert result.total_aj == sum(trace(result.recording).energy_aj)
    assert "with modules beside the platform: own" in result.notes


def test_a_payload_under_way_at_the_horizon_has_spent_what_it_has_sent() -> None:
    def build(surroundings: Surroundings) -> Module:
        return Sender(surroundings, [(10 * US - 40 * NS, of(Payload.write(0, 256), "log"))], ("vias:top>bottom",))

    result = run(build)
    (account,) = (a for a in result.accounts if a.task == "log")
    assert account.energy_aj == 256 * 8 * 50_000 * 40 // 256  # 40 of its 256 ns on the wire


def test_a_consumer_has_its_place_in_the_accounts() -> None:
    def build(surroundings: Surroundings) -> Module:
        consumer = surroundings.consumer("bottom", "sorter")
        consumer.spend(700, 0, 2 * US, Account("sort", 0))
        consumer.spend(300, 9 * US, 11 * US, what="flush")  # half of it beyond the window
        consumer.draw(2_000, 0, 10 * US, what="leakage")
        return Module("own", surroundings.env)

    result = run(build)
    booked = {(a.what, a.task): a.energy_aj for a in result.accounts if (a.die, a.component) == ("bottom", "sorter")}
    assert booked == {("module", "sort"): 700, ("flush", "-"): 150, ("leakage", "-"): 2_000 * 10 * US // 1000}
    assert ("bottom", "sorter") in result.recording.components


def test_neither_the_order_of_builders_nor_of_construction_changes_an_integer() -> None:
    def build(name: str, at_ps: int) -> Callable[[Surroundings], Module]:
        plan = [(at_ps, of(Payload.write(0, 700), name)), (at_ps, of(Payload.read(0, 90), name))]
        return lambda surroundings: Sender(surroundings, plan, ("top.sram", "vias:top>bottom"), name)

    def facts(result: Result) -> tuple[object, ...]:
        legs = sorted(result.recording.legs)
        return result.accounts, result.recording.jobs, legs, result.channels

    def builders() -> list[Callable[[Surroundings], Module]]:
        return [build("a", 0), build("b", 0), build("c", 14 * NS)]

    assert facts(run(*builders())) == facts(run(*reversed(builders())))


def test_a_module_that_does_nothing_changes_no_integer() -> None:
    alone, beside = run(), run(lambda surroundings: Module("own", surroundings.env))
    assert beside.accounts == alone.accounts
    assert beside.recording.jobs == alone.recording.jobs
    assert beside.recording.legs == alone.recording.legs


Build = Callable[[Surroundings], Module]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda s: Sender(s, [], ("vias:top>bottm",)),
            "no channel 'vias:top>bottm'; did you mean 'vias:top>bottom'?",
        ),
        (lambda s: s.consumer("bottle", "x"), "no die 'bottle'; did you mean 'bottom'?"),
        (lambda s: s.consumer("top", "sram"), "die top has a 'sram' already; choose another name"),
        (lambda s: None, "modules[0]: must return the Module at its top, returned None"),
        (
            lambda s: Module("top", s.env),
            "top: the name is that of a die or of another top module; choose another",
        ),
        (
            lambda s: Module("own", simpy.Environment()),
            "own: lives on another clock; build it with the env it is given",
        ),
        (
            lambda s: InitiatorSocket("out", Module("own", s.env)).module,
            "own.out: is bound to nothing; bind it to the target socket it sends to",
        ),
    ],
)
def test_modules_that_cannot_be_are_refused_before_time_begins(build: Build, message: str) -> None:
    with pytest.raises(ElaborationError) as raised:
        run(build)
    assert str(raised.value) == message


@pytest.mark.parametrize(("amount", "start_ps", "end_ps"), [(-1, 0, 1), (1.5, 0, 1), (1, 5, 5), (1, -1, 2)])
def test_what_is_booked_is_whole_and_takes_time(amount: int, start_ps: int, end_ps: int) -> None:
    def build(surroundings: Surroundings, book: Callable[[Consumer], None]) -> Module:
        book(surroundings.consumer("top", "own"))
        return Module("own", surroundings.env)

    with pytest.raises(ModuleError, match=r"^at 0 ps in top\.own: booked energy_aj="):
        run(lambda s: build(s, lambda consumer: consumer.spend(amount, start_ps, end_ps)))
    with pytest.raises(ModuleError, match=r"^at 0 ps in top\.own: booked power_nw="):
        run(lambda s: build(s, lambda consumer: consumer.draw(amount, start_ps, end_ps)))


def with_own_channel(surroundings: Surroundings, carrier: Carrier) -> Module:
    top = Module("own", surroundings.env)
    out = InitiatorSocket("out", top)
    way = Interconnect("way", top, carrier, write=[Channel("vias", Fraction(10**9))])
    out.bind(way.target)
    way.initiator.bind(MemoryTarget("far", top, 64).target)
    top.thread(lambda: out.b_transport(Payload.write(0, 8)))
    return top


def test_a_channel_of_ones_own_needs_a_carrier_of_ones_own() -> None:
    with pytest.raises(ModuleError, match=r"sent a payload over 'vias', which is not of the platform; use your own C"):
        run(lambda s: with_own_channel(s, s.carrier))
    run(lambda s: with_own_channel(s, Carrier(s.env, Fabric(s.env))))


def test_an_interconnect_without_channels_is_refused() -> None:
    def build(surroundings: Surroundings) -> Module:
        top = Module("own", surroundings.env)
        out, way = InitiatorSocket("out", top), Interconnect("way", top, surroundings.carrier)
        out.bind(way.target)
        way.initiator.bind(MemoryTarget("far", top, 64).target)
        return top

    with pytest.raises(ElaborationError, match=r"^own\.way: has neither a write nor a read route; give it the"):
        run(build)
    with pytest.raises(ElaborationError, match=r"^own\.way: the write route uses top\.sram twice\nown\.way: the read"):
        run(lambda s: Sender(s, [], ("top.sram", "top.sram")))
