"""Network files: layer lists."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from tlm3d.cnn.layers import Op
from tlm3d.cnn.network import LayerRow, Network, NetworkError, build_network
from tlm3d.errors import Problem, SpecError, did_you_mean, one_of
from tlm3d.spec.corners import TYPICAL, at_corner
from tlm3d.spec.quantities import Count, Flag, Frozen, PaddingText, Title
from tlm3d.spec.source import Source, read_source
from tlm3d.spec.validate import Problems, expect_file
from tlm3d.units import clip


class LayerText(Frozen):
    """A layer as written; what may be left out follows the op."""

    name: str
    op: Op
    reads: tuple[str, ...] | None = None
    channels: Count | None = None
    kernel: tuple[Count, Count] | None = None
    stride: tuple[Count, Count] | None = None
    padding: PaddingText | None = None
    weight_bits: Count | None = None
    bias: Flag | None = None


class NetworkText(Frozen):
    """A network as written: input [height, width, channels] and its layers in order."""

    name: Title
    input: tuple[Count, Count, Count]
    activation_bits: Count = 8
    weight_bits: Count = 8
    layers: list[dict[str, Any]] = Field(min_length=1)


def find_network(name: str, folders: Sequence[Path]) -> Path:
    """The file of network ``name``: a path, or the name of a file in one of ``folders``. Raises SpecError."""
    if "/" in name or name.endswith((".yaml", ".yml")) or Path(name).is_file():
        return Path(name)
    plain = len(name) <= 200 and "\0" not in name
    for folder in folders if plain else ():
        if (folder / f"{name}.yaml").is_file():
            return folder / f"{name}.yaml"
    known = sorted({path.stem for folder in folders for path in folder.glob("*.yaml")})
    hint = did_you_mean(name, known) or (one_of(known) if known else "")
    where = ", ".join(map(str, folders))
    raise SpecError(
        [Problem("NETWORK", 0, 0, "", f"no file {clip(name)}, and no network of that name in {where}{hint}")]
    )


def load_network(path: str | Path, corner: str = TYPICAL) -> Network:
    """Read one network file at ``corner``. Raises SpecError with every problem found."""
    return network_of(read_source(path), corner)


def network_of(source: Source, corner: str = TYPICAL) -> Network:
    """The network described by ``source`` at ``corner`` (low, typical, high). Raises SpecError."""
    expect_file(source, "network")
    source, found = at_corner(source, corner)
    problems = Problems(source, found)
    text = problems.model(NetworkText, source.tree, ())
    rows: list[LayerRow] = []
    layers = source.tree.get("layers") if isinstance(source.tree, dict) else None
    for index, layer in enumerate(layers if isinstance(layers, list) else []):
        row = problems.model(LayerText, layer, ("layers", index))
        if row is not None:
            problems.name(row.name, ("layers", index, "name"), dots=True)
            rows.append(LayerRow(**{key: getattr(row, key) for key in LayerText.model_fields}))
    problems.raise_any()
    assert text is not None  # else raise_any has raised
    try:
        return build_network(text.name, text.input, rows, text.activation_bits, text.weight_bits)
    except NetworkError as error:
        where = (error.key,) if error.index is None else ("layers", error.index, error.key)
        problems.add(where, str(error))
        problems.raise_any()
        raise
