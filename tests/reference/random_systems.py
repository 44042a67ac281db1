"""Hypothesis strategies for small platforms and workloads: every kind of block, task and trouble, in microseconds."""

from __future__ import annotations

from hypothesis import strategies as st

from reference.systems import Case, Tree

_US = 10**6  # ps

_arbiters = st.sampled_from(["round-robin", "oldest", "priority"])
_tasks = st.sampled_from(["alpha", "beta", "gamma", "delta"])


@st.composite
def _channel(draw: st.DrawFn) -> Tree:
    return {
        "rate": f"{draw(st.sampled_from([37, 100, 800, 6400]))} Mbit/s",
        "latency": f"{draw(st.sampled_from([1, 700, 20_000]))} ps",
        "burst": f"{draw(st.sampled_from([8, 24, 64]))} B",
        "buffer": draw(st.integers(1, 8)),
        "overhead": f"{draw(st.sampled_from([1, 16]))} bit",
        "arbiter": draw(_arbiters),
    }


@st.composite
def _gated(draw: st.DrawFn) -> Tree:
    """Gated at once or after a while, waking in a picosecond or after a while."""
    after, wake = draw(st.sampled_from([0, 1, 2_000_000])), draw(st.sampled_from([1, 30_000, 1_500_000]))
    return {"after": f"{after} ps", "power": "7 uW", "wake_time": f"{wake} ps", "wake_energy": "123 pJ"}


def _gate_some(draw: st.DrawFn, stack: Tree) -> Tree:
    """``stack`` with some of its parts gated when idle, its link perhaps of another kind, or with faults."""
    for die in stack["dies"].values():
        for block in die["blocks"].values():
            if draw(st.booleans()):
                block["states"] = {**block.get("states", {}), "gated": draw(_gated())}
        if "bus" in die and draw(st.booleans()):
            die["bus"]["gated"] = draw(_gated())
    link = stack["links"]["tsv"]
    if draw(st.booleans()):
        link["gated"] = draw(_gated())
    if draw(st.booleans()):
        link |= {"kind": "d2d-serial", "flit": f"{draw(st.sampled_from([5, 16]))} B", "pll": "1 mW"}
    if draw(st.booleans()):
        link |= {"lanes": 4, "failed_lanes": 3, "spare_lanes": draw(st.integers(0, 3))}
        link["faults"] = {"bit_error_rate": "1e-3", "turnaround": f"{draw(st.sampled_from([0, 40_000]))} ps"}
    return stack


def preempt(draw: st.DrawFn, stack: Tree) -> Tree:
    """``stack`` with compute blocks that let more urgent jobs in as they may, and pay to get back."""
    for die in stack["dies"].values():
        for block in die["blocks"].values():
            if block["kind"] in ("riscv-cluster", "cnn-accelerator"):
                modes = ["tile", "none", *(["full"] if block["kind"] == "riscv-cluster" else [])]
                block["preemption"] = draw(st.sampled_from(modes))
                block["context_switch"] = draw(st.sampled_from(["0 ps", "1 ps", "700 ns"]))
    return stack


@st.composite
def layers(draw: st.DrawFn, in_channels: int, channels: int, most: int = 4) -> list[Tree]:
    """A chain of layers of stride 1, now and then with a sum over two of them that have the same shape."""
    rows: list[Tree] = []
    same_shape = False
    for i in range(draw(st.integers(1, most))):
        op = draw(st.sampled_from(["conv", "conv", "depthwise", "pool", "linear"]))
        if op == "linear":
            rows.append({"name": f"fc{i}", "op": "linear", "channels": draw(st.integers(1, 12))})
            break
        side = draw(st.sampled_from([1, 3]))
        row: Tree = {"name": f"{op}{i}", "op": op, "kernel": [side, side], "padding": "same"}
        if op == "conv":
            row["channels"] = channels
            same_shape, in_channels = in_channels == channels, channels
        else:
            same_shape = True
        rows.append(row)
        if i and same_shape and draw(st.booleans()):
            rows.append({"name": f"add{i}", "op": "add", "reads": [rows[-1]["name"], rows[-2]["name"]]})
    return rows


