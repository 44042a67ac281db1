"""Waveforms and timelines of real runs say what the record and the accounts say, whatever the system."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from reference.default_pair import default_system
from reference.random_systems import systems
from reference.systems import Case
from reference.trace_reader import Timeline, read_trace
from reference.vcd_reader import Dump, read_vcd

from tlm3d.analysis.activities import activities
from tlm3d.analysis.judge import judge
from tlm3d.analysis.power import trace as power_trace
from tlm3d.analysis.result import Result
from tlm3d.errors import ElaborationError
from tlm3d.record.recording import Recording
from tlm3d.reporters import trace, vcd

_RELAXED = settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow])


def _judged(case: Case) -> Result:
    try:
        return case.judge()
    except ElaborationError:
        assume(False)
        raise


def _texts(result: Result) -> tuple[str, str]:
    with TemporaryDirectory() as folder:
        waveforms, timeline = Path(folder) / "run.vcd", Path(folder) / "run.json"
        vcd.write(result, waveforms)
        trace.write(result, timeline)
        return waveforms.read_text(encoding="utf-8"), timeline.read_text(encoding="utf-8")


def _covered_ps(intervals: Iterable[tuple[int, int]], horizon_ps: int) -> int:
    """Time inside the window in at least one of ``intervals``."""
    covered_ps = until_ps = 0
    for start_ps, end_ps in sorted(intervals):
        start_ps, end_ps = max(start_ps, until_ps), min(end_ps, horizon_ps)
        if start_ps < end_ps:
            covered_ps += end_ps - start_ps
            until_ps = end_ps
    return covered_ps


def _module(recording: Recording, channel: str) -> str:
    die = recording.channels[channel].component.die
    port = channel if ":" in channel else channel.removeprefix(f"{die}.").replace(".", "/")
    return f"{recording.platform}/{die}/{port}"


def _check_waveforms(result: Result, dump: Dump) -> None:
    recording, horizon_ps = result.recording, result.horizon_ps
    assert dump.end == horizon_ps
    for name, channel in result.channels.items():
        legs = [leg for leg in recording.legs if leg.channel == name]
        busy_ps = dump[f"{_module(recording, name)}/busy"].integral(horizon_ps)
        assert busy_ps == _covered_ps(((leg.start_ps, leg.end_ps) for leg in legs), horizon_ps)
        if all(leg.end_ps <= horizon_ps for leg in legs):  # else the account shares busy time out evenly
            assert busy_ps >= channel.busy_ps
        if all(leg.busy_ps == leg.end_ps - leg.start_ps for leg in legs):  # no gaps between bursts
            assert busy_ps == channel.busy_ps
        beyond_ps = sum(max(0, horizon_ps - leg.posted_ps) for leg in legs if leg.start_ps >= horizon_ps)
        assert dump[f"{_module(recording, name)}/queue"].integral(horizon_ps) == channel.queue_ps + beyond_ps
    breakpoints = {*power_trace(recording).start_ps}
    for die in recording.dies:
        power = dump[f"{recording.platform}/{die}/power_nw"]
        assert {at_ps for at_ps, _ in power.changes} <= breakpoints
        spent_aj = sum(account.energy_aj for account in result.accounts if account.die == die)
        # Half a nanowatt of rounding, and an attojoule of floor for everything that spends.
        slack = horizon_ps // 2 + 1000 * (1 + len(activities(recording)))
        assert abs(power.integral(horizon_ps) - 1000 * spent_aj) <= slack
    modules = {info.component: _module(recording, name) for name, info in recording.channels.items()
               if info.role == "link"}  # fmt: skip
    for component in recording.components:
        spans = [span for span in recording.spans if span.component == component and span.start_ps < horizon_ps]
        path = modules.get(component, f"{recording.platform}/{component.die}/{component.name}")
        for what in {span.what for span in spans}:
            done = [(span.start_ps, span.end_ps) for span in spans if span.what == what]
            assert dump[f"{path}/{what}"].integral(horizon_ps) == _covered_ps(done, horizon_ps)
        computing_ps = _covered_ps(((s.start_ps, s.end_ps) for s in spans if s.what == "compute"), horizon_ps)
        if any(span.what == "load" for span in spans):
            states = dump[f"{path}/state"].pieces(horizon_ps)
            assert sum(end_ps - at_ps for at_ps, end_ps, state in states if state == "active") == computing_ps


def _check_timeline(result: Result, timeline: Timeline) -> None:
    recording, horizon_ps = result.recording, result.horizon_ps
    assert timeline.processes == ("tasks", *(f"die {die}" for die in recording.dies))
    shown = sorted((s.start_ps, s.end_ps) for s in timeline.slices if s.category in ("compute", "load", "store"))
    assert shown == sorted(
        (span.start_ps, min(span.end_ps, horizon_ps))
        for span in recording.spans
        if span.what in ("compute", "load", "store") and span.start_ps < horizon_ps
    )
    assert sum(s.category == "transfer" for s in timeline.slices) == sum(
        leg.start_ps < horizon_ps for leg in recording.legs
    )
    finished = sum(task.finished for task in result.tasks.values())
    judged = sum(task.judged for task in result.tasks.values())
    missed = sum(task.missed for task in result.tasks.values())
    counts = {
        "release": sum(task.jobs for task in result.tasks.values()), "finish": finished,
        "deadline met": judged - missed, "deadline missed": missed,
    }  # fmt: skip
    for what, count in counts.items():
        assert sum(name.startswith(f"{what} ") for name in timeline.instants) == count
    tiles = {(s.component, *s[2:6]): s for s in recording.spans if s.what == "compute" and s.start_ps < horizon_ps}
    used = [
        (tile.start_ps, load.end_ps)
        for load in recording.spans
        if load.what == "load" and (tile := tiles.get((load.component, *load[2:6]))) is not None
    ]
    assert all(start_ps >= loaded_ps for start_ps, loaded_ps in used)
    ends_ps = sorted(flow[-1][1].start_ps for flow in timeline.flows.values())
    assert ends_ps == sorted(start_ps for start_ps, _ in used)
    for flow in timeline.flows.values():
        jobs = {bound.args["job"] for _, bound in flow}
        assert len(jobs) == 1
        assert flow[-1][1].category == "compute"
        assert {bound.category for _, bound in flow[:-1]} == {"transfer"}


@_RELAXED
@given(systems())
def test_waveforms_and_timeline_of_any_system_add_up(case: Case) -> None:
    result = _judged(case)
    waveforms, timeline = _texts(result)
    _check_waveforms(result, read_vcd(waveforms))
    _check_timeline(result, read_trace(timeline, result.horizon_ps))


@_RELAXED
@given(systems(), st.integers(0, 2**32))
def test_the_order_of_lines_changes_no_byte(case: Case, seed: int) -> None:
    assert _texts(_judged(case)) == _texts(case.shuffled(seed).judge())


@_RELAXED
@given(systems())
def test_power_at_any_breakpoint_is_the_exact_sum_to_the_nearest_nanowatt(case: Case) -> None:
    result = _judged(case)
    dump = read_vcd(_texts(result)[0])
    spending = activities(result.recording)
    for at_ps in power_trace(result.recording).start_ps[::7]:
        exact = sum(
            (Fraction(1000 * a.amount_aj, a.per_ps) for a in spending if a.start_ps <= at_ps < a.end_ps), Fraction(0)
        )
        shown = sum(int(dump[f"random/{die}/power_nw"].at(at_ps)) for die in result.recording.dies)
        assert abs(shown - exact) <= len(result.recording.dies) * Fraction(51, 100)


@pytest.mark.parametrize("horizon_ps", [60 * 10**9, 33_333_333_333])
def test_those_of_the_default_pair_do_so_too(horizon_ps: int) -> None:
    result = judge(default_system(horizon_ps=horizon_ps).run())
    waveforms, timeline = _texts(result)
    _check_waveforms(result, read_vcd(waveforms))
    _check_timeline(result, read_trace(timeline, horizon_ps))


@pytest.mark.skipif(not (shutil.which("vcd2fst") and shutil.which("fst2vcd")), reason="GTKWave is not installed")
def test_gtkwave_converts_the_waveforms_and_finds_every_value(tmp_path: Path) -> None:
    result = judge(default_system(horizon_ps=40 * 10**9).run())
    written = tmp_path / "run.vcd"
    vcd.write(result, written)
    done = subprocess.run(
        ["vcd2fst", written, tmp_path / "run.fst"], capture_output=True, text=True, timeout=60, check=True
    )
    assert "error" not in (done.stdout + done.stderr).lower()
    back = subprocess.run(
        ["fst2vcd", tmp_path / "run.fst"], capture_output=True, text=True, timeout=60, check=True
    ).stdout
    ours, theirs = read_vcd(written.read_text(encoding="utf-8")), read_vcd(back)
    assert theirs.timescale == ours.timescale
    assert {path: signal.changes for path, signal in theirs.signals.items()} == {
        path: signal.changes for path, signal in ours.signals.items()
    }
