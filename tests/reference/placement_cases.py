"""Random systems of two blocks between which layers may choose, and what each choice comes to when it is forced."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from reference.random_systems import network
from reference.systems import Case, Tree
from tlm3d.policies import JobView, Option, Policy
from tlm3d.policies.edf import Edf


class Decision(NamedTuple):
    """One choice of a run: for what, when, between which blocks with which estimates, and the block taken."""

    item: tuple[str, int, str]  # task, index, layer
    now_ps: int
    options: tuple[Option, ...]
    block: str


class Chooser(Policy):
    """EDF that writes its choices down, and takes ``block`` in the one numbered ``forced``."""

    def __init__(self, forced: int = -1, block: str = "") -> None:
        self._edf = Edf()
        self._forced, self._block = forced, block
        self.decisions: list[Decision] = []

    def key(self, job: JobView) -> int:
        return self._edf.key(job)

    def place(self, job: JobView, layer: str, options: Sequence[Option], now_ps: int) -> Option:
        chosen = super().place(job, layer, options, now_ps)
        if len(self.decisions) == self._forced:
            chosen = next(option for option in options if option.block == self._block)
        self.decisions.append(Decision((job.task, job.index, layer), now_ps, tuple(options), chosen.block))
        return chosen


def played(case: Case, chooser: Chooser) -> dict[tuple[str, int, str], int]:
    """When each item had been stored."""
    system = case.system()
    system._policy = chooser
    ends_ps: dict[tuple[str, int, str], int] = {}
    for span in system.run().spans:
        if span.what in ("compute", "store"):
            item = (span.task, span.index, span.layer)
            ends_ps[item] = max(ends_ps.get(item, 0), span.end_ps)
    return ends_ps


def outcomes(case: Case, number: int, decision: Decision) -> dict[str, int]:
    """By block, when the item of decision ``number`` is done if that block is taken; all else is decided as usual."""
    found = {}
    for option in decision.options:
        ends_ps = played(case, Chooser(number, option.block))
        if decision.item in ends_ps:
            found[option.block] = ends_ps[decision.item]
    return found


def _channel(rng: random.Random, mbit: Sequence[int]) -> Tree:
    return {
        "rate": f"{rng.choice(mbit)} Mbit/s", "latency": f"{rng.choice([1, 700, 20_000])} ps",
        "burst": f"{rng.choice([8, 24, 64])} B", "buffer": rng.randint(1, 8), "overhead": f"{rng.choice([1, 16])} bit",
        "arbiter": rng.choice(["round-robin", "oldest", "priority"]),
    }  # fmt: skip


def _block(rng: random.Random, home: str) -> Tree:
    return {
        "kind": "cnn-accelerator", "array": [rng.randint(1, 4), rng.randint(1, 4)], "home": home,
        "clock": f"{rng.choice([50, 100, 200])} MHz", "local": f"{rng.choice([600, 4000])} B",
        "energy": {"mac": "1 pJ/MAC"}, "weight_store": home, "elements_per_cycle": 2, "buffers": rng.choice([1, 2]),
    }  # fmt: skip


def random_case(seed: int) -> Case:
    """Two dies with a block each, memories on one or both of them, and two to four tasks of one or two layers."""
    rng = random.Random(seed)
    homes = rng.choice([("upper.m", "upper.m"), ("upper.m", "lower.n")])
    port: Tree = {"kind": "memory", "capacity": "1 MiB", "read": "1 pJ/bit", "write": "1 pJ/bit"}
    upper = {"tier": 1, "blocks": {"m": {**port, **_channel(rng, [800, 6400])}, "x": _block(rng, homes[0])}}
    lower = {"tier": 0, "blocks": {"n": {**port, **_channel(rng, [800, 6400])}, "y": _block(rng, homes[1])}}
    link = {"kind": "tsv", "between": ["upper", "lower"], **_channel(rng, [100, 400, 1600]), "energy": "1 pJ/bit"}
    if rng.random() < 0.3:
        after, wake = rng.choice([0, 2_000_000]), rng.choice([100_000, 3_000_000])
        link["gated"] = {"after": f"{after} ps", "power": "1 uW", "wake_time": f"{wake} ps", "wake_energy": "1 pJ"}
    tasks, networks = {}, {}
    for name in ("alpha", "beta", "gamma", "delta")[: rng.randint(2, 4)]:
        rows: list[Tree] = [
            {"name": f"conv{i}", "op": "conv", "kernel": [3, 3], "channels": rng.randint(1, 6), "padding": "same"}
            for i in range(rng.randint(1, 2))
        ]
        networks[name] = network(rows, (rng.randint(3, 8), rng.randint(3, 8), rng.randint(1, 4)), name)
        where = rng.choice([["x", "y"], ["x", "y"], ["x"], ["y"]])
        tasks[name] = {
            "network": name, "map": {"default": where}, "period": "400 us", "offset": f"{rng.randint(0, 60)} us",
            "deadline": f"{rng.randint(100, 400)} us", "priority": rng.randint(1, 3),
        }  # fmt: skip
    stack = {"name": "two", "dies": {"upper": upper, "lower": lower}, "links": {"tsv": link}}
    return Case(stack, {"name": "choices", "tasks": tasks}, networks, "edf", 10**9)


class Study(NamedTuple):
    """How often the choice was the better one, of those where it made a difference; time lost by wrong ones."""

    right: int
    wrong: int
    lost_ps: int
    best_ps: int  # from the decision to the better end, over the same decisions


def study(seeds: Sequence[int]) -> Study:
    """The choices of the first job of every task, each against a run where it is forced the other way."""
    right = wrong = lost_ps = best_ps = 0
    for seed in seeds:
        case = replace(random_case(seed), horizon_ps=390 * 10**6)
        chooser = Chooser()
        played(case, chooser)
        for number, decision in enumerate(chooser.decisions):
            ends_ps = outcomes(case, number, decision)
            if len(ends_ps) < len(decision.options) or len(set(ends_ps.values())) < len(ends_ps):
                continue
            soonest_ps = min(ends_ps.values())
            taken_ps = ends_ps[decision.block]
            right, wrong = right + (taken_ps == soonest_ps), wrong + (taken_ps > soonest_ps)
            lost_ps, best_ps = lost_ps + taken_ps - soonest_ps, best_ps + soonest_ps - decision.now_ps
    return Study(right, wrong, lost_ps, best_ps)
