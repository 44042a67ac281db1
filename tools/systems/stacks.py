"""Systems of compute blocks, channels and sensors: networks in tiles beside stages, traffic, gates, frames."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from systems.pair import MANY, NS, US, Pair, Tree, chance, ps
from systems.processors import FIXED, horizon_ps

_JOBS = 60  # about as many a run: each is many tiles
ARBITERS = ("round-robin", "oldest", "priority")


def channel(r: Random, slow: bool = False) -> Tree:
    return {
        "rate": f"{r.choice([37, 100, 250] if slow else [100, 800, 6400])} Mbit/s",
        "latency": ps(r.choice([1, 700, 20 * NS])),
        "burst": f"{r.choice([8, 24, 64])} B",
        "buffer": r.randint(1, 8),
        "overhead": f"{r.choice([1, 16])} bit",
        "arbiter": r.choice(ARBITERS),
    }


def gate(r: Random) -> Tree:
    """Gated at once or after a while, waking at once or after a while."""
    return {"after": ps(r.choice([0, 1, 2 * US])), "wake_time": ps(r.choice([1, 30 * NS, 1_500_000]))}


def _runtime(r: Random, modes: Sequence[str]) -> Tree:
    keys: Tree = {"preemption": r.choice(modes), "buffers": r.choice([1, 2, 2])}
    if chance(r, 0.3):
        keys["layer_setup"] = r.choice([7, 60])
    if chance(r, 0.3):
        keys["context_switch"] = ps(r.choice([1, 700 * NS]))
    return keys


def accelerator(r: Random, home: str, store: str, slow: bool = False) -> Tree:
    block: Tree = {
        "kind": "cnn-accelerator",
        "array": [r.randint(1, 4), r.randint(1, 4)],
        "clock": f"{r.choice([11, 100, 1000])} MHz",
        "local": f"{r.choice([180, 400, 4000])} B",
        "elements_per_cycle": r.randint(1, 3),
        "home": home,
        "weight_store": store,
        **_runtime(r, ("tile", "tile", "none")),
    }
    if chance(r, 0.5):
        block["weight_memory"] = f"{r.choice([100, 100_000])} B"
    if chance(r, 0.4):
        block["dma"] = channel(r, slow)
    return block


def in_memory(r: Random, home: str, store: str) -> Tree:
    """An array of cells, with losses for rows and columns that do not fit."""
    block: Tree = {
        "kind": "imc", "array": [r.choice([8, 64]), r.choice([4, 32])], "local": f"{r.choice([400, 4000])} B",
        "clock": "100 MHz", "pass_time": ps(r.randint(10 * NS, US)), "bits": {"input": 8, "weight": 8},
        "adc": {"bits": 6}, "row_write": r.randint(0, 4), "depthwise": True, "elements_per_cycle": r.randint(1, 3),
        "home": home, "weight_store": store, **_runtime(r, ("tile", "none")),
    }  # fmt: skip
    if chance(r, 0.5):
        block["weight_memory"] = "100 kB"
    return block


def cluster(r: Random, home: str, slow: bool = False) -> Tree:
    """Of stated rates or counted kernels."""
    block: Tree = {
        "kind": "riscv-cluster",
        "cores": r.randint(1, 4),
        "clock": f"{r.choice([33, 100, 500])} MHz",
        "l1": f"{r.choice([200, 400, 4000])} B",
        "home": home,
        **_runtime(r, ("tile", "tile", "none", "full")),
    }
    if chance(r, 0.6):
        block |= {
            "mac_per_cycle": {"conv": 2, "depthwise": "0.7", "linear": 3},
            "elements_per_cycle": {"pool": 1, "add": 2},
        }
    if chance(r, 0.3):
        block["weight_memory"] = f"{r.choice([100, 100_000])} B"
    if chance(r, 0.4):
        block["dma"] = channel(r, slow)
    return block


def memory(r: Random, slow: bool = False, capacity: str = "1 MiB") -> Tree:
    block = {"kind": "memory", "capacity": capacity, **channel(r, slow)}
    if chance(r, 0.1):  # one with a first access before every burst
        block |= {"kind": "dram", "technology": "hyperram", "access": ps(r.choice([1, 56 * NS]))}
    return block


def stack(r: Random, slow: bool = False, remote: float = 0.4) -> Tree:
    """``upper``: memory, cluster, processor, sensors; ``lower``: memory and array; a link, perhaps a bus.

    ``remote``: how often the array keeps its data on the other die.
    """
    home = "upper.m" if chance(r, remote) else "n"
    upper: Tree = {
        "tier": 1,
        "blocks": {
            "m": memory(r, slow),
            "c": cluster(r, "m", slow),
            "p": {"kind": "processor", "preemption": r.choice(["full", "none"])},
        },
    }
    if chance(r, 0.4):
        upper["bus"] = {"kind": "on-chip", **channel(r, slow)}
    store = "upper.m" if chance(r, 0.5) else home
    array = in_memory(r, home, store) if chance(r, 0.1) else accelerator(r, home, store, slow)
    lower: Tree = {"tier": 0, "blocks": {"n": memory(r, slow), "x": array}}
    link = {"kind": "tsv", "between": ["upper", "lower"], **channel(r, slow)}
    if chance(r, 0.2):
        link |= {"kind": "d2d-serial", "flit": f"{r.choice([5, 16])} B"}
    return {"name": "random", "dies": {"upper": upper, "lower": lower}, "links": {"tsv": link}}


def camera(r: Random) -> Tree:
    return {
        "kind": "mixed-signal", "pixels": [4, 3], "frame_rate": "30 kHz", "bits": 8,
        "adc": {"converters": r.randint(1, 4), "rate": "2 MHz"}, "row_settle": "1 us", "exposure": "7 us",
        "home": "m", "fifo": f"{r.choice([8, 24, 64])} B",
        "modes": {"full": {}, "half": {"window": [4, 3], "bits": 12}},
    }  # fmt: skip


def ear(r: Random) -> Tree:
    return {
        "kind": "sampled-sensor", "sample_rate": "180 kHz", "frame_rate": "30 kHz", "bits": 8, "channels": 2,
        "packet": r.randint(1, 4), "settle": "3 us", "fifo": f"{r.choice([8, 24, 64])} B",
        "adc": {"converters": 2, "rate": "1 MHz"}, "home": "m",
        "modes": {
            "wave": {}, "long": {"samples": 9, "bits": 12},
            "bands": {"samples": 6, "filter_bank": {"bands": 3, "decimation": 3}},
        },
    }  # fmt: skip


# ------------------------------------------------------------ networks


def layers(r: Random, in_channels: int, channels: int, most: int = 4) -> list[Tree]:
    """A chain of layers of stride 1, now and then with a sum over two of one shape."""
    rows: list[Tree] = []
    same_shape = False
    for i in range(r.randint(1, most)):
        op = r.choice(["conv", "conv", "depthwise", "pool", "linear"])
        if op == "linear":
            rows.append({"name": f"fc{i}", "op": "linear", "channels": r.randint(1, 12)})
            break
        side = r.choice([1, 3])
        row: Tree = {"name": f"{op}{i}", "op": op, "kernel": [side, side], "padding": "same"}
        if op == "conv":
            row["channels"] = channels
            same_shape, in_channels = in_channels == channels, channels
        else:
            same_shape = True
        rows.append(row)
        if i and same_shape and chance(r, 0.5):
            rows.append({"name": f"add{i}", "op": "add", "reads": [rows[-1]["name"], rows[-2]["name"]]})
    return rows


def network(r: Random, name: str, shape: tuple[int, int, int] | None = None, most: int = 4) -> Tree:
    shape = shape or (r.randint(1, 6), r.randint(1, 5), r.randint(1, 4))
    return {"name": name, "input": list(shape), "layers": layers(r, shape[2], r.randint(1, 6), most)}


def _placed(r: Random, net: Tree, choices: Sequence[list[str]]) -> Tree:
    mapped: Tree = {"default": r.choice(choices)}
    if len(net["layers"]) > 1 and chance(r, 0.4):
        mapped[net["layers"][0]["name"]] = [r.choice(["x", "c"])]
    return mapped


def _stages(r: Random, most: int, blocks: Sequence[str]) -> list[Tree]:
    return [{"time": ps(r.randint(1, 6 * US)), "on": r.choice(blocks)} for _ in range(r.randint(1, most))]


def _rough_ps(net: Tree | None, stages: Sequence[Tree]) -> int:
    """About how long a job takes by itself, to draw periods from."""
    total_ps = sum(int(stage["time"].split()[0]) for stage in stages)
    if net:
        pixels, channels = net["input"][0] * net["input"][1], net["input"][2]
        for layer in net["layers"]:
            made = int(layer.get("channels", channels))
            taps = layer.get("kernel", [1, 1])
            macs = pixels * made * taps[0] * taps[1] * (channels if layer["op"] == "conv" else 1)
            total_ps += 2 * US + 30 * NS * macs + 150 * NS * pixels * (made + channels)
            channels = made
    return total_ps


def _timed(r: Random, task: Tree, period_ps: int, loose: bool) -> None:
    task["period"] = ps(period_ps)
    task["deadline"] = ps(
        r.choice([period_ps, r.randint(period_ps // 2, period_ps), r.randint(period_ps, 3 * period_ps)])
    )
    if loose and chance(r, 0.5):
        task["offset"] = ps(r.randrange(period_ps))
    if loose and chance(r, 0.3):
        task["jitter"] = ps(r.randrange(period_ps // 2 + 1))
    if loose and chance(r, 0.2):
        del task["period"]
        task.pop("jitter", None)
        task["sporadic"] = {"min_distance": ps(period_ps), "mean_distance": ps(period_ps + r.randrange(period_ps + 1))}


def _run(
    r: Random, platform: Tree, tasks: Tree, networks: dict[str, Tree], periods_ps: Sequence[int], policy: str = ""
) -> Pair:
    workload = {
        "name": "random",
        "policy": policy or r.choice([*FIXED, "fixed-priority", "fixed-priority", "edf", "fifo"]),
        "horizon": ps(horizon_ps(periods_ps, _JOBS, 2)),
        "tasks": tasks,
    }
    return Pair(platform, workload, networks, seed=r.randrange(4))


def _crew(
    r: Random,
    n: int,
    choices: Sequence[list[str]],
    blocks: Sequence[str],
    use: float,
    loose: bool = False,
    most: int = 4,
) -> tuple[Tree, dict[str, Tree], list[int]]:
    """Tasks with networks on ``choices`` and stages on ``blocks``, that take about ``use`` of their time together."""
    tasks: Tree = {}
    networks: dict[str, Tree] = {}
    periods = []
    for i in range(n):
        name = f"t{i}"
        task: Tree = {"priority": r.randint(1, n), "backlog": r.choice([MANY, MANY, 1, 2])}
        net = None
        if not blocks or chance(r, 0.7):
            net = networks[name] = network(r, name, most=most)
            task |= {"network": name, "map": _placed(r, net, choices) if len(choices) > 1 else {"default": choices[0]}}
        stages = _stages(r, 2, blocks) if blocks and (net is None or chance(r, 0.4)) else []
        if stages:
            task["stages"] = stages
            if net and chance(r, 0.3):
                stages[-1]["after"] = ["network"]
        period_ps = max(US, int(n * _rough_ps(net, stages) / use * r.uniform(0.4, 2.5)))
        period_ps = period_ps // US * US  # short hyperperiods are rare all the same
        _timed(r, task, period_ps, loose)
        periods.append(period_ps)
        tasks[name] = task
    return tasks, networks, periods


def lone_block(r: Random) -> Pair:
    """Networks and stages on one compute block with a memory of its own: nothing but tiles in turn."""
    platform = stack(r, remote=0)
    only = r.choice(["x", "c"])
    platform["dies"]["lower"]["blocks"]["x"]["weight_store"] = "n"
    blocks = ["x"] if only == "x" else ["c"]
    tasks, networks, periods = _crew(r, r.randint(1, 4), [[only]], blocks, r.uniform(0.2, 1.2), chance(r, 0.3))
    return _run(r, platform, tasks, networks, periods)


def tiles(r: Random) -> Pair:
    """Networks on a cluster and an array, with stages on processor and cluster beside them, now and then on either."""
    tasks, networks, periods = _crew(
        r, r.randint(1, 4), [["x"], ["c"], ["x"], ["c", "x"]], ["p", "c"], r.uniform(0.2, 1.2), chance(r, 0.4)
    )
    for task in tasks.values():
        for stage in task.get("stages", []):
            if chance(r, 0.1):
                stage["on"] = r.choice([["c", "p"], ["x", "c"], "any"])
    return _run(r, stack(r), tasks, networks, periods)


def weights(r: Random) -> Pair:
    """Weights that are fetched for every inference, or pass through a memory that may be too small for them."""
    platform = stack(r)
    dies = platform["dies"]
    array = dies["lower"]["blocks"]["x"]
    array |= {
        "weight_store": "upper.m",
        "weight_memory": "0 B",
        "home": "n",
        "local": f"{r.choice([60, 100, 180, 400])} B",
    }
    if chance(r, 0.7):
        array["weight_stage"] = "n"
        dies["lower"]["blocks"]["n"]["capacity"] = r.choice(["1 MiB", "1 MiB", "1000 B", "700 B"])
    if chance(r, 0.5):
        dies["upper"]["blocks"]["c"] |= {"weight_store": "lower.n", "weight_stage": "m"}
    tasks, networks, periods = _crew(
        r, r.randint(1, 3), [["x"], ["x"], ["c"]], ["p"], r.uniform(0.2, 1), chance(r, 0.3)
    )
    return _run(r, platform, tasks, networks, periods)


def channels(r: Random) -> Pair:
    """Two blocks, and now and then a camera, that move all they need over slow channels which they share."""
    platform = stack(r, slow=True, remote=1)
    dies = platform["dies"]
    arbiter = r.choice([*ARBITERS, ""])
    for part in (
        *(b for die in dies.values() for b in die["blocks"].values()),
        platform["links"]["tsv"],
        dies["upper"].get("bus", {}),
    ):
        if "arbiter" in part and arbiter:
            part["arbiter"] = arbiter
    tasks, networks, periods = _crew(
        r, r.randint(2, 4), [["x"], ["c"]], [], r.uniform(0.1, 0.8), chance(r, 0.3), most=2
    )
    if chance(r, 0.4):
        dies["upper"]["blocks"]["camera"] = camera(r)
        networks["see"] = network(r, "see", (3, 2, 2), 2)
        every = r.randint(2, 12)
        periods.append(every * 33_333_333)
        tasks["see"] = {
            "input": {"camera": "camera", "every": every}, "network": "see", "map": {"default": r.choice(["x", "c"])},
            "backlog": r.choice([1, MANY]), "priority": r.randint(1, 3),
        }  # fmt: skip
    return _run(r, platform, tasks, networks, periods)


def gated(r: Random) -> Pair:
    """Blocks, memories and links that are gated when idle."""
    pair = r.choice([tiles, tiles, channels, cameras])(r)
    for die in pair.platform["dies"].values():
        for block in die["blocks"].values():
            if chance(r, 0.5):
                block["states"] = {"gated": gate(r)}
        if "bus" in die and chance(r, 0.5):
            die["bus"]["gated"] = gate(r)
    if chance(r, 0.6):
        pair.platform["links"]["tsv"]["gated"] = gate(r)
    return pair


def _looking(r: Random, sensor: str, modes: Sequence[str], n: int) -> tuple[Tree, dict[str, Tree], list[int]]:
    """Tasks that wait for frames of ``sensor``."""
    tasks: Tree = {}
    networks: dict[str, Tree] = {}
    periods = []
    for i in range(n):
        name, mode = f"s{i}", r.choice(modes)
        every = 1 if mode == "long" else r.choice([1, 1, 2, 3, 8])  # overlapping frames must all be taken
        frames: Tree = {"camera": sensor, "mode": mode, "every": every}
        if mode != "long" and chance(r, 0.3):
            frames["event"] = "0.5"
        task: Tree = {"input": frames, "backlog": r.choice([1, 2, MANY]), "priority": r.randint(1, 4)}
        if chance(r, 0.6):
            networks[name] = network(
                r, name, r.choice([(3, 2, 2), (2, 1, 2), (1, 1, 1)]) if mode != "bands" else (1, 1, 1), 2
            )
            task |= {"network": name, "map": {"default": r.choice(["x", "c"])}}
        if "network" not in task or chance(r, 0.4):
            task["stages"] = _stages(r, 2, ["p", "c"])
        periods.append(every * 33_333_333)
        if chance(r, 0.5):
            task["deadline"] = ps(r.randint(20 * US, 3 * periods[-1]))
        tasks[name] = task
    return tasks, networks, periods


def _watched(r: Random, sensor: str, block: Tree, modes: Sequence[str]) -> Pair:
    platform = stack(r)
    platform["dies"]["upper"]["blocks"][sensor] = block
    tasks, networks, periods = _looking(r, sensor, modes, r.randint(1, 3))
    if chance(r, 0.5):
        more, nets, times = _crew(
            r, r.randint(1, 2), [["x"], ["c"]], ["p", "c"], r.uniform(0.1, 0.6), chance(r, 0.3), 2
        )
        tasks, networks, periods = tasks | more, networks | nets, periods + times
    pair = _run(r, platform, tasks, networks, periods)
    if chance(r, 0.2):
        pair.workload["frame_rates"] = {sensor: "10 kHz"}
    return pair


def cameras(r: Random) -> Pair:
    """Frames of a camera that tasks share, every one or some, all or those with an event."""
    return _watched(r, "camera", camera(r), r.choice([["full"], ["full", "half"]]))


def sampled(r: Random) -> Pair:
    """Frames of a sensor sampled in time, read side by side in several modes, with overlap."""
    return _watched(r, "ear", ear(r), r.choice([["wave"], ["wave", "bands"], ["wave", "long", "bands"]]))


def mixed(r: Random) -> Pair:
    """Everything at once: networks, sensors, cascades, jobs given up, gates, faults."""
    pair = r.choice([cameras, sampled, gated, weights, channels, tiles])(r)
    tasks = pair.workload["tasks"]
    names = list(tasks)
    for i, name in enumerate(names):
        task = tasks[name]
        if i and "input" not in task and chance(r, 0.5):
            for key in ("period", "sporadic", "offset", "jitter"):
                task.pop(key, None)
            task["after"] = {"task": names[r.randrange(i)], "probability": r.choice(["1", "0.7"])}
        if chance(r, 0.3):
            task["on_miss"] = r.choice(["abort", "drop"])
        if chance(r, 0.2):
            task["firm"] = [1, 2]
        if chance(r, 0.3) and task.get("stages"):
            task["stages"][0]["holds"] = ["R"]
            pair.workload["resources"] = {"R": {"protocol": r.choice(["inheritance", "none"])}}
    if len(names) > 1 and chance(r, 0.5):
        path = r.sample(names, r.randint(2, len(names)))
        pair.workload["chains"] = {"path": {"tasks": path, "deadline": "100 us", "max_age": "200 us"}}
    if chance(r, 0.1):
        pair.workload.update(policy="least-laxity", quantum=ps(r.choice([US, 20 * US])))
    if chance(r, 0.1):
        pair.platform["links"]["tsv"]["faults"] = {"bit_error_rate": "1e-3"}
    return pair
