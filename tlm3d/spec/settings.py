"""``--set PATH=VALUE``: changes to the text of a platform or workload before it is validated."""

from __future__ import annotations

from collections.abc import Sequence

from tlm3d.errors import Problem, SpecError
from tlm3d.spec.source import Source, override, steps
from tlm3d.units import clip, harmless


def apply_settings(
    platform: Source | None, workload: Source | None, settings: Sequence[str], option: str = "--set"
) -> None:
    """Apply each ``path=value`` in order; paths that start with ``workload.`` go there. Raises SpecError.

    ``option`` names them in problems. What should go to a file that could not be read (None) is passed over.
    """
    found: list[Problem] = []
    for setting in settings:
        path, equals, value = setting.partition("=")
        path = path.strip()
        place = f"{option} {harmless(path)}"
        if not equals or not path:
            message = f"expected PATH=VALUE such as links.tsv.rate='20 Mbit/s', got {clip(setting)}"
            found.append(Problem(option, 0, 0, "", message))
            continue
        inside = path.removeprefix("workload.")
        target = platform if inside == path else workload
        if target is None:
            continue
        try:
            override(target, inside, value, place)
        except SpecError as error:
            found += error.problems
    if found:
        raise SpecError(found)


def settings_by_platform(platforms: Sequence[Source], settings: Sequence[str]) -> list[tuple[str, ...]]:
    """For each platform, those ``settings`` whose path leads somewhere in it, and those of the workload.

    What leads nowhere in any of them stays with the one where it gets furthest, which then says what is wrong with it.
    """
    kept: list[list[str]] = [[] for _ in platforms]
    for setting in settings:
        path = setting.partition("=")[0].strip()
        if path.startswith("workload."):
            having = list(range(len(platforms)))
        else:
            depths = [steps(platform, path) for platform in platforms]
            there = [i for i, depth in enumerate(depths) if depth == len(path.split("."))]
            having = there or [depths.index(max(depths))]
        for i in having:
            kept[i].append(setting)
    return [tuple(one) for one in kept]
