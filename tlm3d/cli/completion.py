"""What the shell offers where a name or a file is expected; nothing here may fail or be slow."""

from __future__ import annotations

from pathlib import Path

import typer

LISTS = ("blocks", "dataflows", "kernels", "links", "supplies", "policies", "plans", "networks")
NETWORKS = Path("workloads/networks")


def policies(incomplete: str) -> list[str]:
    """The policies there are."""
    return _names("policies", incomplete)


def planners(incomplete: str) -> list[str]:
    """The planners there are."""
    return _names("plans", incomplete)


def lists(incomplete: str) -> list[str]:
    """What ``tlm3d list`` lists."""
    return [name for name in LISTS if name.startswith(incomplete)]


def listed(ctx: typer.Context, incomplete: str) -> list[str]:
    """The names in the list that was chosen."""
    what = ctx.params.get("what")
    if what == "networks":
        return _networks(ctx.params.get("folder") or NETWORKS, incomplete)
    return _names(what, incomplete) if what in LISTS else []


def schemas(incomplete: str) -> list[str]:
    """The files that have a schema."""
    from tlm3d.spec.schema import FILES

    return [name for name in FILES if name.startswith(incomplete)]


def corners(incomplete: str) -> list[str]:
    """The corners there are."""
    from tlm3d.spec.corners import CORNERS

    return [name for name in CORNERS if name.startswith(incomplete)]


def compute_blocks(ctx: typer.Context, incomplete: str) -> list[str]:
    """The compute blocks of the platform that was named, as they may be referred to."""
    from tlm3d.errors import Tlm3dError
    from tlm3d.spec.platform import block_names, load_platform

    # The option still lacks its value, so the words before it are no parameters yet; the first is the platform.
    platform = next(iter(ctx.args), "")
    try:
        names = block_names(load_platform(platform).dies, "compute")
    except Tlm3dError:
        return []
    return [name for name in names if name.startswith(incomplete)]


def network_folders(platform: Path) -> list[Path]:
    """Where a network is looked for by its name when it is explained on ``platform``."""
    return list(dict.fromkeys([NETWORKS, Path("networks"), platform.parent / "networks"]))


def networks(ctx: typer.Context, incomplete: str) -> list[str]:
    """The networks by name, of the platform that was named too, and files."""
    folders = network_folders(Path(ctx.params.get("platform") or "."))
    named = {name for folder in folders for name in _networks(folder, incomplete)}
    return [*sorted(named), *yaml_files(incomplete)]


def yaml_files(incomplete: str) -> list[str]:
    """YAML files and folders; a folder that is the only match is entered, so that the shell does not end the word."""
    while True:
        found = _entries(incomplete)
        if len(found) != 1 or not found[0].endswith("/"):
            return found
        incomplete = found[0]


def _entries(incomplete: str) -> list[str]:
    head, slash, tail = incomplete.rpartition("/")
    folder = Path(head + slash)
    try:
        entries = sorted(entry for entry in folder.iterdir() if entry.name.startswith(tail))
        return [
            f"{head}{slash}{entry.name}{'/' if entry.is_dir() else ''}"
            for entry in entries
            if (entry.is_dir() or entry.suffix in (".yaml", ".yml")) and (tail or not entry.name.startswith("."))
        ]
    except OSError:
        return []


def _networks(folder: str | Path, incomplete: str) -> list[str]:
    return sorted(path.stem for path in Path(folder).glob("*.yaml") if path.stem.startswith(incomplete))


def _names(slot: str, incomplete: str) -> list[str]:
    from tlm3d.errors import PluginError
    from tlm3d.plugins import kinds

    try:
        return [name for name in kinds(slot) if name.startswith(incomplete)]
    except PluginError:
        return []
