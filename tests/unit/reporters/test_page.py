"""Folding of names and bars of characters."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from tlm3d.reporters.page import Column, Kind, Page, _fold


@given(st.text(st.characters(categories=["L", "P", "Zs"]), max_size=60), st.integers(2, 30))
def test_a_folded_name_loses_nothing_but_spaces_and_fits(name: str, width: int) -> None:
    pieces = _fold(name, width)
    assert all(cell_len(piece) <= width for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(name.split())


@given(st.integers(1, 120), st.lists(st.tuples(st.text("ab-", max_size=30), st.integers(0, 10**12)), min_size=1))
def test_numbers_stay_whole_in_any_width(width: int, rows: list[tuple[str, int]]) -> None:
    file = io.StringIO()
    page = Page(Console(file=file, width=width))
    page.table([Column("name", Kind.NAME), Column("number")], [[name, str(number)] for name, number in rows])
    words = file.getvalue().split()
    assert all(str(number) in words for _, number in rows)


def test_a_bar_is_proportional_and_never_hides_what_is_there() -> None:
    page = Page(Console(file=io.StringIO()))
    assert [page.bar(share, 4) for share in (0.0, 1e-9, 0.5, 0.75, 1.0)] == ["", "▏", "██", "███", "████"]
    assert page.bar(0.53125, 4) == "██▏"  # 17 of 32 eighths


def test_optional_columns_go_one_by_one_from_the_last_and_are_named() -> None:
    columns = [Column("kept"), *(Column(f"{name} or not", optional=True) for name in "abc")]
    wide = ["1", *("12345678901234567890",) * 3]
    file = io.StringIO()
    assert Page(Console(file=file, width=60)).table(columns, [wide]) == ["c or not"]
    assert file.getvalue().split("\n")[0].split() == ["kept", "a", "or", "not", "b", "or", "not"]
    assert Page(Console(file=io.StringIO(), width=40)).table(columns, [wide]) == ["b or not", "c or not"]


def test_columns_of_detail_go_before_optional_ones_and_may_make_a_table_wider_than_the_page() -> None:
    columns = [Column("kept"), Column("detail " * 5, of_detail=True), Column("optional " * 4, optional=True)]
    rows = [["1" * 40, "2", "3"]]
    for width, left_out in ((130, []), (100, ["detail"]), (60, ["detail", "optional"])):
        file = io.StringIO()
        found = Page(Console(file=file, width=width)).table(columns, rows)
        assert [header.split()[0] for header in found] == left_out
        assert max(map(cell_len, file.getvalue().splitlines())) <= width
