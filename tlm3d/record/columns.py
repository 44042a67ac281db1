"""Facts as NumPy columns, for scripts that plot or count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tlm3d.record.recording import JobEnd, Span, StateInterval, TransferLeg


def columns(rows: Sequence[Span] | Sequence[TransferLeg] | Sequence[StateInterval] | Sequence[JobEnd]) -> Columns:
    """One array of length ``len(rows)`` a field: ``int64`` where every value fits, ``object`` (exact integers) where
    not, text and nested facts as ``object``. No rows give no columns.

    Sums of energies may not fit ``int64`` (9.2 J in aJ): sum ``column.astype(object)`` where they are large.
    """
    import numpy as np  # only scripts that ask for arrays pay for the import

    if not rows:
        return {}
    return {name: _column(np, [row[position] for row in rows]) for position, name in enumerate(rows[0]._fields)}


def _column(np: Any, values: list[Any]) -> NDArray[Any]:
    if isinstance(values[0], int) and all(-(1 << 63) <= value < 1 << 63 for value in values):
        return np.array(values, dtype=np.int64)  # type: ignore[no-any-return]
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column  # type: ignore[no-any-return]


if TYPE_CHECKING:
    Columns = dict[str, NDArray[np.int64] | NDArray[np.object_]]
