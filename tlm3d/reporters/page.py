"""A page of aligned columns on a console: never wider than 100 characters, and no number ever shortened.

Rich's own tables cut cells with an ellipsis when the console is narrow. Here the gaps close first, then optional
columns go one by one, those that matter least first, then names fold; numbers stay whole, and the terminal wraps what
still does not fit. Only a table that would lose columns is wider than the page, where the console is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import zip_longest

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

MAX_WIDTH, MAX_TABLE_WIDTH = 100, 130
_MIN_NAME, _MIN_BAR, _MAX_BAR = 8, 6, 24
_INDENT = 1
_BREAK_AFTER = " -_:>.,/#·"
_ASCII = str.maketrans(
    {"≥": ">=", "≤": "<=", "·": "-", "–": "-", "−": "-", "…": "...", "µ": "u", "μ": "u", "│": "|", "×": "x"}
)
_VERDICTS = {"ok": "green", "LATE": "bold red", "OVER": "bold red", "drops": "bold red", "unjudged": "yellow"}


class Kind(Enum):
    """How a column behaves: numbers align right and never fold, names fold, a bar takes a share in [0, 1]."""

    NUMBER = "number"
    NAME = "name"
    BAR = "bar"
    VERDICT = "verdict"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table; an ``optional`` one is left out where there is no room.

    The first to go are those ``of_detail``, the last of them first; then the other optional ones, in the same way.
    """

    header: str
    kind: Kind = Kind.NUMBER
    optional: bool = False
    of_detail: bool = False

    @property
    def can_go(self) -> bool:
        """Whether it may be left out."""
        return self.optional or self.of_detail


Cell = str | float  # float: the share in [0, 1] of a bar


