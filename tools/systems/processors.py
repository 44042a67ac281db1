"""Systems of processors and stages only: one processor under each policy, several, cascades, resources, overload."""

from __future__ import annotations

from collections.abc import Sequence
from math import lcm
from random import Random
from typing import Any

from systems.pair import MANY, MS, NS, US, Pair, Tree, chance, ps, uunifast

FIXED = ("fixed-priority", "rate-monotonic", "deadline-monotonic")
POLICIES = (*FIXED, "edf", "fifo", "least-laxity")
_PERIODS = (4, 5, 6, 8, 10, 12, 15, 20, 24, 30, 40, 60)  # units; their least common multiple is 120
_JOBS = 250  # about as many a run


def _unit(r: Random) -> int:
    """Picoseconds to a unit of time; also one that nothing divides."""
    return r.choice([MS, 10 * US, 1_000_003, 7 * NS])


def processor(r: Random, scale_ps: int) -> Tree:
    """One that preempts in one of the ways; ``scale_ps``: about as long as the work of a stage."""
    block: Tree = {"kind": "processor", "preemption": r.choice(["full", "full", "tile", "none"])}
    if block["preemption"] == "tile":
        block["tile"] = ps(1 + r.randrange(scale_ps))
    if chance(r, 0.3):
        block["context_switch"] = ps(r.choice([1, 1 + scale_ps // 50, 1 + scale_ps // 7]))
    return block


def platform(blocks: Tree) -> Tree:
    return {"name": "random", "dies": {"logic": {"tier": 0, "blocks": blocks}}}


def deadline(r: Random, period_ps: int, work_ps: int) -> int:
    """Before, at or after the next release."""
    shortest = min(work_ps, period_ps)
    return r.choice([period_ps, r.randint(shortest, period_ps), r.randint(period_ps, 3 * period_ps)])


def clock(r: Random, period_ps: int, loose: bool) -> tuple[Tree, str]:
    """The keys that activate a task, and the text of a trace; ``loose``: also late, shifted or by chance."""
    if not loose:
        return {"period": ps(period_ps)}, ""
    kind = r.choice(["period", "period", "rate", "sporadic", "trace"])
    offset: Tree = {"offset": ps(r.randrange(period_ps))} if chance(r, 0.5) else {}
    if kind == "trace":
        at, times = r.randrange(period_ps), []
        for _ in range(r.randint(1, 12)):
            times.append(ps(at))
            at += r.choice([0, period_ps, r.randrange(2 * period_ps), 3 * period_ps])
        return {}, "\n".join(times) + "\n"
    if kind == "sporadic":
        events: Tree = {"min_distance": ps(period_ps)}
        if chance(r, 0.6):
            events["mean_distance"] = ps(period_ps + r.randrange(1 + period_ps))
        return {"sporadic": events, **offset}, ""
    jitter: Tree = {"jitter": ps(r.randrange(1 + r.choice([period_ps // 20, period_ps]) - 1))} if chance(r, 0.5) else {}
    if kind == "rate":  # in mHz, so that a period is seldom whole
        return {"rate": f"{max(1, 10**15 // period_ps)} mHz", **offset, **jitter}, ""
    return {"period": ps(period_ps), **offset, **jitter}, ""


def horizon_ps(periods_ps: Sequence[int], most: int = _JOBS, least: int = 4) -> int:
    """Two hyperperiods where they are short enough, or about ``most`` jobs; ``least``: of the longest period."""
    enough = int(most / sum(1 / period_ps for period_ps in periods_ps))
    return max(least * max(periods_ps), min(2 * lcm(*periods_ps), enough))


def _tasks(
    r: Random, n: int, total: float, loose: bool = False, backlog: Sequence[int] = (MANY,), shortest: int = 0
) -> tuple[dict[str, Tree], dict[str, str], list[int], list[int]]:
    """Tasks without their work; traces; periods and work of each."""
    unit = _unit(r)
    periods = [r.choice(_PERIODS[shortest:]) * unit for _ in range(n)]
    if loose and chance(r, 0.5):
        periods = [period_ps + r.randrange(unit) for period_ps in periods]
    works = [max(1, int(u * period_ps)) for u, period_ps in zip(uunifast(r, n, total), periods, strict=True)]
    tasks, traces = {}, {}
    for i, (period_ps, work_ps) in enumerate(zip(periods, works, strict=True)):
        keys, trace = clock(r, period_ps, loose and chance(r, 0.7))
        name = f"t{i}"
        if trace:
            traces[f"{name}.txt"] = trace
            keys["trace"] = f"{name}.txt"
        tasks[name] = {
            **keys, "deadline": ps(deadline(r, period_ps, work_ps)), "backlog": r.choice(backlog),
            "priority": r.randint(1, n + 1),
        }  # fmt: skip
    return tasks, traces, periods, works


def _workload(policy: str, tasks: Tree, periods_ps: Sequence[int], **keys: object) -> Tree:
    return {"name": "random", "policy": policy, "horizon": ps(horizon_ps(periods_ps)), **keys, "tasks": tasks}


def _on_one(r: Random, policy: str, loose: bool) -> Pair:
    n = r.randint(1, 6)
    total = r.choice([r.uniform(0.3, 1), r.uniform(0.7, 1), r.uniform(0.9, 1.1)])
    tasks, traces, periods, works = _tasks(r, n, total, loose, (MANY, MANY, MANY, 1, 3))
    block = processor(r, min(works))
    if chance(r, 0.2):  # by cycles, which are rounded up
        block["clock"] = f"{r.choice([3, 7, 32, 333])} MHz"
    for name, work_ps in zip(tasks, works, strict=True):
        stages = [work_ps] if n > 4 or chance(r, 0.7) else [work_ps // 2, work_ps - work_ps // 2]
        tasks[name]["stages"] = [{"time": ps(max(1, stage_ps)), "on": "p"} for stage_ps in stages]
        if "clock" in block and work_ps > US:
            tasks[name]["stages"] = [{"cycles": work_ps * int(block["clock"].split()[0]) // US, "on": "p"}]
    if not loose and block["preemption"] != "full":
        # Theory's worst case of one of them: all less urgent work has begun a picosecond before all other is released.
        first = r.randint(1, n + 1)
        for task in tasks.values():
            task["offset"] = ps(task["priority"] <= first)
    workload = _workload(policy, tasks, periods)
    if policy == "least-laxity":
        workload["quantum"] = ps(max(1, min(periods) // r.choice([2, 5, 10])))
    return Pair(platform({"p": block}), workload, traces=traces)


def fixed(r: Random) -> Pair:
    """One processor, a fixed order of tasks, released together."""
    return _on_one(r, r.choice(["fixed-priority", *FIXED]), loose=False)


def fixed_loose(r: Random) -> Pair:
    """The same with jitter, offsets, events by chance and traces."""
    return _on_one(r, r.choice(["fixed-priority", *FIXED]), loose=True)


def edf(r: Random) -> Pair:
    """One processor under EDF, released together or loosely."""
    return _on_one(r, "edf", loose=chance(r, 0.5))


def fifo(r: Random) -> Pair:
    """The same under FIFO."""
    return _on_one(r, "fifo", loose=chance(r, 0.5))


def laxity(r: Random) -> Pair:
    """The same under least laxity."""
    return _on_one(r, "least-laxity", loose=chance(r, 0.5))


def _on_several(
    r: Random, n: int, blocks: Sequence[str], policy: str, loose: bool, backlog: Sequence[int]
) -> tuple[Pair, list[int]]:
    """Tasks of one to four stages, in a row or a graph, over processors with a queue of their own."""
    total = r.uniform(0.3, 0.95) * len(blocks)
    tasks, traces, periods, works = _tasks(r, n, min(total, 0.9 * n), loose, backlog, shortest=2)
    graph = chance(r, 0.4)
    for task, work_ps in zip(tasks.values(), works, strict=True):
        parts = uunifast(r, r.randint(1, 4), work_ps)
        stages: list[Tree] = [
            {"name": f"s{j}", "time": ps(max(1, part)), "on": r.choice(blocks)} for j, part in enumerate(parts)
        ]
        for j, stage in enumerate(stages):
            if graph and j:
                stage["after"] = [f"s{k}" for k in sorted(r.sample(range(j), r.randint(0, min(j, 2))))]
        task["stages"] = stages
    if chance(r, 0.15):
        for task in tasks.values():
            task["on_miss"] = r.choice(["continue", "abort", "drop"])
    named = {name: processor(r, min(works)) for name in blocks}
    return Pair(platform(named), _workload(policy, tasks, periods), traces=traces), periods


def distributed(r: Random) -> Pair:
    """Stages of every task over two to four processors."""
    blocks = [f"p{i}" for i in range(r.randint(2, 4))]
    policy = r.choice(["fixed-priority", "fixed-priority", *POLICIES])
    pair, _ = _on_several(r, r.randint(2, 6), blocks, policy, chance(r, 0.4), (MANY, MANY, 1, 2))
    return pair


def cascade(r: Random) -> Pair:
    """Tasks that release others, sometimes by chance, with chains through them or through tasks of their own clock."""
    blocks = [f"p{i}" for i in range(r.randint(1, 3))]
    policy = r.choice(["fixed-priority", "fixed-priority", *POLICIES])
    n = r.randint(2, 6)
    pair, periods = _on_several(r, n, blocks, policy, chance(r, 0.3), (MANY, 1, 2))
    tasks = pair.workload["tasks"]
    names = list(tasks)
    chains: Tree = {}
    for i, name in enumerate(names[1:], 1):
        task = tasks[name]
        if chance(r, 0.6):
            for key in ("period", "rate", "sporadic", "trace", "offset", "jitter"):
                task.pop(key, None)
            parent = names[r.randrange(i)]
            task["after"] = {"task": parent, "probability": r.choice(["1", "1", "0.6"])}
            if chance(r, 0.3):
                del task["deadline"]
            chains[f"c{i}"] = {"tasks": _way(tasks, name), "deadline": ps(3 * max(periods))}
        elif chance(r, 0.4):
            chains[f"c{i}"] = {"tasks": [names[i - 1], name], "max_age": ps(3 * max(periods))}
    traces = {file: text for file, text in pair.traces.items() if any(t.get("trace") == file for t in tasks.values())}
    return Pair(pair.platform, {**pair.workload, "chains": chains}, traces=traces)


def _way(tasks: Tree, name: str) -> list[str]:
    """The tasks that lead to ``name``, the first one first."""
    way = [name]
    while "after" in tasks[way[0]]:
        way.insert(0, tasks[way[0]]["after"]["task"])
    return way


def resources(r: Random) -> Pair:
    """Stages that hold resources, under each protocol, on one processor or on several."""
    protocol = r.choice(["inheritance", "inheritance", "ceiling", "none"])
    policy = r.choice(FIXED) if protocol == "ceiling" else r.choice(["fixed-priority", "deadline-monotonic", *POLICIES])
    blocks = ["p"] if protocol == "ceiling" or chance(r, 0.7) else ["p", "q"]
    pair, _ = _on_several(r, r.randint(2, 5), blocks, policy, chance(r, 0.3), (MANY, MANY, 2))
    held = set()
    names = ["R", "S", "Q"][: r.randint(1, 3)]
    for task in pair.workload["tasks"].values():
        for stage in task["stages"]:
            if chance(r, 0.6):
                stage["holds"] = sorted(r.sample(names, r.randint(1, min(2, len(names)))))
                held |= set(stage["holds"])
    return pair.with_workload(resources={name: {"protocol": protocol} for name in sorted(held)})


def shared_queue(r: Random) -> Pair:
    """Processors that share a queue, with or without a stage of their own beside."""
    blocks = [f"p{i}" for i in range(r.randint(2, 3))]
    pair, _ = _on_several(r, r.randint(2, 6), blocks, r.choice(POLICIES), chance(r, 0.4), (MANY, 1))
    named = pair.platform["dies"]["logic"]["blocks"]
    way = named[blocks[0]]
    for task in pair.workload["tasks"].values():
        for stage in task["stages"]:
            stage["on"] = r.choice([blocks, blocks[:2], blocks[:1]])
    named |= dict.fromkeys(blocks, way)
    return pair


def graph(r: Random) -> Pair:
    """A graph of stages that has its processors for itself; some share a queue, some are gated."""
    blocks = [f"p{i}" for i in range(r.randint(2, 4))]
    policy = r.choice(POLICIES)
    tasks, traces, periods, works = _tasks(r, 1, r.uniform(0.2, 1.5), chance(r, 0.5), (MANY, 1, 2), shortest=2)
    parts = uunifast(r, r.randint(2, 12), works[0])
    of_queue, alone = processor(r, works[0] // 8 + 1), processor(r, works[0] // 8 + 1)
    shared = blocks[: r.choice([0, 0, 2, 3])]
    named = {name: dict(of_queue if name in shared else alone) for name in blocks}
    if chance(r, 0.3):
        wake = ps(1 + r.randrange(1 + works[0] // 5))
        named[blocks[-1]] |= {"states": {"gated": {"power": "1 nW", "wake_time": wake}}}
    stages: list[Tree] = []
    for j, part in enumerate(parts):
        after = [f"s{k}" for k in sorted(r.sample(range(j), r.randint(0, min(j, 3))))]
        where: Any = r.choice(blocks)
        stages.append(
            {"name": f"s{j}", "time": ps(max(1, part)), "on": shared if where in shared else where, "after": after}
        )
    tasks["t0"]["stages"] = stages
    tasks["t0"]["on_miss"] = r.choice(["continue", "continue", "drop"])
    return Pair(platform(named), _workload(policy, tasks, periods), traces=traces)


def overload(r: Random) -> Pair:
    """Too much work: jobs that are aborted, dropped, put out of the backlog, missed within a firm rule."""
    n = r.randint(1, 5)
    tasks, traces, periods, works = _tasks(r, n, r.uniform(0.6, 1.6), chance(r, 0.4), (1, 1, 2, MANY))
    for task, work_ps in zip(tasks.values(), works, strict=True):
        task["stages"] = [{"time": ps(work_ps), "on": "p"}]
        task["on_miss"] = r.choice(["continue", "abort", "drop"])
        if chance(r, 0.4):
            window = r.randint(1, 6)
            task["firm"] = [r.randint(1, window), window]
    workload = _workload(r.choice(["fixed-priority", *POLICIES]), tasks, periods)
    return Pair(platform({"p": processor(r, min(works))}), workload, traces=traces)
