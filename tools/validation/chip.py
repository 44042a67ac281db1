"""A chip whose published figures are held against the model, and which chips there are."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from validation.row import Row, Rule

ROOT = Path(__file__).parents[2]
SILICON = ROOT / "platforms" / "silicon"


@dataclass(frozen=True, slots=True)
class Chip:
    """``rows(settings)`` are its figures, with values of the platform changed as ``--set`` does; the rest is prose."""

    name: str
    platform: Path
    rows: Callable[[Sequence[str]], list[Row]]
    rules: tuple[Rule, ...] = ()
    about: str = ""
    weak: str = ""


def chips() -> Iterator[Chip]:
    """Every module beside this one that has ``rows``, by name; its platform is ``platforms/silicon/<module>.yaml``.

    A module may have ``RULES``, and ``WEAK``: a paragraph on where the model is weak, and why.
    """
    for info in pkgutil.iter_modules([str(Path(__file__).parent)]):
        module = import_module(f"validation.{info.name}")
        if callable(rows := getattr(module, "rows", None)):
            yield Chip(
                info.name,
                SILICON / f"{info.name}.yaml",
                rows,
                tuple(getattr(module, "RULES", ())),
                inspect.cleandoc(module.__doc__ or ""),
                inspect.cleandoc(getattr(module, "WEAK", "")),
            )
