"""Write workloads/networks/*.yaml from the operator tables in tools/data.

    python tools/make_networks.py tools/data/mlperf_tiny_layers.csv tools/data/nanodrone_layers.csv [--check]

What is written is read back, built, and held against its table operator by operator: shapes, MACs, weights,
biases, bytes. Any difference stops the tool. ``--check`` writes nothing and exits with 1 when a file on disk is
not what would be written.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tlm3d.cnn.layers import Op, Shape
from tlm3d.cnn.network import LayerRow, Network, build_network

NETWORKS = Path(__file__).resolve().parents[1] / "workloads" / "networks"

MLPERF_OPS = {
    "CONV_2D": (Op.CONV, "conv"),
    "DEPTHWISE_CONV_2D": (Op.DEPTHWISE, "dw"),
    "AVERAGE_POOL_2D": (Op.POOL, "avgpool"),
    "ADD": (Op.ADD, "add"),
    "FULLY_CONNECTED": (Op.LINEAR, "fc"),
    "SOFTMAX": (Op.SOFTMAX, "softmax"),
}
DRONE_OPS = {"CONV": Op.CONV, "MAXPOOL": Op.POOL, "ADD": Op.ADD, "FC": Op.LINEAR}

# The tables list operators in order and do not say what each one reads. All read the operator before them, but for
# residual blocks: the shortcut reads what the block reads, and the add reads the end of the block and its shortcut.
RESNET8_READS = {
    "add3": ("conv0", "conv2"),  # block 1 keeps its shape: its shortcut is its input itself
    "conv6": ("add3",),
    "add7": ("conv5", "conv6"),
    "conv10": ("add7",),
    "add11": ("conv9", "conv10"),
}
DRONET_READS = {
    "rb1.bypass1x1": ("pool",),
    "rb1.add": ("rb1.conv2", "rb1.bypass1x1"),
    "rb2.bypass1x1": ("rb1.add",),
    "rb2.add": ("rb2.conv2", "rb2.bypass1x1"),
    "rb3.bypass1x1": ("rb2.add",),
    "rb3.add": ("rb3.conv2", "rb3.bypass1x1"),
}


@dataclass(frozen=True, slots=True)
class Operator:
    """One line of a table. ``biases`` is None where the table counts weights only."""

    name: str
    op: Op
    in_shapes: tuple[Shape, ...]
    out_shape: Shape
    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: str
    macs: int
    weights: int
    biases: int | None
    in_bytes: int
    out_bytes: int


@dataclass(frozen=True, slots=True)
class Source:
    """One network of one table: the file to write, the rows to take, and what the tables leave out."""

    name: str
    title: str
    network: str
    reads: Mapping[str, tuple[str, ...]]


MLPERF = (
    Source("ds_cnn_kws", "MLPerf Tiny keyword spotting: DS-CNN", "DS-CNN", {}),
    Source("mobilenet_v1_025_96", "MLPerf Tiny visual wake words: MobileNetV1-0.25", "MobileNetV1-0.25-96", {}),
    Source("resnet8", "MLPerf Tiny image classification: ResNet-8", "ResNet-8", RESNET8_READS),
    Source("autoencoder_ad", "MLPerf Tiny anomaly detection: fully connected autoencoder", "FC-AutoEncoder", {}),
    Source(
        "streaming_wakeword",
        "MLPerf Tiny streaming wake word: 1D DS-CNN (height is time)",
        "streaming-wakeword-1D-DS-CNN",
        {},
    ),
)
DRONE = (
    Source(
        "pulp_dronet_v2",
        "PULP-Dronet v2: steering and collision from a 200x200 grey image; 'pool' takes the maximum",
        "PULP-Dronet v2",
        DRONET_READS,
    ),
)


class MismatchError(Exception):
    """A network that is not what its table says."""


# ---------------------------------------------------------------- tables to operators


def mlperf_operators(lines: list[dict[str, str]], network: str) -> Iterator[Operator]:
    """Operators of one MLPerf Tiny network; a RESHAPE moves nothing and is left out."""
    for line in lines:
        if line["network"] != network or line["op"] == "RESHAPE":
            continue
        op, short = MLPERF_OPS[line["op"]]
        kernel = int(line["kh"] or 1), int(line["kw"] or 1)
        stride = int(line["stride_h"] or 1), int(line["stride_w"] or 1)
        if op is Op.CONV and kernel == stride == (1, 1):
            short = "pw"
        yield Operator(
            name=f"{short}{line['idx']}",
            op=op,
            in_shapes=tuple(tflite_shape(text) for text in line["in_shape"].split(" + ")),
            out_shape=tflite_shape(line["out_shape"]),
            kernel=kernel,
            stride=stride,
            padding=line["padding"].lower(),
            macs=int(line["macs"]),
            weights=int(line["weights"]),
            biases=int(line["biases"]),
            in_bytes=int(line["ifmap_bytes"]),
            out_bytes=int(line["ofmap_bytes"]),
        )


def drone_operators(lines: list[dict[str, str]], network: str) -> Iterator[Operator]:
    """Operators of one nano-drone network, under the table's own names."""
    for line in lines:
        if line["network"] != network:
            continue
        kernel, stride = int(line["kernel"] or 1), int(line["stride"] or 1)
        times, _, shape = line["in_shape_HWC"].rpartition("x ")
        yield Operator(
            name=line["layer"],
            op=DRONE_OPS[line["op"]],
            in_shapes=(hwc_shape(shape),) * int(times or 1),
            out_shape=hwc_shape(line["out_shape_HWC"]),
            kernel=(kernel, kernel),
            stride=(stride, stride),
            padding="valid" if line["pad"] in ("", "0") else line["pad"],
            macs=int(line["macs"]),
            weights=int(line["weights"]),
            biases=None,
            in_bytes=int(line["ifmap_bytes_int8"]),
            out_bytes=int(line["ofmap_bytes_int8"]),
        )


