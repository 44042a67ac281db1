"""Facts that are kept in columns read as they were written."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tlm3d.record.packed import Names, Packed
from tlm3d.record.recording import Component, StateInterval


def facts(count: int) -> Iterator[StateInterval]:
    for k in range(count):
        yield StateInterval(Component("logic", f"p{k % 3}"), "idle", 10 * k, 10 * k + 7, 1000 + k % 5)


@pytest.mark.parametrize("count", [0, 1, 4095, 4096, 5000, 12_000])
def test_what_is_closed_reads_as_what_was_written(count: int) -> None:
    written = list(facts(count))
    kept = Packed(StateInterval, Names(), written[: count // 2])
    kept.extend(written[count // 2 :])
    before = list(kept)
    kept.close()
    assert before == written
    assert list(kept) == written
    assert len(kept) == count
    assert [kept[k] for k in range(0, count, 997)] == written[::997]


def test_a_long_record_that_is_closed_keeps_no_facts_as_they_came() -> None:
    kept = Packed(StateInterval, Names(), facts(3000))
    kept.extend(facts(3000))
    kept.extend(facts(10))
    kept.close()
    assert not kept._newest
    assert len(kept) == 6010
