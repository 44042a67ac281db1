"""Traffic files: what is read, and what is refused before it costs anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from tlm3d.errors import SpecError
from tlm3d.spec import traffic
from tlm3d.spec.traffic import TrafficRow, read_traffic

HEADER = "initiator,after_ps,bytes,route\n"


def read(folder: Path, text: str | bytes, channels: set[str] | None = None) -> list[TrafficRow]:
    file = folder / "traffic.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_traffic(file, {"x", "y"} if channels is None else channels)


def problems(folder: Path, text: str | bytes) -> list[tuple[int, int, str]]:
    with pytest.raises(SpecError) as caught:
        read(folder, text)
    return [(problem.line, problem.column, problem.message) for problem in caught.value.problems]


def test_columns_come_in_any_order_and_priority_may_be_left_out(tmp_path: Path) -> None:
    expected = [TrafficRow("dma", 5, 64, ("x", "y"), 0)]
    assert read(tmp_path, f"{HEADER}dma,5,64,x|y\n") == expected
    assert read(tmp_path, "route,priority,bytes,initiator,after_ps\nx|y,,64,dma,5") == expected
    assert read(tmp_path, "route,priority,bytes,initiator,after_ps\nx|y,3,64,dma,5") == [
        expected[0]._replace(priority=3)
    ]


def test_spreadsheets_quotes_blank_lines_and_line_ends_are_understood(tmp_path: Path) -> None:
    text = '"initiator", after_ps ,bytes,"route"\r\n\r\n"dma, the ""first""" ,5, 64 ,"x | y"\r\n   \r\n'
    assert read(tmp_path, b"\xef\xbb\xbf" + text.encode()) == [TrafficRow('dma, the "first"', 5, 64, ("x", "y"), 0)]


def test_the_column_of_a_problem_counts_quotes_and_blanks(tmp_path: Path) -> None:
    found = problems(tmp_path, f'{HEADER}"a,b",  -1,"0",x\n')
    assert [(line, column) for line, column, _ in found] == [(2, 9), (2, 12)]


@pytest.mark.parametrize("number", ["1e3", "1_000", "+1", "1.0", "٣", "0x10", "1 2", "-0"])
def test_a_number_is_digits_and_nothing_else(tmp_path: Path, number: str) -> None:
    assert problems(tmp_path, f"{HEADER}a,{number},1,x\n") == [
        (2, 3, f"expected a whole number of at least 0, got '{number}'")
    ]


def test_a_number_of_any_length_is_refused_quickly(tmp_path: Path) -> None:
    ((line, column, message),) = problems(tmp_path, f"{HEADER}a,{'9' * 60_000},1,x\n")
    assert (line, column) == (2, 3)
    assert message.startswith("expected a whole number of at most 1000000000000000000, got '999")
    assert len(message) < 200


def test_the_largest_numbers_are_taken(tmp_path: Path) -> None:
    (row,) = read(tmp_path, f"{HEADER}a,{10**18},{2**26},x\n")
    assert (row.after_ps, row.n_bytes) == (10**18, 2**26)


def test_more_than_a_hundred_problems_are_counted(tmp_path: Path) -> None:
    found = problems(tmp_path, HEADER + "a,0,0,x\n" * 250)
    assert len(found) == 101
    assert found[-1] == (0, 0, "150 more problems")


def test_an_endless_line_is_not_read_to_its_end(tmp_path: Path) -> None:
    file = tmp_path / "endless.csv"
    with file.open("wb") as stream:
        stream.write(HEADER.encode())
        stream.truncate(100 * 2**20)  # sparse
    with pytest.raises(SpecError) as caught:
        read_traffic(file, {"x"})
    assert [problem.message for problem in caught.value.problems] == ["a line of more than 65536 bytes"]


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "huge.csv"
    with file.open("wb") as stream:
        stream.truncate(10**12)
    with pytest.raises(SpecError, match="larger than the 256 MiB that traffic may have"):
        read_traffic(file, {"x"})


def test_rows_beyond_the_limit_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic, "MAX_ROWS", 3)
    assert len(read(tmp_path, HEADER + "a,0,1,x\n" * 3)) == 3
    assert problems(tmp_path, HEADER + "a,0,1,x\n" * 5) == [(5, 1, "more than 3 rows")]


def test_without_a_platform_any_channel_passes(tmp_path: Path) -> None:
    file = tmp_path / "traffic.csv"
    file.write_text(f"{HEADER}a,0,1,x|nowhere\n", encoding="utf-8")
    assert read_traffic(file, None)[0].route == ("x", "nowhere")
