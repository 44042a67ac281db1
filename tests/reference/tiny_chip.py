"""An accelerator under its memory, one bundle of vias between, in round numbers.

The memory's port moves a byte in 100 ps with 1 ns latency, the vias one in 1 ns with 2 ns latency, and all that a tile
moves is one burst, so that n bytes take 1.1 n + 3 ns either way: 113 ns for 100 B, 14 ns for 10 B.
"""

from __future__ import annotations

from reference.systems import Case, Tree

NS = 1000  # ps


def platform(clock: str, local_bytes: int, weight_memory: str | None) -> Tree:
    array = {
        "kind": "cnn-accelerator", "array": [10, 10], "clock": clock, "local": f"{local_bytes} B", "home": "sram",
    }  # fmt: skip
    if weight_memory:
        array["weight_memory"] = weight_memory
    sram = {"kind": "memory", "capacity": "64 KiB", "rate": "80 Gbit/s", "latency": "1 ns", "burst": "256 B"}
    vias = {
        "kind": "tsv", "between": ["top", "bottom"], "lanes": 8, "rate": "1 Gbit/s", "latency": "2 ns",
        "burst": "256 B",
    }  # fmt: skip
    dies = {"top": {"tier": 1, "blocks": {"sram": sram}}, "bottom": {"tier": 0, "blocks": {"array": array}}}
    return {"name": "tiny", "dies": dies, "links": {"vias": vias}}


def pointwise(name: str, channels: int) -> Tree:
    return {"name": name, "op": "conv", "channels": str(channels), "kernel": ["1", "1"], "bias": "false"}


def lone_job(chip: Tree, input_shape: list[int], channels: list[int], deadline_ps: int) -> Case:
    layers = [pointwise(f"conv{i}", n) for i, n in enumerate(channels)]
    network = {"name": "net", "input": [str(side) for side in input_shape], "layers": layers}
    task = {"network": "net", "period": "10 us", "deadline": f"{deadline_ps} ps", "map": {"default": "array"}}
    return Case(chip, {"name": "lone", "tasks": {"job": task}}, {"net": network}, horizon_ps=10_000 * NS)
