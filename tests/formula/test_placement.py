"""Where a layer is placed, by hand: links, what is queued on them, work that waits, gates.

A layer loads 100 B of input and 104 B of weights and bias and stores 1 B. By the fast link a byte takes 1 ns, by the
slow one 2 ns; computing and the memory's port take next to nothing. So the block at the slow link takes 205 ns longer.
"""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from typing import Any

import pytest
import simpy
from reference.placement_cases import Chooser
from reference.systems import Case, Tree

from tlm3d.model.surroundings import Surroundings
from tlm3d.tlm.module import Module
from tlm3d.tlm.transfer import Transfer

NS = 1000
RELEASE_PS = 10_000 * NS


def _link(die: str, rate: str, arbiter: str = "oldest") -> Tree:
    return {
        "kind": "tsv", "between": ["base", die], "rate": rate, "latency": "1 ns", "burst": "1 B", "buffer": 64,
        "arbiter": arbiter, "energy": "0 pJ/bit",
    }  # fmt: skip


def _block() -> Tree:
    return {
        "kind": "cnn-accelerator", "array": [1000, 1], "clock": "1000 GHz", "local": "64 KiB", "home": "base.m",
        "weight_store": "base.m", "energy": {"mac": "0 pJ/MAC"}, "elements_per_cycle": 1000, "buffers": 2,
    }  # fmt: skip


def _case(near: str, far: str, arbiter: str = "oldest", tasks: Tree | None = None) -> Case:
    memory = {
        "kind": "memory", "capacity": "1 MiB", "rate": "8000 Gbit/s", "latency": "1 ps", "burst": "1 B", "buffer": 64,
        "read": "0 pJ/bit", "write": "0 pJ/bit",
    }  # fmt: skip
    dies = {
        "base": {"tier": 1, "blocks": {"m": memory}},
        "near": {"tier": 0, "blocks": {"x": _block()}},
        "far": {"tier": 2, "blocks": {"y": _block()}},
    }
    links = {"a": _link("near", near, arbiter), "b": _link("far", far, arbiter)}
    net = {"name": "net", "input": [1, 1, 100], "layers": [{"name": "fc", "op": "linear", "channels": 1}]}
    task: Tree = {"network": "net", "period": "1 ms", "offset": "10 us", "map": {"default": ["x", "y"]}}
    workload = {"name": "choice", "tasks": tasks or {"t": task}}
    return Case({"name": "fork", "dies": dies, "links": links}, workload, {"net": net}, "edf", 900_000 * NS)


class _Rival(Module):
    """Posts ``n_bytes`` to one channel at ``at_ps``."""

    def __init__(self, n_bytes: int, at_ps: int, channel: str, surroundings: Surroundings) -> None:
        super().__init__("rival", surroundings.env)
        self._post = partial(surroundings.fabric.post, "rival", surroundings.route(channel), n_bytes, self._done)
        self._at_ps = at_ps
        self.thread(self._run)

    def _run(self) -> Generator[simpy.Event, Any, None]:
        yield self.env.timeout(self._at_ps)
        self._post()

    def _done(self, transfer: Transfer) -> None:
        """Nobody waits for it."""


def _placed(case: Case, rival: tuple[int, int] | None = None, block: str = "") -> tuple[dict[str, int], str, int]:
    """By block the time until the layer would be done; the block taken (``block`` if given); how long it took."""
    system = case.system()
    chooser = Chooser(0, block) if block else Chooser()
    system._policy = chooser
    modules = [partial(_Rival, *rival, "a:base>near")] if rival else []
    recording = system.run(modules=modules)
    decision = chooser.decisions[0]
    took_ps = next(job for job in recording.jobs if job.task == "t").finish_ps - decision.now_ps
    return {option.block: option.finish_ps - decision.now_ps for option in decision.options}, decision.block, took_ps