def network(rows: list[Tree], shape: tuple[int, int, int], name: str = "net") -> Tree:
    return {"name": name, "input": list(shape), "layers": rows}


@st.composite
def _runtime(draw: st.DrawFn) -> Tree:
    """How tiles are handled on a compute block: buffers and what a layer costs to begin with."""
    keys: Tree = {}
    if draw(st.booleans()):
        keys["buffers"] = draw(st.sampled_from([1, 1, 2]))
    if draw(st.booleans()):
        keys["layer_setup"] = draw(st.sampled_from([0, 7, 60]))
    return keys


@st.composite
def accelerator(draw: st.DrawFn, home: str, weight_store: str, stage: str | None = None) -> Tree:
    block: Tree = {
        "kind": "cnn-accelerator",
        "array": [draw(st.integers(1, 4)), draw(st.integers(1, 4))],
        "clock": f"{draw(st.sampled_from([11, 100, 1000]))} MHz",
        "local": f"{draw(st.sampled_from([180, 400, 4000]))} B",
        "elements_per_cycle": draw(st.integers(1, 3)),
        "energy": {"cycle": "3.3 pJ/cycle", "mac": "0.7 pJ/MAC"},
        "home": home,
        "weight_store": weight_store,
        "leakage": "1234567 nW",
        "states": {"active": "77 uW", "idle": "333333 nW"},
        **draw(_runtime()),
    }
    if stage is not None and draw(st.booleans()):
        block["weight_stage"] = stage
    if draw(st.booleans()):
        block["dma"] = {**draw(_channel()), "energy": "0.3 pJ/bit"}
    if draw(st.booleans()):
        block["weight_memory"] = f"{draw(st.sampled_from([100, 100_000]))} B"
    return block


@st.composite
def cluster(draw: st.DrawFn, home: str, stage: str | None = None) -> Tree:
    """Of counted kernels or stated rates. Its weights come from ``home``, or from the other die through ``stage``."""
    block: Tree = {
        "kind": "riscv-cluster",
        "cores": draw(st.integers(1, 4)),
        "clock": f"{draw(st.sampled_from([33, 100]))} MHz",
        "l1": f"{draw(st.sampled_from([200, 4000]))} B",
        "energy": {"cycle": "1.1 pJ/cycle", "mac": "0.3 pJ/MAC"},
        "home": home,
        "states": {"idle": "10 uW"},
        **draw(_runtime()),
    }
    if draw(st.booleans()):
        block |= {
            "mac_per_cycle": {"conv": 2, "depthwise": 0.7, "linear": 3},
            "elements_per_cycle": {"pool": 1, "add": 2},
        }
    else:
        block |= {
            "kernels": draw(st.sampled_from(["im2col", "direct"])),
            "l1_banks": draw(st.integers(1, 8)),
            "cpi": draw(st.sampled_from(["1", "1.3"])),
            "reorder": draw(st.sampled_from(["0", "1.7"])),
            "kernel_startup": draw(st.sampled_from([0, 11])),
        }
    if stage is not None and draw(st.booleans()):
        block |= {"weight_store": "lower.n", "weight_stage": stage}
    return block


@st.composite
def memory(draw: st.DrawFn, capacities: tuple[str, ...] = ("1 MiB",)) -> Tree:
    traffic = {"read": "0.123 pJ/bit", "write": "0.456 pJ/bit", "leakage": "150 mW", "states": {"active": "1 mW"}}
    return {"kind": "memory", "capacity": draw(st.sampled_from(capacities)), **draw(_channel()), **traffic}


