"""`explain` tells of the run that the same network would have alone: integer for integer."""

from __future__ import annotations

from pathlib import Path

import pytest
from reference.default_pair import PLATFORM, ROOT

from tlm3d.analysis.explain import Explanation
from tlm3d.analysis.result import Result
from tlm3d.simulation import explain, simulate
from tlm3d.spec.network import load_network
from tlm3d.spec.platform import load_platform
from tlm3d.spec.workload import load_workload

NETWORKS = ROOT / "workloads" / "networks"
CASES = {
    ("resnet8", "array"): '{default: array, "softmax*": cluster}',
    ("mobilenet_v1_025_96", "array"): '{default: array, "softmax*": cluster}',
    ("ds_cnn_kws", "cluster"): "{default: cluster}",
    ("autoencoder_ad", "npu.array"): "{default: npu.array}",
}


def run(network: str, where: str, folder: Path, horizon: str) -> Result:
    """The one-task workload as a user would write it, run."""
    file = folder / "alone.yaml"
    task = f"{{network: {NETWORKS / network}.yaml, period: {horizon}, map: {where}}}"
    file.write_text(f"name: alone\nhorizon: {horizon}\ntasks:\n  it: {task}\n", encoding="utf-8")
    return simulate(load_platform(PLATFORM), load_workload(file))


@pytest.fixture(params=CASES, ids="-".join)
def both(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Explanation, Result]:
    """A network explained, and run until the picosecond at which it ends."""
    network, on = request.param
    explained = explain(load_platform(PLATFORM), load_network(NETWORKS / f"{network}.yaml"), on)
    return explained, run(network, CASES[request.param], tmp_path, f"{explained.response_ps} ps")


def test_the_layers_times_are_the_response_of_the_run(both: tuple[Explanation, Result]) -> None:
    explained, result = both
    response = result.tasks["it"].response
    assert response is not None
    assert not response.max_is_bound
    assert explained.response_ps == response.max_ps == sum(layer.time_ps for layer in explained.layers)


def test_the_layers_energies_are_what_the_task_owns_and_the_rest_is_the_platforms(
    both: tuple[Explanation, Result],
) -> None:
    explained, result = both
    owned_aj = sum(account.energy_aj for account in result.accounts if account.task == "it")
    assert explained.energy_aj == owned_aj == sum(layer.energy_aj for layer in explained.layers)
    assert explained.energy_aj + explained.unowned_aj == result.total_aj


def test_the_causes_are_the_blame_of_the_run(both: tuple[Explanation, Result]) -> None:
    explained, result = both
    (blame,) = result.tightest
    assert explained.buckets_ps == blame.buckets
    assert sum(layer.compute_ps for layer in explained.layers) == blame.buckets["compute"]


def test_the_bytes_of_the_layers_are_what_the_ports_of_their_blocks_carried(both: tuple[Explanation, Result]) -> None:
    explained, result = both
    for block in {layer.work.block for layer in explained.layers}:
        works = [layer.work for layer in explained.layers if layer.work.block == block]
        carried = {way: result.channels[f"{block}.{way}"].bits for way in ("in", "out")}
        assert carried["in"] == 8 * sum(work.input_bytes + work.weight_bytes for work in works)
        assert carried["out"] == 8 * sum(work.output_bytes for work in works)


def test_the_multiplications_are_those_of_the_network_and_of_the_run(both: tuple[Explanation, Result]) -> None:
    explained, result = both
    macs = sum(layer.work.macs for layer in explained.layers)
    assert macs == result.recording.macs_executed
    assert 2 * macs == result.recording.tasks["it"].dense_ops


def test_without_a_block_the_fastest_one_is_taken() -> None:
    platform, network = load_platform(PLATFORM), load_network(NETWORKS / "resnet8.yaml")
    chosen = explain(platform, network)
    by_block = {block: explain(platform, network, block).response_ps for block in chosen.compared}
    assert set(by_block) == {"logic.cluster", "npu.array"}
    assert chosen.response_ps == by_block[chosen.block] == min(by_block.values())
