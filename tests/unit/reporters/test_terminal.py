"""The report in the terminal: what it says, in any width, encoding and with any name."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from tlm3d.analysis.result import BlockUse, ChainResult, Delay, FirmResult, JobBlame, Result, Verdict
from tlm3d.bounds.result import Bounds
from tlm3d.record.recording import JobEnd, Segment
from tlm3d.reporters.terminal import render

MS = 10**9
NUMBERS = ("27.0 ms", "34.0 ms", "≥80.0 ms", "140 uJ", "1.40 mW", "10.0 kbit", "4.549999 mW", "2.80 pJ/op", "123,456")


def text(result: Result, width: int = 80, encoding: str = "utf-8", colour: bool = False) -> str:
    raw = io.BytesIO()
    with io.TextIOWrapper(raw, encoding=encoding, newline="\n") as file:
        render(
            result, Console(file=file, width=width, force_terminal=colour, color_system="truecolor" if colour else None)
        )
        file.flush()
        return raw.getvalue().decode(encoding)


def section(report: str, title: str) -> str:
    return report.split(f"\n{title}")[1].split("\n\n")[0]


def test_the_first_line_is_the_verdict_on_one_line_for_grep(missed: Result) -> None:
    first = text(missed, width=40).splitlines()[0]
    assert first == "RESULT: MISSED " + "; ".join(missed.reasons)


def test_many_reasons_become_three_and_a_count(missed: Result) -> None:
    many = replace(missed, reasons=("a", "b", "c", "d", "e"))
    assert text(many).splitlines()[0] == "RESULT: MISSED a; b; c; and 2 more"


def test_the_verdict_stays_in_one_piece_with_colour(met: Result) -> None:
    assert "RESULT: MET" in text(met, colour=True).splitlines()[0]
    assert text(met).splitlines()[0] == "RESULT: MET 1 of 1 judged jobs on time, 1 of 1 power limits kept"


def test_the_second_line_names_the_run(missed: Result) -> None:
    assert text(missed).splitlines()[1] == "three-tier-vision · always-on-vision · edf · 100 ms · seed 7 · high corner"


@pytest.mark.parametrize("width", [80, 100, 120])
def test_no_line_but_the_verdict_is_wider_than_the_page_and_no_number_is_cut(missed: Result, width: int) -> None:
    report = text(missed, width)
    tasks = section(report, "Tasks")
    assert max(map(cell_len, tasks.splitlines())) <= width
    assert max(map(cell_len, report.replace(tasks, "").splitlines()[1:])) <= min(width, 100)
    assert "…" not in report
    for number in NUMBERS:
        assert number in report


@pytest.mark.parametrize("width", [1, 20, 60])
def test_a_narrow_terminal_still_gets_every_number_whole(missed: Result, width: int) -> None:
    report = text(missed, width)
    assert "…" not in report
    for number in NUMBERS:
        assert number in report


def test_missed_tasks_are_late_in_words(missed: Result) -> None:
    rows = section(text(missed), "Tasks").splitlines()
    assert " ".join(rows[2].split()) == "classify 3 2 1 50.0 27.0 ms 34.0 ms 41.0 ms 41.0 ms 33.0 ms LATE"
    assert " ".join(rows[4].split()) == "wake 1 1 1 100 80.0 ms 80.0 ms 80.0 ms ≥80.0 ms 75.0 ms LATE"


def test_the_worst_job_names_the_link_and_who_held_it(missed: Result) -> None:
    worst = section(text(missed), "Worst late job: classify#1")
    assert "released 33 ms · due 66 ms · finished 74 ms" in worst
    assert "response 41.0 ms · deadline 33.0 ms · LATE by 8.00 ms" in worst
    # 8 ms behind wake#0 and 1 ms behind control#14 make the 9 ms of link-queue.
    assert re.search(r"link-queue +9\.00 ms +22\.0 +\S+ +tsv:logic>npu +wake#0 +8\.00 ms", worst)
    assert re.search(r"\n +tsv:logic>npu +control#14 +1\.00 ms", worst)
    assert re.search(r"link-transfer +16\.0 ms +39\.0", worst)
    assert re.search(r"compute +9\.00 ms +22\.0", worst)  # 5 ms and 4 ms of the array, in one row
    assert re.search(r"response +41\.0 ms +100", worst)


def test_more_holders_than_fit_are_summed_in_one_row(missed: Result) -> None:
    ms = 10**9
    segments = tuple(Segment("link-queue", i * ms, (i + 1) * ms, "tsv", f"wake#{i}") for i in range(6))
    job = JobEnd("classify", 0, 0, ms, 0, 6 * ms, "finished", segments)
    worst = section(text(replace(missed, worst=JobBlame(job, 6 * ms, -5 * ms, {"link-queue": 6 * ms}))), "Worst late")
    assert re.search(r"wake#2 +1\.00 ms\n +3 more +3\.00 ms", worst)


def test_a_job_still_running_at_the_horizon_is_late_by_at_least(missed: Result) -> None:
    ms = 10**9
    job = JobEnd("wake", 0, 0, 60 * ms, 0, -1, "unfinished", (Segment("compute", 0, 100 * ms, "array", "-"),))
    worst = section(text(replace(missed, worst=JobBlame(job, 100 * ms, -40 * ms, {"compute": 100 * ms}))), "Worst")
    assert "response ≥100 ms · deadline 60.0 ms · LATE by ≥40.0 ms" in worst


def test_a_dropped_job_has_no_response_to_split(missed: Result) -> None:
    job = JobEnd("control", 3, 0, 5, -1, -1, "dropped", ())
    report = text(replace(missed, worst=JobBlame(job, 0, -95, {})))
    assert section(report, "First missed job: control#3").splitlines()[1] == " released 0 s · due 5 ps · dropped"


def test_when_nothing_is_late_the_tightest_job_is_shown_with_its_slack(met: Result) -> None:
    tightest = section(text(met), "Tightest jobs")
    assert "nothing was late" in tightest
    assert re.search(r"classify#0 +27\.0 ms +33\.0 ms +6\.00 ms +18\.2 +compute 74 %, sensing 26 %", tightest)
    assert "LATE" not in text(met)


def test_a_limit_passed_by_a_nanowatt_reads_differently_from_its_worst_value(missed: Result) -> None:
    power = section(text(missed), "Power ")
    assert re.search(r"OVER +4\.549999 mW +4\.550000 mW +>100 +7 ms +rail +instantaneous peak", power)
    assert re.search(r"ok +10\.0 mW +2\.45 mW +24\.5 +0 s +rail +average over any 50 ms window", power)
    assert re.search(r"unjudged +9\.00 mW +- +- +- +rail +average over any 1 s window", power)


def test_only_a_limit_that_is_not_kept_says_when_it_is_crossed_and_for_how_long(missed: Result) -> None:
    power = section(text(missed), "Power ")
    assert "over 4.55 mW first at 7 ms, for 20.0 ms in all: instantaneous peak at the rail" in power
    assert power.count("in all") == 1


def test_a_channel_shows_busy_share_bits_and_mean_queue(missed: Result) -> None:
    channels = section(text(missed, 100), "Channels")
    # 16 ms of 100 ms; 8 ms of waiting by one transfer.
    assert re.search(r"tsv:logic>npu +link +16\.0 +\S+ +1 +10\.0 kbit +8\.00 ms +5\.00 uJ", channels)
    assert "unused: bus" in channels


def test_energy_is_listed_by_die_from_the_top_tier_and_by_what(missed: Result) -> None:
    report = text(missed, 100)
    energy = section(report, "Energy  140 uJ at the rail, in 100 ms, by block")
    assert energy.index("pixel") < energy.index("logic") < energy.index("npu ")
    assert re.search(r"camera +35\.0 uJ +350 uW +25\.0 +\S+ +sensing 86 %, leakage 14 %", energy)
    assert re.search(r"sensing +30\.0 uJ +300 uW +21\.4", section(report, "Energy by what"))


def test_the_efficiencies_come_with_their_definitions(missed: Result) -> None:
    report = text(missed)
    assert re.search(r"core +4\.00 pJ/op +compute accounts / operations executed", report)
    assert re.search(r"effective +2\.80 pJ/op +all energy / dense operations of the inferences completed", report)
    assert re.search(r"classify +52\.5 uJ +70\.0 uJ", section(report, "Energy per inference"))


def test_an_ascii_terminal_gets_ascii(missed: Result) -> None:
    report = text(replace(missed, platform="três"), encoding="ascii")
    assert ">=80.0 ms" in report
    assert r"tr\xeas - always-on-vision" in report
    assert "####" in report


def test_names_with_markup_or_escape_sequences_are_shown_and_do_nothing(missed: Result) -> None:
    evil = "[red]x[/red]\x1b[31m\nRESULT: MET\u202e"
    report = text(replace(missed, platform=evil, workload=":smile:", notes=(evil,), reasons=(evil,)), colour=True)
    assert r"[red]x[/red]\x1b[31m\x0aRESULT: MET\x202e" in report
    assert ":smile:" in report
    assert "\nRESULT" not in report
    assert "\x1b[31m\n" not in report


def test_a_run_without_anything_still_reports(met: Result) -> None:
    nothing = replace(
        met, verdict=Verdict.UNJUDGED, reasons=("classify has no judged job",), tasks={}, tightest=(), limits=(),
        total_aj=0, average_nw=0.0, accounts=(), channels={}, power_bins_nw=(0.0,) * 80,
        efficiency=replace(met.efficiency, core_fj_per_op=None, effective_fj_per_op=None, uj_per_inference={}),
    )  # fmt: skip
    report = text(nothing)
    assert report.startswith("RESULT: UNJUDGED classify has no judged job\n")
    assert "no limits stated" in report
    assert "no inference completed" in report


def test_a_wide_terminal_has_room_for_percentiles_jitter_and_slack(missed: Result) -> None:
    headers, *rows = section(text(missed, width=130), "Tasks").splitlines()[1:]
    assert headers.split()[5:] == ["min", "mean", "p50", "p95", "p99", "max", "jitter", "deadline", "slack"]
    times = "27.0 ms 34.0 ms 27.0 ms 41.0 ms 41.0 ms 41.0 ms 14.0 ms 33.0 ms -8.00 ms LATE"
    assert " ".join(rows[0].split()[5:]) == times
    assert "≤-5.00 ms" in rows[2]
    assert "jitter" not in section(text(missed, width=80), "Tasks")


def test_a_firm_task_is_judged_by_its_rows(missed: Result) -> None:
    for fewest, told in ((2, "2≥2/3 ok"), (1, "1<2/3 LATE")):
        firm = replace(missed.tasks["classify"], firm=FirmResult(2, 3, fewest))
        tasks = section(text(replace(missed, tasks={"classify": firm}), width=100), "Tasks")
        assert " ".join(tasks.split()).endswith(told)


def test_blocks_are_told_with_whom_they_worked_for(missed: Result) -> None:
    two = {
        "npu.array": missed.blocks["npu.array"],
        "logic.core": BlockUse("logic", "core", {"wake": 60 * MS, "a": MS}, MS),
    }
    rows = section(text(replace(missed, blocks=two)), "Blocks").splitlines()[2:]
    assert [" ".join(re.sub("[▏▎▍▌▋▊▉█]", "", row).split()) for row in rows] == [
        "logic.core 62.0 wake 60.0 %, a 1.0 %, switching 1.0 %",
        "npu.array 40.0 classify 40.0 %",
    ]
    assert "Blocks" not in text(replace(missed, blocks={}))


def test_chains_have_a_row_for_the_reaction_and_one_for_the_data_age(missed: Result) -> None:
    delays = (Delay(74 * MS, 41 * MS, 3, 1, is_bound=True), Delay(30 * MS, 20 * MS, 2, 0, is_bound=False))
    chains = {
        "steer": ChainResult("steer", ("classify", "control"), 50 * MS, 60 * MS, *delays),
        "look": ChainResult("look", ("wake",), 50 * MS, None, None, None),
    }
    rows = section(text(replace(missed, chains=chains)), "Chains").splitlines()[-4:]
    assert [" ".join(row.split()) for row in rows] == [
        "steer classify > control reaction 3 1 41.0 ms ≥74.0 ms 50.0 ms LATE",
        "data age 2 0 20.0 ms 30.0 ms 60.0 ms ok",
        "look wake reaction 0 - - - 50.0 ms unjudged",
        "data age 0 - - - -",
    ]
    assert "Chains" not in text(missed)


@pytest.mark.parametrize("width", [80, 100, 120, 130])
def test_a_bound_stands_beside_the_largest_response_in_any_width(missed: Result, bounds: Bounds, width: int) -> None:
    tasks = section(text(replace(missed, bounds=bounds), width), "Tasks")
    assert max(map(cell_len, tasks.splitlines())) <= width
    rows = {row.split()[0]: " ".join(row.split()) for row in tasks.splitlines()[1:]}
    assert re.search(r" 41\.0 ms 45\.0 ms (91\.1 % )?(.+ )?33\.0 ms (.+ )?LATE$", rows["classify"])
    assert re.search(r" - none (- )?(- )?5\.00 ms (- )?LATE$", rows["control"])
    assert re.search(r" ≥80\.0 ms 60\.0 ms (.+ )?75\.0 ms (.+ )?LATE$", rows["wake"])
    assert "no bound of control: bits of tsv may be sent again without end" in " ".join(tasks.split())


def test_a_wide_terminal_shows_how_much_of_a_bound_was_reached(missed: Result, bounds: Bounds) -> None:
    assert "max/bound" not in section(text(replace(missed, bounds=bounds), 80), "Tasks")
    wide = section(text(replace(missed, bounds=bounds), 150), "Tasks")
    assert "max/bound" in wide
    assert " 45.0 ms     91.1 %" in wide  # 41 of 45 ms
    assert "bound" not in section(text(missed, 150), "Tasks")