def hwc_shape(text: str) -> Shape:
    """``25x5x64`` or, for a vector, ``64``."""
    height, width, channels = ([1, 1] + [int(side) for side in text.split("x")])[-3:]
    return Shape(height, width, channels)


def tflite_shape(text: str) -> Shape:
    """``1x25x5x64`` or, for a vector, ``1x64``; the batch is always 1."""
    batch, _, rest = text.partition("x")
    if batch != "1":
        raise MismatchError(f"expected a batch of 1, got shape {text}")
    return hwc_shape(rest)


# ---------------------------------------------------------------- operators to YAML


def network_text(source: Source, table: str, operators: list[Operator]) -> str:
    """The YAML file of a network."""
    first = operators[0].in_shapes[0]
    macs = sum(operator.macs for operator in operators)
    weights = sum(operator.weights for operator in operators)
    head = [
        f"# {source.title}.",
        f"# {macs:,} MAC, {weights:,} int8 weights; biases are one int32 an output channel.",
        f"# Written by tools/make_networks.py from tools/data/{table}.",
        f"name: {source.name}",
        f"input: [{first.height}, {first.width}, {first.channels}]  # height, width, channels",
        "layers:",
    ]
    return "\n".join(head + [f"  - {{{row_text(operator, source.reads)}}}" for operator in operators]) + "\n"


def row_text(operator: Operator, reads: Mapping[str, tuple[str, ...]]) -> str:
    keys = [f"name: {operator.name}", f"op: {operator.op}"]
    if operator.name in reads:
        keys.append(f"reads: [{', '.join(reads[operator.name])}]")
    if operator.op in (Op.CONV, Op.LINEAR):
        keys.append(f"channels: {operator.out_shape.channels}")
    if operator.op in (Op.CONV, Op.DEPTHWISE, Op.POOL):
        keys.append(f"kernel: [{operator.kernel[0]}, {operator.kernel[1]}]")
        if operator.stride != (1, 1):
            keys.append(f"stride: [{operator.stride[0]}, {operator.stride[1]}]")
        if operator.kernel != (1, 1):
            keys.append(f"padding: {operator.padding}")
    return ", ".join(keys)


# ---------------------------------------------------------------- YAML held against its table


def verify(text: str, operators: list[Operator]) -> None:
    """Build the network that ``text`` says and compare it with its table. Raises MismatchError."""
    network = built(yaml.safe_load(text))
    for layer, said in zip(network.layers, operators, strict=True):
        in_shapes = layer.in_shapes
        if layer.op is Op.LINEAR:  # tables show its input as the vector it is read as
            in_shapes = (Shape(1, 1, in_shapes[0].elements),)
        facts = {
            "name": (layer.name, said.name),
            "input shapes": (in_shapes, said.in_shapes),
            "output shape": (layer.out_shape, said.out_shape),
            "MACs": (layer.macs, said.macs),
            "weights": (layer.weights, said.weights),
            "biases": (layer.biases, layer.biases if said.biases is None else said.biases),
            "input bytes": (layer.in_bytes, said.in_bytes),
            "output bytes": (layer.out_bytes, said.out_bytes),
        }
        for what, (is_, should) in facts.items():
            if is_ != should:
                raise MismatchError(f"{network.name}: {said.name}: {what}: built {is_}, the table says {should}")


def built(document: dict[str, Any]) -> Network:
    """The network of a parsed file."""
    rows = []
    for layer in document["layers"]:
        keys: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in layer.items()}
        rows.append(LayerRow(**keys | {"op": Op(layer["op"])}))
    height, width, channels = document["input"]
    return build_network(document["name"], (height, width, channels), rows)


def networks(mlperf: Path, drone: Path) -> Iterator[tuple[str, str]]:
    """Name and text of every network, verified."""
    for table, sources, operators_of in ((mlperf, MLPERF, mlperf_operators), (drone, DRONE, drone_operators)):
        with table.open(newline="") as file:
            lines = list(csv.DictReader(file))
        for source in sources:
            operators = list(operators_of(lines, source.network))
            if not operators:
                raise MismatchError(f"{table}: no operators of {source.network}")
            text = network_text(source, table.name, operators)
            verify(text, operators)
            yield source.name, text


def main() -> int:
    parser = argparse.ArgumentParser(description="Write workloads/networks/*.yaml from operator tables.")
    parser.add_argument("mlperf", type=Path, help="mlperf_tiny_layers.csv")
    parser.add_argument("drone", type=Path, help="nanodrone_layers.csv")
    parser.add_argument("--check", action="store_true", help="compare with the files on disk, write nothing")
    arguments = parser.parse_args()
    different = []
    for name, text in networks(arguments.mlperf, arguments.drone):
        path = NETWORKS / f"{name}.yaml"
        if not arguments.check:
            path.write_text(text)
        elif not path.is_file() or path.read_text() != text:
            different.append(str(path))
    if different:
        print("not what tools/make_networks.py would write:", *different, sep="\n  ", file=sys.stderr)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
