"""The networks of workloads/networks against their published totals."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tlm3d.cnn.layers import Op
from tlm3d.cnn.network import LayerRow, Network, build_network

ROOT = Path(__file__).resolve().parents[3]
NETWORKS = ROOT / "workloads" / "networks"


def read(name: str) -> Network:
    document = yaml.safe_load((NETWORKS / f"{name}.yaml").read_text())
    assert document["name"] == name
    rows = []
    for layer in document["layers"]:
        keys: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in layer.items()}
        rows.append(LayerRow(**keys | {"op": Op(layer["op"])}))
    height, width, channels = document["input"]
    return build_network(name, (height, width, channels), rows)


@pytest.mark.parametrize(
    ("name", "macs", "parameters"),
    [
        ("ds_cnn_kws", 2_656_768, 22_604),
        ("mobilenet_v1_025_96", 7_489_664, 210_850),
        ("resnet8", 12_501_632, 77_706),
        ("autoencoder_ad", 264_192, 265_864),
        ("streaming_wakeword", 826_368, 46_883),
        ("pulp_dronet_v2", 41_103_104, 319_520 + 706),
    ],
)
def test_a_reference_network_has_its_published_work(name: str, macs: int, parameters: int) -> None:
    network = read(name)
    assert network.macs == macs
    assert sum(layer.parameters for layer in network.layers) == parameters


def test_every_network_file_builds() -> None:
    assert {read(path.stem).name for path in NETWORKS.glob("*.yaml")}


def test_a_shortcut_reads_what_its_block_reads() -> None:
    for name in ("resnet8", "pulp_dronet_v2"):
        network = read(name)
        for add in (layer for layer in network.layers if layer.op is Op.ADD):
            main, shortcut = sorted(map(network.layer, add.reads), key=lambda layer: layer.kernel, reverse=True)
            if shortcut.kernel == (1, 1):
                assert network.layer(main.reads[0]).reads == shortcut.reads


DATA = ROOT / "tools" / "data"


def check(mlperf: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "tools/make_networks.py", str(mlperf), str(DATA / "nanodrone_layers.csv"), "--check"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )


def test_the_tool_writes_the_files_that_are_there() -> None:
    ran = check(DATA / "mlperf_tiny_layers.csv")
    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_table_that_the_shapes_contradict_stops_the_tool(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text((DATA / "mlperf_tiny_layers.csv").read_text().replace(",320000,", ",320001,"))
    ran = check(table)
    assert ran.returncode == 1
    assert "ds_cnn_kws: conv0: MACs: built 320000, the table says 320001" in ran.stderr
