"""Whatever happens to a file in an editor, the answer is a verdict or a message: never a traceback, never "a bug"."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from tlm3d.cli import app

GOOD = Path(__file__).parent / "good"
ACTIVATED = ("activated.yaml", "arrivals.csv")
TEXTS = {
    name: (GOOD / name).read_text()
    for name in ("platform.yaml", "workload.yaml", "networks/tiny.yaml", "plan.yaml", *ACTIVATED)
}
ODD = st.sampled_from([*"0159.-+:,[]{}#&*!|>'\"%@` \t\n\\?~_", "e9", "\0", "\x1b", "µ", "１", "é", "null", "- "])


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, str]:
    """(which file, its text with one to three slips of the keyboard)."""
    name = draw(st.sampled_from(sorted(TEXTS)))
    text = TEXTS[name]
    for _ in range(draw(st.integers(1, 3))):
        if draw(st.booleans()):  # of lines
            lines = text.splitlines(keepends=True) or [""]
            at, other = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
            new = draw(st.sampled_from([[], [lines[at]] * 2, [lines[other]], ["  " + lines[at]], [lines[at].lstrip()]]))
            text = "".join([*lines[:at], *new, *lines[at + 1 :]])
        else:  # of characters
            at = draw(st.integers(0, max(0, len(text) - 1)))
            new_text = draw(st.one_of(st.just(""), st.just(text[at : at + 1] * 2), ODD))
            text = text[:at] + new_text + text[at + draw(st.integers(0, 1)) :]
    return name, text


@settings(max_examples=60, deadline=None)
@given(mutated())
def test_a_slip_of_the_keyboard_never_looks_like_a_bug(mutation: tuple[str, str]) -> None:
    changed, text = mutation
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "good" / "networks").mkdir(parents=True)
        good = Path(folder) / "good"
        for name, original in TEXTS.items():
            (good / name).write_bytes((text if name == changed else original).encode())
        workload = good / ("activated.yaml" if changed in ACTIVATED else "workload.yaml")
        command = ["run", str(good / "platform.yaml"), str(workload), "--horizon", "1 ms"]
        if changed == "plan.yaml":
            command += ["--plan", str(good / changed)]
        result = CliRunner().invoke(app, command)
    assert result.exit_code in (0, 1, 2), result.stderr
    assert "Traceback" not in result.output
    assert (result.exit_code == 2) == bool(result.stderr)
    assert all(line.startswith("error: ") and line.isprintable() for line in result.stderr.splitlines())
