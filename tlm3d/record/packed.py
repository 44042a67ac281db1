"""Facts kept in little memory: named tuples in columns of as few bytes as their values need.

The newest facts stand as they came. Once there are enough of them they become a block of columns: whole numbers in an
array of the narrowest type they fit, all else as the number under which it is known. Reading makes named tuples again.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, Generic, NamedTuple, Self, SupportsIndex, TypeVar, get_type_hints, overload

Fact = TypeVar("Fact", bound=NamedTuple)
Column = Sequence[Any]

_BLOCK = 4096  # facts
_NARROWEST = (("b", 1 << 7), ("h", 1 << 15), ("i", 1 << 31), ("q", 1 << 63))


class Names:
    """Numbers for things that occur again and again."""

    def __init__(self) -> None:
        self._number: dict[Hashable, int] = {}
        self._known: list[Any] = []

    def column(self, values: Sequence[Hashable]) -> Column:
        """The numbers of ``values``."""
        number = self._number
        try:
            return whole([number[value] for value in values])
        except KeyError:
            for value in values:
                if value not in number:
                    number[value] = len(self._known)
                    self._known.append(value)
        return whole([number[value] for value in values])

    def values(self, column: Column) -> list[Any]:
        """What ``column`` stands for."""
        known = self._known
        return [known[i] for i in column]


def whole(values: Sequence[int]) -> Column:
    """Whole numbers in the narrowest array they fit; as they are where 64 bits are too few."""
    low, high = min(values, default=0), max(values, default=0)
    for code, bound in _NARROWEST:
        if -bound <= low and high < bound:
            return array(code, values)
    return tuple(values)


class Packed(Sequence[Fact], Generic[Fact]):
    """A sequence of named tuples of type ``kind``, to which facts are only added."""

    def __init__(self, kind: type[Fact], names: Names, facts: Iterable[Fact] = ()) -> None:
        self._kind, self._names = kind, names
        types = get_type_hints(kind)
        self._numeric = [types[field] is int for field in kind._fields]
        self._blocks: list[tuple[Column, ...]] = []
        self._ends: list[int] = []  # facts up to and with each block
        self._newest: list[Fact] = []
        self.extend(facts)

    def append(self, fact: Fact, /) -> None:
        """Add one fact."""
        self.extend((fact,))

    def extend(self, facts: Iterable[Fact]) -> None:
        """Add ``facts`` in their order."""
        self._newest.extend(facts)
        if len(self._newest) >= _BLOCK:
            self._pack()

    def close(self) -> None:
        """No more facts will come: of a long run the newest ones become a block, too."""
        if self._blocks and self._newest:
            self._pack()

    def _pack(self) -> None:
        self._blocks.append(self._packed(self._newest))
        self._ends.append(len(self))
        self._newest = []

    def __iadd__(self, facts: Iterable[Fact], /) -> Self:
        self.extend(facts)
        return self

    def _packed(self, facts: Sequence[Fact]) -> tuple[Column, ...]:
        return self._columns(zip(*facts, strict=True))

    def _columns(self, columns: Iterable[Sequence[Any]]) -> tuple[Column, ...]:
        kinds = zip(columns, self._numeric, strict=True)
        return tuple(whole(column) if numeric else self._names.column(column) for column, numeric in kinds)

    def _unpacked(self, block: tuple[Column, ...]) -> Iterator[Fact]:
        kinds = zip(block, self._numeric, strict=True)
        columns = [column if numeric else self._names.values(column) for column, numeric in kinds]
        return map(self._kind._make, zip(*columns, strict=True))

    def __len__(self) -> int:
        return (self._ends[-1] if self._ends else 0) + len(self._newest)

    def __iter__(self) -> Iterator[Fact]:
        return chain(chain.from_iterable(map(self._unpacked, self._blocks)), self._newest)

    @overload
    def __getitem__(self, at: SupportsIndex, /) -> Fact: ...
    @overload
    def __getitem__(self, at: slice, /) -> list[Fact]: ...
    def __getitem__(self, at: SupportsIndex | slice, /) -> Fact | list[Fact]:
        if isinstance(at, slice):
            return list(self)[at]
        place = at.__index__()
        place = place + len(self) if place < 0 else place
        if not 0 <= place < len(self):
            raise IndexError(f"{len(self)} facts, none at {at}")
        i = bisect_right(self._ends, place)
        before = self._ends[i - 1] if i else 0
        if i == len(self._blocks):
            return self._newest[place - before]
        return next(islice(self._unpacked(self._blocks[i]), place - before, None))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or len(other) != len(self):
            return NotImplemented if not isinstance(other, Sequence) else False
        return all(one == another for one, another in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]  # it grows

    def __repr__(self) -> str:
        return f"<{len(self)} {self._kind.__name__}>"
