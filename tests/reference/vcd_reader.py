"""A strict reader of value change dumps (IEEE 1364-2005, clause 18): whatever the standard does not allow is an error.

Of what is common beyond the standard it takes variables of type ``string``, whose values begin with ``s``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_IDENTIFIER = re.compile(r"[!-~]+")
_TIMESCALE = re.compile(r"(10{0,2})(s|ms|us|ns|ps|fs)")
_TYPES = ("wire", "integer", "string")


@dataclass
class Signal:
    """A variable and its values: (instant, value) from the first dump on; text for strings, else integers."""

    kind: str
    bits: int
    changes: list[tuple[int, int | str]] = field(default_factory=list)

    def at(self, instant: int) -> int | str:
        """The value that holds at ``instant``."""
        return [value for at, value in self.changes if at <= instant][-1]

    def pieces(self, end: int) -> list[tuple[int, int, int | str]]:
        """(from, up to, value) over the whole dump."""
        ends = [*(at for at, _ in self.changes[1:]), end]
        return [(at, until, value) for (at, value), until in zip(self.changes, ends, strict=True)]

    def integral(self, end: int) -> int:
        """Value times time."""
        return sum((until - at) * int(value) for at, until, value in self.pieces(end))


@dataclass
class Dump:
    """A whole file: signals by path, and the last instant."""

    timescale: str = ""
    signals: dict[tuple[str, ...], Signal] = field(default_factory=dict)
    end: int = 0

    def __getitem__(self, path: str) -> Signal:
        """By names with ``/`` between them, as names may hold dots."""
        return self.signals[tuple(path.split("/"))]


def read_vcd(text: str) -> Dump:
    """Raises AssertionError or ValueError where the text is not a value change dump."""
    dump, by_code = Dump(), dict[str, Signal]()
    words = iter(text.split())
    _header(words, dump, by_code)
    instant, dumping, first = -1, False, True
    for word in words:
        if word[0] == "#":
            at = int(word[1:])
            assert at > instant, f"the time goes back from {instant} to {at}"
            instant = at
        elif word == "$dumpvars":
            assert first
            assert instant == 0
            dumping = True
        elif word == "$end":
            assert dumping
            assert all(len(signal.changes) == 1 for signal in by_code.values()), "not every value is dumped"
            dumping = first = False
        else:
            assert instant >= 0
            code, value = _value(word, words)
            signal = by_code[code]
            _check(signal, value, word)
            if dumping:
                assert not signal.changes
            else:
                assert not first
                assert signal.changes[-1][1] != value, f"{code} does not change at {instant}"
                assert signal.changes[-1][0] < instant, f"{code} changes twice at {instant}"
            signal.changes.append((instant, value))
    assert not dumping
    dump.end = instant
    return dump


def _header(words: Iterator[str], dump: Dump, by_code: dict[str, Signal]) -> None:
    scope: list[str] = []
    for word in words:
        body = list(iter(lambda: next(words), "$end"))
        match word, body:
            case (("$comment" | "$version" | "$date"), _):
                pass
            case "$timescale", _:
                scale = _TIMESCALE.fullmatch("".join(body))
                assert scale
                dump.timescale = f"{scale[1]} {scale[2]}"
            case "$scope", ["module", name]:
                scope.append(name)
            case "$upscope", []:
                scope.pop()
            case "$var", [kind, bits, code, name]:
                assert kind in _TYPES
                assert _IDENTIFIER.fullmatch(code)
                assert code not in by_code
                path = (*scope, name)
                assert path not in dump.signals
                by_code[code] = dump.signals[path] = Signal(kind, int(bits))
            case "$enddefinitions", []:
                assert not scope
                assert dump.timescale
                return
            case _:
                raise ValueError(f"{word} {body}")
    raise ValueError("no $enddefinitions")


def _value(word: str, words: Iterator[str]) -> tuple[str, int | str]:
    if word[0] in "01":
        return word[1:], int(word[0])
    if word[0] == "b":
        return next(words), int(word[1:], 2)
    if word[0] == "s":
        return next(words), word[1:]
    raise ValueError(f"no value: {word}")


def _check(signal: Signal, value: int | str, word: str) -> None:
    assert isinstance(value, str) == (signal.kind == "string")
    if isinstance(value, int):
        assert 0 <= value < 1 << signal.bits
        assert (word[0] == "b") == (signal.bits > 1)
