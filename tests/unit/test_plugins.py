"""One file adds a kind; so does an entry point of another distribution."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import tlm3d
from tlm3d import plugins
from tlm3d.errors import PluginError
from tlm3d.links.tsv import Tsv
from tlm3d.plugins import kinds, load_kind


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[EntryPoint]]:
    """Entry points as if other distributions had been installed."""
    found: list[EntryPoint] = []
    monkeypatch.setattr(plugins, "entry_points", lambda group: [e for e in found if e.group == group])
    kinds.cache_clear()
    load_kind.cache_clear()
    yield found
    kinds.cache_clear()
    load_kind.cache_clear()


class Distribution:
    name = "acme-links"


def of_acme(name: str, value: str, group: str = "tlm3d.links") -> EntryPoint:
    entry = EntryPoint(name, value, group)
    vars(entry)["dist"] = Distribution()
    return entry


@pytest.mark.parametrize("slot", ["blocks", "dataflows", "kernels", "links", "plans", "policies", "supplies"])
def test_the_folder_is_the_registry(slot: str) -> None:
    folder = Path(tlm3d.__file__).parent / slot
    stems = {file.stem for file in folder.glob("*.py") if not file.stem.startswith("_")}  # those are no kinds
    stems -= {"graph", "schedule"} if slot == "plans" else set()  # what planners take and give
    assert {name.replace("-", "_") for name in kinds(slot)} == stems
    assert all(isinstance(load_kind(slot, name), type) for name in kinds(slot))


def test_another_distribution_adds_a_kind(installed: list[EntryPoint]) -> None:
    installed.append(of_acme("optical", "tlm3d.links.tsv:KIND"))
    assert load_kind("links", "optical") is Tsv
    assert "tsv" in kinds("links")


def test_a_near_miss_is_recognised() -> None:
    with pytest.raises(PluginError, match=r"^unknown link kind 'tvs'; did you mean 'tsv'\?$"):
        load_kind("links", "tvs")


def test_what_is_far_off_gets_the_list() -> None:
    with pytest.raises(PluginError, match=r"^unknown policy 'luck'; expected one of: .*\bedf\b.*\bfixed-priority\b"):
        load_kind("policies", "luck")


def test_two_definitions_of_one_kind_name_both_owners(installed: list[EntryPoint]) -> None:
    installed.append(of_acme("tsv", "acme.links:Tsv"))
    with pytest.raises(PluginError, match=r"^link kind 'tsv' is defined twice: by tlm3d and by acme-links$"):
        load_kind("links", "tsv")


def test_a_kind_that_fails_to_import_names_its_distribution(installed: list[EntryPoint]) -> None:
    installed.append(of_acme("optical", "acme_is_not_here:Optical"))
    message = "link kind 'optical' of acme-links cannot be loaded from acme_is_not_here:Optical: ModuleNotFoundError: "
    with pytest.raises(PluginError, match=f"^{message}"):
        load_kind("links", "optical")


def test_a_kind_that_is_no_class_is_refused(installed: list[EntryPoint]) -> None:
    installed.append(of_acme("optical", "tlm3d.links.tsv:__doc__"))
    with pytest.raises(
        PluginError, match=r"^link kind 'optical' of acme-links is no class: tlm3d\.links\.tsv:__doc__$"
    ):
        load_kind("links", "optical")
