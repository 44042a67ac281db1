"""The platform and workload that come with the project, with values changed by dotted path."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tlm3d.model.system import System
from tlm3d.spec.platform import platform_of
from tlm3d.spec.source import Source, override, read_source
from tlm3d.spec.workload import workload_of

ROOT = Path(__file__).parents[2]
PLATFORM = ROOT / "platforms" / "three_tier_vision.yaml"
WORKLOAD = ROOT / "workloads" / "always_on_vision.yaml"


def default_system(
    policy: str = "edf",
    horizon_ps: int = 10**12,
    platform: Mapping[str, str] = {},
    workload: Mapping[str, str] = {},
) -> System:
    """The default pair, elaborated, with ``platform`` and ``workload`` values overridden."""
    sources = read_source(PLATFORM), read_source(WORKLOAD)
    for source, changes in zip(sources, (platform, workload), strict=True):
        for path, text in changes.items():
            override(source, path, text, "test")
    return system_of(*sources, policy, horizon_ps)


def system_of(platform: Source, workload: Source, policy: str = "edf", horizon_ps: int = 10**12) -> System:
    """A system from two sources; networks are those that come with the project."""
    return System(platform_of(platform), workload_of(workload, WORKLOAD.parent), policy, horizon_ps, 0)