@st.composite
def stacks(draw: st.DrawFn, staged: bool = False) -> Tree:
    """Two dies: ``upper`` with two sensors, a cluster, a processor and a memory; ``lower`` with array and memory.

    ``staged``: weights may pass through a memory on their way, which may be too small for all of a layer's.
    """
    camera: Tree = {
        "kind": "mixed-signal", "pixels": [4, 3], "frame_rate": "30 kHz", "bits": 8, "energy": "28 pJ/pixel",
        "adc": {"converters": draw(st.integers(1, 4)), "rate": "2 MHz", "energy": "1.7 pJ"},
        "row_settle": "1 us", "exposure": "7 us", "home": "m", "fifo": f"{draw(st.sampled_from([4, 8, 24]))} B",
        "modes": {"full": {}, "half": {"window": [4, 3], "bits": 12}},
        "states": {"active": "3 mW", "idle": "1 mW"},
    }  # fmt: skip
    ear: Tree = {
        "kind": "sampled-sensor", "sample_rate": "180 kHz", "frame_rate": "30 kHz", "bits": 8, "channels": 2,
        "packet": draw(st.integers(1, 4)), "settle": "3 us", "fifo": f"{draw(st.sampled_from([8, 24]))} B",
        "adc": {"converters": 2, "rate": "1 MHz", "envelope": {"enob": 7.3, "multiple": 10}}, "home": "m",
        "front_end": {"bandwidth": "90 kHz", "noise": "3 uV", "supply": "1.2 V", "nef": 2.5, "channels": 2},
        "modes": {
            "wave": {}, "long": {"samples": 9, "bits": 12},
            "bands": {"samples": 6, "filter_bank": {"bands": 3, "decimation": 3, "power": "20 uW"}},
        },
        "states": {"idle": "1 uW"},
    }  # fmt: skip
    processor = {
        "kind": "processor", "clock": "10 MHz", "energy": {"cycle": "9 pJ/cycle"},
        "preemption": draw(st.sampled_from(["full", "none"])),
        "context_switch": draw(st.sampled_from(["0 ps", "300 ns"])),
    }  # fmt: skip
    upper: Tree = {
        "tier": 1,
        "blocks": {
            "m": draw(memory()),
            "camera": camera,
            "ear": ear,
            "c": draw(cluster("m", "m" if staged else None)),
            "p": processor,
        },
    }
    if draw(st.booleans()):
        upper["bus"] = {"kind": "on-chip", **draw(_channel()), "energy": "0.1 pJ/bit"}
    home = draw(st.sampled_from(["n", "upper.m"]))
    capacities = ("1 MiB", "500 B", "250 B") if staged else ("1 MiB",)
    array = draw(accelerator(home, "upper.m", "n" if staged else None))
    lower = {"tier": 0, "blocks": {"n": draw(memory(capacities)), "x": array}}
    link = {"kind": "tsv", "between": ["upper", "lower"], **draw(_channel()), "energy": "0.05 pJ/bit", "idle": "5 uW"}
    limits = [{"limit": "1 mW", "window": "9 us"}, {"limit": "1 W", "peak": True}, {"limit": "400 mW", "peak": True}]
    return {"name": "random", "limits": limits, "dies": {"upper": upper, "lower": lower}, "links": {"tsv": link}}


@st.composite
def lone_networks(draw: st.DrawFn, capacities: tuple[str, ...] = ("1 MiB",)) -> Case:
    """A small network on one block, once, with its memory on the other die or beside it, of one of ``capacities``."""
    shape = (draw(st.integers(1, 6)), draw(st.integers(1, 5)), draw(st.integers(1, 4)))
    rows = draw(layers(shape[2], draw(st.integers(1, 6))))
    near = draw(st.booleans())
    home = "n" if near else "upper.m"
    block = draw(st.one_of(accelerator(home, "upper.m", "n"), cluster(home, "upper.m")))
    stack = draw(stacks())
    stack["dies"]["lower"] = {"tier": 0, "blocks": {"n": draw(memory(capacities)), "x": block}}
    task: Tree = {"network": "net", "period": "1 s", "map": {"default": "x"}}
    workload = {"name": "lone", "tasks": {"job": task}}
    return Case(stack, workload, {"net": network(rows, shape)}, horizon_ps=10**12)


@st.composite
def _stage(draw: st.DrawFn) -> Tree:
    amounts: list[Tree] = [{"cycles": 20}, {"cycles": 77}, {"time": "3 us"}]
    amount = draw(st.sampled_from(amounts))
    return {**amount, "on": draw(st.sampled_from(["p", "c"]))}


