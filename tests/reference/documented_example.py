"""The platform and the network on docs/example.md."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from tlm3d.cnn.network import Network
from tlm3d.spec.network import network_of
from tlm3d.spec.platform import PlatformSpec, platform_of
from tlm3d.spec.source import override, parse

PAGE = Path(__file__).parents[2] / "docs" / "example.md"


def example_files() -> dict[str, str]:
    """The text of every file on the page, by name."""
    blocks = re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return {block.splitlines()[0].removeprefix("# "): block for block in blocks}


def example_platform(settings: Mapping[str, str] = {}) -> PlatformSpec:
    """The page's platform with values changed by dotted path."""
    source = parse(example_files()["platform.yaml"], "platform.yaml")
    for path, value in settings.items():
        override(source, path, value, "test")
    return platform_of(source)


def example_network() -> Network:
    """The page's network."""
    return network_of(parse(example_files()["net.yaml"], "net.yaml"))
