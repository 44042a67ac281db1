"""docs/example.md: the three files on the page come to the numbers on the page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tlm3d import Result, load_platform, load_workload, simulate
from tlm3d.analysis.power import trace
from tlm3d.analysis.result import Verdict

PAGE = (Path(__file__).parents[2] / "docs" / "example.md").read_text(encoding="utf-8")


def files(folder: Path, **changed: str) -> tuple[Path, Path]:
    """The page's files in ``folder``, with ``changed`` texts replaced in all of them; (platform, workload)."""
    for block in re.findall(r"^```yaml\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL):
        name = block.splitlines()[0].removeprefix("# ")
        text = block
        for key, value in changed.items():
            text = re.sub(rf"\b{key}: [^,}}]+", f"{key}: {value}", text)
        (folder / name).write_text(text, encoding="utf-8")
    return folder / "platform.yaml", folder / "workload.yaml"


def run(folder: Path, **changed: str) -> Result:
    platform, workload = files(folder, **changed)
    return simulate(load_platform(platform), load_workload(workload))


@pytest.fixture
def result(tmp_path: Path) -> Result:
    return run(tmp_path)


def table(heading: str, number: int = 0) -> dict[str, int]:
    """A table under a heading of the page: its last column by its first ones, without the column 'worked'."""
    section = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    text = next(part for part in section if part.startswith(f"{heading}\n"))
    lines = [line for line in text.split("\n\n") if line.startswith("|")][number].splitlines()
    columns = [cell.strip() for cell in lines[0].strip("|").split("|")]
    found = {}
    for line in lines[2:]:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        names = [cell for name, cell in zip(columns[:-1], cells, strict=False) if name != "worked" and cell]
        found[" ".join(names)] = int(cells[-1].replace(" ", ""))
    return found


def test_every_event_happens_at_its_picosecond(result: Result) -> None:
    spans = [span for span in result.recording.spans if span.component == ("npu", "array")]
    loads = [span for span in spans if span.what == "load"]
    events = {"weights loaded": loads[0].end_ps}
    for tile in (0, 1):
        for what, done in (("load", "loaded"), ("compute", "computed"), ("store", "stored")):
            events[f"tile {tile} {done}"] = max(s.end_ps for s in spans if s.what == what and s.tile == tile)
    assert events == table("The clock")


def test_the_response_is_compute_and_link_transfer(result: Result) -> None:
    (blame,) = result.tightest
    assert blame.buckets == table("The clock", 1)
    assert blame.response_ps == sum(table("The clock", 1).values()) == table("The clock")["tile 1 stored"]


def test_every_account_holds_its_attojoules(result: Result) -> None:
    page = table("Energy")
    total_aj = page.pop("total")
    assert {f"{a.die} {a.component} {a.what}": a.energy_aj for a in result.accounts} == page
    assert result.total_aj == total_aj == sum(page.values())


def test_the_peak_is_where_the_second_load_meets_the_first_tile(result: Result) -> None:
    page = table("Power")
    peak_nw = page.pop("peak")
    peak, window = result.limits
    assert (peak.worst_nw, peak.at_ps) == (peak_nw, 1_074_000) == (sum(page.values()), 1_074_000)
    power = trace(result.recording)
    assert power.end_ps[power.start_ps.index(1_074_000)] == 1_304_000
    assert (window.worst_nw, window.at_ps) == (660_280, 0)
    assert "660 280 nW" in PAGE


def test_the_efficiencies_are_those_of_8192_operations(result: Result) -> None:
    assert result.efficiency.core_fj_per_op == pytest.approx(390.625)
    assert result.efficiency.effective_fj_per_op == pytest.approx(6602.8e3 / 8192)


@pytest.mark.parametrize(("deadline", "verdict"), [("4.916 us", Verdict.MET), ("4.915999 us", Verdict.MISSED)])
def test_a_deadline_at_the_finish_is_kept_and_a_picosecond_less_is_missed(
    tmp_path: Path, deadline: str, verdict: Verdict
) -> None:
    assert deadline in PAGE
    assert run(tmp_path, deadline=deadline).verdict is verdict


def test_half_the_rate_of_the_tsvs_makes_the_job_late_by_1356_ns(tmp_path: Path) -> None:
    platform, workload = files(tmp_path)
    text = platform.read_text(encoding="utf-8").replace("rate: 100 Mbit/s", "rate: 50 Mbit/s")
    platform.write_text(text, encoding="utf-8")
    result = simulate(load_platform(platform), load_workload(workload))
    assert result.worst is not None
    assert (result.worst.response_ps, result.worst.slack_ps) == (6_356_000, -1_356_000)
    assert result.worst.buckets["link-transfer"] > table("The clock", 1)["link-transfer"]
    ends = [s.end_ps for s in result.recording.spans if s.what in ("compute", "store")]
    assert sorted(ends) == [3_384_000, 4_756_000, 4_984_000, 6_356_000]