@st.composite
def _task(draw: st.DrawFn, fixed: bool) -> tuple[Tree, Tree | None]:
    """A task and its network."""
    task: Tree = {
        "priority": draw(st.integers(1, 3)),
        "backlog": draw(st.integers(1, 2)),
        "on_miss": "continue" if fixed else draw(st.sampled_from(["continue", "abort", "drop"])),
        "deadline": f"{draw(st.integers(4, 60))} us",
    }
    net = None
    kind = draw(st.sampled_from(["stages", "network"] if fixed else ["stages", "network", "camera", "ear"]))
    if kind != "network":
        task["stages"] = draw(st.lists(_stage(), min_size=0 if kind in ("camera", "ear") else 1, max_size=2))
    if kind != "stages":
        task["network"] = "net"
        net = network(draw(layers(2, draw(st.integers(1, 4)))), (3, 2, 2))
        task["map"] = {"default": draw(st.sampled_from([["x"], ["c"]] if fixed else [["x"], ["c"], ["c", "x"]]))}
        if len(net["layers"]) > 1:
            task["map"][net["layers"][0]["name"]] = draw(st.sampled_from(["x", "c"]))
    if kind == "camera":
        task["input"] = {
            "camera": "camera", "mode": draw(st.sampled_from(["full", "half"])), "every": draw(st.integers(1, 2)),
            "event": draw(st.sampled_from(["1", "0.5"])),
        }  # fmt: skip
    elif kind == "ear":
        mode = draw(st.sampled_from(["wave", "long", "bands"]))
        every = 1 if mode == "long" else draw(st.integers(1, 2))  # its frames overlap
        task["input"] = {"camera": "ear", "mode": mode, "every": every}
    else:
        task["period"] = f"{draw(st.sampled_from([9, 10, 25, 40]))} us"
        task["offset"] = f"{draw(st.sampled_from([0, 0, 3]))} us"
        task["jitter"] = f"{draw(st.sampled_from([0, 0, 5]))} us"
    return task, net


@st.composite
def _by_others(draw: st.DrawFn, task: Tree, others: list[str]) -> Tree:
    """``task``, perhaps activated by chance or by one of ``others`` instead of its clock, its stages in branches."""
    task = dict(task)
    if len(task.get("stages", [])) == 2 and draw(st.booleans()):
        second = draw(st.sampled_from([[], ["stage0"], "network"]))
        if second != "network" or "network" in task:
            task["stages"] = [task["stages"][0], {**task["stages"][1], "after": second}]
    kind = draw(st.sampled_from(["clock", "sporadic", *(["after"] if others else [])]))
    if "period" not in task or kind == "clock":
        return task
    period = task.pop("period")
    task.pop("jitter")
    if kind == "sporadic":
        task["sporadic"] = {"min_distance": period, "mean_distance": draw(st.sampled_from([period, "60 us"]))}
    else:
        task.pop("offset")
        task["after"] = {"task": draw(st.sampled_from(others)), "probability": draw(st.sampled_from(["1", "0.7"]))}
    return task


@st.composite
def systems(draw: st.DrawFn, fixed: bool = False) -> Case:
    """One to four tasks, often too many for the stack. ``fixed``: periodic, never ended early, one block a layer, no
    weights pass through a memory, and nothing is ever gated."""
    tasks, networks = {}, {}
    for name in draw(st.lists(_tasks, min_size=1, max_size=4, unique=True)):
        task, net = draw(_task(fixed))
        task = task if fixed else draw(_by_others(task, sorted(tasks)))
        if net is not None:
            networks[name] = {**net, "name": name}
            task["network"] = name
        tasks[name] = task
    policy = draw(st.sampled_from(["edf", "fixed-priority"]))
    horizon_ps = draw(st.sampled_from([50 * _US, 123_456_789]))
    workload = {"name": "random", "tasks": tasks}
    stack = draw(stacks(staged=not fixed))
    if not fixed and draw(st.booleans()):
        stack = _gate_some(draw, stack)
    if not fixed and draw(st.booleans()):
        stack = preempt(draw, stack)
    return Case(stack, workload, networks, policy, horizon_ps, seed=draw(st.integers(0, 3)))
