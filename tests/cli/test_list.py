"""`tlm3d list`: what there is and where it comes from."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len

from tlm3d import plugins

if TYPE_CHECKING:
    from cli.conftest import Command

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("slot", ["blocks", "dataflows", "kernels", "links", "plans", "policies", "supplies"])
def test_every_kind_is_listed_with_its_distribution(tlm3d: Command, slot: str) -> None:
    result = tlm3d("list", slot)
    assert (result.exit_code, result.stderr) == (0, "")
    first = {line.split()[0]: line.split()[-1] for line in result.stdout.splitlines()[1:] if line[1:2] != " "}
    assert first == dict.fromkeys(plugins.kinds(slot), "tlm3d")


def test_a_kind_that_cannot_be_loaded_does_not_hide_the_others(tlm3d: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    found = plugins.kinds("policies") | {"broken": EntryPoint("broken", "nowhere_at_all:KIND", "tlm3d.policies")}
    monkeypatch.setattr(plugins, "kinds", lambda slot: found)
    plugins.load_kind.cache_clear()
    result = tlm3d("list", "policies")
    assert result.exit_code == 2
    assert " edf " in result.stdout
    assert "policy 'broken' of an unknown distribution cannot be loaded from nowhere_at_all:KIND" in result.stderr
    plugins.load_kind.cache_clear()


def test_a_kind_in_full_has_every_key_with_its_default(tlm3d: Command) -> None:
    lines = tlm3d("list", "blocks", "mixed-signal").stdout.splitlines()
    assert lines[0] == "mixed-signal · from tlm3d"
    rows = {
        line.split()[0]: " ".join(line.split()[1:])
        for line in lines[lines.index("Keys") + 2 :]
        if line[1:2] not in ("", " ")
    }
    assert rows["pixels"].startswith("required [width, height] of the array")
    assert rows["fifo"].startswith("4 KiB rows that wait")
    assert rows["modes"].startswith("{full: {}} ways of reading the array")
    assert rows["modes.*.bin"].startswith("1 ")
    assert rows["adc.rate"].startswith("required ")
    assert rows["home"].startswith("- ")


def test_a_bus_has_no_ends(tlm3d: Command) -> None:
    assert " between " in tlm3d("list", "links", "tsv").stdout
    assert " between " not in tlm3d("list", "links", "on-chip").stdout


def test_a_one_way_link_requires_the_end_that_drives_and_the_end_that_receives(tlm3d: Command) -> None:
    words = [line.split()[:2] for line in tlm3d("list", "links", "mipi").stdout.splitlines()]
    assert ["from", "required"] in words
    assert ["to", "required"] in words
    assert not [pair for pair in words if pair[:1] == ["between"]]


@pytest.mark.parametrize("slot", ["blocks", "links"])
def test_that_values_may_be_given_at_corners_is_said_once_and_not_of_every_key(tlm3d: Command, slot: str) -> None:
    for kind in plugins.kinds(slot):
        words = tlm3d("list", slot, kind).stdout.split()
        assert not [word for word in words if word.endswith((".low", ".typical", ".high"))]
        assert words.count("{low:") == 1


def test_the_networks_of_a_folder_with_their_sizes(tlm3d: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tlm3d("list", "networks", "--folder", "good/networks").stdout.splitlines()[1].split() == [
        "tiny", "3", "11.3k", "2.11", "kB", "32x32x1",
    ]  # fmt: skip
    monkeypatch.chdir(ROOT)
    shown = tlm3d("list", "networks").stdout
    assert all(path.stem in shown for path in Path("workloads/networks").glob("*.yaml"))


def test_a_network_in_full_has_a_row_a_layer(tlm3d: Command) -> None:
    result = tlm3d("list", "networks", "tiny", "--folder", "good/networks")
    assert [line.split()[0] for line in result.stdout.splitlines()[2:]] == ["conv0", "fc1", "softmax2"]


def test_a_broken_network_does_not_hide_the_others(tlm3d: Command, tmp_path: Path) -> None:
    for name, source in (("good", "good/networks/tiny.yaml"), ("broken", "bad/network_unknown_op.yaml")):
        (tmp_path / f"{name}.yaml").write_text(Path(source).read_text(encoding="utf-8"), encoding="utf-8")
    result = tlm3d("list", "networks", "--folder", tmp_path)
    assert result.exit_code == 2
    assert result.stdout.splitlines()[1].startswith(" good ")
    assert "expected one of: conv" in result.stderr


@pytest.mark.parametrize(("columns", "at_most"), [("80", 80), ("120", 100)])
def test_no_line_is_longer_than_the_terminal(
    tlm3d: Command, monkeypatch: pytest.MonkeyPatch, columns: str, at_most: int
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", columns)
    slots = ("blocks", "dataflows", "kernels", "links", "plans", "policies", "supplies")
    commands = [(slot, *name) for slot in slots for name in ((), *zip(plugins.kinds(slot)))]
    commands += [("networks",), ("networks", "mobilenet_v1_025_96")]
    for command in commands:
        assert max(map(cell_len, tlm3d("list", *command).stdout.splitlines())) <= at_most
