"""``--set PATH=VALUE``: changes to the text of a platform or workload before it is validated."""

from __future__ import annotations

from collections.abc import Sequence

from tlm3d.errors import Problem, SpecError
from tlm3d.spec.source import Source, override
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
