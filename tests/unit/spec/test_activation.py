"""Traces of arrivals: what is read of them, and what is said of one that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tlm3d.errors import SpecError
from tlm3d.spec.activation import MAX_TRACE_BYTES, read_arrivals
from tlm3d.spec.stages import Precedence, StageSpec


def trace(tmp_path: Path, text: str | bytes) -> Path:
    file = tmp_path / "arrivals.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def test_windows_line_ends_and_a_byte_order_mark_are_text(tmp_path: Path) -> None:
    assert read_arrivals(trace(tmp_path, b"\xef\xbb\xbf1 ns\r\n2 ns # two\r\n")) == (1000, 2000)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 ns\n\t-2 ns\n", "arrivals.csv:2:2: expected a time such as '33.3 ms', got '-2 ns': must not be negative"),
        ("1 ns, 2 ns\n", "arrivals.csv:1:1: expected a time such as '33.3 ms', got '1 ns, 2 ns'"),
        (b"1 ns\n\xff", "arrivals.csv:2:1: not UTF-8 text: byte 0xff"),
        ("#\n\n", "arrivals.csv:1:1: expected release times such as '33.3 ms', one a line, got none"),
    ],
)
def test_a_wrong_line_is_shown_where_it_stands(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(SpecError) as refused:
        read_arrivals(trace(tmp_path, text))
    assert str(refused.value).removeprefix(f"{tmp_path}/") == message


def test_of_many_wrong_lines_the_first_hundred_are_shown(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as refused:
        read_arrivals(trace(tmp_path, "soon\n" * 150))
    assert len(refused.value.problems) == 101
    assert refused.value.problems[-1].message == "50 more problems are not shown"


def test_a_huge_trace_is_refused_before_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "huge.csv"
    with file.open("wb") as huge:
        huge.truncate(MAX_TRACE_BYTES + 1)  # sparse
    with pytest.raises(SpecError, match="larger than the 64 MiB of a trace"):
        read_arrivals(file)


def stages(**after: object) -> Precedence:
    """Stages by name; ``...``: after the one before in the list."""
    trees = [{"name": name, "on": "p", "time": "1 ns", "after": them} for name, them in after.items()]
    return Precedence([StageSpec.model_validate({k: v for k, v in tree.items() if v is not ...}) for tree in trees])


def test_what_does_not_come_after_the_network_goes_before_it() -> None:
    order = stages(a=..., b="network", c=..., d="a", e=["d", "c"], f=[])
    assert order.early == (0, 3, 5)
    assert order.late == (1, 2, 4)
    assert order.last_early == (3, 5)  # d is read by e, which is late
    assert order.before == ((), (), (1,), (0,), (2, 3), ())
    assert not order.circle


def test_a_stage_below_is_taken_before_the_one_that_comes_after_it() -> None:
    order = stages(a="c", b=..., c=[], d=[])
    assert order.early == (2, 0, 1, 3)


def test_what_waits_for_a_circle_never_begins_either() -> None:
    order = stages(a=[], b="d", c="b", d="c", e="d")
    assert (order.early, order.circle) == ((0,), ("b", "c", "d", "e"))


def test_thousands_of_stages_are_put_in_order_at_once() -> None:
    chain = [StageSpec.model_validate({"on": "p", "time": "1 ns"}) for _ in range(20_000)]
    assert Precedence(chain).early == tuple(range(20_000))
