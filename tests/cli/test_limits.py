"""Power limits as a file states them, against the power that the run exports."""

from __future__ import annotations

import csv
import json
from math import exp, log
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from cli.conftest import Command

LIMITS = """limits:
  - {limit: 75 uW, ewma: 2 ms, from: 0.06 mW}
  - {limit: 900 uW, peak: true}
"""


def test_an_ewma_and_a_peak_are_those_of_the_exported_power(tlm3d: Command, tmp_path: Path) -> None:
    good = Path("good/platform.yaml").read_text(encoding="utf-8")
    file, report = tmp_path / "limited.yaml", tmp_path / "run.json"
    file.write_text(good.replace("limits:\n", LIMITS), encoding="utf-8")
    ran = tlm3d("run", file, "good/workload.yaml", "--json", report, "--export", tmp_path)
    assert ran.exit_code == 1
    found = {limit["kind"]: limit for limit in json.loads(report.read_text())["power"]["limits"]}
    with (tmp_path / "power.csv").open() as power:
        intervals = [(int(row["start_ps"]), int(row["end_ps"]), int(row["energy_aj"])) for row in csv.DictReader(power)]

    over = [(start_ps, end_ps) for start_ps, end_ps, aj in intervals if 1000 * aj > 900_000 * (end_ps - start_ps)]
    assert found["peak"]["crossed_ps"] == over[0][0]
    assert found["peak"]["exceeded_ps"] == sum(end_ps - start_ps for start_ps, end_ps in over)

    average_nw = worst_nw = 60_000.0
    crossed_ps, tau_ps = None, 2 * 10**9
    for start_ps, end_ps, aj in intervals:
        nw = 1000 * aj / (end_ps - start_ps)
        before_nw, average_nw = average_nw, nw + (average_nw - nw) * exp(-(end_ps - start_ps) / tau_ps)
        worst_nw = max(worst_nw, average_nw)
        if crossed_ps is None and average_nw > 75_000:
            crossed_ps = start_ps + tau_ps * log((nw - before_nw) / (nw - 75_000))
    assert found["ewma"]["worst_nw"] == pytest.approx(worst_nw, abs=2)
    assert crossed_ps is not None
    assert found["ewma"]["crossed_ps"] == pytest.approx(crossed_ps, abs=100)
    for kind, definition in (("ewma", "exponential average of 2 ms from 60 uW"), ("peak", "instantaneous peak")):
        assert found[kind]["definition"] == f"{definition} at the rail"
    assert "over 75.0 uW first at " in ran.stdout
    assert "over 900 uW first at " in ran.stdout
