"""YAML as text with marks: every value knows its file, line and column."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlm3d.errors import Problem, SpecError
from tlm3d.spec import source
from tlm3d.spec.source import Source, override, parse

TEXT = """\
name: stack
dies:
  logic: {tier: 0, blocks: [l2, "l3"]}
"""


def problem(text: str) -> Problem:
    with pytest.raises(SpecError) as caught:
        parse(text, "f.yaml")
    (found,) = caught.value.problems
    return found


def test_every_value_and_key_has_its_line_and_column() -> None:
    read = parse(TEXT, "f.yaml")
    assert read.values[()] == ("f.yaml", 1, 1)
    assert read.values["name",] == ("f.yaml", 1, 7)
    assert read.keys["dies", "logic"] == ("f.yaml", 3, 3)
    assert read.values["dies", "logic"] == ("f.yaml", 3, 10)
    assert read.keys["dies", "logic", "tier"] == ("f.yaml", 3, 11)
    assert read.values["dies", "logic", "tier"] == ("f.yaml", 3, 17)
    assert read.values["dies", "logic", "blocks", 1] == ("f.yaml", 3, 33)


def test_a_problem_stands_at_its_value_or_its_key() -> None:
    read = parse(TEXT, "f.yaml")
    where = ("dies", "logic", "tier")
    assert str(read.problem(where, "odd")) == "f.yaml:3:17: dies.logic.tier: odd"
    assert str(read.problem(where, "odd", at_key=True)) == "f.yaml:3:11: dies.logic.tier: odd"


def test_a_problem_of_what_is_not_there_stands_at_what_encloses_it() -> None:
    assert str(parse(TEXT, "f.yaml").problem(("dies", "logic", "bus", "rate"), "odd")).startswith("f.yaml:3:10: ")


@pytest.mark.parametrize("scalar", ["on", "1:30", "010", "1_000", "1e3", "~", "null", "0x1F", "2001-01-01", "=", "yes"])
def test_a_scalar_stays_the_text_it_is(scalar: str) -> None:
    assert parse(f"key: {scalar}", "f.yaml").tree == {"key": scalar}


def test_columns_count_characters_not_bytes() -> None:
    assert parse("µµ: x", "f.yaml").values["µµ",] == ("f.yaml", 1, 5)


def test_an_alias_repeats_its_value_without_sharing_it() -> None:
    read = parse("a: &x {k: 1}\nb: *x\n", "f.yaml")
    assert read.tree == {"a": {"k": "1"}, "b": {"k": "1"}}
    assert read.tree["a"] is not read.tree["b"]


def test_duplicate_keys_are_found_at_every_depth() -> None:
    with pytest.raises(SpecError) as caught:
        parse("a: {k: 1, k: 2}\na: 3\n", "f.yaml")
    assert list(map(str, caught.value.problems)) == [
        "f.yaml:1:11: a.k: duplicate key 'k', first given on line 1",
        "f.yaml:2:1: a: duplicate key 'a', first given on line 1",
    ]


@pytest.mark.parametrize("levels", [source.MAX_DEPTH, source.MAX_DEPTH + 1])
def test_depth_is_bounded(levels: int) -> None:
    text = "a: " + "[" * (levels - 1) + "x" + "]" * (levels - 1)
    if levels == source.MAX_DEPTH:
        parse(text, "f.yaml")
    else:
        assert problem(text).message == f"nested deeper than {source.MAX_DEPTH} levels"


def test_ten_thousand_levels_do_not_exhaust_the_stack() -> None:
    assert "nested deeper" in problem("[" * 10_000 + "]" * 10_000).message


def test_values_are_counted_after_aliases_are_unfolded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MAX_NODES", 12)
    parse("a: &a [1, 2, 3]\nb: [*a]\n", "f.yaml")  # 1 + 4 + 1 + 4
    assert problem("a: &a [1, 2, 3]\nb: [*a, *a]\n").message == "more than 12 values, counting what aliases repeat"


def test_text_that_only_a_terminal_would_like_is_refused() -> None:
    assert str(problem("name: x\nb: \x1b[2J\n")) == r"f.yaml:2:4: not valid YAML: the character '\x1b' is not allowed"


def made() -> Source:
    return parse(TEXT, "f.yaml")


def test_an_override_replaces_a_value_and_its_marks() -> None:
    read = made()
    override(read, "dies.logic.blocks", "[a, b, c]", "--set dies.logic.blocks")
    assert read.tree["dies"]["logic"]["blocks"] == ["a", "b", "c"]
    assert read.values["dies", "logic", "blocks", 2] == ("--set dies.logic.blocks", 0, 0)
    assert str(read.problem(("dies", "logic", "blocks"), "odd")) == "--set dies.logic.blocks: odd"
    assert str(read.problem(("dies", "logic", "blocks", 2), "odd")).startswith(
        "--set dies.logic.blocks: dies.logic.blocks.2"
    )


def test_an_override_by_index_leaves_its_neighbours() -> None:
    read = made()
    override(read, "dies.logic.blocks.1", "l4", "--set")
    assert read.tree["dies"]["logic"]["blocks"] == ["l2", "l4"]


@given(st.text(max_size=40), st.text(max_size=20))
def test_any_override_works_or_is_a_spec_error(path: str, value: str) -> None:
    problems: tuple[Problem, ...] = ()
    try:
        override(made(), path, value, "--set")
    except SpecError as error:
        problems = error.problems
    assert all(found.file == "--set" and found.message.isprintable() for found in problems)


@given(st.text(max_size=60))
def test_any_text_is_a_tree_or_a_spec_error(text: str) -> None:
    problems: tuple[Problem, ...] = ()
    try:
        parse(text, "f.yaml")
    except SpecError as error:
        problems = error.problems
    assert all(found.message.isprintable() and found.path.isprintable() for found in problems)
