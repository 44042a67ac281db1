"""What a block says beside its cost, of itself or of a layer that it runs."""

from __future__ import annotations

from typing import NamedTuple


class Fact(NamedTuple):
    """A figure that is shown and not judged: ``key`` in JSON, ``label`` for people."""

    key: str
    label: str
    value: int | float

    @property
    def shown(self) -> str:
        """The value for people: a whole number in full, else to three digits."""
        return str(self.value) if isinstance(self.value, int) else f"{self.value:.3g}"