class Page:
    """Lines of text for one console, in its width and in the characters that its encoding has."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.width = max(40, min(console.width, MAX_WIDTH))
        self._table_width = max(self.width, min(console.width, MAX_TABLE_WIDTH))
        self.ascii = not console.encoding.startswith("utf")

    def clean(self, text: str) -> str:
        """``text`` made harmless: control characters escaped, and plain ASCII where the console has no more."""
        shown = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
        if self.ascii:
            shown = shown.translate(_ASCII).encode("ascii", "backslashreplace").decode("ascii")
        return shown

    def line(self, *pieces: str | tuple[str, str]) -> None:
        """One line of pieces, each a text or (text, style), that is never wrapped by us."""
        text = Text()
        for piece in pieces:
            words, style = (piece, "") if isinstance(piece, str) else piece
            text.append(self.clean(words), style)
        text.rstrip()
        self._put(text)

    def heading(self, title: str, remark: str = "") -> None:
        """An empty line and a section's title; a remark that does not fit beside it goes below."""
        self._put(Text())
        title, remark = self.clean(title), self.clean(remark)
        if not remark:
            self._put(Text(title, "bold"))
        elif cell_len(title) + 2 + cell_len(remark) <= self.width:
            self._put(Text.assemble((title, "bold"), "  ", remark))
        else:
            self._put(Text(title, "bold"))
            self.paragraph(remark)

    def paragraph(self, text: str) -> None:
        """Indented prose, folded to the width."""
        for part in _fold(self.clean(text), self.width - _INDENT):
            self._put(Text(" " * _INDENT + part))

    def bar(self, share: float, width: int) -> str:
        """``share`` in [0, 1] as a bar of up to ``width`` characters; anything above 0 shows."""
        steps = 1 if self.ascii else 8
        filled = round(max(0.0, min(1.0, share)) * width * steps)
        filled = max(filled, 1) if share > 0 else 0
        if self.ascii:
            return "#" * filled
        return "█" * (filled // 8) + ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")[filled % 8]

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> list[str]:
        """Aligned columns under one line of headers; a column whose cells are all empty is left out.

        Returns the headers of the optional columns for which there was no room.
        """
        shown = [[self.clean(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
        used = [i for i in range(len(columns)) if any(row[i] != "" for row in shown)]
        columns, shown = [columns[i] for i in used], [[row[i] for i in used] for row in shown]
        kept, shown, widths, gap = self._fitted(columns, shown)
        self._row(kept, [column.header for column in kept], widths, gap, header=True)
        for row in shown:
            self._row(kept, row, widths, gap)
        return [column.header for column in columns if column not in kept]

    def _fitted(
        self, columns: list[Column], rows: list[list[Cell]]
    ) -> tuple[list[Column], list[list[Cell]], list[int], int]:
        """The columns and rows to show, the width of each column and the gap between them."""
        optional = [i for i, column in enumerate(columns) if column.can_go]
        optional.sort(key=lambda i: (columns[i].of_detail, i))
        width = self._table_width if any(column.of_detail for column in columns) else self.width
        choices = [set(optional[len(optional) - n :]) for n in range(len(optional) + 1)]  # which ones to leave out
        details = sum(column.of_detail for column in columns)
        for left_out, gap in (
            (choice, gap) for choice in choices for gap in ((2, 1) if len(choice) >= details else (2,))
        ):
            places = [i for i in range(len(columns)) if i not in left_out]
            kept = [columns[i] for i in places]
            cells = [[row[i] for i in places] for row in rows]
            widths = [_natural(column, [row[i] for row in cells]) for i, column in enumerate(kept)]
            spare = width - _INDENT - sum(widths) - gap * (len(widths) - 1)
            if spare >= 0:
                break
        for i, column in enumerate(kept):
            if column.kind is Kind.BAR and spare > 0:
                widths[i] = min(_MAX_BAR, _MIN_BAR + spare)
        while spare < 0:
            names = [i for i, c in enumerate(kept) if c.kind is Kind.NAME and widths[i] > _MIN_NAME]
            if not names:
                break
            widths[max(names, key=lambda i: widths[i])] -= 1
            spare += 1
        return kept, cells, widths, gap

    def _row(
        self, columns: Sequence[Column], cells: Sequence[Cell], widths: Sequence[int], gap: int, header: bool = False
    ) -> None:
        """One row; folded names make it several lines."""
        stacks: list[list[str]] = []
        for column, cell, width in zip(columns, cells, widths, strict=True):
            if isinstance(cell, float):
                stacks.append([self.bar(cell, width)])
            else:
                stacks.append(_fold(cell, width) if column.kind is Kind.NAME else [cell])
        for parts in zip_longest(*stacks, fillvalue=""):
            line = Text(" " * _INDENT)
            for i, (column, part, width) in enumerate(zip(columns, parts, widths, strict=True)):
                pad = " " * max(0, width - cell_len(part))
                style = "dim" if header else _VERDICTS.get(part, "") if column.kind is Kind.VERDICT else ""
                line.append(" " * gap if i else "")
                line.append(pad if column.kind is Kind.NUMBER else "")
                line.append(part, style)
                line.append("" if column.kind is Kind.NUMBER else pad)
            line.rstrip()
            self._put(line)

    def _put(self, text: Text) -> None:
        self._console.print(text, soft_wrap=True)


def _natural(column: Column, cells: Sequence[Cell]) -> int:
    """The width a column takes when nothing folds."""
    widest = max((cell_len(cell) for cell in cells if isinstance(cell, str)), default=0)
    return max(cell_len(column.header), widest, _MIN_BAR if column.kind is Kind.BAR else 0)


def _fold(text: str, width: int) -> list[str]:
    """``text`` in pieces of at most ``width`` cells, broken after punctuation where there is some in the later half."""
    pieces = []
    while cell_len(text) > width:
        cut = _fitting(text, width)
        breaks = [i + 1 for i in range(cut // 2, cut) if text[i] in _BREAK_AFTER and not _inside_number(text, i)]
        # A space just beyond the width is a break as good as one inside it.
        cut = cut if text[cut] == " " or not breaks else breaks[-1]
        pieces.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    return [*pieces, text]


def _inside_number(text: str, i: int) -> bool:
    """Whether the character at ``i`` is the point of a decimal number."""
    return text[i] == "." and text[i - 1 : i].isdigit() and text[i + 1 : i + 2].isdigit()


def _fitting(text: str, width: int) -> int:
    """How many characters of ``text`` fit into ``width`` cells; at least 1."""
    cells = 0
    for i, c in enumerate(text):
        cells += cell_len(c)
        if cells > width:
            return max(1, i)
    return len(text)
