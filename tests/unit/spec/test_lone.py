"""Where the layers of a lone network go."""

from __future__ import annotations

from pathlib import Path

import pytest

from tlm3d.cnn.layers import Op
from tlm3d.cnn.network import LayerRow, Network, build_network
from tlm3d.errors import SpecError
from tlm3d.spec.lone import placements
from tlm3d.spec.platform import PlatformSpec, platform_of
from tlm3d.spec.source import override, read_source

GOOD = Path(__file__).parents[2] / "cli" / "good" / "platform.yaml"
VECTOR = "{kind: cnn-accelerator, array: [4, 4], clock: 100 MHz, local: 8 KiB, elements_per_cycle: 4, home: l2}"
CONVOLVER = "{kind: riscv-cluster, cores: 1, clock: 100 MHz, l1: 16 KiB, mac_per_cycle: {conv: 1}, home: l2}"


def platform(**blocks: str) -> PlatformSpec:
    """The good platform with more blocks on its die npu: its array runs neither pooling nor softmax."""
    source = read_source(GOOD)
    for name, text in blocks.items():
        override(source, f"dies.npu.blocks.{name}", text, "test")
    return platform_of(source)


def network(*ops: Op) -> Network:
    rows = [
        LayerRow(
            f"{op}{i}",
            op,
            channels=4 if op in (Op.CONV, Op.LINEAR) else None,
            kernel=(2, 2) if op is Op.POOL else None,
        )
        for i, op in enumerate(ops)
    ]
    return build_network("net", (8, 8, 1), rows)


def test_what_a_block_does_not_run_goes_to_the_one_that_runs_most_of_it() -> None:
    found = platform(a_vector=VECTOR)  # before the cluster by name, but it runs only the pooling
    (placement,) = placements(found, network(Op.CONV, Op.POOL, Op.SOFTMAX), "array")
    assert placement.elsewhere == {"pool1": "logic.cluster", "softmax2": "logic.cluster"}


def test_a_block_that_runs_less_than_half_of_the_layers_is_no_candidate() -> None:
    found = platform(convolver=CONVOLVER)  # runs no linear layers
    tried = placements(found, network(Op.LINEAR, Op.LINEAR, Op.LINEAR, Op.SOFTMAX))
    assert [placement.block for placement in tried] == ["logic.cluster", "npu.array"]
    halves = placements(found, network(Op.LINEAR, Op.SOFTMAX))
    assert [placement.block for placement in halves] == ["logic.cluster", "npu.array", "npu.convolver"]


def test_a_name_on_two_dies_asks_for_the_die() -> None:
    found = platform(cluster=CONVOLVER)
    with pytest.raises(SpecError, match=r"'cluster' is on several dies: say logic\.cluster or npu\.cluster"):
        placements(found, network(Op.CONV), "cluster")
    assert placements(found, network(Op.CONV), "npu.cluster")[0].block == "npu.cluster"


def test_a_kernel_that_a_block_does_not_run_goes_to_another_one() -> None:
    found = platform(
        engine="{kind: cnn-accelerator, array: [16, 32], dataflow: bit-serial, clock: 1 GHz, local: 64 KiB, home: l2}"
    )
    rows = [LayerRow(f"conv{k}", Op.CONV, channels=4, kernel=(k, k)) for k in (1, 3, 5)]
    (placement,) = placements(found, build_network("net", (8, 8, 1), rows), "engine")
    assert placement.elsewhere == {"conv5": "logic.cluster"}


@pytest.mark.parametrize("block", ["array", "npu.array", "logic.cluster"])
@pytest.mark.parametrize("on", ["array", "cluster", None])
def test_a_mapped_layer_runs_there_and_all_others_where_they_did(on: str | None, block: str) -> None:
    found, net = platform(), network(Op.CONV, Op.POOL, Op.CONV, Op.SOFTMAX)
    there = {"array": "npu.array"}.get(block, block)
    before, after = placements(found, net, on), placements(found, net, on, {"conv2": block})
    assert [one.block for one in after] == [one.block for one in before]
    assert [one.by_layer for one in after] == [{**one.by_layer, "conv2": there} for one in before]
