"""How busy blocks are, by hand; the window is [0, 100] ps."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from unit.analysis.made import recording, span

from tlm3d.analysis.judge import judge
from tlm3d.analysis.result import BlockUse
from tlm3d.analysis.utilisation import blocks, by_task_ps, used_ps
from tlm3d.record.recording import Component

CORE = Component("logic", "core")


def test_a_block_is_busy_while_it_computes_for_a_task_or_switches_to_one() -> None:
    spans = [
        span(0, 30, 1),
        span(30, 35, 0, what="overhead", task="attitude"),
        span(35, 45, 1, task="attitude"),
        span(50, 60, 1, what="memory"),  # no work of the block's
        span(60, 70, 1, task="-"),  # booked by nobody
        span(80, 130, 1, component=CORE),  # 20 ps inside
        span(100, 120, 1),
    ]
    result = judge(recording(100, spans=spans, tasks=("classify", "attitude")))
    assert result.blocks == {
        "logic.array": BlockUse("logic", "array", {"attitude": 10, "classify": 30}, 5),
        "logic.core": BlockUse("logic", "core", {"classify": 20}, 0),
    }
    assert [use.busy_ps for use in result.blocks.values()] == [45, 20]


@given(st.lists(st.tuples(st.integers(0, 120), st.integers(0, 30), st.sampled_from(["classify", "wake"]))), st.data())
def test_parts_of_a_run_add_up_and_tasks_add_up_to_blocks(
    told: list[tuple[int, int, str]], data: st.DataObject
) -> None:
    spans = [span(start, start + length, 1, task=task) for start, length, task in told]
    cut = data.draw(st.integers(0, len(spans)))
    used = Counter(used_ps(spans[:cut], 100))
    used.update(used_ps(spans[cut:], 100))
    assert used == used_ps(spans, 100)
    assert sum(by_task_ps(used).values()) == sum(use.busy_ps for use in blocks(used).values())
    assert sum(by_task_ps(used).values()) == sum(max(0, min(100, s.end_ps) - s.start_ps) for s in spans)
