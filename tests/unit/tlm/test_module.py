"""Modules have unique paths, and start in the order of those."""

from __future__ import annotations

from collections.abc import Generator

import pytest
import simpy
from reference.parts import Player, Slow

from tlm3d.errors import ElaborationError, ModuleError
from tlm3d.tlm.module import Module, elaborate
from tlm3d.tlm.payload import Payload
from tlm3d.tlm.sockets import InitiatorSocket


def test_a_path_names_every_level() -> None:
    top = Module("vision", simpy.Environment())
    dma = Module("dma", Module("cluster", Module("logic", top)))
    assert dma.path == "vision.logic.cluster.dma"
    assert InitiatorSocket("out", dma).path == "vision.logic.cluster.dma.out"
    assert top.find("logic.cluster.dma") is dma
    assert dma.top is top


def test_a_part_that_is_not_there_is_named_with_what_is() -> None:
    top = Module("vision", simpy.Environment())
    Module("cluster", Module("logic", top))
    Module("npu", top)
    with pytest.raises(ElaborationError, match=r"^vision\.logic: has no 'clusters'; did you mean 'cluster'\?$"):
        top.find("logic.clusters")
    with pytest.raises(ElaborationError, match=r"^vision: has no 'xyz'; expected one of: logic, npu$"):
        top.find("xyz")
    with pytest.raises(ElaborationError, match=r"^vision\.npu: has no 'dma'; it contains nothing$"):
        top.find("npu.dma")


def test_two_parts_of_one_parent_cannot_share_a_name() -> None:
    top = Module("vision", simpy.Environment())
    Module("dma", Module("a", top))
    Module("dma", Module("b", top))
    with pytest.raises(ElaborationError, match=r"^vision\.a: the name is taken; choose another for one of the two$"):
        InitiatorSocket("a", top)


@pytest.mark.parametrize("name", ["", "a.b", "1st", "a b", "über.weg"])
def test_a_name_is_an_identifier(name: str) -> None:
    env = simpy.Environment()
    with pytest.raises(ElaborationError, match="a name is letters, digits and _, and begins with no digit"):
        Module(name, env)
    with pytest.raises(ElaborationError, match=rf"^top\.{name}: a name is letters, digits and _"):
        Module(name, Module("top", env))


def test_processes_start_in_the_order_of_paths_whatever_was_built_first() -> None:
    def started(names: list[str]) -> list[str]:
        order: list[str] = []
        env = simpy.Environment()
        top = Module("top", env)

        def run(module: Module) -> Generator[simpy.Event, None, None]:
            order.append(module.path)
            yield env.timeout(1)

        for name in names:
            module = Module(name, top)
            module.thread(lambda module=module: run(module))  # type: ignore[misc]
        elaborate(top)
        env.run()
        return order

    assert started(["b", "a", "c"]) == started(["c", "b", "a"]) == ["top.a", "top.b", "top.c"]


def test_end_of_elaboration_comes_when_all_is_bound_and_before_any_process() -> None:
    seen: list[str] = []

    class Watcher(Module):
        def __init__(self, name: str, within: Module) -> None:
            super().__init__(name, within)
            self.thread(self.run)

        def end_of_elaboration(self) -> None:
            seen.append(f"{self.name}: {player.out.target.path}")

        def run(self) -> Generator[simpy.Event, None, None]:
            seen.append(f"{self.name} runs")
            yield self.env.timeout(1)

    env = simpy.Environment()
    top = Module("top", env)
    player, memory = Player("player", top, []), Slow("memory", top)
    player.out.bind(memory.target)
    Watcher("y", top)
    Watcher("x", top)
    elaborate(top)
    assert seen == ["x: top.memory.in_", "y: top.memory.in_"]
    env.run()
    assert seen[2:] == ["x runs", "y runs"]


def test_after_elaboration_the_design_is_fixed() -> None:
    env = simpy.Environment()
    top = Module("top", env)
    player, memory = Player("player", top, []), Slow("memory", top)
    player.out.bind(memory.target)
    with pytest.raises(ElaborationError, match=r"^top\.player: is inside top; elaborate top$"):
        elaborate(player)
    elaborate(top)
    with pytest.raises(ElaborationError, match=r"^top: has been elaborated already$"):
        elaborate(top)
    with pytest.raises(ElaborationError, match=r"^top\.late: comes too late, top has been elaborated$"):
        Module("late", top)
    with pytest.raises(ElaborationError, match=r"^top\.player\.out: bound too late, top has been elaborated$"):
        player.out.bind(memory.target)
    with pytest.raises(ElaborationError, match=r"^top\.player: a thread comes too late; call env\.process"):
        player.thread(player._run)


def test_a_process_that_waits_for_a_part_of_a_picosecond_is_told_so() -> None:
    env = simpy.Environment()
    top = Module("top", env)
    player, memory = Player("player", top, [(0.5, Payload.read(0, 4))]), Slow("memory", top)  # type: ignore[list-item]
    player.out.bind(memory.target)
    elaborate(top)
    with pytest.raises(ModuleError, match=r"^at 0 ps in top\.player: the clock stands at 0\.5; wait for whole pico"):
        env.run()
