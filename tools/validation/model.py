"""What chip modules run the model with: a platform at a corner with values changed, a layer, one inference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tlm3d.cnn.network import LayerRow, Network, build_network
from tlm3d.simulation import explain
from tlm3d.spec.pair import read_platform
from validation.chip import SILICON

if TYPE_CHECKING:
    from tlm3d.analysis.explain import Explanation
    from tlm3d.spec.platform import PlatformSpec


def platform(chip: str, settings: Sequence[str] = (), corner: str = "typical") -> PlatformSpec:
    """``platforms/silicon/<chip>.yaml`` with ``settings`` (``path=value``) applied. Raises SpecError."""
    return read_platform(str(SILICON / f"{chip}.yaml"), settings, corner)


def one_layer(row: LayerRow, input_shape: tuple[int, int, int], bits: int = 8) -> Network:
    """A network of that layer alone on an input of (height, width, channels)."""
    return build_network(row.name, input_shape, [row], bits)


def inference(
    described: PlatformSpec, network: Network, on: str | None = None, mapped: Mapping[str, str] | None = None
) -> Explanation:
    """One inference of ``network`` alone, layer by layer, as ``tlm3d explain --on … --map …`` shows it."""
    return explain(described, network, on, mapped)
