"""Which parameters a platform's comments call fitted."""

from __future__ import annotations

import pytest

from tlm3d.errors import SpecError
from tlm3d.spec.fitted import Fitted, fitted_parameters
from tlm3d.spec.source import override, parse


def fitted(text: str, corner: str = "typical") -> list[Fitted]:
    return list(fitted_parameters(parse(text, "p.yaml"), corner))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a:\n  b: 3 mJ  # fitted: c/s/*\n", Fitted("a.b", "3 mJ", ("c/s/*",), 2)),
        ("a: 3  # fitted: c/s/q/x, c/t/*\n", Fitted("a", "3", ("c/s/q/x", "c/t/*"), 1)),
        ("a: 3  # a datasheet; fitted: c/*; as of 2020\n", Fitted("a", "3", ("c/*",), 1)),
        ("# fitted: c/*\na: 3\n", Fitted("a", "3", ("c/*",), 2)),
        ("# fitted: c/*\n# and why\na: 3  # fitted: d/*\n", Fitted("a", "3", ("c/*", "d/*"), 3)),
        ("a: {low: 1 J, typical: 2 J, high: 3 J}  # fitted: c/*\n", Fitted("a", "2 J", ("c/*",), 1)),
        ("a: {op: conv, rate: 4}  # fitted: c/*\n", Fitted("a.rate", "4", ("c/*",), 1)),
        ("a:\n  - 1\n  - 2 # fitted: c/*\n", Fitted("a.1", "2", ("c/*",), 3)),
        ("'a': '1#2'  # fitted: c/*\n", Fitted("a", "1#2", ("c/*",), 1)),
        ("a: {b: 1,  # fitted: c/*\n  c: 2}\n", Fitted("a.b", "1", ("c/*",), 1)),
        ("a: 3  # fitted: c/*\r\nb: 4\r\n", Fitted("a", "3", ("c/*",), 1)),
    ],
)
def test_a_comment_belongs_to_the_one_number_of_its_line_or_below(text: str, expected: Fitted) -> None:
    assert fitted(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "a: 3  # measured\n",
        "a: '3  # fitted: c/*'\n",
        'a: "3\n  # fitted: c/*"\n',
        "a: |\n  3  # fitted: c/*\n  # fitted: c/*\nb: 3\n",
        "a: x#fitted:c/*\n",
    ],
)
def test_what_is_no_comment_fits_nothing(text: str) -> None:
    assert fitted(text) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 3\nb: [1, 2]  # fitted: c/*\n", "p.yaml:2:12: 'fitted' belongs to one number, and line 2 has 2"),
        ("a: {b: 1, c: 2}  # fitted: c/*\n", "p.yaml:1:18: 'fitted' belongs to one number, and line 1 has 2"),
        ("a: x  # fitted: c/*\n", "p.yaml:1:7: 'fitted' belongs to one number, and line 1 has none"),
        ("# fitted: c/*\n\na: 3\n", "p.yaml:1:1: 'fitted' belongs to one number, and line 2 has none"),
        ("a: 3\n# fitted: c/*\n", "p.yaml:2:1: 'fitted' belongs to one number, and line 3 has none"),
        ("a: 3  # fitted:\n", "p.yaml:1:7: expected ids of rows such as 'fitted: chip/set/*', got 'fitted:'"),
        ("a: 3  # fitted: c d\n", "p.yaml:1:7: expected ids of rows such as 'fitted: chip/set/*', got 'fitted: c d'"),
        ("a: 3  # fitted: c,\n", "p.yaml:1:7: expected ids of rows such as 'fitted: chip/set/*', got 'fitted: c,'"),
        (
            "a: 3  # was fitted: c\n",
            "p.yaml:1:7: expected 'fitted:' at the beginning of a comment or behind a semicolon",
        ),
    ],
)
def test_a_comment_without_its_number_or_its_rows_is_a_problem(text: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        fitted(text)
    assert str(caught.value) == message


def test_a_value_at_corners_shows_the_one_asked_for() -> None:
    text = "a: {low: 1 J, typical: 2 J, high: 3 J}  # fitted: c/*\n"
    assert [fitted(text, corner)[0].value for corner in ("low", "high")] == ["1 J", "3 J"]


def test_a_value_that_was_set_since_keeps_its_line_and_rows() -> None:
    source = parse("a:\n  b: 3 mJ  # fitted: c/s/*\n", "p.yaml")
    override(source, "a.b", "5 mJ", "--set")
    assert fitted_parameters(source) == (Fitted("a.b", "5 mJ", ("c/s/*",), 2),)
