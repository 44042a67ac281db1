"""The comparison with silicon: on a chip of ours, whose model is a formula, and on those that are shipped."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

import validate
from tlm3d.spec.fitted import fitted_parameters
from tlm3d.spec.pair import read_platform
from tlm3d.spec.source import read_source
from validation import chip as chip_module
from validation.chip import SILICON, Chip, chips
from validation.fit import refit
from validation.row import Row, Rule
from validation.study import mape, study

PLATFORM = """\
name: stub
dies:
  d:
    tier: 0
    blocks:
      array:
        kind: cnn-accelerator
        array: [4, 4]
        local: 1 MiB
        clock: 100 MHz{clock}
        tile_setup: {setup}
        energy:
          cycle: 2 pJ/cycle{cycle}
          mac: 1 pJ/MAC{mac}
      l2: {{kind: memory, capacity: 1 MiB, rate: 1 Gbit/s}}
"""
ALL = "  # fitted: stub/a/time/*"
MACS = {"small": 1600, "middle": 16000, "large": 160000}


def modelled(platform: Path, settings: Sequence[str]) -> dict[str, float]:
    """Microseconds and nanojoules of every layer, by quantity and layer."""
    array = read_platform(str(platform), settings).dies["d"].blocks["array"]
    found = {}
    for name, macs in MACS.items():
        cycles = array.tile_setup + macs // 16
        found[f"time/{name}"] = float(cycles / array.clock_hz * 10**6)
        found[f"energy/{name}"] = float(cycles * array.energy.aj_per_cycle + macs * array.energy.aj_per_mac) / 1e9
    return found


class Stub:
    """A chip whose published figures are those of the file times ``factors``; it counts how often it is modelled."""

    def __init__(self, folder: Path, factors: dict[str, float], **comments: str) -> None:
        self.file = folder / "stub.yaml"
        known = {"clock": "", "setup": "0", "cycle": "", "mac": ""} | comments
        self.file.write_text(PLATFORM.format(**known), encoding="utf-8")
        self.published = {key: value * factors.get(key, 1) for key, value in modelled(self.file, ()).items()}
        self.calls = 0

    def rows(self, settings: Sequence[str] = ()) -> list[Row]:
        self.calls += 1
        now = modelled(self.file, settings)
        return [
            Row(f"stub/a/{key}", key, "us", value, now[key], "predicted", "made up", 0.5)
            for key, value in self.published.items()
        ]

    def chip(self, *rules: Rule, change: Callable[[Row], Row] = lambda row: row) -> Chip:
        return Chip("stub", self.file, lambda settings: [change(row) for row in self.rows(settings)], rules, "A stub.")


def ran(*arguments: str, chip: Chip, docs: Path) -> int:
    return validate.main(arguments, [chip], docs)


# What it exits with


def test_all_within_tolerance_is_0_and_writes_the_pages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stub = Stub(tmp_path, {"time/small": 1.1}, clock=ALL)
    assert ran(chip=stub.chip(), docs=tmp_path) == 0
    assert "3 fitted, 3 predicted" in capsys.readouterr().out
    assert ran("--check", chip=stub.chip(), docs=tmp_path) == 0
    assert "`stub/a/time/*`" in (tmp_path / "validation.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["validation.md", "validation.svg"])
def test_a_page_that_is_not_up_to_date_is_1(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    stub = Stub(tmp_path, {})
    ran(chip=stub.chip(), docs=tmp_path)
    (tmp_path / name).write_text("old", encoding="utf-8")
    assert ran("--check", chip=stub.chip(), docs=tmp_path) == 1
    assert capsys.readouterr().err == f"docs/{name} is not what tools/validate.py would write\n"
    assert (tmp_path / name).read_text(encoding="utf-8") == "old"


@pytest.mark.parametrize(("factor", "code"), [(1 / 1.49, 0), (1 / 1.51, 1), (1 / 0.51, 0), (1 / 0.49, 1)])
def test_a_row_out_of_its_tolerance_is_1_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], factor: float, code: int
) -> None:
    stub = Stub(tmp_path, {"time/large": factor})
    assert ran(chip=stub.chip(), docs=tmp_path) == code
    assert ("out of tolerance: stub/a/time/large" in capsys.readouterr().err) == bool(code)


@pytest.mark.parametrize(("off_us", "code"), [(0.19, 0), (0.21, 1)])
def test_an_absolute_tolerance_goes_in_the_place_of_the_relative_one(tmp_path: Path, off_us: float, code: int) -> None:
    def absolute(row: Row) -> Row:
        return replace(row, published=row.modelled + off_us, absolute=0.2, tolerance=None)

    assert ran(chip=Stub(tmp_path, {}).chip(change=absolute), docs=tmp_path) == code


@pytest.mark.parametrize(
    ("figure", "at_most", "count", "ok"),
    [
        ("median", 0.11, None, True),  # errors of 0, 10 and 20 %
        ("median", 0.09, None, False),
        ("mean", 0.11, None, True),
        ("mean", 0.09, None, False),
        ("total", 0.19, None, True),  # the largest of them counts most: 1.1 + 12 + 100 of 1 + 10 + 100
        ("total", 0.001, None, False),
        ("within", 0.11, 2, True),
        ("within", 0.11, 3, False),
    ],
)
def test_a_rule_holds_a_figure_over_several_rows(
    tmp_path: Path, figure: str, at_most: float, count: int | None, ok: bool
) -> None:
    stub = Stub(tmp_path, {"time/small": 1 / 1.1, "time/middle": 1 / 1.2})
    rule = Rule("a figure", "stub/a/time/*", figure, at_most, count)  # type: ignore[arg-type]
    assert ran(chip=stub.chip(rule), docs=tmp_path) == (0 if ok else 1)


def test_a_rule_may_leave_rows_out(tmp_path: Path) -> None:
    stub = Stub(tmp_path, {"time/small": 1 / 1.4})
    rule = Rule("the larger ones", "stub/a/time/*", "median", 0.01, where=lambda row: row.published > 1.5)
    assert study(stub.chip(rule)).rules[0].rows == 2


# What is no evidence is refused


@pytest.mark.parametrize(
    ("comments", "message"),
    [
        ({"clock": "  # fitted: stub/a/time/small"}, "fitted to 1 independent row, expected at least 2"),
        ({"clock": "  # fitted: stub/a/tim/*"}, "no row matches 'stub/a/tim/*'"),
        ({"clock": "  # fitted: stub/a/energy/*"}, "changes none of the rows that it is fitted to"),
        ({"clock": "  # fitted:"}, "expected ids of rows such as 'fitted: chip/set/*', got 'fitted:'"),
        (
            {"clock": ALL, "cycle": ALL, "mac": ALL, "setup": f"100{ALL}"},
            "4 fitted parameters for 6 independent rows, expected at most half as many",
        ),
    ],
)
def test_a_fit_that_is_no_evidence_is_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], comments: dict[str, str], message: str
) -> None:
    stub = Stub(tmp_path, {}, **comments)
    assert ran(chip=stub.chip(), docs=tmp_path) == 2
    told = capsys.readouterr()
    assert message in told.err
    assert told.err.startswith(f"error: {stub.file}")
    assert not told.out
    assert not (tmp_path / "validation.md").exists()


def test_a_row_and_its_sums_are_a_single_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def summed(row: Row) -> Row:
        return replace(row, independent=row.id not in ("stub/a/time/middle", "stub/a/time/large"))

    assert ran(chip=Stub(tmp_path, {}, clock=ALL).chip(change=summed), docs=tmp_path) == 2
    assert "fitted to 1 independent row, expected at least 2" in capsys.readouterr().err


def test_parameters_that_do_the_same_to_all_rows_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    energies = "  # fitted: stub/a/energy/*"
    stub = Stub(tmp_path, {}, cycle=energies, mac=energies)  # without a set-up, cycles go with MACs
    assert ran(chip=stub.chip(), docs=tmp_path) == 2
    assert "the rows determine 1 of the 2 fitted parameters" in capsys.readouterr().err


@pytest.mark.parametrize("change", [{"kind": "identity"}, {"independent": False}])
def test_identities_and_sums_are_not_counted_against_parameters(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: dict[str, object]
) -> None:
    stub = Stub(tmp_path, {}, clock=ALL, cycle="  # fitted: stub/a/energy/*")
    assert ran(chip=stub.chip(), docs=tmp_path) == 0

    def changed(row: Row) -> Row:
        return replace(row, **change) if row.id.endswith("large") and "/time/" not in row.id else row  # type: ignore[arg-type]

    few = Stub(tmp_path, {}, clock=ALL, cycle="  # fitted: stub/a/energy/[sm]*", mac="  # fitted: stub/a/energy/[sm]*")
    assert ran(chip=few.chip(change=changed), docs=tmp_path) == 2
    assert "3 fitted parameters for 5 independent rows" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": "stub/a/time"}, "stub/a/time: expected an id 'stub/set/quantity/row'"),
        ({"id": "other/a/time/x"}, "expected an id 'stub/set/quantity/row'"),
        ({"id": "stub/a/time/x"}, "two rows have this id"),
        ({"published": 0.0}, "expected figures of more than zero, got 0.0 published"),
        ({"modelled": math.nan}, "and nan modelled"),
        ({"kind": "fitted"}, "said to be fitted, but no parameter of the platform is '# fitted:' to it"),
        ({"kind": "guessed"}, "expected a kind of fitted, predicted, identity, got 'guessed'"),
    ],
)
def test_a_row_that_says_nothing_is_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: dict[str, object], message: str
) -> None:
    chip = Stub(tmp_path, {}).chip(change=lambda row: replace(row, **change))  # type: ignore[arg-type]
    assert ran(chip=chip, docs=tmp_path) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (Rule("x", "stub/b/*", "median", 0.1), "x: no row matches 'stub/b/*'"),
        (Rule("x", "stub/*", "median", 0.1, group="g"), "x: no row matches 'stub/*' in group 'g'"),
        (Rule("x", "stub/*", "within", 0.1), "x: expected a count for the figure 'within', and for no other"),
        (Rule("x", "stub/*", "mean", 0.1, 3), "x: expected a count for the figure 'within', and for no other"),
    ],
)
def test_a_rule_that_holds_nothing_is_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], rule: Rule, message: str
) -> None:
    assert ran(chip=Stub(tmp_path, {}).chip(rule), docs=tmp_path) == 2
    assert message in capsys.readouterr().err


def test_an_unknown_chip_is_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran("--chip", "stup", chip=Stub(tmp_path, {}).chip(), docs=tmp_path) == 2
    assert capsys.readouterr().err == "error: --chip: no chip 'stup'; did you mean 'stub'?\n"


# Fits


def test_rows_are_fitted_exactly_where_a_comment_names_them(tmp_path: Path) -> None:
    found = study(Stub(tmp_path, {}, clock="  # fitted: stub/a/time/[sm]*").chip())
    assert [row.id for row in found.rows if row.kind == "fitted"] == ["stub/a/time/small", "stub/a/time/middle"]


def test_a_row_left_out_is_predicted_by_the_mean_of_the_others(tmp_path: Path) -> None:
    # Times go with 1/clock, so in logarithms the fit is a mean: r of the others against one's own.
    factors = {"small": 1.2, "middle": 0.9, "large": 1.05}
    stub = Stub(tmp_path, {f"time/{name}": factor for name, factor in factors.items()}, clock=ALL)
    found = study(stub.chip()).fit
    assert found is not None
    logs = {name: math.log(factor) for name, factor in factors.items()}
    for name, own in logs.items():
        others = (sum(logs.values()) - own) / 2
        assert found.left_out[f"stub/a/time/{name}"] == pytest.approx(math.exp(others - own) - 1, rel=1e-6)
    mhz = 100 / math.exp(sum(logs.values()) / 3)
    assert float(found.optimum["dies.d.blocks.array.clock"].split()[0]) == pytest.approx(mhz, rel=1e-3)


@pytest.mark.parametrize("left_out", MACS)
def test_leaving_out_in_the_linear_model_is_near_a_fit_without_the_row(tmp_path: Path, left_out: str) -> None:
    # The energy of cycles is a part of the sum only, more of it in small layers: not linear in logarithms.
    factors = {"energy/small": 1.05, "energy/middle": 0.96, "energy/large": 1.02}
    stub = Stub(tmp_path, factors, setup="100", cycle="  # fitted: stub/a/energy/*")
    found = study(stub.chip()).fit
    assert found is not None
    others = ", ".join(f"stub/a/energy/{name}" for name in MACS if name != left_out)
    without = Stub(tmp_path, factors, setup="100", cycle=f"  # fitted: {others}")
    source = read_source(without.file)
    _, rows = refit(without.chip(), source, fitted_parameters(source))
    (row,) = [row for row in rows if row.id == f"stub/a/energy/{left_out}"]
    assert found.left_out[row.id] == pytest.approx(row.error, abs=0.003)
    (own,) = [row for row in study(stub.chip()).rows if row.id.endswith(f"energy/{left_out}")]
    assert abs(found.left_out[row.id] - own.error) > 0.005  # the row did weigh in


def test_a_parameter_is_moved_by_its_own_rows_only(tmp_path: Path) -> None:
    # The times say that the clock is right; energies are 20 % up, which is the energy's affair.
    factors = {f"energy/{name}": 1.2 for name in MACS}
    stub = Stub(tmp_path, factors, setup=f"100{ALL}", clock=ALL, cycle="  # fitted: stub/a/energy/*")
    found = study(stub.chip()).fit
    assert found is not None
    moves = {path.rpartition(".")[2]: move for path, move in found.moves.items()}
    assert moves["clock"] == pytest.approx(0, abs=1e-9)
    assert moves["tile_setup"] == pytest.approx(0, abs=1e-9)
    assert moves["cycle"] > 0.2


def test_a_refit_finds_what_the_rows_were_made_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stub = Stub(tmp_path, {}, setup="150", cycle="")
    made = modelled(stub.file, ["dies.d.blocks.array.tile_setup=150", "dies.d.blocks.array.energy.cycle=3 pJ/cycle"])
    again = Stub(tmp_path, {}, setup=f"60{ALL}", cycle="  # fitted: stub/a/energy/*")
    again.published = made
    chip = again.chip(change=lambda row: replace(row, tolerance=None))
    assert ran("--refit", chip=chip, docs=tmp_path) == 0
    told = capsys.readouterr().out
    assert "tile_setup" in told
    shown = {line.split()[0].rpartition(".")[2]: line for line in told.splitlines() if line.startswith(" dies")}
    assert " 150 " in shown["tile_setup"]
    assert "3 pJ/cycle" in shown["cycle"]
    assert told.rstrip().endswith("0.00 % refitted")
    assert not (tmp_path / "validation.md").exists()


def test_the_model_runs_once_and_once_a_fitted_parameter(tmp_path: Path) -> None:
    stub = Stub(tmp_path, {}, setup=f"100{ALL}", cycle="  # fitted: stub/a/energy/*")
    found = study(stub.chip())
    assert (stub.calls, found.evaluations) == (3, 3)
    stub.calls = 0
    study(stub.chip(), leave_out=False)
    assert stub.calls == 1


def test_a_parameter_at_the_end_of_its_range_is_varied_the_other_way(tmp_path: Path) -> None:
    stub = Stub(tmp_path, {}, clock=ALL)
    real = stub.rows

    def picky(settings: Sequence[str]) -> list[Row]:
        if any("clock=101" in setting for setting in settings):
            read_platform(str(stub.file), ["dies.d.blocks.array.clock=-1 Hz"])
        return real(settings)

    found = study(Chip("stub", stub.file, picky)).fit
    assert found is not None
    assert found.moves["dies.d.blocks.array.clock"] == pytest.approx(0, abs=1e-9)


# Outputs


def test_averages_keep_fitted_and_predicted_apart(tmp_path: Path) -> None:
    factors = {"time/small": 1 / 1.1, "time/middle": 1 / 1.3, "energy/small": 1 / 1.03}
    found = study(Stub(tmp_path, factors, clock="  # fitted: stub/a/time/[sm]*").chip())
    assert mape(found.rows, "fitted") == pytest.approx(0.2)
    assert mape(found.rows, "predicted") == pytest.approx(0.03 / 4)
    assert mape(found.rows, "identity") is None


def test_json_has_every_row_and_nothing_else_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stub = Stub(tmp_path, {"time/small": 1.25}, clock=ALL)
    assert ran("--json", chip=stub.chip(), docs=tmp_path) == 0
    (document,) = json.loads(capsys.readouterr().out)
    first = document["rows"][0]
    assert (first["id"], first["kind"], first["error"]) == ("stub/a/time/small", "fitted", pytest.approx(-0.2))
    assert first["error_left_out"] == pytest.approx(-0.2)  # the others say that the file is right
    assert document["parameters"][0]["path"] == "dies.d.blocks.array.clock"
    assert not (tmp_path / "validation.md").exists()


def test_the_plot_has_a_titled_marker_a_figure_with_equal_ones_on_the_line(tmp_path: Path) -> None:
    def first_is_identity(row: Row) -> Row:
        return replace(row, kind="identity") if row.id.endswith("energy/small") else row

    ran(chip=Stub(tmp_path, {"time/large": 0.9}, clock=ALL).chip(change=first_is_identity), docs=tmp_path)
    tree = ElementTree.parse(tmp_path / "validation.svg").getroot()
    space = "{http://www.w3.org/2000/svg}"
    assert tree.get("role") == "img"
    assert tree.find(f"{space}title") is not None
    markers = [path for path in tree.iter(f"{space}path") if path.find(f"{space}title") is not None]
    places: dict[str, list[tuple[float, float]]] = {}
    for marker in markers:
        x, y = map(float, str(marker.get("transform")).removeprefix("translate(").rstrip(")").split())
        places.setdefault(str(marker.findtext(f"{space}title")).partition(":")[0], []).append((x - 70, 494 - y))
    assert len(places) == 5  # six rows, one an identity
    for name, [(x, y), (again, ratio_y)] in places.items():
        assert again == x
        if name.endswith("time/large"):  # more was modelled than published
            assert y > x
            assert ratio_y > 494 - 635
        else:
            assert (y, ratio_y) == (pytest.approx(x, abs=0.15), 494 - 635)


@pytest.mark.parametrize("columns", [80, 120])
def test_the_tables_fit_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    ran(chip=Stub(tmp_path, {"time/small": 1.1}, clock=ALL).chip(), docs=tmp_path)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= columns


# What is shipped


def test_every_platform_of_silicon_has_rows_and_every_chip_a_platform() -> None:
    names = [chip.name for chip in chips()]
    assert names == sorted(path.stem for path in SILICON.glob("*.yaml"))
    assert all(first < second for first, second in pairwise(names))


def test_the_shipped_chips_are_within_tolerance_in_few_runs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = dict.fromkeys((chip.name for chip in chips()), 0)

    def counted(chip: Chip) -> Chip:
        def rows(settings: Sequence[str]) -> list[Row]:
            calls[chip.name] += 1
            return chip.rows(settings)

        return replace(chip, rows=rows)

    assert validate.main(["--check"], [counted(chip) for chip in chips()]) == 0, capsys.readouterr().err
    for chip in chips():
        fitted = len(fitted_parameters(read_source(chip.platform)))
        assert 1 <= calls[chip.name] <= 1 + 2 * fitted
    assert chip_module.ROOT.joinpath("docs/validation.svg").is_file()