def test_of_two_equal_blocks_the_one_at_the_fast_link_is_taken() -> None:
    estimates_ps, block, took_ps = _placed(_case("8 Gbit/s", "4 Gbit/s"))
    assert block == "near.x"
    assert took_ps == estimates_ps["near.x"]
    assert estimates_ps["far.y"] - estimates_ps["near.x"] == 205 * NS  # 204 B in and 1 B out, each 1 ns longer
    assert _placed(_case("4 Gbit/s", "8 Gbit/s"))[1] == "far.y"


@pytest.mark.parametrize("posted_before_ns", [0, 1, 150])
def test_the_farther_block_is_taken_from_the_byte_on_that_makes_the_queue_longer_than_the_detour(
    posted_before_ns: int,
) -> None:
    case = _case("8 Gbit/s", "4 Gbit/s")
    at_ps = RELEASE_PS - posted_before_ns * NS
    chosen = []
    for n_bytes in (204 + posted_before_ns, 205 + posted_before_ns, 206 + posted_before_ns):
        estimates_ps, block, _ = _placed(case, (n_bytes, at_ps))
        chosen.append(block)
        for name, estimate_ps in estimates_ps.items():
            assert _placed(case, (n_bytes, at_ps), name)[2] == estimate_ps  # whichever is taken
    # Our first byte is 2 ps on its way to the link, so 205 ns of queue are 204.998 ns of waiting.
    assert chosen == ["near.x", "near.x", "far.y"]


def test_under_round_robin_a_queue_takes_no_more_than_every_other_burst() -> None:
    """204 B of ours, each after one of the rival's: 204 ns, however many it has."""
    case = _case("8 Gbit/s", "4 Gbit/s", "round-robin")
    estimates_ps, block, took_ps = _placed(case, (100_000, RELEASE_PS - 500 * NS), "near.x")
    alone_ps = _placed(case)[0]["near.x"]
    assert estimates_ps["near.x"] == took_ps
    assert took_ps - alone_ps == 204 * NS - 4  # twice it is 2 ps later at the link, while the rival moves on
    assert block == "near.x"


def test_under_priority_only_who_is_as_urgent_or_more_is_waited_for() -> None:
    task: Tree = {
        "network": "net", "period": "1 ms", "offset": "10 us", "map": {"default": ["x", "y"]}, "priority": 1,
    }  # fmt: skip
    rival = (100_000, RELEASE_PS - 500 * NS)  # of priority 0
    case = _case("8 Gbit/s", "4 Gbit/s", "priority", {"t": task})
    assert _placed(case, rival)[1] == "far.y"
    estimates_ps, _, took_ps = _placed(case, rival, "near.x")
    assert estimates_ps["near.x"] == took_ps > 90_000 * NS


def test_work_that_waits_at_a_block_counts_with_its_transfers() -> None:
    """Two jobs released together: the second one would wait at the fast link for what the first one moves."""
    task: Tree = {"network": "net", "period": "1 ms", "offset": "10 us", "map": {"default": ["x", "y"]}}
    first = {**task, "map": {"default": ["x"]}, "deadline": "500 us"}
    case = _case("8 Gbit/s", "5 Gbit/s", tasks={"s": first, "t": task})
    estimates_ps, block, took_ps = _placed(case)
    assert block == "far.y"
    assert took_ps == estimates_ps["far.y"]
    assert _placed(case, block="near.x")[2] == estimates_ps["near.x"]
    assert estimates_ps["near.x"] > estimates_ps["far.y"]


def test_a_link_that_sleeps_is_woken_first() -> None:
    case = _case("8 Gbit/s", "5 Gbit/s")
    asleep = {"after": "0 ps", "power": "1 uW", "wake_time": "1 us", "wake_energy": "1 pJ"}
    awake_ps, block, _ = _placed(case)
    assert block == "near.x"
    case.platform["links"]["a"]["gated"] = asleep
    estimates_ps, block, _ = _placed(case)
    assert block == "far.y"
    assert estimates_ps["near.x"] >= awake_ps["near.x"] + 2000 * NS  # there and back
    assert _placed(case, block="near.x")[2] == estimates_ps["near.x"]
