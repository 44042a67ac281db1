"""The story of a job: in order, short, and every picosecond told once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tlm3d.analysis.blame import BUCKETS, blame
from tlm3d.analysis.why import Part, story
from tlm3d.record.recording import JobEnd, Segment


def job(*pieces: tuple[str, int, str, str], release_ps: int = 100) -> JobEnd:
    """A job whose chain is ``pieces`` of (bucket, length, where, holder)."""
    segments, at_ps = [], release_ps
    for bucket, length_ps, where, holder in pieces:
        segments.append(Segment(bucket, at_ps, at_ps + length_ps, where, holder))
        at_ps += length_ps
    return JobEnd("t", 0, release_ps, release_ps + 50, release_ps, at_ps, "finished", tuple(segments))


def test_neighbours_of_one_cause_are_one_beat() -> None:
    told = story(
        blame(job(("preempt", 5, "d.p", "a#1"), ("preempt", 7, "d.p", "a#1"), ("compute", 3, "d.p", "-")), 999)
    )
    assert [(beat.start_ps, beat.time_ps, beat.pieces) for beat in told] == [(100, 12, 1), (112, 3, 1)]


def test_the_shortest_are_told_together_and_what_took_long_stands_alone() -> None:
    short = [("compute", 2, "d.p", "-"), ("memory", 1, "d.m", "-")] * 4
    told = story(blame(job(*short, ("preempt", 100, "d.p", "a#1"), *short), 999), most=3)
    assert [beat.time_ps for beat in told] == [12, 100, 12]
    assert [beat.pieces for beat in told] == [8, 1, 8]
    assert told[0].parts == (Part("compute", "d.p", "-", 8), Part("memory", "d.m", "-", 4))


def test_what_lies_beyond_the_horizon_is_not_told() -> None:
    unfinished = job(("compute", 30, "d.p", "-"), ("preempt", 30, "d.p", "a#1"))._replace(status="unfinished")
    told = story(blame(unfinished._replace(finish_ps=-1), 140))
    assert [(beat.time_ps, beat.parts[0].bucket) for beat in told] == [(30, "compute"), (10, "preempt")]


PIECES = st.lists(st.tuples(st.sampled_from(BUCKETS), st.integers(0, 50), st.sampled_from("xy"), st.sampled_from("-a")))


@given(PIECES, st.integers(1, 12))
def test_the_beats_partition_the_response_and_agree_with_the_blame(
    pieces: list[tuple[str, int, str, str]], most: int
) -> None:
    blamed = blame(job(*pieces), 10**6)
    told = story(blamed, most)
    assert len(told) <= most
    reached_ps = blamed.job.release_ps
    sums = dict.fromkeys(BUCKETS, 0)
    for beat in told:
        assert beat.start_ps == reached_ps
        assert sum(part.time_ps for part in beat.parts) == beat.time_ps > 0
        reached_ps = beat.end_ps
        for part in beat.parts:
            sums[part.bucket] += part.time_ps
    assert reached_ps - blamed.job.release_ps == blamed.response_ps
    assert {bucket: time_ps for bucket, time_ps in sums.items() if time_ps} == blamed.buckets
